import type { ServiceGraph, Trace } from '../model/index.ts';
import type {
  GraphQuery,
  ResponseTimeCell,
  ResponseTimesQuery,
  SeriesPeriod,
  SeriesQuery,
  SpanLink,
  Store,
  TracePage,
  TraceQuery,
} from '../pipeline/store.ts';
import { createGraphBuilder, linkConsumers, mayBeReceived } from '../query/index.ts';
import { assembleSpans, digestSpans } from './assemble.ts';

/**
 * Reads traces out of a store and derives what the X-Ray API, the console and the command line
 * show, so that all of them give the same answers.
 */
export interface TraceReader {
  /** One page of summaries, newest first. */
  summaries(query: TraceQuery): Promise<TracePage>;
  /** Assembled traces by trace id (32 hex digits), linked to those who received from them; unknown ids have no entry. */
  traces(traceIds: readonly string[]): Promise<ReadonlyMap<string, Trace>>;
  /** Over these traces only; unknown ids add nothing. */
  traceGraph(traceIds: readonly string[]): Promise<ServiceGraph>;
  serviceGraph(query: Omit<GraphQuery, 'periodNs'>): Promise<ServiceGraph>;
  /** What the selected nodes or calls saw in each period, oldest first. */
  series(query: SeriesQuery): Promise<readonly SeriesPeriod[]>;
  /** How many traces took how long, by when they started. */
  responseTimes(query: ResponseTimesQuery): Promise<readonly ResponseTimeCell[]>;
  /** Links of spans of other traces that lead to this one. */
  linksTo(traceId: string, limit: number): Promise<readonly SpanLink[]>;
}

/** In memory, of those that are only counted. */
const tracesAtOnce = 10;
const emptyGraph: ServiceGraph = { nodes: [] };

export function createTraceReader(store: Store): TraceReader {
  return {
    summaries: (query) => store.findTraces(query),

    async traces(traceIds) {
      const spans = await store.traces(traceIds);
      const traces = [...spans].map(([traceId, all]) => assembleSpans(traceId, all));
      const senders = traces.filter(mayBeReceived).map(({ traceId }) => traceId);
      const receives = senders.length === 0 ? [] : await store.receives(senders);
      return new Map(traces.map((trace) => [trace.traceId, linkConsumers(trace, receives)]));
    },

    async traceGraph(traceIds) {
      const graph = createGraphBuilder();
      const ids = [...new Set(traceIds)];
      for (let start = 0; start < ids.length; start += tracesAtOnce)
        for (const [traceId, spans] of await store.traces(ids.slice(start, start + tracesAtOnce)))
          graph.add(digestSpans(traceId, spans));
      return graph.build();
    },

    async serviceGraph(query) {
      const [whole] = await store.graphs({ ...query, periodNs: undefined });
      return whole?.graph ?? emptyGraph;
    },

    series: (query) => store.series(query),
    responseTimes: (query) => store.responseTimes(query),
    linksTo: (traceId, limit) => store.linksTo(traceId, limit),
  };
}
