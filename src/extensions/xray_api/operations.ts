import type { Operation } from './operation.ts';
import { accountOperations } from './operations/account.ts';
import { groupOperations } from './operations/groups.ts';
import { policyOperations } from './operations/policies.ts';
import { retrievalOperations } from './operations/retrievals.ts';
import { samplingOperations } from './operations/sampling.ts';
import { segmentOperations } from './operations/segments.ts';
import { tagOperations } from './operations/tags.ts';
import { traceOperations } from './operations/traces.ts';

/** By path. The paths of operations that this version does not answer stand in `unansweredPaths`. */
export const operations: ReadonlyMap<string, Operation> = new Map([
  ...segmentOperations,
  ...traceOperations,
  ...samplingOperations,
  ...groupOperations,
  ...tagOperations,
  ...policyOperations,
  ...accountOperations,
  ...retrievalOperations,
]);

/** Operations of the X-Ray API that a later version answers, by path; they get UnknownOperationException with the name. */
export const unansweredPaths: ReadonlyMap<string, string> = new Map([
  ['/Insight', 'GetInsight'],
  ['/InsightEvents', 'GetInsightEvents'],
  ['/InsightImpactGraph', 'GetInsightImpactGraph'],
  ['/InsightSummaries', 'GetInsightSummaries'],
]);
