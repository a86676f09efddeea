import type { SegmentNode } from '../model/index.ts';

/** These nodes and everything embedded in them, each before its subsegments, in document order. */
export function eachNode(nodes: readonly SegmentNode[]): readonly SegmentNode[] {
  if (nodes.every(({ subsegments }) => subsegments.length === 0)) return nodes;
  const all: SegmentNode[] = [];
  const waiting = nodes.toReversed();
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    all.push(node);
    for (let index = node.subsegments.length - 1; index >= 0; index -= 1) {
      const subsegment = node.subsegments[index];
      if (subsegment) waiting.push(subsegment);
    }
  }
  return all;
}
