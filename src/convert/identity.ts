import type { Attributes, JsonObject, JsonValue, Span } from '../model/index.ts';
import {
  isJsonNumber,
  isJsonObject,
  parseSpanId,
  parseTime,
  parseTraceId,
  secondsText,
  SpanKind,
  toXrayTraceId,
} from '../model/index.ts';
import { isAwsCall } from './aws.ts';
import { derivedId } from './ids.ts';
import type { DocumentForm, DocumentView, Report, SpanView } from './section.ts';
import { rootPlace, setAttribute, showFlag, showText, showTexts, textAt, textsAt, trueAt } from './section.ts';

/**
 * Ids, times, kind and place in the trace (AWS X-Ray developer guide, "segment fields" and
 * "subsegments").
 */

/**
 * Whose documents a span becomes. `auto`: ours, a segment where a span opens a service, with a
 * dependency split off where it is a call. `collector`: those of the OpenTelemetry Collector's
 * exporter, see `collector/`.
 */
export type SegmentPolicy = 'auto' | 'collector';

/** Both parent-is-remote bits of the flags: known, and true. */
const parentIsRemote = 0x300;

/**
 * The form of the document a span becomes. `split` means two: a segment for the calling service and
 * a subsegment for its call, because X-Ray draws a node for segments only.
 */
export function formOf(span: Span, policy: SegmentPolicy): 'segment' | 'subsegment' | 'split' {
  const isCall = span.kind === SpanKind.client || span.kind === SpanKind.producer;
  if (policy === 'collector') return collectorForm(span);
  if (!isLocalRoot(span) && !opensService(span)) return 'subsegment';
  return isCall ? 'split' : 'segment';
}

/** AWS's distributions of the OpenTelemetry SDKs mark the span with which a service begins its part of the trace. */
export function isLocalRoot({ attributes }: Pick<Span, 'attributes'>): boolean {
  return attributes.get('aws.span.kind') === 'LOCAL_ROOT';
}

function opensService(span: Span): boolean {
  if (span.kind === SpanKind.server || span.kind === SpanKind.consumer) return true;
  return span.parentSpanId === undefined || (span.flags & parentIsRemote) === parentIsRemote;
}

function collectorForm(span: Span): 'segment' | 'subsegment' | 'split' {
  const { kind } = span;
  if (isLocalRoot(span)) return kind === SpanKind.server || kind === SpanKind.internal ? 'segment' : 'split';
  return isCollectorSegment(span) ? 'segment' : 'subsegment';
}

/** By kind and parent alone: what the exporter does before it asks for local roots. */
export function isCollectorSegment({ kind, parentSpanId }: Pick<Span, 'kind' | 'parentSpanId'>): boolean {
  return kind === SpanKind.server || kind === SpanKind.consumer || parentSpanId === undefined;
}

/** `id` to `precursor_ids`: who the document is, when it was, where it stands. */
export function writeIdentity(view: SpanView): Readonly<Record<string, JsonValue | undefined>> {
  const { span, form } = view;
  const hasEnded = span.endTimeNs !== 0n;
  if (!hasEnded) showFlag(view, 'aws.xray.inprogress');
  if (view.attributes.get('aws.xray.trace_id') === toXrayTraceId(span.traceId)) view.shown.add('aws.xray.trace_id');
  if (view.attributes.get('aws.xray.segment_id') === span.spanId) view.shown.add('aws.xray.segment_id');
  return {
    id: span.spanId,
    trace_id: form === 'embedded' ? undefined : toXrayTraceId(span.traceId),
    parent_id: form === 'embedded' ? undefined : span.parentSpanId,
    type: form === 'subsegment' ? 'subsegment' : undefined,
    start_time: { literal: secondsText(span.startTimeNs) },
    end_time: hasEnded ? { literal: secondsText(span.endTimeNs) } : undefined,
    in_progress: hasEnded ? undefined : true,
    inferred: form === 'segment' && showFlag(view, 'aws.xray.inferred') ? true : undefined,
    namespace:
      form === 'segment'
        ? undefined
        : (showText(view, 'aws.xray.namespace') ?? namespaceOf(span.kind, view.attributes)),
    traced: showFlag(view, 'aws.xray.traced') ? true : undefined,
    precursor_ids: showTexts(view, 'aws.xray.precursor_ids'),
  };
}

/** `aws` on calls of AWS services, `remote` on any other call, nothing on work inside the service. */
function namespaceOf(kind: number, attributes: Attributes): string | undefined {
  if (kind !== SpanKind.client && kind !== SpanKind.producer) return undefined;
  return isAwsCall(attributes) ? 'aws' : 'remote';
}

