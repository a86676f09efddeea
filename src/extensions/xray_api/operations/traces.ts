import { RaybridgeError } from '../../../errors.ts';
import { type JsonObject, toXrayTraceId } from '../../../model/index.ts';
import type { TraceSelection } from '../../../pipeline/store.ts';
import { answerServiceGraph, answerSummaries, answerTrace, answerTraceGraph } from '../../../reader/index.ts';
import type { SummariesQuestion } from '../../../reader/index.ts';
import { groupReference, numberMember, objectMember, rangeMembers, textMember, traceIdsMember } from '../members.ts';
import type { Call, Operation } from '../operation.ts';

/** What reads traces and what is derived from them, by path (API reference 2016-04-12). */
export const traceOperations: readonly (readonly [path: string, Operation])[] = [
  ['/TraceSummaries', { name: 'GetTraceSummaries', access: 'read', run: getTraceSummaries }],
  ['/Traces', { name: 'BatchGetTraces', access: 'read', run: batchGetTraces }],
  ['/TraceGraph', { name: 'GetTraceGraph', access: 'read', run: getTraceGraph }],
  ['/ServiceGraph', { name: 'GetServiceGraph', access: 'read', run: getServiceGraph }],
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
  const traceIds = traceIdsMember(request, traceIdsPerBatchMax);
  const traces = await reader.traces(traceIds);
  return {
    Traces: [...traces.values()].map(answerTrace),
    UnprocessedTraceIds: traceIds.filter((traceId) => !traces.has(traceId)).map(toXrayTraceId),
  };
}

async function getTraceGraph(request: JsonObject, { reader }: Call): Promise<object> {
  const traces = await reader.traces(traceIdsMember(request, traceIdsPerGraphMax));
  return { Services: answerTraceGraph([...traces.values()]) };
}

async function getServiceGraph(request: JsonObject, call: Call): Promise<object> {
  return await answerServiceGraph(call.reader, {
    ...rangeMembers(request),
    ...(await groupMembers(request, call)),
    signal: call.signal,
  });
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

/** Sampling with FixedRate returns that share of the traces; PartialScan is what paging does anyway. */
function samplingShare(request: JsonObject): number {
  if (request.get('Sampling') !== true) return 1;
  const strategy = objectMember(request, 'SamplingStrategy');
  if (!strategy || textMember(strategy, 'Name') !== 'FixedRate') return 1;
  const share = numberMember(strategy, 'Value') ?? 1;
  if (share >= 0 && share <= 1) return share;
  throw new RaybridgeError('INVALID_REQUEST', `SamplingStrategy.Value: expected a number from 0 to 1, got ${share}`);
}
