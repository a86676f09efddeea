import { printJson } from '../../codec/index.ts';
import { attributesToJson } from '../../convert/values.ts';
import type { Attributes, JsonObject, JsonValue, Span, SpanEvent, SpanLink } from '../../model/index.ts';
import { SpanKind, StatusCode } from '../../model/index.ts';

/**
 * A span as a line of JSON for eyes and `jq`: names instead of numbers, plain attributes, times in
 * ISO 8601 and as nanoseconds in text. What is empty is left out. Nobody reads it back: bytes are
 * base64, and NaN is text.
 */
export function printReadable(span: Span): string {
  const ended = span.endTimeNs !== 0n;
  return printJson(
    objectOf({
      traceId: span.traceId,
      spanId: span.spanId,
      parentSpanId: span.parentSpanId,
      name: span.name,
      kind: nameOf(SpanKind, span.kind),
      start: isoTime(span.startTimeNs),
      end: ended ? isoTime(span.endTimeNs) : undefined,
      startNs: span.startTimeNs.toString(),
      endNs: ended ? span.endTimeNs.toString() : undefined,
      durationMs: ended ? milliseconds(span.endTimeNs - span.startTimeNs) : undefined,
      inProgress: ended ? undefined : true,
      status: nameOf(StatusCode, span.status.code),
      statusMessage: span.status.message,
      attributes: attributesOf(span.attributes),
      events: listOf(span.events, readableEvent),
      links: listOf(span.links, readableLink),
      service: serviceOf(span.resource.attributes),
      resource: attributesOf(span.resource.attributes),
      scope: span.scope.name,
      scopeVersion: span.scope.version,
      scopeAttributes: attributesOf(span.scope.attributes),
      traceState: span.traceState,
      flags: countOf(span.flags),
      droppedAttributes: countOf(span.droppedAttributesCount),
      droppedEvents: countOf(span.droppedEventsCount),
      droppedLinks: countOf(span.droppedLinksCount),
    }),
  );
}

function readableEvent(event: SpanEvent): JsonObject {
  return objectOf({
    name: event.name,
    time: isoTime(event.timeNs),
    timeNs: event.timeNs.toString(),
    attributes: attributesOf(event.attributes),
    droppedAttributes: countOf(event.droppedAttributesCount),
  });
}

function readableLink(link: SpanLink): JsonObject {
  return objectOf({
    traceId: link.traceId,
    spanId: link.spanId,
    traceState: link.traceState,
    flags: countOf(link.flags),
    attributes: attributesOf(link.attributes),
    droppedAttributes: countOf(link.droppedAttributesCount),
  });
}

/** 2023-11-20T15:20:44.983389600Z */
function isoTime(timeNs: bigint): string {
  const seconds = new Date(Number(timeNs / 1_000_000_000n) * 1000).toISOString().slice(0, -'.000Z'.length);
  return `${seconds}.${(timeNs % 1_000_000_000n).toString().padStart(9, '0')}Z`;
}

/** A whole number of nanoseconds as decimal milliseconds, exact: 1234500n is 1.2345. */
function milliseconds(durationNs: bigint): JsonValue {
  const [sign, magnitude] = durationNs < 0n ? ['-', -durationNs] : ['', durationNs];
  const fraction = (magnitude % 1_000_000n).toString().padStart(6, '0').replace(/0+$/, '');
  return { literal: `${sign}${magnitude / 1_000_000n}${fraction === '' ? '' : `.${fraction}`}` };
}

/** A code of a later version of the protocol stays a number. */
function nameOf(codes: Readonly<Record<string, number>>, code: number): JsonValue {
  const found = Object.entries(codes).find(([, value]) => value === code);
  return found?.[0] ?? { literal: String(code) };
}

function serviceOf(resource: Attributes): string | undefined {
  const name = resource.get('service.name');
  return typeof name === 'string' ? name : undefined;
}

function attributesOf(attributes: Attributes): JsonObject | undefined {
  return attributes.size === 0 ? undefined : attributesToJson(attributes);
}

function listOf<Item>(items: readonly Item[], toJson: (item: Item) => JsonValue): JsonValue | undefined {
  return items.length === 0 ? undefined : items.map(toJson);
}

function countOf(count: number): JsonValue | undefined {
  return count === 0 ? undefined : { literal: String(count) };
}

function objectOf(members: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  const object = new Map<string, JsonValue>();
  for (const [name, value] of Object.entries(members)) if (value !== undefined && value !== '') object.set(name, value);
  return object;
}
