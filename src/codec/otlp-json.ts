import type {
  Attributes,
  AttributeValue,
  EntityRef,
  JsonObject,
  JsonValue,
  Resource,
  Scope,
  Span,
  SpanEvent,
  SpanLink,
  SpanStatus,
} from '../model/index.ts';
import { parseSpanId, parseTraceId } from '../model/index.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { JsonReader, printJson } from './json.ts';
import type { ScopeGroup, TracesInspection, TracesResponse } from './otlp.ts';
import { attributeDepthMax } from '../model/index.ts';
import { addDropped, groupSpans, itemsMax, noAttributes, noEvents, noLinks } from './otlp.ts';

/**
 * OTLP traces in JSON (OTLP specification, "JSON Protobuf Encoding"): ids are hex in any case,
 * enums are whole numbers, names are lowerCamelCase, 64-bit numbers are strings or numbers, bytes
 * are base64, and unknown members are ignored. Decoding and encoding of a message stand together.
 *
 * Where the specification leaves room: `null` means the member is not there; the name of an enum
 * value is refused; whole numbers may be written like `5.0` or `1e3`; ids that are not hex or have
 * another length reject their span or link, as in protobuf; for the rest `decodeTraces` is the model.
 */

/**
 * Checks an ExportTraceServiceRequest in JSON. It costs as much as decoding.
 * @throws RaybridgeError BAD_INPUT when it is no JSON or a member has a wrong type, naming byte and JSON pointer.
 */
export function inspectTracesJson(bytes: Uint8Array): TracesInspection {
  const traces = readTraces(bytes);
  return {
    spans: traces.spans.length + traces.rejected,
    rejected: traces.rejected,
    reason: traces.reason,
    droppedLinks: traces.droppedLinks,
  };
}

/**
 * The spans of an ExportTraceServiceRequest in JSON, as `decodeTraces` gives those of protobuf.
 * @throws RaybridgeError BAD_INPUT as `inspectTracesJson` does.
 */
export function decodeTracesJson(bytes: Uint8Array): readonly Span[] {
  return readTraces(bytes).spans;
}

/** The text that `decodeTracesJson` turns into the same spans. Members with default values are left out. */
export function encodeTracesJson(spans: readonly Span[]): string {
  const resourceSpans = groupSpans(spans).map(({ resource, scopes }) =>
    printMessage([
      ['resource', printResource(resource)],
      ['scopeSpans', printList(scopes, printScopeSpans)],
      ['schemaUrl', printText(resource.schemaUrl)],
    ]),
  );
  return `{"resourceSpans":[${resourceSpans.join(',')}]}`;
}

/**
 * One span by itself: the Span of OTLP/JSON with its `resource` and `scope` as further members, the
 * form of spans in the log group `aws/spans`.
 */
export function encodeSpanJson(span: Span): string {
  const around = printMessage([
    ['resource', printResource(span.resource)],
    ['scope', printScope(span.scope)],
  ]);
  return around === '{}' ? printSpan(span) : `${around.slice(0, -1)},${printSpan(span).slice(1)}`;
}

/** An ExportTraceServiceResponse: `{}`, or with `partialSuccess`. */
export function encodeTracesResponseJson(response: TracesResponse): string {
  if (response.rejected === 0 && response.message === '') return '{}';
  const partialSuccess = printMessage([
    ['rejectedSpans', response.rejected === 0 ? undefined : `"${response.rejected}"`],
    ['errorMessage', printText(response.message)],
  ]);
  return `{"partialSuccess":${partialSuccess}}`;
}

/** @throws RaybridgeError BAD_INPUT. */
export function decodeTracesResponseJson(bytes: Uint8Array): TracesResponse {
  const reader = openReader(bytes, 'OTLP JSON response');
  let response: TracesResponse = { rejected: 0, message: '' };
  for (let name = firstName(reader); name !== undefined; name = nextName(reader)) {
    if (name === 'partialSuccess') response = readPartialSuccess(reader);
    else reader.skip();
  }
  reader.end();
  return response;
}

