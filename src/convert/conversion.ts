import type { AttributeValue, JsonObject, JsonValue, Resource, Scope, SegmentDocument, Span } from '../model/index.ts';
import { isJsonArray, isJsonObject, parseSpanId } from '../model/index.ts';
import type { AnnotationOptions } from './annotations.ts';
import { indexedName, readIndex } from './annotations.ts';
import { documentWithoutCredentials, withoutCredentials } from './credentials.ts';
import type { WriteRules } from './document.ts';
import { plainRules, residualAttribute, writeDocument } from './document.ts';
import type { EnvelopeLevel } from './envelope.ts';
import { serviceEnvelope, withEnvelope } from './envelope.ts';
import { sameResource, sameScope } from './equality.ts';
import type { Semconv } from './generations.ts';
import type { SegmentPolicy } from './identity.ts';
import { formOf, placeId, readForm } from './identity.ts';
import { derivedId } from './ids.ts';
import { writeServiceSegment } from './collector/document.ts';
import { documentOf, formOfForeign, spanOf } from './lossless.ts';
import { Pool } from './pool.ts';
import { readPlacement, readResidual } from './residual.ts';
import type { JsonText, Report } from './section.ts';
import { pointerTo } from './section.ts';
import type { ServiceNames } from './service-names.ts';
import { flagNames, flagsOf } from './status.ts';
import type { NameStyle, SpanStyle } from './style.ts';
import { plainStyle } from './style.ts';
import type { ConversionProblem, Top } from './tops.ts';
import { learnServices, newestOf, openTop, ownKey, parentKey } from './tops.ts';

/**
 * Spans ↔ segment documents, many at a time. Here the documents are put together and taken apart:
 * subsegments into their parents and out of them, and one span into two documents where X-Ray needs
 * both a service and its call. What one span and one document say is `lossless.ts`.
 */

export interface SegmentOptions {
  /** Our own documents, `auto`, unless those of the Collector's exporter are wanted. */
  readonly policy: SegmentPolicy;
  /** How much of what a document cannot show goes into `metadata.raybridge`; `full` makes it lossless. */
  readonly envelope: EnvelopeLevel;
  readonly annotations: AnnotationOptions;
  /**
   * Links on segments of consumers get `aws.xray.reserved.reference_type: "parent"`, as those that
   * AWS's own services write; off unless told.
   */
  readonly marksParentLinks: boolean;
  /** Segments are named `service.namespace/service.name`; off unless told, because dashboards know the name alone. */
  readonly namesNamespace: boolean;
  /** CloudWatch log groups for segments whose resource names none. */
  readonly logGroups: readonly string[];
}

/** Subsegments inside subsegments; deeper ones are sent alone, or left in the residual of the last. */
const embeddingDepthMax = 100;

/**
 * Documents of spans, in the order of the spans: one each, and two for a call that opens a service.
 * Spans that came out of a document go back into it when its own span is among them. The same spans
 * always make the same documents, ids included.
 *
 * Reading the documents gives the spans again, as long as the envelope is `full`; credentials in
 * URLs and connection strings are removed (AWS X-Ray developer guide, "segment documents").
 */
export function toSegments(
  spans: readonly Span[],
  options: Partial<SegmentOptions> & { readonly json: JsonText },
): readonly SegmentDocument[] {
  const { json, policy = 'auto', envelope = 'full' } = options;
  const settings: Settings = { json, policy, envelope, rules: rulesOf(options) };
  const members = spans.map((span) => memberOf(span, json));
  const families = findFamilies(members);
  const documents: SegmentDocument[] = [];
  const written = new Set<Member>();
  const write = (member: Member): void => {
    if (!written.has(member)) documents.push(...writeFamily(member, { families, written, settings }));
  };
  for (const member of members) if (!families.embedded.has(member)) write(member);
  // Only members of a circle, or of too deep a family, are left: they are sent alone.
  for (const member of members) write(member);
  return documents;
}

interface Settings extends Pick<SegmentOptions, 'policy' | 'envelope'> {
  readonly json: JsonText;
  readonly rules: WriteRules;
}

/** The plain rules themselves when the options ask for nothing else: documents are then written once. */
function rulesOf(options: Partial<SegmentOptions>): WriteRules {
  const { annotations = {}, marksParentLinks = false, namesNamespace = false, logGroups = [] } = options;
  const isIndexed = annotations.indexAll || annotations.indexed?.length || annotations.limit !== undefined;
  if (!isIndexed && !marksParentLinks && !namesNamespace && logGroups.length === 0) return plainRules;
  return { annotations: readIndex(annotations), marksParentLinks, namesNamespace, logGroups };
}

