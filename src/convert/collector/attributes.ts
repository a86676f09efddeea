import type { AttributeValue, JsonObject, JsonValue } from '../../model/index.ts';
import { isJsonObject } from '../../model/index.ts';
import type { AnnotationOptions } from '../annotations.ts';
import { keyListAttribute, resourcePrefix } from '../annotations.ts';
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
  { indexAll = false, indexed = [], withResource }: AnnotationOptions & { readonly withResource: boolean },
): WrittenAttributes {
  const { rest, span } = view;
  // What the configuration lists is put back when a section has taken it; what the span lists is not.
  for (const key of indexed) if (!rest.has(key) && span.attributes.has(key)) rest.set(key, span.attributes.get(key));
  const user = textIn(rest, 'enduser.id');
  rest.delete('enduser.id');
  const listed = rest.get(keyListAttribute);
  if (isList(listed)) rest.delete(keyListAttribute);
  const keys = new Set<AttributeValue>([...indexed, ...(isList(listed) ? listed : [])]);
  const isIndexed = (key: string): boolean => indexAll || keys.has(key);

  const annotations = new Map<string, JsonValue>();
  const renames = new Map<string, string>();
  const annotate = (key: string, value: JsonValue): void => {
    const name = key.replaceAll(/[^A-Za-z0-9.]/gu, '_');
    annotations.set(name, value);
    if (name === key) renames.delete(name);
    else renames.set(name, key);
  };

  const plain = new Map<string, JsonValue>();
  const namespaces = new Map<string, JsonObject>();
  for (const [name, value] of withResource ? span.resource.attributes : []) {
    const key = `${resourcePrefix}${name}`;
    const shown = isIndexed(key) ? annotationValue(value) : undefined;
    if (shown !== undefined) annotate(key, shown);
    else if (value !== undefined) plain.set(key, toCollectorJson(value));
  }
  for (const [key, value] of rest) {
    const shown = isIndexed(key) ? annotationValue(value) : undefined;
    const namespace = isIndexed(key) ? undefined : namespaceOf(view, key, value);
    if (shown !== undefined) annotate(key, shown);
    // A list or a map that is to be indexed is lost, unlike one of the resource.
    else if (isIndexed(key) || value === undefined) continue;
    else if (!namespace) plain.set(key, toCollectorJson(value));
    else if (namespace.name.toLowerCase() !== defaultNamespace) namespaces.set(namespace.name, namespace.content);
    else for (const [member, json] of namespace.content) plain.set(member, json);
  }
  if (plain.size > 0) namespaces.set(defaultNamespace, sortedMap(plain));
  return { user, annotations: filled(sortedMap(annotations)), metadata: filled(sortedMap(namespaces)), renames };
}

function annotationValue(value: AttributeValue): JsonValue | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? doubleToJson(value) : undefined;
  return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint'
    ? toJson(value)
    : undefined;
}

/** The namespace that an attribute holds as the text of a JSON object. */
function namespaceOf(
  { json }: CollectorView,
  key: string,
  value: AttributeValue,
): { readonly name: string; readonly content: JsonObject } | undefined {
  if (typeof value !== 'string' || !key.startsWith(namespacePrefix)) return undefined;
  const name = key.slice(namespacePrefix.length);
  // An envelope comes from the writer of the document, never from an attribute.
  const content = name === envelopeNamespace ? undefined : json.parse(value);
  return isJsonObject(content) ? { name, content } : undefined;
}
