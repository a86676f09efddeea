import type { JsonObject, JsonValue } from '../model/index.ts';
import { isJsonArray, isJsonNumber, isJsonObject } from '../model/index.ts';
import { envelopeNamespace } from './metadata.ts';
import { pointerTo } from './section.ts';
import { jsonBytes } from './size.ts';

/**
 * Documents that are too large, cut to fit. What is cut first is what is large and least missed:
 * texts that the envelope repeats in full, then events, what is known of resource and scope, values
 * of the metadata; at the end whatever else is large. Ids, times, name, kind and status stay; of a
 * name or a message that would fill the document alone the beginning does. Each stage takes the
 * largest things first, and of equal ones the last, until the rest fits.
 */

export interface Truncated {
  readonly document: JsonObject;
  /**
   * JSON pointers to what was cut, into the document as it was before; attributes in the envelope by
   * their keys. Where they would be too many to list, they lead to the members that hold them, and at
   * worst to the document itself.
   */
  readonly cut: readonly string[];
}

/** Smallest bound that every document can be cut to. */
export const truncatedBytesMin = 20_000;

/** What stands in the metadata for a value that was cut. */
const cutMark = '…truncated';

/** The document within the size, whatever it holds, as long as the size is at least truncatedBytesMin. */
export function truncate(document: JsonObject, bytesMax: number): Truncated {
  const cut: Path[] = [];
  let rest = document;
  let excess = jsonBytes(rest) - bytesMax;
  for (const stage of stages) {
    if (excess <= 0) break;
    const chosen = largest(stage(rest, excess), excess);
    rest = withChanges(rest, chosen);
    for (const { label, freed } of chosen) {
      cut.push(label);
      excess -= freed;
    }
  }
  return { document: rest, cut: listed(cut) };
}

/** Bytes of the list in an envelope: `,"z":[…]`. */
export const cutNoteBytesMax = 2000;

function listed(cut: readonly Path[]): readonly string[] {
  // No pointer takes less than this with its quotes and comma.
  const isFew = cut.length < cutNoteBytesMax / 4;
  for (const paths of [isFew ? cut : undefined, cut.map(holderOf)]) {
    const pointers = [...new Set(paths?.map(pointerOf))];
    if (paths && jsonBytes(pointers) + ',"z":'.length <= cutNoteBytesMax) return pointers;
  }
  return [''];
}

/** The member of the document, or of its envelope, that the path leads into. */
function holderOf(path: Path): Path {
  return path.slice(0, path[1] === envelopeNamespace ? 3 : 1);
}

/** The document without the marks of values that were cut. */
export function withoutCutMarks(document: JsonObject, cut: readonly string[]): JsonObject {
  const metadata = document.get('metadata');
  if (cut.length === 0 || !isJsonObject(metadata)) return document;
  const pointers = new Set(cut);
  const isAnyCut = pointers.has('') || pointers.has('/metadata');
  const isCut = (value: JsonValue, path: Path): boolean =>
    value === cutMark && (isAnyCut || pointers.has(pointerOf(path)));
  const namespaces = new Map<string, JsonValue>();
  for (const [name, content] of metadata) {
    if (isCut(content, ['metadata', name])) continue;
    const rest = isJsonObject(content)
      ? new Map([...content].filter(([key, value]) => !isCut(value, ['metadata', name, key])))
      : content;
    namespaces.set(name, rest);
  }
  return new Map(document).set('metadata', namespaces);
}

/** True when a text is the beginning of another one, as `truncate` leaves it. */
export function isBeginningOf(text: unknown, whole: unknown): boolean {
  if (typeof text !== 'string' || typeof whole !== 'string' || !text.endsWith(ellipsis)) return false;
  return whole.startsWith(text.slice(0, -ellipsis.length));
}

/** Names of members and places of elements, from the document inwards. */
type Path = readonly (string | number)[];

/** Something that can be cut. */
interface Candidate {
  readonly path: Path;
  /** What is told when it is cut. */
  readonly label: Path;
  /** What stays; undefined for nothing. */
  readonly to: JsonValue | undefined;
  /** Bytes that go, or one less. */
  readonly freed: number;
}

/** What may be cut of a document with that many bytes too many. */
type Stage = (document: JsonObject, excess: number) => readonly Candidate[];

const envelope: Path = ['metadata', envelopeNamespace];
/** Frames of an exception that stay, and exceptions that stay as long as there is anything else to cut. */
const framesMax = 20;
const exceptionsMax = 10;
/** Smaller things are cut when there is nothing large: they are many then. */
const worthwhileBytes = 200;
/** Bytes of a text that stay when it is one of those that never go. */
const textBytesMax = 1500;
/** A member that must be there is never larger than this, if it is what it should be. */
const requiredBytesMax = textBytesMax + 20;
const requiredMembers: ReadonlySet<unknown> = new Set([
  'name',
  'id',
  'trace_id',
  'parent_id',
  'type',
  'start_time',
  'end_time',
  'in_progress',
]);
const requiredOfEnvelope: ReadonlySet<unknown> = new Set('vnktswfpjq');

