import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ClickHouseClient, ClickHouseError } from '@clickhouse/client';
import * as fc from 'fast-check';
import { arbitraryTraces } from '../../../test/support/arbitrary-traces.ts';
import { graphQuery } from '../../../test/support/query.ts';
import type { ServiceGraph, Span } from '../../model/index.ts';
import type { PeriodGraph } from '../../pipeline/store.ts';
import { createGraphBuilder } from '../../query/index.ts';
import { digestSpans } from '../../reader/index.ts';
import { createAccessClient, type Server } from './connection.ts';
import { type DigestRow, encodeDigests, nanosecondsPerMinute, insertDigests } from './digests.ts';
import { insertBlock } from './insert.ts';
import { openEngine } from './engine.ts';
import { createGraphs, type Graphs } from './graphs.ts';
import { makeDirectory, makeSpan, newTraceId, nowNs, second } from './opened.test.support.ts';
import { migrate } from './schema.ts';

let directory: string;
let server: Server;
let client: ClickHouseClient;
let version = 1n;
const { signal } = new AbortController();

before(async () => {
  directory = await makeDirectory();
  server = await openEngine({ folder: join(directory, 'engine'), memoryMaxMib: 800 })(new AbortController().signal);
  client = createAccessClient(server.access, 'default');
  await migrate(client, 86_400);
});

after(async () => {
  await client.close();
  await server.stop();
  await rm(directory, { recursive: true });
});

/** Begins with an hour. */
const fromNs = ((nowNs - 86_400n * second) / (3600n * second)) * 3600n * second;
const hourNs = 3600n * second;

test('a counted range gives the graph of its traces, in every mixture of hours, minutes and digests', async () => {
  const graphs = createGraphs({ nowNs: () => nowNs + (version += 1n), quietMs: 0, recountQuietMs: 0 });
  const digests = await insertTraces(graphs, traces());
  const ranges = [
    { fromNs, toNs: fromNs + 3n * hourNs },
    { fromNs: fromNs + 1n, toNs: fromNs + 3n * hourNs - 1n },
    { fromNs: fromNs + 61n * second, toNs: fromNs + hourNs + 61n * second },
    { fromNs: 0n, toNs: 2n ** 63n },
  ];
  const check = async (when: string): Promise<void> => {
    for (const range of ranges) {
      for (const periodNs of [undefined, 300n * second, hourNs]) {
        const found = await graphs.read(client, graphQuery({ ...range, periodNs }), undefined);
        const expected = expectedGraphs(digests, range, periodNs);
        assert.deepEqual(
          found.map(({ fromNs: slotNs, graph }) => [slotNs, outline(graph)]),
          expected.map(([slotNs, graph]) => [slotNs, outline(graph)]),
          `${when}, ${JSON.stringify({ ...range, periodNs }, (_, value) => (typeof value === 'bigint' ? String(value) : value))}`,
        );
      }
    }
  };

  await check('before anything is known');
  await graphs.roll(client, signal);
  await check('counted');
  const counted = await countRows();
  assert.ok(counted > 0);
  await graphs.roll(client, signal);
  assert.equal(await countRows(), counted, 'what is counted is not counted again');

  // A trace that changes makes its minute stale, and its hour.
  const [first] = digests;
  assert.ok(first);
  const changed = { ...first, version: (version += 1n), digest: { ...first.digest, segments: [], calls: [] } };
  graphs.changed([minuteOf(changed)]);
  await insert([changed]);
  digests[0] = changed;
  await check('stale');
  await graphs.roll(client, signal);

  const restarted = createGraphs({ nowNs: () => nowNs + (version += 1n), quietMs: 0, recountQuietMs: 0 });
  await restarted.roll(client, signal);
  const again = await restarted.read(client, graphQuery({ fromNs, toNs: fromNs + 3n * hourNs }), undefined);
  assert.deepEqual(
    again.map(({ graph }) => outline(graph)),
    expectedGraphs(digests, { fromNs, toNs: fromNs + 3n * hourNs }, undefined).map(([, graph]) => outline(graph)),
  );
});

test('an hour whose count is older than that of one of its minutes is counted anew after a start', async () => {
  await addTrace(fromNs + hourNs + 65n * second);
  await newGraphs().roll(client, signal);
  await addTrace(fromNs + hourNs + 5n * second);
  // The process dies between the count of the minute and that of its hour.
  await assert.rejects(newGraphs().roll(failingAt('SELECT 3600', new Error('killed')), signal), /killed/);

  await asUncounted(newGraphs());
});

test('a minute that the engine refuses to count holds up no other, and is counted later', async () => {
  const graphs = newGraphs();
  await graphs.roll(client, signal);
  for (const minutes of [65n, 66n, 67n]) graphs.changed([minuteOf(await addTrace(fromNs + minutes * 60n * second))]);
  const bad = Number((fromNs + 66n * 60n * second) / nanosecondsPerMinute);
  const refusal = new ClickHouseError({ message: 'too large', code: '241', type: 'MEMORY_LIMIT_EXCEEDED' });
  const refusing = failingAt('SELECT 60', refusal, ({ minutes = [] }) => minutes.includes(bad));
  const counted = await countRows();
  await assert.rejects(graphs.roll(refusing, signal), refusal);
  await assert.rejects(graphs.roll(refusing, signal), refusal);
  assert.ok((await countRows()) >= counted + 2);
  await asUncounted(graphs);
});

test('what another process wrote, and a clock that was set back, are seen by the next look', async () => {
  const graphs = newGraphs();
  await graphs.roll(client, signal);
  await addTrace(fromNs + 125n * 60n * second);
  const clockSetBack = createGraphs({ nowNs: () => nowNs - 86_400n * second, quietMs: 0, recountQuietMs: 0 });
  await asUncounted(clockSetBack);
});