/** An attribute value as OTLP/JSON AnyValue: `{"intValue":"5"}`; `{}` for the empty value. */
export function encodeAttributeJson(value: AttributeValue): JsonObject {
  if (value === undefined) return new Map();
  if (typeof value === 'string') return new Map([['stringValue', value]]);
  if (typeof value === 'boolean') return new Map([['boolValue', value]]);
  if (typeof value === 'bigint') return new Map([['intValue', BigInt.asIntN(64, value).toString()]]);
  if (typeof value === 'number') return new Map([['doubleValue', doubleJson(value)]]);
  if (value instanceof Uint8Array) return new Map([['bytesValue', encodeBase64(value)]]);
  if (isArray(value)) return new Map([['arrayValue', new Map([['values', value.map(encodeAttributeJson)]])]]);
  return new Map([['kvlistValue', new Map([['values', encodeAttributesJson(value)]])]]);
}

/** @throws RaybridgeError BAD_INPUT with the JSON pointer inside the value. */
export function decodeAttributeJson(value: JsonValue): AttributeValue {
  const reader = openReader(printJson(value), 'OTLP JSON attribute value');
  return readValue(reader, 1);
}

/** Attributes as OTLP/JSON writes them: `[{"key":"…","value":{…}}]`. */
export function encodeAttributesJson(attributes: Attributes): readonly JsonValue[] {
  return Array.from(
    attributes,
    ([key, value]) =>
      new Map<string, JsonValue>([
        ['key', key],
        ['value', encodeAttributeJson(value)],
      ]),
  );
}

/** @throws RaybridgeError BAD_INPUT with the JSON pointer inside the list. */
export function decodeAttributesJson(list: JsonValue): Attributes {
  return parseAttributes(printJson(list));
}

/** The text of `encodeAttributesJson`, three times as fast as by way of it. */
export function printAttributes(attributes: Attributes): string {
  let text = '[';
  for (const [key, value] of attributes) {
    text += `${text.length > 1 ? ',' : ''}{"key":${JSON.stringify(key)},"value":${printValue(value)}}`;
  }
  return `${text}]`;
}

/** @throws RaybridgeError BAD_INPUT with character and JSON pointer. */
export function parseAttributes(text: string): Attributes {
  const reader = openReader(text, 'OTLP JSON attributes');
  const attributes = readAttributes(reader, 1);
  reader.end();
  return attributes;
}

/** The deepest attribute value takes four levels of JSON for each of its own, and stands eight levels deep. */
const readerDepthMax = 4 * attributeDepthMax + 16;

function openReader(source: Uint8Array | string, format: string): JsonReader {
  return new JsonReader(source, { format, depthMax: readerDepthMax, containersMax: itemsMax });
}

/** What is found while reading; grows inside `readTraces` only. */
interface Traces {
  readonly spans: Span[];
  rejected: number;
  reason: string | undefined;
  droppedLinks: number;
}

function readTraces(bytes: Uint8Array): Traces {
  const reader = openReader(bytes, 'OTLP JSON');
  const traces: Traces = { spans: [], rejected: 0, reason: undefined, droppedLinks: 0 };
  for (let name = firstName(reader); name !== undefined; name = nextName(reader)) {
    if (name !== 'resourceSpans') reader.skip();
    else if (reader.beginArray()) {
      do readResourceSpans(reader, traces);
      while (reader.nextElement());
    }
  }
  reader.end();
  return traces;
}

