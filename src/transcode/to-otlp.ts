import { decodeSegments } from '../codec/index.ts';
import { parseJson, printJson } from '../codec/json.ts';
import { writeSpan } from '../codec/otlp-proto.ts';
import { ProtoWriter } from '../codec/protobuf.ts';
import { findInvalidUtf8, isAscii } from '../codec/utf8.ts';
import type { ConversionProblem, JsonText } from '../convert/index.ts';
import { jsonTextDepthMax, toSpans } from '../convert/index.ts';
import { RaybridgeError } from '../errors.ts';
import type { Resource, Scope, Span } from '../model/index.ts';
import { emptyScope } from '../model/index.ts';
import { applyAttributes, applyName, applyStatus, applyTimes, EnvelopeReading } from './to-otlp-envelope.ts';
import { SpanGroups } from './to-otlp-groups.ts';
import { Kind } from './to-otlp-index.ts';
import { unusual } from './to-otlp-literals.ts';
import { readAnnotations, readNamespaces, readRest } from './to-otlp-metadata.ts';
import { envelopeMember, makeRoom, member } from './to-otlp-names.ts';
import { Reading } from './to-otlp-reading.ts';
import { collectOwnResource } from './to-otlp-resource.ts';
import {
  readAws,
  readCause,
  readHttp,
  readIdentity,
  readKind,
  readName,
  readNamespace,
  readOperation,
  readOutcome,
  readSql,
  readTimes,
} from './to-otlp-sections.ts';
import { RangeKey, SeenValues } from './to-otlp-seen.ts';
import { isTraceId, writeOwnSpan } from './to-otlp-span.ts';

/**
 * Segment documents to OTLP protobuf, bytes to bytes.
 *
 * The readable way is `encodeTraces(toSpans(decodeSegments(body)).spans)`, and it is right by
 * definition. This is the fast way to the same bytes: an index of the document instead of objects,
 * attributes that say where their values stand, each byte copied once, and resources and scopes
 * known by the bytes that make them. It has rules for what is usual. A document with anything else
 * goes the readable way, by itself, and its spans take their place among the others.
 */

export interface Transcoded {
  /** An ExportTraceServiceRequest. */
  readonly bytes: Uint8Array;
  readonly spans: number;
  readonly problems: readonly ConversionProblem[];
  /** Documents that went the readable way, for measuring. */
  readonly slow: number;
}

/**
 * The spans of a body of documents, one or an array of them, as `toSpans` makes them.
 * @throws RaybridgeError BAD_INPUT as `decodeSegments` does.
 */
export function segmentsToOtlp(body: Uint8Array): Transcoded {
  const run: Run = { groups: new SpanGroups(), spans: 0, problems: [], slow: 0, documents: 0 };
  spansWriter.cutTo(0);
  // Whatever is wrong with the body as a whole, the readable way says it.
  if (!isUtf8(body) || !readBody(body, run)) return readSlowly(body);
  const bytes = run.groups.encode(spansWriter.written(0, spansWriter.length));
  return { bytes, spans: run.spans, problems: run.problems, slow: run.slow };
}

interface Run {
  readonly groups: SpanGroups;
  readonly problems: ConversionProblem[];
  spans: number;
  documents: number;
  slow: number;
}

/** Of all calls: their memory is used again. A call never waits, so no two of them meet here. */
const reading = new Reading();
const envelope = new EnvelopeReading();
const spansWriter = new ProtoWriter();
const resourceKey = new RangeKey();
const scopeKey = new RangeKey();
const seenResources = new SeenValues<Resource>();
const seenScopes = new SeenValues<Scope>();
/** Whether the two keys are those of the document being read. */
let isOwnerCollected = false;

function isUtf8(body: Uint8Array): boolean {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  return isAscii(view, 0, body.length) || findInvalidUtf8(body, 0, body.length) < 0;
}

/** False when the body is not an array of objects, or one, as JSON has it. */
function readBody(body: Uint8Array, run: Run): boolean {
  const { index } = reading;
  index.load(body);
  let at = index.skipSpace(0);
  const isArray = index.bytes[at] === openBracket;
  if (isArray) {
    at = index.skipSpace(at + 1);
    if (index.bytes[at] === closeBracket) return index.skipSpace(at + 1) === body.length;
  }
  for (;;) {
    makeRoom();
    index.clear();
    const end = index.read(at);
    if (end < 0 || index.kinds[0] !== Kind.object) return false;
    readDocument(body.subarray(at, end), run);
    at = index.skipSpace(end);
    if (!isArray) return at === body.length;
    if (index.bytes[at] === closeBracket) return index.skipSpace(at + 1) === body.length;
    if (index.bytes[at] !== comma) return false;
    at = index.skipSpace(at + 1);
  }
}

const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;

function readDocument(document: Uint8Array, run: Run): void {
  const mark = spansWriter.length;
  try {
    readOwn(run);
  } catch (error) {
    if (error !== unusual) throw error;
    spansWriter.cutTo(mark);
    readSlow(document, run);
  }
  run.documents += 1;
}

