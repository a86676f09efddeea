import type {
  Attributes,
  AttributeValue,
  EntityRef,
  Resource,
  Scope,
  Span,
  SpanEvent,
  SpanLink,
  SpanStatus,
} from '../model/index.ts';
import type { ScopeGroup, TracesInspection, TracesResponse } from './otlp.ts';
import { attributeDepthMax } from '../model/index.ts';
import { addDropped, groupSpans, itemsMax, noAttributes, noEvents, noLinks } from './otlp.ts';
import type { Tally } from './protobuf-check.ts';
import { checkMessage, defineShapes } from './protobuf-check.ts';
import { ProtoReader, ProtoWriter } from './protobuf.ts';
import { isAscii } from './utf8.ts';

/**
 * OTLP traces in protobuf (opentelemetry-proto 1.x: collector/trace/v1, trace/v1, resource/v1,
 * common/v1). Tags are written as numbers, 0x0a for field 1 with a length. Decoding and encoding of a
 * message stand together.
 *
 * Rules of `decodeTraces` that the protocol leaves open: of attributes with the same key the last
 * one counts; an attribute without a value and one with an empty value are both `undefined`; a
 * parent span id that is not 8 bytes or is zero is no parent.
 */

/** Field number, name, and what it holds. Deprecated and later fields are not named, hence skipped. */
const shapes = defineShapes(
  {
    TracesData: [[1, 'resource_spans', 'ResourceSpans']],
    ResourceSpans: [
      [1, 'resource', 'Resource'],
      [2, 'scope_spans', 'ScopeSpans'],
      [3, 'schema_url', 'string'],
    ],
    Resource: [
      [1, 'attributes', 'KeyValue'],
      [2, 'dropped_attributes_count', 'varint'],
      [3, 'entity_refs', 'EntityRef'],
    ],
    EntityRef: [
      [1, 'schema_url', 'string'],
      [2, 'type', 'string'],
      [3, 'id_keys', 'string'],
      [4, 'description_keys', 'string'],
    ],
    ScopeSpans: [
      [1, 'scope', 'InstrumentationScope'],
      [2, 'spans', 'Span'],
      [3, 'schema_url', 'string'],
    ],
    InstrumentationScope: [
      [1, 'name', 'string'],
      [2, 'version', 'string'],
      [3, 'attributes', 'KeyValue'],
      [4, 'dropped_attributes_count', 'varint'],
    ],
    Span: [
      [1, 'trace_id', 'traceId'],
      [2, 'span_id', 'spanId'],
      [3, 'trace_state', 'string'],
      [4, 'parent_span_id', 'bytes'],
      [5, 'name', 'string'],
      [6, 'kind', 'varint'],
      [7, 'start_time_unix_nano', 'fixed64'],
      [8, 'end_time_unix_nano', 'fixed64'],
      [9, 'attributes', 'KeyValue'],
      [10, 'dropped_attributes_count', 'varint'],
      [11, 'events', 'Event'],
      [12, 'dropped_events_count', 'varint'],
      [13, 'links', 'Link'],
      [14, 'dropped_links_count', 'varint'],
      [15, 'status', 'Status'],
      [16, 'flags', 'fixed32'],
    ],
    Event: [
      [1, 'time_unix_nano', 'fixed64'],
      [2, 'name', 'string'],
      [3, 'attributes', 'KeyValue'],
      [4, 'dropped_attributes_count', 'varint'],
    ],
    Link: [
      [1, 'trace_id', 'traceId'],
      [2, 'span_id', 'spanId'],
      [3, 'trace_state', 'string'],
      [4, 'attributes', 'KeyValue'],
      [5, 'dropped_attributes_count', 'varint'],
      [6, 'flags', 'fixed32'],
    ],
    Status: [
      [2, 'message', 'string'],
      [3, 'code', 'varint'],
    ],
    KeyValue: [
      [1, 'key', 'string'],
      [2, 'value', 'AnyValue'],
    ],
    AnyValue: [
      [1, 'string_value', 'string'],
      [2, 'bool_value', 'varint'],
      [3, 'int_value', 'varint'],
      [4, 'double_value', 'fixed64'],
      [5, 'array_value', 'ArrayValue'],
      [6, 'kvlist_value', 'KeyValueList'],
      [7, 'bytes_value', 'bytes'],
    ],
    ArrayValue: [[1, 'values', 'AnyValue']],
    KeyValueList: [[1, 'values', 'KeyValue']],
  },
  { nests: 'AnyValue', usual: { KeyValue: countUsualAttribute } },
);

