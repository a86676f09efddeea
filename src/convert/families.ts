import { RaybridgeError } from '../errors.ts';
import type { AttributeValue, JsonObject, JsonValue, SegmentDocument, Span } from '../model/index.ts';
import { isJsonObject, SpanKind } from '../model/index.ts';
import type { AnnotationOptions } from './annotations.ts';
import { indexedName, readIndex } from './annotations.ts';
import type { CarriedResources } from './carried.ts';
import { carriedResources } from './carried.ts';
import { withoutCredentials } from './credentials.ts';
import type { WriteRules } from './document.ts';
import { plainRules, residualAttribute, withoutResidual, writeDocument } from './document.ts';
import { isUnknownMember } from './envelope-shape.ts';
import type { EnvelopeLevel } from './envelope.ts';
import { serviceEnvelope, withCut, withEnvelope } from './envelope.ts';
import type { SegmentPolicy } from './policy.ts';
import { formOf } from './identity.ts';
import { derivedId } from './ids.ts';
import type { DocumentPlan } from './lossless.ts';
import { documentOf, formOfForeignAlone, truncatedDocumentOf } from './lossless.ts';
import { readEnvelopeResidual, readPlacement, readResidual } from './residual.ts';
import type { JsonText } from './section.ts';
import { jsonBytes, jsonBytesBound, jsonBytesWithin } from './size.ts';
import { flagNames, flagsOf } from './status.ts';
import type { Truncated } from './truncate.ts';
import { cutNoteBytesMax, truncate, truncatedBytesMin } from './truncate.ts';

/**
 * The documents of many spans: subsegments inside their parents as far as these do not get too
 * large, and one span in two documents where X-Ray needs both a service and its call.
 *
 * Segments are written first, because subsegments may then leave their resource to them; the
 * documents stand in the order of the spans all the same.
 */

export interface SegmentOptions {
  /** Our own documents, `auto`, unless those of another program are wanted: `collectorPolicy` of `raybridge/collector`. */
  readonly policy: SegmentPolicy;
  /** How much of what a document cannot show goes into `metadata.raybridge`; `full` makes it lossless. */
  readonly envelope: EnvelopeLevel;
  /**
   * Which documents of a full envelope carry their resource whole. `segment`: those that are
   * segments, and subsegments without a segment of the same trace and resource among the spans of the
   * same call; all others carry a hash, so the documents of one call are to be read in one call.
   * `always`: each, so that any of them can be read alone.
   */
  readonly envelopeResource: 'segment' | 'always';
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
  /**
   * UTF-8 bytes of a printed document: 64,000 unless told, at least 20,000, or `Infinity` for readers
   * that take any size. Another policy's document without an envelope has none.
   */
  readonly documentBytesMax: number;
  /**
   * The metadata lacks the attributes that no other member shows: for readers who look into all but
   * the metadata, which saves them half of the time. Needs the envelope `off`; off unless told.
   */
  readonly omitsRest: boolean;
}

/** The options as `writeDocuments` uses them. */
export interface SegmentSettings extends Pick<
  SegmentOptions,
  'policy' | 'envelope' | 'envelopeResource' | 'documentBytesMax' | 'omitsRest'
> {
  readonly rules: WriteRules;
  /** The same for spans with no links to mark: documents by plain rules are written once. */
  readonly linklessRules: WriteRules;
  readonly json: JsonText;
}

/** X-Ray takes 64 kB; the rest is for those who count them as 64,000 bytes. */
const documentBytesDefault = 64_000;

/** @throws RaybridgeError CONFIG_INVALID when no document could be cut to `documentBytesMax`. */
export function settingsOf(options: Partial<SegmentOptions> & { readonly json: JsonText }): SegmentSettings {
  const { json, policy = 'auto', envelope = 'full', envelopeResource = 'segment' } = options;
  const { documentBytesMax = documentBytesDefault } = options;
  if (!(documentBytesMax >= truncatedBytesMin))
    throw new RaybridgeError(
      'CONFIG_INVALID',
      `documentBytesMax: expected at least ${truncatedBytesMin}, got ${documentBytesMax}`,
    );
  const isUnbounded = policy !== 'auto' && envelope === 'off';
  return {
    json,
    policy,
    envelope,
    envelopeResource,
    omitsRest: (options.omitsRest ?? false) && envelope === 'off',
    documentBytesMax: isUnbounded ? Number.POSITIVE_INFINITY : documentBytesMax,
    rules: rulesOf(options),
    linklessRules: rulesOf({ ...options, marksParentLinks: false }),
  };
}

