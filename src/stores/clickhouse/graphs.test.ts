import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { after, before, test } from 'node:test';
import type { ClickHouseClient } from '@clickhouse/client';
import * as fc from 'fast-check';
import { arbitraryTraces } from '../../../test/support/arbitrary-traces.ts';
import { graphQuery } from '../../../test/support/query.ts';
import type { ServiceGraph, Span } from '../../model/index.ts';
import { createGraphBuilder } from '../../query/index.ts';
import { digestSpans } from '../../reader/index.ts';
import { createAccessClient, type Server } from './connection.ts';
import { digestColumnList, type DigestRow, encodeDigests, nanosecondsPerMinute } from './digests.ts';
import { openEngine } from './engine.ts';
import { createGraphs, type Graphs } from './graphs.ts';
import { makeDirectory, nowNs, second } from './opened.test.support.ts';
import { migrate } from './schema.ts';

let directory: string;
let server: Server;
let client: ClickHouseClient;
let version = 1n;

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
  const graphs = createGraphs({ nowNs: () => nowNs + (version += 1n), quietMs: 0 });
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
  await graphs.roll(client);
  await check('counted');
  const counted = await countRows();
  assert.ok(counted > 0);
  await graphs.roll(client);
  assert.equal(await countRows(), counted, 'what is counted is not counted again');

  // A trace that changes makes its minute stale, and its hour.
  const [first] = digests;
  assert.ok(first);
  const changed = { ...first, version: (version += 1n), digest: { ...first.digest, segments: [], calls: [] } };
  graphs.changed([minuteOf(changed)]);
  await insert([changed]);
  digests[0] = changed;
  await check('stale');
  await graphs.roll(client);

  const restarted = createGraphs({ nowNs: () => nowNs + (version += 1n), quietMs: 0 });
  await restarted.roll(client);
  const again = await restarted.read(client, graphQuery({ fromNs, toNs: fromNs + 3n * hourNs }), undefined);
  assert.deepEqual(
    again.map(({ graph }) => outline(graph)),
    expectedGraphs(digests, { fromNs, toNs: fromNs + 3n * hourNs }, undefined).map(([, graph]) => outline(graph)),
  );
});

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
  const { stream } = await client.exec({
    query: `INSERT INTO digests (${digestColumnList}) FORMAT Native`,
    values: Readable.from([encodeDigests(rows)], { objectMode: false }),
  });
  await finished(stream.resume());
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
    builder.add(digest);
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
