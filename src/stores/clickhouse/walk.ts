import { setImmediate } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import type { Span, TraceDigest } from '../../model/index.ts';
import type {
  GraphQuery,
  PeriodGraph,
  TraceFound,
  TracePage,
  TraceQuery,
  TraceReference,
} from '../../pipeline/store.ts';
import { createGraphBuilder, matches, toTraceSummaryAnswer } from '../../query/index.ts';
import { digestSpans } from '../../reader/index.ts';
import { type ListedTrace, listTraces } from './find-traces.ts';

type ReadTraces = (
  client: ClickHouseClient,
  traceIds: readonly string[],
) => Promise<ReadonlyMap<string, readonly Span[]>>;

const tracesPerStep = 200;
const scanMax = 2000;

/** Traces found by looking at each of a range. */
export async function walkTraces(
  client: ClickHouseClient,
  readTraces: ReadTraces,
  query: TraceQuery,
): Promise<TracePage> {
  const found: TraceFound[] = [];
  let scanned = 0;
  for await (const step of steps(client, readTraces, query)) {
    for (const { listed, digest } of step.entries) {
      scanned += 1;
      const taken =
        shareOf(listed.traceId) < query.share && (!query.filter || matches(query.filter, digest, query.groups));
      if (taken) found.push({ ...listed, summary: toTraceSummaryAnswer(digest.summary) });
      const last = step.entries.at(-1)?.listed;
      if (found.length === query.limit) return { traces: found, scanned, next: listed === last ? step.next : listed };
    }
    if (scanned >= scanMax) return { traces: found, scanned, next: step.next };
  }
  return { traces: found, scanned, next: undefined };
}

export async function walkGraphs(
  client: ClickHouseClient,
  readTraces: ReadTraces,
  query: GraphQuery,
): Promise<readonly PeriodGraph[]> {
  const builders = new Map<bigint, ReturnType<typeof createGraphBuilder>>();
  for await (const step of steps(client, readTraces, { ...query, by: 'start', after: undefined })) {
    for (const { listed, digest } of step.entries) {
      if (query.filter && !matches(query.filter, digest, query.groups)) continue;
      const { periodNs } = query;
      const fromNs = periodNs === undefined ? query.fromNs : listed.timeNs - (listed.timeNs % periodNs);
      const builder = builders.get(fromNs) ?? createGraphBuilder();
      builders.set(fromNs, builder);
      builder.add(digest);
    }
  }
  return [...builders]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([fromNs, builder]) => ({ fromNs, graph: builder.build() }));
}

interface Step {
  readonly entries: readonly { readonly listed: ListedTrace; readonly digest: TraceDigest }[];
  readonly next: TraceReference | undefined;
}

async function* steps(
  client: ClickHouseClient,
  readTraces: ReadTraces,
  query: Pick<TraceQuery, 'fromNs' | 'toNs' | 'by' | 'after' | 'signal'>,
): AsyncGenerator<Step> {
  let { after } = query;
  for (;;) {
    const page = await listTraces(client, { ...query, after, limit: tracesPerStep });
    const spans = await readTraces(
      client,
      page.traces.map(({ traceId }) => traceId),
    );
    const entries: Step['entries'][number][] = [];
    for (const listed of page.traces) {
      const all = spans.get(listed.traceId);
      if (all) entries.push({ listed, digest: digestSpans(listed.traceId, all) });
      await setImmediate();
      query.signal.throwIfAborted();
    }
    after = page.more ? page.traces.at(-1) : undefined;
    yield { entries, next: after };
    if (!after) return;
  }
}

/** A number from 0 to 1 that a trace id always maps to; its last 32 bits are random in both id forms. */
function shareOf(traceId: string): number {
  return Number.parseInt(traceId.slice(-8), 16) / 2 ** 32;
}
