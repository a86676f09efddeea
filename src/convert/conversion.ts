import type { JsonObject, JsonValue, Resource, Scope, SegmentDocument, Span } from '../model/index.ts';
import { isJsonArray, isJsonObject, parseSpanId } from '../model/index.ts';
import type { FoundResource } from './carried.ts';
import { findNamed } from './carried.ts';
import { documentWithoutCredentials } from './credentials.ts';
import { readEnvelope } from './envelope.ts';
import { sameResource, sameScope } from './equality.ts';
import type { SegmentOptions } from './families.ts';
import { embeddingDepthMax, settingsOf, writeDocuments } from './families.ts';
import type { Semconv } from './generations.ts';
import { placeId, readForm } from './identity.ts';
import { spanOf } from './lossless.ts';
import { Pool } from './pool.ts';
import type { JsonText, Report } from './section.ts';
import { pointerTo } from './section.ts';
import type { ServiceNames } from './service-names.ts';
import type { NameStyle, SpanStyle } from './style.ts';
import { plainStyle } from './style.ts';
import type { ConversionProblem, Top } from './tops.ts';
import { isNaming, learnServices, openTop, ownKey, parentKey } from './tops.ts';

/**
 * Spans ↔ segment documents, many at a time. Documents are put together in `families.ts` and taken
 * apart here. What one span and one document say is `lossless.ts`.
 */

type ToSegmentsOptions = Partial<SegmentOptions> & { readonly json: JsonText };

/** Documents in the order of their spans, and what had to be cut from them. */
export interface WrittenSegments {
  readonly documents: readonly SegmentDocument[];
  readonly problems: readonly ConversionProblem[];
}

/**
 * Documents of spans, in the order of the spans: one each, and two for a call that opens a service.
 * Spans that came out of a document go back into it when its own span is among them and it does not
 * get too large. The same spans always make the same documents, ids included.
 *
 * Reading the documents gives the spans again, as long as the envelope is `full` and no document
 * had to be cut; credentials in URLs and connection strings are removed (AWS X-Ray developer guide,
 * "segment documents"). Whoever must tell what was cut asks `writeSegments`.
 *
 * @throws RaybridgeError CONFIG_INVALID when no document could be cut to `documentBytesMax`.
 */
export function toSegments(spans: readonly Span[], options: ToSegmentsOptions): readonly SegmentDocument[] {
  return writeDocuments(spans, settingsOf(options)).map(({ document }) => document);
}

/** As `toSegments`; a document that was cut has its pointers among the problems, see `truncate.ts`. */
export function writeSegments(spans: readonly Span[], options: ToSegmentsOptions): WrittenSegments {
  const settings = settingsOf(options);
  const written = writeDocuments(spans, settings);
  const problems = written.flatMap(({ cut }, i) => cutProblems(i, cut, settings.documentBytesMax));
  return { documents: written.map(({ document }) => document), problems };
}

/** What was cut from the document at a place among those written. */
export function cutProblems(place: number, cut: readonly string[], bytesMax: number): readonly ConversionProblem[] {
  return cut.map((pointer) => ({
    pointer: `/${place}${pointer}`,
    reason: `cut to fit ${bytesMax} bytes`,
    lost: 'member',
  }));
}

export interface ReadSpans {
  readonly spans: readonly Span[];
  readonly problems: readonly ConversionProblem[];
}

/** How foreign documents are worded as spans; documents of our own become the spans they were made of. */
export interface SpanOptions {
  /** `operation` names a span by what it did, `GET /cart`; `segment` as its document is. */
  readonly nameStyle: NameStyle;
  /** The generation of semantic conventions whose attribute names are used; `stable` unless told. */
  readonly semconv: Semconv;
  /** Spans get `aws.xray.trace_id` and `aws.xray.segment_id`, for logs and metrics that know no others; off unless told. */
  readonly showsTraceContext: boolean;
  /** Segments that X-Ray made up for what a call led to are left out; off unless told. */
  readonly dropsInferred: boolean;
  /** The service of a subsegment that came alone, when no segment tells it. */
  readonly defaultServiceName: string | undefined;
  /** Services of earlier calls, read and added to; without it only the documents of this call are known. */
  readonly serviceNames: ServiceNames;
}

/**
 * Spans of documents, a parent before its subsegments. A bad member costs that member, a bad
 * subsegment that subsegment; both are told in `problems`, each once, and still kept in the
 * residual, so that the documents come back from the spans as they were, however the options word
 * the spans. Only a document without a trace id or any time is lost. A document in progress becomes
 * a span whose end is 0n.
 *
 * A document in progress is left out when the complete one of the same trace id and id is among the
 * documents too, inside another or not (AWS X-Ray developer guide, "segment fields").
 *
 * Documents that hold an envelope become the spans they were made of. A span that was split needs
 * the document of its call; the segment of the service alone is told as lost.
 */
