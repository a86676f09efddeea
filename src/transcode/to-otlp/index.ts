import { closeBracket, comma, openBracket } from '../../codec/json-bytes.ts';
import { decodeSegments, encodeTraces, jsonText as json } from '../../codec/index.ts';
import { writeSpan } from '../../codec/otlp-proto.ts';
import { RangeWriter } from './range-writer.ts';
import { findInvalidUtf8, isAscii } from '../../codec/utf8.ts';
import { resourceHash } from '../../convert/carried.ts';
import { readEnvelope, readResourceHash, readRole } from '../../convert/envelope.ts';
import { documentWithoutCredentials } from '../../convert/credentials.ts';
import { identify, readForm } from '../../convert/identity.ts';
import { spanOf } from '../../convert/lossless.ts';
import { plainStyle } from '../../convert/style.ts';
import type { ConversionProblem } from '../../convert/index.ts';
import { toSpans } from '../../convert/index.ts';
import type { JsonValue, Resource, Scope, SegmentDocument, Span } from '../../model/index.ts';
import { emptyScope, parseSpanId } from '../../model/index.ts';
import { applyAttributes, applyName, applyStatus, applyTimes, EnvelopeReading } from './envelope.ts';
import { readForeign } from './foreign.ts';
import { SpanGroups } from './groups.ts';
import { SpanIds } from './ids.ts';
import { Kind } from './document-index.ts';
import { unusual } from './literals.ts';
import { readAnnotations, readNamespaces, readRest } from './metadata.ts';
import { envelopeMember, makeRoom, member } from './names.ts';
import { readOutcome } from './outcome.ts';
import { Reading } from './reading.ts';
import { collectOwnResource } from './resource.ts';
import { readNamespace, readOperation, readSections, readTimes } from './sections.ts';
import { RangeKey, SeenValues } from './seen.ts';
import { isSpanIdAt, isUsualTraceIdAt, writeIds, writeOwnSpan } from './span.ts';

/**
 * Segment documents to OTLP protobuf, bytes to bytes.
 *
 * The readable way is `encodeTraces(toSpans(decodeSegments(body)).spans)`, and it is right by
 * definition. This is the fast way to the same bytes: an index of the document instead of objects,
 * attributes that say where their values stand, each byte copied once, and resources and scopes
 * known by the bytes that make them. It has rules for what is usual. A document with anything else
 * goes the readable way, by itself, and its spans take their place among the others.
 */

export interface TranscodedSpans {
  /** An ExportTraceServiceRequest. */
  readonly bytes: Uint8Array;
  readonly spans: number;
  readonly problems: readonly ConversionProblem[];
  /** Documents that went over spans, whole or in part, because something about them is not usual. */
  readonly slowDocuments: number;
}

/**
 * The spans of a body of documents, one or an array of them, as `toSpans` makes them.
 * @throws RaybridgeError BAD_INPUT as `decodeSegments` does.
 */
export function segmentsToOtlp(body: Uint8Array): TranscodedSpans {
  const run = startRun();
  // Whatever is wrong with the body as a whole, the readable way says it.
  const groups = isUtf8(body) && readBody(body, run) ? grouped(run) : undefined;
  if (!groups) return readSlowly(body);
  const problems = [...run.lost, ...run.problems];
  return { bytes: groups.encode(spansWriter), spans: run.spans.length, problems, slowDocuments: run.slow };
}

/** The spans in the order of their documents; undefined when `toSpans` would group them otherwise. */
function grouped({ spans, waiting }: Run): SpanGroups | undefined {
  const groups = new SpanGroups();
  if (waiting.length > 0) spans.sort((a, b) => a.document - b.document);
  for (const { resource, scope, start, end } of spans) groups.add(resource, scope, start, end);
  // Documents that name their resource are read last, which makes a difference when there are too many to compare.
  return waiting.length > 0 && groups.isCrowded ? undefined : groups;
}

