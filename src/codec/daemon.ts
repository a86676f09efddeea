/**
 * What a program needs that takes in documents as the X-Ray daemon does: datagrams, and X-Ray's own
 * words for what is wrong with a document. Apart from the codec, because browsers have no datagrams.
 */
export type { SegmentErrorCode, SegmentInspection, SegmentRules } from './segment.ts';
export { inspectSegment } from './segment.ts';
export type { Datagram } from './udp.ts';
export { decodeDatagram, encodeDatagram, headerBytesMax } from './udp.ts';
