import type { AttributeValue, JsonObject, JsonValue } from '../model/index.ts';
import { isJsonNumber } from '../model/index.ts';
import { sameValue } from './equality.ts';
import type { DocumentView, SpanView } from './section.ts';
import { placeAt, pointerTo, rootPlace, textsOf } from './section.ts';
import { fromJson, toJson } from './values.ts';

/**
 * `annotations` (AWS X-Ray developer guide, "annotations"): the attributes that X-Ray indexes. Keys
 * are letters, digits, `_` and `.`; values are strings, finite numbers and booleans.
 */

/** Which attributes become annotations; all others go to the metadata. */
export interface AnnotationOptions {
  /** Every attribute that can be one and that the document does not show elsewhere. */
  readonly indexAll?: boolean;
  /** Attributes of the span, and `otel.resource.<key>` for those of the resource on segments. */
  readonly indexed?: readonly IndexEntry[];
  /** Annotations in one document, 50 unless told: X-Ray indexes as many in a trace, and more would crowd out others'. */
  readonly limit?: number;
}

/** The key of an attribute, or a pattern in which `*` stands for any text; with another name for the annotation or not. */
export type IndexEntry = string | { readonly from: string; readonly to: string };

/** The options as they are looked up, once for many spans. */
export interface AnnotationIndex {
  readonly isAll: boolean;
  /** Key → wanted name of the annotation. */
  readonly exact: ReadonlyMap<string, string>;
  readonly patterns: readonly Pattern[];
  readonly limit: number;
}

interface Pattern {
  /** The text between the stars. */
  readonly pieces: readonly string[];
  readonly to: string | undefined;
}

const annotationsMax = 50;

export function readIndex({ indexAll, indexed = [], limit = annotationsMax }: AnnotationOptions): AnnotationIndex {
  const exact = new Map<string, string>();
  const patterns: Pattern[] = [];
  for (const entry of indexed) {
    const { from, to } = typeof entry === 'string' ? { from: entry, to: undefined } : entry;
    if (from.includes('*')) patterns.push({ pieces: from.split('*'), to });
    else if (!exact.has(from)) exact.set(from, to ?? from);
  }
  return { isAll: indexAll ?? false, exact, patterns, limit };
}

export const emptyIndex: AnnotationIndex = readIndex({});

/** The name that the index wants for the annotation of an attribute; undefined when it does not list the key. */
export function indexedName(index: AnnotationIndex, key: string): string | undefined {
  const name = index.exact.get(key);
  if (name !== undefined || index.patterns.length === 0 || isSteering(key)) return name;
  const pattern = index.patterns.find(({ pieces }) => fits(key, pieces));
  return pattern && (pattern.to ?? key);
}

/** Each piece behind the one before, the first and last at the ends: no text is searched twice for one piece. */
function fits(key: string, pieces: readonly string[]): boolean {
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  if (key.length < first.length + last.length || !key.startsWith(first) || !key.endsWith(last)) return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = key.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= key.length - last.length;
}

/** These names steer the conversion; neither a pattern nor a foreign document reaches the wheel. */
function isSteering(key: string): boolean {
  return key.startsWith('aws.xray.') || key.startsWith('raybridge.');
}

const keyLengthMax = 500;
/** In code points. */
export const valueLengthMax = 1000;

export const keyListAttribute = 'aws.xray.annotations';
export const resourcePrefix = 'otel.resource.';

interface WrittenAnnotations {
  readonly annotations: JsonObject | undefined;
  /** Annotation key → attribute key, where they differ. */
  readonly renames: ReadonlyMap<string, string>;
}

/** Runs after the sections that show attributes elsewhere. */
export function writeAnnotations(view: SpanView, index: AnnotationIndex): WrittenAnnotations {
  const annotations = new Map<string, JsonValue>();
  const renames = new Map<string, string>();
  const listed = textsOf(view.attributes.get(keyListAttribute)) ?? [];
  if (listed.length > 0) view.shown.add(keyListAttribute);

  for (const [key, { value, wantedName }] of indexedAttributes(view, index, listed)) {
    const shown = annotationValue(value);
    if (shown === undefined || annotations.size >= index.limit) continue;
    const name = freeName(annotationName(wantedName), annotations);
    annotations.set(name, shown);
    if (name !== key) renames.set(name, key);
    // Of a text that was cut the metadata hold the whole.
    if (!key.startsWith(resourcePrefix) && (typeof value !== 'string' || shown === value)) view.shown.add(key);
  }
  return { annotations: annotations.size === 0 ? undefined : annotations, renames };
}

