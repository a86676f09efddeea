import type { AttributeValue, Attributes, JsonObject, JsonValue, Resource, Span } from '../model/index.ts';
import { emptyResource, emptyScope, isJsonObject, StatusCode, toXrayTraceId } from '../model/index.ts';
import type { AnnotationIndex } from './annotations.ts';
import { emptyIndex, readAnnotations, writeAnnotations } from './annotations.ts';
import { readAws, writeAws } from './aws.ts';
import { readCause, readEvents, readException, readMessage, writeCause } from './cause.ts';
import { renameAttributes } from './generations.ts';
import { readHttp, writeHttp } from './http.ts';
import type { SpanIdentity } from './identity.ts';
import { readIdentity, readKind, readNamespace, readTimes, writeIdentity } from './identity.ts';
import { readLinks, writeLinks } from './links.ts';
import { joinMetadata, readNamespaces, readRest, writeNamespaces, writeRest } from './metadata.ts';
import { readName, readOperation, writeName } from './name.ts';
import { keepOrigin, readOrigin, readServiceName, writeOrigin } from './resource.ts';
import type { DocumentForm, DocumentView, JsonText, Place, Report, SpanView } from './section.ts';
import { addMembers } from './section.ts';
import { readSql, writeSql } from './sql.ts';
import type { Flags } from './status.ts';
import { keepFlags, readFlags, readStatusCode, writeFlags } from './status.ts';
import type { SpanStyle } from './style.ts';
import { plainStyle } from './style.ts';

/**
 * The plain mapping: one span ↔ one document without its subsegments, by what each shows, section
 * by section. What gets lost here either way, `lossless.ts` finds by running the other way at once.
 */

/** The attribute that holds what of a document no other attribute holds; see `residual.ts`. */
export const residualAttribute = 'raybridge.xray';

/** What the user wants of documents that we make. */
export interface WriteRules {
  readonly annotations: AnnotationIndex;
  /** Links of a consumer's segment say that they lead to a parent, as those that AWS writes do. */
  readonly marksParentLinks: boolean;
  /** A segment is named `service.namespace/service.name`. */
  readonly namesNamespace: boolean;
  /** Log groups of services whose resource names none. */
  readonly logGroups: readonly string[];
}

/** For documents that others made: they know nothing of our rules. */
export const plainRules: WriteRules = {
  annotations: emptyIndex,
  marksParentLinks: false,
  namesNamespace: false,
  logGroups: [],
};

interface WritePlan {
  readonly form: DocumentForm;
  readonly rules: WriteRules;
  readonly json: JsonText;
  /** The root's resource, of embedded documents. */
  readonly inherited: Resource | undefined;
  /** Leaves the attributes that no other member shows out of the metadata, too. */
  readonly omitsRest: boolean;
}

export interface Written {
  readonly document: JsonObject;
  /** Reads the document again: what it restores, so that the caller sees what is missing. */
  readonly back: () => Read;
  /** Annotation key → attribute key, where they differ. */
  readonly renames: ReadonlyMap<string, string>;
  /** Ids of the exceptions in `cause`, by place of their event. */
  readonly exceptionIds: ReadonlyMap<number, string>;
  /** How many attributes the document shows in no member but the metadata. */
  readonly restCount: number;
}

export function writeDocument(span: Span, plan: WritePlan): Written {
  const { attributes } = withoutResidual(span);
  const view: SpanView = { span, attributes, form: plan.form, shown: new Set(), json: plan.json };
  const document = new Map<string, JsonValue>();
  const { cause, exceptionIds } = writeCause(view);
  addMembers(document, { name: writeName(view, plan.rules) });
  addMembers(document, writeIdentity(view));
  addMembers(document, writeOrigin(view));
  addMembers(document, { http: writeHttp(view), aws: writeAws(view, plan.rules), sql: writeSql(view) });
  addMembers(document, writeFlags(view));
  const namespaces = writeNamespaces(view);
  const { annotations, renames } = writeAnnotations(view, plan.rules.annotations);
  const links = writeLinks(view, plan.rules);
  addMembers(document, { cause, links, annotations, metadata: joinMetadata(namespaces, new Map()) });

  // What can be read back needs no second place; the rest of the attributes goes into the metadata.
  // Member by member: an object that is spread has no fixed shape for the engine.
  const context = {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    startTimeNs: span.startTimeNs,
    form: plan.form,
    inherited: plan.inherited,
    ours: true,
    style: plainStyle,
    renames,
    json: plan.json,
    report: ignore,
  };
  if (plan.omitsRest)
    return { document, back: () => readDocument(document, context), renames, exceptionIds, restCount: 0 };
  const reading = open(document, context);
  const rest = writeRest(view, readSections(reading));
  const metadata = joinMetadata(namespaces, rest);
  if (metadata) document.set('metadata', metadata);
  return { document, back: () => close(reading), renames, exceptionIds, restCount: countNew(rest, namespaces) };
}

