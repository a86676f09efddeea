import { RaybridgeError } from '../../../errors.ts';
import type { JsonObject } from '../../../model/index.ts';
import {
  answerServiceGraphPage,
  answerSummaries,
  answerTimeSeries,
  answerTraceGraphPage,
  answerTraces,
} from '../../../reader/index.ts';
import type { SummariesQuestion } from '../../../reader/index.ts';
import type { TraceSelection } from '../../../pipeline/store.ts';
import {
  flagMember,
  groupReference,
  numberMember,
  objectMember,
  rangeMembers,
  textMember,
  traceIdsMember,
} from '../members.ts';
import type { Call, Operation } from '../operation.ts';

/** What reads traces and what is derived from them, by path (API reference 2016-04-12). */
export const traceOperations: readonly (readonly [path: string, Operation])[] = [
  ['/TraceSummaries', { name: 'GetTraceSummaries', access: 'read', run: getTraceSummaries }],
  ['/Traces', { name: 'BatchGetTraces', access: 'read', run: batchGetTraces }],
  ['/TraceGraph', { name: 'GetTraceGraph', access: 'read', run: getTraceGraph }],
  ['/ServiceGraph', { name: 'GetServiceGraph', access: 'read', run: getServiceGraph }],
  [
    '/TimeSeriesServiceStatistics',
    { name: 'GetTimeSeriesServiceStatistics', access: 'read', run: getTimeSeriesServiceStatistics },
  ],
];

/** Summaries on one page. AWS publishes no number. */
const summariesPerPage = 100;
/** AWS API reference, BatchGetTraces. */
const traceIdsPerBatchMax = 5;
/** AWS publishes no limit for GetTraceGraph; this one bounds the work of a call. */
const traceIdsPerGraphMax = 100;

async function getTraceSummaries(request: JsonObject, { reader, groups, signal }: Call): Promise<object> {
  return await answerSummaries(reader, {
    ...rangeMembers(request),
    by: timeRangeType(textMember(request, 'TimeRangeType')),
    share: samplingShare(request),
    limit: summariesPerPage,
    groups: await groups.filters(),
    filterExpression: textMember(request, 'FilterExpression'),
    nextToken: textMember(request, 'NextToken'),
    signal,
  });
}

async function batchGetTraces(request: JsonObject, { reader }: Call): Promise<object> {
  return await answerTraces(reader, {
    traceIds: traceIdsMember(request, traceIdsPerBatchMax),
    nextToken: textMember(request, 'NextToken'),
  });
}

async function getTraceGraph(request: JsonObject, { reader }: Call): Promise<object> {
  return await answerTraceGraphPage(reader, {
    traceIds: traceIdsMember(request, traceIdsPerGraphMax),
    nextToken: textMember(request, 'NextToken'),
  });
}

async function getServiceGraph(request: JsonObject, call: Call): Promise<object> {
  return await answerServiceGraphPage(call.reader, {
    ...rangeMembers(request),
    ...(await groupMembers(request, call)),
    nextToken: textMember(request, 'NextToken'),
    signal: call.signal,
  });
}

async function getTimeSeriesServiceStatistics(request: JsonObject, call: Call): Promise<object> {
  return await answerTimeSeries(call.reader, {
    ...rangeMembers(request),
    ...(await groupMembers(request, call)),
    periodNs: periodMember(request),
    selectorExpression: textMember(request, 'EntitySelectorExpression'),
    forecast: flagMember(request, 'ForecastStatistics') ?? false,
    nextToken: textMember(request, 'NextToken'),
    signal: call.signal,
  });
}

/** The values that AWS's own clients send are 60 and 300; it does not say what no value means. */
const periodSecondsDefault = 60;
const periodSecondsMax = 86_400;

function periodMember(request: JsonObject): bigint {
  const seconds = numberMember(request, 'Period') ?? periodSecondsDefault;
  if (seconds >= 60 && seconds <= periodSecondsMax && seconds % 60 === 0) return BigInt(seconds) * 1_000_000_000n;
  throw new RaybridgeError(
    'INVALID_REQUEST',
    `Period: expected a multiple of 60 seconds, at most ${periodSecondsMax}, got ${seconds}`,
  );
}

/** Which traces are asked for by the name of a group. */
async function groupMembers(request: JsonObject, { groups }: Call): Promise<Pick<TraceSelection, 'filter' | 'groups'>> {
  return { filter: await groups.filterOf(groupReference(request)), groups: await groups.filters() };
}

const timeRangeTypes: ReadonlyMap<string, SummariesQuestion['by']> = new Map([
  ['TraceId', 'start'],
  ['Event', 'update'],
  ['Service', 'end'],
]);

function timeRangeType(text: string | undefined): SummariesQuestion['by'] {
  const by = timeRangeTypes.get(text ?? 'TraceId');
  if (by) return by;
  throw new RaybridgeError('INVALID_REQUEST', `TimeRangeType: expected TraceId, Event or Service, got "${text}"`);
}

/** Sampling with FixedRate returns that share of the traces; PartialScan is what paging does anyway, and Sampling alone means it. */
function samplingShare(request: JsonObject): number {
  if (flagMember(request, 'Sampling') !== true) return 1;
  const strategy = objectMember(request, 'SamplingStrategy');
  const name = strategy && textMember(strategy, 'Name');
  if (!strategy || name === undefined || name === 'PartialScan') return 1;
  if (name !== 'FixedRate') {
    throw new RaybridgeError(
      'INVALID_REQUEST',
      `SamplingStrategy.Name: expected PartialScan or FixedRate, got ${JSON.stringify(name.slice(0, 40))}`,
    );
  }
  const share = numberMember(strategy, 'Value') ?? 1;
  if (share >= 0 && share <= 1) return share;
  throw new RaybridgeError('INVALID_REQUEST', `SamplingStrategy.Value: expected a number from 0 to 1, got ${share}`);
}