interface IndexedAttribute {
  readonly value: AttributeValue;
  readonly wantedName: string;
}

/** What the span lists, what the index lists in its order, then what fits a pattern or is left, in the span's order. */
function indexedAttributes(
  view: SpanView,
  index: AnnotationIndex,
  listed: readonly string[],
): ReadonlyMap<string, IndexedAttribute> {
  const found = new Map<string, IndexedAttribute>();
  const isBroad = index.isAll || index.patterns.length > 0;
  if (!isBroad && index.exact.size === 0 && listed.length === 0) return found;
  const resource = view.form === 'segment' ? view.span.resource.attributes : new Map<string, AttributeValue>();
  const add = (key: string, value: AttributeValue, wantedName: string): void => {
    if (value !== undefined && !found.has(key)) found.set(key, { value, wantedName });
  };
  const find = (key: string): AttributeValue =>
    (key.startsWith(resourcePrefix) ? resource.get(key.slice(resourcePrefix.length)) : undefined) ??
    view.attributes.get(key);
  for (const key of listed) add(key, find(key), index.exact.get(key) ?? key);
  for (const [key, name] of index.exact) add(key, find(key), name);
  if (!isBroad) return found;

  const consider = (key: string, value: AttributeValue, isShown: boolean): void => {
    const name = indexedName(index, key) ?? (index.isAll && !isShown ? key : undefined);
    if (name !== undefined) add(key, value, name);
  };
  for (const [key, value] of view.attributes) consider(key, value, view.shown.has(key));
  for (const [key, value] of resource) consider(`${resourcePrefix}${key}`, value, false);
  return found;
}

function annotationValue(value: AttributeValue): JsonValue | undefined {
  if (typeof value === 'string')
    return value.length <= valueLengthMax ? value : [...value].slice(0, valueLengthMax).join('');
  if (typeof value === 'number') return Number.isFinite(value) ? toJson(value) : undefined;
  return typeof value === 'boolean' || typeof value === 'bigint' ? toJson(value) : undefined;
}

export function annotationName(key: string): string {
  return key.replaceAll(/[^A-Za-z0-9_.]/g, '_').slice(0, keyLengthMax) || '_';
}

/** Two keys may come to the same name: the second is called `name_2`. */
function freeName(name: string, taken: ReadonlyMap<string, JsonValue>): string {
  if (!taken.has(name)) return name;
  for (let i = 2; ; i++) if (!taken.has(`${name}_${i}`)) return `${name}_${i}`;
}

/**
 * Annotations become attributes; where one of another section has the name already, that stays.
 * Of a foreign document the list of their keys is kept too, so that they become annotations again;
 * in alphabetical order, because a document has none.
 */
export function readAnnotations(view: DocumentView, renames: ReadonlyMap<string, string>): void {
  const place = placeAt(view, rootPlace(view), 'annotations');
  if (!place) return;
  const keys: string[] = [];
  for (const [name, json] of place.object) {
    const value = readValue(json);
    if (value === undefined) view.report(pointerTo(place, name), 'expected a string, a number or a boolean');
    else if (readAnnotation(view, renames.get(name) ?? name, value)) keys.push(name);
    else if (!view.ours && !sameValue(view.attributes.get(name), value))
      view.report(pointerTo(place, name), 'expected a name that no attribute of another member has');
  }
  if (!view.ours && keys.length > 0) view.attributes.set(keyListAttribute, keys.sort());
}

function readAnnotation(view: DocumentView, key: string, value: AttributeValue): boolean {
  if (view.ours && key.startsWith(resourcePrefix)) {
    if (view.form !== 'segment' || view.resource.has(key.slice(resourcePrefix.length))) return false;
    view.resource.set(key.slice(resourcePrefix.length), value);
    return true;
  }
  if (!view.ours && isSteering(key)) return false;
  if (view.attributes.has(key)) return false;
  view.attributes.set(key, value);
  return true;
}

/** A number that a double cannot hold, 1e999, is not used. */
function readValue(json: JsonValue): AttributeValue {
  if (typeof json !== 'string' && typeof json !== 'boolean' && !isJsonNumber(json)) return undefined;
  const value = fromJson(json);
  return typeof value === 'number' && !Number.isFinite(value) ? undefined : value;
}
