import type { JsonValue, ReceiveDigest, SegmentNode, Trace } from '../model/index.ts';
import { secondsText, toXrayTraceId } from '../model/index.ts';
import { readList, readObject } from './members.ts';

/** What a consumer in another trace took from a call of this one. */
export interface Receive extends ReceiveDigest {
  readonly consumerTraceId: string;
}

/** X-Ray's quotas: links of a segment, and of a trace. */
const linksPerSegmentMax = 20;
export const linksPerTraceMax = 100;

const queueOrigins = new Set(['AWS::SQS::Queue', 'AWS::SQS', 'AWS::SNS', 'AWS::Events', 'AWS::Kinesis']);

/** Whether somebody else may have received what a call of this trace sent. */
export function mayBeReceived({ segments }: Trace): boolean {
  return segments.some(isQueueLike);
}

/** An inferred queue or topic; a plain remote call that is neither HTTP nor SQL may be one, too. */
function isQueueLike({ inferred, origin, document }: SegmentNode): boolean {
  if (!inferred) return false;
  if (origin !== undefined) return queueOrigins.has(origin);
  return readObject(document, 'http') === undefined && readObject(document, 'sql') === undefined;
}

/**
 * The trace with `child` links on its inferred queues, each to a consumer in another trace, as X-Ray
 * adds them (developer guide, "trace linking").
 */
export function linkConsumers(trace: Trace, receives: readonly Receive[]): Trace {
  const ofTrace = receives.filter(({ traceId }) => traceId === trace.traceId).slice(0, linksPerTraceMax);
  if (ofTrace.length === 0) return trace;
  const segments = trace.segments.map((segment) => {
    const own = ofTrace.filter(({ callId }) => segment.inferred && segment.parentId === callId);
    return own.length === 0 ? segment : withLinks(segment, own.slice(0, linksPerSegmentMax));
  });
  return { ...trace, segments };
}

function withLinks(segment: SegmentNode, receives: readonly Receive[]): SegmentNode {
  const links = [...readList(segment.document, 'links'), ...receives.map(toLink)];
  return { ...segment, document: new Map(segment.document).set('links', links) };
}

function toLink({ consumerTraceId, segmentId, service, receivedAtNs }: Receive): JsonValue {
  const attributes = new Map<string, JsonValue>([
    ['aws.xray.reserved.reference_type', 'child'],
    ['aws.xray.reserved.names', [service.name]],
  ]);
  if (service.type !== undefined) attributes.set('aws.xray.reserved.type', service.type);
  attributes.set('aws.xray.reserved.received_event_end_time', { literal: secondsText(receivedAtNs) });
  return new Map<string, JsonValue>([
    ['trace_id', toXrayTraceId(consumerTraceId)],
    ['id', segmentId],
    ['attributes', attributes],
  ]);
}