/** A span that has been written. */
interface WrittenSpan {
  /** Place of its document in the body. */
  readonly document: number;
  readonly resource: Resource;
  readonly scope: Scope;
  readonly start: number;
  readonly end: number;
}

interface Run {
  readonly spans: WrittenSpan[];
  /** Their resources. */
  readonly resources: Set<Resource>;
  /** Documents of which no span could be made; they are told before all other problems. */
  readonly lost: ConversionProblem[];
  readonly problems: ConversionProblem[];
  /** Ids of segments of services whose calls are documents of their own, and the ids that such calls name. */
  readonly services: string[];
  readonly calls: Set<string>;
  /** Where the spans of subsegments that came alone begin. */
  readonly alone: number[];
  /** Documents that name the resource of another one, and where they begin: they are read when all others are. */
  readonly waiting: { readonly document: number; readonly at: number }[];
  isWaiting: boolean;
  /** Place of the document that is being read. */
  document: number;
  slow: number;
}

/** Of all calls: their memory is used again. A call never waits, so no two of them meet here. */
const reading = new Reading();
const envelope = new EnvelopeReading();
let spansWriter = new RangeWriter();
const spanIds = new SpanIds();
const resourceKey = new RangeKey();
const scopeKey = new RangeKey();
const seenResources = new SeenValues<Resource>();
const seenScopes = new SeenValues<Scope>();
/** Whether the two keys are those of the document being read. */
let isOwnerCollected = false;

/** Memory that one large body needed is not kept for the small ones after it. */
const bytesKept = 16 * 1024 * 1024;

function startRun(): Run {
  if (spansWriter.buffer.byteLength > bytesKept) spansWriter = new RangeWriter();
  spansWriter.cutTo(0);
  spanIds.clear();
  return {
    spans: [],
    resources: new Set(),
    lost: [],
    problems: [],
    services: [],
    calls: new Set(),
    alone: [],
    waiting: [],
    isWaiting: true,
    document: 0,
    slow: 0,
  };
}

function isUtf8(body: Uint8Array): boolean {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  return isAscii(view, 0, body.length) || findInvalidUtf8(body, 0, body.length) < 0;
}

/**
 * False when the body is not an array of objects, or one, as JSON has it; or when its documents mean
 * something to each other: they replace or need one another.
 */
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
    if (!readDocument(body, { at, end }, run)) return false;
    run.document += 1;
    at = index.skipSpace(end);
    if (!isArray || index.bytes[at] === closeBracket) break;
    if (index.bytes[at] !== comma) return false;
    at = index.skipSpace(at + 1);
  }
  if (isArray) at = index.skipSpace(at + 1);
  return at === body.length && readWaiting(body, run) && standsAlone(run);
}

function readWaiting(body: Uint8Array, run: Run): boolean {
  const { index } = reading;
  run.isWaiting = false;
  return run.waiting.every(({ document, at }) => {
    run.document = document;
    index.clear();
    return readDocument(body, { at, end: index.read(at) }, run);
  });
}

/**
 * Whether each document says all about itself: calls are there for all their services, and no
 * subsegment that came alone has a parent here, whose service would be its own.
 */
function standsAlone({ services, calls, alone }: Run): boolean {
  return services.every((id) => calls.has(id)) && !alone.some(hasParentHere);
}

function hasParentHere(span: number): boolean {
  const view = spansWriter.buffer;
  const traceId = traceIdIn(view, span);
  const parent = traceId + parentIdOffset;
  return view.getUint8(parent) === parentIdTag && spanIds.has(view, traceId, parent + 2);
}

/** False when it means something to another document. */
function readDocument(body: Uint8Array, { at, end }: { readonly at: number; readonly end: number }, run: Run): boolean {
  const mark = spansWriter.length;
  isOwnerCollected = false;
  try {
    return readFast(at, run);
  } catch (error) {
    if (error !== unusual) throw error;
    spansWriter.cutTo(mark);
    return readSlow(body.subarray(at, end), run);
  }
}

