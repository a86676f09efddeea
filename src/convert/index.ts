/**
 * Spans ↔ X-Ray segment documents, lossless both ways. Pure: no clock, no randomness, no I/O.
 */
export type { AnnotationOptions, IndexEntry } from './annotations.ts';
export type { ReadSpans, SpanOptions, WrittenSegments } from './conversion.ts';
export { toSegments, toSpans, writeSegments } from './conversion.ts';
export type { EnvelopeLevel } from './envelope.ts';
export type { SegmentOptions } from './families.ts';
export type { Semconv } from './generations.ts';
export type { SegmentPolicy } from './identity.ts';
export type { JsonText } from './section.ts';
export type { ServiceNames } from './service-names.ts';
export { createServiceNames } from './service-names.ts';
export type { NameStyle } from './style.ts';
export type { ConversionProblem } from './tops.ts';
