import type { JsonArray, JsonObject, JsonValue } from '../model/index.ts';
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
  const cut: string[] = [];
  let rest = document;
  let excess = jsonBytes(rest) - bytesMax;
  for (const stage of stages) {
    if (excess <= 0) break;
    const result = stage(rest, excess + separatorBytes);
    if (result.cut.length === 0) continue;
    for (const pointer of result.cut) cut.push(pointer);
    rest = result.document;
    excess = jsonBytes(rest) - bytesMax;
  }
  return { document: rest, cut: listed([...new Set(cut)]) };
}

/** The last element of a list has no comma after it that goes too. */
const separatorBytes = 2;

/** Bytes of the list in an envelope: `,"z":[…]`. */
export const cutNoteBytesMax = 2000;

function listed(cut: readonly string[]): readonly string[] {
  if (isShort(cut)) return cut;
  const holders = [...new Set(cut.map(holderOf))];
  return isShort(holders) ? holders : [''];
}

function isShort(cut: readonly string[]): boolean {
  return jsonBytes(cut) + ',"z":'.length <= cutNoteBytesMax;
}

/** The member of the document, or of its envelope, that holds what the pointer leads to. */
function holderOf(pointer: string): string {
  const names = pointer.split('/');
  return names.slice(0, pointer.startsWith(`/metadata/${envelopeNamespace}/`) ? 4 : 2).join('/');
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
    namespaces.set(
      name,
      isJsonObject(content) ? without(content, ([key, value]) => isCut(value, ['metadata', name, key])) : content,
    );
  }
  return new Map(document).set('metadata', namespaces);
}

/** True when a text is the beginning of another one, as `truncate` leaves it. */
export function isBeginningOf(text: unknown, whole: unknown): boolean {
  if (typeof text !== 'string' || typeof whole !== 'string' || !text.endsWith(ellipsis)) return false;
  return whole.startsWith(text.slice(0, -ellipsis.length));
}

/** Cuts until that many bytes are gone, or nothing that it may cut is left. */
type Stage = (document: JsonObject, excess: number) => Truncated;

/** Names of members from the document inwards. */
type Path = readonly string[];

const envelope: Path = ['metadata', envelopeNamespace];
const events: Path = [...envelope, 'e'];

const exceptionsPath: Path = ['cause', 'exceptions'];
const queryPath: Path = ['sql', 'sanitized_query'];

/** Frames of an exception that stay, and exceptions that stay as long as there is anything else to cut. */
const framesMax = 20;
const exceptionsMax = 10;
/** Smaller things are cut when there is nothing large: they are many then. */
const worthwhileBytes = 200;
const isWorthIt = (value: JsonValue): boolean => jsonBytes(value) >= worthwhileBytes;
/** Bytes of a text that stay when it is one of those that never go. */
const textBytesMax = 1500;
/** A member that must be there is never larger than this, if it is what it should be. */
const requiredBytesMax = textBytesMax + 20;
const requiredMembers: ReadonlySet<string> = new Set([
  'name',
  'id',
  'trace_id',
  'parent_id',
  'type',
  'start_time',
  'end_time',
  'in_progress',
]);
const requiredOfEnvelope: ReadonlySet<string> = new Set('vnktswfpjq');

const stages: readonly Stage[] = [
  eventAttributes((key) => key === 'exception.stacktrace'),
  eventAttributes(() => true),
  elements(events),
  members(envelope, (name, value) => name === 'r' && isWorthIt(value)),
  members(envelope, (name, value) => name === 'c' && isWorthIt(value)),
  metadataValues(isWorthIt),
  queryTail,
  frames,
  elements(exceptionsPath, { from: exceptionsMax }),
  elements([...envelope, 'a'], { nameOf: keyOf }),
  members(envelope, (name) => name === 'r'),
  members(envelope, (name) => name === 'c'),
  metadataValues(() => true),
  members(['metadata', 'default'], () => true),
  members(['metadata'], (name) => name !== envelopeNamespace),
  members(envelope, (name) => name === 'l'),
  elements(['links']),
  longTexts,
  elements(exceptionsPath),
  members(['annotations'], () => true),
  members(envelope, (name) => !requiredOfEnvelope.has(name)),
  members(
    [],
    (name, value) => name !== 'metadata' && !(requiredMembers.has(name) && jsonBytes(value) <= requiredBytesMax),
  ),
  envelopeTexts,
  // An envelope is small by now; what is not is none.
  members([], (name) => name === 'metadata'),
];

