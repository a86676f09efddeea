/**
 * Statistics over time (X-Ray API reference, GetTimeSeriesServiceStatistics): of the service graph of
 * each period, the sum over the nodes or edges that a selector means.
 */
import type { HistogramEntry, ServiceGraph, ServiceStatistics } from '../model/index.ts';
import { isReferred } from './filter/match.ts';
import type { EntitySelector } from './filter/parse.ts';

/** What the selected nodes or edges saw in one period. */
export interface PeriodStatistics {
  readonly statistics: ServiceStatistics;
  readonly responseTimeHistogram: readonly HistogramEntry[];
}

/**
 * The sum over the nodes of a `service`, or over the calls of an `edge`; over all calls, those of
 * clients among them, when there is no selector. Links measure no response, so they do not count.
 * Undefined when the graph has nothing that the selector means.
 */
export function selectStatistics(
  graph: ServiceGraph,
  selector: EntitySelector | undefined,
): PeriodStatistics | undefined {
  const parts = selector?.kind === 'service' ? selectNodes(graph, selector) : selectCalls(graph, selector);
  if (parts.length === 0) return undefined;
  return {
    statistics: {
      okCount: sum(parts, (part) => part.statistics.okCount),
      faultCount: sum(parts, (part) => part.statistics.faultCount),
      throttleCount: sum(parts, (part) => part.statistics.throttleCount),
      errorCount: sum(parts, (part) => part.statistics.errorCount),
      totalResponseTime: toNanoseconds(sum(parts, (part) => part.statistics.totalResponseTime)),
    },
    responseTimeHistogram: joinHistograms(parts.map((part) => part.responseTimeHistogram)),
  };
}

function selectNodes(
  { nodes }: ServiceGraph,
  { node }: Extract<EntitySelector, { readonly kind: 'service' }>,
): readonly PeriodStatistics[] {
  return nodes.flatMap(({ service, statistics, responseTimeHistogram }) =>
    statistics && isReferred(service, node) ? [{ statistics, responseTimeHistogram }] : [],
  );
}

function selectCalls(
  { nodes }: ServiceGraph,
  selector: Extract<EntitySelector, { readonly kind: 'edge' }> | undefined,
): readonly PeriodStatistics[] {
  return nodes
    .filter(({ service }) => isReferred(service, selector?.from))
    .flatMap(({ edges }) =>
      edges.filter((edge) => {
        const destination = nodes[edge.referenceId];
        return edge.type === 'call' && destination && isReferred(destination.service, selector?.to);
      }),
    );
}

function sum(parts: readonly PeriodStatistics[], read: (part: PeriodStatistics) => number): number {
  return parts.reduce((total, part) => total + read(part), 0);
}

/** Without the noise of adding doubles. */
function toNanoseconds(seconds: number): number {
  return Math.round(seconds * 1e9) / 1e9;
}

function joinHistograms(histograms: readonly (readonly HistogramEntry[])[]): readonly HistogramEntry[] {
  const counts = new Map<number, number>();
  for (const { value, count } of histograms.flat()) counts.set(value, (counts.get(value) ?? 0) + count);
  return [...counts].sort(([a], [b]) => a - b).map(([value, count]) => ({ value, count }));
}

/** Periods before a point from which its forecast is made. */
export const forecastPeriods = 12;
/** Standard deviations on each side of the mean: 19 of 20 values, were they spread normally. */
const forecastDeviations = 2;

export interface Forecast {
  readonly faultCountHigh: number;
  readonly faultCountLow: number;
}

/**
 * Between which numbers the faults of a period should lie, from those of the periods before it: mean
 * and two standard deviations, in whole faults and never below zero. X-Ray's model is not
 * published. Undefined without periods before.
 */
export function forecastFaults(countsBefore: readonly number[]): Forecast | undefined {
  if (countsBefore.length === 0) return undefined;
  const mean = average(countsBefore);
  const deviation = Math.sqrt(average(countsBefore.map((count) => (count - mean) ** 2)));
  return {
    faultCountHigh: Math.ceil(mean + forecastDeviations * deviation),
    faultCountLow: Math.max(0, Math.floor(mean - forecastDeviations * deviation)),
  };
}

function average(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
