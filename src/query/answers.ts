/**
 * Members of X-Ray API answers (AWS X-Ray API reference 2016-04-12) as plain JSON, with the exact
 * names of the wire. Times and durations are numbers of seconds, because SDKs throw on anything
 * else. Members that are unknown are absent, lists are never absent.
 */
import type {
  AnnotationSummary,
  GivenSamplingTarget,
  HistogramEntry,
  RootCause,
  RootCauseEntity,
  SamplingRule,
  SamplingRuleRecord,
  SamplingStatistics,
  SamplingTarget,
  ServiceEdge,
  ServiceGraph,
  ServiceName,
  ServiceNode,
  ServiceStatistics,
  TraceSummary,
  UnprocessedReport,
} from '../model/index.ts';
import { toSeconds, toXrayTraceId } from '../model/index.ts';

export interface ServiceIdAnswer {
  readonly Name: string;
  readonly Names: readonly string[];
  readonly AccountId?: string;
  readonly Type?: string;
}

export interface TraceSummaryAnswer {
  readonly Id: string;
  readonly StartTime: number;
  readonly Duration: number;
  readonly ResponseTime?: number;
  readonly HasFault: boolean;
  readonly HasError: boolean;
  readonly HasThrottle: boolean;
  readonly IsPartial: boolean;
  /** Always there, if only as `{}`: clients read its members without asking. */
  readonly Http: HttpAnswer;
  readonly Annotations: Readonly<Record<string, readonly AnnotationAnswer[]>>;
  readonly Users: readonly { readonly UserName: string; readonly ServiceIds: readonly ServiceIdAnswer[] }[];
  readonly ServiceIds: readonly ServiceIdAnswer[];
  readonly EntryPoint?: ServiceIdAnswer;
  readonly ResourceARNs: readonly { readonly ARN: string }[];
  readonly InstanceIds: readonly { readonly Id: string }[];
  readonly AvailabilityZones: readonly { readonly Name: string }[];
  readonly FaultRootCauses: readonly RootCauseAnswer[];
  readonly ErrorRootCauses: readonly RootCauseAnswer[];
  readonly ResponseTimeRootCauses: readonly RootCauseAnswer[];
  readonly Revision: number;
  readonly MatchedEventTime?: number;
}

/** What a store keeps of a trace for the search list: all but what depends on the question. */
export type KeptSummary = Omit<TraceSummaryAnswer, 'Revision' | 'MatchedEventTime'>;

export interface HttpAnswer {
  readonly HttpURL?: string;
  readonly HttpStatus?: number;
  readonly HttpMethod?: string;
  readonly UserAgent?: string;
  readonly ClientIp?: string;
}

export interface AnnotationAnswer {
  readonly AnnotationValue:
    | { readonly StringValue: string }
    | { readonly NumberValue: number }
    | { readonly BooleanValue: boolean };
  readonly ServiceIds: readonly ServiceIdAnswer[];
}

export interface RootCauseAnswer {
  readonly Services: readonly RootCauseServiceAnswer[];
  readonly ClientImpacting: boolean;
}

export interface RootCauseServiceAnswer extends ServiceIdAnswer {
  readonly EntityPath: readonly RootCauseEntityAnswer[];
  readonly Inferred: boolean;
}

/** `Exceptions` of faults and errors, `Coverage` of response times. */
export interface RootCauseEntityAnswer {
  readonly Name: string;
  readonly Exceptions?: readonly { readonly Name: string; readonly Message: string }[];
  readonly Coverage?: number;
  readonly Remote: boolean;
}

interface SummaryFacts {
  /** Rises with each update of the trace, from 1. */
  readonly revision: number;
  /** Of queries by event time only. */
  readonly matchedEventTimeNs?: bigint | undefined;
}

/** TraceSummary of GetTraceSummaries, of a summary that was kept without the facts of the question. */
export function withSummaryFacts(
  summary: KeptSummary,
  { revision, matchedEventTimeNs }: SummaryFacts,
): TraceSummaryAnswer {
  return {
    ...summary,
    Revision: revision,
    ...given('MatchedEventTime', matchedEventTimeNs === undefined ? undefined : toSeconds(matchedEventTimeNs)),
  };
}

