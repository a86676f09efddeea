import type { JsonObject } from './json.ts';

/**
 * One X-Ray segment or subsegment document (AWS X-Ray developer guide, "segment documents"), as
 * JSON, whole: unknown members and the text of numbers stay. `codec/segment.ts` reads and prints
 * it; `convert` makes it from spans and spans from it; `query` assembles traces of it.
 */
export type SegmentDocument = JsonObject;

/** AWS X-Ray quotas: documents per PutTraceSegments call, bytes per document. */
export const documentsPerCallMax = 50;
export const documentBytesMax = 64 * 1024;
