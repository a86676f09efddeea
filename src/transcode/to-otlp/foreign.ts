import { parseJson } from '../../codec/json.ts';
import { writeSpan } from '../../codec/otlp-proto.ts';
import type { RangeWriter } from './range-writer.ts';
import { documentWithoutCredentials } from '../../convert/credentials.ts';
import { readEnvelope } from '../../convert/envelope.ts';
import type { JsonText } from '../../convert/index.ts';
import { spanOf } from '../../convert/lossless.ts';
import { plainStyle } from '../../convert/style.ts';
import type { JsonObject, JsonValue, Resource, Span } from '../../model/index.ts';
import { isJsonObject, parseSpanId, parseTraceId } from '../../model/index.ts';
import type { CauseReading } from './cause.ts';
import { readForeignCause } from './cause.ts';
import { Kind } from './document-index.ts';
import { unusual } from './literals.ts';
import { readForeignAnnotations, readNamespaces } from './metadata.ts';
import { member, word } from './names.ts';
import { readOutcome } from './outcome.ts';
import type { Reading } from './reading.ts';
import type { Placed } from './residual.ts';
import { setResidual } from './residual.ts';
import type { ResourceMarks } from './resource.ts';
import { applyMarks, collectForeignResource, marksFrom } from './resource.ts';
import { readNamespace, readOperation, readSections, readTimes } from './sections.ts';
import { RangeKey, SeenValues } from './seen.ts';
import { isSpanIdAt, isUsualTraceIdAt, writeForeignSpan } from './span.ts';

/**
 * Documents that other programs wrote: a segment, or a subsegment that is sent alone, and the
 * subsegments inside it, a span each. The
 * sections mark what of a member comes back; what does not goes into the span's residual. A segment
 * or subsegment with something unusual in it is converted by `spanOf`, by itself.
 */

export interface ForeignSpans {
  /** Where each span ends; the first begins where the writer stood before. */
  readonly ends: number[];
  /** Of all of them. */
  resource: Resource | undefined;
  /** Spans that `spanOf` made. */
  slow: number;
}

/** What the resource's part of a segment stands for. */
interface SeenSegment {
  readonly resource: Resource;
  readonly marks: ResourceMarks | undefined;
}

const seenSegments = new SeenValues<SeenSegment>();
const resourceKey = new RangeKey();

/**
 * Writes the spans of the document in the index, a parent before its subsegments; `isSegment` of the
 * reading tells what it is.
 * @throws unusual when that takes more than one segment or subsegment by itself.
 */
export function readForeign(writer: RangeWriter, reading: Reading, json: JsonText): ForeignSpans {
  const spans: ForeignSpans = { ends: [], resource: undefined, slow: 0 };
  reading.isOurs = false;
  reading.open(0);
  if (!isUsualTraceIdAt(reading.index, reading.topEntry(member.traceId))) throw unusual;
  reading.traceId = reading.topEntry(member.traceId);
  readEntity({ writer, reading, json, spans }, 0, undefined);
  return spans;
}

interface Tree {
  readonly writer: RangeWriter;
  readonly reading: Reading;
  readonly json: JsonText;
  readonly spans: ForeignSpans;
}

function readEntity(tree: Tree, entity: number, placed: Placed | undefined): void {
  const { writer, reading, spans } = tree;
  const { index } = reading;
  reading.open(entity);
  if (placed) reading.isSegment = false;
  const id = reading.topEntry(member.id);
  const children = reading.asList(reading.topEntry(member.subsegments));
  if (!isSpanIdAt(index, id)) throw unusual;
  const start = writer.length;
  try {
    writeEntity(tree, placed);
  } catch (error) {
    if (error !== unusual) throw error;
    writer.cutTo(start);
    writeSlowly(tree, entity, placed);
  }
  spans.ends.push(writer.length);
  const end = children < 0 ? 0 : (index.nexts[children] ?? 0);
  for (let child = children + 1, place = 0; child < end; child = index.nexts[child] ?? 0, place++) {
    if (index.kinds[child] !== Kind.object) throw unusual;
    readEntity(tree, child, { parentId: id, place });
  }
}

function writeEntity(tree: Tree, placed: Placed | undefined): void {
  const { writer, reading, spans, json } = tree;
  const changes = placed ? noChanges : findOwner(reading, spans);
  readSections(reading);
  const metadata = reading.asObject(reading.topEntry(member.metadata));
  if (metadata >= 0) readNamespaces(reading, metadata);
  readForeignAnnotations(reading);
  readNamespace(reading);
  readOperation(reading);
  readOutcome(reading);
  keepIds(reading, placed);
  const cause = hasCause(reading) ? causeOf(tree) : noCause;
  setResidual(reading, { changes, cause: cause.kept === undefined ? '' : json.print(cause.kept), placed });
  writeForeignSpan(writer, reading, { placed, events: cause.events });
}

