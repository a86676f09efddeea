import type {
  AttributeValue,
  Attributes,
  EntityRef,
  JsonArray,
  JsonObject,
  JsonValue,
  Resource,
  Scope,
  Span,
  SpanEvent,
  SpanLink,
} from '../model/index.ts';
import { attributeDepthMax, emptyScope, isJsonArray, isJsonNumber, isJsonObject, isSpanId } from '../model/index.ts';
import type { Read, Written } from './document.ts';
import {
  sameAttributes,
  sameEntityRefs,
  sameEvents,
  sameLinks,
  sameResource,
  sameScope,
  sameValue,
} from './equality.ts';
import { envelopeVersion, isEnvelope, isUnknownMember } from './envelope-shape.ts';
import { fingerprint } from './ids.ts';
import { successors } from './generations.ts';
import { envelopeNamespace } from './metadata.ts';
import type { JsonText } from './section.ts';
import { implies } from './status.ts';
import { asDoubles, fromAnyValue, isDeeperThan, survivesDoubles, toAnyValue } from './values.ts';

/**
 * The envelope: what of a span its document does not show, as `metadata.raybridge`. It is the
 * difference between the span and the one that a reader of the document alone would get, so that
 * both together give the span again.
 *
 * | member | content |
 * |---|---|
 * | `v` | 1 |
 * | `n`, `k` | name, kind |
 * | `t` | [start, end] in nanoseconds, when the document or X-Ray's microseconds do not hold them, or the span has not ended |
 * | `s` | [code, message] |
 * | `w`, `f` | trace state, flags |
 * | `p` | parent span id, "" for none, when the document names another |
 * | `j` | `dep` or `svc`: the subsegment and the segment that one span was split into |
 * | `q` | [attributes, events, links] dropped |
 * | `u` | keys of older semantic conventions that have the value of their stable successor |
 * | `a` | [[key, AnyValue, fingerprint of what the document shows instead]…] |
 * | `x` | keys that reading the document would make and the span does not have |
 * | `y` | {"d": [keys of whole doubles]}, for stores that write 5.0 as 5 |
 * | `m` | {annotation key: attribute key} |
 * | `e` | [[time, name, [[key, AnyValue] or [key removed]…], dropped, exception id]…], all events |
 * | `l` | [[trace state, flags, dropped, attributes, trace id, span id]…], all links; the ids of those not shown |
 * | `c` | scope: {n, v, a, q, u} |
 * | `r` | resource: {a: {u, a, x, y} as for the span, q: dropped, u: schema URL, e: entity references}, or {h: hash of one that another document carries} |
 * | `z` | JSON pointers to what was cut from the document, see `truncate.ts` |
 *
 * The document may be changed before it is read. What it shows then wins, member by member. Members
 * of other names are kept in the residual of the span and written again.
 */

/** `minimal` keeps what every span has: name, kind, status, times, trace state and flags. */
export type EnvelopeLevel = 'full' | 'minimal' | 'off';

export type SplitRole = 'dep' | 'svc';

/** The mark of the segment that stands for a service whose call is in another document. */
export const serviceEnvelope: JsonObject = new Map<string, JsonValue>([
  ['v', number(envelopeVersion)],
  ['j', 'svc'],
]);

interface EnvelopePlan {
  readonly level: 'full' | 'minimal';
  readonly role: SplitRole | undefined;
  /** Stands for the resource, when another document carries that. */
  readonly resourceHash: string | undefined;
  readonly json: JsonText;
}

/** What reading a document without its envelope gives. */
interface Restored extends Pick<Written, 'renames' | 'exceptionIds'> {
  readonly back: Read;
}

