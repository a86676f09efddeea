import { jsonText } from '../codec/index.ts';
import { toSegments } from '../convert/index.ts';
import type { Span, Trace, TraceDigest } from '../model/index.ts';
import { assembleTrace, digestTrace } from '../query/index.ts';

/** The trace that X-Ray would compile from the segment documents of these spans. */
export function assembleSpans(traceId: string, spans: readonly Span[]): Trace {
  return assembleTrace(traceId, toSegments(inOrder(spans), { ...plan, envelope: 'full' }));
}

/** The same for who looks into all but the metadata of its documents, in a third of the time. */
export function sketchSpans(traceId: string, spans: readonly Span[]): Trace {
  return assembleTrace(traceId, toSegments(inOrder(spans), { ...plan, envelope: 'off', omitsRest: true }));
}

/** What of the trace of these spans is searched and counted. What a document cannot show plays no part in it. */
export function digestSpans(traceId: string, spans: readonly Span[]): TraceDigest {
  return digestTrace(sketchSpans(traceId, spans), inOrder(spans));
}

/** A store gives them in no order; what is made of them must not change with it, where several begin at once. */
export function inOrder(spans: readonly Span[]): readonly Span[] {
  return [...spans].sort((one, other) => {
    if (one.startTimeNs !== other.startTimeNs) return one.startTimeNs < other.startTimeNs ? -1 : 1;
    if (one.spanId === other.spanId) return 0;
    return one.spanId < other.spanId ? -1 : 1;
  });
}

const plan = {
  json: jsonText,
  // X-Ray joins a consumer to its producer by such links alone.
  marksParentLinks: true,
  // Nothing here is sent to where 64 kB is the most.
  documentBytesMax: Number.POSITIVE_INFINITY,
} as const;