/** In a pattern: every member or element. */
const each = Symbol('each');
type Pattern = readonly (string | number | typeof each)[];

const eventAttributes: Pattern = [...envelope, 'e', each, 2, each];
const exceptions: Pattern = ['cause', 'exceptions', each];

const stages: readonly Stage[] = [
  removed(eventAttributes, ({ value }) => keyOf(value) === 'exception.stacktrace'),
  removed(eventAttributes, ({ value }) => keyOf(value) !== undefined),
  removed([...envelope, 'e', each]),
  removed([...envelope, 'r'], isWorthIt),
  removed([...envelope, 'c'], isWorthIt),
  marked(isWorthIt),
  queryTail,
  frames,
  removed(exceptions, ({ path }) => Number(path.at(-1)) >= exceptionsMax),
  removed([...envelope, 'a', each]),
  removed([...envelope, 'r']),
  removed([...envelope, 'c']),
  marked(),
  removed(['metadata', 'default', each]),
  removed(['metadata', each], ({ path }) => path[1] !== envelopeNamespace),
  removed([...envelope, 'l']),
  removed(['links', each]),
  (document) => textsOf(document, []).flatMap(shortened),
  removed(exceptions),
  removed(['annotations', each]),
  removed([...envelope, each], ({ path }) => !requiredOfEnvelope.has(path.at(-1))),
  removed([each], ({ path: [name], value }) => {
    return name !== 'metadata' && !(requiredMembers.has(name) && jsonBytes(value) <= requiredBytesMax);
  }),
  // Name, status message and trace state, which a span may have of any length.
  (document) => [['n'], ['s', 1], ['w']].flatMap((path) => find(document, [...envelope, ...path]).flatMap(shortened)),
  // An envelope is small by now; what is not is none.
  removed(['metadata']),
];

function isWorthIt({ value }: Found): boolean {
  return jsonBytes(value) >= worthwhileBytes;
}

/** Of a pair with a value; a key alone says that an event lacks an attribute of its exception. */
function keyOf(pair: JsonValue): string | undefined {
  const [key, value] = isJsonArray(pair) ? pair : [];
  return typeof key === 'string' && value !== undefined ? key : undefined;
}

/** Attributes of the envelope are told by their keys. */
function removed(pattern: Pattern, isCuttable: (found: Found) => boolean = () => true): Stage {
  return (document) =>
    find(document, pattern)
      .filter(isCuttable)
      .map(({ path, value, placeBytes }) => {
        const key = path[1] === envelopeNamespace ? keyOf(value) : undefined;
        const label = key === undefined ? path : [...path.slice(0, -1), key];
        return { path, label, to: undefined, freed: jsonBytes(value) + placeBytes };
      });
}

/** Values in the namespaces of the metadata, or a whole namespace that is no object: a mark tells people. */
function marked(isCuttable: (found: Found) => boolean = () => true): Stage {
  return (document) =>
    find(document, ['metadata', each])
      .filter(({ path }) => path[1] !== envelopeNamespace)
      .flatMap((found) => (isJsonObject(found.value) ? inside(found) : [found]))
      .filter(isCuttable)
      .flatMap((found) => replaced(found, cutMark));
}

function queryTail(document: JsonObject, excess: number): readonly Candidate[] {
  return find(document, ['sql', 'sanitized_query']).flatMap((found) => {
    const { value } = found;
    if (typeof value !== 'string') return [];
    return replaced(found, beginning(value, Math.max(jsonBytes(value) - excess, textBytesMax)));
  });
}

function frames(document: JsonObject): readonly Candidate[] {
  return find(document, exceptions).flatMap((found) => {
    const exception = found.value;
    const stack = isJsonObject(exception) ? exception.get('stack') : undefined;
    if (!isJsonObject(exception) || !isJsonArray(stack) || stack.length <= framesMax) return [];
    const known = exception.get('truncated');
    const truncated = (isJsonNumber(known) ? Number(known.literal) : 0) + stack.length - framesMax;
    const short = new Map(exception)
      .set('stack', stack.slice(0, framesMax))
      .set('truncated', { literal: String(Number.isSafeInteger(truncated) ? truncated : stack.length - framesMax) });
    return replaced(found, short, [...found.path, 'stack']);
  });
}

