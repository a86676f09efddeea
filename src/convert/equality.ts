import type {
  AttributeValue,
  Attributes,
  JsonValue,
  Resource,
  Scope,
  Span,
  SpanEvent,
  SpanLink,
} from '../model/index.ts';
import { isJsonArray, isJsonNumber, isJsonObject } from '../model/index.ts';
import { isList } from './values.ts';

/** Equality of what conversions compare: exact in values and types, without order in maps. */

export function sameSpan(a: Span, b: Span): boolean {
  return (
    a.traceId === b.traceId &&
    a.spanId === b.spanId &&
    a.parentSpanId === b.parentSpanId &&
    a.traceState === b.traceState &&
    a.flags === b.flags &&
    a.name === b.name &&
    a.kind === b.kind &&
    a.startTimeNs === b.startTimeNs &&
    a.endTimeNs === b.endTimeNs &&
    a.status.code === b.status.code &&
    a.status.message === b.status.message &&
    a.droppedAttributesCount === b.droppedAttributesCount &&
    a.droppedEventsCount === b.droppedEventsCount &&
    a.droppedLinksCount === b.droppedLinksCount &&
    sameAttributes(a.attributes, b.attributes) &&
    sameEvents(a.events, b.events) &&
    sameLinks(a.links, b.links) &&
    sameResource(a.resource, b.resource) &&
    sameScope(a.scope, b.scope)
  );
}

export function sameEvents(a: readonly SpanEvent[], b: readonly SpanEvent[]): boolean {
  return a.length === b.length && a.every((event, i) => sameEvent(event, b[i]));
}

function sameEvent(a: SpanEvent, b: SpanEvent | undefined): boolean {
  return (
    b !== undefined &&
    a.timeNs === b.timeNs &&
    a.name === b.name &&
    a.droppedAttributesCount === b.droppedAttributesCount &&
    sameAttributes(a.attributes, b.attributes)
  );
}

export function sameLinks(a: readonly SpanLink[], b: readonly SpanLink[]): boolean {
  return a.length === b.length && a.every((link, i) => sameLink(link, b[i]));
}

function sameLink(a: SpanLink, b: SpanLink | undefined): boolean {
  return (
    b !== undefined &&
    a.traceId === b.traceId &&
    a.spanId === b.spanId &&
    a.traceState === b.traceState &&
    a.flags === b.flags &&
    a.droppedAttributesCount === b.droppedAttributesCount &&
    sameAttributes(a.attributes, b.attributes)
  );
}

export function sameResource(a: Resource, b: Resource): boolean {
  if (a === b) return true;
  return (
    a.droppedAttributesCount === b.droppedAttributesCount &&
    a.schemaUrl === b.schemaUrl &&
    sameEntityRefs(a, b) &&
    sameAttributes(a.attributes, b.attributes)
  );
}

export function sameEntityRefs(a: Resource, b: Resource): boolean {
  return (
    a.entityRefs.length === b.entityRefs.length &&
    a.entityRefs.every((ref, i) => {
      const other = b.entityRefs[i];
      return (
        other !== undefined &&
        ref.schemaUrl === other.schemaUrl &&
        ref.type === other.type &&
        sameValue(ref.idKeys, other.idKeys) &&
        sameValue(ref.descriptionKeys, other.descriptionKeys)
      );
    })
  );
}

export function sameScope(a: Scope, b: Scope): boolean {
  if (a === b) return true;
  return (
    a.name === b.name &&
    a.version === b.version &&
    a.schemaUrl === b.schemaUrl &&
    a.droppedAttributesCount === b.droppedAttributesCount &&
    sameAttributes(a.attributes, b.attributes)
  );
}

/** Equality of values and types: 1n is not 1, 0 is not -0, NaN is NaN; maps compare without order. */
export function sameValue(a: AttributeValue, b: AttributeValue): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  if (a instanceof Uint8Array || b instanceof Uint8Array) return sameBytes(a, b);
  if (isList(a) || isList(b)) return sameList(a, b);
  return sameAttributes(a, b);
}

export function sameAttributes(a: Attributes, b: Attributes): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (!b.has(key) || !sameValue(value, b.get(key))) return false;
  return true;
}

function sameBytes(a: AttributeValue, b: AttributeValue): boolean {
  if (!(a instanceof Uint8Array && b instanceof Uint8Array) || a.length !== b.length) return false;
  return a.every((byte, i) => byte === b[i]);
}

function sameList(a: AttributeValue, b: AttributeValue): boolean {
  return isList(a) && isList(b) && a.length === b.length && a.every((value, i) => sameValue(value, b[i]));
}

/** Equality of JSON values with the text of numbers; members compare without order. */
export function sameJson(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (isJsonNumber(a)) return isJsonNumber(b) && a.literal === b.literal;
  if (isJsonArray(a)) return isJsonArray(b) && a.length === b.length && a.every((value, i) => sameJson(value, b[i]));
  if (!isJsonObject(a) || !isJsonObject(b) || a.size !== b.size) return false;
  for (const [key, value] of a) if (!b.has(key) || !sameJson(value, b.get(key))) return false;
  return true;
}
