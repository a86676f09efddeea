import type {
  Finding,
  ImpactServiceAnswer,
  InsightAnswer as XrayInsight,
  InsightEventAnswer,
  InsightSummaryAnswer,
  GivenTargetAnswer,
  SamplingRuleRecordAnswer,
  SamplingStatisticsAnswer,
  ServiceAnswer,
  StatisticsAnswer,
  TraceSummaryAnswer,
} from '../../../src/query/index.ts';

/**
 * What the server answers to the console: the X-Ray API's own shapes (GetTraceSummaries,
 * BatchGetTraces, GetTraceGraph, GetServiceGraph; see the query types) and the process status.
 * Times are epoch seconds, durations seconds.
 */
export type {
  EdgeAnswer,
  HistogramAnswer,
  ServiceAnswer,
  ServiceIdAnswer,
  StatisticsAnswer,
  TraceSummaryAnswer,
} from '../../../src/query/index.ts';

export interface TraceSummariesAnswer {
  readonly TraceSummaries: readonly TraceSummaryAnswer[];
  readonly ApproximateTime?: number;
  /** Traces that were read, matching or not. */
  readonly TracesProcessedCount: number;
  readonly NextToken?: string;
}

export interface TraceSegment {
  readonly Id: string;
  /** The compiled segment document, as JSON text. */
  readonly Document: string;
}

export interface Trace {
  readonly Id: string;
  readonly Duration: number;
  readonly LimitExceeded?: boolean;
  readonly Segments: readonly TraceSegment[];
}

export interface TraceAnswer {
  readonly Trace: Trace;
  readonly Summary: TraceSummaryAnswer;
  readonly Services: readonly ServiceAnswer[];
  readonly Findings: readonly TraceFinding[];
}

/** What is wrong with the trace, worst first. */
export type TraceFinding = Omit<Finding, 'code'> & { readonly code: string };

export interface MapAnswer {
  readonly StartTime: number;
  readonly EndTime: number;
  readonly Services: readonly ServiceAnswer[];
}

export interface Listener {
  readonly component: string;
  readonly protocol: string;
  readonly transport: 'udp' | 'tcp';
  readonly address: string;
}

export interface Rejection {
  readonly component: string;
  readonly atSeconds: number;
  readonly reason: string;
  readonly sample: string;
}

export interface StatusAnswer {
  readonly version: string;
  readonly nowSeconds: number;
  readonly listeners: readonly Listener[];
  /** Each absent when no listener answers it. */
  readonly environment: {
    readonly AWS_XRAY_DAEMON_ADDRESS?: string;
    readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string;
    readonly AWS_ENDPOINT_URL_XRAY?: string;
  };
  readonly ready: boolean;
  readonly faults: readonly { readonly component: string; readonly reason: string }[];
  readonly received: readonly { readonly component: string; readonly spans: number }[];
  readonly rejections: readonly Rejection[];
  readonly store: { readonly spans: number; readonly traces: number; readonly bytesOnDisk: number };
  readonly queue: {
    readonly bytes: number;
    readonly bytesMax: number;
    readonly deadLetters: number;
    readonly durable: boolean;
  };
}

/** What charts, groups and comparisons of many traces ask of each. */
export interface TracePoint {
  readonly Id: string;
  readonly StartTime: number;
  readonly ResponseTime: number;
  readonly HasFault: boolean;
  readonly HasError: boolean;
  readonly HasThrottle: boolean;
  readonly Service?: string;
  readonly ServiceType?: string;
  readonly Method?: string;
  readonly Url?: string;
  readonly Status?: number;
  readonly Users: readonly string[];
  readonly Annotations: Readonly<Record<string, readonly string[]>>;
}

export interface TracePointsAnswer {
  /** Newest first. */
  readonly Points: readonly TracePoint[];
  /** Whether these are all that match. */
  readonly IsWhole: boolean;
}

/** How long all traces took that match. */
export interface ResponseTimesAnswer {
  /** Epoch seconds. */
  readonly StartTime: number;
  readonly EndTime: number;
  /** Of equal width, from StartTime to EndTime. */
  readonly ColumnCount: number;
  readonly Cells: readonly ResponseTimeCell[];
}

/** Traces that started in the same column, took about as long, and ended alike. */
export interface ResponseTimeCell {
  readonly Column: number;
  /** As `responseTimeBucket` has it. */
  readonly Bucket: number;
  readonly HasFault: boolean;
  readonly HasError: boolean;
  readonly HasThrottle: boolean;
  readonly Count: number;
}

