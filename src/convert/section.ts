import type { AttributeValue, Attributes, JsonArray, JsonObject, JsonValue, Span } from '../model/index.ts';
import { isJsonArray, isJsonNumber, isJsonObject } from '../model/index.ts';
import type { SpanStyle } from './style.ts';
import { isList, toInt64 } from './values.ts';

/**
 * What the sections of a document share. Each section file holds both directions: `write…` makes
 * its members of the document from a span, `read…` makes attributes from its members.
 */

/** JSON text as the caller reads and prints it; `jsonText` of `codec` fits. */
export interface JsonText {
  /** Undefined when the text is not JSON, or deeper than jsonTextDepthMax. */
  parse(text: string): JsonValue | undefined;
  print(value: JsonValue): string;
}

/** A segment stands alone, a subsegment is sent alone, an embedded one is an element of `subsegments`. */
export type DocumentForm = 'segment' | 'subsegment' | 'embedded';

/** A span while its document is written. */
export interface SpanView {
  readonly span: Span;
  /** The span's, without the residual. */
  readonly attributes: Attributes;
  readonly form: DocumentForm;
  /** Keys of the attributes that a reader of the document sees in it; the others go to the metadata. */
  readonly shown: Set<string>;
  readonly json: JsonText;
}

/** A document while its span is read. */
export interface DocumentView {
  readonly document: JsonObject;
  readonly form: DocumentForm;
  /** True when Raybridge wrote the document from a span, and an envelope holds the rest of it. */
  readonly ours: boolean;
  /** Of our own documents always the plain one. */
  readonly style: SpanStyle;
  readonly kind: number;
  readonly startTimeNs: bigint;
  /** 0n while the document is in progress. */
  readonly endTimeNs: bigint;
  readonly attributes: Map<string, AttributeValue>;
  /** The resource of the document; of embedded documents that of their root, and not to be changed. */
  readonly resource: Map<string, AttributeValue>;
  readonly json: JsonText;
  /** A member that could not be used: its JSON pointer within the document, and why. */
  readonly report: Report;
}

export type Report = (pointer: string, reason: string) => void;

/**
 * The first non-empty string among the attributes, in order of preference. It counts as shown, and
 * so does any other of the keys that holds the same text.
 */
export function showText(view: SpanView, ...keys: readonly string[]): string | undefined {
  let found: string | undefined;
  for (const key of keys) {
    const value = view.attributes.get(key);
    if (typeof value !== 'string' || value === '' || (found !== undefined && value !== found)) continue;
    found = value;
    view.shown.add(key);
  }
  return found;
}

/** The first integer among the attributes, as JSON; see toInteger for what counts as one. */
export function showInteger(view: SpanView, ...keys: readonly string[]): JsonValue | undefined {
  let found: bigint | undefined;
  for (const key of keys) {
    const value = toInteger(view.attributes.get(key));
    if (value === undefined || (found !== undefined && value !== found)) continue;
    found = value;
    view.shown.add(key);
  }
  return found === undefined ? undefined : { literal: found.toString() };
}

/** A boolean attribute, counted as shown. */
export function showFlag(view: SpanView, key: string): boolean | undefined {
  const value = view.attributes.get(key);
  if (typeof value !== 'boolean') return undefined;
  view.shown.add(key);
  return value;
}

/** A list attribute of strings only, counted as shown. */
export function showTexts(view: SpanView, key: string): readonly string[] | undefined {
  const texts = textsOf(view.attributes.get(key));
  if (texts) view.shown.add(key);
  return texts;
}

/** The value as a list of strings; undefined for anything else, the empty list included. */
export function textsOf(value: AttributeValue): readonly string[] | undefined {
  if (!isList(value) || value.length === 0) return undefined;
  const texts = value.filter((text) => typeof text === 'string');
  return texts.length === value.length ? texts : undefined;
}