/** TraceSummary of GetTraceSummaries, but for the facts of the question. */
export function toTraceSummaryAnswer(summary: TraceSummary): KeptSummary {
  const { fault, error, responseTime } = toRootCauseAnswers(summary);
  return {
    Id: toXrayTraceId(summary.traceId),
    StartTime: toSeconds(summary.startTimeNs),
    Duration: summary.duration,
    ...given('ResponseTime', summary.responseTime),
    HasFault: summary.fault,
    HasError: summary.error,
    HasThrottle: summary.throttle,
    IsPartial: summary.partial,
    Http: {
      ...given('HttpURL', summary.http.url),
      ...given('HttpStatus', int32(summary.http.status)),
      ...given('HttpMethod', summary.http.method),
      ...given('UserAgent', summary.http.userAgent),
      ...given('ClientIp', summary.http.clientIp),
    },
    // fromEntries defines own members, so a key such as __proto__ is one among others.
    Annotations: Object.fromEntries([...summary.annotations].map(([key, all]) => [key, all.map(toAnnotationAnswer)])),
    Users: summary.users.map(({ user, services }) => ({ UserName: user, ServiceIds: services.map(toServiceIdAnswer) })),
    ServiceIds: summary.services.map(toServiceIdAnswer),
    ...given('EntryPoint', summary.entryPoint && toServiceIdAnswer(summary.entryPoint)),
    ResourceARNs: summary.resourceArns.map((arn) => ({ ARN: arn })),
    InstanceIds: summary.instanceIds.map((id) => ({ Id: id })),
    AvailabilityZones: summary.availabilityZones.map((name) => ({ Name: name })),
    FaultRootCauses: fault,
    ErrorRootCauses: error,
    ResponseTimeRootCauses: responseTime,
  };
}

/** The API's integers have 32 bits; an SDK that decodes another one loses the whole page. */
function int32(value: number | undefined): number | undefined {
  return value !== undefined && (value | 0) === value ? value : undefined;
}

/** The member, or nothing when it is undefined. */
function given<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [member in Name]?: Exclude<Value, undefined> } {
  // A computed member of a generic name has the type of an index signature; it is this one member.
  return (value === undefined ? {} : { [name]: value }) as { readonly [member in Name]?: Exclude<Value, undefined> };
}

export function toServiceIdAnswer({ name, type, accountId }: ServiceName): ServiceIdAnswer {
  return { Name: name, Names: [name], ...given('AccountId', accountId), ...given('Type', type) };
}

function toAnnotationAnswer({ value, services }: AnnotationSummary): AnnotationAnswer {
  return { AnnotationValue: toAnnotationValue(value), ServiceIds: services.map(toServiceIdAnswer) };
}

function toAnnotationValue(value: AnnotationSummary['value']): AnnotationAnswer['AnnotationValue'] {
  if (typeof value === 'string') return { StringValue: value };
  return typeof value === 'number' ? { NumberValue: value } : { BooleanValue: value };
}

interface RootCauseAnswers {
  readonly fault: readonly RootCauseAnswer[];
  readonly error: readonly RootCauseAnswer[];
  readonly responseTime: readonly RootCauseAnswer[];
}

/** All root causes of a trace; also what a `rootcause.json` pattern is held against. */
export function toRootCauseAnswers(summary: TraceSummary): RootCauseAnswers {
  return {
    fault: summary.faultRootCauses.map(toRootCauseAnswer),
    error: summary.errorRootCauses.map(toRootCauseAnswer),
    responseTime: summary.responseTimeRootCauses.map(toRootCauseAnswer),
  };
}

function toRootCauseAnswer({ services, clientImpacting }: RootCause): RootCauseAnswer {
  return {
    Services: services.map(({ service, inferred, entities }) => ({
      ...toServiceIdAnswer(service),
      EntityPath: entities.map(toEntityAnswer),
      Inferred: inferred,
    })),
    ClientImpacting: clientImpacting,
  };
}

function toEntityAnswer({ name, remote, exceptions, coverage }: RootCauseEntity): RootCauseEntityAnswer {
  if (coverage !== undefined) return { Name: name, Coverage: coverage, Remote: remote };
  const answers = exceptions.map((exception) => ({ Name: exception.name, Message: exception.message }));
  return { Name: name, Exceptions: answers, Remote: remote };
}

export interface ServiceAnswer extends ServiceIdAnswer {
  readonly ReferenceId: number;
  /** Absent unless true. */
  readonly Root?: boolean;
  readonly State: string;
  readonly StartTime: number;
  readonly EndTime: number;
  readonly Edges: readonly EdgeAnswer[];
  /** Absent on client nodes. */
  readonly SummaryStatistics?: StatisticsAnswer;
  readonly DurationHistogram: readonly HistogramAnswer[];
  readonly ResponseTimeHistogram: readonly HistogramAnswer[];
}

