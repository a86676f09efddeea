import { inspectSegment, joinSegments } from '../../codec/segment.ts';
import { RaybridgeError } from '../../errors.ts';
import { documentsPerCallMax, toXrayTraceId } from '../../model/index.ts';
import type { JsonObject } from '../../model/index.ts';
import type { Access } from '../../net/aws-json.ts';
import { answerGetSamplingRules, answerGetSamplingTargets } from '../../net/sampling-calls.ts';
import { createBatch } from '../../pipeline/batches.ts';
import type { Context, Intake } from '../../pipeline/component.ts';
import { answerServiceGraph, answerSummaries, answerTrace, answerTraceGraph } from '../../reader/index.ts';
import type { SummariesQuestion, TraceReader } from '../../reader/index.ts';
import {
  numberMember,
  objectListMember,
  objectMember,
  rangeMembers,
  textListMember,
  textMember,
  traceIdsMember,
} from './members.ts';

/** What the operations work with. */
export interface Backend {
  readonly context: Context;
  readonly intake: Intake;
  readonly reader: TraceReader;
}

/** One call, whose signal aborts when the client is gone. */
export interface Call extends Backend {
  readonly signal: AbortSignal;
}

/** One operation of the X-Ray API (2016-04-12): REST-JSON, POST on a fixed path. */
export interface Operation {
  readonly name: string;
  readonly access: Access;
  /** The answer, ready for JSON.stringify. */
  run(request: JsonObject, call: Call): Promise<object>;
}

/** By path. The paths of operations that this version does not answer stand in `unansweredPaths`. */
export const operations: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['/TraceSegments', { name: 'PutTraceSegments', access: 'write', run: putTraceSegments }],
  ['/TelemetryRecords', { name: 'PutTelemetryRecords', access: 'write', run: putTelemetryRecords }],
  ['/TraceSummaries', { name: 'GetTraceSummaries', access: 'read', run: getTraceSummaries }],
  ['/Traces', { name: 'BatchGetTraces', access: 'read', run: batchGetTraces }],
  ['/TraceGraph', { name: 'GetTraceGraph', access: 'read', run: getTraceGraph }],
  ['/ServiceGraph', { name: 'GetServiceGraph', access: 'read', run: getServiceGraph }],
  [
    '/GetSamplingRules',
    {
      name: 'GetSamplingRules',
      access: 'read',
      run: (request, { context }) => answerGetSamplingRules(context.sampling, request),
    },
  ],
  [
    '/SamplingTargets',
    {
      name: 'GetSamplingTargets',
      access: 'read',
      run: (request, { context }) => answerGetSamplingTargets(context.sampling, request),
    },
  ],
]);

/** Operations of the X-Ray API that a later version answers, by path; they get UnknownOperationException with the name. */
export const unansweredPaths: ReadonlyMap<string, string> = new Map([
  ['/CancelTraceRetrieval', 'CancelTraceRetrieval'],
  ['/CreateGroup', 'CreateGroup'],
  ['/CreateSamplingRule', 'CreateSamplingRule'],
  ['/DeleteGroup', 'DeleteGroup'],
  ['/DeleteResourcePolicy', 'DeleteResourcePolicy'],
  ['/DeleteSamplingRule', 'DeleteSamplingRule'],
  ['/EncryptionConfig', 'GetEncryptionConfig'],
  ['/GetGroup', 'GetGroup'],
  ['/Groups', 'GetGroups'],
  ['/GetIndexingRules', 'GetIndexingRules'],
  ['/Insight', 'GetInsight'],
  ['/InsightEvents', 'GetInsightEvents'],
  ['/InsightImpactGraph', 'GetInsightImpactGraph'],
  ['/InsightSummaries', 'GetInsightSummaries'],
  ['/GetRetrievedTracesGraph', 'GetRetrievedTracesGraph'],
  ['/SamplingStatisticSummaries', 'GetSamplingStatisticSummaries'],
  ['/TimeSeriesServiceStatistics', 'GetTimeSeriesServiceStatistics'],
  ['/GetTraceSegmentDestination', 'GetTraceSegmentDestination'],
  ['/ListResourcePolicies', 'ListResourcePolicies'],
  ['/ListRetrievedTraces', 'ListRetrievedTraces'],
  ['/ListTagsForResource', 'ListTagsForResource'],
  ['/PutEncryptionConfig', 'PutEncryptionConfig'],
  ['/PutResourcePolicy', 'PutResourcePolicy'],
  ['/StartTraceRetrieval', 'StartTraceRetrieval'],
  ['/TagResource', 'TagResource'],
  ['/UntagResource', 'UntagResource'],
  ['/UpdateGroup', 'UpdateGroup'],
  ['/UpdateIndexingRule', 'UpdateIndexingRule'],
  ['/UpdateSamplingRule', 'UpdateSamplingRule'],
  ['/UpdateTraceSegmentDestination', 'UpdateTraceSegmentDestination'],
]);