/** The envelope of a span whose document gives `written`. */
export function writeEnvelope(
  span: Span,
  written: Restored,
  { level, role, resourceHash, json }: EnvelopePlan,
): JsonObject {
  const { back } = written;
  const envelope = new Map<string, JsonValue>([['v', number(envelopeVersion)]]);
  writeBasics(envelope, span, back.span);
  if (role) envelope.set('j', role);
  if (level === 'minimal') return envelope;

  const dropped = [span.droppedAttributesCount, span.droppedEventsCount, span.droppedLinksCount];
  if (dropped.some((count) => count > 0)) envelope.set('q', dropped.map(number));
  for (const [name, member] of writeAttributes(span.attributes, back.span.attributes, json)) envelope.set(name, member);
  if (written.renames.size > 0) envelope.set('m', written.renames);
  if (!sameEvents(span.events, back.span.events)) envelope.set('e', writeEvents(span.events, written, json));
  if (!sameLinks(span.links, back.span.links)) envelope.set('l', writeLinks(span.links, back.span.links, json));
  if (!sameScope(span.scope, emptyScope)) envelope.set('c', writeScope(span.scope, json));
  if (!sameResource(span.resource, back.span.resource))
    envelope.set(
      'r',
      resourceHash === undefined
        ? writeResource(span.resource, back.span.resource, json)
        : new Map([['h', resourceHash]]),
    );
  return envelope;
}

function writeBasics(envelope: Map<string, JsonValue>, span: Span, shown: Span): void {
  const { status } = span;
  if (span.name !== shown.name) envelope.set('n', span.name);
  if (span.kind !== shown.kind) envelope.set('k', number(span.kind));
  if (needsExactTimes(span, shown)) envelope.set('t', [span.startTimeNs.toString(), span.endTimeNs.toString()]);
  if (status.code !== shown.status.code || status.message !== shown.status.message)
    envelope.set('s', [number(status.code), status.message]);
  if (span.traceState !== '') envelope.set('w', span.traceState);
  if (span.flags !== 0) envelope.set('f', number(span.flags));
  if (span.parentSpanId !== shown.parentSpanId) envelope.set('p', span.parentSpanId ?? '');
}

function needsExactTimes({ startTimeNs, endTimeNs }: Span, shown: Span): boolean {
  if (startTimeNs !== shown.startTimeNs || endTimeNs !== shown.endTimeNs) return true;
  return startTimeNs % 1000n !== 0n || endTimeNs % 1000n !== 0n || endTimeNs === 0n;
}

/**
 * `u`, `a`, `x` and `y` for the attributes of a span or resource, those that are needed. Attributes
 * have no order; their envelope has one, so that equal spans have the same text.
 */
function writeAttributes(
  wanted: Attributes,
  shown: Attributes,
  json: JsonText,
): readonly (readonly [string, JsonValue])[] {
  const older: string[] = [];
  const added: (readonly [string, ...JsonValue[]])[] = [];
  const doubles: string[] = [];
  for (const [key, value] of wanted) {
    const successor = successors.get(key);
    if (shown.has(key) && sameValue(shown.get(key), value)) {
      if (isWholeDouble(value)) doubles.push(key);
      else if (!survivesDoubles(value)) added.push([key, pack(value, json), markOf(value, json)]);
    } else if (successor !== undefined && !shown.has(key) && hasValue(shown, successor, value)) older.push(key);
    else if (shown.has(key)) added.push([key, pack(value, json), markOf(shown.get(key), json)]);
    else added.push([key, pack(value, json)]);
  }
  const removed = [...shown.keys()].filter((key) => !wanted.has(key)).sort();
  const members: readonly (readonly [string, JsonArray])[] = [
    ['u', older.sort()],
    ['a', added.sort(([a], [b]) => (a < b ? -1 : 1))],
    ['x', removed],
  ];
  const needed: (readonly [string, JsonValue])[] = members.filter(([, list]) => list.length > 0);
  if (doubles.length > 0) needed.push(['y', new Map([['d', doubles.sort()]])]);
  return needed;
}

function hasValue(attributes: Attributes, key: string, value: AttributeValue): boolean {
  return attributes.has(key) && sameValue(attributes.get(key), value);
}

/** Minus zero is none: written without its point it comes back as another number. */
function isWholeDouble(value: AttributeValue): boolean {
  return typeof value === 'number' && Number.isInteger(value) && !Object.is(value, -0);
}

/**
 * Tells at reading whether the document still shows what it showed at writing. It is the same for
 * a document that has been through a program whose numbers are doubles and whose members are
 * sorted, as the Collector's are.
 */
function markOf(value: AttributeValue, json: JsonText): string {
  return fingerprint(json.print(toAnyValue(asDoubles(value))));
}