function readPartialSuccess(reader: JsonReader): TracesResponse {
  let rejected = 0;
  let message = '';
  for (let name = firstName(reader); name !== undefined; name = nextName(reader)) {
    if (name === 'rejectedSpans') rejected = Number(readInteger(reader, int64));
    else if (name === 'errorMessage') message = reader.string();
    else reader.skip();
  }
  return { rejected, message };
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Spans point at the resource before all of it is known: members stand in any order. */
function readResourceSpans(reader: JsonReader, traces: Traces): void {
  const resource: Mutable<Resource> = {
    attributes: noAttributes,
    droppedAttributesCount: 0,
    schemaUrl: '',
    entityRefs: [],
  };
  for (let name = firstName(reader); name !== undefined; name = nextName(reader)) {
    if (name === 'resource') readResource(reader, resource);
    else if (name === 'schemaUrl') resource.schemaUrl = reader.string();
    else if (name !== 'scopeSpans') reader.skip();
    else if (reader.beginArray()) {
      do readScopeSpans(reader, resource, traces);
      while (reader.nextElement());
    }
  }
}

function readResource(reader: JsonReader, resource: Mutable<Resource>): void {
  for (let name = firstName(reader); name !== undefined; name = nextName(reader)) {
    if (name === 'attributes') resource.attributes = readAttributes(reader, 1);
    else if (name === 'droppedAttributesCount') resource.droppedAttributesCount = readUint32(reader);
    else if (name === 'entityRefs') resource.entityRefs = readList(reader, readEntityRef);
    else reader.skip();
  }
}

function printResource(resource: Resource): string {
  return printMessage([
    ['attributes', printAttributeList(resource.attributes)],
    ['droppedAttributesCount', printNumber(resource.droppedAttributesCount)],
    ['entityRefs', printList(resource.entityRefs, printEntityRef)],
  ]);
}

function readEntityRef(reader: JsonReader): EntityRef {
  let schemaUrl = '';
  let type = '';
  let idKeys: readonly string[] = [];
  let descriptionKeys: readonly string[] = [];
  for (let name = firstName(reader); name !== undefined; name = nextName(reader)) {
    if (name === 'schemaUrl') schemaUrl = reader.string();
    else if (name === 'type') type = reader.string();
    else if (name === 'idKeys') idKeys = readList(reader, readString);
    else if (name === 'descriptionKeys') descriptionKeys = readList(reader, readString);
    else reader.skip();
  }
  return { schemaUrl, type, idKeys, descriptionKeys };
}

function printEntityRef(entityRef: EntityRef): string {
  return printMessage([
    ['schemaUrl', printText(entityRef.schemaUrl)],
    ['type', printText(entityRef.type)],
    ['idKeys', printList(entityRef.idKeys, JSON.stringify)],
    ['descriptionKeys', printList(entityRef.descriptionKeys, JSON.stringify)],
  ]);
}

function readScopeSpans(reader: JsonReader, resource: Resource, traces: Traces): void {
  const scope: Mutable<Scope> = {
    name: '',
    version: '',
    attributes: noAttributes,
    droppedAttributesCount: 0,
    schemaUrl: '',
  };
  for (let name = firstName(reader); name !== undefined; name = nextName(reader)) {
    if (name === 'scope') readScope(reader, scope);
    else if (name === 'schemaUrl') scope.schemaUrl = reader.string();
    else if (name !== 'spans') reader.skip();
    else if (reader.beginArray()) {
      do readSpan(reader, { resource, scope, traces });
      while (reader.nextElement());
    }
  }
}

function printScopeSpans(group: ScopeGroup): string {
  return printMessage([
    ['scope', printScope(group.scope)],
    ['spans', printList(group.spans, printSpan)],
    ['schemaUrl', printText(group.scope.schemaUrl)],
  ]);
}

function readScope(reader: JsonReader, scope: Mutable<Scope>): void {
  for (let name = firstName(reader); name !== undefined; name = nextName(reader)) {
    if (name === 'name') scope.name = reader.string();
    else if (name === 'version') scope.version = reader.string();
    else if (name === 'attributes') scope.attributes = readAttributes(reader, 1);
    else if (name === 'droppedAttributesCount') scope.droppedAttributesCount = readUint32(reader);
    else reader.skip();
  }
}

function printScope(scope: Scope): string {
  return printMessage([
    ['name', printText(scope.name)],
    ['version', printText(scope.version)],
    ['attributes', printAttributeList(scope.attributes)],
    ['droppedAttributesCount', printNumber(scope.droppedAttributesCount)],
  ]);
}

const unset: SpanStatus = { code: 0, message: '' };

/** Adds a span to `traces`, or to its rejected ones. */
function readSpan(
  reader: JsonReader,
  place: { readonly resource: Resource; readonly scope: Scope; readonly traces: Traces },
): void {
  const { resource, scope, traces } = place;
  let traceIdText = '';
  let spanIdText = '';
  let parentSpanId: string | undefined;
  let traceState = '';
  let flags = 0;
  let spanName = '';
  let kind = 0;
  let startTimeNs = 0n;
  let endTimeNs = 0n;
  let attributes = noAttributes;
  let droppedAttributesCount = 0;
  let events = noEvents;
  let droppedEventsCount = 0;
  let links: readonly (SpanLink | undefined)[] = noLinks;
  let droppedLinksCount = 0;
  let status = unset;

  for (let name = firstName(reader); name !== undefined; name = nextName(reader)) {
    switch (name) {
      case 'traceId':
        traceIdText = reader.string();
        break;
      case 'spanId':
        spanIdText = reader.string();
        break;
      case 'parentSpanId':
        parentSpanId = parseSpanId(reader.string());
        break;
      case 'traceState':
        traceState = reader.string();
        break;
      case 'flags':
        flags = readUint32(reader);
        break;
      case 'name':
        spanName = reader.string();
        break;
      case 'kind':
        kind = readEnum(reader);
        break;
      case 'startTimeUnixNano':
        startTimeNs = readInteger(reader, uint64);
        break;
      case 'endTimeUnixNano':
        endTimeNs = readInteger(reader, uint64);
        break;
      case 'attributes':
        attributes = readAttributes(reader, 1);
        break;
      case 'droppedAttributesCount':
        droppedAttributesCount = readUint32(reader);
        break;
      case 'events':
        events = readList(reader, readEvent);
        break;
      case 'droppedEventsCount':
        droppedEventsCount = readUint32(reader);
        break;
      case 'links':
        links = readList(reader, readLink);
        break;
      case 'droppedLinksCount':
        droppedLinksCount = readUint32(reader);
        break;
      case 'status':
        status = readStatus(reader);
        break;
      default:
        reader.skip();
    }
  }

  const validLinks = links.filter((link) => link !== undefined);
  traces.droppedLinks += links.length - validLinks.length;
  const traceId = toTraceId(traceIdText);
  const spanId = parseSpanId(spanIdText);
  if (traceId === undefined || spanId === undefined) {
    traces.rejected += 1;
    traces.reason ??= traceId === undefined ? idReason('traceId', traceIdText) : idReason('spanId', spanIdText);
    return;
  }
  traces.spans.push({
    traceId,
    spanId,
    parentSpanId,
    traceState,
    flags,
    name: spanName,
    kind,
    startTimeNs,
    endTimeNs,
    attributes,
    droppedAttributesCount,
    events,
    droppedEventsCount,
    links: validLinks,
    droppedLinksCount: addDropped(droppedLinksCount, links.length - validLinks.length),
    status,
    resource,
    scope,
  });
}

function printSpan(span: Span): string {
  return printMessage([
    ['traceId', `"${span.traceId}"`],
    ['spanId', `"${span.spanId}"`],
    ['traceState', printText(span.traceState)],
    ['parentSpanId', span.parentSpanId === undefined ? undefined : `"${span.parentSpanId}"`],
    ['flags', printNumber(span.flags)],
    ['name', printText(span.name)],
    ['kind', printNumber(span.kind)],
    ['startTimeUnixNano', printTime(span.startTimeNs)],
    ['endTimeUnixNano', printTime(span.endTimeNs)],
    ['attributes', printAttributeList(span.attributes)],
    ['droppedAttributesCount', printNumber(span.droppedAttributesCount)],
    ['events', printList(span.events, printEvent)],
    ['droppedEventsCount', printNumber(span.droppedEventsCount)],
    ['links', printList(span.links, printLink)],
    ['droppedLinksCount', printNumber(span.droppedLinksCount)],
    ['status', span.status.code === 0 && span.status.message === '' ? undefined : printStatus(span.status)],
  ]);
}

/** OTLP has the form of 32 digits only; X-Ray's `1-8-24` is no trace id here. */
function toTraceId(text: string): string | undefined {
  return text.length === 32 ? parseTraceId(text) : undefined;
}

function idReason(name: 'traceId' | 'spanId', text: string): string {
  if (text === '') return `Span.${name} missing`;
  if (text.length !== (name === 'traceId' ? 32 : 16)) return `Span.${name} of ${text.length} characters`;
  return /^0+$/.test(text) ? `Span.${name} of zeros` : `Span.${name} not in hex`;
}

function readEvent(reader: JsonReader): SpanEvent {
  let timeNs = 0n;
  let eventName = '';
  let attributes = noAttributes;
  let droppedAttributesCount = 0;
  for (let name = firstName(reader); name !== undefined; name = nextName(reader)) {
    if (name === 'timeUnixNano') timeNs = readInteger(reader, uint64);
    else if (name === 'name') eventName = reader.string();
    else if (name === 'attributes') attributes = readAttributes(reader, 1);
    else if (name === 'droppedAttributesCount') droppedAttributesCount = readUint32(reader);
    else reader.skip();
  }
  return { timeNs, name: eventName, attributes, droppedAttributesCount };
}

function printEvent(event: SpanEvent): string {
  return printMessage([
    ['timeUnixNano', printTime(event.timeNs)],
    ['name', printText(event.name)],
    ['attributes', printAttributeList(event.attributes)],
    ['droppedAttributesCount', printNumber(event.droppedAttributesCount)],
  ]);
}

/** Undefined when the link's ids are not valid. */
function readLink(reader: JsonReader): SpanLink | undefined {
  let traceId: string | undefined;
  let spanId: string | undefined;
  let traceState = '';
  let flags = 0;
  let attributes = noAttributes;
  let droppedAttributesCount = 0;
  for (let name = firstName(reader); name !== undefined; name = nextName(reader)) {
    if (name === 'traceId') traceId = toTraceId(reader.string());
    else if (name === 'spanId') spanId = parseSpanId(reader.string());
    else if (name === 'traceState') traceState = reader.string();
    else if (name === 'flags') flags = readUint32(reader);
    else if (name === 'attributes') attributes = readAttributes(reader, 1);
    else if (name === 'droppedAttributesCount') droppedAttributesCount = readUint32(reader);
    else reader.skip();
  }
  if (traceId === undefined || spanId === undefined) return undefined;
  return { traceId, spanId, traceState, flags, attributes, droppedAttributesCount };
}

function printLink(link: SpanLink): string {
  return printMessage([
    ['traceId', `"${link.traceId}"`],
    ['spanId', `"${link.spanId}"`],
    ['traceState', printText(link.traceState)],
    ['flags', printNumber(link.flags)],
    ['attributes', printAttributeList(link.attributes)],
    ['droppedAttributesCount', printNumber(link.droppedAttributesCount)],
  ]);
}

function readStatus(reader: JsonReader): SpanStatus {
  let code = 0;
  let text = '';
  for (let name = firstName(reader); name !== undefined; name = nextName(reader)) {
    if (name === 'code') code = readEnum(reader);
    else if (name === 'message') text = reader.string();
    else reader.skip();
  }
  return { code, message: text };
}

function printStatus(status: SpanStatus): string {
  return printMessage([
    ['message', printText(status.message)],
    ['code', printNumber(status.code)],
  ]);
}

/** @param depth of the values: 1 for those of a span. */
function readAttributes(reader: JsonReader, depth: number): Attributes {
  if (!reader.beginArray()) return noAttributes;
  const attributes = new Map<string, AttributeValue>();
  do readAttribute(reader, attributes, depth);
  while (reader.nextElement());
  return attributes;
}

function readAttribute(reader: JsonReader, attributes: Map<string, AttributeValue>, depth: number): void {
  let key = '';
  let value: AttributeValue;
  for (let name = firstName(reader); name !== undefined; name = nextName(reader)) {
    if (name === 'key') key = reader.string();
    else if (name === 'value') value = readValue(reader, depth);
    else reader.skip();
  }
  attributes.set(key, value);
}

function readValue(reader: JsonReader, depth: number): AttributeValue {
  if (depth > attributeDepthMax) reader.fail(`at most ${attributeDepthMax} values inside each other`, 'more');
  let value: AttributeValue;
  for (let name = firstName(reader); name !== undefined; name = nextName(reader)) {
    if (name === 'stringValue') value = reader.string();
    else if (name === 'boolValue') value = reader.boolean();
    else if (name === 'intValue') value = readInteger(reader, int64);
    else if (name === 'doubleValue') value = readDouble(reader);
    else if (name === 'arrayValue') value = readArray(reader, depth + 1);
    else if (name === 'kvlistValue') value = readKeyValueList(reader, depth + 1);
    else if (name === 'bytesValue') value = readBytes(reader);
    else reader.skip();
  }
  return value;
}

function printValue(value: AttributeValue): string {
  if (typeof value === 'string') return `{"stringValue":${JSON.stringify(value)}}`;
  if (typeof value === 'bigint') return `{"intValue":"${BigInt.asIntN(64, value)}"}`;
  if (isArray(value)) return `{"arrayValue":{"values":[${value.map(printValue).join(',')}]}}`;
  if (value instanceof Map) return `{"kvlistValue":{"values":${printAttributes(value)}}}`;
  return printJson(encodeAttributeJson(value));
}

function readArray(reader: JsonReader, depth: number): readonly AttributeValue[] {
  let values: readonly AttributeValue[] = [];
  for (let name = firstName(reader); name !== undefined; name = nextName(reader)) {
    if (name === 'values') values = readList(reader, (inner) => readValue(inner, depth));
    else reader.skip();
  }
  return values;
}

function readKeyValueList(reader: JsonReader, depth: number): Attributes {
  let attributes = noAttributes;
  for (let name = firstName(reader); name !== undefined; name = nextName(reader)) {
    if (name === 'values') attributes = readAttributes(reader, depth);
    else reader.skip();
  }
  return attributes;
}

/** Begins an object and reads up to its first value that is not null; undefined when there is none. */
function firstName(reader: JsonReader): string | undefined {
  return reader.beginObject() ? nameOfValue(reader) : undefined;
}

function nextName(reader: JsonReader): string | undefined {
  return reader.nextMember() ? nameOfValue(reader) : undefined;
}

function nameOfValue(reader: JsonReader): string | undefined {
  do {
    const name = reader.name();
    if (reader.peek() !== 'null') return name;
    reader.null();
  } while (reader.nextMember());
  return undefined;
}

function readList<Item>(reader: JsonReader, readItem: (reader: JsonReader) => Item): readonly Item[] {
  const items: Item[] = [];
  if (!reader.beginArray()) return items;
  do items.push(readItem(reader));
  while (reader.nextElement());
  return items;
}

function readString(reader: JsonReader): string {
  return reader.string();
}

interface IntegerRange {
  readonly name: string;
  readonly min: bigint;
  readonly max: bigint;
}

const int64: IntegerRange = { name: 'an int64', min: -(2n ** 63n), max: 2n ** 63n - 1n };
const uint64: IntegerRange = { name: 'a uint64', min: 0n, max: 2n ** 64n - 1n };
const uint32: IntegerRange = { name: 'a uint32', min: 0n, max: 2n ** 32n - 1n };
const int32: IntegerRange = { name: 'an int32', min: -(2n ** 31n), max: 2n ** 31n - 1n };

/** A whole number, as a JSON number or as a string. */
function readInteger(reader: JsonReader, range: IntegerRange): bigint {
  const isString = reader.peek() === 'string';
  const at = reader.pos;
  const literal = isString ? reader.string() : reader.number();
  const value = toInteger(literal);
  if (value === undefined || value < range.min || value > range.max)
    return reader.fail(range.name, quoted(literal), at);
  return value;
}

function readUint32(reader: JsonReader): number {
  return Number(readInteger(reader, uint32));
}

/** Enums are numbers; their names are refused (OTLP specification, "JSON Protobuf Encoding"). */
function readEnum(reader: JsonReader): number {
  if (reader.peek() === 'string') reader.fail('the number of an enum value');
  return Number(readInteger(reader, int32));
}

const wholePattern = /^-?\d{1,20}$/;
const decimalPattern = /^(-?)(\d{1,20})(?:\.(\d{1,20}))?(?:[eE]([+-]?\d{1,2}))?$/;

/** The whole number that a literal stands for, exactly; undefined when it is none. */
function toInteger(literal: string): bigint | undefined {
  if (wholePattern.test(literal)) return BigInt(literal);
  const parts = decimalPattern.exec(literal);
  if (!parts) return undefined;
  const fraction = parts[3] ?? '';
  const digits = BigInt(`${parts[1]}${parts[2]}${fraction}`);
  const shift = Number(parts[4] ?? '0') - fraction.length;
  if (shift >= 0) return digits * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  return digits % divisor === 0n ? digits / divisor : undefined;
}

const wordDoubles: ReadonlyMap<string, number> = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);