/** The plain rules themselves when the options ask for nothing else: documents are then written once. */
function rulesOf(options: Partial<SegmentOptions>): WriteRules {
  const { annotations = {}, marksParentLinks = false, namesNamespace = false, logGroups = [] } = options;
  const isIndexed = annotations.indexAll || annotations.indexed?.length || annotations.limit !== undefined;
  if (!isIndexed && !marksParentLinks && !namesNamespace && logGroups.length === 0) return plainRules;
  return { annotations: readIndex(annotations), marksParentLinks, namesNamespace, logGroups };
}

/** Subsegments inside subsegments; deeper ones are sent alone, or left in the residual of the last. */
export const embeddingDepthMax = 100;

/**
 * The documents of spans, in their order, and what was cut from each. Whoever writes some of the
 * documents of a trace by other means says which resources those carry.
 */
export function writeDocuments(
  spans: readonly Span[],
  settings: SegmentSettings,
  resources: CarriedResources = carriedResources(settings.json),
): readonly Truncated[] {
  const members = spans.map((span) => memberOf(span, settings));
  const families = findFamilies(members);
  const writer: Writer = {
    settings,
    families,
    resources,
    written: new Set(),
    detached: new Set(),
  };
  const documents = new Map<Member, readonly Truncated[]>();
  const write = (member: Member): void => {
    if (!writer.written.has(member)) documents.set(member, writeFamily(member, writer));
  };
  const roots = members.filter((member) => !families.embedded.has(member));
  for (const member of roots) if (member.form !== 'subsegment') write(member);
  for (const member of roots) write(member);
  // What is left is too much for the document of its parent, or in a circle, or too deep: sent alone.
  for (const member of members) write(member);
  return members.flatMap((member) => documents.get(member) ?? []);
}

/** A span and what its residual says of the document it came from. */
interface Member {
  readonly span: Span;
  /** Of the document that the span gets when it is not inside another. */
  readonly form: 'segment' | 'subsegment' | 'split';
  readonly residual: JsonObject | undefined;
  /** Members of its envelope that only a later version knows. */
  readonly unknown: JsonObject | undefined;
  readonly embedded: { readonly parentId: string; readonly place: number } | undefined;
  readonly strays: ReadonlyMap<string, JsonValue>;
}

