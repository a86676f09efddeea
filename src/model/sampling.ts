/** Sampling as the X-Ray API words it (API reference: SamplingRule, GetSamplingTargets). */

export interface SamplingRule {
  readonly ruleName: string;
  readonly ruleArn: string;
  readonly resourceArn: string;
  /** 1 to 9999, lower first; the default rule has 10000. */
  readonly priority: number;
  /** 0 to 1: the share sampled after the reservoir is used up. */
  readonly fixedRate: number;
  /** Requests a second that are sampled before the fixed rate applies, over all clients. */
  readonly reservoirSize: number;
  readonly serviceName: string;
  readonly serviceType: string;
  readonly host: string;
  readonly httpMethod: string;
  readonly urlPath: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** Undefined: the rate is never boosted. */
  readonly rateBoost: SamplingRateBoost | undefined;
}

/** Adaptive sampling: while a service has anomalies, its rate rises for a minute. */
export interface SamplingRateBoost {
  /** 0 to 1: no boost goes above it. */
  readonly maxRate: number;
  /** A service gets at most one boost in this time. */
  readonly cooldownWindowMinutes: number;
}

export interface SamplingRuleRecord {
  readonly rule: SamplingRule;
  readonly createdAtNs: bigint;
  readonly modifiedAtNs: bigint;
}

/** What a client says it did under one rule since its last report. */
export interface SamplingReport {
  readonly ruleName: string;
  /** 24 hex digits that the client drew at start. */
  readonly clientId: string;
  readonly timeNs: bigint;
  readonly requestCount: number;
  readonly sampledCount: number;
  readonly borrowCount: number;
}

/** What one instance of a service saw of anomalies under one rule since its last report. */
export interface SamplingBoostReport {
  readonly ruleName: string;
  readonly serviceName: string;
  readonly timeNs: bigint;
  readonly anomalyCount: number;
  readonly totalCount: number;
  /** Anomalies of requests that were sampled. */
  readonly sampledAnomalyCount: number;
}

/** A rate that stands in for the fixed rate for a while. */
export interface SamplingBoost {
  readonly rate: number;
  readonly expiresAtNs: bigint;
}

/** What a client may do under one rule from now on. */
export interface SamplingTarget {
  readonly ruleName: string;
  readonly fixedRate: number;
  readonly reservoirQuota: number;
  readonly reservoirQuotaExpiresAtNs: bigint;
  readonly intervalSeconds: number;
  readonly boost: SamplingBoost | undefined;
}

/** The last target that was given under a rule. */
export interface GivenSamplingTarget {
  readonly target: SamplingTarget;
  readonly givenAtNs: bigint;
  /** Clients that report under the rule, among which its reservoir is shared out. */
  readonly clientCount: number;
}

/** A report that was not used, and why. */
export interface UnprocessedReport {
  readonly ruleName: string;
  readonly errorCode: string;
  readonly message: string;
}

/** Counts of one rule over all clients in one window of ten seconds. */
export interface SamplingStatistics {
  readonly ruleName: string;
  readonly windowStartNs: bigint;
  readonly requestCount: number;
  readonly sampledCount: number;
  readonly borrowCount: number;
}
