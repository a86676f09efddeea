import type { ServiceName } from './trace.ts';

/** The service graph of GetServiceGraph and GetTraceGraph. Times are nanoseconds since 1970. */
export interface ServiceGraph {
  readonly nodes: readonly ServiceNode[];
}

export interface ServiceNode {
  /** Dense, from 0; edges name their destination by it. */
  readonly referenceId: number;
  readonly service: ServiceName;
  /** The first service that handled a request. */
  readonly root: boolean;
  /** `active` sends segments itself; `unknown` is inferred or a client. */
  readonly state: 'active' | 'unknown';
  readonly startTimeNs: bigint;
  readonly endTimeNs: bigint;
  readonly edges: readonly ServiceEdge[];
  /** Undefined on client nodes. */
  readonly statistics: ServiceStatistics | undefined;
  readonly durationHistogram: readonly HistogramEntry[];
  readonly responseTimeHistogram: readonly HistogramEntry[];
}

export interface ServiceEdge {
  /** The destination's referenceId. */
  readonly referenceId: number;
  /** `link` joins two traces through a queue; its statistics are empty. */
  readonly type: 'call' | 'link';
  readonly startTimeNs: bigint;
  readonly endTimeNs: bigint;
  readonly statistics: ServiceStatistics;
  readonly responseTimeHistogram: readonly HistogramEntry[];
  /** Seconds between send and receive; of links only. */
  readonly receivedEventAgeHistogram: readonly HistogramEntry[];
}

/** Each request counts once: fault before throttle before error before ok. */
export interface ServiceStatistics {
  readonly okCount: number;
  readonly faultCount: number;
  readonly throttleCount: number;
  /** Errors that are not throttles. */
  readonly errorCount: number;
  /** Seconds. */
  readonly totalResponseTime: number;
}

/** A number of requests that took `value` seconds, rounded to milliseconds. */
export interface HistogramEntry {
  readonly value: number;
  readonly count: number;
}