function writeEvents(events: readonly SpanEvent[], { back, exceptionIds }: Restored, json: JsonText): JsonArray {
  return events.map((event, i) => {
    const id = exceptionIds.get(i);
    const shown = id === undefined ? undefined : back.exceptions.get(id);
    const attributes = shown ? writeDifference(event.attributes, shown, json) : packAll(event.attributes, json);
    const entry: JsonValue[] = [event.timeNs.toString(), event.name, attributes, number(event.droppedAttributesCount)];
    return id !== undefined && shown ? [...entry, id] : entry;
  });
}

/** Attributes that the document shows otherwise, and the keys alone of those that the event lacks. */
function writeDifference(wanted: Attributes, shown: Attributes, json: JsonText): JsonArray {
  const changed = [...wanted].filter(([key, value]) => !hasValue(shown, key, value));
  changed.sort(([a], [b]) => (a < b ? -1 : 1));
  const removed = [...shown.keys()].filter((key) => !wanted.has(key)).sort();
  return [...packAll(new Map(changed), json), ...removed.map((key) => [key])];
}

/** The attributes are listed in full: plain JSON would leave bytes and the like in doubt. */
function writeLinks(links: readonly SpanLink[], shown: readonly SpanLink[], json: JsonText): JsonArray {
  const waiting = [...shown];
  return links.map((link) => {
    const attributes = packAll(link.attributes, json);
    const entry = [link.traceState, number(link.flags), number(link.droppedAttributesCount), attributes];
    const [next] = waiting;
    if (next?.traceId !== link.traceId || next.spanId !== link.spanId) return [...entry, link.traceId, link.spanId];
    waiting.shift();
    return entry;
  });
}

function writeScope(scope: Scope, json: JsonText): JsonObject {
  const member = new Map<string, JsonValue>();
  if (scope.name !== '') member.set('n', scope.name);
  if (scope.version !== '') member.set('v', scope.version);
  if (scope.attributes.size > 0) member.set('a', packAll(scope.attributes, json));
  if (scope.droppedAttributesCount > 0) member.set('q', number(scope.droppedAttributesCount));
  if (scope.schemaUrl !== '') member.set('u', scope.schemaUrl);
  return member;
}

function writeResource(wanted: Resource, shown: Resource, json: JsonText): JsonObject {
  const member = new Map<string, JsonValue>();
  if (!sameAttributes(wanted.attributes, shown.attributes))
    member.set('a', new Map(writeAttributes(wanted.attributes, shown.attributes, json)));
  if (wanted.droppedAttributesCount !== shown.droppedAttributesCount)
    member.set('q', number(wanted.droppedAttributesCount));
  if (wanted.schemaUrl !== shown.schemaUrl) member.set('u', wanted.schemaUrl);
  if (!sameEntityRefs(wanted, shown)) member.set('e', wanted.entityRefs.map(writeEntityRef));
  return member;
}

function writeEntityRef(ref: EntityRef): JsonArray {
  return [ref.schemaUrl, ref.type, ref.idKeys, ref.descriptionKeys];
}

/** The envelope of a document; undefined when there is none, or one that cannot be trusted. */
export function readEnvelope(document: JsonObject): JsonObject | undefined {
  const found = envelopeMember(document);
  return isEnvelope(found) ? found : undefined;
}

/** True when a document has, where the envelope stands, something that is none. */
export function hasForeignEnvelope(document: JsonObject): boolean {
  const found = envelopeMember(document);
  return found !== undefined && !isEnvelope(found);
}

function envelopeMember(document: JsonObject): JsonValue | undefined {
  const metadata = document.get('metadata');
  return isJsonObject(metadata) ? metadata.get(envelopeNamespace) : undefined;
}

/** Members that a later version has written. */
export function unknownMembers(envelope: JsonObject): JsonObject {
  const unknown = new Map<string, JsonValue>();
  for (const [name, value] of envelope) if (isUnknownMember(name)) unknown.set(name, value);
  return unknown;
}

/** Pointers to what was cut from the document to fit its size. */
export function readCut(envelope: JsonObject): readonly string[] {
  return textsOf(envelope.get('z'));
}

/** Keys of attributes that the document leads to and the span does not have. */
export function readRemoved(envelope: JsonObject): readonly string[] {
  return textsOf(envelope.get('x'));
}

/** A document without an envelope does not tell what was cut from it. */
export function withCut(document: JsonObject, cut: readonly string[]): JsonObject {
  const envelope = readEnvelope(document);
  return envelope && cut.length > 0 ? withEnvelope(document, new Map(envelope).set('z', cut)) : document;
}

