/**
 * Spans ↔ X-Ray segment documents, lossless both ways. Pure: no clock, no randomness, no I/O.
 */
export type { AnnotationOptions } from './annotations.ts';
export type { ConversionProblem, ReadSpans, WrittenSegments } from './conversion.ts';
export { toSegments, toSpans, writeSegments } from './conversion.ts';
export type { EnvelopeLevel } from './envelope.ts';
export type { SegmentOptions } from './families.ts';
export type { SegmentPolicy } from './identity.ts';
export type { JsonText } from './section.ts';
export { jsonTextDepthMax } from './section.ts';
