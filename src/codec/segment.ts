import { closeBracket, comma, openBracket } from './json-bytes.ts';
import { RaybridgeError } from '../errors.ts';
import type { SegmentDocument } from '../model/index.ts';
import { documentBytesMax, isJsonObject, parseTime, parseSpanId, parseTraceId } from '../model/index.ts';
import { jsonDepthMax, JsonReader, printJson, readJson } from './json.ts';

/**
 * Segment documents (AWS X-Ray developer guide, "segment documents"; API reference, PutTraceSegments)
 * as text. A body of many is a JSON array that holds each document as its sender wrote it.
 */

/** X-Ray's words for what is wrong with a document, as UnprocessedTraceSegments gives them. */
export type SegmentErrorCode =
  | 'InvalidSegment'
  | 'SegmentTooLarge'
  | 'MissingId'
  | 'InvalidId'
  | 'MissingTraceId'
  | 'InvalidTraceId'
  | 'MissingName'
  | 'MissingStartTime'
  | 'MissingEndTime'
  | 'MissingParentId'
  | 'InvalidParentId';

/** The bytes of each document, views into the text; or why X-Ray would not take it. */
export type SegmentInspection =
  | { readonly ok: true; readonly documents: readonly Uint8Array[] }
  | {
      readonly ok: false;
      /** As written in the document, that of the whole one even when a subsegment inside is wrong; undefined when it has none. */
      readonly id: string | undefined;
      readonly errorCode: SegmentErrorCode;
      /** `Invalid segment. ErrorCode: MissingName, Cause: …`, X-Ray's own form. */
      readonly message: string;
    };

/**
 * How much a document must have:
 * - `api`: what PutTraceSegments asks, subsegments inside included; its sender is told what is wrong.
 * - `datagram`: only what a span cannot do without (ids, name, start), because a sender over UDP is
 *   told nothing, and a document without an end is kept as one in progress rather than lost.
 */
export type SegmentRules = 'api' | 'datagram';

/**
 * Checks one document, or an array of them, which is refused as a whole when one of them is wrong.
 * Never throws, whatever the text holds.
 */
export function inspectSegment(
  text: Uint8Array | string,
  { rules = 'api' }: { readonly rules?: SegmentRules } = {},
): SegmentInspection {
  try {
    const reader = openReader(text, jsonDepthMax);
    const inspected = inspectDocuments(reader, rules);
    reader.end();
    const documents = inspected.filter((document) => document instanceof Uint8Array);
    return inspected.find(isRejection) ?? { ok: true, documents };
  } catch (error) {
    if (!(error instanceof RaybridgeError)) throw error;
    return reject(undefined, fault('InvalidSegment', error.message));
  }
}

/**
 * The documents of a body: an array of them, or one.
 * @throws RaybridgeError BAD_INPUT when the body is not JSON, or one of them is not an object.
 */
export function decodeSegments(body: Uint8Array): readonly SegmentDocument[] {
  return splitSegments(body).map(decodeDocument);
}

/**
 * The bytes of each document of a body, views into it. A body that is no array is one document.
 * @throws RaybridgeError BAD_INPUT when the body is not JSON.
 */
export function splitSegments(body: Uint8Array): readonly Uint8Array[] {
  const reader = openReader(body, jsonDepthMax + 1);
  const documents: Uint8Array[] = [];
  if (reader.peek() !== 'array') documents.push(skipDocument(reader));
  else if (reader.beginArray()) {
    do documents.push(skipDocument(reader));
    while (reader.nextElement());
  }
  reader.end();
  return documents;
}

/** The body that `splitSegments` takes apart. */
export function joinSegments(documents: readonly Uint8Array[]): Uint8Array {
  const sizeBytes = documents.reduce((sum, document) => sum + document.length + 1, 1);
  const body = new Uint8Array(Math.max(sizeBytes, 2));
  let end = 0;
  for (const document of documents) {
    body[end] = end === 0 ? openBracket : comma;
    body.set(document, end + 1);
    end += 1 + document.length;
  }
  body[0] = openBracket;
  body[body.length - 1] = closeBracket;
  return body;
}

/** The text of a document. Numbers stand there as they were read. */
export function printSegment(document: SegmentDocument): string {
  return printJson(document);
}

/** Skipping makes nothing, so the size alone bounds the number of containers. */
function openReader(text: Uint8Array | string, depthMax: number): JsonReader {
  return new JsonReader(text, { format: 'segment document', depthMax, containersMax: text.length });
}

type Rejection = SegmentInspection & { readonly ok: false };

function isRejection(document: Uint8Array | Rejection): document is Rejection {
  return !(document instanceof Uint8Array);
}

function inspectDocuments(reader: JsonReader, rules: SegmentRules): readonly (Uint8Array | Rejection)[] {
  if (reader.peek() !== 'array') return [inspectDocument(reader, rules)];
  const documents: (Uint8Array | Rejection)[] = [];
  if (!reader.beginArray()) return documents;
  do documents.push(inspectDocument(reader, rules));
  while (reader.nextElement());
  return documents;
}

function inspectDocument(reader: JsonReader, rules: SegmentRules): Uint8Array | Rejection {
  reader.peek();
  const start = reader.pos;
  const entity = readEntity(reader, rules);
  const document = reader.bytes.subarray(start, reader.pos);
  const found = sizeFault(document) ?? documentFault(entity, rules) ?? entity.inner;
  return found === undefined ? document : reject(entity.id, found);
}

function skipDocument(reader: JsonReader): Uint8Array {
  reader.peek();
  const start = reader.pos;
  reader.skip();
  return reader.bytes.subarray(start, reader.pos);
}

