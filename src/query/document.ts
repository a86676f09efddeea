import type { JsonValue, SegmentDocument, SegmentNode } from '../model/index.ts';

/**
 * The document of a segment as BatchGetTraces returns it: its subsegments embedded, at the place
 * and in the order in which they came, those sent apart after them. All other members are as sent.
 * Depth is bounded by the assembly of the trace.
 */
export function compileDocument(node: SegmentNode): SegmentDocument {
  if (node.subsegments.length === 0) return node.document;
  return new Map<string, JsonValue>(node.document).set('subsegments', node.subsegments.map(compileDocument));
}
