import type { Operation } from './operation.ts';
import { samplingOperations } from './operations/sampling.ts';
import { segmentOperations } from './operations/segments.ts';
import { traceOperations } from './operations/traces.ts';

/** By path. The paths of operations that this version does not answer stand in `unansweredPaths`. */
export const operations: ReadonlyMap<string, Operation> = new Map([
  ...segmentOperations,
  ...traceOperations,
  ...samplingOperations,
]);

/** Operations of the X-Ray API that a later version answers, by path; they get UnknownOperationException with the name. */
export const unansweredPaths: ReadonlyMap<string, string> = new Map([
  ['/CancelTraceRetrieval', 'CancelTraceRetrieval'],
  ['/CreateGroup', 'CreateGroup'],
  ['/DeleteGroup', 'DeleteGroup'],
  ['/DeleteResourcePolicy', 'DeleteResourcePolicy'],
  ['/EncryptionConfig', 'GetEncryptionConfig'],
  ['/GetGroup', 'GetGroup'],
  ['/Groups', 'GetGroups'],
  ['/GetIndexingRules', 'GetIndexingRules'],
  ['/Insight', 'GetInsight'],
  ['/InsightEvents', 'GetInsightEvents'],
  ['/InsightImpactGraph', 'GetInsightImpactGraph'],
  ['/InsightSummaries', 'GetInsightSummaries'],
  ['/GetRetrievedTracesGraph', 'GetRetrievedTracesGraph'],
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
  ['/UpdateTraceSegmentDestination', 'UpdateTraceSegmentDestination'],
]);