function readFast(at: number, run: Run): boolean {
  const { index } = reading;
  reading.clearMarks();
  reading.open(0);
  const type = reading.topEntry(member.type);
  reading.isSegment = type < 0 || index.kinds[type] !== Kind.text || index.textOf(type).toLowerCase() !== 'subsegment';
  const metadata = reading.asObject(reading.topEntry(member.metadata));
  const object = metadata < 0 ? -1 : index.member(metadata, member.raybridge);
  if (object >= 0 && index.kinds[object] === Kind.object && envelope.open(reading, object)) {
    reading.isOurs = true;
    return waits(at, run) || readOwn(metadata, run);
  }
  return readOthers(run);
}

function readOthers(run: Run): boolean {
  const start = spansWriter.length;
  const isAlone = !reading.isSegment;
  const { ends, resource, slow } = readForeign(spansWriter, reading, json);
  if (!resource) throw unusual;
  if (isAlone) run.alone.push(start);
  let from = start;
  for (const end of ends) {
    if (!addSpan(run, resource, emptyScope, { start: from, end })) return false;
    from = end;
  }
  if (slow > 0) run.slow += 1;
  return true;
}

/** Notes a span that has been written. False when there is one of its ids already. */
function addSpan(
  run: Run,
  resource: Resource,
  scope: Scope,
  { start, end }: { readonly start: number; readonly end: number },
): boolean {
  const view = spansWriter.buffer;
  const traceId = traceIdIn(view, start);
  if (!spanIds.add(view, traceId, traceId + spanIdOffset)) return false;
  run.spans.push({ document: run.document, resource, scope, start, end });
  run.resources.add(resource);
  return true;
}

/** The bytes of the trace id of a span that begins there: behind tag and length, and its own. */
function traceIdIn(view: DataView, span: number): number {
  let at = span + 1;
  while (view.getUint8(at) >= 0x80) at += 1;
  return at + 3;
}

const traceIdBytes = 16;
/** From the bytes of the trace id to those of the span id, and to the field of the parent's, if there is one. */
const spanIdOffset = traceIdBytes + 2;
const parentIdOffset = spanIdOffset + 8;
const parentIdTag = 0x22;

/** A document with an envelope, and its span. */
function readOwn(metadata: number, run: Run): boolean {
  const { index } = reading;
  const role = envelope.entry(envelopeMember.role);
  const roleText = role >= 0 && index.kinds[role] === Kind.text ? index.textOf(role) : '';
  if (roleText === 'svc') return noteService(run);
  if (role >= 0 && roleText !== 'dep') throw unusual;
  const subsegments = reading.asList(reading.topEntry(member.subsegments));
  if (subsegments >= 0 && index.size(subsegments) > 0) throw unusual;

  const hash = resourceHashAt(envelope.entry(envelopeMember.resource));
  const named = hash === undefined ? undefined : resourceOf(hash, run);
  if (hash !== undefined && !named) return false;
  const { resource, scope } = findOwner(named);
  reading.language = shownLanguage(resource);
  readMembers(metadata);
  applyAttributes(reading, envelope);
  applyTimes(reading, envelope);
  applyName(reading, envelope);
  applyStatus(reading, envelope);
  const start = spansWriter.length;
  writeOwnSpan(spansWriter, reading, envelope);
  if (roleText === 'dep') run.calls.add(idsOf(member.parentId));
  return addSpan(run, resource, scope, { start, end: spansWriter.length });
}

/** The segment of a service makes no span, because the document of its call holds it all. */
function noteService(run: Run): boolean {
  const { index } = reading;
  const isUsual =
    isUsualTraceIdAt(index, reading.topEntry(member.traceId)) && isSpanIdAt(index, reading.topEntry(member.id));
  if (!isUsual) return false;
  readTimes(reading);
  run.services.push(idsOf(member.id));
  const mark = spansWriter.length;
  writeIds(spansWriter, reading);
  const isNew = spanIds.add(spansWriter.buffer, mark, mark + traceIdBytes);
  spansWriter.cutTo(mark);
  return isNew;
}