export interface EdgeAnswer {
  /** The ReferenceId of the service at the other end. */
  readonly ReferenceId: number;
  readonly StartTime: number;
  readonly EndTime: number;
  /** `{}` on links. */
  readonly SummaryStatistics: StatisticsAnswer | Readonly<Record<string, never>>;
  readonly ResponseTimeHistogram: readonly HistogramAnswer[];
  readonly Aliases: readonly never[];
  /** `link` for asynchronous edges, absent for calls. */
  readonly EdgeType?: string;
  /** Of links only. */
  readonly ReceivedEventAgeHistogram?: readonly HistogramAnswer[];
}

/** ServiceStatistics and EdgeStatistics. */
export interface StatisticsAnswer {
  readonly OkCount: number;
  /** `TotalCount` includes the throttles. */
  readonly ErrorStatistics: {
    readonly ThrottleCount: number;
    readonly OtherCount: number;
    readonly TotalCount: number;
  };
  readonly FaultStatistics: { readonly OtherCount: number; readonly TotalCount: number };
  readonly TotalCount: number;
  readonly TotalResponseTime: number;
}

export interface HistogramAnswer {
  readonly Value: number;
  readonly Count: number;
}

/** `Services` of GetServiceGraph and GetTraceGraph. */
export function toServicesAnswer(graph: ServiceGraph): readonly ServiceAnswer[] {
  return graph.nodes.map(toServiceAnswer);
}

export function toServiceAnswer(node: ServiceNode): ServiceAnswer {
  return {
    ReferenceId: node.referenceId,
    ...toServiceIdAnswer(node.service),
    ...given('Root', node.root || undefined),
    State: node.state,
    StartTime: wholeSecondsBefore(node.startTimeNs),
    EndTime: wholeSecondsAfter(node.endTimeNs),
    Edges: node.edges.map(toEdgeAnswer),
    ...given('SummaryStatistics', node.statistics && toStatisticsAnswer(node.statistics)),
    DurationHistogram: node.durationHistogram.map(toHistogramAnswer),
    ResponseTimeHistogram: node.responseTimeHistogram.map(toHistogramAnswer),
  };
}

function toEdgeAnswer(edge: ServiceEdge): EdgeAnswer {
  const link = edge.type === 'link';
  return {
    ReferenceId: edge.referenceId,
    StartTime: wholeSecondsBefore(edge.startTimeNs),
    EndTime: wholeSecondsAfter(edge.endTimeNs),
    SummaryStatistics: link ? {} : toStatisticsAnswer(edge.statistics),
    ResponseTimeHistogram: edge.responseTimeHistogram.map(toHistogramAnswer),
    Aliases: [],
    ...given('EdgeType', link ? edge.type : undefined),
    ...given('ReceivedEventAgeHistogram', link ? edge.receivedEventAgeHistogram.map(toHistogramAnswer) : undefined),
  };
}

export function toStatisticsAnswer(statistics: ServiceStatistics): StatisticsAnswer {
  const { okCount, faultCount, throttleCount, errorCount, totalResponseTime } = statistics;
  return {
    OkCount: okCount,
    ErrorStatistics: {
      ThrottleCount: throttleCount,
      OtherCount: errorCount,
      TotalCount: throttleCount + errorCount,
    },
    FaultStatistics: { OtherCount: faultCount, TotalCount: faultCount },
    TotalCount: okCount + faultCount + throttleCount + errorCount,
    TotalResponseTime: totalResponseTime,
  };
}

export function toHistogramAnswer({ value, count }: HistogramEntry): HistogramAnswer {
  return { Value: value, Count: count };
}

const nanosecondsPerSecond = 1_000_000_000n;

/** X-Ray gives the life of nodes and edges in whole seconds. */
function wholeSecondsBefore(timeNs: bigint): number {
  return Number(timeNs / nanosecondsPerSecond);
}

function wholeSecondsAfter(timeNs: bigint): number {
  return Number((timeNs + nanosecondsPerSecond - 1n) / nanosecondsPerSecond);
}

export interface SamplingRuleRecordAnswer {
  readonly SamplingRule: SamplingRuleAnswer;
  readonly CreatedAt: number;
  readonly ModifiedAt: number;
}

export interface SamplingRuleAnswer {
  readonly RuleName: string;
  readonly RuleARN: string;
  readonly ResourceARN: string;
  readonly Priority: number;
  readonly FixedRate: number;
  readonly ReservoirSize: number;
  readonly ServiceName: string;
  readonly ServiceType: string;
  readonly Host: string;
  readonly HTTPMethod: string;
  readonly URLPath: string;
  readonly Version: number;
  /** `{}` when empty; the Node SDK ignores rules without it. */
  readonly Attributes: Readonly<Record<string, string>>;
  readonly SamplingRateBoost?: { readonly MaxRate: number; readonly CooldownWindowMinutes: number };
}

