import type { JsonArray, JsonNumber, JsonObject, JsonValue } from '../model/index.ts';
import { isJsonArray, isJsonNumber, isJsonObject, parseSeconds, parseTraceId } from '../model/index.ts';
import { sameJson } from './equality.ts';
import { fingerprint } from './ids.ts';
import type { JsonText } from './section.ts';
import { pointerTo } from './section.ts';
import type { SpanStyle } from './style.ts';
import { writeStyle } from './style.ts';

/**
 * The residual: what of a foreign document its span does not lead back to, as JSON in the attribute
 * `raybridge.xray`. It is the difference between the document and the one that its span would
 * become, so that both together give the document again, whatever it holds.
 *
 * | member | content |
 * |---|---|
 * | `v` | 1 |
 * | `o` | members that the span does not lead to, nested as in the document |
 * | `z` | {pointer: value} of such members that say nothing: false, null, "", {}, [] |
 * | `n` | {pointer: literal} of numbers written otherwise: `1.499473411677E9` |
 * | `r` | {pointer: [fingerprint of what the span leads to, value]} of members with another value |
 * | `x` | {pointer: fingerprint} of members that the span leads to and the document lacks |
 * | `g` | the `cause`, when the events do not lead to it |
 * | `d` | the text of `trace_id`, when it is not in the usual form |
 * | `b` | [parent id, place] of an element of `subsegments` |
 * | `s` | {place: value} of elements of `subsegments` that are no subsegments |
 * | `i` | how the span is worded, see `style.ts` |
 * | `e` | members that a later version of the envelope has; alone, because the rest of that document is in its span |
 *
 * A span may be changed before it is written again. What it shows then wins: nothing overwrites or
 * removes a member that is no longer what it was when the residual was made.
 */

const version = 1;

/** Where a document stood, and what stood beside its children. */
export interface Placement {
  readonly embedded: { readonly parentId: string; readonly place: number } | undefined;
  readonly strays: ReadonlyMap<string, JsonValue>;
}

interface ResidualContext {
  readonly placement: Placement;
  readonly style: SpanStyle;
  readonly json: JsonText;
}

/** The residual of a document whose span leads to `written`; undefined when there is nothing to say. */
export function writeResidual(
  document: JsonObject,
  written: JsonObject,
  { placement: { embedded, strays }, style, json }: ResidualContext,
): JsonObject | undefined {
  const delta = new Delta(json);
  const cause = document.get('cause');
  const traceId = document.get('trace_id');
  const keepsCause = isJsonObject(cause) && !sameJson(cause, written.get('cause'));
  const keepsTraceId = isOtherSpelling(traceId, written.get('trace_id'));
  // Members that have a rule of their own look alike on both sides to the general one.
  const overrides: [string, JsonValue][] = [];
  if (keepsCause) overrides.push(['cause', cause]);
  if (keepsTraceId) overrides.push(['trace_id', traceId]);
  delta.compare(document, overrides.length === 0 ? written : new Map([...written, ...overrides]), '');

  const residual = new Map<string, JsonValue>([['v', { literal: String(version) }], ...delta.members()]);
  if (keepsCause) residual.set('g', cause);
  if (keepsTraceId) residual.set('d', traceId);
  if (embedded) residual.set('b', [embedded.parentId, { literal: String(embedded.place) }]);
  if (strays.size > 0) residual.set('s', strays);
  const wording = writeStyle(style);
  if (wording) residual.set('i', wording);
  return residual.size === 1 ? undefined : residual;
}

/** True for another text of the same trace id: upper case, or without the dashes. */
function isOtherSpelling(text: JsonValue | undefined, usual: JsonValue | undefined): text is string {
  if (typeof text !== 'string' || typeof usual !== 'string' || text === usual) return false;
  return parseTraceId(text) === parseTraceId(usual);
}

/** Collects the differences of two documents; a class because it fills five members in one walk. */
class Delta {
  readonly #json: JsonText;
  readonly #other = new Map<string, JsonValue>();
  readonly #silent = new Map<string, JsonValue>();
  readonly #numbers = new Map<string, JsonValue>();
  readonly #replaced = new Map<string, JsonValue>();
  readonly #removed = new Map<string, JsonValue>();

  constructor(json: JsonText) {
    this.#json = json;
  }

