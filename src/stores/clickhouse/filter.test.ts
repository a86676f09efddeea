import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { ClickHouseClient } from '@clickhouse/client';
import * as fc from 'fast-check';
import { anyDigest, anyKey, anyNumber, anyText } from '../../../test/support/arbitrary-digests.ts';
import { anyFilter, anyLooser, anyPattern, plain, type Vocabulary } from '../../../test/support/arbitrary-filters.ts';
import { fuzzing } from '../../../test/support/fuzz.ts';
import type { RootCause, TraceDigest } from '../../model/index.ts';
import type { Filter, Groups, JsonPattern } from '../../query/index.ts';
import {
  digestTrace,
  expressionTermsMax,
  matches,
  parseFilter,
  printFilter,
  toTraceSummaryAnswer,
} from '../../query/index.ts';
import { shopTraces } from '../../query/shop.fixture.test.ts';
import { createAccessClient, type Server } from './connection.ts';
import { encodeDigests, insertDigests } from './digests.ts';
import { insertBlock } from './insert.ts';
import { openEngine } from './engine.ts';
import { compileFilter } from './filter.ts';
import { makeDirectory, nowNs } from './opened.test.support.ts';
import { migrate } from './schema.ts';
import { select } from './select.ts';

/** SQL answers as `matches` does: here the real engine is asked about traces of every kind. */

const { seed = randomInt(2 ** 31) } = fuzzing(1);

const made = fc.sample(anyDigest, { numRuns: 300, seed });
const digests: readonly TraceDigest[] = [
  ...made,
  // The shop's traces all have one id.
  ...[...shopTraces.values()].map((trace, index) => ({
    ...digestTrace(trace, []),
    traceId: index.toString(16).padStart(32, 'f'),
  })),
];

const groups: Groups = new Map(
  ['fault', 'responsetime > 0.1', 'annotation.a = "a" OR user', 'group.name = "fault"'].map((text) => [
    text.split(' ')[0] ?? '',
    parseFilter(text),
  ]),
);

/** Values that occur in the digests, so that filters find some of them. */
const vocabulary = vocabularyOf(digests);

let directory: string;
let server: Server;
let client: ClickHouseClient;

before(async () => {
  directory = await makeDirectory();
  server = await openEngine({ folder: directory, memoryMaxMib: 800 })(new AbortController().signal);
  client = createAccessClient(server.access, undefined);
  await migrate(client, 24 * 60 * 60);
  await insert(digests);
});

after(async () => {
  await client.close();
  await server.stop();
  await rm(directory, { recursive: true });
});

