import { RaybridgeError } from '../errors.ts';
import type { JsonObject, JsonValue, Resource, SegmentDocument, Span } from '../model/index.ts';
import { isJsonArray, isJsonObject, parseSpanId } from '../model/index.ts';
import type { FoundResource } from './carried.ts';
import { findNamed } from './carried.ts';
import { documentWithoutCredentials } from './credentials.ts';
import { readEnvelope, readResourceHash, readRole } from './envelope.ts';
import { sameResource } from './equality.ts';
import type { SegmentOptions, SegmentSettings } from './families.ts';
import { embeddingDepthMax, writeDocuments } from './families.ts';
import type { SpanIdentity } from './identity.ts';
import { identify, placeId, readForm } from './identity.ts';
import { spanOf } from './lossless.ts';
import type { JsonText } from './section.ts';
import { pointerTo } from './section.ts';
import { truncatedBytesMin } from './truncate.ts';

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
  return writeSegments(spans, options).documents;
}

/** As `toSegments`; a document that was cut has its pointers among the problems, see `truncate.ts`. */
export function writeSegments(spans: readonly Span[], options: ToSegmentsOptions): WrittenSegments {
  const settings: SegmentSettings = { ...defaults, ...options };
  const { documentBytesMax } = settings;
  if (!(documentBytesMax >= truncatedBytesMin))
    throw new RaybridgeError(
      'CONFIG_INVALID',
      `documentBytesMax: expected at least ${truncatedBytesMin}, got ${documentBytesMax}`,
    );
  const documents: SegmentDocument[] = [];
  const problems: ConversionProblem[] = [];
  for (const { document, cut } of writeDocuments(spans, settings)) {
    const reason = `cut to fit ${documentBytesMax} bytes`;
    for (const pointer of cut) problems.push({ pointer: `/${documents.length}${pointer}`, reason, lost: 'member' });
    documents.push(document);
  }
  return { documents, problems };
}

/** X-Ray takes 64 kB; the rest is for those who count them as 64,000 bytes. */
const defaults: SegmentOptions = {
  policy: 'auto',
  envelope: 'full',
  envelopeResource: 'segment',
  annotations: {},
  documentBytesMax: 64_000,
};

/** A member of a document that did not come through the conversion as it was. */
export interface ConversionProblem {
  /** RFC 6901, into the list of documents: `/3/subsegments/0/http/response/status`. */
  readonly pointer: string;
  readonly reason: string;
  /** `document` when no span could be made of it; `member` when it could, without this member of it. */
  readonly lost: 'document' | 'member';
}

export interface ReadSpans {
  readonly spans: readonly Span[];
  readonly problems: readonly ConversionProblem[];
}

/**
 * Spans of documents, a parent before its subsegments. A bad member costs that member, a bad
 * subsegment that subsegment; both are told in `problems` and still kept in the residual, so that
 * the documents come back from the spans as they were. Only a document without a trace id or any
 * time is lost. A document in progress becomes a span whose end is 0n.
 *
 * Documents that hold an envelope become the spans they were made of.
 */
export function toSpans(documents: readonly SegmentDocument[], { json }: { readonly json: JsonText }): ReadSpans {
  const resources: Resource[] = [];
  const tops = documents.map((document, i) => openTop(document, { pointer: `/${i}`, json, resources }));
  const naming: NamingTop[] = [];
  for (const top of tops) {
    if (isNaming(top)) naming.push(top);
    else readTop(top, undefined);
  }
  // What a document names is carried by one that is read by now, wherever that stood.
  const found = findNamed(
    naming.map(({ identity, hash }) => ({ ...identity, hash })),
    { spans: naming.length === 0 ? [] : tops.flatMap(({ spans }) => spans), json },
  );
  for (const [i, top] of naming.entries()) readTop(top, found[i]);
  return { spans: tops.flatMap(({ spans }) => spans), problems: tops.flatMap(({ problems }) => problems) };
}

