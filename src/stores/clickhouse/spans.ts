import { parseAttributes, printAttributes } from '../../codec/otlp-json.ts';
import type {
  Attributes,
  AttributeValue,
  EntityRef,
  Resource,
  Scope,
  Span,
  SpanEvent,
  SpanLink,
} from '../../model/index.ts';
import { ArrayEnds, ByteWriter, encodeBlock, MapParts, type RowReader } from './native.ts';

/**
 * Spans as rows of the table `spans`, both ways and without loss.
 *
 * Text, integers, doubles and booleans among a span's attributes have a map column each, so that SQL
 * finds them; events, links, resources and scopes have one for text. What the maps cannot hold
 * (arrays, maps, bytes, empty values …) stands in a `…_rest` column as OTLP/JSON, which is empty for
 * nearly every span. The order of attributes is not kept, and half a surrogate pair, which no UTF-8
 * can hold, comes back as U+FFFD.
 */

/** Names and order of the columns, for the INSERT and the SELECT that go with the two functions below. */
export const spanColumnList =
  'trace_id, span_id, parent_span_id, precedence, received_ns, start_ns, end_ns, flags, trace_state, name, kind, ' +
  'status_code, status_message, dropped_attributes, dropped_events, dropped_links, ' +
  'attr_str, attr_int, attr_num, attr_bool, attr_rest, ' +
  'event_ns, event_name, event_dropped_attributes, event_attributes, event_rest, ' +
  'link_trace_id, link_span_id, link_trace_state, link_flags, link_dropped_attributes, link_attributes, link_rest, ' +
  'resource_attributes, resource_rest, resource_dropped_attributes, resource_schema_url, resource_entities, ' +
  'scope_name, scope_version, scope_schema_url, scope_dropped_attributes, scope_rest';

/** What a write knows about its spans beyond themselves. */
interface WriteFacts {
  readonly receivedAtNs: bigint;
  /** Below 2^63. */
  readonly version: bigint;
}

/** Set in `precedence` when the span has ended, so that an ended copy beats any copy in progress. */
const endedBit = 1n << 63n;

const noId = '0'.repeat(16);

/** A Native block of these spans. */
export function encodeSpans(spans: readonly Span[], facts: WriteFacts): Buffer {
  const block = createSpanBlock();
  for (const span of spans) block.append(span, facts);
  return encodeBlock(block.columns, spans.length);
}

export function precedenceOf(span: Span, version: bigint): bigint {
  return span.endTimeNs === 0n ? version : version | endedBit;
}

function createSpanBlock() {
  const traceId = new ByteWriter();
  const spanId = new ByteWriter();
  const parentSpanId = new ByteWriter();
  const precedence = new ByteWriter();
  const receivedNs = new ByteWriter();
  const startNs = new ByteWriter();
  const endNs = new ByteWriter();
  const flags = new ByteWriter();
  const traceState = new ByteWriter();
  const name = new ByteWriter();
  const kind = new ByteWriter();
  const statusCode = new ByteWriter();
  const statusMessage = new ByteWriter();
  const droppedAttributes = new ByteWriter();
  const droppedEvents = new ByteWriter();
  const droppedLinks = new ByteWriter();
  const attributes = createAttributeColumns();
  const events = createEventColumns();
  const links = createLinkColumns();
  const resources = createResourceColumns();
  const scopes = createScopeColumns();

  return {
    columns: [
      { name: 'trace_id', type: 'FixedString(16)', parts: [traceId] },
      { name: 'span_id', type: 'FixedString(8)', parts: [spanId] },
      { name: 'parent_span_id', type: 'FixedString(8)', parts: [parentSpanId] },
      { name: 'precedence', type: 'UInt64', parts: [precedence] },
      { name: 'received_ns', type: 'UInt64', parts: [receivedNs] },
      { name: 'start_ns', type: 'UInt64', parts: [startNs] },
      { name: 'end_ns', type: 'UInt64', parts: [endNs] },
      { name: 'flags', type: 'UInt32', parts: [flags] },
      { name: 'trace_state', type: 'String', parts: [traceState] },
      { name: 'name', type: 'String', parts: [name] },
      { name: 'kind', type: 'Int32', parts: [kind] },
      { name: 'status_code', type: 'Int32', parts: [statusCode] },
      { name: 'status_message', type: 'String', parts: [statusMessage] },
      { name: 'dropped_attributes', type: 'UInt32', parts: [droppedAttributes] },
      { name: 'dropped_events', type: 'UInt32', parts: [droppedEvents] },
      { name: 'dropped_links', type: 'UInt32', parts: [droppedLinks] },
      ...attributes.columns,
      ...events.columns,
      ...links.columns,
      ...resources.columns,
      ...scopes.columns,
    ],
    append(span: Span, facts: WriteFacts): void {
      traceId.hex(span.traceId);
      spanId.hex(span.spanId);
      parentSpanId.hex(span.parentSpanId ?? noId);
      precedence.int64(precedenceOf(span, facts.version));
      receivedNs.int64(facts.receivedAtNs);
      startNs.int64(span.startTimeNs);
      endNs.int64(span.endTimeNs);
      flags.int32(span.flags);
      traceState.text(span.traceState);
      name.text(span.name);
      kind.int32(span.kind);
      statusCode.int32(span.status.code);
      statusMessage.text(span.status.message);
      droppedAttributes.int32(span.droppedAttributesCount);
      droppedEvents.int32(span.droppedEventsCount);
      droppedLinks.int32(span.droppedLinksCount);
      attributes.append(span.attributes);
      events.append(span.events);
      links.append(span.links);
      resources.append(span.resource);
      scopes.append(span.scope);
    },
  };
}

