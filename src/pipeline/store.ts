import type { Span } from '../model/index.ts';

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

  /** Traces of a time range, newest first. */
  findTraces(query: TraceQuery): Promise<TracePage>;

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

export interface TraceQuery {
  /** Half open: from <= time < to. Nanoseconds since 1970. */
  readonly fromNs: bigint;
  readonly toNs: bigint;
  /**
   * Which time of a trace must lie in the range: `start` its earliest span, `end` its latest end,
   * `update` when its latest span was received.
   */
  readonly by: 'start' | 'end' | 'update';
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
  /** Newest first; ties by trace id, descending. */
  readonly traces: readonly TraceFound[];
  /** True when the range holds more. */
  readonly more: boolean;
}

export interface TraceFound extends TraceReference {
  /** Grows with every write that touched the trace; starts at 1. */
  readonly revision: number;
  /** When its latest span was received. */
  readonly updatedAtNs: bigint;
}

export interface StoreStatistics {
  readonly spans: number;
  readonly traces: number;
  readonly bytesOnDisk: number;
}
