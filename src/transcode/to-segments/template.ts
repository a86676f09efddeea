import { jsonText } from '../../codec/index.ts';
import { type SegmentOptions, toSegments } from '../../convert/index.ts';
import { emptyResource, emptyScope, isJsonObject, type JsonObject, type Span, SpanKind } from '../../model/index.ts';

/** Spans that show one thing and nothing else, to ask the path over spans what becomes of it. */

export function templateSpan(parts: Partial<Span>): Span {
  return {
    traceId: '1'.repeat(32),
    spanId: '2'.repeat(16),
    parentSpanId: undefined,
    traceState: '',
    // Not zero: a span without any mark of OpenTelemetry could be one of X-Ray's.
    flags: 1,
    name: 'template',
    kind: SpanKind.server,
    startTimeNs: 1_000_000_000n,
    endTimeNs: 2_000_000_000n,
    attributes: new Map(),
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    status: { code: 0, message: '' },
    resource: emptyResource,
    scope: emptyScope,
    ...parts,
  };
}

/** Its document, with the whole envelope. */
export function documentOf(span: Span, options: Partial<SegmentOptions> = {}): JsonObject {
  return (
    toSegments([span], {
      ...options,
      json: jsonText,
      envelope: 'full',
      // The parts of a document are asked for; whether the whole of one fits is decided about the whole.
      documentBytesMax: Number.POSITIVE_INFINITY,
    })[0] ?? new Map()
  );
}

/** A member that is an object; the empty one for any other. */
export function objectAt(object: JsonObject, name: string): JsonObject {
  const value = object.get(name);
  return isJsonObject(value) ? value : new Map();
}
