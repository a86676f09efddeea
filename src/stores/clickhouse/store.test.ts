import assert from 'node:assert/strict';
import { traceQuery } from '../../../test/support/query.ts';
import { readdir, readFile, rm } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { arbitrarySpans } from '../../../test/support/arbitraries.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { rootPath } from '../../../test/support/root.ts';
import { emptyResource, type Span } from '../../model/index.ts';
import type { StoreComponent } from '../../pipeline/component.ts';
import type { TraceFound, TraceQuery, TraceReference } from '../../pipeline/store.ts';
import { makeDirectory, makeSpan, newTraceId, nowNs, openTestStore, second } from './opened.test.support.ts';

const daySeconds = 86_400n;

let directory: string;
let store: StoreComponent;
let version = 0n;

before(async () => {
  directory = await makeDirectory();
  ({ store } = await openTestStore(directory));
});

after(async () => {
  await store.shutdown(0);
  await rm(directory, { recursive: true });
});

test('spans come back exactly as they were written', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(arbitrarySpans, { maxLength: 5 }), async (groups) => {
      const written = groups.flat();
      fc.pre(new Set(written.map(idOf)).size === written.length);
      await write(written);
      assert.deepEqual(await read(written), sorted(written));
    }),
    { numRuns: 30, endOnFailure: true },
  );
});

test('spans of one resource and scope share them again when they are read', async () => {
  const resource = { ...emptyResource, attributes: new Map([['service.name', 'checkout']]) };
  const traceId = newTraceId();
  const one = makeSpan({ traceId, resource });
  const two = makeSpan({ traceId, resource: { ...resource } });
  await write([one, two]);

  const [first, other] = (await store.traces([traceId])).get(traceId) ?? [];
  assert.equal(first?.resource, other?.resource);
  assert.equal(first?.scope, other?.scope);
});

test('a trace larger than one piece of the answer is read whole', async () => {
  const traceId = newTraceId();
  const attributes = new Map([['text', 'ä'.repeat(30_000)]]);
  const written = Array.from({ length: 100 }, () => makeSpan({ traceId, attributes }));
  await write(written);

  assert.deepEqual(await read(written), sorted(written));
});

test('a trace id nobody knows has no entry', async () => {
  const known = makeSpan({});
  await write([known]);

  assert.deepEqual([...(await store.traces([newTraceId(), known.traceId])).keys()], [known.traceId]);
  assert.equal((await store.traces([])).size, 0);
});

test('writing the same token again changes nothing', async () => {
  const span = makeSpan({ name: 'once' });
  const token = newTraceId();
  const facts = { receivedAtNs: nowNs, version: ++version, token };
  await store.write({ spans: [span], ...facts });
  const before = await store.statistics();
  await store.write({ spans: [span], ...facts });

  assert.deepEqual(await read([span]), [span]);
  assert.equal((await store.statistics()).spans, before.spans);
  assert.equal((await traceOf(span, 1)).revision, 1);
});

test('the same span in another write is shown once, the later copy', async () => {
  const span = makeSpan({ name: 'first' });
  const later = { ...span, name: 'second', startTimeNs: span.startTimeNs - 7200n * second };
  await write([span]);
  await write([later]);

  assert.deepEqual(await read([span]), [later]);
  assert.equal((await traceOf(later, 2)).revision, 2);
});

test('a span that has ended replaces its copy in progress, whichever comes first', async () => {
  const ended = makeSpan({ name: 'ended' });
  const inProgress = { ...ended, name: 'in progress', endTimeNs: 0n };
  const other = makeSpan({ name: 'ended' });
  const otherInProgress = { ...other, name: 'in progress', endTimeNs: 0n };

  await write([inProgress]);
  assert.deepEqual(await read([ended]), [inProgress]);
  await write([ended]);
  await write([other]);
  await write([otherInProgress]);

  assert.deepEqual(await read([ended]), [ended]);
  assert.deepEqual(await read([other]), [other]);
});

test('of two copies in one write the later is kept, unless only the earlier has ended', async () => {
  const ended = makeSpan({ name: 'ended' });
  const one = makeSpan({ name: 'one' });
  await write([ended, one, { ...ended, name: 'in progress', endTimeNs: 0n }, { ...one, name: 'two' }]);

  assert.deepEqual(await read([ended]), [ended]);
  assert.deepEqual(await read([one]), [{ ...one, name: 'two' }]);
});

test('a write larger than one insert is written whole', async () => {
  const traceId = newTraceId();
  const written = Array.from({ length: 30_000 }, () => makeSpan({ traceId }));
  await write(written);

  assert.equal((await store.traces([traceId])).get(traceId)?.length, written.length);
});

