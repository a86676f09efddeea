import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import type { Span } from '../../src/model/index.ts';
import type { StoreComponent } from '../../src/pipeline/component.ts';
import type { SpanWrite } from '../../src/pipeline/store.ts';
import { createConnection } from '../../src/stores/clickhouse/connection.ts';
import { openEngine } from '../../src/stores/clickhouse/engine.ts';
import { migrate } from '../../src/stores/clickhouse/schema.ts';
import { createStore, storeParts } from '../../src/stores/clickhouse/store.ts';
import { arbitraryTraces } from './arbitrary-traces.ts';
import { createTestContext } from './context.ts';

interface EngineStore {
  readonly store: StoreComponent;
  /** Minutes whose digests are younger than their count. */
  uncounted(): Promise<number>;
}

/** A store with the real engine that keeps little in memory and counts at once. */
export function openEngineStore(directory: string): EngineStore {
  const { context } = createTestContext('clickhouse');
  const connection = createConnection({
    open: openEngine({ folder: join(directory, 'clickhouse'), memoryMaxMib: 800 }),
    database: 'raybridge',
    prepare: (client) => migrate(client, 864_000),
    context,
  });
  const store = createStore(
    connection,
    { ...context, nowNs: () => BigInt(Date.now()) * 1_000_000n },
    {
      ...storeParts,
      limits: { waitingSpansMax: 500, keptSpansMax: 50, spansPerTraceMax: 200, settleMsMax: 60_000 },
      counting: { intervalMs: 200, quietMs: 0, recountQuietMs: 0 },
    },
  );
  return {
    store,
    async uncounted() {
      const client = await connection.client();
      const answer = await client.query({ query: selectUncounted, format: 'TabSeparated' });
      return Number(await answer.text());
    },
  };
}

const selectUncounted = `
  SELECT count()
  FROM (SELECT minute, max(version) AS version FROM digests GROUP BY minute) AS d
  LEFT JOIN (SELECT start, max(version) AS version FROM graph_periods WHERE period = 60 GROUP BY start) AS p
    ON d.minute = p.start
  WHERE p.version <= d.version`;

/** Process id of the engine, as the engine itself noted it. */
export async function enginePid(directory: string): Promise<number> {
  const status = await readFile(join(directory, 'clickhouse', 'data', 'status'), 'utf8');
  return Number(/PID: (\d+)/.exec(status)?.[1]);
}

const spansPerWrite = 8;

/** The same writes for the same seed: traces of the last hours, each in several writes. */
export async function writesOf(seed: number): Promise<readonly SpanWrite[]> {
  const hourNs = 3_600_000_000_000n;
  const todayNs = (BigInt(Date.now()) * 1_000_000n) / (24n * hourNs);
  const nowNs = todayNs * 24n * hourNs;
  const spans: readonly Span[] = fc.sample(arbitraryTraces({ nowNs }), { numRuns: 60, seed }).flat();
  const count = Math.ceil(spans.length / spansPerWrite);
  return Array.from({ length: count }, (_, number) => ({
    // Every so many: the spans of a trace, which stand together, come far apart.
    spans: spans.filter((_, at) => at % count === number),
    version: BigInt(number + 1),
    receivedAtNs: nowNs + BigInt(number) * 1000n,
    token: `write ${number}`,
  }));
}
