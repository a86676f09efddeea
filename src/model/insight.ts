import type { ServiceName } from './trace.ts';

/**
 * A time in which more requests than usual ended in a fault, as in GetInsight. Faults are looked for
 * minute by minute, so all times are whole minutes since 1970.
 */
export interface Insight {
  /** A UUID. */
  readonly id: string;
  readonly groupName: string;
  readonly groupArn: string;
  /** The farthest downstream of its services. */
  readonly rootCause: ServiceName;
  /** The share of faults, 0 to 1, that was expected of the root cause. */
  readonly expectedRate: number;
  /** All that showed more faults than expected; those with most faults first. At most `insightServicesMax`. */
  readonly services: readonly ServiceName[];
  readonly startMinute: number;
  /** The minute after the last with too many faults; undefined while it is active. */
  readonly endMinute?: number | undefined;
  /** The last minute that was looked at. */
  readonly updatedMinute: number;
  readonly summary: string;
  /** Requests of clients to the entries from which its services are reached. */
  readonly clientRequests: RequestCounts;
  readonly rootCauseRequests: RequestCounts;
  /** Oldest first, at most `insightEventsMax`. */
  readonly events: readonly InsightEvent[];
}

/** A notable change of an insight. */
export interface InsightEvent {
  readonly change: InsightChange;
  /** It was seen at the end of this minute. */
  readonly minute: number;
  readonly summary: string;
  readonly clientRequests: RequestCounts;
  readonly rootCauseRequests: RequestCounts;
  /** The first of the insight's services at that time, at most `topServicesMax`. */
  readonly topServices: readonly ServiceName[];
}

export const insightChanges = ['opened', 'spread', 'cause_found', 'doubled', 'closed'] as const;
export type InsightChange = (typeof insightChanges)[number];

export interface RequestCounts {
  readonly okCount: number;
  readonly faultCount: number;
  /** With errors and throttles. */
  readonly totalCount: number;
}

export const insightServicesMax = 100;
export const insightEventsMax = 100;
export const topServicesMax = 5;