test('traces are listed newest first, page by page, by start, end and update', async () => {
  const startNs = newEra();
  const written = Array.from({ length: 25 }, (_, i) => {
    const startTimeNs = startNs + BigInt((i * 7) % 25) * 1800n * second;
    return makeSpan({ startTimeNs, endTimeNs: startTimeNs + BigInt((i * 3) % 5) * 3600n * second });
  });
  const receivedNs = nowNs - 5n * daySeconds * second;
  const receivedOf = (i: number) => receivedNs + BigInt((i * 11) % 25) * second;
  for (const [i, span] of written.entries()) await write([span], receivedOf(i));

  for (const by of ['start', 'end', 'update'] as const) {
    const fromNs = by === 'update' ? receivedNs : startNs;
    const range = { by, fromNs, toNs: fromNs + 2n * daySeconds * second };
    const times = written.map((span, i) => {
      const timeNs = { start: span.startTimeNs, end: span.endTimeNs, update: receivedOf(i) }[by];
      return [span.traceId, timeNs] as const;
    });
    const expected = [...times].map(([traceId, timeNs]) => ({ traceId, timeNs })).sort(newestFirst);
    await assertListed(() => listAll(range, 4), expected);
    await assertListed(() => listAll(range, 100), expected);
  }
});

test('traces of the same time are listed by id, across pages', async () => {
  const startNs = newEra();
  const written = Array.from({ length: 9 }, () => makeSpan({ startTimeNs: startNs, endTimeNs: startNs }));
  await write(written);

  const expected = written.map(({ traceId }) => ({ traceId, timeNs: startNs })).sort(newestFirst);
  await assertListed(() => listAll({ by: 'start', fromNs: startNs, toNs: startNs + 1n }, 2), expected);
  await assertListed(() => listAll({ by: 'start', fromNs: startNs - 1n, toNs: startNs }, 2), []);
});

test('a trace is listed by its own time, not by that of one of its spans', async () => {
  const startNs = newEra();
  const traceId = newTraceId();
  const hour = 3600n * second;
  await write([makeSpan({ traceId, startTimeNs: startNs, endTimeNs: startNs + second })]);
  await write([makeSpan({ traceId, startTimeNs: startNs + 5n * hour, endTimeNs: startNs + 6n * hour })]);

  const late = { fromNs: startNs + 4n * hour, toNs: startNs + 7n * hour };
  const early = { fromNs: startNs - hour, toNs: startNs + hour };
  await assertListed(() => listAll({ by: 'start', ...late }, 10), []);
  await assertListed(() => listAll({ by: 'start', ...early }, 10), [{ traceId, timeNs: startNs }]);
  await assertListed(() => listAll({ by: 'end', ...late }, 10), [{ traceId, timeNs: startNs + 6n * hour }]);
  await assertListed(() => listAll({ by: 'end', ...early }, 10), []);
});

test('a trace starts at the time in its X-Ray id when that is within a day of its earliest span', async () => {
  const startNs = newEra();
  const idOf = (timeNs: bigint) => (timeNs / second).toString(16).padStart(8, '0') + newTraceId().slice(8);
  const near = makeSpan({ traceId: idOf(startNs - 5n * second), startTimeNs: startNs + 1n });
  const far = makeSpan({ traceId: idOf(startNs - 2n * daySeconds * second), startTimeNs: startNs + 2n });
  await write([near, far]);

  const range = { by: 'start', fromNs: startNs - 60n * second, toNs: startNs + 60n * second } as const;
  await assertListed(
    () => listAll(range, 10),
    [
      { traceId: far.traceId, timeNs: startNs + 2n },
      { traceId: near.traceId, timeNs: startNs - 5n * second },
    ],
  );
});

test('spans with impossible times are kept, found, and do not hide others', async () => {
  const timeNsMax = 2n ** 64n - 1n;
  const last = makeSpan({ startTimeNs: timeNsMax - 5n, endTimeNs: timeNsMax });
  const first = makeSpan({ startTimeNs: 0n, endTimeNs: 1n });
  await write([last, first]);

  assert.deepEqual(await read([first, last]), sorted([first, last]));
  const found = async () => {
    const everything = await listAll({ by: 'start', fromNs: -1n, toNs: 2n ** 80n }, 1000);
    return everything.filter(({ traceId }) => [first.traceId, last.traceId].includes(traceId));
  };
  await assertListed(found, [
    { traceId: last.traceId, timeNs: timeNsMax - 5n },
    { traceId: first.traceId, timeNs: 0n },
  ]);
});

test('text from outside never becomes SQL', async () => {
  const hostile = `'; DROP TABLE spans; SELECT {x:String} \\' " \0 \n`;
  const span = makeSpan({ name: hostile, attributes: new Map([[hostile, hostile]]) });
  await store.write({ spans: [span], receivedAtNs: nowNs, version: ++version, token: hostile });
  await store.writeState({ kind: hostile, key: hostile, value: hostile });

  assert.deepEqual(await read([span]), [span]);
  assert.deepEqual(await store.readState(hostile), new Map([[hostile, hostile]]));
  assert.equal((await store.traces([hostile])).size, 0);
});