function readDouble(reader: JsonReader): number {
  const isString = reader.peek() === 'string';
  const at = reader.pos;
  const literal = isString ? reader.string() : reader.number();
  const word = isString ? wordDoubles.get(literal) : undefined;
  if (word !== undefined) return word;
  const value = isString && !numberPattern.test(literal) ? NaN : Number(literal);
  return Number.isFinite(value)
    ? value
    : reader.fail('a double, "NaN", "Infinity" or "-Infinity"', quoted(literal), at);
}

const numberPattern = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

function doubleJson(value: number): JsonValue {
  if (!Number.isFinite(value)) return String(value);
  return { literal: Object.is(value, -0) ? '-0' : String(value) };
}

function readBytes(reader: JsonReader): Uint8Array {
  reader.peek();
  const at = reader.pos;
  const text = reader.string();
  return decodeBase64(text) ?? reader.fail('base64', quoted(text), at);
}

const quotedCharactersMax = 40;

function quoted(text: string): string {
  return JSON.stringify(text.length > quotedCharactersMax ? `${text.slice(0, quotedCharactersMax)}…` : text);
}

/** An object of those members that have a value. The names need no escaping. */
function printMessage(members: readonly (readonly [name: string, value: string | undefined])[]): string {
  let text = '{';
  for (const [name, value] of members) {
    if (value !== undefined) text += `${text.length > 1 ? ',' : ''}"${name}":${value}`;
  }
  return `${text}}`;
}

function printText(text: string): string | undefined {
  return text === '' ? undefined : JSON.stringify(text);
}

function printNumber(value: number): string | undefined {
  return value === 0 ? undefined : String(value);
}

/** Nanoseconds as a string of 64 bits without sign, as protobuf holds them. */
function printTime(timeNs: bigint): string | undefined {
  return timeNs === 0n ? undefined : `"${BigInt.asUintN(64, timeNs)}"`;
}

function printAttributeList(attributes: Attributes): string | undefined {
  return attributes.size === 0 ? undefined : printAttributes(attributes);
}

function printList<Item>(items: readonly Item[], print: (item: Item) => string): string | undefined {
  if (items.length === 0) return undefined;
  let text = '[';
  for (const item of items) text += `${text.length > 1 ? ',' : ''}${print(item)}`;
  return `${text}]`;
}

/** `Array.isArray` does not narrow readonly arrays. */
function isArray(value: AttributeValue): value is readonly AttributeValue[] {
  return Array.isArray(value);
}