/** A document with an envelope, and its span. */
function readOwn(run: Run): void {
  const { index } = reading;
  isOwnerCollected = false;
  reading.open();
  readForm();
  const metadata = reading.asObject(reading.topEntry(member.metadata));
  const object = metadata < 0 ? -1 : index.member(metadata, member.raybridge);
  if (object < 0 || index.kinds[object] !== Kind.object || !envelope.open(reading, object)) throw unusual;
  const role = envelope.entry(envelopeMember.role);
  if (role >= 0 && index.kinds[role] === Kind.text && index.textOf(role) === 'svc') return readService();
  const subsegments = reading.asList(reading.topEntry(member.subsegments));
  if (subsegments >= 0 && index.size(subsegments) > 0) throw unusual;

  const { resource, scope } = findOwner();
  reading.language = shownLanguage(resource);
  readSections(metadata);
  applyAttributes(reading, envelope);
  applyTimes(reading, envelope);
  applyName(reading, envelope);
  applyStatus(reading, envelope);
  const start = spansWriter.length;
  writeOwnSpan(spansWriter, reading, envelope);
  run.groups.add(resource, scope, start, spansWriter.length);
  run.spans += 1;
}

/** The segment of a service whose call is in another document makes no span; it must be a document all the same. */
function readService(): void {
  if (!isTraceId(reading.index, reading.topEntry(member.traceId))) throw unusual;
  readTimes(reading);
}

function readForm(): void {
  const { index } = reading;
  const type = reading.topEntry(member.type);
  const text = type >= 0 && index.kinds[type] === Kind.text ? index.textOf(type) : '';
  reading.isSegment = text.toLowerCase() !== 'subsegment';
}

/** Resource and scope, when documents with the same were there before. */
function findOwner(): { readonly resource: Resource; readonly scope: Scope } {
  const { index } = reading;
  const renames = envelope.entry(envelopeMember.renames);
  const isRenaming = renames >= 0 && index.kinds[renames] === Kind.object;
  collectOwnResource(resourceKey, reading, {
    resource: envelope.entry(envelopeMember.resource),
    renames: isRenaming ? renames : -1,
  });
  const scopeEntry = envelope.entry(envelopeMember.scope);
  scopeKey.clear(0);
  if (scopeEntry >= 0) scopeKey.add(0, index.bytes, index.starts[scopeEntry] ?? 0, index.ends[scopeEntry] ?? 0);
  isOwnerCollected = true;
  const resource = seenResources.get(resourceKey, index.bytes);
  const scope = scopeEntry < 0 ? emptyScope : seenScopes.get(scopeKey, index.bytes);
  if (!resource || !scope) throw unusual;
  return { resource, scope };
}

/** The language of the resource that the document alone shows, before the envelope has its say. */
function shownLanguage({ attributes }: Resource): string | undefined {
  if (!reading.isSegment) return undefined;
  // How often an envelope changes it is not worth knowing; stack traces are rare as well.
  if (envelope.entry(envelopeMember.resource) >= 0 && reading.topEntry(member.cause) >= 0) throw unusual;
  const language = attributes.get('telemetry.sdk.language');
  return typeof language === 'string' && language !== '' ? language : undefined;
}

/** In the order of `convert/document.ts`. */
function readSections(metadata: number): void {
  const { index } = reading;
  const renames = envelope.entry(envelopeMember.renames);
  readTimes(reading);
  readKind(reading);
  readName(reading);
  readIdentity(reading);
  readHttp(reading);
  readAws(reading);
  readSql(reading);
  readCause(reading);
  readNamespaces(reading, metadata);
  readAnnotations(reading, renames >= 0 && index.kinds[renames] === Kind.object ? renames : -1);
  readRest(reading, metadata);
  readNamespace(reading);
  readOperation(reading);
  readOutcome(reading);
}

/** One document the readable way. What it is found to belong to is remembered for the next ones. */
function readSlow(document: Uint8Array, run: Run): void {
  const { spans, problems } = toSpans(decodeSegments(document), { json });
  for (const problem of problems)
    run.problems.push({ ...problem, pointer: `/${run.documents}${problem.pointer.slice(firstPointer.length)}` });
  for (const span of spans) {
    const start = spansWriter.length;
    writeSpan(spansWriter, span);
    run.groups.add(span.resource, span.scope, start, spansWriter.length);
  }
  if (spans.length === 1 && problems.length === 0) remember(spans[0]);
  run.spans += spans.length;
  run.slow += 1;
}

const firstPointer = '/0';

function remember(span: Span | undefined): void {
  if (!span || !isOwnerCollected) return;
  const { bytes } = reading.index;
  seenResources.set(resourceKey, bytes, span.resource);
  if (scopeKey.count > 0) seenScopes.set(scopeKey, bytes, span.scope);
}

function readSlowly(body: Uint8Array): Transcoded {
  const documents = decodeSegments(body);
  const { spans, problems } = toSpans(documents, { json });
  spansWriter.cutTo(0);
  const groups = new SpanGroups();
  for (const span of spans) {
    const start = spansWriter.length;
    writeSpan(spansWriter, span);
    groups.add(span.resource, span.scope, start, spansWriter.length);
  }
  const bytes = groups.encode(spansWriter.written(0, spansWriter.length));
  return { bytes, spans: spans.length, problems, slow: documents.length };
}

const json: JsonText = {
  parse(text) {
    try {
      return parseJson(text, { depthMax: jsonTextDepthMax });
    } catch (error) {
      // Text that looks like JSON and is none stays what it is.
      if (error instanceof RaybridgeError) return undefined;
      throw error;
    }
  },
  print: printJson,
};