/** One row that encodeSpans wrote, its columns in the order of spanColumnList. */
export function decodeSpan(row: RowReader, shared: Shared): { readonly span: Span; readonly precedence: bigint } {
  const traceId = row.hex(16);
  const spanId = row.hex(8);
  const parentSpanId = row.hex(8);
  const precedence = row.uint64();
  row.uint64(); // received_ns
  const startTimeNs = row.uint64();
  const endTimeNs = row.uint64();
  const flags = row.uint32();
  const traceState = row.text();
  const name = row.text();
  const kind = row.int32();
  const status = { code: row.int32(), message: row.text() };
  const droppedAttributesCount = row.uint32();
  const droppedEventsCount = row.uint32();
  const droppedLinksCount = row.uint32();
  const span: Span = {
    traceId,
    spanId,
    parentSpanId: parentSpanId === noId ? undefined : parentSpanId,
    traceState,
    flags,
    name,
    kind,
    startTimeNs,
    endTimeNs,
    // The order of these reads is that of the columns.
    attributes: readAttributes(row),
    droppedAttributesCount,
    events: readEvents(row),
    droppedEventsCount,
    links: readLinks(row),
    droppedLinksCount,
    status,
    resource: readResource(row, shared),
    scope: readScope(row, shared),
  };
  return { span, precedence };
}

/** Resources and scopes met so far, by their bytes, so that spans share them again. */
export interface Shared {
  readonly resources: Map<string, Resource>;
  readonly scopes: Map<string, Scope>;
}

function createAttributeColumns() {
  const strings = new MapParts();
  const integers = new MapParts();
  const numbers = new MapParts();
  const booleans = new MapParts();
  const rests = new ByteWriter();

  return {
    columns: [
      { name: 'attr_str', type: 'Map(String, String)', parts: strings.parts },
      { name: 'attr_int', type: 'Map(String, Int64)', parts: integers.parts },
      { name: 'attr_num', type: 'Map(String, Float64)', parts: numbers.parts },
      { name: 'attr_bool', type: 'Map(String, UInt8)', parts: booleans.parts },
      { name: 'attr_rest', type: 'String', parts: [rests] },
    ],
    append(attributes: Attributes): void {
      let others: Map<string, AttributeValue> | undefined;
      for (const [key, value] of attributes) {
        if (typeof value === 'string') strings.entry(key).text(value);
        else if (typeof value === 'bigint') integers.entry(key).int64(value);
        else if (typeof value === 'number') numbers.entry(key).double(value);
        else if (typeof value === 'boolean') booleans.entry(key).uint8(value ? 1 : 0);
        else (others ??= new Map()).set(key, value);
      }
      strings.endRow();
      integers.endRow();
      numbers.endRow();
      booleans.endRow();
      rests.text(printRest(others));
    },
  };
}

function readAttributes(row: RowReader): Attributes {
  const attributes = readStrings(row);
  for (let count = row.varint(); count > 0; count--) attributes.set(row.text(), row.int64());
  for (let count = row.varint(); count > 0; count--) attributes.set(row.text(), row.double());
  for (let count = row.varint(); count > 0; count--) attributes.set(row.text(), row.uint8() !== 0);
  return withRest(attributes, row.text());
}

function createEventColumns() {
  const rows = new ArrayEnds();
  const times = new ByteWriter();
  const names = new ByteWriter();
  const dropped = new ByteWriter();
  const attributes = createTextAttributes();

  return {
    columns: [
      { name: 'event_ns', type: 'Array(UInt64)', parts: [rows.ends, times] },
      { name: 'event_name', type: 'Array(String)', parts: [rows.ends, names] },
      { name: 'event_dropped_attributes', type: 'Array(UInt32)', parts: [rows.ends, dropped] },
      { name: 'event_attributes', type: 'Array(Map(String, String))', parts: [rows.ends, ...attributes.map.parts] },
      { name: 'event_rest', type: 'Array(String)', parts: [rows.ends, attributes.rests] },
    ],
    append(events: readonly SpanEvent[]): void {
      for (const event of events) {
        times.int64(event.timeNs);
        names.text(event.name);
        dropped.int32(event.droppedAttributesCount);
        attributes.append(event.attributes);
      }
      rows.endRow(events.length);
    },
  };
}