test('minutes without end, of wrong clocks, are not kept in memory: what is asked is read from digests', async () => {
  const graphs = newGraphs();
  await graphs.roll(client, signal);
  graphs.changed(Array.from({ length: 250_000 }, (_, minute) => minute));
  const range = { fromNs, toNs: fromNs + 3n * hourNs };
  const [found, expected] = await Promise.all(
    [graphs, newGraphs()].map((one) => one.read(client, graphQuery(range), undefined)),
  );
  assert.deepEqual(found?.map(outlined), expected?.map(outlined));
});

test('a count is broken off by its signal', async () => {
  const stopping = new AbortController();
  const graphs = newGraphs();
  await addTrace(fromNs);
  stopping.abort(new Error('shutdown'));
  await assert.rejects(graphs.roll(client, stopping.signal), /shutdown/);
});

function newGraphs(): Graphs {
  return createGraphs({ nowNs: () => nowNs + (version += 1n), quietMs: 0, recountQuietMs: 0 });
}

/** Counts, and compares with one who has counted nothing. */
async function asUncounted(graphs: Graphs): Promise<void> {
  await graphs.roll(client, signal);
  for (const periodNs of [undefined, 60n * second, hourNs]) {
    const query = graphQuery({ fromNs, toNs: fromNs + 3n * hourNs, periodNs });
    const [found, expected] = [
      await graphs.read(client, query, undefined),
      await newGraphs().read(client, query, undefined),
    ];
    assert.deepEqual(found.map(outlined), expected.map(outlined));
  }
}

function outlined({ fromNs: slotNs, graph }: PeriodGraph): readonly [bigint, object] {
  return [slotNs, outline(graph)];
}

async function addTrace(startNs: bigint): Promise<DigestRow> {
  const traceId = newTraceId();
  const digest = digestSpans(traceId, [makeSpan({ traceId, startTimeNs: startNs, endTimeNs: startNs + second })]);
  const facts = { removed: false, startNs, endNs: startNs, receivedNs: nowNs, revision: 1, links: [] };
  const row = { traceId, version: nowNs + (version += 1n), ...facts, digest };
  await insert([row]);
  return row;
}

/** The client, but statements with this text fail. */
function failingAt(
  text: string,
  error: Error,
  isMeant: (parameters: { readonly minutes?: readonly number[] }) => boolean = () => true,
): ClickHouseClient {
  return new Proxy(client, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...values: readonly [{ readonly query?: string; readonly query_params?: object }]) =>
        values[0].query?.includes(text) && isMeant(values[0].query_params ?? {})
          ? Promise.reject(error)
          : Reflect.apply(member, target, values);
    },
  });
}

function traces(): ReadonlyMap<string, readonly Span[]> {
  const spans = fc.sample(arbitraryTraces({ nowNs: fromNs + 2n * hourNs }), { numRuns: 60, seed: 7 }).flat();
  const byId = new Map<string, Span[]>();
  for (const span of spans) byId.set(span.traceId, [...(byId.get(span.traceId) ?? []), span]);
  return byId;
}

async function insertTraces(graphs: Graphs, byId: ReadonlyMap<string, readonly Span[]>): Promise<DigestRow[]> {
  const rows = [...byId].map(([traceId, spans]): DigestRow => {
    const digest = digestSpans(traceId, spans);
    const startNs = spans.reduce(
      (earliest, span) => (span.startTimeNs < earliest ? span.startTimeNs : earliest),
      nowNs,
    );
    const facts = { removed: false, startNs, endNs: startNs, receivedNs: nowNs, revision: 1, links: [] };
    return { traceId, version: (version += 1n), ...facts, digest };
  });
  await insert(rows);
  graphs.changed(rows.map(minuteOf));
  return rows;
}

async function insert(rows: readonly DigestRow[]): Promise<void> {
  await insertBlock(client, { query: insertDigests, block: encodeDigests(rows) });
}

function minuteOf({ startNs }: DigestRow): number {
  return Number(startNs / nanosecondsPerMinute);
}

async function countRows(): Promise<number> {
  const result = await client.query({ query: 'SELECT count() AS n FROM graph_counts', format: 'JSONEachRow' });
  const [row] = await result.json<{ readonly n: string }>();
  return Number(row?.n);
}

function expectedGraphs(
  rows: readonly DigestRow[],
  range: { readonly fromNs: bigint; readonly toNs: bigint },
  periodNs: bigint | undefined,
): readonly (readonly [bigint, ServiceGraph])[] {
  const builders = new Map<bigint, ReturnType<typeof createGraphBuilder>>();
  for (const { startNs, digest } of rows) {
    if (startNs < range.fromNs || startNs >= range.toNs) continue;
    const slotNs = periodNs === undefined ? range.fromNs : startNs - (startNs % periodNs);
    const builder = builders.get(slotNs) ?? createGraphBuilder();
    builders.set(slotNs, builder);
    // Rows of this test carry no links.
    builder.add({ ...digest, receives: [] });
  }
  return [...builders]
    .map(([slotNs, builder]): readonly [bigint, ServiceGraph] => [slotNs, builder.build()])
    .filter(([, { nodes }]) => nodes.length > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Nodes and edges by name: their order is free. */
function outline({ nodes }: ServiceGraph): ReadonlyMap<string, object> {
  const name = (id: number): string => JSON.stringify(nodes[id]?.service);
  const byName = (entries: readonly (readonly [string, object])[]): ReadonlyMap<string, object> =>
    new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
  return byName(
    nodes.map(({ referenceId, edges, ...node }) => [
      name(referenceId),
      {
        ...node,
        edges: byName(edges.map(({ referenceId: to, ...edge }) => [`${edge.type} ${name(to)}`, edge])),
      },
    ]),
  );
}