export function toSpans(
  documents: readonly SegmentDocument[],
  options: Partial<SpanOptions> & { readonly json: JsonText },
): ReadSpans {
  const problems: ConversionProblem[] = [];
  const tops = documents.flatMap((document, i) => openTop(document, `/${i}`, problems));
  const { nameStyle, semconv, showsTraceContext } = { ...plainStyle, ...options };
  const style: SpanStyle = { nameStyle, semconv, showsTraceContext, service: undefined };
  const reading: Reading = {
    json: options.json,
    style,
    problems,
    reported: new Set(),
    resources: new Pool(sameResource),
    scopes: new Pool(sameScope),
    unfinished: new Set(),
  };
  const services = learnServices(tops, options.serviceNames);
  const wanted = wantedOf(tops, { dropsInferred: options.dropsInferred ?? false, problems });

  const found = new Map<Top, readonly Span[]>();
  const read = (top: Top, named: FoundResource | undefined): void => {
    const service = services(top) ?? options.defaultServiceName;
    found.set(top, readTop(top, { service, named }, reading));
  };
  for (const top of wanted) if (!isNaming(top)) read(top, undefined);
  const naming = wanted.filter(isNaming);
  if (naming.length > 0) {
    const spans = [...found.values()].flat();
    for (const [i, named] of findNamed(naming, { spans, json: options.json }).entries()) {
      const top = naming[i];
      if (top) read(top, named);
    }
  }
  return {
    spans: withoutCompleted(
      wanted.flatMap((top) => found.get(top) ?? []),
      reading.unfinished,
    ),
    problems,
  };
}

/** Those that become spans. */
function wantedOf(
  tops: readonly Top[],
  { dropsInferred, problems }: { readonly dropsInferred: boolean; readonly problems: ConversionProblem[] },
): readonly Top[] {
  const calls = new Set(tops.filter(({ role }) => role === 'dep').map(parentKey));
  return tops.filter((top) => {
    if (top.role !== 'svc') return !dropsInferred || top.document.get('inferred') !== true;
    // The call's own document holds the whole span; this one only draws the service.
    if (!calls.has(ownKey(top)))
      problems.push({
        pointer: top.pointer,
        reason: 'expected the subsegment of its call beside it',
        lost: 'document',
      });
    return false;
  });
}

/** The spans without those that were in progress and of which the end is told as well. */
function withoutCompleted(spans: readonly Span[], unfinished: ReadonlySet<Span>): readonly Span[] {
  if (unfinished.size === 0) return spans;
  const complete = new Set(spans.filter((span) => !unfinished.has(span)).map(ownKey));
  return spans.filter((span) => !unfinished.has(span) || !complete.has(ownKey(span)));
}

interface Reading {
  readonly json: JsonText;
  readonly style: SpanStyle;
  readonly problems: ConversionProblem[];
  /** Pointers of the problems. */
  readonly reported: Set<string>;
  readonly resources: Pool<Resource>;
  readonly scopes: Pool<Scope>;
  /** Spans of others' documents in progress. */
  readonly unfinished: Set<Span>;
}

/** What other documents say of one. */
interface Surroundings {
  /** The service that a subsegment belongs to. */
  readonly service: string | undefined;
  /** The resource that its envelope names. */
  readonly named: FoundResource | undefined;
}

function readTop(top: Top, { service, named }: Surroundings, reading: Reading): readonly Span[] {
  const { document, pointer, traceId, parentSpanId, startTimeNs } = top;
  const report = reportTo(reading, pointer);
  if (document.has('parent_id') && !parentSpanId) report('/parent_id', 'expected 16 hex digits');
  if (named && !named.isExact)
    report('/metadata/raybridge/r/h', `resource ${top.resourceHash} is not among these documents`);
  const spans: Span[] = [];
  const branch: Branch = {
    traceId,
    parentSpanId,
    startTimeNs,
    pointer,
    path: '',
    depth: 0,
    embedded: undefined,
    envelope: top.envelope,
    inherited: undefined,
    named: named?.resource,
    style: readForm(document) === 'subsegment' ? { ...reading.style, service } : reading.style,
    fallbackId: top.spanId,
    ids: new Set<string>(),
    spans,
  };
  readBranch(document, branch, reading);
  return spans;
}