/** A span and what its residual says of the document it came from. */
interface Member {
  readonly span: Span;
  readonly residual: JsonObject | undefined;
  readonly embedded: { readonly parentId: string; readonly place: number } | undefined;
  readonly strays: ReadonlyMap<string, JsonValue>;
}

function memberOf(span: Span, json: JsonText): Member {
  const residual = readResidual(span.attributes.get(residualAttribute), json);
  const { embedded, strays } = readPlacement(residual);
  // A span with another parent than then is no longer part of that parent's document.
  const isInPlace = embedded !== undefined && embedded.parentId === span.parentSpanId;
  return { span: withoutCredentials(span), residual, embedded: isInPlace ? embedded : undefined, strays };
}

interface Families {
  readonly children: ReadonlyMap<Member, readonly Member[]>;
  readonly embedded: ReadonlySet<Member>;
}

function findFamilies(members: readonly Member[]): Families {
  const children = new Map<Member, Member[]>();
  const embedded = new Set<Member>();
  if (members.every((member) => member.embedded === undefined)) return { children, embedded };

  const byId = new Map(members.map((member) => [idKey(member.span.traceId, member.span.spanId), member]));
  // A segment in progress and the complete one have one id: a subsegment belongs to the one before it.
  const before = new Map<string, Member>();
  for (const member of members) {
    const { traceId, spanId } = member.span;
    const key = member.embedded ? idKey(traceId, member.embedded.parentId) : undefined;
    const parent = key === undefined ? undefined : (before.get(key) ?? byId.get(key));
    before.set(idKey(traceId, spanId), member);
    if (!parent || parent === member) continue;
    embedded.add(member);
    const siblings = children.get(parent);
    if (siblings) siblings.push(member);
    else children.set(parent, [member]);
  }
  return { children, embedded };
}

function idKey(traceId: string, spanId: string): string {
  return `${traceId}${spanId}`;
}

interface FamilyContext {
  readonly families: Families;
  readonly written: Set<Member>;
  readonly settings: Settings;
}

/** The documents of a member that is not embedded, with its children inside. */
function writeFamily(member: Member, context: FamilyContext): readonly SegmentDocument[] {
  const { span, residual } = member;
  const { settings } = context;
  const form = residual ? formOfForeign(span, { embedded: undefined }) : formOf(span, settings.policy);
  if (form !== 'split') return [writeMember(member, { form, root: member, depth: 0 }, context)];
  context.written.add(member);
  return splitDocuments(span, settings);
}

interface Position {
  readonly form: 'segment' | 'subsegment' | 'embedded';
  readonly root: Member;
  readonly depth: number;
}

function writeMember(member: Member, position: Position, context: FamilyContext): SegmentDocument {
  const { families, written, settings } = context;
  written.add(member);
  const own = documentOf(member.span, {
    ...settings,
    form: position.form,
    residual: member.residual,
    inherited: position.form === 'embedded' ? position.root.span.resource : undefined,
    serviceId: undefined,
  });
  const isDeepest = position.depth === embeddingDepthMax;
  const children = isDeepest ? [] : (families.children.get(member) ?? []).filter((child) => !written.has(child));
  const inner = { ...position, form: 'embedded', depth: position.depth + 1 } as const;
  const placed: [number, JsonValue][] = children.map((child) => [
    child.embedded?.place ?? 0,
    writeMember(child, inner, context),
  ]);
  // An object among the strays is a subsegment that was too deep, and still is.
  for (const [place, stray] of member.strays)
    if (isDeepest || !isJsonObject(stray)) placed.push([Number(place), stray]);
  if (placed.length === 0) return own;
  placed.sort(([a], [b]) => a - b);
  return new Map(own).set(
    'subsegments',
    placed.map(([, document]) => document),
  );
}

/**
 * A call without a service above it: a segment for the service that calls, and below it the
 * subsegment of the call, which holds the span.
 */
function splitDocuments(span: Span, settings: Settings): readonly SegmentDocument[] {
  const serviceId = derivedId(span.traceId, span.spanId, 'svc');
  const call = documentOf(span, {
    ...settings,
    form: 'subsegment',
    residual: undefined,
    inherited: undefined,
    serviceId,
  });
  if (settings.policy === 'collector')
    return [call, enclosed(writeServiceSegment(span, serviceId, settings), settings)];
  return [enclosed(serviceDocument(span, serviceId, settings), settings), call];
}

function enclosed(service: SegmentDocument, { envelope }: Settings): SegmentDocument {
  return envelope === 'off' ? service : withEnvelope(service, serviceEnvelope);
}

/** Attributes of a call that are about the service that makes it. */
const serviceAttributes = ['aws.local.service', 'enduser.id', 'user.id', 'aws.xray.annotations'] as const;

