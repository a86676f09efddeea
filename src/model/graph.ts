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

/** What was counted for one node, or for one edge: the summands of a service graph. */
export interface GraphTally {
  /** `call` and `link` are edges, from `service` to `destination`. */
  readonly kind: 'node' | 'call' | 'link';
  readonly service: ServiceName;
  /** Of edges. */
  readonly destination: ServiceName | undefined;
  /** Of nodes: it stands for segments, reported or inferred. False for a client. */
  readonly requested: boolean;
  /** Of nodes: some segment of it was reported and not inferred. */
  readonly reporting: boolean;
  /** Of nodes: a client called it. */
  readonly root: boolean;
  readonly startTimeNs: bigint;
  readonly endTimeNs: bigint;
  readonly okCount: number;
  readonly faultCount: number;
  readonly throttleCount: number;
  readonly errorCount: number;
  readonly totalResponseTimeNs: bigint;
  /** Number of requests by milliseconds, see `histogramMilliseconds`. */
  readonly responseTimes: ReadonlyMap<number, number>;
  /** Of nodes. */
  readonly durations: ReadonlyMap<number, number>;
  /** Of links. */
  readonly eventAges: ReadonlyMap<number, number>;
}