test('SQL in this folder is constant: what varies is bound', async () => {
  const constants = new Set([
    'spanColumnList',
    'digestColumnList',
    // Of find-traces.ts: columns and conditions by name; the condition of a filter binds its values.
    'columns[by]',
    'minutes',
    'column',
    'sliceCondition(by)',
    'share < 1 ? `AND ${shareCondition',
    'wanted.condition',
  ]);
  /** Put together of their own constants when they are loaded, by functions that take nothing from outside. */
  const assembled = new Set(['graphs.ts', 'schema.ts']);
  const sources = rootPath('src/stores/clickhouse');
  for (const file of (await readdir(sources)).filter((name) => /^[a-z-]+\.ts$/.test(name) && !assembled.has(name))) {
    const text = await readFile(rootPath('src/stores/clickhouse', file), 'utf8');
    for (const [literal] of text.matchAll(/`[^`]*`/g)) {
      if (!/\b(SELECT|INSERT|ALTER|CREATE|DROP)\b/.test(literal) || literal.includes('<clickhouse>')) continue;
      for (const [, inserted = ''] of literal.matchAll(/\$\{([^}]*)\}/g))
        assert.ok(constants.has(inserted), `${file}: ${inserted}`);
    }
  }
});

test('state documents are kept by kind and key, and the last write wins', async () => {
  await store.writeState({ kind: 'group', key: 'a', value: 'one' });
  await store.writeState({ kind: 'group', key: 'b', value: 'ü"\n' });
  await store.writeState({ kind: 'group', key: 'a', value: 'two' });
  await store.writeState({ kind: 'rule', key: 'a', value: 'other' });

  assert.deepEqual(
    new Map([...(await store.readState('group'))].sort()),
    new Map([
      ['a', 'two'],
      ['b', 'ü"\n'],
    ]),
  );
  await store.writeState({ kind: 'group', key: 'a', value: undefined });
  assert.deepEqual([...(await store.readState('group')).keys()], ['b']);
  assert.deepEqual(await store.readState('nothing'), new Map());
});

test('the health page is told how much is kept', async () => {
  await write([makeSpan({})]);
  const { spans, traces, bytesOnDisk } = await store.statistics();
  assert.ok(spans >= traces && traces > 0 && bytesOnDisk > 0);
});

test('what was received longer ago than the retention goes away', async () => {
  const span = makeSpan({});
  await write([span], nowNs - 9n * daySeconds * second);
  await eventually('the span to be dropped', async () => ((await read([span])).length === 0 ? true : undefined));
});

async function write(written: readonly Span[], receivedAtNs = nowNs): Promise<void> {
  version += 1n;
  await store.write({ spans: written, receivedAtNs, version, token: `write ${version}` });
}

/** All spans of these spans' traces, in the order of `sorted`. */
async function read(written: readonly Span[]): Promise<readonly Span[]> {
  const traces = await store.traces([...new Set(written.map(({ traceId }) => traceId))]);
  return sorted([...traces.values()].flat());
}

function sorted(all: readonly Span[]): readonly Span[] {
  return [...all].sort((one, other) => (idOf(one) < idOf(other) ? -1 : 1));
}

function idOf(span: Span): string {
  return span.traceId + span.spanId;
}

/** As soon as it is listed with so many writes: a question waits for digests, but not for ever. */
async function traceOf(span: Span, revision: number): Promise<TraceFound> {
  const range = { fromNs: span.startTimeNs, toNs: span.startTimeNs + 1n };
  return await eventually(`revision ${revision} of the trace`, async () => {
    const { traces } = await store.findTraces(traceQuery(range));
    return traces.find((trace) => trace.traceId === span.traceId && trace.revision >= revision);
  });
}

/** Waits as long as digests may take when the machine is busy. */
async function assertListed(
  list: () => Promise<readonly TraceReference[]>,
  expected: readonly TraceReference[],
): Promise<void> {
  let listed: readonly TraceReference[] = [];
  const isAsExpected = async () => isDeepStrictEqual((listed = await list()), expected) || undefined;
  await eventually('the list', isAsExpected).catch(() => assert.deepEqual(listed, expected));
}

/** All traces of the range, page by page. */
async function listAll(
  range: Pick<TraceQuery, 'by' | 'fromNs' | 'toNs'>,
  limit: number,
): Promise<readonly TraceReference[]> {
  const listed: TraceReference[] = [];
  for (let after: TraceReference | undefined; ; after = listed.at(-1)) {
    const page = await store.findTraces(traceQuery({ ...range, after, limit }));
    listed.push(...page.traces.map(({ traceId, timeNs }) => ({ traceId, timeNs })));
    if (!page.next) return listed;
    assert.equal(page.traces.length, limit);
  }
}

function newestFirst(one: TraceReference, other: TraceReference): number {
  if (one.timeNs !== other.timeNs) return one.timeNs > other.timeNs ? -1 : 1;
  return one.traceId > other.traceId ? -1 : 1;
}

let eras = 0n;

/** A start time far from that of every other test. */
function newEra(): bigint {
  eras += 1n;
  return (1_000_000_000n + eras * 10_000_000n) * second;
}