function serviceDocument(span: Span, serviceId: string, settings: Settings): SegmentDocument {
  const attributes = new Map<string, AttributeValue>();
  for (const key of serviceAttributes) if (span.attributes.has(key)) attributes.set(key, span.attributes.get(key));
  for (const [key, value] of span.attributes)
    if (indexedName(settings.rules.annotations, key) !== undefined) attributes.set(key, value);
  const flags = flagsOf(span);
  for (const name of flagNames) if (flags[name]) attributes.set(`aws.xray.${name}`, true);

  const { document } = writeDocument(
    { ...span, spanId: serviceId, attributes, links: [] },
    { form: 'segment', rules: settings.rules, json: settings.json, inherited: undefined },
  );
  return document;
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
 * There is one span for each trace id and segment id: a complete document replaces the one in
 * progress, and among equals the last wins (AWS X-Ray developer guide, "sending subsegments
 * directly"). What was replaced is no problem and not told.
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
  const newest = newestOf(tops);
  const { nameStyle, semconv, showsTraceContext } = { ...plainStyle, ...options };
  const reading: Reading = {
    json: options.json,
    style: { nameStyle, semconv, showsTraceContext, service: undefined },
    spans: [],
    places: new Map(),
    problems,
    reported: new Set(),
    resources: new Pool(sameResource),
    scopes: new Pool(sameScope),
  };
  const services = learnServices(newest, options.serviceNames);
  const calls = new Set(newest.filter(({ role }) => role === 'dep').map(parentKey));
  for (const top of newest) {
    // The call's own document holds the whole span; this one only draws the service.
    if (top.role === 'svc') reportLoneService(top, { calls, problems });
    else if (!options.dropsInferred || top.document.get('inferred') !== true)
      readTop(top, services(top) ?? options.defaultServiceName, reading);
  }
  return { spans: reading.spans, problems };
}

function reportLoneService(
  top: Top,
  { calls, problems }: { readonly calls: ReadonlySet<string>; readonly problems: ConversionProblem[] },
): void {
  if (calls.has(ownKey(top))) return;
  problems.push({ pointer: top.pointer, reason: 'expected the subsegment of its call beside it', lost: 'document' });
}

interface Reading {
  readonly json: JsonText;
  readonly style: SpanStyle;
  readonly spans: Span[];
  /** Of each trace id and span id, where its span stands. */
  readonly places: Map<string, number>;
  readonly problems: ConversionProblem[];
  /** Pointers of the problems. */
  readonly reported: Set<string>;
  readonly resources: Pool<Resource>;
  readonly scopes: Pool<Scope>;
}

function readTop(top: Top, service: string | undefined, reading: Reading): void {
  const { document, pointer, traceId, parentSpanId, startTimeNs } = top;
  const report = reportTo(reading, pointer);
  if (document.has('parent_id') && !parentSpanId) report('/parent_id', 'expected 16 hex digits');
  const branch: Branch = {
    traceId,
    parentSpanId,
    startTimeNs,
    pointer,
    path: '',
    depth: 0,
    embedded: undefined,
    inherited: undefined,
    style: readForm(document) === 'subsegment' ? { ...reading.style, service } : reading.style,
    fallbackId: top.spanId,
    ids: new Set<string>(),
  };
  readBranch(document, branch, reading);
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
  readonly inherited: Resource | undefined;
  readonly style: SpanStyle;
  /** For a document that has no id of its own; undefined when its place makes one. */
  readonly fallbackId: string | undefined;
  /** Of the top document and all below it so far. */
  readonly ids: Set<string>;
}

function readBranch(document: JsonObject, branch: Branch, reading: Reading): void {
  const { pointer, depth } = branch;
  const report = reportTo(reading, pointer);
  const { own, children, strays } = takeApart(document, depth, report);
  const clean = documentWithoutCredentials(own, (at) => report(at, 'credentials are not carried over'));
  const spanId = readId(document, branch, report);
  const read = spanOf(clean, {
    ...branch,
    spanId,
    form: branch.embedded ? 'embedded' : readForm(document),
    placement: { embedded: branch.embedded, strays },
    json: reading.json,
    report,
  });
  const span = { ...read, resource: reading.resources.find(read.resource), scope: reading.scopes.find(read.scope) };
  addSpan(span, reading);
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
        // What the root's resource says holds for all of its document.
        style: reading.style,
        fallbackId: undefined,
      },
      reading,
    );
}

/** A subsegment may have come alone, and in its segment once more. */
function addSpan(span: Span, { spans, places }: Reading): void {
  const key = ownKey(span);
  const place = places.get(key);
  const before = place === undefined ? undefined : spans[place];
  if (place === undefined || !before) {
    places.set(key, spans.length);
    spans.push(span);
  } else if (before.endTimeNs === 0n || span.endTimeNs !== 0n) spans[place] = span;
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
