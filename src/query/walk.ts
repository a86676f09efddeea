import type { SegmentNode } from '../model/index.ts';

/** These nodes and everything embedded in them, each before its subsegments, in document order. */
export function* eachNode(nodes: readonly SegmentNode[]): Generator<SegmentNode> {
  const waiting = nodes.toReversed();
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    yield node;
    for (let index = node.subsegments.length - 1; index >= 0; index -= 1) {
      const subsegment = node.subsegments[index];
      if (subsegment) waiting.push(subsegment);
    }
  }
}
