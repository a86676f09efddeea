import { z } from 'zod';

/** What a key may do. `write` is what an agent needs, `read` is for who looks, `admin` may do everything. */
export const role = z.enum(['write', 'read', 'admin']);

export type Role = z.output<typeof role>;

/** What OTLP is to permissions, as AWS has it; the others are names of operations. */
export const putSpans = 'PutSpans';

/** Unknown actions are for admins only. */
export function permits(role: Role, action: string): boolean {
  switch (role) {
    case 'write':
      return agentActions.has(action);
    case 'read':
      return readActionPattern.test(action);
    case 'admin':
      return true;
  }
}

/** Whether only an admin may do it, because it changes more than what is recorded. */
export function changesState(action: string): boolean {
  return !permits('write', action) && !permits('read', action);
}

/** As in AWS's policy for the daemon, AWSXRayDaemonWriteAccess, and OTLP. */
const agentActions: ReadonlySet<string> = new Set([
  'PutTraceSegments',
  'PutTelemetryRecords',
  putSpans,
  'GetSamplingRules',
  'GetSamplingTargets',
  'GetSamplingStatisticSummaries',
]);

/** A trace retrieval is how spans are listed; it changes nothing. */
const readActionPattern = /^(BatchGet|Get|List)[A-Z]|^(Start|Cancel)TraceRetrieval$/;