const responseShapes = defineShapes({
  ExportTraceServiceResponse: [[1, 'partial_success', 'ExportTracePartialSuccess']],
  ExportTracePartialSuccess: [
    [1, 'rejected_spans', 'varint'],
    [2, 'error_message', 'string'],
  ],
});

/**
 * Checks an ExportTraceServiceRequest (the same bytes as TracesData) without decoding it: lengths,
 * wire types, nesting, UTF-8, and the ids of each span and link.
 * @throws RaybridgeError BAD_INPUT when the bytes cannot be decoded, naming byte and field.
 */
export function inspectTraces(bytes: Uint8Array): TracesInspection {
  const tally = checkTraces(bytes);
  const rejected = tally.unidentified[shapes.Span.index] ?? 0;
  return {
    spans: tally.messages[shapes.Span.index] ?? 0,
    rejected,
    reason: rejected === 0 ? undefined : `Span.${tally.reasons[shapes.Span.index]}`,
    droppedLinks: tally.unidentified[shapes.Link.index] ?? 0,
  };
}

/**
 * The spans of an ExportTraceServiceRequest in their order, without those that `inspectTraces`
 * counts as rejected. Spans of one ResourceSpans share the resource object, those of one ScopeSpans
 * the scope object. Nothing decoded points into `bytes`.
 * @throws RaybridgeError BAD_INPUT as `inspectTraces` does.
 */
export function decodeTraces(bytes: Uint8Array): readonly Span[] {
  checkTraces(bytes);
  const reader = new ProtoReader(bytes);
  const spans: Span[] = [];
  while (reader.pos < reader.bytes.length) {
    const tag = reader.tag();
    if (tag === 0x0a) readResourceSpans(reader, spans);
    else reader.skip(tag);
  }
  return spans;
}

/** The bytes that `decodeTraces` turns into the same spans; equal resources are one only if they are the same object. */
export function encodeTraces(spans: readonly Span[]): Uint8Array {
  const writer = new ProtoWriter();
  for (const { resource, scopes } of groupSpans(spans)) {
    const mark = writer.begin(0x0a, groupLengthBytes);
    writeResource(writer, resource);
    for (const group of scopes) writeScopeSpans(writer, group);
    if (resource.schemaUrl !== '') writer.textField(0x1a, resource.schemaUrl);
    writer.end(mark, groupLengthBytes);
  }
  return writer.finish();
}

/** An ExportTraceServiceResponse. Its `partial_success` is unset when nothing was rejected and nothing is to be said. */
export function encodeTracesResponse(response: TracesResponse): Uint8Array {
  const writer = new ProtoWriter();
  if (response.rejected === 0 && response.message === '') return writer.finish();
  const mark = writer.begin(0x0a, 1);
  if (response.rejected !== 0) writer.varintField(0x08, response.rejected);
  if (response.message !== '') writer.textField(0x12, response.message);
  writer.end(mark, 1);
  return writer.finish();
}

/** A response holds two; whoever sends hundreds is not answering. */
const responseMessagesMax = 100;

/** @throws RaybridgeError BAD_INPUT. */
export function decodeTracesResponse(bytes: Uint8Array): TracesResponse {
  checkMessage(bytes, {
    shape: responseShapes.ExportTraceServiceResponse,
    format: 'OTLP response',
    nestingMax: 0,
    messagesMax: responseMessagesMax,
  });
  const reader = new ProtoReader(bytes);
  let response: TracesResponse = { rejected: 0, message: '' };
  while (reader.pos < reader.bytes.length) {
    const tag = reader.tag();
    if (tag === 0x0a) response = readPartialSuccess(reader);
    else reader.skip(tag);
  }
  return response;
}

function readPartialSuccess(reader: ProtoReader): TracesResponse {
  const end = reader.messageEnd();
  let rejected = 0;
  let message = '';
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === 0x08) rejected = Number(reader.int64());
    else if (tag === 0x12) message = reader.text();
    else reader.skip(tag);
  }
  return { rejected, message };
}

/**
 * How many messages an attribute is, when it is a key and then a value that is no map and no bytes,
 * short enough that a length takes one byte, and with text in ASCII: what nearly all attributes are.
 * 0 for the others. It takes a third of the time of the walk, and attributes are most of a span.
 */
