/**
 * Bytes to bytes between OTLP and X-Ray: the same results as the codecs and the conversion give one
 * after the other, for batches in the usual form many times faster.
 */
export { segmentsToOtlp } from './to-otlp/index.ts';
export { createSegmentTranscoder, type SegmentDocuments } from './to-segments/index.ts';