/** All texts outside the metadata: a beginning tells what it was. */
function textsOf(value: JsonValue, path: Path): readonly Found[] {
  if (typeof value === 'string') return [{ path, value, placeBytes: 0 }];
  if (path[0] === 'metadata') return [];
  return inside({ path, value, placeBytes: 0 }).flatMap((found) => textsOf(found.value, found.path));
}

function shortened(found: Found): readonly Candidate[] {
  return typeof found.value === 'string' ? replaced(found, beginning(found.value, textBytesMax)) : [];
}

/** None when it would free nothing. */
function replaced({ path, value }: Found, to: JsonValue, label = path): readonly Candidate[] {
  const freed = value === to ? 0 : jsonBytes(value) - jsonBytes(to);
  return freed > 0 ? [{ path, label, to, freed }] : [];
}

const ellipsis = '…';

/** The text when it is short enough, else as much of its beginning as fits, whole characters, and an ellipsis. */
function beginning(text: string, bytesMax: number): string {
  if (text.length <= bytesMax && jsonBytes(text) <= bytesMax) return text;
  let bytes = jsonBytes(ellipsis);
  let short = '';
  // No character takes less than a byte.
  for (const character of text.slice(0, bytesMax)) {
    bytes += jsonBytes(character) - 2;
    if (bytes > bytesMax) break;
    short += character;
  }
  return short + ellipsis;
}

/** The fewest candidates that together free as many bytes: the largest, and of equal ones the last. */
function largest(candidates: readonly Candidate[], excess: number): readonly Candidate[] {
  const chosen: Candidate[] = [];
  let rest = excess;
  for (const candidate of candidates.toReversed().sort((a, b) => b.freed - a.freed)) {
    if (rest <= 0) break;
    rest -= candidate.freed;
    chosen.push(candidate);
  }
  return chosen;
}

function pointerOf(path: Path): string {
  return path.reduce<string>((pointer, name) => pointerTo({ pointer }, String(name)), '');
}

interface Found {
  readonly path: Path;
  readonly value: JsonValue;
  /** Bytes of its name and of a comma that go with it, at least. */
  readonly placeBytes: number;
}

function find(document: JsonObject, pattern: Pattern): readonly Found[] {
  let found: readonly Found[] = [{ path: [], value: document, placeBytes: 0 }];
  for (const step of pattern)
    found = found.flatMap((holder) => (step === each ? inside(holder) : memberOf(holder, step)));
  return found;
}

function memberOf({ path, value: holder }: Found, name: string | number): readonly Found[] {
  const value = isJsonObject(holder)
    ? holder.get(String(name))
    : isJsonArray(holder)
      ? holder[Number(name)]
      : undefined;
  return value === undefined ? [] : [{ path: [...path, name], value, placeBytes: 0 }];
}

/** The first has no comma of its own: when it goes last, none goes with it. */
function inside({ path, value: holder }: Found): readonly Found[] {
  if (isJsonArray(holder))
    return holder.map((value, i) => ({ path: [...path, i], value, placeBytes: i === 0 ? 0 : 1 }));
  if (!isJsonObject(holder)) return [];
  return [...holder].map(([name, value], i) => ({
    path: [...path, name],
    value,
    placeBytes: jsonBytes(name) + (i === 0 ? 1 : 2),
  }));
}

/** What is to be changed inside a value, by name or place. */
interface Changes extends Map<string | number, Changes | Candidate> {}

function withChanges(document: JsonObject, candidates: readonly Candidate[]): JsonObject {
  if (candidates.length === 0) return document;
  const changes: Changes = new Map();
  for (const candidate of candidates) {
    let at = changes;
    for (const name of candidate.path.slice(0, -1)) {
      const known = at.get(name);
      const next: Changes = known instanceof Map ? known : new Map();
      if (next !== known) at.set(name, next);
      at = next;
    }
    at.set(candidate.path.at(-1) ?? '', candidate);
  }
  const rest = changed(document, changes);
  return isJsonObject(rest) ? rest : document;
}

/** A member of which nothing is left goes too; elements stay, because their places mean something. */
function changed(value: JsonValue, changes: Changes | Candidate): JsonValue | undefined {
  if (!(changes instanceof Map)) return changes.to;
  if (isJsonArray(value))
    return value.flatMap((element, i) => {
      const inner = changes.get(i);
      const rest = inner ? changed(element, inner) : element;
      return rest === undefined ? [] : [rest];
    });
  if (!isJsonObject(value)) return value;
  const copy = new Map(value);
  for (const [name, inner] of changes) {
    const key = String(name);
    const rest = changed(copy.get(key) ?? null, inner);
    if (rest === undefined || isEmpty(rest)) copy.delete(key);
    else copy.set(key, rest);
  }
  return copy;
}

function isEmpty(value: JsonValue): boolean {
  return (isJsonArray(value) && value.length === 0) || (isJsonObject(value) && value.size === 0);
}