function countUsualAttribute(view: DataView, start: number, end: number): number {
  const size = end - start;
  if (size < 6 || size > 0x7f || view.getUint8(start) !== 0x0a) return 0;
  const value = start + 2 + view.getUint8(start + 1);
  if (value + 4 > end || view.getUint8(value) !== 0x12 || value + 2 + view.getUint8(value + 1) !== end) return 0;
  const tag = view.getUint8(value + 2);
  const content = value + 3;
  // Tags and lengths are ASCII themselves, so one look at all of it is enough.
  if (tag === 0x0a) return content + 1 + view.getUint8(content) === end && isAscii(view, start, end) ? 2 : 0;
  if (tag === 0x18 || tag === 0x10) return isVarint(view, content, end) && isAscii(view, start, value) ? 2 : 0;
  if (tag === 0x21) return content + 8 === end && isAscii(view, start, value) ? 2 : 0;
  if (tag !== 0x2a || content + 1 + view.getUint8(content) !== end) return 0;
  const elements = countStrings(view, content + 1, end);
  return elements > 0 && isAscii(view, start, end) ? 3 + elements : 0;
}

/** How many elements an ArrayValue has, when all are strings whose length takes one byte; otherwise 0. */
function countStrings(view: DataView, start: number, end: number): number {
  let count = 0;
  let pos = start;
  while (pos + 4 <= end && view.getUint8(pos) === 0x0a && view.getUint8(pos + 2) === 0x0a) {
    const length = view.getUint8(pos + 1);
    if (view.getUint8(pos + 3) !== length - 2) return 0;
    pos += 2 + length;
    count += 1;
  }
  return pos === end ? count : 0;
}

/** True when `[start, end)` is one varint of up to four bytes. */
function isVarint(view: DataView, start: number, end: number): boolean {
  if (end - start > 4) return false;
  for (let i = start; i < end - 1; i++) if (view.getUint8(i) < 0x80) return false;
  return view.getUint8(end - 1) < 0x80;
}

function checkTraces(bytes: Uint8Array): Tally {
  return checkMessage(bytes, {
    shape: shapes.TracesData,
    format: 'OTLP protobuf',
    nestingMax: attributeDepthMax,
    messagesMax: itemsMax,
  });
}

/** Usual sizes of the lengths of messages, so that their content rarely moves. */
const groupLengthBytes = 3;
const spanLengthBytes = 2;

export type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Spans point at the resource before all of it is known, because its schema URL stands after them. */
function readResourceSpans(reader: ProtoReader, spans: Span[]): void {
  const end = reader.messageEnd();
  const resource: Mutable<Resource> = {
    attributes: noAttributes,
    droppedAttributesCount: 0,
    schemaUrl: '',
    entityRefs: [],
  };
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === 0x0a) readResource(reader, resource);
    else if (tag === 0x12) readScopeSpans(reader, resource, spans);
    else if (tag === 0x1a) resource.schemaUrl = reader.text();
    else reader.skip(tag);
  }
}

export function readResource(reader: ProtoReader, resource: Mutable<Resource>): void {
  const end = reader.messageEnd();
  const attributes = new Map<string, AttributeValue>();
  const entityRefs: EntityRef[] = [];
  let droppedAttributesCount = 0;
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === 0x0a) readAttribute(reader, attributes);
    else if (tag === 0x10) droppedAttributesCount = reader.uint32();
    else if (tag === 0x1a) entityRefs.push(readEntityRef(reader));
    else reader.skip(tag);
  }
  resource.attributes = attributes;
  resource.droppedAttributesCount = droppedAttributesCount;
  resource.entityRefs = entityRefs;
}

/** Field `resource` of ResourceSpans. */
export function writeResource(writer: ProtoWriter, resource: Resource): void {
  const mark = writer.begin(0x0a, spanLengthBytes);
  writeAttributes(writer, 0x0a, resource.attributes);
  if (resource.droppedAttributesCount !== 0) writer.varintField(0x10, resource.droppedAttributesCount);
  for (const entityRef of resource.entityRefs) writeEntityRef(writer, entityRef);
  writer.end(mark, spanLengthBytes);
}

function readEntityRef(reader: ProtoReader): EntityRef {
  const end = reader.messageEnd();
  const idKeys: string[] = [];
  const descriptionKeys: string[] = [];
  let schemaUrl = '';
  let type = '';
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === 0x0a) schemaUrl = reader.text();
    else if (tag === 0x12) type = reader.text();
    else if (tag === 0x1a) idKeys.push(reader.text());
    else if (tag === 0x22) descriptionKeys.push(reader.text());
    else reader.skip(tag);
  }
  return { schemaUrl, type, idKeys, descriptionKeys };
}