/** Summaries on one page. AWS publishes no number. */
const summariesPerPage = 100;
/** AWS API reference, BatchGetTraces. */
const traceIdsPerBatchMax = 5;
/** AWS publishes no limit for GetTraceGraph; this one bounds the work of a call. */
const traceIdsPerGraphMax = 100;

async function putTraceSegments(request: JsonObject, { context, intake }: Call): Promise<object> {
  // The list is read without a limit so that this very message, which clients look for, can be given.
  const texts = textListMember(request, 'TraceSegmentDocuments', Infinity);
  if (texts.length > documentsPerCallMax) {
    throw new RaybridgeError('INVALID_REQUEST', `Exceeding maximum segment count: ${documentsPerCallMax}`);
  }

  const labels = { receiver: context.id };
  const accepted: Uint8Array[] = [];
  const unprocessed: object[] = [];
  for (const text of texts) {
    const inspected = inspectSegment(text);
    if (inspected.ok) {
      for (const document of inspected.documents) accepted.push(document);
      continue;
    }
    const { id, errorCode, message } = inspected;
    unprocessed.push({ ...(id === undefined ? {} : { Id: id }), ErrorCode: errorCode, Message: message });
    context.telemetry.count('raybridge_rejected_total', { ...labels, reason: errorCode });
    context.status.reject({ component: context.id, atNs: context.nowNs(), reason: message, sample: text });
  }

  context.telemetry.count('raybridge_received_spans_total', labels, accepted.length);
  if (accepted.length > 0) {
    const body = joinSegments(accepted);
    await intake.consume(
      createBatch({ format: 'xray_segments', body, items: accepted.length, receivedAtNs: context.nowNs() }),
    );
    context.telemetry.count('raybridge_accepted_spans_total', labels, accepted.length);
  }
  return { UnprocessedTraceSegments: unprocessed };
}

/** The counts of other daemons. Checked and logged; nothing reads them yet. */
async function putTelemetryRecords(request: JsonObject, { context }: Call): Promise<object> {
  const records = objectListMember(request, 'TelemetryRecords');
  context.log.debug(
    { hostname: textMember(request, 'Hostname'), records: records.length },
    'telemetry records received',
  );
  return {};
}

async function getTraceSummaries(request: JsonObject, { reader, signal }: Call): Promise<object> {
  return await answerSummaries(reader, {
    ...rangeMembers(request),
    by: timeRangeType(textMember(request, 'TimeRangeType')),
    share: samplingShare(request),
    limit: summariesPerPage,
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

async function getServiceGraph(request: JsonObject, { reader, signal }: Call): Promise<object> {
  const range = rangeMembers(request);
  const group = textMember(request, 'GroupName') ?? textMember(request, 'GroupARN');
  if (group !== undefined && !defaultGroupPattern.test(group)) {
    throw new RaybridgeError(
      'INVALID_REQUEST',
      `GroupName: expected Default, the only group of this version, got "${group}"`,
    );
  }
  return await answerServiceGraph(reader, { ...range, signal });
}

/** The name or ARN of the default group, which holds all traces. */
const defaultGroupPattern = /^(arn:aws[a-z-]*:xray:[^:]*:[^:]*:group\/)?Default$/;

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
