import type { AttributeValue, JsonObject, JsonValue } from '../model/index.ts';
import { isJsonNumber } from '../model/index.ts';
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
  /** Keys of span attributes, and `otel.resource.<key>` for those of the resource on segments. */
  readonly indexed?: readonly string[];
}

/** X-Ray indexes 50 annotations a trace; a document of more would crowd out the others. */
const annotationsMax = 50;
const keyLengthMax = 500;
/** In code points. */
const valueLengthMax = 1000;

export const keyListAttribute = 'aws.xray.annotations';
export const resourcePrefix = 'otel.resource.';

interface WrittenAnnotations {
  readonly annotations: JsonObject | undefined;
  /** Annotation key → attribute key, where they differ. */
  readonly renames: ReadonlyMap<string, string>;
}

/** Runs after the sections that show attributes elsewhere. */
export function writeAnnotations(view: SpanView, options: AnnotationOptions): WrittenAnnotations {
  const annotations = new Map<string, JsonValue>();
  const renames = new Map<string, string>();
  const listed = textsOf(view.attributes.get(keyListAttribute)) ?? [];
  if (listed.length > 0) view.shown.add(keyListAttribute);

  for (const [key, value] of indexedAttributes(view, options, listed)) {
    const shown = annotationValue(value);
    if (shown === undefined || annotations.size === annotationsMax) continue;
    const name = freeName(annotationName(key), annotations);
    annotations.set(name, shown);
    if (name !== key) renames.set(name, key);
    if (!key.startsWith(resourcePrefix)) view.shown.add(key);
  }
  return { annotations: annotations.size === 0 ? undefined : annotations, renames };
}

function indexedAttributes(
  view: SpanView,
  options: AnnotationOptions,
  listed: readonly string[],
): ReadonlyMap<string, AttributeValue> {
  const found = new Map<string, AttributeValue>();
  if (!options.indexAll && !options.indexed?.length && listed.length === 0) return found;
  const resource = view.form === 'segment' ? view.span.resource.attributes : new Map<string, AttributeValue>();
  if (options.indexAll) {
    for (const [key, value] of view.attributes) if (!view.shown.has(key)) found.set(key, value);
    for (const [key, value] of resource) found.set(`${resourcePrefix}${key}`, value);
  }
  for (const key of [...listed, ...(options.indexed ?? [])]) {
    const value = key.startsWith(resourcePrefix)
      ? (resource.get(key.slice(resourcePrefix.length)) ?? view.attributes.get(key))
      : view.attributes.get(key);
    if (value !== undefined) found.set(key, value);
  }
  return found;
}

function annotationValue(value: AttributeValue): JsonValue | undefined {
  if (typeof value === 'string')
    return value.length <= valueLengthMax ? value : [...value].slice(0, valueLengthMax).join('');
  if (typeof value === 'number') return Number.isFinite(value) ? toJson(value) : undefined;
  return typeof value === 'boolean' || typeof value === 'bigint' ? toJson(value) : undefined;
}

function annotationName(key: string): string {
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
  }
  if (!view.ours && keys.length > 0) view.attributes.set(keyListAttribute, keys.sort());
}

function readAnnotation(view: DocumentView, key: string, value: AttributeValue): boolean {
  if (view.ours && key.startsWith(resourcePrefix)) {
    if (view.form !== 'segment' || view.resource.has(key.slice(resourcePrefix.length))) return false;
    view.resource.set(key.slice(resourcePrefix.length), value);
    return true;
  }
  // These names steer the conversion; a foreign document must not reach the wheel.
  if (!view.ours && (key.startsWith('aws.xray.') || key.startsWith('raybridge.'))) return false;
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
