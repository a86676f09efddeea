import type { TraceNode, TraceTree } from './tree.ts';

/** A box of the flame graph; shares of the trace's time. */
export interface FlameBox {
  readonly node: TraceNode;
  /** 0 for a root. */
  readonly depth: number;
  readonly from: number;
  readonly to: number;
}

/** Narrower boxes cannot be seen, and there may be very many of them. */
export const boxShareMin = 0.001;

/**
 * Callers above what they call, as wide as it took; `within` fills the width. Calls that ran at the same
 * time lie in rows of their own, so that none hides another.
 */
export function toFlame(
  tree: TraceTree,
  { now, within }: { readonly now: number; readonly within?: TraceNode | undefined },
): {
  readonly boxes: readonly FlameBox[];
  readonly rows: number;
} {
  const start = within?.start ?? tree.start;
  const whole = Math.max(1e-9, (within ? (within.end ?? now) : Math.max(tree.end, now)) - start);
  const boxes: FlameBox[] = [];
  /** Where each row is free again. */
  const free: number[] = [];
  const waiting = (within ? [within] : tree.roots).map((node) => ({ node, row: 0 })).toReversed();
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { node } = next;
    const from = (node.start - start) / whole;
    const to = ((node.end ?? now) - start) / whole;
    if (node.inferred || to <= 0 || from >= 1 || to - from < boxShareMin) continue;
    let { row } = next;
    while ((free[row] ?? 0) > from + 1e-9) row += 1;
    free[row] = to;
    boxes.push({ node, depth: row, from: Math.max(0, from), to: Math.min(1, to) });
    for (const child of node.children.toReversed()) waiting.push({ node: child, row: row + 1 });
  }
  return { boxes, rows: free.length };
}
