/** Members of X-Ray API answers about insights (API reference 2016-04-12), by the rules of `../answers.ts`. */
import {
  type Insight,
  type InsightEvent,
  type RequestCounts,
  type ServiceGraph,
  type ServiceName,
  topServicesMax,
} from '../../model/index.ts';
import { type ServiceIdAnswer, toServiceIdAnswer } from '../answers.ts';
import { serviceKey } from '../service.ts';
import { toWindow, upstreamOf } from './window.ts';

export interface InsightAnswer extends Omit<InsightEventAnswer, 'EventTime'> {
  readonly InsightId: string;
  readonly GroupARN: string;
  readonly GroupName: string;
  readonly RootCauseServiceId: ServiceIdAnswer;
  readonly Categories: readonly ['FAULT'];
  readonly State: InsightState;
  readonly StartTime: number;
  /** Of closed ones. */
  readonly EndTime?: number;
}

export interface InsightSummaryAnswer extends InsightAnswer {
  readonly LastUpdateTime: number;
}

export interface InsightEventAnswer {
  readonly Summary: string;
  readonly EventTime: number;
  readonly ClientRequestImpactStatistics: ImpactAnswer;
  readonly RootCauseServiceRequestImpactStatistics: ImpactAnswer;
  readonly TopAnomalousServices: readonly { readonly ServiceId: ServiceIdAnswer }[];
}

export interface ImpactAnswer {
  readonly FaultCount: number;
  readonly OkCount: number;
  readonly TotalCount: number;
}

export const insightStates = ['ACTIVE', 'CLOSED'] as const;
export type InsightState = (typeof insightStates)[number];

export function insightStateOf({ endMinute }: Insight): InsightState {
  return endMinute === undefined ? 'ACTIVE' : 'CLOSED';
}

export function toInsightAnswer(insight: Insight): InsightAnswer {
  return {
    InsightId: insight.id,
    GroupARN: insight.groupArn,
    GroupName: insight.groupName,
    RootCauseServiceId: toServiceIdAnswer(insight.rootCause),
    Categories: ['FAULT'],
    State: insightStateOf(insight),
    StartTime: insight.startMinute * 60,
    ...(insight.endMinute === undefined ? {} : { EndTime: insight.endMinute * 60 }),
    Summary: insight.summary,
    ClientRequestImpactStatistics: toImpactAnswer(insight.clientRequests),
    RootCauseServiceRequestImpactStatistics: toImpactAnswer(insight.rootCauseRequests),
    TopAnomalousServices: toTopServices(insight.services.slice(0, topServicesMax)),
  };
}

export function toInsightSummaryAnswer(insight: Insight): InsightSummaryAnswer {
  return { ...toInsightAnswer(insight), LastUpdateTime: endOf(insight.updatedMinute) };
}

export function toInsightEventAnswer(event: InsightEvent): InsightEventAnswer {
  return {
    Summary: event.summary,
    EventTime: endOf(event.minute),
    ClientRequestImpactStatistics: toImpactAnswer(event.clientRequests),
    RootCauseServiceRequestImpactStatistics: toImpactAnswer(event.rootCauseRequests),
    TopAnomalousServices: toTopServices(event.topServices),
  };
}

/** A minute is looked at when it is over. */
function endOf(minute: number): number {
  return (minute + 1) * 60;
}

function toImpactAnswer({ okCount, faultCount, totalCount }: RequestCounts): ImpactAnswer {
  return { FaultCount: faultCount, OkCount: okCount, TotalCount: totalCount };
}

function toTopServices(services: readonly ServiceName[]): InsightAnswer['TopAnomalousServices'] {
  return services.map((service) => ({ ServiceId: toServiceIdAnswer(service) }));
}

/** A node of GetInsightImpactGraph, which shows the structure only. */
export interface ImpactServiceAnswer extends ServiceIdAnswer {
  readonly ReferenceId: number;
  readonly Edges: readonly { readonly ReferenceId: number }[];
}

/** The services of an insight and everything that calls them, directly or not, up to the clients. */
export function toImpactServicesAnswer(graph: ServiceGraph, { services }: Insight): readonly ImpactServiceAnswer[] {
  const upstream = upstreamOf(toWindow([{ minute: 0, graph }]), services.map(serviceKey));
  const nodes = graph.nodes.filter(({ service }) => upstream.has(serviceKey(service)));
  const referenceIds = new Map(nodes.map(({ referenceId }, index) => [referenceId, index]));
  return nodes.map(({ service, edges }, index) => ({
    ReferenceId: index,
    ...toServiceIdAnswer(service),
    Edges: edges.flatMap((edge) => {
      const referenceId = referenceIds.get(edge.referenceId);
      return referenceId === undefined ? [] : [{ ReferenceId: referenceId }];
    }),
  }));
}
