import type { AttributeValue, Attributes, JsonObject, JsonValue } from '../model/index.ts';
import { isJsonObject } from '../model/index.ts';
import { resourcePrefix } from './annotations.ts';
import { sameValue } from './equality.ts';
import { successors } from './generations.ts';
import type { DocumentView, SpanView } from './section.ts';
import { placeAt, pointerTo, rootPlace } from './section.ts';
import { fromJsonWithin, toJson } from './values.ts';

/**
 * `metadata` (AWS X-Ray developer guide, "metadata"). Namespaces are attributes
 * `aws.xray.metadata.<namespace>` of JSON text, as the Collector's receiver makes them; namespace
 * `default` of our own documents holds the attributes that the document shows nowhere else.
 */

export const namespacePrefix = 'aws.xray.metadata.';
export const defaultNamespace = 'default';
/** Where the envelope stands. */
export const envelopeNamespace = 'raybridge';

/** True for the key of an attribute that stands for a namespace. */
export function isNamespace(key: string): boolean {
  return key.startsWith(namespacePrefix);
}

/** The namespaces that attributes hold as JSON text. Text that is no JSON stays an attribute like any other. */
export function writeNamespaces(view: SpanView): ReadonlyMap<string, JsonValue> {
  const metadata = new Map<string, JsonValue>();
  for (const [key, value] of view.attributes) {
    if (typeof value !== 'string' || !isNamespace(key)) continue;
    const namespace = key.slice(namespacePrefix.length);
    // An envelope comes from the writer of the document, never from an attribute.
    const content = namespace === envelopeNamespace ? undefined : view.json.parse(value);
    // Namespace `default` takes the rest of the attributes too, so it must be an object.
    if (content === undefined || (namespace === defaultNamespace && !isJsonObject(content))) continue;
    metadata.set(namespace, content);
    view.shown.add(key);
  }
  return metadata;
}

/** What the document shows so far of a span: the attributes that reading it would restore. */
interface Restored {
  readonly attributes: Attributes;
  readonly resource: Attributes;
}

/**
 * Everything that the document does not show yet, for namespace `default`: attributes, and on
 * segments those of the resource as `otel.resource.<key>`. Empty values are left out.
 */
export function writeRest(view: SpanView, restored: Restored): ReadonlyMap<string, JsonValue> {
  const rest = new Map<string, JsonValue>();
  for (const [key, value] of view.attributes)
    if (value !== undefined && !view.shown.has(key) && !isRestored(restored.attributes, key, value))
      rest.set(key, toJson(value));
  if (view.form !== 'segment') return rest;
  for (const [key, value] of view.span.resource.attributes)
    if (value !== undefined && !isRestored(restored.resource, key, value))
      rest.set(`${resourcePrefix}${key}`, toJson(value));
  return rest;
}

/** A key of the older conventions is restored under its successor; the envelope says that it was the older one. */
function isRestored(restored: Attributes, key: string, value: AttributeValue): boolean {
  const name = restored.has(key) ? key : (successors.get(key) ?? key);
  return restored.has(name) && sameValue(restored.get(name), value);
}

/** Namespaces and rest as one member; the rest goes into a namespace `default` that is there already. */
export function joinMetadata(
  namespaces: ReadonlyMap<string, JsonValue>,
  rest: ReadonlyMap<string, JsonValue>,
): JsonObject | undefined {
  const metadata = new Map(namespaces);
  if (rest.size > 0) {
    const known = namespaces.get(defaultNamespace);
    metadata.set(defaultNamespace, isJsonObject(known) ? new Map([...known, ...rest]) : rest);
  }
  return metadata.size === 0 ? undefined : metadata;
}

/** Namespaces as attributes of JSON text; of our own documents all but `default` and the envelope. */
export function readNamespaces(view: DocumentView): void {
  const metadata = placeAt(view, rootPlace(view), 'metadata');
  if (!metadata) return;
  for (const [namespace, content] of metadata.object) {
    if (view.ours && namespace === defaultNamespace && isJsonObject(content)) continue;
    if (view.ours && namespace === envelopeNamespace) continue;
    view.attributes.set(`${namespacePrefix}${namespace}`, view.json.print(content));
  }
}

const restPlace = { pointer: `/metadata/${defaultNamespace}` } as const;

/** Takes namespace `default` of our own documents apart. What another section has restored stays. */
export function readRest(view: DocumentView): void {
  const metadata = view.document.get('metadata');
  const rest = isJsonObject(metadata) ? metadata.get(defaultNamespace) : undefined;
  if (!view.ours || !isJsonObject(rest)) return;
  for (const [key, json] of rest) {
    const isOfResource = view.form === 'segment' && key.startsWith(resourcePrefix);
    const target = isOfResource ? view.resource : view.attributes;
    const name = isOfResource ? key.slice(resourcePrefix.length) : key;
    if (target.has(name)) continue;
    const value = fromJsonWithin(json, (reason) => view.report(pointerTo(restPlace, key), reason));
    if (value !== undefined || json === null) target.set(name, value);
  }
}
