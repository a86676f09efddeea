import { jsonText } from '../codec/index.ts';
import { type EnvelopeLevel, toSegments } from '../convert/index.ts';
import type { Span, Trace, TraceDigest } from '../model/index.ts';
import { assembleTrace, digestTrace } from '../query/index.ts';

/** The trace that X-Ray would compile from the segment documents of these spans. */
export function assembleSpans(traceId: string, spans: readonly Span[], envelope: EnvelopeLevel): Trace {
  // Nothing here is sent to where 64 kB is the most.
  const documentBytesMax = Number.POSITIVE_INFINITY;
  return assembleTrace(traceId, toSegments(spans, { json: jsonText, envelope, documentBytesMax }));
}

/** What of the trace of these spans is searched and counted. What a document cannot show plays no part in it. */
export function digestSpans(traceId: string, spans: readonly Span[]): TraceDigest {
  return digestTrace(assembleSpans(traceId, spans, 'off'), spans);
}