/** Trace id and another id of the document, as they are written. */
function idsOf(name: number): string {
  const { index } = reading;
  const entry = reading.topEntry(name);
  return `${index.textOf(reading.topEntry(member.traceId))} ${entry < 0 ? '' : index.textOf(entry)}`;
}

/** The hash of a resource that another document carries, when the envelope gives no more. */
function resourceHashAt(entry: number): string | undefined {
  const { index } = reading;
  const hash = entry >= 0 && index.kinds[entry] === Kind.object ? index.member(entry, envelopeMember.hash) : -1;
  if (hash < 0) return undefined;
  if (index.kinds[hash] !== Kind.text) throw unusual;
  return index.textOf(hash);
}

/** Whether the document is to be read later, and notes it. */
function waits(at: number, run: Run): boolean {
  if (!run.isWaiting || resourceHashAt(envelope.entry(envelopeMember.resource)) === undefined) return false;
  run.waiting.push({ document: run.document, at });
  return true;
}

/** The first resource of that hash. */
function resourceOf(hash: string, { resources }: Run): Resource | undefined {
  for (const resource of resources) if (hashOf(resource) === hash) return resource;
  return undefined;
}

const hashes = new WeakMap<Resource, string>();

function hashOf(resource: Resource): string {
  const hash = hashes.get(resource) ?? resourceHash(resource, json);
  hashes.set(resource, hash);
  return hash;
}

/** Resource and scope, when documents with the same were there before. */
function findOwner(named: Resource | undefined): { readonly resource: Resource; readonly scope: Scope } {
  const { index } = reading;
  const renames = envelope.entry(envelopeMember.renames);
  if (renames >= 0) checkRenames(renames);
  collectOwnResource(resourceKey, reading, {
    resource: named ? -1 : envelope.entry(envelopeMember.resource),
    renames,
  });
  const scopeEntry = envelope.entry(envelopeMember.scope);
  scopeKey.clear(0);
  if (scopeEntry >= 0) scopeKey.add(0, index.bytes, index.starts[scopeEntry] ?? 0, index.ends[scopeEntry] ?? 0);
  isOwnerCollected = !named;
  const resource = named ?? seenResources.get(resourceKey, index.bytes);
  const scope = scopeEntry < 0 ? emptyScope : seenScopes.get(scopeKey, index.bytes);
  if (!resource || !scope) throw unusual;
  return { resource, scope };
}

const renamesMax = 64;

/** Annotation keys and the keys of their attributes: few, because each annotation is looked up among them. */
function checkRenames(renames: number): void {
  const { index } = reading;
  if (index.kinds[renames] !== Kind.object || index.size(renames) > renamesMax) throw unusual;
  for (let entry = renames + 1; entry < (index.nexts[renames] ?? 0); entry++)
    if (index.kinds[entry] !== Kind.text) throw unusual;
}

/** The language of the resource that the document alone shows, before the envelope has its say. */
function shownLanguage({ attributes }: Resource): string | undefined {
  if (!reading.isSegment) return undefined;
  // An envelope may have changed it, and what it was before is not known here.
  if (envelope.entry(envelopeMember.resource) >= 0 && reading.topEntry(member.cause) >= 0) throw unusual;
  const language = attributes.get('telemetry.sdk.language');
  return typeof language === 'string' && language !== '' ? language : undefined;
}

/** In the order of `convert/document.ts`. */
function readMembers(metadata: number): void {
  const renames = envelope.entry(envelopeMember.renames);
  readSections(reading);
  readNamespaces(reading, metadata);
  readAnnotations(reading, renames);
  readRest(reading, metadata);
  readNamespace(reading);
  readOperation(reading);
  readOutcome(reading);
}