const noCause: CauseReading = { events: [], kept: undefined };

function hasCause({ index, top }: Reading): boolean {
  const cause = top[member.cause] ?? -1;
  return cause >= 0 && index.kinds[cause] === Kind.object;
}

function causeOf({ reading, spans: { resource }, json }: Tree): CauseReading {
  if (!resource) throw unusual;
  return readForeignCause(reading, { resource, spanId: reading.index.textOf(reading.topEntry(member.id)), json });
}

const noMarks: ResourceMarks = { marks: new Uint8Array(0), changes: new Uint8Array(0) };
const noChanges = new Uint8Array(0);

/** The resource, when a document with the same was there before. Returns what its residual says of it. */
function findOwner(reading: Reading, spans: ForeignSpans): Uint8Array {
  collectForeignResource(resourceKey, reading);
  const seen = seenSegments.get(resourceKey, reading.index.bytes);
  if (!seen?.marks) throw unusual;
  spans.resource = seen.resource;
  if (reading.isSegment) applyMarks(reading, seen.marks.marks);
  return seen.marks.changes;
}

/** Ids in their usual spelling come back; the trace id of a subsegment is its segment's. */
function keepIds(reading: Reading, placed: Placed | undefined): void {
  reading.keep(reading.topEntry(member.id));
  if (placed) return;
  const parent = reading.topEntry(member.parentId);
  if (!reading.isSegment) {
    // Without a parent, or with a type of another spelling, it would become another document.
    if (parent < 0 || !reading.isText(reading.topEntry(member.type), word.subsegment)) throw unusual;
    reading.keep(reading.topEntry(member.type));
  }
  if (parent >= 0 && !isSpanIdAt(reading.index, parent)) throw unusual;
  reading.keep(parent);
  reading.keep(reading.topEntry(member.traceId));
}

/** One segment or subsegment as the readable way takes it, without what is inside it. */
function writeSlowly({ writer, reading, json, spans }: Tree, entity: number, placed: Placed | undefined): void {
  const { index } = reading;
  const document = objectAt(reading, entity);
  readTimes(reading);
  const parentId = placed ? index.textOf(placed.parentId) : textAt(document, 'parent_id');
  const span = spanOf(document, readEnvelope(document), {
    traceId: parseTraceId(index.textOf(reading.traceId)) ?? '',
    spanId: index.textOf(reading.topEntry(member.id)),
    parentSpanId: parentId === undefined ? undefined : parseSpanId(parentId),
    startTimeNs: (BigInt(reading.start.high) << 32n) | BigInt(reading.start.low),
    form: placed ? 'embedded' : reading.isSegment ? 'segment' : 'subsegment',
    placement: {
      embedded: placed && { parentId: index.textOf(placed.parentId), place: placed.place },
      strays: new Map(),
    },
    inherited: placed ? spans.resource : undefined,
    named: undefined,
    style: plainStyle,
    json,
    report: refuse,
  });
  if (!placed) remember(reading, span, json);
  spans.resource ??= span.resource;
  spans.slow += 1;
  writeSpan(writer, span);
}

/** A problem has a pointer into the list of documents, of which nothing is known here. */
function refuse(): never {
  throw unusual;
}

function objectAt({ index }: Reading, entity: number): JsonObject {
  const value = parseJson(index.bytes.subarray(index.starts[entity], index.ends[entity]));
  if (!isJsonObject(value)) throw unusual;
  const list: JsonValue | undefined = value.get('subsegments');
  const own = new Map(value);
  if (Array.isArray(list) && list.length > 0) own.delete('subsegments');
  return documentWithoutCredentials(own, refuse);
}

function textAt(object: JsonObject, name: string): string | undefined {
  const value = object.get(name);
  if (value !== undefined && (typeof value !== 'string' || !parseSpanId(value))) throw unusual;
  return value;
}

function remember(reading: Reading, span: Span, json: JsonText): void {
  collectForeignResource(resourceKey, reading);
  if (seenSegments.get(resourceKey, reading.index.bytes)) return;
  const text = span.attributes.get('raybridge.xray');
  const residual = typeof text === 'string' ? parseJson(text) : undefined;
  const marks = reading.isSegment ? marksFrom(reading, isJsonObject(residual) ? residual : undefined, json) : noMarks;
  seenSegments.set(resourceKey, reading.index.bytes, { resource: span.resource, marks });
}