  /** Notes how `wanted` differs from `written`. */
  compare(wanted: JsonObject, written: JsonObject, pointer: string): void {
    for (const [name, value] of this.#added(wanted, written, pointer)) this.#other.set(name, value);
  }

  /** The members to add, nested; all else is noted on the way. */
  #added(wanted: JsonObject, written: JsonObject, pointer: string): ReadonlyMap<string, JsonValue> {
    const added = new Map<string, JsonValue>();
    for (const [name, value] of written)
      if (!wanted.has(name)) this.#removed.set(pointerTo({ pointer }, name), this.#fingerprint(value));
    for (const [name, value] of wanted) {
      const known = written.get(name);
      if (value === known) continue;
      const at = pointerTo({ pointer }, name);
      if (known === undefined) this.#add(added, { name, value, at });
      else if (isJsonObject(value) && isJsonObject(known)) {
        const inner = this.#added(value, known, at);
        if (inner.size > 0) added.set(name, inner);
      } else this.#change(value, known, at);
    }
    return byName(added);
  }

  #add(added: Map<string, JsonValue>, { name, value, at }: { name: string; value: JsonValue; at: string }): void {
    if (isSilent(value)) this.#silent.set(at, value);
    else added.set(name, value);
  }

  #change(value: JsonValue, known: JsonValue, at: string): void {
    if (sameJson(value, known)) return;
    if (isJsonNumber(value) && isJsonNumber(known) && sameNumber(value, known, at))
      this.#numbers.set(at, value.literal);
    else this.#replaced.set(at, [this.#fingerprint(known), value]);
  }

  #fingerprint(value: JsonValue): string {
    return markOf(value, this.#json);
  }

  members(): readonly (readonly [string, JsonObject])[] {
    const all: readonly (readonly [string, JsonObject])[] = [
      ['o', this.#other],
      ['z', this.#silent],
      ['n', this.#numbers],
      ['r', this.#replaced],
      ['x', this.#removed],
    ];
    return all.filter(([, member]) => member.size > 0).map(([name, member]) => [name, byName(member)]);
  }
}

/** Members come back in another order than they came; the residual of the same document stays the same text. */
function byName(object: JsonObject): JsonObject {
  return object.size < 2 ? object : new Map([...object].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isSilent(value: JsonValue): boolean {
  if (value === false || value === null || value === '') return true;
  return isJsonArray(value) ? value.length === 0 : isJsonObject(value) && value.size === 0;
}

/** Times may be cut to microseconds on the way; other numbers are the same when their doubles are. */
const timeToleranceNs = 1000n;

function sameNumber(a: JsonNumber, b: JsonNumber, pointer: string): boolean {
  if (pointer !== '/start_time' && pointer !== '/end_time') return Number(a.literal) === Number(b.literal);
  const aNs = parseSeconds(a.literal);
  const bNs = parseSeconds(b.literal);
  if (aNs === undefined || bNs === undefined) return false;
  return aNs - bNs <= timeToleranceNs && bNs - aNs <= timeToleranceNs;
}

/** The residual in the text of the attribute; undefined when it is none that we have written. */
export function readResidual(text: unknown, json: JsonText): JsonObject | undefined {
  const residual = typeof text === 'string' ? json.parse(text) : undefined;
  if (!isJsonObject(residual)) return undefined;
  const found = residual.get('v');
  return isJsonNumber(found) && found.literal === String(version) ? residual : undefined;
}

/** The residual of a document whose envelope has members that this version does not know. */
export function residualOfEnvelope(unknown: JsonObject): JsonObject {
  return new Map<string, JsonValue>([
    ['v', { literal: String(version) }],
    ['e', unknown],
  ]);
}

/** The unknown members of the envelope, when the text is what `residualOfEnvelope` made of them, and printed. */
export function readEnvelopeResidual(text: unknown, json: JsonText): JsonObject | undefined {
  const unknown = readResidual(text, json)?.get('e');
  if (!isJsonObject(unknown) || unknown.size === 0) return undefined;
  return json.print(residualOfEnvelope(unknown)) === text ? unknown : undefined;
}

/** Where the document stood. */
export function readPlacement(residual: JsonObject | undefined): Placement {
  const [parentId, place] = arrayOf(residual?.get('b'));
  const embedded =
    typeof parentId === 'string' && isJsonNumber(place) ? { parentId, place: Number(place.literal) } : undefined;
  const strays = [...objectAt(residual, 's')].filter(([index]) => /^\d{1,9}$/.test(index));
  return { embedded, strays: new Map(strays) };
}

/**
 * The document again: what the span leads to, and its residual. `fitsCause` says whether a cause
 * still tells the same as the span.
 */
export function applyResidual(
  written: JsonObject,
  residual: JsonObject,
  { json, fitsCause }: { readonly json: JsonText; readonly fitsCause: (document: JsonObject) => boolean },
): JsonObject {
  let document = written;
  const copies: Copies = new Map();
  for (const [pointer, mark] of objectAt(residual, 'x'))
    document = changeAt(document, copies, pointer, (value) => (isAsMarked(value, mark, json) ? undefined : value));
  for (const [pointer, replacement] of objectAt(residual, 'r')) {
    const [mark, wanted] = arrayOf(replacement);
    document = changeAt(document, copies, pointer, (value) => (isAsMarked(value, mark, json) ? wanted : value));
  }
  document = merge(document, objectAt(residual, 'o'));
  for (const [pointer, wanted] of objectAt(residual, 'z'))
    document = changeAt(document, copies, pointer, (value) => (value === undefined ? wanted : value));
  for (const [pointer, literal] of objectAt(residual, 'n'))
    document = changeAt(document, copies, pointer, (value) => respelled(value, literal, pointer));
  return withCause(withTraceId(document, residual.get('d')), residual.get('g'), fitsCause);
}

function isAsMarked(value: JsonValue | undefined, mark: JsonValue | undefined, json: JsonText): boolean {
  return value !== undefined && markOf(value, json) === mark;
}

/** The fingerprint of a value, whatever order its members stand in: they come back in another one. */
function markOf(value: JsonValue, json: JsonText): string {
  return fingerprint(json.print(sortedMembers(value)));
}

function sortedMembers(value: JsonValue): JsonValue {
  if (isJsonArray(value)) return value.map(sortedMembers);
  if (!isJsonObject(value)) return value;
  return byName(new Map(Array.from(value, ([name, inner]) => [name, sortedMembers(inner)])));
}

/** RFC 8259; a residual may come from anywhere, and its literals are printed as they are. */
const numberPattern = /^-?(?:0|[1-9]\d{0,400})(?:\.\d{1,400})?(?:[eE][+-]?\d{1,9})?$/;

function respelled(value: JsonValue | undefined, literal: JsonValue, pointer: string): JsonValue | undefined {
  if (!isJsonNumber(value) || typeof literal !== 'string' || !numberPattern.test(literal)) return value;
  return sameNumber(value, { literal }, pointer) ? { literal } : value;
}

function withTraceId(document: JsonObject, text: JsonValue | undefined): JsonObject {
  return isOtherSpelling(text, document.get('trace_id')) ? new Map(document).set('trace_id', text) : document;
}

function withCause(
  document: JsonObject,
  cause: JsonValue | undefined,
  fits: (document: JsonObject) => boolean,
): JsonObject {
  if (cause === undefined) return document;
  const candidate = new Map(document).set('cause', cause);
  return fits(candidate) ? candidate : document;
}

/** Adds what is absent, at any depth, and changes nothing that is there. */
function merge(target: JsonObject, extra: JsonObject): JsonObject {
  if (extra.size === 0) return target;
  const merged = new Map(target);
  for (const [name, value] of extra) {
    const known = merged.get(name);
    if (known === undefined) merged.set(name, value);
    else if (isJsonObject(known) && isJsonObject(value)) merged.set(name, merge(known, value));
  }
  return merged;
}

/**
 * The copies made so far, each by itself. They are ours to change in place: a residual may hold as
 * many pointers as the document has members, and a copy for each would take quadratic time.
 */
type Copies = Map<JsonObject, Map<string, JsonValue>>;

type Change = (value: JsonValue | undefined) => JsonValue | undefined;

/** The object, or a copy of it, with another value at the pointer, or none; unchanged when the pointer's parent is missing. */
function changeAt(object: JsonObject, copies: Copies, pointer: string, change: Change): JsonObject {
  return changeIn(object, copies, pointer.slice(1).split('/').map(unescape), change);
}

function changeIn(
  object: JsonObject,
  copies: Copies,
  [name = '', ...rest]: readonly string[],
  change: Change,
): JsonObject {
  const value = object.get(name);
  const isInner = rest.length > 0;
  if (isInner && !isJsonObject(value)) return object;
  const changed = isInner && isJsonObject(value) ? changeIn(value, copies, rest, change) : change(value);
  if (changed === value) return object;
  const copy = copies.get(object) ?? new Map(object);
  copies.set(copy, copy);
  if (changed === undefined) copy.delete(name);
  else copy.set(name, changed);
  return copy;
}

/** RFC 6901. */
function unescape(name: string): string {
  return name.replaceAll('~1', '/').replaceAll('~0', '~');
}

function objectAt(object: JsonObject | undefined, name: string): JsonObject {
  const value = object?.get(name);
  return isJsonObject(value) ? value : new Map();
}

function arrayOf(value: JsonValue | undefined): JsonArray {
  return isJsonArray(value) ? value : [];
}
