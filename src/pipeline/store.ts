import type { ServiceGraph, Span } from '../model/index.ts';
import type { EntitySelector, Filter, Groups, KeptSummary, PeriodStatistics, Receive } from '../query/index.ts';

/** A store keeps spans, gives each back exactly once, and keeps small documents of state beside them. */
export interface Store {
  /** False while the engine is starting or restarting; reads and writes then fail with STORE_UNAVAILABLE. */
  readonly ready: boolean;

  /**
   * Writes spans durably: when it resolves they survive a power cut. A span whose (trace id, span
   * id) is known replaces it, unless the known one has ended and the new one has not.
   * Writing the same token again has no effect beyond the first write.
   * @throws RaybridgeError STORE_UNAVAILABLE, STORE_FAILED (both retryable).
   */
  write(write: SpanWrite): Promise<void>;

  /** All spans of these traces (32 hex digits each), in no order; unknown ids have no entry. */
  traces(traceIds: readonly string[]): Promise<ReadonlyMap<string, readonly Span[]>>;

  /**
   * Traces of a time range that satisfy a filter, newest first. A trace shows a few seconds after it
   * was written at the latest, one of many thousand spans after a minute.
   */
  findTraces(query: TraceQuery): Promise<TracePage>;

  /** The service graph over the traces that started in a range, whole or for each period of it. */
  graphs(query: GraphQuery): Promise<readonly PeriodGraph[]>;

  /** What the nodes or calls that a selector means saw in each period of a range, oldest first; none of a period without any. */
  series(query: SeriesQuery): Promise<readonly SeriesPeriod[]>;

  /** How many traces of a range took how long, by when they started and how they ended; in no order. */
  responseTimes(query: ResponseTimesQuery): Promise<readonly ResponseTimeCell[]>;

  /** What consumers say they received from calls of these traces; the first `linksPerTraceMax` of each. */
  receives(traceIds: readonly string[]): Promise<readonly Receive[]>;

  /** Links of spans of other traces that lead to a trace, oldest span first. */
  linksTo(traceId: string, limit: number): Promise<readonly SpanLink[]>;

  /** Attributes to complete a text with, those in most traces first. */
  completions(query: CompletionQuery): Promise<readonly Completion[]>;

  /** State documents, such as sampling rules and groups, by key. Last write wins. */
  readState(kind: string): Promise<ReadonlyMap<string, string>>;
  /** An undefined `value` removes the document. */
  writeState(entry: StateWrite): Promise<void>;

  /** Counts for the health page. */
  statistics(): Promise<StoreStatistics>;
}

export interface StateWrite {
  readonly kind: string;
  readonly key: string;
  /** Not empty. */
  readonly value: string | undefined;
}

export interface SpanWrite {
  readonly spans: readonly Span[];
  readonly receivedAtNs: bigint;
  /** Rises with every write of this process and over restarts; decides between two copies of a span. */
  readonly version: bigint;
  /** Identifies the content for deduplication of a repeated write. */
  readonly token: string;
}

/** Which traces: all of them when there is no filter. */
export interface TraceSelection {
  /** Half open: from <= time < to. Nanoseconds since 1970. */
  readonly fromNs: bigint;
  readonly toNs: bigint;
  readonly filter: Filter | undefined;
  /** What `group.name` and `group.arn` in the filter speak of. */
  readonly groups: Groups;
  /** Stops the work; the promise then rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

export interface TraceQuery extends TraceSelection {
  /**
   * Which time of a trace must lie in the range: `start` its earliest span, `end` its latest end,
   * `update` when its latest span was received.
   */
  readonly by: 'start' | 'end' | 'update';
  /** The share of traces to return, 0 to 1, chosen by trace id: a larger share holds the smaller one. */
  readonly share: number;
  /** Continue after this trace; from the page before. */
  readonly after: TraceReference | undefined;
  readonly limit: number;
}

/** A trace and the time by which it was found. */
export interface TraceReference {
  readonly traceId: string;
  readonly timeNs: bigint;
}

export interface TracePage {
  /** Newest first; ties by trace id, descending. May be empty although more follow. */
  readonly traces: readonly TraceFound[];
  /** Traces of the range and the share looked at for this page, matching or not: those down to its last one. */
  readonly scanned: number;
  /** Continue here; undefined at the end of the range. */
  readonly next: TraceReference | undefined;
}

export interface TraceFound extends TraceReference {
  /** Grows with every write that touched the trace; starts at 1. */
  readonly revision: number;
  /** When its latest span was received. */
  readonly updatedAtNs: bigint;
  readonly summary: KeptSummary;
}

export interface GraphQuery extends TraceSelection {
  /** Length of the periods, which begin at its multiples; at least a minute. Undefined for one graph over all. */
  readonly periodNs: bigint | undefined;
}

/** Traces count by the time they started. */
export interface PeriodGraph {
  /** Start of the period; of the range when there is one graph over all. */
  readonly fromNs: bigint;
  readonly graph: ServiceGraph;
}

export interface SeriesQuery extends TraceSelection {
  /** As of a GraphQuery. */
  readonly periodNs: bigint;
  /** All calls when undefined. */
  readonly selector: EntitySelector | undefined;
}

export interface SeriesPeriod extends PeriodStatistics {
  /** Start of the period. */
  readonly fromNs: bigint;
}

export interface ResponseTimesQuery extends TraceSelection {
  /** Width of the columns, of which the first begins at `fromNs`; above 0. */
  readonly columnNs: bigint;
}

/** Traces that started in the same column of time, took about as long, and ended alike. */
export interface ResponseTimeCell {
  /** Start of the column. */
  readonly fromNs: bigint;
  /** `responseTimeBucket` of the response time, of the duration where a trace has none. */
  readonly bucket: number;
  readonly fault: boolean;
  readonly error: boolean;
  readonly throttle: boolean;
  readonly traces: number;
}

/** A link by its two ends: ids of the span that has it, and the span id that it names. */
export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly toSpanId: string;
}

export interface CompletionQuery {
  readonly fromNs: bigint;
  readonly toNs: bigint;
  /** Values of this attribute, by its own key or the one that a keyword can spell; keys when undefined. */
  readonly key: string | undefined;
  /** What is typed already; case counts. */
  readonly prefix: string;
  readonly limit: number;
  /** Stops the work; the promise then rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

export interface Completion {
  readonly text: string;
  /** Traces that hold it, of the newest 5,000 of the range. */
  readonly traces: number;
}

/** Traces that a completion looks at: the newest of the range. */
export const completionTracesMax = 5000;

export interface StoreStatistics {
  readonly spans: number;
  readonly traces: number;
  readonly bytesOnDisk: number;
}