/** A foreign document may show an attribute of its resource in the metadata too. */
function countNew(rest: ReadonlyMap<string, JsonValue>, namespaces: ReadonlyMap<string, JsonValue>): number {
  const known = namespaces.get('default');
  return isJsonObject(known) ? [...rest.keys()].filter((key) => !known.has(key)).length : rest.size;
}

/** The same span when it has none. */
export function withoutResidual(span: Span): Span {
  if (!span.attributes.has(residualAttribute)) return span;
  const attributes = new Map(span.attributes);
  attributes.delete(residualAttribute);
  return { ...span, attributes };
}

/** Where a document stands and how it is to be read. */
export interface ReadContext extends SpanIdentity {
  readonly form: DocumentForm;
  /** The root's resource, of embedded documents. */
  readonly inherited: Resource | undefined;
  /** True when Raybridge wrote the document from a span. */
  readonly ours: boolean;
  /** How to word the span; of our own documents the plain one. */
  readonly style: SpanStyle;
  readonly renames: ReadonlyMap<string, string>;
  readonly json: JsonText;
  readonly report: Report;
}

export function identityOf(span: Span): SpanIdentity {
  const { traceId, spanId, parentSpanId, startTimeNs } = span;
  return { traceId, spanId, parentSpanId, startTimeNs };
}

export function ignore(): void {}

export interface Read {
  readonly span: Span;
  /** The flags that the document shows. */
  readonly flags: Flags;
  /** What each exception in `cause` says, by its id. */
  readonly exceptions: ReadonlyMap<string, Attributes>;
}

export function readDocument(document: JsonObject, context: ReadContext): Read {
  const reading = open(document, context);
  readSections(reading);
  return close(reading);
}

interface Reading {
  readonly view: DocumentView;
  readonly context: ReadContext;
  name: string;
  exceptions: readonly Place[];
}

function open(document: JsonObject, context: ReadContext): Reading {
  const { form, ours, style, json, report, inherited } = context;
  const view: DocumentView = {
    document,
    form,
    ours,
    style,
    kind: readKind(document, form),
    ...readTimes(document, context.startTimeNs, report),
    attributes: new Map<string, AttributeValue>(),
    resource: new Map<string, AttributeValue>(inherited?.attributes),
    json,
    report,
  };
  return { view, context, name: '', exceptions: [] };
}

/** All sections but the namespace `default` of our own documents. */
function readSections(reading: Reading): DocumentView {
  const { view, context } = reading;
  reading.name = readName(view);
  readServiceName(view, reading.name);
  readOrigin(view);
  readIdentity(view);
  readHttp(view);
  readAws(view);
  keepOrigin(view);
  readSql(view);
  reading.exceptions = readCause(view);
  readNamespaces(view);
  readAnnotations(view, context.renames);
  return view;
}

/** The rest of the attributes, then what depends on all of them. */
function close(reading: Reading): Read {
  const { view, context, name } = reading;
  readRest(view);
  readNamespace(view);
  const { startTimeNs, endTimeNs } = view;
  const operation = readOperation(view, name);
  renameAttributes(view.attributes, { semconv: view.style.semconv, kind: view.kind });
  if (view.style.showsTraceContext) showTraceContext(view, context);
  const { exceptions, flags, status, events } = readOutcome(reading, endTimeNs || startTimeNs);
  const resource = context.inherited ?? { ...emptyResource, attributes: view.resource };
  const span: Span = {
    traceId: context.traceId,
    spanId: context.spanId,
    parentSpanId: context.parentSpanId,
    traceState: '',
    flags: 0,
    name: operation,
    kind: view.kind,
    startTimeNs,
    endTimeNs,
    attributes: view.attributes,
    droppedAttributesCount: 0,
    events,
    droppedEventsCount: 0,
    links: readLinks(view),
    droppedLinksCount: 0,
    status,
    resource,
    scope: emptyScope,
  };
  return { span, flags, exceptions };
}

function showTraceContext({ attributes }: DocumentView, { traceId, spanId }: SpanIdentity): void {
  attributes.set('aws.xray.trace_id', toXrayTraceId(traceId));
  attributes.set('aws.xray.segment_id', spanId);
}

function readOutcome(
  { view, exceptions }: Reading,
  timeNs: bigint,
): Pick<Read, 'flags' | 'exceptions'> & Pick<Span, 'status' | 'events'> {
  const flags = readFlags(view);
  const code = readStatusCode(view, flags, exceptions.length);
  const message = code === StatusCode.error ? readMessage(view, exceptions) : undefined;
  const all = exceptions.map((exception) => readException(view, exception));
  const events = message === undefined ? readEvents(all, timeNs) : [];
  const status = { code, message: message ?? '' };
  keepFlags(view, flags, { status, events });
  return { flags, status, events, exceptions: byId(exceptions, all) };
}

function byId(places: readonly Place[], exceptions: readonly Attributes[]): ReadonlyMap<string, Attributes> {
  const found = new Map<string, Attributes>();
  for (const [i, { object }] of places.entries()) {
    const id: JsonValue | undefined = object.get('id');
    const attributes = exceptions[i];
    if (typeof id === 'string' && attributes) found.set(id, attributes);
  }
  return found;
}