/** Tells each member once, however many sections look at it. */
function reportTo({ problems, reported }: Reading, document: string): Report {
  return (at, reason) => {
    const pointer = document + at;
    if (reported.has(pointer)) return;
    reported.add(pointer);
    problems.push({ pointer, reason, lost: 'member' });
  };
}

interface Branch {
  readonly traceId: string;
  readonly parentSpanId: string | undefined;
  /** For a document that has no start of its own: its parent's. */
  readonly startTimeNs: bigint;
  /** Into the list of documents. */
  readonly pointer: string;
  /** Into the top document. */
  readonly path: string;
  readonly depth: number;
  readonly embedded: { readonly parentId: string; readonly place: number } | undefined;
  readonly envelope: JsonObject | undefined;
  readonly inherited: Resource | undefined;
  /** The resource that the envelope of a top document gives the hash of. */
  readonly named: Resource | undefined;
  readonly style: SpanStyle;
  /** For a document that has no id of its own; undefined when its place makes one. */
  readonly fallbackId: string | undefined;
  /** Of the top document and all below it so far. */
  readonly ids: Set<string>;
  /** Of the same. */
  readonly spans: Span[];
}

function readBranch(document: JsonObject, branch: Branch, reading: Reading): void {
  const { pointer, depth } = branch;
  const report = reportTo(reading, pointer);
  const { own, children, strays } = takeApart(document, depth, report);
  const clean = documentWithoutCredentials(own, (at) => report(at, 'credentials are not carried over'));
  const spanId = readId(document, branch, report);
  const read = spanOf(clean, branch.envelope, {
    traceId: branch.traceId,
    spanId,
    parentSpanId: branch.parentSpanId,
    startTimeNs: branch.startTimeNs,
    form: branch.embedded ? 'embedded' : readForm(document),
    placement: { embedded: branch.embedded, strays },
    inherited: branch.inherited,
    named: branch.named,
    style: branch.style,
    json: reading.json,
    report,
  });
  const resource = reading.resources.find(read.resource);
  const scope = reading.scopes.find(read.scope);
  const span = resource === read.resource && scope === read.scope ? read : { ...read, resource, scope };
  branch.spans.push(span);
  // An id made of a place says nothing of other documents.
  const isNamed = document.get('id') === spanId;
  if (isNamed && !branch.envelope && span.endTimeNs === 0n) reading.unfinished.add(span);
  for (const [place, child] of children)
    readBranch(
      child,
      {
        ...branch,
        parentSpanId: spanId,
        startTimeNs: span.startTimeNs,
        pointer: `${pointer}/subsegments/${place}`,
        path: `${branch.path}/subsegments/${place}`,
        depth: depth + 1,
        embedded: { parentId: spanId, place },
        envelope: readEnvelope(child),
        inherited: branch.inherited ?? span.resource,
        named: undefined,
        // What the root's resource says holds for all of its document.
        style: reading.style,
        fallbackId: undefined,
      },
      reading,
    );
}

interface Parts {
  /** The document without its subsegments. */
  readonly own: JsonObject;
  readonly children: readonly (readonly [place: number, child: JsonObject])[];
  /** Elements of `subsegments` that are none, by place. */
  readonly strays: ReadonlyMap<string, JsonValue>;
}

function takeApart(document: JsonObject, depth: number, report: (at: string, reason: string) => void): Parts {
  const list = document.get('subsegments');
  const strays = new Map<string, JsonValue>();
  if (list !== undefined && list !== null && !isJsonArray(list)) report('/subsegments', 'expected a list');
  if (!isJsonArray(list) || list.length === 0) return { own: document, children: [], strays };

  const own = new Map(document);
  own.delete('subsegments');
  const children: [number, JsonObject][] = [];
  for (const [place, child] of list.entries()) {
    if (isJsonObject(child) && depth < embeddingDepthMax) children.push([place, child]);
    else {
      strays.set(String(place), child);
      const wish = isJsonObject(child) ? `at most ${embeddingDepthMax} levels of subsegments` : 'an object';
      report(pointerTo({ pointer: '/subsegments' }, String(place)), `expected ${wish}`);
    }
  }
  return { own, children, strays };
}

/** An id that is missing, none, or taken already in this document is replaced by one made of its place. */
function readId(document: JsonObject, branch: Branch, report: Report): string {
  const text = document.get('id');
  const id = typeof text === 'string' ? parseSpanId(text) : undefined;
  const isFree = id !== undefined && !branch.ids.has(id);
  if (!isFree) report('/id', id ? 'expected an id that no other subsegment has' : 'expected 16 hex digits');
  const used = isFree ? id : (branch.fallbackId ?? placeId(branch));
  branch.ids.add(used);
  return used;
}