/** SamplingRuleRecord of GetSamplingRules. Counts are whole numbers: the Go SDK fails on `10.0`. */
export function toSamplingRuleAnswer({
  rule,
  createdAtNs,
  modifiedAtNs,
}: SamplingRuleRecord): SamplingRuleRecordAnswer {
  return {
    SamplingRule: toSamplingRuleMembers(rule),
    CreatedAt: toSeconds(createdAtNs),
    ModifiedAt: toSeconds(modifiedAtNs),
  };
}

/** SamplingRule, in answers and in the store. */
export function toSamplingRuleMembers(rule: SamplingRule): SamplingRuleAnswer {
  const { rateBoost } = rule;
  return {
    RuleName: rule.ruleName,
    RuleARN: rule.ruleArn,
    ResourceARN: rule.resourceArn,
    Priority: rule.priority,
    FixedRate: rule.fixedRate,
    ReservoirSize: rule.reservoirSize,
    ServiceName: rule.serviceName,
    ServiceType: rule.serviceType,
    Host: rule.host,
    HTTPMethod: rule.httpMethod,
    URLPath: rule.urlPath,
    Version: 1,
    Attributes: Object.fromEntries(rule.attributes),
    ...(rateBoost && {
      SamplingRateBoost: { MaxRate: rateBoost.maxRate, CooldownWindowMinutes: rateBoost.cooldownWindowMinutes },
    }),
  };
}

export interface SamplingTargetAnswer {
  readonly RuleName: string;
  readonly FixedRate: number;
  readonly ReservoirQuota: number;
  readonly ReservoirQuotaTTL: number;
  readonly Interval: number;
  readonly SamplingBoost?: { readonly BoostRate: number; readonly BoostRateTTL: number };
}

/** SamplingTargetDocument of GetSamplingTargets. */
export function toSamplingTargetAnswer(target: SamplingTarget): SamplingTargetAnswer {
  return {
    RuleName: target.ruleName,
    FixedRate: target.fixedRate,
    ReservoirQuota: target.reservoirQuota,
    ReservoirQuotaTTL: wholeSecondsBefore(target.reservoirQuotaExpiresAtNs),
    Interval: target.intervalSeconds,
    ...(target.boost && {
      SamplingBoost: {
        BoostRate: target.boost.rate,
        BoostRateTTL: wholeSecondsBefore(target.boost.expiresAtNs),
      },
    }),
  };
}

/** The last target under a rule, for the console; the X-Ray API has no operation for it. */
export interface GivenTargetAnswer extends SamplingTargetAnswer {
  readonly GivenAt: number;
  readonly ClientCount: number;
}

export function toGivenTargetAnswer({ target, givenAtNs, clientCount }: GivenSamplingTarget): GivenTargetAnswer {
  return { ...toSamplingTargetAnswer(target), GivenAt: toSeconds(givenAtNs), ClientCount: clientCount };
}

/**
 * LastRuleModification of GetSamplingTargets: the whole second after the change, so that a client
 * that read the rules earlier in that second sees that it has to read them again.
 */
export function toRuleModificationAnswer(modifiedAtNs: bigint): number {
  return wholeSecondsAfter(modifiedAtNs);
}

export interface SamplingStatisticsAnswer {
  readonly RuleName: string;
  readonly Timestamp: number;
  readonly RequestCount: number;
  readonly BorrowCount: number;
  readonly SampledCount: number;
}

/** SamplingStatisticSummary of GetSamplingStatisticSummaries. */
export function toSamplingStatisticsAnswer(statistics: SamplingStatistics): SamplingStatisticsAnswer {
  return {
    RuleName: statistics.ruleName,
    Timestamp: wholeSecondsBefore(statistics.windowStartNs),
    RequestCount: statistics.requestCount,
    BorrowCount: statistics.borrowCount,
    SampledCount: statistics.sampledCount,
  };
}

export interface UnprocessedStatisticsAnswer {
  readonly RuleName: string;
  readonly ErrorCode: string;
  readonly Message: string;
}

/** UnprocessedStatistics of GetSamplingTargets. */
export function toUnprocessedStatisticsAnswer(report: UnprocessedReport): UnprocessedStatisticsAnswer {
  return { RuleName: report.ruleName, ErrorCode: report.errorCode, Message: report.message };
}