function writeEntityRef(writer: ProtoWriter, entityRef: EntityRef): void {
  const mark = writer.begin(0x1a, 1);
  if (entityRef.schemaUrl !== '') writer.textField(0x0a, entityRef.schemaUrl);
  if (entityRef.type !== '') writer.textField(0x12, entityRef.type);
  for (const key of entityRef.idKeys) writer.textField(0x1a, key);
  for (const key of entityRef.descriptionKeys) writer.textField(0x22, key);
  writer.end(mark, 1);
}

function readScopeSpans(reader: ProtoReader, resource: Resource, spans: Span[]): void {
  const end = reader.messageEnd();
  const scope: Mutable<Scope> = {
    name: '',
    version: '',
    attributes: noAttributes,
    droppedAttributesCount: 0,
    schemaUrl: '',
  };
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === 0x0a) readScope(reader, scope);
    else if (tag === 0x12) {
      const span = readSpan(reader, resource, scope);
      if (span !== undefined) spans.push(span);
    } else if (tag === 0x1a) scope.schemaUrl = reader.text();
    else reader.skip(tag);
  }
}

function writeScopeSpans(writer: ProtoWriter, group: ScopeGroup): void {
  const mark = writer.begin(0x12, groupLengthBytes);
  writeScope(writer, group.scope);
  for (const span of group.spans) writeSpan(writer, span);
  if (group.scope.schemaUrl !== '') writer.textField(0x1a, group.scope.schemaUrl);
  writer.end(mark, groupLengthBytes);
}

export function readScope(reader: ProtoReader, scope: Mutable<Scope>): void {
  const end = reader.messageEnd();
  const attributes = new Map<string, AttributeValue>();
  let name = '';
  let version = '';
  let droppedAttributesCount = 0;
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === 0x0a) name = reader.text();
    else if (tag === 0x12) version = reader.text();
    else if (tag === 0x1a) readAttribute(reader, attributes);
    else if (tag === 0x20) droppedAttributesCount = reader.uint32();
    else reader.skip(tag);
  }
  scope.name = name;
  scope.version = version;
  scope.attributes = attributes;
  scope.droppedAttributesCount = droppedAttributesCount;
}

/** Field `scope` of ScopeSpans. */
export function writeScope(writer: ProtoWriter, scope: Scope): void {
  const mark = writer.begin(0x0a, 1);
  if (scope.name !== '') writer.textField(0x0a, scope.name);
  if (scope.version !== '') writer.textField(0x12, scope.version);
  writeAttributes(writer, 0x1a, scope.attributes);
  if (scope.droppedAttributesCount !== 0) writer.varintField(0x20, scope.droppedAttributesCount);
  writer.end(mark, 1);
}

const unset: SpanStatus = { code: 0, message: '' };

/** Undefined when the span's ids are not valid. */
export function readSpan(reader: ProtoReader, resource: Resource, scope: Scope): Span | undefined {
  const end = reader.messageEnd();
  let traceId: string | undefined;
  let spanId: string | undefined;
  let parentSpanId: string | undefined;
  let traceState = '';
  let flags = 0;
  let name = '';
  let kind = 0;
  let startTimeNs = 0n;
  let endTimeNs = 0n;
  let attributes: Map<string, AttributeValue> | undefined;
  let droppedAttributesCount = 0;
  let events: SpanEvent[] | undefined;
  let droppedEventsCount = 0;
  let links: SpanLink[] | undefined;
  let droppedLinksCount = 0;
  let unreadableLinks = 0;
  let status = unset;

  while (reader.pos < end) {
    const tag = reader.tag();
    switch (tag) {
      case 0x0a:
        traceId = reader.traceId();
        break;
      case 0x12:
        spanId = reader.spanId();
        break;
      case 0x1a:
        traceState = reader.text();
        break;
      case 0x22:
        parentSpanId = reader.spanId();
        break;
      case 0x2a:
        name = reader.text();
        break;
      case 0x30:
        kind = reader.int32();
        break;
      case 0x39:
        startTimeNs = reader.fixed64();
        break;
      case 0x41:
        endTimeNs = reader.fixed64();
        break;
      case 0x4a:
        readAttribute(reader, (attributes ??= new Map()));
        break;
      case 0x50:
        droppedAttributesCount = reader.uint32();
        break;
      case 0x5a:
        (events ??= []).push(readEvent(reader));
        break;
      case 0x60:
        droppedEventsCount = reader.uint32();
        break;
      case 0x6a: {
        const link = readLink(reader);
        if (link === undefined) unreadableLinks += 1;
        else (links ??= []).push(link);
        break;
      }
      case 0x70:
        droppedLinksCount = reader.uint32();
        break;
      case 0x7a:
        status = readStatus(reader);
        break;
      case 0x85:
        flags = reader.fixed32();
        break;
      default:
        reader.skip(tag);
    }
  }

  if (traceId === undefined || spanId === undefined) return undefined;
  return {
    traceId,
    spanId,
    parentSpanId,
    traceState,
    flags,
    name,
    kind,
    startTimeNs,
    endTimeNs,
    attributes: attributes ?? noAttributes,
    droppedAttributesCount,
    events: events ?? noEvents,
    droppedEventsCount,
    links: links ?? noLinks,
    droppedLinksCount: addDropped(droppedLinksCount, unreadableLinks),
    status,
    resource,
    scope,
  };
}