/** Traces that a trace is linked with. */
export interface LinkedAnswer {
  /** Those that it says it comes from. */
  readonly From: readonly LinkAnswer[];
  /** Those that say they come from it, and those that it says it leads to. */
  readonly To: readonly LinkAnswer[];
  /** Of those that are kept here, by start. */
  readonly TraceSummaries: readonly TraceSummaryAnswer[];
}

export interface LinkAnswer {
  /** The segment or subsegment of the trace that was asked about. */
  readonly Id?: string;
  readonly LinkedTraceId: string;
  /** The segment or subsegment there. */
  readonly LinkedId?: string;
}

/** What traces of one entry point usually do. */
export interface NormalAnswer {
  readonly TraceCount: number;
  readonly Places: readonly NormalPlaceAnswer[];
}

/** Medians over the traces that have the place. */
export interface NormalPlaceAnswer {
  readonly Kind: string;
  readonly Name: string;
  readonly Detail: string;
  readonly TraceCount: number;
  readonly FailedCount: number;
  readonly Duration?: number;
  readonly SelfTime: number;
  readonly Places: readonly NormalPlaceAnswer[];
}

export interface ExceptionGroup {
  readonly Name: string;
  readonly Message: string;
  readonly Services: readonly string[];
  readonly Count: number;
  readonly FirstSeen: number;
  readonly LastSeen: number;
  readonly TraceIds: readonly string[];
}

export interface ExceptionsAnswer {
  readonly Exceptions: readonly ExceptionGroup[];
  readonly TraceCount: number;
  readonly IsWhole: boolean;
}

export interface SamplingAnswer {
  /** By priority, the default rule last. */
  readonly SamplingRuleRecords: readonly SamplingRuleRecordAnswer[];
  readonly SamplingStatisticSummaries: readonly SamplingStatisticsAnswer[];
  readonly LastTargets: readonly GivenTargetAnswer[];
}

/** What the rules keep of the traces of a range, as they are and with a draft among them; expected values. */
export interface SamplingPreviewAnswer {
  readonly TraceCount: number;
  /** Whether these are all of the range. */
  readonly IsWhole: boolean;
  /** That they stand for. */
  readonly Seconds: number;
  /** Busiest first. */
  readonly Services: readonly ServicePreviewAnswer[];
  /** In the order in which they are tried. */
  readonly Rules: readonly RulePreviewAnswer[];
}

export interface ServicePreviewAnswer {
  readonly Name: string;
  readonly SeenCount: number;
  readonly ErrorCount: number;
  readonly FaultCount: number;
  readonly Before: KeptAnswer;
  readonly After: KeptAnswer;
}

export interface KeptAnswer {
  readonly KeptCount: number;
  readonly ErrorsLostCount: number;
  readonly FaultsLostCount: number;
}

/** `Before` is absent of a new rule. */
export interface RulePreviewAnswer {
  readonly RuleName: string;
  readonly Before?: RuleUseAnswer;
  readonly After?: RuleUseAnswer;
}

export interface RuleUseAnswer {
  readonly MatchedCount: number;
  readonly KeptCount: number;
  readonly ReservoirCount: number;
}

export interface GroupAnswer {
  readonly GroupName: string;
  readonly GroupARN: string;
  readonly FilterExpression?: string;
  readonly InsightsConfiguration: { readonly InsightsEnabled: boolean; readonly NotificationsEnabled: boolean };
}

export interface GroupsAnswer {
  readonly Groups: readonly GroupAnswer[];
}

export interface InsightsAnswer {
  readonly InsightSummaries: readonly InsightSummaryAnswer[];
}

export interface InsightAnswer {
  readonly Insight: XrayInsight;
  readonly InsightEvents: readonly InsightEventAnswer[];
  /** The share of faults, 0 to 1, that was usual of the root cause. */
  readonly ExpectedFaultRate: number;
  /** Its services and all from which calls lead to them. */
  readonly ImpactServices: readonly ImpactServiceAnswer[];
  /** The root cause, from a while before; a minute without a request is absent. */
  readonly Minutes: readonly PeriodAnswer[];
}

/** What a service saw in a part of the time. */
export interface PeriodAnswer {
  /** Epoch seconds: its start. */
  readonly Timestamp: number;
  readonly ServiceSummaryStatistics: StatisticsAnswer;
}

export interface ServiceSeriesAnswer {
  readonly PeriodSeconds: number;
  /** Oldest first; one without a request is absent. */
  readonly Periods: readonly PeriodAnswer[];
}

export interface PipelinesAnswer {
  readonly Series: readonly {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
}

export interface CompletionsAnswer {
  /** Those in most traces first. */
  readonly Completions: readonly { readonly text: string; readonly traces: number }[];
}
