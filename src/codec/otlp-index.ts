import type { Resource, Scope, Span } from '../model/index.ts';
import { noAttributes } from './otlp.ts';
import { inspectTraces, type Mutable, readResource, readScope, readSpan } from './otlp-proto.ts';
import { ProtoReader } from './protobuf.ts';

/**
 * Where the messages of an OTLP request stand, for whoever works on the bytes and decodes only what
 * it must. Offsets are into the request. A message begins with its length, after its tag.
 */
export interface TracesIndex {
  readonly resources: readonly IndexedMessage[];
  readonly scopes: readonly IndexedScope[];
  readonly spanCount: number;
  /** Three numbers a span, in the order of the request, rejected ones among them: start, end, place of its scope. */
  readonly spans: Int32Array;
}

/** A Resource or an InstrumentationScope, and the schema URL that stands beside it. */
export interface IndexedMessage {
  readonly message: Range;
  readonly schemaUrl: Range;
}

export interface IndexedScope extends IndexedMessage {
  /** Place of its resource in `resources`. */
  readonly resource: number;
}

/** Both 0 when there is none. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

const nothing: Range = { start: 0, end: 0 };

/**
 * Checks and indexes an ExportTraceServiceRequest.
 * @throws RaybridgeError BAD_INPUT as `inspectTraces` does.
 */
export function indexTraces(bytes: Uint8Array): TracesIndex {
  const { spans: spanCount } = inspectTraces(bytes);
  const draft: Draft = { resources: [], scopes: [], spans: new Int32Array(3 * spanCount), filled: 0 };
  const reader = new ProtoReader(bytes);
  while (reader.pos < bytes.length) {
    const tag = reader.tag();
    if (tag === 0x0a) indexResourceSpans(reader, draft);
    else reader.skip(tag);
  }
  const { resources, scopes, spans } = draft;
  return { resources, scopes, spanCount, spans };
}

interface Draft {
  readonly resources: IndexedMessage[];
  readonly scopes: IndexedScope[];
  readonly spans: Int32Array;
  /** Numbers of `spans` that are set. */
  filled: number;
}

function indexResourceSpans(reader: ProtoReader, draft: Draft): void {
  const end = reader.messageEnd();
  const resource: Mutable<IndexedMessage> = { message: nothing, schemaUrl: nothing };
  draft.resources.push(resource);
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === 0x0a) resource.message = skipMessage(reader);
    else if (tag === 0x12) indexScopeSpans(reader, draft);
    else if (tag === 0x1a) resource.schemaUrl = skipMessage(reader);
    else reader.skip(tag);
  }
}

function indexScopeSpans(reader: ProtoReader, draft: Draft): void {
  const end = reader.messageEnd();
  const scope: Mutable<IndexedScope> = {
    resource: draft.resources.length - 1,
    message: nothing,
    schemaUrl: nothing,
  };
  const place = draft.scopes.push(scope) - 1;
  const { spans } = draft;
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === 0x12) {
      spans[draft.filled++] = reader.pos;
      reader.pos = reader.messageEnd();
      spans[draft.filled++] = reader.pos;
      spans[draft.filled++] = place;
    } else if (tag === 0x0a) scope.message = skipMessage(reader);
    else if (tag === 0x1a) scope.schemaUrl = skipMessage(reader);
    else reader.skip(tag);
  }
}

function skipMessage(reader: ProtoReader): Range {
  const start = reader.pos;
  reader.pos = reader.messageEnd();
  return { start, end: reader.pos };
}

/** The span that begins at an offset of the index; undefined when its ids are not valid. */
export function decodeIndexedSpan(
  bytes: Uint8Array,
  start: number,
  { resource, scope }: { readonly resource: Resource; readonly scope: Scope },
): Span | undefined {
  return readSpan(readerAt(bytes, start), resource, scope);
}

export function decodeIndexedResource(bytes: Uint8Array, { message, schemaUrl }: IndexedMessage): Resource {
  const resource: Mutable<Resource> = {
    attributes: noAttributes,
    droppedAttributesCount: 0,
    schemaUrl: textOf(bytes, schemaUrl),
    entityRefs: [],
  };
  if (message.end > 0) readResource(readerAt(bytes, message.start), resource);
  return resource;
}

export function decodeIndexedScope(bytes: Uint8Array, { message, schemaUrl }: IndexedMessage): Scope {
  const scope: Mutable<Scope> = {
    name: '',
    version: '',
    attributes: noAttributes,
    droppedAttributesCount: 0,
    schemaUrl: textOf(bytes, schemaUrl),
  };
  if (message.end > 0) readScope(readerAt(bytes, message.start), scope);
  return scope;
}

function readerAt(bytes: Uint8Array, start: number): ProtoReader {
  const reader = new ProtoReader(bytes);
  reader.pos = start;
  return reader;
}

function textOf(bytes: Uint8Array, { start, end }: Range): string {
  return end === 0 ? '' : readerAt(bytes, start).text();
}
