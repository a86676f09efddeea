import type { ServiceName, TraceSummary } from './trace.ts';

/**
 * What of a trace is searched and counted, derived once whenever the trace has changed: filter
 * expressions are asked of it, the service graph is summed up from it, and a store keeps it beside
 * the spans. Times are nanoseconds since 1970. A service that a segment or a call names is one of
 * the summary's. Texts are whole Unicode: half of a surrogate pair, which UTF-8 cannot hold, may be
 * lost wherever a digest is kept.
 */
export interface TraceDigest {
  readonly traceId: string;
  readonly summary: TraceSummary;
  /** Some segment was inferred from a call. */
  readonly inferred: boolean;
  readonly accountIds: readonly string[];
  /** Real and inferred, in the order of the trace. */
  readonly segments: readonly SegmentDigest[];
  /** Requests from one service to another, that of the client to the root first. */
  readonly calls: readonly CallDigest[];
  /** Calls that no service of this trace answered: a consumer in another trace may name one. */
  readonly sends: readonly SendDigest[];
  /** What consumers in this trace say they received from another. */
  readonly receives: readonly ReceiveDigest[];
  /**
   * Every attribute of a span, its resource and its document's annotations, each value once a
   * segment. At most `attributesMax`.
   */
  readonly attributes: readonly AttributeDigest[];
}

/** One request as somebody measured it. */
export interface RequestDigest {
  readonly fault: boolean;
  readonly error: boolean;
  readonly throttle: boolean;
  readonly startTimeNs: bigint;
  /** Undefined while in progress. */
  readonly endTimeNs: bigint | undefined;
}

export interface SegmentDigest extends RequestDigest {
  readonly service: ServiceName;
  readonly partial: boolean;
  readonly inferred: boolean;
  readonly root: boolean;
  /** From the first start to the last end of the segment with its subsegments. */
  readonly durationMs: number;
}

export interface CallDigest extends RequestDigest {
  readonly from: ServiceName;
  readonly to: ServiceName;
  /** From whoever called the root; measured by the root itself. */
  readonly client: boolean;
  /** Annotations of what the caller measured. */
  readonly annotations: readonly AttributeValueDigest[];
}

export interface SendDigest {
  /** Id of the call's subsegment. */
  readonly callId: string;
  readonly service: ServiceName;
  readonly sentAtNs: bigint;
}

export interface ReceiveDigest {
  /** Of the producer's call. */
  readonly traceId: string;
  readonly callId: string;
  /** Of the consumer that received. */
  readonly segmentId: string;
  readonly service: ServiceName;
  readonly receivedAtNs: bigint;
}

export interface AttributeValueDigest {
  /** OpenTelemetry's key, or the annotation's. */
  readonly key: string;
  readonly value: SearchedValue;
}

export interface AttributeDigest extends AttributeValueDigest {
  /** Index into `segments`; undefined when it belongs to none of them. */
  readonly segment: number | undefined;
}

/** Text is cut after `searchedTextMax` characters. */
export type SearchedValue = string | number | boolean;

/** A bound on the digest, not on the trace: what exceeds it is shown but not searched. */
export const attributesMax = 4000;
export const searchedTextMax = 1024;

/**
 * The key as X-Ray's keywords can spell it: `user.id` is also found as `annotation.user_id`.
 */
export function keywordKey(key: string): string {
  return key.replaceAll(/[^A-Za-z0-9_]/g, '_');
}