/**
 * One document the readable way. What it is found to belong to is remembered for the next ones.
 * False when it means something to another document.
 */
function readSlow(document: Uint8Array, run: Run): boolean {
  const documents = decodeSegments(document);
  const [only] = documents;
  const named = run.isWaiting || !only ? undefined : namedResource(only, run);
  if (only && named) return readNaming(only, named, run);
  if (documents.some((one) => needsOthers(one, run))) return false;
  const { spans, problems } = toSpans(documents, { json });
  for (const problem of problems) {
    const pointer = `/${run.document}${problem.pointer.slice(firstPointer.length)}`;
    (problem.lost === 'document' ? run.lost : run.problems).push({ ...problem, pointer });
  }
  run.slow += 1;
  if (spans.length === 1 && problems.length === 0) remember(spans[0]);
  if (spans.length > 0 && documents.some(isAlone)) run.alone.push(spansWriter.length);
  return spans.every((span) => {
    const start = spansWriter.length;
    writeSpan(spansWriter, span);
    return addSpan(run, span.resource, span.scope, { start, end: spansWriter.length });
  });
}

const firstPointer = '/0';

/** The resource that a document names. */
function namedResource(document: SegmentDocument, run: Run): Resource | undefined {
  const found = readEnvelope(document);
  const hash = found && readResourceHash(found);
  return hash === undefined ? undefined : resourceOf(hash, run);
}

/** A document that names its resource, the readable way; false when there is more to it than one span. */
function readNaming(document: SegmentDocument, named: Resource, run: Run): boolean {
  const identity = identify(document);
  const isPlain = identity && isSpanIdText(document.get('id')) && !document.has('subsegments');
  if (!isPlain || (document.has('parent_id') && !identity.parentSpanId)) return false;
  const found = readEnvelope(document);
  const role = found && readRole(found);
  if (role === 'svc') return false;
  if (role === 'dep') run.calls.add(idsOf(member.parentId));
  try {
    const span = spanOf(documentWithoutCredentials(document, refuse), found, {
      ...identity,
      form: readForm(document),
      placement: { embedded: undefined, strays: new Map() },
      inherited: undefined,
      named,
      style: plainStyle,
      json,
      report: refuse,
    });
    run.slow += 1;
    const start = spansWriter.length;
    writeSpan(spansWriter, span);
    return addSpan(run, span.resource, span.scope, { start, end: spansWriter.length });
  } catch (error) {
    if (error !== unusual) throw error;
    return false;
  }
}

function isSpanIdText(id: JsonValue | undefined): boolean {
  return typeof id === 'string' && parseSpanId(id) !== undefined;
}

/** A problem is for the path over spans to tell. */
function refuse(): never {
  throw unusual;
}

function isAlone(document: SegmentDocument): boolean {
  return !readEnvelope(document) && readForm(document) === 'subsegment';
}

/** Whether `toSpans` looks for another document; notes what it looks for in this one. */
function needsOthers(document: SegmentDocument, run: Run): boolean {
  const found = readEnvelope(document);
  const role = found && readRole(found);
  if (role === 'svc' || (found && readResourceHash(found) !== undefined)) return true;
  const parentId = document.get('parent_id');
  if (role === 'dep' && typeof parentId === 'string') run.calls.add(`${String(document.get('trace_id'))} ${parentId}`);
  return false;
}

function remember(span: Span | undefined): void {
  if (!span || !isOwnerCollected) return;
  const { bytes } = reading.index;
  seenResources.set(resourceKey, bytes, span.resource);
  if (scopeKey.count > 0) seenScopes.set(scopeKey, bytes, span.scope);
}

function readSlowly(body: Uint8Array): TranscodedSpans {
  const documents = decodeSegments(body);
  const { spans, problems } = toSpans(documents, { json });
  return { bytes: encodeTraces(spans), spans: spans.length, problems, slowDocuments: documents.length };
}