/** Attributes of the events in the envelope that are not in the cause. */
function eventAttributes(isCuttable: (key: string) => boolean): Stage {
  return (document, excess) => {
    const entries = listAt(document, events);
    const candidates = entries.flatMap((entry, i) =>
      attributesOf(entry).flatMap((pair) => {
        const key = keyOf(pair);
        return key !== undefined && isCuttable(key)
          ? [{ key: pair, bytes: jsonBytes(pair) + 1, path: [...events, String(i), key] }]
          : [];
      }),
    );
    const { keys, cut } = largest(candidates, excess);
    if (cut.length === 0) return { document, cut };
    const rest = entries.map((entry) => {
      if (!isJsonArray(entry)) return entry;
      const attributes = attributesOf(entry);
      const kept = attributes.filter((pair) => !keys.has(pair));
      return kept.length < attributes.length ? entry.with(2, kept) : entry;
    });
    return { document: replaceAt(document, events, rest), cut };
  };
}

function attributesOf(entry: JsonValue): JsonArray {
  const attributes = isJsonArray(entry) ? entry[2] : undefined;
  return isJsonArray(attributes) ? attributes : [];
}

/** Of a pair with a value; a key alone says that the event lacks an attribute of the exception. */
function keyOf(pair: JsonValue): string | undefined {
  const [key, value] = isJsonArray(pair) ? pair : [];
  return typeof key === 'string' && value !== undefined ? key : undefined;
}

/** Elements of a list, from a place on; named by their place unless they have a better name. */
function elements(
  path: Path,
  {
    from = 0,
    nameOf = () => undefined,
  }: { readonly from?: number; readonly nameOf?: (element: JsonValue) => string | undefined } = {},
): Stage {
  return (document, excess) => {
    const list = listAt(document, path);
    const candidates = list.slice(from).map((element, i) => ({
      key: from + i,
      bytes: jsonBytes(element) + 1,
      path: [...path, nameOf(element) ?? String(from + i)],
    }));
    const { keys, cut } = largest(candidates, excess);
    if (cut.length === 0) return { document, cut };
    const rest = list.filter((_, i) => !keys.has(i));
    return { document: replaceAt(document, path, rest.length > 0 ? rest : undefined), cut };
  };
}

function members(path: Path, isCuttable: (name: string, value: JsonValue) => boolean): Stage {
  return (document, excess) => {
    const object = objectAt(document, path);
    const candidates = [...object]
      .filter(([name, value]) => isCuttable(name, value))
      .map(([name, value]) => ({
        key: name,
        bytes: jsonBytes(name) + jsonBytes(value) + 2,
        path: [...path, name],
      }));
    const { keys, cut } = largest(candidates, excess);
    if (cut.length === 0) return { document, cut };
    const rest = without(object, ([name]) => keys.has(name));
    return { document: replaceAt(document, path, rest.size > 0 ? rest : undefined), cut };
  };
}

/** Values in the namespaces of the metadata, or a whole namespace that is no object. */
function metadataValues(isCuttable: (value: JsonValue) => boolean): Stage {
  return (document, excess) => {
    const metadata = objectAt(document, ['metadata']);
    const candidates = [...metadata]
      .filter(([namespace]) => namespace !== envelopeNamespace)
      .flatMap(([namespace, content]) =>
        isJsonObject(content)
          ? [...content].map(([name, value]) => replaceable(['metadata', namespace, name], value))
          : [replaceable(['metadata', namespace], content)],
      )
      .filter(({ value, bytes }) => bytes > 0 && isCuttable(value));
    const { keys, cut } = largest(candidates, excess);
    if (cut.length === 0) return { document, cut };
    const marked = (value: JsonValue, path: Path): JsonValue => (keys.has(pointerOf(path)) ? cutMark : value);
    const namespaces = [...metadata].map(([namespace, content]): [string, JsonValue] => [
      namespace,
      isJsonObject(content) && namespace !== envelopeNamespace
        ? new Map([...content].map(([name, value]) => [name, marked(value, ['metadata', namespace, name])]))
        : marked(content, ['metadata', namespace]),
    ]);
    return { document: replaceAt(document, ['metadata'], new Map(namespaces)), cut };
  };
}

function replaceable(path: Path, value: JsonValue): Candidate<string> & { readonly value: JsonValue } {
  return { value, key: pointerOf(path), bytes: jsonBytes(value) - jsonBytes(cutMark), path };
}

function queryTail(document: JsonObject, excess: number): Truncated {
  const query = valueAt(document, queryPath);
  if (typeof query !== 'string') return { document, cut: [] };
  const short = beginning(query, Math.max(jsonBytes(query) - excess, textBytesMax));
  return short === query
    ? { document, cut: [] }
    : { document: replaceAt(document, queryPath, short), cut: [pointerOf(queryPath)] };
}