export function readIdentity(view: DocumentView): void {
  const place = rootPlace(view);
  setAttribute(view.attributes, 'aws.xray.precursor_ids', textsAt(view, place, 'precursor_ids'));
  setAttribute(view.attributes, 'aws.xray.traced', trueAt(view, place, 'traced'));
  if (view.form === 'segment') setAttribute(view.attributes, 'aws.xray.inferred', trueAt(view, place, 'inferred'));
  // The end alone says whether a document is in progress; a flag that is none is told all the same.
  trueAt(view, place, 'in_progress');
  textAt(view, place, 'type');
  if (view.endTimeNs === 0n) view.attributes.set('aws.xray.inprogress', true);
}

/** Who a span is and when it began; what a document alone says of it. */
export interface SpanIdentity {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly startTimeNs: bigint;
}

/**
 * The identity of a document that is no element of `subsegments`; undefined when it has no trace id
 * or no time at all. An id that cannot be read is replaced by one made of the others.
 */
export function identify(document: JsonObject): SpanIdentity | undefined {
  const traceId = parseTraceId(memberText(document, 'trace_id'));
  const startTimeNs = readTime(document, 'start_time') ?? readTime(document, 'end_time');
  if (!traceId || startTimeNs === undefined) return undefined;
  const parentSpanId = parseSpanId(memberText(document, 'parent_id'));
  // Documents without ids differ in what they are and when, or they are the same.
  const path = `${memberText(document, 'name')} ${startTimeNs}`;
  const spanId = parseSpanId(memberText(document, 'id')) ?? placeId({ traceId, parentSpanId, path });
  return { traceId, spanId, parentSpanId, startTimeNs };
}

/** An id for a document that has none of its own: made of where it stands. */
export function placeId(place: {
  readonly traceId: string;
  readonly parentSpanId: string | undefined;
  /** Pointer from the top document to this one, or what tells a top document from others. */
  readonly path: string;
}): string {
  return derivedId(place.traceId, place.parentSpanId ?? '', place.path);
}

function memberText(document: JsonObject, name: string): string {
  const value = document.get(name);
  return typeof value === 'string' ? value : '';
}

/** Keeps a namespace that the kind would not lead back to, such as `local`. Runs when the attributes are known. */
export function readNamespace(view: DocumentView): void {
  if (view.form === 'segment') return;
  const namespace = textAt(view, rootPlace(view), 'namespace');
  if (namespace === namespaceOf(view.kind, view.attributes)) return;
  setAttribute(view.attributes, 'aws.xray.namespace', namespace);
}

/** Nanoseconds of a time member; undefined when it is absent, no number, negative or past the 64 bits of OTLP. */
function readTime(document: JsonObject, name: 'start_time' | 'end_time'): bigint | undefined {
  const value = document.get(name);
  return isJsonNumber(value) ? parseTime(value.literal) : undefined;
}

/** Start and end; the end is 0n while the document is in progress. */
export function readTimes(
  document: JsonObject,
  fallbackStartNs: bigint,
  report: Report,
): { readonly startTimeNs: bigint; readonly endTimeNs: bigint } {
  const startTimeNs = readTime(document, 'start_time');
  const endTimeNs = readTime(document, 'end_time');
  if (startTimeNs === undefined && document.has('start_time')) report('/start_time', 'expected epoch seconds');
  if (endTimeNs === undefined && document.has('end_time')) report('/end_time', 'expected epoch seconds');
  return { startTimeNs: startTimeNs ?? fallbackStartNs, endTimeNs: endTimeNs ?? 0n };
}

/** Operations of AWS services that put a message somewhere. */
export const producingOperations: ReadonlySet<JsonValue | undefined> = new Set([
  'SendMessage',
  'SendMessageBatch',
  'Publish',
  'PublishBatch',
  'PutEvents',
  'PutRecord',
  'PutRecords',
]);

/** The span kind that a document stands for. */
export function readKind(document: JsonObject, form: DocumentForm): number {
  if (form === 'segment') return isFedByStream(document) ? SpanKind.consumer : SpanKind.server;
  const namespace = document.get('namespace');
  if (namespace === 'aws') {
    const operation = memberOf(document.get('aws'), 'operation');
    return producingOperations.has(operation) ? SpanKind.producer : SpanKind.client;
  }
  if (namespace === 'remote' || isJsonObject(document.get('sql'))) return SpanKind.client;
  const traced = memberOf(memberOf(document.get('http'), 'request'), 'traced');
  return traced === true ? SpanKind.client : SpanKind.internal;
}

/** X-Ray infers segments for the queues and streams that a producer wrote to. */
function isFedByStream(document: JsonObject): boolean {
  const origin = document.get('origin');
  if (document.get('inferred') !== true || typeof origin !== 'string') return false;
  return origin.startsWith('AWS::SQS') || origin.startsWith('AWS::Kinesis');
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) ? value.get(name) : undefined;
}

/** The form of a document that is no element of `subsegments`. */
export function readForm(document: JsonObject): 'segment' | 'subsegment' {
  const type = document.get('type');
  return typeof type === 'string' && type.toLowerCase() === 'subsegment' ? 'subsegment' : 'segment';
}