describe('a filter in SQL', () => {
  test('finds what the predicate finds, and so does its text, for any filter and any digests', async (t) => {
    const counts = { pairs: 0, found: 0 };
    await fc.assert(
      fc.asyncProperty(anyFilter(vocabulary, 3), async (arbitrary) => {
        const filter = plain(arbitrary);
        assert.deepEqual(parseFilter(printFilter(filter)), filter);
        const found = wanted(filter);
        assert.deepEqual(await find(filter), found);
        counts.pairs += digests.length;
        counts.found += found.length;
      }),
      { ...fuzzing(150), seed },
    );
    t.diagnostic(
      `${counts.pairs} pairs of filter and trace, ${Math.round((counts.found / counts.pairs) * 100)} % found`,
    );
  });

  for (const expression of [
    'service() { responsetime = 0.001 }',
    'service() { responsetime != 0 AND !fault }',
    'service() { responsetime AND !duration }',
    'service() { duration = 0.1 AND !responsetime }',
    'service() { type }',
    'service() { !type }',
    'service() { type != "remote" AND name = "shop" }',
    'service(id(type: ""))',
    'edge(, ) { responsetime = 0.001 OR responsetime = 2.5 }',
    'edge(, "") { ok }',
    'rootcause.fault.service { type != "client" AND first }',
    'rootcause.error.service { !type AND last }',
    'rootcause.responsetime.entity { coverage }',
    'rootcause.responsetime.entity { !coverage }',
    'rootcause.fault.entity { !coverage AND index = 1 }',
    'rootcause.fault.entity { coverage OR coverage != 1 }',
    'responsetime != 0.1',
    '!responsetime',
  ]) {
    test(`finds what the predicate finds: ${expression}`, async () => {
      const filter = parseFilter(expression);
      assert.deepEqual(await find(filter), wanted(filter));
    });
  }

  test('is no larger than the engine takes by itself, for any expression', async () => {
    for (const expression of largestExpressions()) {
      const filter = parseFilter(expression);
      assert.deepEqual(await find(filter), wanted(filter));
    }
  });

  test('with longer groups than that is refused', () => {
    const long = new Map(['a', 'b', 'c'].map((name) => [name, parseFilter(terms(name))]));
    const filter = parseFilter('group.name = "a" OR group.name = "b" OR group.name = "c"');
    assert.throws(() => compileFilter(filter, long), { code: 'FILTER_INVALID', message: /groups that it names/ });
    assert.ok(compileFilter(parseFilter('group.name = "a" group.arn != "x"'), long));
  });

  test('holds values in parameters only', () => {
    const { condition, parameters } = compileFilter(
      parseFilter(`user = "it's" AND attributes["a'b"] CONTAINS "x" AND responsetime > 0.1`),
      groups,
    );
    assert.deepEqual(Object.values(parameters), ["it's", "a'b", 'a_b', 'x', 0x3fb999999999999an]);
    assert.equal(
      condition,
      'and(has(users, {filter0:String}), ' +
        'arrayExists((e0, e1) -> and(or(e0 = {filter1:String}, e0 = {filter2:String}), position(e1, {filter3:String}) > 0), attribute_key, attribute_text), ' +
        'arrayExists((e0) -> e0 > reinterpretAsFloat64({filter4:UInt64}), response_time))',
    );
  });

  test('skips by index what cannot hold the text of an attribute, a service or a user', async () => {
    const [shop = assert.fail()] = shopTraces.values();
    const base = digestTrace(shop, []);
    await insert(Array.from({ length: 6000 }, (_, index) => numbered(base, index)));
    const used = {
      'annotation.order_id = "o-17"': 'ix_keyword',
      'attributes["order.id"] = "o-17"': 'ix_key',
      'attributes["order.id"] != "o-17"': undefined,
      'service("s-17")': 'ix_service',
      'service("s-17") { fault AND annotation.order_id = "o-17" }': 'ix_service',
      'edge("s-17", )': 'ix_service',
      'user = "u-17"': 'ix_user',
      'user = "u-17" OR annotation.order_id = "o-17"': 'ix_user ix_keyword',
    };
    for (const [expression, indexes] of Object.entries(used)) {
      const { read, total, names } = await explain(parseFilter(expression));
      assert.ok(total >= 6, `${total} granules`);
      if (indexes === undefined) assert.equal(read, total, expression);
      else
        assert.ok(
          read <= 2 && indexes.split(' ').every((name) => names.includes(name)),
          `${expression}: ${read} of ${total} by ${names}`,
        );
    }
  });
});

/** As many conditions as fit, of the kinds that take most text and most parameters. */
function largestExpressions(): readonly string[] {
  const edges = Array.from({ length: 110 }, (_, index) => {
    const id = (side: string): string => `id(name:"${side}${index}",type:"${side}${index}",account.id:"")`;
    return `edge(${id('f')},${id('t')})`;
  });
  return [`service() { ${terms('x', 199)} }`, edges.join(' OR ')];
}

function terms(value: string, count = expressionTermsMax): string {
  return Array.from({ length: count }, (_, index) => `annotation[é${index}] != "${value}${index}"`).join(' OR ');
}

/** With texts that no other has. */
function numbered(digest: TraceDigest, index: number): TraceDigest {
  const service = { name: `s-${index}`, type: undefined, accountId: undefined };
  return {
    ...digest,
    traceId: index.toString(16).padStart(32, 'e'),
    summary: { ...digest.summary, services: [service], users: [{ user: `u-${index}`, services: [] }] },
    attributes: [{ key: 'order.id', value: `o-${index}`, segment: undefined }],
  };
}

interface Plan {
  readonly read: number;
  readonly total: number;
  /** Of the skip indexes that were asked. */
  readonly names: readonly string[];
}

async function explain(filter: Filter): Promise<Plan> {
  const { condition, parameters } = compileFilter(filter, groups);
  const answer = await client.query({
    query: `EXPLAIN indexes = 1 SELECT trace_id FROM digests WHERE ${condition}`,
    query_params: parameters,
    format: 'TabSeparatedRaw',
  });
  const text = await answer.text();
  const granules = [...text.matchAll(/Granules: (\d+)\/(\d+)/g)];
  return {
    read: Number(granules.at(-1)?.[1]),
    total: Number(granules[0]?.[2]),
    names: [...text.matchAll(/Name: (ix_\w+)/g)].map(([, name = '']) => name),
  };
}

/** Ids of the digests that the predicate finds. */
function wanted(filter: Filter): readonly string[] {
  return digests
    .filter((digest) => matches(filter, digest, groups))
    .map(({ traceId }) => traceId)
    .sort();
}

async function find(filter: Filter): Promise<readonly string[]> {
  const { condition, parameters } = compileFilter(filter, groups);
  const found: string[] = [];
  const query = `SELECT trace_id FROM digests WHERE ${condition} FORMAT RowBinary`;
  await select(client, { query, parameters }, (row) => found.push(row.hex(16)));
  return found.sort();
}

