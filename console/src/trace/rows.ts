import { spellDuration } from '../format/duration.ts';
import { outcomes } from '../outcome/outcome.ts';
import { hasCause } from './exceptions.ts';
import type { TraceNode, TraceTree } from './tree.ts';

/** A line of the waterfall with what a treegrid must tell about it (WAI-ARIA 1.2, treegrid). */
export interface WaterfallRow {
  readonly node: TraceNode;
  /** 1 for a root. */
  readonly level: number;
  /** From 1, among the children of its parent. */
  readonly position: number;
  readonly siblings: number;
  readonly childCount: number;
  readonly expanded: boolean;
}

export interface RowChoice {
  /** Indexes of nodes whose children are hidden. */
  readonly collapsed: ReadonlySet<number>;
  /** Without the rows that X-Ray infers for callees that never reported. */
  readonly hideInferred: boolean;
}

/** The visible lines, from top to bottom. */
export function toRows(tree: TraceTree, choice: RowChoice): readonly WaterfallRow[] {
  const rows: WaterfallRow[] = [];
  const shownOf = (nodes: readonly TraceNode[]) =>
    choice.hideInferred ? nodes.filter((node) => !node.inferred || node.children.length > 0) : nodes;
  const waiting: { node: TraceNode; level: number; position: number; siblings: number }[] = [];
  const wait = (nodes: readonly TraceNode[], level: number) => {
    for (let at = nodes.length - 1; at >= 0; at -= 1) {
      const node = nodes[at];
      if (node) waiting.push({ node, level, position: at + 1, siblings: nodes.length });
    }
  };
  wait(shownOf(tree.roots), 1);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const children = shownOf(next.node.children);
    const expanded = children.length > 0 && !choice.collapsed.has(next.node.index);
    rows.push({ ...next, childCount: children.length, expanded });
    if (expanded) wait(children, next.level + 1);
  }
  return rows;
}

/** Every node that has children: what "collapse all" collapses. */
export function collapsible(tree: TraceTree): ReadonlySet<number> {
  return new Set(tree.nodes.filter(({ children }) => children.length > 0).map(({ index }) => index));
}

/** The collapsed nodes without those that hide `node`. */
export function reveal(collapsed: ReadonlySet<number>, node: TraceNode): ReadonlySet<number> {
  const shown = new Set(collapsed);
  for (let at = node.parent; at !== undefined; at = at.parent) shown.delete(at.index);
  return shown;
}

/** `orders, PutItem, fault, 48 milliseconds, starts at 120 milliseconds, level 3, 4 children`. */
export function spellRow({ node, level, childCount }: WaterfallRow, traceStart: number): string {
  const outcome = outcomes.find(({ outcome }) => outcome === node.outcome);
  return [
    node.name,
    node.detail,
    ...(node.outcome === 'ok' ? [] : [outcome?.label.toLowerCase()]),
    node.inferred ? 'inferred' : '',
    hasCause(node) ? 'exception recorded' : '',
    node.end === undefined ? 'in progress' : spellDuration(node.end - node.start),
    `starts at ${spellDuration(Math.max(0, node.start - traceStart))}`,
    `level ${level}`,
    childCount === 0 ? '' : childCount === 1 ? '1 child' : `${childCount} children`,
  ]
    .filter(Boolean)
    .join(', ');
}

/** The next (or previous) row after `from` whose node has an outcome other than ok, round the end. */
export function nextProblem(rows: readonly WaterfallRow[], from: number, step: 1 | -1): number | undefined {
  for (let distance = 1; distance <= rows.length; distance += 1) {
    const at = (((from + distance * step) % rows.length) + rows.length) % rows.length;
    if (rows[at] && rows[at].node.outcome !== 'ok') return at;
  }
  return undefined;
}