/** Non-empty string attribute of that name. */
export function textOf(attributes: Attributes, key: string): string | undefined {
  const value = attributes.get(key);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

const digitsPattern = /^-?\d{1,18}$/;

/** An int, a whole double or a string of digits: instrumentations send status codes as all three. */
export function toInteger(value: AttributeValue): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return typeof value === 'string' && digitsPattern.test(value) ? BigInt(value) : undefined;
}

/** An object of the members that have a value; undefined when none has. Empty strings are no value. */
export function objectOf(members: Readonly<Record<string, JsonValue | undefined>>): JsonObject | undefined {
  const object = new Map<string, JsonValue>();
  addMembers(object, members);
  return object.size === 0 ? undefined : object;
}

/** Adds the members that have a value to an object under construction. */
export function addMembers(
  target: Map<string, JsonValue>,
  members: Readonly<Record<string, JsonValue | undefined>>,
): void {
  for (const name of Object.keys(members)) {
    const value = members[name];
    if (value !== undefined && value !== '') target.set(name, value);
  }
}

/** An object of the document and the JSON pointer to it. */
export interface Place {
  readonly object: JsonObject;
  readonly pointer: string;
}

export function rootPlace(view: DocumentView): Place {
  return { object: view.document, pointer: '' };
}

/** A member that is an object; `undefined` when it is absent, empty in JSON's sense, or reported as something else. */
export function placeAt(view: DocumentView, place: Place | undefined, name: string): Place | undefined {
  const value = place?.object.get(name);
  if (!place || value === undefined || value === null) return undefined;
  const pointer = pointerTo(place, name);
  if (isJsonObject(value)) return { object: value, pointer };
  view.report(pointer, 'expected an object');
  return undefined;
}

/** A member that is a non-empty string. */
export function textAt(view: DocumentView, place: Place | undefined, name: string): string | undefined {
  const value = place?.object.get(name);
  if (!place || value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  view.report(pointerTo(place, name), 'expected a string');
  return undefined;
}

/** A member that is a whole number in int64, `2E2` included. */
export function integerAt(view: DocumentView, place: Place | undefined, name: string): bigint | undefined {
  const value = place?.object.get(name);
  if (!place || value === undefined || value === null) return undefined;
  const integer = isJsonNumber(value) ? (toInt64(value) ?? toInteger(Number(value.literal))) : undefined;
  if (integer === undefined) view.report(pointerTo(place, name), 'expected a whole number');
  return integer;
}

/** A member that is a boolean. */
export function booleanAt(view: DocumentView, place: Place | undefined, name: string): boolean | undefined {
  const value = place?.object.get(name);
  if (!place || value === undefined || value === null) return undefined;
  if (typeof value === 'boolean') return value;
  view.report(pointerTo(place, name), 'expected a boolean');
  return undefined;
}

/** True when the member is `true`; undefined when it is absent or false, which says as much. */
export function trueAt(view: DocumentView, place: Place | undefined, name: string): true | undefined {
  return booleanAt(view, place, name) || undefined;
}

/** A member that is a list. */
export function listAt(view: DocumentView, place: Place | undefined, name: string): JsonArray | undefined {
  const value = place?.object.get(name);
  if (!place || value === undefined || value === null) return undefined;
  if (isJsonArray(value)) return value;
  view.report(pointerTo(place, name), 'expected a list');
  return undefined;
}

/** A member that is a list of strings; other elements are reported, and the list is not used. */
export function textsAt(view: DocumentView, place: Place | undefined, name: string): readonly string[] | undefined {
  const list = listAt(view, place, name);
  if (!place || !list || list.length === 0) return undefined;
  const texts = list.filter((text) => typeof text === 'string');
  if (texts.length === list.length) return texts;
  view.report(pointerTo(place, name), 'expected a list of strings');
  return undefined;
}

/** RFC 6901. */
export function pointerTo(place: Pick<Place, 'pointer'>, name: string): string {
  return `${place.pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** Sets an attribute that has a value. */
export function setAttribute(target: Map<string, AttributeValue>, key: string, value: AttributeValue): void {
  if (value !== undefined) target.set(key, value);
}
