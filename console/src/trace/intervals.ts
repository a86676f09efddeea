import type { TraceNode, TraceTree } from './tree.ts';

/** Epoch seconds. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

/**
 * The parts of a node's time in which none of its children ran: its own work, or its own waiting.
 * An inferred segment is the call itself seen from the other side, and so no child in this sense.
 */
export function ownTime(node: TraceNode, now: number): readonly Interval[] {
  const end = node.end ?? Math.max(now, node.start);
  const own: Interval[] = [];
  let reached = node.start;
  for (const child of node.children) {
    if (child.inferred) continue;
    if (child.start > reached) own.push({ from: reached, to: Math.min(child.start, end) });
    reached = Math.max(reached, child.end ?? now);
    if (reached >= end) return own;
  }
  return [...own, { from: reached, to: end }];
}

export function totalOf(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, { from, to }) => sum + (to - from), 0);
}

/**
 * The critical path: the work that the end of the trace waited for. It is walked from the end
 * backwards; at each moment the child that finished last is what its parent waited for, and the
 * time between children is the parent's own. Work that outlives its parent counts up to the
 * moment at which the walk arrives. Keys are indexes of nodes.
 */
export function criticalPath(tree: TraceTree): ReadonlyMap<number, readonly Interval[]> {
  const path = new Map<number, Interval[]>();
  const last = tree.roots.toSorted((a, b) => (b.end ?? b.start) - (a.end ?? a.start))[0];
  const waiting = last ? [{ node: last, until: tree.end }] : [];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, until } = next;
    const own: Interval[] = [];
    let reached = Math.min(node.end ?? until, until);
    for (const child of node.children
      .filter(({ inferred }) => !inferred)
      .toSorted((a, b) => (b.end ?? b.start) - (a.end ?? a.start))) {
      const childEnd = Math.min(child.end ?? child.start, reached);
      if (child.start >= reached || childEnd <= node.start) continue;
      if (childEnd < reached) own.push({ from: childEnd, to: reached });
      waiting.push({ node: child, until: childEnd });
      reached = Math.max(node.start, child.start);
    }
    if (reached > node.start) own.push({ from: node.start, to: reached });
    path.set(node.index, own);
  }
  return path;
}