/** Name, kind and status as they are: a document that is cut may no longer lead to them. */
export function withBasics(document: JsonObject, { name, kind, status }: Span): JsonObject {
  const envelope = readEnvelope(document);
  if (!envelope) return document;
  const basics = new Map(envelope)
    .set('n', name)
    .set('k', number(kind))
    .set('s', [number(status.code), status.message]);
  return withEnvelope(document, basics);
}

export function withEnvelope(document: JsonObject, envelope: JsonObject): JsonObject {
  const metadata = document.get('metadata');
  const namespaces = isJsonObject(metadata) ? metadata : new Map<string, JsonValue>();
  return new Map(document).set('metadata', new Map(namespaces).set(envelopeNamespace, envelope));
}

export function withoutEnvelope(document: JsonObject): JsonObject {
  const metadata = document.get('metadata');
  if (!isJsonObject(metadata) || !metadata.has(envelopeNamespace)) return document;
  const namespaces = new Map(metadata);
  namespaces.delete(envelopeNamespace);
  const rest = new Map(document);
  if (namespaces.size > 0) rest.set('metadata', namespaces);
  else rest.delete('metadata');
  return rest;
}

export function readRole(envelope: JsonObject): SplitRole | undefined {
  const role = envelope.get('j');
  return role === 'dep' || role === 'svc' ? role : undefined;
}

/** Annotation key → attribute key. */
export function readRenames(envelope: JsonObject): ReadonlyMap<string, string> {
  const renames = new Map<string, string>();
  for (const [name, key] of objectAt(envelope, 'm')) if (typeof key === 'string') renames.set(name, key);
  return renames;
}

/** The hash of the resource, when another document carries that. */
export function readResourceHash(envelope: JsonObject): string | undefined {
  return textAt(objectAt(envelope, 'r'), 'h');
}

/**
 * The span again: what the document shows, and the envelope. Members of a wrong shape are as good
 * as absent. `named` is the resource that the envelope gives the hash of.
 */
export function applyEnvelope(
  { span, flags, exceptions }: Read,
  envelope: JsonObject,
  { json, named }: { readonly json: JsonText; readonly named: Resource | undefined },
): Span {
  const attributes = readAttributes(span.attributes, envelope, json);
  const events = listAt(envelope, 'e')?.map((entry) => readEvent(entry, exceptions, json)) ?? span.events;
  const [droppedAttributesCount, droppedEventsCount, droppedLinksCount] = (listAt(envelope, 'q') ?? []).map(countOf);
  const status = readStatus(envelope);
  const isStatusFit = status && implies({ attributes, status, events }, flags);
  const scope = objectAt(envelope, 'c');
  const resource = objectAt(envelope, 'r');
  const links = listAt(envelope, 'l');
  return {
    ...span,
    ...readTimes(span, envelope),
    parentSpanId: readParent(envelope, span),
    traceState: textAt(envelope, 'w') ?? '',
    flags: countOf(envelope.get('f')),
    name: textAt(envelope, 'n') ?? span.name,
    kind: envelope.has('k') ? integerOf(envelope.get('k')) : span.kind,
    attributes,
    droppedAttributesCount: droppedAttributesCount ?? 0,
    events,
    droppedEventsCount: droppedEventsCount ?? 0,
    links: links ? readLinks(links, span.links, json) : span.links,
    droppedLinksCount: droppedLinksCount ?? 0,
    status: isStatusFit ? status : span.status,
    scope: scope.size > 0 ? readScope(scope, json) : span.scope,
    resource: named ?? (resource.size > 0 ? readResource(span.resource, resource, json) : span.resource),
  };
}

function readStatus(envelope: JsonObject): Span['status'] | undefined {
  const [code, message] = listAt(envelope, 's') ?? [];
  if (!isJsonNumber(code) || typeof message !== 'string') return undefined;
  return { code: integerOf(code), message };
}

/**
 * X-Ray cuts times to microseconds, and far in the future a double of seconds holds no more; a larger
 * difference means that the document was changed.
 */
function toleranceNs(timeNs: bigint): bigint {
  const doubleNs = timeNs >> 51n;
  return doubleNs > 1000n ? doubleNs : 1000n;
}

