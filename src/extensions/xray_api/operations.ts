import type { Operation } from './operation.ts';
import { accountOperations } from './operations/account.ts';
import { groupOperations } from './operations/groups.ts';
import { insightOperations } from './operations/insights.ts';
import { policyOperations } from './operations/policies.ts';
import { retrievalOperations } from './operations/retrievals.ts';
import { samplingOperations } from './operations/sampling.ts';
import { segmentOperations } from './operations/segments.ts';
import { tagOperations } from './operations/tags.ts';
import { traceOperations } from './operations/traces.ts';

/** Every operation of the X-Ray API (2016-04-12), by path. */
export const operations: ReadonlyMap<string, Operation> = new Map([
  ...segmentOperations,
  ...traceOperations,
  ...samplingOperations,
  ...groupOperations,
  ...insightOperations,
  ...tagOperations,
  ...policyOperations,
  ...accountOperations,
  ...retrievalOperations,
]);
