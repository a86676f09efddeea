import type { JsonObject, SegmentDocument } from '../model/index.ts';
import { isJsonArray, isJsonObject, parseSpanId } from '../model/index.ts';
import type { SplitRole } from './envelope.ts';
import { readEnvelope, readResourceHash, readRole } from './envelope.ts';
import type { SpanIdentity } from './identity.ts';
import { identify, readForm } from './identity.ts';
import type { ServiceNames } from './service-names.ts';
import { createServiceNames } from './service-names.ts';

/**
 * The documents of one call, before any is read: who each is, and to
 * which service those belong that do not say it.
 */

/** A member of a document that did not come through the conversion as it was. */
export interface ConversionProblem {
  /** RFC 6901, into the list of documents: `/3/subsegments/0/http/response/status`. */
  readonly pointer: string;
  readonly reason: string;
  /** `document` when no span could be made of it; `member` when it could, without this member of it. */
  readonly lost: 'document' | 'member';
}

/** A document that is no element of `subsegments`. */
export interface Top extends SpanIdentity {
  readonly document: SegmentDocument;
  readonly pointer: string;
  readonly envelope: JsonObject | undefined;
  readonly role: SplitRole | undefined;
  /** Of a resource that another document carries. */
  readonly resourceHash: string | undefined;
}

/** A document whose resource is to be found in another one. */
export interface NamingTop extends Top {
  readonly resourceHash: string;
}

export function isNaming(top: Top): top is NamingTop {
  return top.resourceHash !== undefined;
}

export function openTop(document: SegmentDocument, pointer: string, problems: ConversionProblem[]): readonly Top[] {
  const identity = identify(document);
  if (!identity) {
    problems.push({ pointer, reason: 'expected a trace id and a start', lost: 'document' });
    return [];
  }
  const envelope = readEnvelope(document);
  const { traceId, spanId, parentSpanId, startTimeNs } = identity;
  const role = envelope && readRole(envelope);
  const resourceHash = envelope && readResourceHash(envelope);
  return [{ traceId, spanId, parentSpanId, startTimeNs, document, pointer, envelope, role, resourceHash }];
}

export function ownKey({ traceId, spanId }: SpanIdentity): string {
  return traceId + spanId;
}

export function parentKey({ traceId, parentSpanId = '' }: SpanIdentity): string {
  return traceId + parentSpanId;
}

/** Notes the service of every document, and gives that of a subsegment which came alone. */
export function learnServices(tops: readonly Top[], known: ServiceNames | undefined): (top: Top) => string | undefined {
  const alone = tops.filter(({ document }) => readForm(document) === 'subsegment');
  if (alone.length === 0 && !known) return () => undefined;
  const names = known ?? createServiceNames({ entriesMax: Number.POSITIVE_INFINITY });
  const serviceAbove = ({ traceId, parentSpanId }: Top): string | undefined =>
    parentSpanId === undefined ? undefined : names.get(traceId, parentSpanId);

  const waiting = byParent(alone);
  const queue: { readonly document: JsonObject; readonly traceId: string; readonly service: string }[] = [];
  for (const top of tops) {
    const isAlone = readForm(top.document) === 'subsegment';
    const service = isAlone ? serviceAbove(top) : top.document.get('name');
    if (typeof service === 'string' && service !== '') queue.push({ ...top, service });
  }
  for (let item = queue.pop(); item; item = queue.pop()) {
    const { document, traceId, service } = item;
    const text = document.get('id');
    const id = typeof text === 'string' ? parseSpanId(text) : undefined;
    if (id !== undefined) {
      names.set(traceId, id, service);
      for (const below of waiting.get(traceId + id) ?? []) queue.push({ ...below, service });
      waiting.delete(traceId + id);
    }
    const children = document.get('subsegments');
    for (const child of isJsonArray(children) ? children : [])
      if (isJsonObject(child)) queue.push({ document: child, traceId, service });
  }
  return (top) => (readForm(top.document) === 'subsegment' ? serviceAbove(top) : undefined);
}

function byParent(tops: readonly Top[]): Map<string, Top[]> {
  const groups = new Map<string, Top[]>();
  for (const top of tops) {
    const siblings = groups.get(parentKey(top));
    if (siblings) siblings.push(top);
    else groups.set(parentKey(top), [top]);
  }
  return groups;
}