/** Field `spans` of ScopeSpans. */
export function writeSpan(writer: ProtoWriter, span: Span): void {
  const mark = writer.begin(0x12, spanLengthBytes);
  writer.hexField(0x0a, span.traceId);
  writer.hexField(0x12, span.spanId);
  if (span.traceState !== '') writer.textField(0x1a, span.traceState);
  if (span.parentSpanId !== undefined) writer.hexField(0x22, span.parentSpanId);
  if (span.name !== '') writer.textField(0x2a, span.name);
  if (span.kind !== 0) writer.int32Field(0x30, span.kind);
  if (span.startTimeNs !== 0n) writer.fixed64Field(0x39, span.startTimeNs);
  if (span.endTimeNs !== 0n) writer.fixed64Field(0x41, span.endTimeNs);
  writeAttributes(writer, 0x4a, span.attributes);
  if (span.droppedAttributesCount !== 0) writer.varintField(0x50, span.droppedAttributesCount);
  for (const event of span.events) writeEvent(writer, event);
  if (span.droppedEventsCount !== 0) writer.varintField(0x60, span.droppedEventsCount);
  for (const link of span.links) writeLink(writer, link);
  if (span.droppedLinksCount !== 0) writer.varintField(0x70, span.droppedLinksCount);
  if (span.status.code !== 0 || span.status.message !== '') writeStatus(writer, span.status);
  if (span.flags !== 0) writer.fixed32Field(0x85, span.flags);
  writer.end(mark, spanLengthBytes);
}

function readEvent(reader: ProtoReader): SpanEvent {
  const end = reader.messageEnd();
  let timeNs = 0n;
  let name = '';
  let attributes: Map<string, AttributeValue> | undefined;
  let droppedAttributesCount = 0;
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === 0x09) timeNs = reader.fixed64();
    else if (tag === 0x12) name = reader.text();
    else if (tag === 0x1a) readAttribute(reader, (attributes ??= new Map()));
    else if (tag === 0x20) droppedAttributesCount = reader.uint32();
    else reader.skip(tag);
  }
  return { timeNs, name, attributes: attributes ?? noAttributes, droppedAttributesCount };
}

/** Field `events` of Span. */
export function writeEvent(writer: ProtoWriter, event: SpanEvent): void {
  const mark = writer.begin(0x5a, 1);
  if (event.timeNs !== 0n) writer.fixed64Field(0x09, event.timeNs);
  if (event.name !== '') writer.textField(0x12, event.name);
  writeAttributes(writer, 0x1a, event.attributes);
  if (event.droppedAttributesCount !== 0) writer.varintField(0x20, event.droppedAttributesCount);
  writer.end(mark, 1);
}

/** Undefined when the link's ids are not valid. */
function readLink(reader: ProtoReader): SpanLink | undefined {
  const end = reader.messageEnd();
  let traceId: string | undefined;
  let spanId: string | undefined;
  let traceState = '';
  let flags = 0;
  let attributes: Map<string, AttributeValue> | undefined;
  let droppedAttributesCount = 0;
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === 0x0a) traceId = reader.traceId();
    else if (tag === 0x12) spanId = reader.spanId();
    else if (tag === 0x1a) traceState = reader.text();
    else if (tag === 0x22) readAttribute(reader, (attributes ??= new Map()));
    else if (tag === 0x28) droppedAttributesCount = reader.uint32();
    else if (tag === 0x35) flags = reader.fixed32();
    else reader.skip(tag);
  }
  if (traceId === undefined || spanId === undefined) return undefined;
  return { traceId, spanId, traceState, flags, attributes: attributes ?? noAttributes, droppedAttributesCount };
}

