export { decodeBase64, encodeBase64 } from './base64.ts';
export { jsonDepthMax, jsonText, jsonValuesMax, parseJson, printJson } from './json.ts';
export {
  decodeAttributeJson,
  decodeAttributesJson,
  decodeTracesJson,
  decodeTracesResponseJson,
  encodeAttributeJson,
  encodeAttributesJson,
  encodeTracesJson,
  encodeTracesResponseJson,
  inspectTracesJson,
  parseAttributes,
  printAttributes,
} from './otlp-json.ts';
export type { IndexedMessage, IndexedScope, Range, TracesIndex } from './otlp-index.ts';
export { decodeIndexedResource, decodeIndexedScope, decodeIndexedSpan, indexTraces } from './otlp-index.ts';
export { decodeTraces, decodeTracesResponse, encodeTraces, encodeTracesResponse, inspectTraces } from './otlp-proto.ts';
export { attributeDepthMax, itemsMax } from './otlp.ts';
export type { TracesInspection, TracesResponse } from './otlp.ts';
export type { RpcStatus } from './rpc-status.ts';
export { decodeRpcStatus, encodeRpcStatus, encodeRpcStatusJson } from './rpc-status.ts';
export type { SegmentErrorCode, SegmentInspection, SegmentRules } from './segment.ts';
export { decodeSegments, inspectSegment, joinSegments, printSegment, splitSegments } from './segment.ts';
export type { Datagram } from './udp.ts';
export { decodeDatagram, encodeDatagram, headerBytesMax } from './udp.ts';
