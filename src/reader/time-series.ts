import { RaybridgeError } from '../errors.ts';
import { secondsText } from '../model/index.ts';
import {
  type EntitySelector,
  forecastFaults,
  forecastPeriods,
  type HistogramAnswer,
  parsePageToken,
  parseSelector,
  type PeriodStatistics,
  printPageToken,
  type StatisticsAnswer,
  toHistogramAnswer,
  toStatisticsAnswer,
} from '../query/index.ts';
import type { GraphRange } from './graphs.ts';
import type { TraceReader } from './reader.ts';

/** The answer of GetTimeSeriesServiceStatistics as plain JSON values (X-Ray API reference 2016-04-12). */
export interface TimeSeriesAnswer {
  /** Oldest first. A period in which nothing of what was selected was seen has none. */
  readonly TimeSeriesServiceStatistics: readonly PointAnswer[];
  readonly ContainsOldGroupVersions: boolean;
  readonly NextToken?: string;
}

export interface PointAnswer {
  /** Epoch seconds: the start of the period, a multiple of its length. */
  readonly Timestamp: number;
  readonly EdgeSummaryStatistics?: StatisticsAnswer;
  readonly ServiceSummaryStatistics?: StatisticsAnswer;
  readonly ServiceForecastStatistics?: { readonly FaultCountHigh: number; readonly FaultCountLow: number };
  readonly ResponseTimeHistogram: readonly HistogramAnswer[];
}

export interface TimeSeriesQuestion extends GraphRange {
  readonly periodNs: bigint;
  /** Undefined for all edges. */
  readonly selectorExpression: string | undefined;
  /** Needs a selector that names a service. */
  readonly forecast: boolean;
  readonly nextToken: string | undefined;
}

/** Periods that one page covers, whether they have a point or not. X-Ray publishes no number. */
const periodsPerPage = 500;
/** Entries of histograms after which a page ends, about 4 MB of JSON. */
const entriesPerPage = 100_000;

/** @throws RaybridgeError FILTER_INVALID (the selector), INVALID_REQUEST (a token of another question, a forecast of nothing), STORE_UNAVAILABLE. */
export async function answerTimeSeries(reader: TraceReader, question: TimeSeriesQuestion): Promise<TimeSeriesAnswer> {
  const { selectorExpression, forecast, nextToken, periodNs, ...range } = question;
  const selector = selectorExpression === undefined ? undefined : parseSelector(selectorExpression);
  if (forecast && !isNamed(selector)) {
    throw new RaybridgeError(
      'INVALID_REQUEST',
      'ForecastStatistics: expected an EntitySelectorExpression with id(...) beside it',
    );
  }

  const request = tokenRequest(question);
  const fromNs = nextToken ? readStart(nextToken, request) : range.fromNs;
  const firstNs = periodOf(fromNs, periodNs);
  const endNs = firstNs + BigInt(periodsPerPage) * periodNs;
  const toNs = endNs < range.toNs ? endNs : range.toNs;
  const periods = await reader.series({ ...range, fromNs, toNs, periodNs, selector });
  const beforeNs = firstNs - BigInt(forecastPeriods) * periodNs;
  const before = forecast
    ? await reader.series({ ...range, fromNs: beforeNs > 0n ? beforeNs : 0n, toNs: firstNs, periodNs, selector })
    : [];

  const faults = new Map([...before, ...periods].map((period) => [period.fromNs, period.statistics.faultCount]));
  const points: PointAnswer[] = [];
  let entries = 0;
  for (const period of periods) {
    entries += period.responseTimeHistogram.length;
    if (entries > entriesPerPage && points.length > 0) return toAnswer(points, period.fromNs);
    const counts = forecast ? countsBefore(faults, period.fromNs, periodNs) : [];
    points.push(toPoint(period.fromNs, period, { selector, forecast: forecastFaults(counts) }));
  }
  return toAnswer(points, toNs < range.toNs ? toNs : undefined);

  function toAnswer(TimeSeriesServiceStatistics: readonly PointAnswer[], nextNs: bigint | undefined): TimeSeriesAnswer {
    const answer = { TimeSeriesServiceStatistics, ContainsOldGroupVersions: false };
    if (nextNs === undefined) return answer;
    return { ...answer, NextToken: printPageToken({ request, position: { fromNs: String(nextNs) } }) };
  }
}

function isNamed(selector: EntitySelector | undefined): boolean {
  if (!selector) return false;
  return selector.kind === 'service' ? selector.node !== undefined : Boolean(selector.from ?? selector.to);
}

function periodOf(timeNs: bigint, periodNs: bigint): bigint {
  return timeNs - (timeNs % periodNs);
}

/** Faults of the periods before one; nothing when none of them holds a trace. */
function countsBefore(faults: ReadonlyMap<bigint, number>, fromNs: bigint, periodNs: bigint): readonly number[] {
  const periods = Array.from({ length: forecastPeriods }, (_, i) => fromNs - BigInt(i + 1) * periodNs);
  return periods.some((period) => faults.has(period)) ? periods.map((period) => faults.get(period) ?? 0) : [];
}

function toPoint(
  fromNs: bigint,
  { statistics, responseTimeHistogram }: PeriodStatistics,
  {
    selector,
    forecast,
  }: { readonly selector: EntitySelector | undefined; readonly forecast: ReturnType<typeof forecastFaults> },
): PointAnswer {
  const answer = toStatisticsAnswer(statistics);
  return {
    Timestamp: Number(secondsText(fromNs)),
    ...(selector?.kind === 'service' ? { ServiceSummaryStatistics: answer } : { EdgeSummaryStatistics: answer }),
    ...(forecast && {
      ServiceForecastStatistics: { FaultCountHigh: forecast.faultCountHigh, FaultCountLow: forecast.faultCountLow },
    }),
    ResponseTimeHistogram: responseTimeHistogram.map(toHistogramAnswer),
  };
}

/** What a page token is bound to. */
function tokenRequest({
  fromNs,
  toNs,
  periodNs,
  filter,
  selectorExpression,
  forecast,
}: TimeSeriesQuestion): Readonly<Record<string, unknown>> {
  const [from, to, period] = [fromNs, toNs, periodNs].map(String);
  return { operation: 'GetTimeSeriesServiceStatistics', from, to, period, filter, selectorExpression, forecast };
}

function readStart(token: string, request: Readonly<Record<string, unknown>>): bigint {
  const { fromNs } = parsePageToken(token, request);
  if (typeof fromNs === 'string' && /^\d{1,20}$/.test(fromNs)) return BigInt(fromNs);
  throw new RaybridgeError('INVALID_REQUEST', 'NextToken: expected the token of the page before, got something else');
}