/** What is told of one document and of those inside it. */
interface Reading {
  readonly json: JsonText;
  readonly spans: Span[];
  readonly problems: ConversionProblem[];
  /** Resources seen last, so that equal ones are one object. */
  readonly resources: Resource[];
}

/** A document of the list, before it is read. */
interface Top extends Reading {
  readonly document: SegmentDocument;
  readonly pointer: string;
  readonly identity: SpanIdentity | undefined;
  readonly envelope: JsonObject | undefined;
  /** Of a resource that another document carries. */
  readonly hash: string | undefined;
}

interface NamingTop extends Top {
  readonly identity: SpanIdentity;
  readonly hash: string;
}

function openTop(document: SegmentDocument, context: Pick<Top, 'pointer' | 'json' | 'resources'>): Top {
  const envelope = readEnvelope(document);
  const hash = envelope && readResourceHash(envelope);
  return { ...context, document, envelope, hash, identity: identify(document), spans: [], problems: [] };
}

function isNaming(top: Top): top is NamingTop {
  return top.identity !== undefined && top.hash !== undefined;
}

function readTop(top: Top, found: FoundResource | undefined): void {
  const { document, pointer, identity, envelope, problems } = top;
  if (!identity) {
    problems.push({ pointer, reason: 'expected a trace id and a start', lost: 'document' });
    return;
  }
  // The call's own document holds the whole span; this one only draws the service.
  if (envelope && readRole(envelope) === 'svc') return;
  if (document.has('parent_id') && !identity.parentSpanId)
    problems.push({ pointer: `${pointer}/parent_id`, reason: 'expected 16 hex digits', lost: 'member' });
  if (found && !found.isExact)
    problems.push({
      pointer: `${pointer}/metadata/raybridge/r/h`,
      reason: `resource ${top.hash} is not among these documents`,
      lost: 'member',
    });
  const branch = {
    ...identity,
    pointer,
    path: '',
    depth: 0,
    embedded: undefined,
    inherited: undefined,
    named: found?.resource,
    ids: new Set<string>(),
  };
  readBranch(document, branch, top);
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
  readonly inherited: Resource | undefined;
  /** The resource that the envelope of a top document gives the hash of. */
  readonly named: Resource | undefined;
  /** Of the top document and all below it so far. */
  readonly ids: Set<string>;
}

function readBranch(document: JsonObject, branch: Branch, reading: Reading): void {
  const { pointer, depth } = branch;
  const report = (at: string, reason: string): void =>
    void reading.problems.push({ pointer: `${pointer}${at}`, reason, lost: 'member' });
  const { own, children, strays } = takeApart(document, depth, report);
  const clean = documentWithoutCredentials(own, (at) => report(at, 'credentials are not carried over'));
  const spanId = readId(document, branch, report);
  const read = spanOf(clean, readEnvelope(clean), {
    ...branch,
    spanId,
    form: branch.embedded ? 'embedded' : readForm(document),
    placement: { embedded: branch.embedded, strays },
    json: reading.json,
    report,
  });
  const span = { ...read, resource: pooled(read.resource, reading.resources) };
  reading.spans.push(span);
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
        inherited: branch.inherited ?? span.resource,
        named: undefined,
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
function readId(document: JsonObject, branch: Branch, report: (at: string, reason: string) => void): string {
  const text = document.get('id');
  const id = typeof text === 'string' ? parseSpanId(text) : undefined;
  const isFree = id !== undefined && !branch.ids.has(id);
  if (!isFree) report('/id', id ? 'expected an id that no other subsegment has' : 'expected 16 hex digits');
  const used = isFree ? id : placeId(branch);
  branch.ids.add(used);
  return used;
}

/** Resources compared, newest first: neighbours share theirs. */
const resourcesMax = 8;

function pooled(resource: Resource, resources: Resource[]): Resource {
  const known = resources.find((candidate) => sameResource(candidate, resource));
  if (known) return known;
  resources.unshift(resource);
  resources.length = Math.min(resources.length, resourcesMax);
  return resource;
}