function readTimes(span: Span, envelope: JsonObject): Pick<Span, 'startTimeNs' | 'endTimeNs'> {
  const [start, end] = listAt(envelope, 't') ?? [];
  return { startTimeNs: exactTime(start, span.startTimeNs), endTimeNs: exactTime(end, span.endTimeNs) };
}

function exactTime(text: JsonValue | undefined, shownNs: bigint): bigint {
  const timeNs = readNanoseconds(text);
  if (timeNs === undefined) return shownNs;
  const difference = timeNs > shownNs ? timeNs - shownNs : shownNs - timeNs;
  return difference <= toleranceNs(shownNs) ? timeNs : shownNs;
}

function readNanoseconds(text: JsonValue | undefined): bigint | undefined {
  return typeof text === 'string' && /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
}

function readParent(envelope: JsonObject, span: Span): string | undefined {
  const parent = textAt(envelope, 'p');
  if (parent === undefined) return span.parentSpanId;
  return isSpanId(parent) ? parent : undefined;
}

function readAttributes(shown: Attributes, envelope: JsonObject, json: JsonText): Attributes {
  const attributes = new Map(shown);
  for (const key of listAt(objectAt(envelope, 'y'), 'd') ?? []) restoreDouble(attributes, key);
  for (const key of listAt(envelope, 'u') ?? []) {
    const successor = typeof key === 'string' ? successors.get(key) : undefined;
    if (typeof key === 'string' && successor !== undefined && shown.has(successor) && !shown.has(key))
      attributes.set(key, shown.get(successor));
  }
  for (const key of listAt(envelope, 'x') ?? []) if (typeof key === 'string') attributes.delete(key);
  for (const entry of listAt(envelope, 'a') ?? []) restoreAttribute(attributes, entry, shown, json);
  return attributes;
}

function restoreDouble(attributes: Map<string, AttributeValue>, key: JsonValue): void {
  const value = typeof key === 'string' ? attributes.get(key) : undefined;
  if (typeof key === 'string' && typeof value === 'bigint') attributes.set(key, Number(value));
}

/** A value that the document shows now and did not show then is newer than the envelope. */
function restoreAttribute(
  attributes: Map<string, AttributeValue>,
  entry: JsonValue,
  shown: Attributes,
  json: JsonText,
): void {
  if (!isJsonArray(entry)) return;
  const [key, any, mark] = entry;
  const boxed = unpack(any, json);
  if (typeof key !== 'string' || !boxed) return;
  if (shown.has(key) && mark !== markOf(shown.get(key), json)) return;
  attributes.set(key, boxed.value);
}

/** An exception that is no longer in the cause is an event like any other. */
function readEvent(entry: JsonValue, exceptions: ReadonlyMap<string, Attributes>, json: JsonText): SpanEvent {
  const [time, name, attributes, dropped, id] = isJsonArray(entry) ? entry : [];
  const shown = typeof id === 'string' ? exceptions.get(id) : undefined;
  return {
    timeNs: readNanoseconds(time) ?? 0n,
    name: typeof name === 'string' ? name : '',
    attributes: shown ? readDifference(shown, attributes, json) : unpackAll(attributes, json),
    droppedAttributesCount: countOf(dropped),
  };
}

function readDifference(shown: Attributes, difference: JsonValue | undefined, json: JsonText): Attributes {
  const attributes = new Map([...shown, ...unpackAll(difference, json)]);
  for (const entry of isJsonArray(difference) ? difference : [])
    if (isJsonArray(entry) && entry.length === 1 && typeof entry[0] === 'string') attributes.delete(entry[0]);
  return attributes;
}

/** Links that the document shows and the envelope does not know come last. */
function readLinks(entries: JsonArray, shown: readonly SpanLink[], json: JsonText): readonly SpanLink[] {
  const waiting = [...shown];
  const known = entries.flatMap((entry) => {
    const [traceState, flags, dropped, attributes, traceId, spanId] = isJsonArray(entry) ? entry : [];
    const hidden = typeof traceId === 'string' && typeof spanId === 'string' ? { traceId, spanId } : undefined;
    const link = hidden ?? waiting.shift();
    if (!link) return [];
    return [
      {
        traceId: link.traceId,
        spanId: link.spanId,
        traceState: typeof traceState === 'string' ? traceState : '',
        flags: countOf(flags),
        attributes: unpackAll(attributes, json),
        droppedAttributesCount: countOf(dropped),
      },
    ];
  });
  return [...known, ...waiting];
}