async function insert(rows: readonly TraceDigest[]): Promise<void> {
  const block = encodeDigests(
    rows.map((digest) => ({
      traceId: digest.traceId,
      version: 1n,
      removed: false,
      startNs: nowNs,
      endNs: nowNs,
      receivedNs: nowNs,
      revision: 1,
      digest,
      links: [],
    })),
  );
  await insertBlock(client, { query: insertDigests, block });
}

function vocabularyOf(all: readonly TraceDigest[]): Vocabulary {
  const texts = new Map<string, string[]>();
  const numbers = new Map<string, number[]>();
  const add = (name: string, ...values: readonly (string | number | boolean | undefined)[]): void => {
    for (const value of values) {
      if (value === undefined) continue;
      listOf(texts, name).push(String(value));
      if (Number.isFinite(Number(value))) listOf(numbers, name).push(Number(value));
    }
  };
  for (const digest of all) {
    const { summary, segments, calls, attributes } = digest;
    add('responsetime', summary.responseTime);
    add('duration', summary.duration);
    add('http.status', summary.http.status);
    add('http.url', summary.http.url);
    add('http.method', summary.http.method);
    add('http.useragent', summary.http.userAgent);
    add('http.clientip', summary.http.clientIp);
    add('user', ...summary.users.map(({ user }) => user));
    add('availabilityzone', ...summary.availabilityZones);
    add('instance.id', ...summary.instanceIds);
    add('resource.arn', ...summary.resourceArns);
    add('account.id', ...digest.accountIds);
    for (const { name, type, accountId } of summary.services) {
      add('name', name);
      add('type', type ?? '');
      add('account.id', accountId ?? '');
    }
    for (const { durationMs } of segments) add('duration', durationMs / 1000);
    for (const { startTimeNs, endTimeNs } of [...segments, ...calls]) {
      // By another way than the condition takes.
      if (endTimeNs !== undefined) add('responsetime', Number((endTimeNs - startTimeNs) / 1_000_000n) / 1000);
    }
    for (const { key, value } of [...attributes, ...calls.flatMap(({ annotations }) => annotations)]) {
      add(`annotation ${key}`, value);
      add(`annotation ${key.replaceAll(/\W/g, '_')}`, value);
    }
    for (const { services } of rootCausesOf(digest)) {
      for (const { entities } of services) {
        for (const { name, coverage, exceptions } of entities) {
          add('name', name);
          add('coverage', coverage);
          for (const exception of exceptions) {
            add('name', exception.name);
            add('message', exception.message);
          }
        }
      }
    }
  }
  add('index', 0, 1, 2);
  add('group.name', ...groups.keys());
  for (const name of groups.keys()) add('group.arn', `arn:aws:xray:eu-west-1:111122223333:group/${name}/ABC`);

  const textsOf = (name: string): fc.Arbitrary<string> => {
    const known = texts.get(name) ?? [];
    if (known.length === 0) return anyText;
    const one = fc.constantFrom(...known);
    // Cut between characters, so that no half of one remains.
    const part = fc
      .tuple(one, fc.nat(3), fc.nat(3))
      .map(([text, from, size]) => [...text].slice(from, from + size).join(''));
    return fc.oneof({ weight: 3, arbitrary: one }, part, anyText);
  };
  const numbersOf = (name: string): fc.Arbitrary<number> => {
    const known = numbers.get(name) ?? [];
    return known.length === 0 ? anyNumber : fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...known) }, anyNumber);
  };
  const causes = all.flatMap(patternsOf);
  return {
    keys: anyKey,
    annotationTexts: (key) => textsOf(`annotation ${key}`),
    annotationNumbers: (key) => numbersOf(`annotation ${key}`),
    texts: textsOf,
    numbers: numbersOf,
    patterns: fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...causes).chain(anyLooser) }, anyPattern),
  };
}

function listOf<Value>(lists: Map<string, Value[]>, name: string): Value[] {
  const list = lists.get(name) ?? [];
  lists.set(name, list);
  return list;
}

function rootCausesOf({ summary }: TraceDigest): readonly RootCause[] {
  return [...summary.faultRootCauses, ...summary.errorRootCauses, ...summary.responseTimeRootCauses];
}

/** The root causes as JSON shows them, which are patterns of themselves. */
function patternsOf({ summary }: TraceDigest): readonly JsonPattern[] {
  const { FaultRootCauses, ErrorRootCauses, ResponseTimeRootCauses } = toTraceSummaryAnswer(summary);
  return JSON.parse(
    JSON.stringify([...FaultRootCauses, ...ErrorRootCauses, ...ResponseTimeRootCauses]),
  ) as JsonPattern[];
}