function decodeDocument(text: Uint8Array): SegmentDocument {
  const reader = openReader(text, jsonDepthMax);
  const document = readJson(reader);
  return isJsonObject(document) ? document : reader.fail('an object', undefined, 0);
}

/** What the rules ask about, of a segment or a subsegment. Undefined is missing; texts are as written. */
interface Entity {
  id: string | undefined;
  traceId: string | undefined;
  parentId: string | undefined;
  name: string | undefined;
  isSubsegment: boolean;
  hasStart: boolean;
  /** Has ended, or says it is in progress. */
  hasEnd: boolean;
  /** What is wrong with the first wrong subsegment inside. */
  inner: Fault | undefined;
}

interface Fault {
  readonly code: SegmentErrorCode;
  readonly cause: string;
  /** True when it is about a subsegment inside the document. */
  readonly inside: boolean;
}

function readEntity(reader: JsonReader, rules: SegmentRules): Entity {
  const entity: Entity = {
    id: undefined,
    traceId: undefined,
    parentId: undefined,
    name: undefined,
    isSubsegment: false,
    hasStart: false,
    hasEnd: false,
    inner: undefined,
  };
  if (!reader.beginObject()) return entity;
  do readMember(reader, entity, rules);
  while (reader.nextMember());
  return entity;
}

function readMember(reader: JsonReader, entity: Entity, rules: SegmentRules): void {
  switch (reader.name()) {
    case 'id':
      entity.id = readText(reader);
      break;
    case 'trace_id':
      entity.traceId = readText(reader);
      break;
    case 'parent_id':
      entity.parentId = readText(reader);
      break;
    case 'name':
      entity.name = readText(reader);
      break;
    case 'type':
      entity.isSubsegment = readText(reader) === 'subsegment';
      break;
    case 'start_time':
      entity.hasStart = readsTime(reader);
      break;
    case 'end_time':
      entity.hasEnd = readsTime(reader) || entity.hasEnd;
      break;
    case 'in_progress':
      entity.hasEnd = readsTrue(reader) || entity.hasEnd;
      break;
    case 'subsegments':
      entity.inner = readSubsegments(reader, rules);
      break;
    default:
      reader.skip();
  }
}

/** A text that is not empty; undefined for anything else. */
function readText(reader: JsonReader): string | undefined {
  if (reader.peek() === 'string') return reader.string() || undefined;
  reader.skip();
  return undefined;
}

function readsTime(reader: JsonReader): boolean {
  if (reader.peek() === 'number') return parseTime(reader.number()) !== undefined;
  reader.skip();
  return false;
}

function readsTrue(reader: JsonReader): boolean {
  if (reader.peek() === 'boolean') return reader.boolean();
  reader.skip();
  return false;
}

function readSubsegments(reader: JsonReader, rules: SegmentRules): Fault | undefined {
  if (rules === 'datagram' || reader.peek() !== 'array') {
    reader.skip();
    return undefined;
  }
  let first: Fault | undefined;
  if (!reader.beginArray()) return undefined;
  do {
    const subsegment = readEntity(reader, rules);
    first ??= entityFault(subsegment, rules) ?? subsegment.inner;
  } while (reader.nextElement());
  return first && { ...first, inside: true };
}

function sizeFault({ length }: Uint8Array): Fault | undefined {
  if (length <= documentBytesMax) return undefined;
  return fault('SegmentTooLarge', `expected at most ${documentBytesMax} bytes, got ${length}`);
}

/** What a document must have: as much as a subsegment inside it, and its place in a trace. */
function documentFault(entity: Entity, rules: SegmentRules): Fault | undefined {
  return entityFault(entity, rules) ?? traceFault(entity) ?? (rules === 'api' ? parentFault(entity) : undefined);
}

function entityFault(entity: Entity, rules: SegmentRules): Fault | undefined {
  if (entity.id === undefined) return fault('MissingId', 'expected id, got none');
  if (parseSpanId(entity.id) === undefined) {
    return fault('InvalidId', `expected id of 16 hex digits, got ${quoted(entity.id)}`);
  }
  if (entity.name === undefined) return fault('MissingName', 'expected name, got none');
  if (!entity.hasStart) return fault('MissingStartTime', 'expected start_time in epoch seconds, got none');
  if (!entity.hasEnd && rules === 'api') {
    return fault('MissingEndTime', 'expected end_time in epoch seconds or in_progress true, got neither');
  }
  return undefined;
}

function traceFault({ traceId }: Entity): Fault | undefined {
  if (traceId === undefined) return fault('MissingTraceId', 'expected trace_id, got none');
  if (parseTraceId(traceId) !== undefined) return undefined;
  return fault('InvalidTraceId', `expected trace_id of the form 1-8-24 hex digits, got ${quoted(traceId)}`);
}

function parentFault({ parentId, isSubsegment }: Entity): Fault | undefined {
  if (parentId === undefined) {
    return isSubsegment ? fault('MissingParentId', 'expected parent_id on a subsegment, got none') : undefined;
  }
  if (parseSpanId(parentId) !== undefined) return undefined;
  return fault('InvalidParentId', `expected parent_id of 16 hex digits, got ${quoted(parentId)}`);
}

function fault(code: SegmentErrorCode, cause: string): Fault {
  return { code, cause, inside: false };
}

function reject(id: string | undefined, { code, cause, inside }: Fault): Rejection {
  const subject = inside ? 'subsegment' : 'segment';
  return { ok: false, id, errorCode: code, message: `Invalid ${subject}. ErrorCode: ${code}, Cause: ${cause}` };
}

const quotedCharactersMax = 40;

function quoted(text: string): string {
  return JSON.stringify(text.length > quotedCharactersMax ? `${text.slice(0, quotedCharactersMax)}…` : text);
}
