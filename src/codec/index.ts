export { jsonDepthMax, jsonText, jsonValuesMax, parseJson, printJson } from './json.ts';
export { decodeTracesJson, encodeTracesJson, inspectTracesJson } from './otlp-json.ts';
export { decodeTraces, encodeTraces, inspectTraces } from './otlp-proto.ts';
export { itemsMax } from './otlp.ts';
export type { TracesInspection } from './otlp.ts';
export { decodeSegments, printSegment } from './segment.ts';
