import type { SegmentDocument } from './segment.ts';

/**
 * A trace as X-Ray compiles it from its documents: segments with their subsegments in place, with
 * inferred segments for the callees that never reported. Times are nanoseconds since 1970.
 */
export interface Trace {
  /** 32 hex digits. */
  readonly traceId: string;
  /** Real and inferred segments, by start time; a subsegment whose parent never came stands here too. */
  readonly segments: readonly SegmentNode[];
  /** Where the request entered: earliest segment without a known parent, real before inferred. Undefined only when nothing but orphaned subsegments is known. */
  readonly root: SegmentNode | undefined;
  readonly startTimeNs: bigint;
  /** Latest end of any document that has ended; equal to the start when none has. */
  readonly endTimeNs: bigint;
  /** Some document is in progress, or a traced call has no callee. */
  readonly partial: boolean;
}

/** One segment or subsegment with what the derivations ask of it, read once from its document. */
export interface SegmentNode {
  readonly id: string;
  readonly parentId: string | undefined;
  readonly name: string;
  /** X-Ray's origin, such as `AWS::ECS::Container`; of segments only. */
  readonly origin: string | undefined;
  /** `aws` or `remote` on subsegments that call something. */
  readonly namespace: string | undefined;
  readonly accountId: string | undefined;
  readonly startTimeNs: bigint;
  /** Undefined while in progress. */
  readonly endTimeNs: bigint | undefined;
  readonly fault: boolean;
  readonly error: boolean;
  readonly throttle: boolean;
  readonly inferred: boolean;
  /** True for a document of type subsegment, embedded or not. */
  readonly subsegment: boolean;
  /** Name and type this segment has as a node of the service graph. Undefined on subsegments. */
  readonly service: ServiceName | undefined;
  /** The segment document as compiled, without its subsegments. */
  readonly document: SegmentDocument;
  readonly subsegments: readonly SegmentNode[];
}

/** Identity of a node in the service graph. */
export interface ServiceName {
  readonly name: string;
  /** Origin, `client`, `remote`, or undefined when the segments have no origin. */
  readonly type: string | undefined;
  readonly accountId: string | undefined;
}

/** GetTraceSummaries' TraceSummary, in the model's words. Durations are seconds, rounded to 3 decimals. */
export interface TraceSummary {
  readonly traceId: string;
  readonly startTimeNs: bigint;
  readonly duration: number;
  /** Undefined while the root is in progress. */
  readonly responseTime: number | undefined;
  readonly fault: boolean;
  readonly error: boolean;
  readonly throttle: boolean;
  readonly partial: boolean;
  readonly http: TraceHttp;
  /** At most 50 keys a trace. */
  readonly annotations: ReadonlyMap<string, readonly AnnotationSummary[]>;
  readonly users: readonly UserSummary[];
  readonly services: readonly ServiceName[];
  readonly entryPoint: ServiceName | undefined;
  readonly resourceArns: readonly string[];
  readonly instanceIds: readonly string[];
  readonly availabilityZones: readonly string[];
  readonly faultRootCauses: readonly RootCause[];
  readonly errorRootCauses: readonly RootCause[];
  readonly responseTimeRootCauses: readonly RootCause[];
}

export interface TraceHttp {
  readonly url: string | undefined;
  readonly status: number | undefined;
  readonly method: string | undefined;
  readonly userAgent: string | undefined;
  readonly clientIp: string | undefined;
}

export interface AnnotationSummary {
  readonly value: string | number | boolean;
  readonly services: readonly ServiceName[];
}

export interface UserSummary {
  readonly user: string;
  readonly services: readonly ServiceName[];
}

/** A path from the entry service to the one that caused the trouble. */
export interface RootCause {
  readonly services: readonly RootCauseService[];
  readonly clientImpacting: boolean;
}

export interface RootCauseService {
  readonly service: ServiceName;
  readonly inferred: boolean;
  readonly entities: readonly RootCauseEntity[];
}

export interface RootCauseEntity {
  readonly name: string;
  readonly remote: boolean;
  /** Exceptions of fault and error causes; empty for response time. */
  readonly exceptions: readonly { readonly name: string; readonly message: string }[];
  /** Share of the root's response time, 0 to 1; undefined for fault and error causes. */
  readonly coverage: number | undefined;
}
