import type { Attributes, AttributeValue, EntityRef, JsonValue, Resource, Span } from '../model/index.ts';
import type { SpanIdentity } from './identity.ts';
import { fingerprint } from './ids.ts';
import type { JsonText } from './section.ts';
import { isList, toAnyValue } from './values.ts';

/**
 * Resources that one document carries for others. The documents of a service differ little in their
 * resource and much in everything else, so a segment carries it whole, and the subsegments of its
 * trace carry a hash of it.
 */

/** What the documents written so far carry. */
export interface CarriedResources {
  /** A document that carries the resource of the span whole is among those that will be read. */
  add(span: Span): void;
  /** The hash that stands for the span's resource; undefined when no document of its trace carries that. */
  hashFor(span: Span): string | undefined;
}

export function carriedResources(json: JsonText): CarriedResources {
  const hashes = new Map<Resource, string>();
  const carried = new Set<string>();
  const hashOf = (resource: Resource): string => {
    const known = hashes.get(resource) ?? resourceHash(resource, json);
    hashes.set(resource, known);
    return known;
  };
  return {
    add: ({ traceId, resource }) => void carried.add(traceId + hashOf(resource)),
    hashFor({ traceId, resource }) {
      const hash = hashOf(resource);
      return carried.has(traceId + hash) ? hash : undefined;
    },
  };
}

/** Who a document is whose resource is elsewhere, and the hash of that. */
interface NamingDocument extends SpanIdentity {
  readonly resourceHash: string;
}

export interface FoundResource {
  /** Undefined when nothing leads to one; then what the document shows must do. */
  readonly resource: Resource | undefined;
  /** False when it is only that of an ancestor, or none. */
  readonly isExact: boolean;
}

/**
 * The resources that documents name, looked up among the spans of the other documents: the one with
 * the hash, of the same trace before any other, else that of the nearest ancestor.
 */
export function findNamed(
  named: readonly NamingDocument[],
  { spans, json }: { readonly spans: readonly Span[]; readonly json: JsonText },
): readonly FoundResource[] {
  if (named.length === 0) return [];
  const byHash = indexByHash(spans, json);
  const parents = new Map<string, SpanIdentity | Span>();
  for (const identity of [...named, ...spans]) parents.set(identity.traceId + identity.spanId, identity);
  return named.map((identity) => {
    const resource = byHash.get(identity.traceId + identity.resourceHash) ?? byHash.get(identity.resourceHash);
    return resource ? { resource, isExact: true } : { resource: ancestorResource(identity, parents), isExact: false };
  });
}

/** By trace id and hash, and by the hash alone. */
function indexByHash(spans: readonly Span[], json: JsonText): ReadonlyMap<string, Resource> {
  const hashes = new Map<Resource, string>();
  const found = new Map<string, Resource>();
  for (const { traceId, resource } of spans) {
    const hash = hashes.get(resource) ?? resourceHash(resource, json);
    hashes.set(resource, hash);
    found.set(traceId + hash, resource);
    if (!found.has(hash)) found.set(hash, resource);
  }
  return found;
}

/** Ancestors looked at: as many as subsegments may have, and a bound for parents in a circle. */
const ancestorsMax = 100;

function ancestorResource(
  { traceId, parentSpanId }: SpanIdentity,
  parents: ReadonlyMap<string, SpanIdentity | Span>,
): Resource | undefined {
  let parentId = parentSpanId;
  for (let i = 0; i < ancestorsMax && parentId !== undefined; i++) {
    const parent = parents.get(traceId + parentId);
    if (parent && 'resource' in parent) return parent.resource;
    parentId = parent?.parentSpanId;
  }
  return undefined;
}

/** 16 hex digits, the same for equal resources: attributes are a set, at any depth. */
export function resourceHash(resource: Resource, json: JsonText): string {
  return fingerprint(
    json.print([
      toAnyValue(inOrder(resource.attributes)),
      { literal: String(resource.droppedAttributesCount) },
      resource.schemaUrl,
      resource.entityRefs.map(entityRefToJson),
    ]),
  );
}

function entityRefToJson({ schemaUrl, type, idKeys, descriptionKeys }: EntityRef): JsonValue {
  return [schemaUrl, type, idKeys, descriptionKeys];
}

function inOrder(attributes: Attributes): Attributes {
  const sorted = [...attributes].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(sorted.map(([key, value]) => [key, valueInOrder(value)]));
}

function valueInOrder(value: AttributeValue): AttributeValue {
  if (typeof value !== 'object' || value instanceof Uint8Array) return value;
  return isList(value) ? value.map(valueInOrder) : inOrder(value);
}