function readScope(member: JsonObject, json: JsonText): Scope {
  return {
    name: textAt(member, 'n') ?? '',
    version: textAt(member, 'v') ?? '',
    attributes: unpackAll(member.get('a'), json),
    droppedAttributesCount: countOf(member.get('q')),
    schemaUrl: textAt(member, 'u') ?? '',
  };
}

function readResource(shown: Resource, member: JsonObject, json: JsonText): Resource {
  return {
    attributes: readAttributes(shown.attributes, objectAt(member, 'a'), json),
    droppedAttributesCount: numberAt(member, 'q') ?? shown.droppedAttributesCount,
    schemaUrl: textAt(member, 'u') ?? shown.schemaUrl,
    entityRefs: listAt(member, 'e')?.map(readEntityRef) ?? shown.entityRefs,
  };
}

function readEntityRef(entry: JsonValue): EntityRef {
  const [schemaUrl, type, idKeys, descriptionKeys] = isJsonArray(entry) ? entry : [];
  return {
    schemaUrl: typeof schemaUrl === 'string' ? schemaUrl : '',
    type: typeof type === 'string' ? type : '',
    idKeys: textsOf(idKeys),
    descriptionKeys: textsOf(descriptionKeys),
  };
}

/**
 * An AnyValue takes four levels of JSON for one of its own. Readers of documents bound their depth,
 * so a deep value is text: `{"jsonText": "…"}`.
 */
const inlineDepthMax = 3;

function pack(value: AttributeValue, json: JsonText): JsonObject {
  const any = toAnyValue(value);
  return isDeeperThan(value, inlineDepthMax) ? new Map([['jsonText', json.print(any)]]) : any;
}

/** `[[key, AnyValue], …]`. */
function packAll(attributes: Attributes, json: JsonText): readonly JsonValue[] {
  return [...attributes].map(([key, value]) => [key, pack(value, json)]);
}

/** The value, boxed because the empty value is a value too; undefined when there is none, or one deeper than OTLP takes. */
function unpack(any: JsonValue | undefined, json: JsonText): { readonly value: AttributeValue } | undefined {
  const text = isJsonObject(any) ? any.get('jsonText') : undefined;
  const boxed = fromAnyValue(typeof text === 'string' ? json.parse(text) : any);
  return boxed && isDeeperThan(boxed.value, attributeDepthMax - 1) ? undefined : boxed;
}

function unpackAll(entries: JsonValue | undefined, json: JsonText): Attributes {
  const attributes = new Map<string, AttributeValue>();
  for (const entry of isJsonArray(entries) ? entries : []) {
    const [key, any] = isJsonArray(entry) ? entry : [];
    const boxed = unpack(any, json);
    if (typeof key === 'string' && boxed) attributes.set(key, boxed.value);
  }
  return attributes;
}

function number(value: number): JsonValue {
  return { literal: String(value) };
}

/** A count of 32 bits; 0 for anything else. */
function countOf(value: JsonValue | undefined): number {
  const count = isJsonNumber(value) ? Number(value.literal) : 0;
  return Number.isInteger(count) && count >= 0 && count <= 0xffff_ffff ? count : 0;
}

/** Kinds and status codes of later protocol versions are kept, so any whole number will do. */
function integerOf(value: JsonValue | undefined): number {
  const integer = isJsonNumber(value) ? Number(value.literal) : 0;
  return Number.isSafeInteger(integer) ? integer : 0;
}

function numberAt(object: JsonObject, name: string): number | undefined {
  const value = object.get(name);
  return isJsonNumber(value) ? countOf(value) : undefined;
}

function textAt(object: JsonObject, name: string): string | undefined {
  const value = object.get(name);
  return typeof value === 'string' ? value : undefined;
}

function listAt(object: JsonObject, name: string): JsonArray | undefined {
  const value = object.get(name);
  return isJsonArray(value) ? value : undefined;
}

function objectAt(object: JsonObject, name: string): JsonObject {
  const value = object.get(name);
  return isJsonObject(value) ? value : new Map();
}

function textsOf(value: JsonValue | undefined): readonly string[] {
  return isJsonArray(value) ? value.filter((text) => typeof text === 'string') : [];
}
