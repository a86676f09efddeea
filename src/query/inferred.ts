import type { JsonValue, SegmentDocument, SegmentNode } from '../model/index.ts';
import { toXrayTraceId } from '../model/index.ts';
import { hashText } from './hash.ts';
import { readObject, readText } from './members.ts';
import { toSegmentNode } from './node.ts';
import { tableNameOf } from './service.ts';
import { eachNode } from './walk.ts';

/** What an inferred segment takes over from the call, in the order in which X-Ray prints it. */
const copiedBefore = ['name', 'start_time', 'end_time', 'in_progress'] as const;
const copiedAfter = ['http', 'aws', 'sql', 'error', 'fault', 'throttle', 'cause', 'metadata'] as const;

/**
 * A segment for each call whose callee never reported: every subsegment of namespace `aws` or
 * `remote` that no segment names as its parent. Ids come from the trace id and the call's id alone,
 * so they stay the same each time the trace is assembled.
 */
export function inferSegments(traceId: string, segments: readonly SegmentNode[]): readonly SegmentNode[] {
  const answered = new Set(segments.filter(({ subsegment }) => !subsegment).map(({ parentId }) => parentId));
  const inferred: SegmentNode[] = [];
  for (const node of eachNode(segments)) {
    if (node.namespace !== undefined && !answered.has(node.id)) inferred.push(inferSegment(traceId, node));
  }
  return inferred;
}

function inferSegment(traceId: string, call: SegmentNode): SegmentNode {
  const id = hashText(`${traceId}${call.id}`);
  const document = new Map<string, JsonValue>([['id', id]]);
  copyMembers(call.document, document, copiedBefore);
  document.set('trace_id', toXrayTraceId(traceId)).set('parent_id', call.id).set('inferred', true);
  copyMembers(call.document, document, copiedAfter);
  const origin = originOf(call);
  if (origin !== undefined) document.set('origin', origin);
  const subsegments = origin === 'AWS::SQS::Queue' && isSend(call) ? [queueTimeOf(call, id)] : [];
  return toSegmentNode(
    { id, startTimeNs: call.startTimeNs, endTimeNs: call.endTimeNs, document },
    { parentId: call.id, subsegment: false, subsegments },
  );
}

/** Puts a message into a queue; others take from it or look at it. */
function isSend({ document }: SegmentNode): boolean {
  const operation = readText(readObject(document, 'aws'), 'operation');
  return operation === 'SendMessage' || operation === 'SendMessageBatch';
}

/** What X-Ray shows of a message's way through a queue: as long as the call, whenever it is received. */
function queueTimeOf(call: SegmentNode, queueId: string): SegmentNode {
  const id = hashText(`${queueId}QueueTime`);
  const document = new Map<string, JsonValue>([
    ['id', id],
    ['name', 'QueueTime'],
  ]);
  copyMembers(call.document, document, ['start_time', 'end_time', 'in_progress']);
  return toSegmentNode(
    { id, startTimeNs: call.startTimeNs, endTimeNs: call.endTimeNs, document },
    { parentId: queueId, subsegment: true, subsegments: [] },
  );
}

function copyMembers(from: SegmentDocument, to: Map<string, JsonValue>, names: readonly string[]): void {
  for (const name of names) {
    const value = from.get(name);
    if (value !== undefined) to.set(name, value);
  }
}

/** Undefined for a plain remote call, of which nothing is known but its name. */
function originOf({ name, namespace, document }: SegmentNode): string | undefined {
  if (namespace === 'remote') return readObject(document, 'sql') ? 'Database::SQL' : undefined;
  const aws = readObject(document, 'aws');
  if (name === 'DynamoDB' && tableNameOf(aws) !== undefined) return 'AWS::DynamoDB::Table';
  if (name === 'SQS' && readText(aws, 'queue_url') !== undefined) return 'AWS::SQS::Queue';
  if (name === 'S3' && readText(aws, 'bucket_name') !== undefined) return 'AWS::S3::Bucket';
  return `AWS::${name}`;
}
