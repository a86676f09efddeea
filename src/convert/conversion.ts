import type { AttributeValue, JsonObject, JsonValue, Resource, Scope, SegmentDocument, Span } from '../model/index.ts';
import { isJsonArray, isJsonObject, parseSpanId } from '../model/index.ts';
import type { AnnotationOptions } from './annotations.ts';
import { documentWithoutCredentials, withoutCredentials } from './credentials.ts';
import { residualAttribute, writeDocument } from './document.ts';
import type { EnvelopeLevel } from './envelope.ts';
import { readEnvelope, readRole, serviceEnvelope, withEnvelope } from './envelope.ts';
import { sameResource, sameScope } from './equality.ts';
import type { SegmentPolicy } from './identity.ts';
import { formOf, identify, placeId, readForm } from './identity.ts';
import { derivedId } from './ids.ts';
import { documentOf, formOfForeign, spanOf } from './lossless.ts';
import { Pool } from './pool.ts';
import { readPlacement, readResidual } from './residual.ts';
import type { JsonText } from './section.ts';
import { pointerTo } from './section.ts';
import { flagNames, flagsOf } from './status.ts';

/**
 * Spans ↔ segment documents, many at a time. Here the documents are put together and taken apart:
 * subsegments into their parents and out of them, and one span into two documents where X-Ray needs
 * both a service and its call. What one span and one document say is `lossless.ts`.
 */

export interface SegmentOptions {
  /** Which spans become segments; `auto` unless the Collector's exporter is to be matched. */
  readonly policy: SegmentPolicy;
  /** How much of what a document cannot show goes into `metadata.raybridge`; `full` makes it lossless. */
  readonly envelope: EnvelopeLevel;
  readonly annotations: AnnotationOptions;
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
  const settings: Settings = { policy: 'auto', envelope: 'full', annotations: {}, ...options };
  const members = spans.map((span) => memberOf(span, settings.json));
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

type Settings = SegmentOptions & { readonly json: JsonText };

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
  const candidates = members.filter((member) => member.embedded !== undefined);
  if (candidates.length === 0) return { children, embedded };

  const byId = new Map(members.map((member) => [`${member.span.traceId}${member.span.spanId}`, member]));
  for (const member of candidates) {
    const parent = byId.get(`${member.span.traceId}${member.embedded?.parentId}`);
    if (!parent || parent === member) continue;
    embedded.add(member);
    const siblings = children.get(parent);
    if (siblings) siblings.push(member);
    else children.set(parent, [member]);
  }
  return { children, embedded };
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
  return [serviceDocument(span, serviceId, settings), call];
}

/** Attributes of a call that are about the service that makes it. */
const serviceAttributes = ['aws.local.service', 'enduser.id', 'user.id', 'aws.xray.annotations'] as const;

function serviceDocument(span: Span, serviceId: string, settings: Settings): SegmentDocument {
  const attributes = new Map<string, AttributeValue>();
  for (const key of [...serviceAttributes, ...(settings.annotations.indexed ?? [])])
    if (span.attributes.has(key)) attributes.set(key, span.attributes.get(key));
  const flags = flagsOf(span);
  for (const name of flagNames) if (flags[name]) attributes.set(`aws.xray.${name}`, true);

  const { document } = writeDocument(
    { ...span, spanId: serviceId, attributes, links: [] },
    { form: 'segment', annotations: settings.annotations, json: settings.json, inherited: undefined },
  );
  return settings.envelope === 'off' ? document : withEnvelope(document, serviceEnvelope);
}

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
  const reading: Reading = {
    json,
    spans: [],
    problems: [],
    resources: new Pool(sameResource),
    scopes: new Pool(sameScope),
  };
  for (const [i, document] of documents.entries()) readTop(document, `/${i}`, reading);
  return { spans: reading.spans, problems: reading.problems };
}

interface Reading {
  readonly json: JsonText;
  readonly spans: Span[];
  readonly problems: ConversionProblem[];
  readonly resources: Pool<Resource>;
  readonly scopes: Pool<Scope>;
}

function readTop(document: SegmentDocument, pointer: string, reading: Reading): void {
  const identity = identify(document);
  if (!identity) {
    reading.problems.push({ pointer, reason: 'expected a trace id and a start', lost: 'document' });
    return;
  }
  const envelope = readEnvelope(document);
  // The call's own document holds the whole span; this one only draws the service.
  if (envelope && readRole(envelope) === 'svc') return;
  if (document.has('parent_id') && !identity.parentSpanId)
    reading.problems.push({ pointer: `${pointer}/parent_id`, reason: 'expected 16 hex digits', lost: 'member' });
  const branch = {
    ...identity,
    pointer,
    path: '',
    depth: 0,
    embedded: undefined,
    inherited: undefined,
    ids: new Set<string>(),
  };
  readBranch(document, branch, reading);
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
  const read = spanOf(clean, {
    ...branch,
    spanId,
    form: branch.embedded ? 'embedded' : readForm(document),
    placement: { embedded: branch.embedded, strays },
    json: reading.json,
    report,
  });
  const span = { ...read, resource: reading.resources.find(read.resource), scope: reading.scopes.find(read.scope) };
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
