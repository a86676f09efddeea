import type { Attributes, Resource, Scope, Span, SpanEvent, SpanLink } from '../model/index.ts';

/** What the protobuf and the JSON form of OTLP traces have in common. */

/** What `inspectTraces` and `inspectTracesJson` find in a request that can be decoded. */
export interface TracesInspection {
  /** All spans of the request, the rejected ones among them. */
  readonly spans: number;
  /** Spans whose trace id or span id is missing, of a wrong length, not hex, or zero. Decoding leaves them out. */
  readonly rejected: number;
  /** Why, of the first rejected span; undefined when none is. */
  readonly reason: string | undefined;
  /**
   * Links with such ids. Decoding leaves them out, and adds them to their span's
   * `droppedLinksCount`, the protocol's own place for it.
   */
  readonly droppedLinks: number;
}

/** The content of an ExportTraceServiceResponse. Nothing rejected and no message is the plain success. */
export interface TracesResponse {
  readonly rejected: number;
  /** In English; empty when there is nothing to say. */
  readonly message: string;
}

/**
 * Spans, events, links, attributes and list elements in one request. A request of 64 MiB has about
 * 1.5 million with ordinary spans. Without a bound, two bytes on the wire could cost hundreds in
 * memory once decoded, and a request that fits the size limit could take the process down.
 */
export const itemsMax = 4_000_000;

/** Most events, links and half of all spans have nothing to list: they share these. */
export const noAttributes: Attributes = new Map();
export const noEvents: readonly SpanEvent[] = [];
export const noLinks: readonly SpanLink[] = [];

const uint32Max = 0xffff_ffff;

/** A count of dropped things with more of them, kept inside uint32. */
export function addDropped(count: number, more: number): number {
  return Math.min(count + more, uint32Max);
}

export interface ScopeGroup {
  readonly scope: Scope;
  readonly spans: Span[];
}

export interface ResourceGroup {
  readonly resource: Resource;
  readonly scopes: readonly ScopeGroup[];
}

/**
 * Spans by resource and scope, both compared by identity, in order of first appearance. Spans that
 * stand together already, as decoded ones do, keep their order.
 */
export function groupSpans(spans: readonly Span[]): readonly ResourceGroup[] {
  const groups = new Map<Resource, Map<Scope, ScopeGroup>>();
  let last: Span | undefined;
  let current: Span[] = [];
  for (const span of spans) {
    if (span.resource !== last?.resource || span.scope !== last.scope) current = groupOf(groups, span);
    current.push(span);
    last = span;
  }
  return Array.from(groups, ([resource, scopes]) => ({ resource, scopes: [...scopes.values()] }));
}

function groupOf(groups: Map<Resource, Map<Scope, ScopeGroup>>, span: Span): Span[] {
  const scopes = groups.get(span.resource) ?? new Map<Scope, ScopeGroup>();
  groups.set(span.resource, scopes);
  const group = scopes.get(span.scope) ?? { scope: span.scope, spans: [] };
  scopes.set(span.scope, group);
  return group.spans;
}