function memberOf(original: Span, { json, policy, envelope }: SegmentSettings): Member {
  const span = withoutCredentials(original);
  const text = span.attributes.get(residualAttribute);
  const residual = readResidual(text, json);
  const unknown = residual?.has('e') && envelope === 'full' ? readEnvelopeResidual(text, json) : undefined;
  if (unknown && [...unknown.keys()].every(isUnknownMember)) {
    const own = withoutResidual(span);
    const nowhere = { residual: undefined, embedded: undefined, strays: new Map<string, JsonValue>() };
    return { ...nowhere, span: own, form: formOf(own, policy), unknown };
  }
  const { embedded, strays } = readPlacement(residual);
  // A span with another parent than then is no longer part of that parent's document.
  const isInPlace = embedded !== undefined && embedded.parentId === span.parentSpanId;
  return {
    span,
    form: residual ? formOfForeignAlone(span) : formOf(span, policy),
    residual,
    unknown: undefined,
    embedded: isInPlace ? embedded : undefined,
    strays,
  };
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

interface Writer {
  readonly settings: SegmentSettings;
  readonly families: Families;
  readonly resources: CarriedResources;
  /** Members that have a document or a place in one. */
  readonly written: Set<Member>;
  /** Members that do not fit into the document of their parent. */
  readonly detached: Set<Member>;
}

/** The documents of a member that is not inside another, with its children inside. */
function writeFamily(member: Member, writer: Writer): readonly Truncated[] {
  const { span, form } = member;
  const { settings, resources } = writer;
  const isWhole = settings.envelope === 'full' && settings.envelopeResource === 'segment';
  if (form === 'split') {
    writer.written.add(member);
    const documents = splitDocuments(member, settings);
    if (isWhole && documents.every(({ cut }) => cut.length === 0)) resources.add(span);
    return documents;
  }
  const resourceHash = isWhole && form === 'subsegment' ? resources.hashFor(span) : undefined;
  const piece = writePiece(member, { form, root: member, depth: 0, resourceHash, serviceId: undefined }, writer);
  const written = fitted(span, piece, settings.documentBytesMax);
  if (isWhole && form === 'segment' && written.cut.length === 0) resources.add(span);
  return [written];
}

/** A document and all that is needed to write it again, smaller. */
interface Piece {
  readonly plan: DocumentPlan;
  readonly document: SegmentDocument;
  /** Its size, or more as long as that is no more than it may have. */
  readonly bytes: number;
  readonly isCounted: boolean;
  /** Whose documents are in it. */
  readonly members: readonly Member[];
}

function fitted(
  span: Span,
  { plan, document, bytes }: Pick<Piece, 'plan' | 'document' | 'bytes'>,
  bytesMax: number,
): Truncated {
  if (bytes <= bytesMax) return { document, cut: [] };
  return truncatedDocumentOf(span, plan, { document, bytesMax });
}

interface Position {
  readonly form: 'segment' | 'subsegment' | 'embedded';
  readonly root: Member;
  readonly depth: number;
  readonly resourceHash: string | undefined;
  readonly serviceId: string | undefined;
}

function writePiece(member: Member, position: Position, writer: Writer): Piece {
  const { families, written, detached, settings } = writer;
  written.add(member);
  const plan = planOf(member, position, settings);
  const own = documentOf(member.span, plan);
  const isDeepest = position.depth === embeddingDepthMax;
  const children = isDeepest
    ? []
    : (families.children.get(member) ?? []).filter((child) => !written.has(child) && !detached.has(child));
  const inner = { ...position, form: 'embedded', depth: position.depth + 1, resourceHash: undefined } as const;
  const elements: Element[] = children.map((child) => {
    const piece = writePiece(child, inner, writer);
    return { ...piece, place: child.embedded?.place ?? 0, child };
  });
  // An object among the strays is a subsegment that was too deep, and still is.
  for (const [place, document] of member.strays)
    if (isDeepest || !isJsonObject(document))
      elements.push({
        place: Number(place),
        document,
        bytes: jsonBytesBound(document),
        isCounted: false,
        members: [],
        child: undefined,
      });
  const { inside, bytes, isCounted } = keepWithin(own, elements, writer);
  return {
    plan,
    document: withSubsegments(own, inside),
    bytes,
    isCounted,
    members: [member, ...inside.flatMap(({ members }) => members)],
  };
}

/** Member by member: a plan that is spread has no fixed shape for the engine, which costs a fifth of a document. */
function planOf(
  { span, residual, unknown }: Member,
  { form, root, resourceHash, serviceId }: Position,
  settings: SegmentSettings,
): DocumentPlan {
  const mayMark = span.links.length > 0 && span.kind === SpanKind.consumer;
  const rules = mayMark ? settings.rules : settings.linklessRules;
  return {
    policy: settings.policy,
    rules,
    envelope: settings.envelope,
    json: settings.json,
    form,
    residual,
    unknown,
    // Where the rules change something, a foreign document is compared with its span, and that needs all of it.
    omitsRest: settings.omitsRest && rules === plainRules,
    inherited: form === 'embedded' ? root.span.resource : undefined,
    resourceHash,
    serviceId,
  };
}

/** An element of `subsegments`. */
interface Element {
  readonly place: number;
  readonly document: JsonValue;
  /** At least its size. */
  readonly bytes: number;
  /** True when it is no mere estimate. */
  readonly isCounted: boolean;
  readonly members: readonly Member[];
  /** Undefined for what is no subsegment. */
  readonly child: Member | undefined;
}

function withSubsegments(own: JsonObject, elements: readonly Element[]): JsonObject {
  if (elements.length === 0) return own;
  const placed = elements.toSorted((a, b) => a.place - b.place);
  return new Map(own).set(
    'subsegments',
    placed.map(({ document }) => document),
  );
}

/**
 * The elements that fit into a document. Too large a one loses its last children, as many as it
 * takes; they are written alone then. The last, because each remembers its place among its siblings,
 * and those before keep theirs. The size is estimated, and counted only when the estimate is too large.
 */
function keepWithin(
  own: JsonObject,
  elements: readonly Element[],
  { settings, written, detached }: Writer,
): { readonly inside: readonly Element[]; readonly bytes: number; readonly isCounted: boolean } {
  const { documentBytesMax } = settings;
  const isUnbounded = documentBytesMax === Number.POSITIVE_INFINITY;
  const estimate = isUnbounded ? 0 : familyBytes(jsonBytesBound(own), elements);
  if (estimate <= documentBytesMax) return { inside: elements, bytes: estimate, isCounted: false };

  const counted = elements.map((element) =>
    element.isCounted ? element : { ...element, bytes: jsonBytes(element.document) },
  );
  let bytes = familyBytes(jsonBytes(own), counted);
  const leaving = new Set<Element>();
  for (const element of counted.toSorted((a, b) => b.place - a.place)) {
    if (bytes <= documentBytesMax) break;
    if (!element.child) continue;
    bytes -= element.bytes + 1;
    leaving.add(element);
    detached.add(element.child);
    for (const member of element.members) written.delete(member);
  }
  return { inside: counted.filter((element) => !leaving.has(element)), bytes, isCounted: true };
}

const subsegmentsBytes = ',"subsegments":[]'.length;

function familyBytes(ownBytes: number, elements: readonly Element[]): number {
  if (elements.length === 0) return ownBytes;
  return elements.reduce((sum, { bytes }) => sum + bytes + 1, ownBytes + subsegmentsBytes);
}

/**
 * A call without a service above it: a segment for the service that calls, and below it the
 * subsegment of the call, which holds the span.
 */
function splitDocuments(member: Member, settings: SegmentSettings): readonly Truncated[] {
  const { span } = member;
  const serviceId = derivedId(span.traceId, span.spanId, 'svc');
  const position = { form: 'subsegment', root: member, depth: 0, resourceHash: undefined, serviceId } as const;
  const plan = planOf(member, position, settings);
  const { documentBytesMax } = settings;
  const document = documentOf(span, plan);
  const bytes = jsonBytesWithin(document, documentBytesMax);
  const call = fitted(span, { plan, document, bytes }, documentBytesMax);
  if (settings.policy !== 'auto')
    return [call, serviceFitted(settings.policy.writeService(span, serviceId, settings), settings)];
  return [serviceFitted(serviceDocument(span, serviceId, settings), settings), call];
}

function serviceFitted(service: SegmentDocument, { envelope, documentBytesMax }: SegmentSettings): Truncated {
  const marked = envelope === 'off' ? service : withEnvelope(service, serviceEnvelope);
  if (jsonBytesWithin(marked, documentBytesMax) <= documentBytesMax) return { document: marked, cut: [] };
  const { document: rest, cut } = truncate(marked, documentBytesMax - cutNoteBytesMax);
  return { document: withCut(rest, cut), cut };
}

/** Attributes of a call that are about the service that makes it. */
const serviceAttributes = ['aws.local.service', 'enduser.id', 'user.id', 'aws.xray.annotations'] as const;

function serviceDocument(span: Span, serviceId: string, settings: SegmentSettings): SegmentDocument {
  const attributes = new Map<string, AttributeValue>();
  for (const key of serviceAttributes) if (span.attributes.has(key)) attributes.set(key, span.attributes.get(key));
  for (const [key, value] of span.attributes)
    if (indexedName(settings.rules.annotations, key) !== undefined) attributes.set(key, value);
  const flags = flagsOf(span);
  for (const name of flagNames) if (flags[name]) attributes.set(`aws.xray.${name}`, true);

  const { document } = writeDocument(
    { ...span, spanId: serviceId, attributes, links: [] },
    {
      form: 'segment',
      rules: settings.rules,
      json: settings.json,
      inherited: undefined,
      omitsRest: settings.omitsRest,
    },
  );
  return document;
}