function readEvents(row: RowReader): readonly SpanEvent[] {
  const times = row.array(() => row.uint64());
  const names = row.array(() => row.text());
  const dropped = row.array(() => row.uint32());
  const strings = row.array(() => readStrings(row));
  const rests = row.array(() => row.text());
  return times.map((timeNs, i) => ({
    timeNs,
    name: names[i] ?? '',
    attributes: withRest(strings[i] ?? new Map(), rests[i] ?? ''),
    droppedAttributesCount: dropped[i] ?? 0,
  }));
}

function createLinkColumns() {
  const rows = new ArrayEnds();
  const traceIds = new ByteWriter();
  const spanIds = new ByteWriter();
  const traceStates = new ByteWriter();
  const flags = new ByteWriter();
  const dropped = new ByteWriter();
  const attributes = createTextAttributes();

  return {
    columns: [
      { name: 'link_trace_id', type: 'Array(FixedString(16))', parts: [rows.ends, traceIds] },
      { name: 'link_span_id', type: 'Array(FixedString(8))', parts: [rows.ends, spanIds] },
      { name: 'link_trace_state', type: 'Array(String)', parts: [rows.ends, traceStates] },
      { name: 'link_flags', type: 'Array(UInt32)', parts: [rows.ends, flags] },
      { name: 'link_dropped_attributes', type: 'Array(UInt32)', parts: [rows.ends, dropped] },
      { name: 'link_attributes', type: 'Array(Map(String, String))', parts: [rows.ends, ...attributes.map.parts] },
      { name: 'link_rest', type: 'Array(String)', parts: [rows.ends, attributes.rests] },
    ],
    append(links: readonly SpanLink[]): void {
      for (const link of links) {
        traceIds.hex(link.traceId);
        spanIds.hex(link.spanId);
        traceStates.text(link.traceState);
        flags.int32(link.flags);
        dropped.int32(link.droppedAttributesCount);
        attributes.append(link.attributes);
      }
      rows.endRow(links.length);
    },
  };
}

function readLinks(row: RowReader): readonly SpanLink[] {
  const traceIds = row.array(() => row.hex(16));
  const spanIds = row.array(() => row.hex(8));
  const traceStates = row.array(() => row.text());
  const flags = row.array(() => row.uint32());
  const dropped = row.array(() => row.uint32());
  const strings = row.array(() => readStrings(row));
  const rests = row.array(() => row.text());
  return traceIds.map((traceId, i) => ({
    traceId,
    spanId: spanIds[i] ?? noId,
    traceState: traceStates[i] ?? '',
    flags: flags[i] ?? 0,
    attributes: withRest(strings[i] ?? new Map(), rests[i] ?? ''),
    droppedAttributesCount: dropped[i] ?? 0,
  }));
}

function createResourceColumns() {
  const attributes = createTextAttributes();
  const dropped = new ByteWriter();
  const schemaUrls = new ByteWriter();
  const entities = new ByteWriter();
  const encoded = new Map<Resource, EncodedResource>();

  return {
    columns: [
      { name: 'resource_attributes', type: 'Map(String, String)', parts: attributes.map.parts },
      { name: 'resource_rest', type: 'String', parts: [attributes.rests] },
      { name: 'resource_dropped_attributes', type: 'UInt32', parts: [dropped] },
      { name: 'resource_schema_url', type: 'String', parts: [schemaUrls] },
      { name: 'resource_entities', type: 'String', parts: [entities] },
    ],
    append(resource: Resource): void {
      const known = encoded.get(resource) ?? encodeResource(resource);
      encoded.set(resource, known);
      attributes.map.copyRow(known.strings);
      attributes.rests.raw(known.rest.written());
      dropped.int32(resource.droppedAttributesCount);
      schemaUrls.text(resource.schemaUrl);
      entities.raw(known.entities.written());
    },
  };
}

/** The columns of one resource as bytes. Half of a span's attributes are its resource's, so they are copied, not encoded again. */
interface EncodedResource {
  readonly strings: MapParts;
  readonly rest: ByteWriter;
  readonly entities: ByteWriter;
}

function encodeResource(resource: Resource): EncodedResource {
  const strings = new MapParts();
  const rest = new ByteWriter();
  const entities = new ByteWriter();
  rest.text(printRest(appendStrings(resource.attributes, strings)));
  entities.text(printEntityRefs(resource.entityRefs));
  return { strings, rest, entities };
}