function frames(document: JsonObject): Truncated {
  const cut: string[] = [];
  const exceptions = listAt(document, exceptionsPath).map((exception, i) => {
    const stack = isJsonObject(exception) ? exception.get('stack') : undefined;
    if (!isJsonObject(exception) || !isJsonArray(stack) || stack.length <= framesMax) return exception;
    cut.push(pointerOf([...exceptionsPath, String(i), 'stack']));
    const known = exception.get('truncated');
    const truncated = (isJsonNumber(known) ? Number(known.literal) : 0) + stack.length - framesMax;
    return new Map(exception)
      .set('stack', stack.slice(0, framesMax))
      .set('truncated', { literal: String(Number.isSafeInteger(truncated) ? truncated : stack.length - framesMax) });
  });
  return { document: cut.length === 0 ? document : replaceAt(document, exceptionsPath, exceptions), cut };
}

/** All texts outside the metadata: a beginning tells what it was. */
function longTexts(document: JsonObject): Truncated {
  const cut: string[] = [];
  const shortened = (value: JsonValue, path: Path): JsonValue => {
    if (typeof value === 'string') {
      const short = beginning(value, textBytesMax);
      if (short !== value) cut.push(pointerOf(path));
      return short;
    }
    if (isJsonArray(value)) return value.map((element, i) => shortened(element, [...path, String(i)]));
    if (!isJsonObject(value) || path[0] === 'metadata') return value;
    return new Map([...value].map(([name, inner]) => [name, shortened(inner, [...path, name])]));
  };
  const short = shortened(document, []);
  return isJsonObject(short) && cut.length > 0 ? { document: short, cut } : { document, cut: [] };
}

/** Name, status message and trace state, which a span may have of any length. */
function envelopeTexts(document: JsonObject): Truncated {
  const cut: string[] = [];
  let rest = document;
  for (const name of ['n', 's', 'w']) {
    const path = [...envelope, name];
    const value = valueAt(document, path);
    const [code, message] = isJsonArray(value) ? value : [];
    const text = name === 's' ? message : value;
    const short = typeof text === 'string' ? beginning(text, textBytesMax) : text;
    if (short === undefined || short === text) continue;
    rest = replaceAt(rest, path, name === 's' ? [code ?? null, short] : short);
    cut.push(pointerOf(path));
  }
  return { document: rest, cut };
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

interface Candidate<Key> {
  readonly key: Key;
  readonly bytes: number;
  readonly path: Path;
}

/** The fewest candidates that together free as many bytes: the largest, and of equal ones the last. */
function largest<Key>(
  candidates: readonly Candidate<Key>[],
  excess: number,
): { readonly keys: ReadonlySet<Key>; readonly cut: readonly string[] } {
  const order = candidates.map((_, i) => i).sort((a, b) => bytesOf(candidates[b]) - bytesOf(candidates[a]) || b - a);
  const keys = new Set<Key>();
  const cut: string[] = [];
  let freed = 0;
  for (const i of order) {
    const candidate = candidates[i];
    if (freed >= excess || !candidate) break;
    freed += candidate.bytes;
    keys.add(candidate.key);
    cut.push(pointerOf(candidate.path));
  }
  return { keys, cut };
}

function bytesOf(candidate: Candidate<unknown> | undefined): number {
  return candidate?.bytes ?? 0;
}

function pointerOf(path: Path): string {
  return path.reduce((pointer, name) => pointerTo({ pointer }, name), '');
}

function without(object: JsonObject, isLeftOut: (member: readonly [string, JsonValue]) => boolean): JsonObject {
  return new Map([...object].filter((member) => !isLeftOut(member)));
}

function valueAt(document: JsonObject, path: Path): JsonValue | undefined {
  let value: JsonValue | undefined = document;
  for (const name of path) value = isJsonObject(value) ? value.get(name) : undefined;
  return value;
}

function listAt(document: JsonObject, path: Path): JsonArray {
  const value = valueAt(document, path);
  return isJsonArray(value) ? value : [];
}

function objectAt(document: JsonObject, path: Path): JsonObject {
  const value = valueAt(document, path);
  return isJsonObject(value) ? value : new Map();
}

/** A copy with another value at a path of objects that is there, or with none. */
function replaceAt(object: JsonObject, [name, ...rest]: Path, value: JsonValue | undefined): JsonObject {
  if (name === undefined) return isJsonObject(value) ? value : object;
  const inner = object.get(name);
  const changed = rest.length > 0 && isJsonObject(inner) ? replaceAt(inner, rest, value) : value;
  const copy = new Map(object);
  if (changed === undefined) copy.delete(name);
  else copy.set(name, changed);
  return copy;
}
