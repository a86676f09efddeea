import type { AttributeValue, Attributes, JsonObject, JsonValue } from '../../model/index.ts';
import { isJsonObject } from '../../model/index.ts';
import type { AnnotationIndex } from '../annotations.ts';
import { indexedName, keyListAttribute, resourcePrefix } from '../annotations.ts';
import { defaultNamespace, envelopeNamespace, namespacePrefix } from '../metadata.ts';
import { isList, toJson } from '../values.ts';
import type { CollectorView } from './view.ts';
import { doubleToJson, filled, sortedMap, textIn, toCollectorJson } from './view.ts';

/**
 * `user`, `annotations` and `metadata`, by the rules of the Collector's exporter (segment.go), from
 * the attributes that no other section has taken. Runs last.
 */

interface WrittenAttributes {
  readonly user: string;
  readonly annotations: JsonObject | undefined;
  readonly metadata: JsonObject | undefined;
  /** Annotation key → attribute key, where they differ. */
  readonly renames: ReadonlyMap<string, string>;
}

export function writeAttributes(
  view: CollectorView,
  { index, withResource }: { readonly index: AnnotationIndex; readonly withResource: boolean },
): WrittenAttributes {
  const { rest, span } = view;
  putBack(view, index.exact.keys());
  const user = textIn(rest, 'enduser.id');
  rest.delete('enduser.id');
  const nameOf = takeIndex(rest, index);
  const shown: Shown = { annotations: new Map(), renames: new Map(), plain: new Map(), namespaces: new Map() };
  if (withResource) showResource(shown, span.resource.attributes, nameOf);
  for (const [key, value] of rest) {
    const name = nameOf(key);
    // A list or a map that is to be indexed is lost.
    if (name !== undefined) annotate(shown, { key, name, value });
    else showMetadata(shown, view, [key, value]);
  }
  return {
    user,
    annotations: filled(sortedMap(shown.annotations)),
    metadata: metadataOf(shown),
    renames: shown.renames,
  };
}

/** What the configuration lists becomes an annotation also where a section has taken it; what the span lists does not. */
function putBack({ rest, span }: CollectorView, keys: Iterable<string>): void {
  for (const key of keys) if (!rest.has(key) && span.attributes.has(key)) rest.set(key, span.attributes.get(key));
}

type NameOf = (key: string) => string | undefined;

/** The names of annotations by the key, by the options and by the list that the span brings; undefined for all others. */
function takeIndex(rest: Map<string, AttributeValue>, index: AnnotationIndex): NameOf {
  const value = rest.get(keyListAttribute);
  const listed = new Set<AttributeValue>(isList(value) ? value : []);
  if (isList(value)) rest.delete(keyListAttribute);
  return (key) => indexedName(index, key) ?? (index.isAll || listed.has(key) ? key : undefined);
}

/** What becomes of the attributes, while it is made. */
interface Shown {
  readonly annotations: Map<string, JsonValue>;
  readonly renames: Map<string, string>;
  /** Namespace `default`. */
  readonly plain: Map<string, JsonValue>;
  readonly namespaces: Map<string, JsonObject>;
}

/** A list or a map that is to be indexed stays in the metadata. */
function showResource(shown: Shown, resource: Attributes, nameOf: NameOf): void {
  for (const [name, value] of resource) {
    const key = `${resourcePrefix}${name}`;
    const wanted = nameOf(key);
    const isShown = wanted !== undefined && annotate(shown, { key, name: wanted, value });
    if (!isShown && value !== undefined) shown.plain.set(key, toCollectorJson(value));
  }
}

/** False when the value can be no annotation. Of two keys that come to one name the later wins. */
function annotate(
  { annotations, renames }: Shown,
  { key, name: wanted, value }: { readonly key: string; readonly name: string; readonly value: AttributeValue },
): boolean {
  const shown = annotationValue(value);
  if (shown === undefined) return false;
  const name = wanted.replaceAll(/[^A-Za-z0-9.]/gu, '_');
  annotations.set(name, shown);
  if (name === key) renames.delete(name);
  else renames.set(name, key);
  return true;
}

function annotationValue(value: AttributeValue): JsonValue | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? doubleToJson(value) : undefined;
  return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint'
    ? toJson(value)
    : undefined;
}

function showMetadata(
  { plain, namespaces }: Shown,
  view: CollectorView,
  [key, value]: readonly [string, AttributeValue],
): void {
  const content = namespaceContent(view, key, value);
  const namespace = key.slice(namespacePrefix.length);
  if (!content && value !== undefined) plain.set(key, toCollectorJson(value));
  else if (content && namespace.toLowerCase() !== defaultNamespace) namespaces.set(namespace, content);
  else for (const [member, json] of content ?? []) plain.set(member, json);
}

/** The JSON object whose text an attribute of a namespace holds. */
function namespaceContent({ json }: CollectorView, key: string, value: AttributeValue): JsonObject | undefined {
  // An envelope comes from the writer of the document, never from an attribute.
  const isNamespace = key.startsWith(namespacePrefix) && key !== `${namespacePrefix}${envelopeNamespace}`;
  const content = isNamespace && typeof value === 'string' ? json.parse(value) : undefined;
  return isJsonObject(content) ? content : undefined;
}

function metadataOf({ plain, namespaces }: Shown): JsonObject | undefined {
  return filled(sortedMap(plain.size > 0 ? [...namespaces, [defaultNamespace, sortedMap(plain)]] : namespaces));
}