function readResource(row: RowReader, shared: Shared): Resource {
  const start = row.position;
  skipResource(row);
  const key = row.keySince(start);
  const known = shared.resources.get(key);
  if (known) return known;

  row.position = start;
  const strings = readStrings(row);
  const resource: Resource = {
    attributes: withRest(strings, row.text()),
    droppedAttributesCount: row.uint32(),
    schemaUrl: row.text(),
    entityRefs: parseEntityRefs(row.text()),
  };
  shared.resources.set(key, resource);
  return resource;
}

function skipResource(row: RowReader): void {
  for (let count = row.varint() * 2; count > 0; count--) row.skipText();
  row.skipText();
  row.uint32();
  row.skipText();
  row.skipText();
}

/** Entity references as the attribute `refs`: the codec of attributes serves for them too. */
function printEntityRefs(refs: readonly EntityRef[]): string {
  if (refs.length === 0) return '';
  const values = refs.map(
    (ref) =>
      new Map<string, AttributeValue>([
        ['schemaUrl', ref.schemaUrl],
        ['type', ref.type],
        ['idKeys', ref.idKeys],
        ['descriptionKeys', ref.descriptionKeys],
      ]),
  );
  return printAttributes(new Map([['refs', values]]));
}

function parseEntityRefs(text: string): readonly EntityRef[] {
  if (text === '') return [];
  const values = parseAttributes(text).get('refs');
  return listOf(values).flatMap((value) => (value instanceof Map ? [entityRefOf(value)] : []));
}

function entityRefOf(value: Attributes): EntityRef {
  return {
    schemaUrl: String(value.get('schemaUrl') ?? ''),
    type: String(value.get('type') ?? ''),
    idKeys: listOf(value.get('idKeys')).filter((key) => typeof key === 'string'),
    descriptionKeys: listOf(value.get('descriptionKeys')).filter((key) => typeof key === 'string'),
  };
}

function listOf(value: AttributeValue): readonly AttributeValue[] {
  return Array.isArray(value) ? value : [];
}

function createScopeColumns() {
  const names = new ByteWriter();
  const versions = new ByteWriter();
  const schemaUrls = new ByteWriter();
  const dropped = new ByteWriter();
  const rests = new ByteWriter();

  return {
    columns: [
      { name: 'scope_name', type: 'String', parts: [names] },
      { name: 'scope_version', type: 'String', parts: [versions] },
      { name: 'scope_schema_url', type: 'String', parts: [schemaUrls] },
      { name: 'scope_dropped_attributes', type: 'UInt32', parts: [dropped] },
      { name: 'scope_rest', type: 'String', parts: [rests] },
    ],
    append(scope: Scope): void {
      names.text(scope.name);
      versions.text(scope.version);
      schemaUrls.text(scope.schemaUrl);
      dropped.int32(scope.droppedAttributesCount);
      // Attributes of a scope are so rare that they have no column of their own.
      rests.text(printRest(scope.attributes));
    },
  };
}

function readScope(row: RowReader, shared: Shared): Scope {
  const start = row.position;
  const name = row.text();
  const version = row.text();
  const schemaUrl = row.text();
  const droppedAttributesCount = row.uint32();
  const rest = row.text();
  const key = row.keySince(start);
  const known = shared.scopes.get(key);
  if (known) return known;

  const scope: Scope = { name, version, schemaUrl, droppedAttributesCount, attributes: withRest(new Map(), rest) };
  shared.scopes.set(key, scope);
  return scope;
}

/** A map column for text and a rest column for everything else. */
function createTextAttributes() {
  const map = new MapParts();
  const rests = new ByteWriter();
  return {
    map,
    rests,
    append(attributes: Attributes): void {
      const others = appendStrings(attributes, map);
      map.endRow();
      rests.text(printRest(others));
    },
  };
}

/** Writes the text attributes as entries of the map's open row and gives the others. */
function appendStrings(attributes: Attributes, row: MapParts): Attributes | undefined {
  let others: Map<string, AttributeValue> | undefined;
  for (const [key, value] of attributes) {
    if (typeof value === 'string') row.entry(key).text(value);
    else (others ??= new Map()).set(key, value);
  }
  return others;
}

function readStrings(row: RowReader): Map<string, AttributeValue> {
  const strings = new Map<string, AttributeValue>();
  for (let count = row.varint(); count > 0; count--) strings.set(row.text(), row.text());
  return strings;
}

function printRest(others: Attributes | undefined): string {
  return others === undefined || others.size === 0 ? '' : printAttributes(others);
}

/** Adds what printRest printed to the attributes that were just made. */
function withRest(attributes: Map<string, AttributeValue>, rest: string): Attributes {
  if (rest !== '') for (const [key, value] of parseAttributes(rest)) attributes.set(key, value);
  return attributes;
}