function writeLink(writer: ProtoWriter, link: SpanLink): void {
  const mark = writer.begin(0x6a, 1);
  writer.hexField(0x0a, link.traceId);
  writer.hexField(0x12, link.spanId);
  if (link.traceState !== '') writer.textField(0x1a, link.traceState);
  writeAttributes(writer, 0x22, link.attributes);
  if (link.droppedAttributesCount !== 0) writer.varintField(0x28, link.droppedAttributesCount);
  if (link.flags !== 0) writer.fixed32Field(0x35, link.flags);
  writer.end(mark, 1);
}

function readStatus(reader: ProtoReader): SpanStatus {
  const end = reader.messageEnd();
  let code = 0;
  let message = '';
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === 0x12) message = reader.text();
    else if (tag === 0x18) code = reader.int32();
    else reader.skip(tag);
  }
  return { code, message };
}

function writeStatus(writer: ProtoWriter, status: SpanStatus): void {
  const mark = writer.begin(0x7a, 1);
  if (status.message !== '') writer.textField(0x12, status.message);
  if (status.code !== 0) writer.int32Field(0x18, status.code);
  writer.end(mark, 1);
}

function readAttribute(reader: ProtoReader, attributes: Map<string, AttributeValue>): void {
  const end = reader.messageEnd();
  let key = '';
  let value: AttributeValue;
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === 0x0a) key = reader.text();
    else if (tag === 0x12) value = readValue(reader);
    else reader.skip(tag);
  }
  attributes.set(key, value);
}

function writeAttributes(writer: ProtoWriter, tag: number, attributes: Attributes): void {
  if (attributes.size === 0) return;
  for (const [key, value] of attributes) {
    const mark = writer.begin(tag, 1);
    writer.textField(0x0a, key);
    writeValue(writer, 0x12, value);
    writer.end(mark, 1);
  }
}

function readValue(reader: ProtoReader): AttributeValue {
  const end = reader.messageEnd();
  let value: AttributeValue;
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === 0x0a) value = reader.text();
    else if (tag === 0x10) value = reader.bool();
    else if (tag === 0x18) value = reader.int64();
    else if (tag === 0x21) value = reader.double();
    else if (tag === 0x2a) value = readArray(reader);
    else if (tag === 0x32) value = readKeyValueList(reader);
    else if (tag === 0x3a) value = reader.blob();
    else reader.skip(tag);
  }
  return value;
}

function writeValue(writer: ProtoWriter, tag: number, value: AttributeValue): void {
  const mark = writer.begin(tag, 1);
  if (typeof value === 'string') writer.textField(0x0a, value);
  else if (typeof value === 'bigint') writer.int64Field(0x18, value);
  else if (typeof value === 'number') writer.doubleField(0x21, value);
  else if (typeof value === 'boolean') writer.varintField(0x10, value ? 1 : 0);
  else if (value instanceof Uint8Array) writer.blobField(0x3a, value);
  else if (value instanceof Map) writeKeyValueList(writer, value);
  else if (isArray(value)) writeArray(writer, value);
  writer.end(mark, 1);
}

function readArray(reader: ProtoReader): readonly AttributeValue[] {
  const end = reader.messageEnd();
  const values: AttributeValue[] = [];
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === 0x0a) values.push(readValue(reader));
    else reader.skip(tag);
  }
  return values;
}

function writeArray(writer: ProtoWriter, values: readonly AttributeValue[]): void {
  const mark = writer.begin(0x2a, 1);
  for (const value of values) writeValue(writer, 0x0a, value);
  writer.end(mark, 1);
}

function readKeyValueList(reader: ProtoReader): Attributes {
  const end = reader.messageEnd();
  const attributes = new Map<string, AttributeValue>();
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === 0x0a) readAttribute(reader, attributes);
    else reader.skip(tag);
  }
  return attributes;
}

function writeKeyValueList(writer: ProtoWriter, attributes: Attributes): void {
  const mark = writer.begin(0x32, 1);
  writeAttributes(writer, 0x0a, attributes);
  writer.end(mark, 1);
}

/** `Array.isArray` does not narrow readonly arrays. */
function isArray(value: AttributeValue): value is readonly AttributeValue[] {
  return Array.isArray(value);
}
