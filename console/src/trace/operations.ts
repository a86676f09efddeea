import { ownTime, totalOf } from './intervals.ts';
import type { TraceNode, TraceTree } from './tree.ts';

/** What one service does under one name, over the whole trace. */
export interface Operation {
  readonly key: string;
  readonly service: string;
  readonly name: string;
  readonly count: number;
  /** Seconds, of what has ended. */
  readonly total: number;
  readonly longest: number;
  /** Seconds in which nothing below it ran. */
  readonly own: number;
  readonly problems: number;
  readonly first: TraceNode;
}

/** Most own time first: where the trace spends its time. What X-Ray infers is the call itself and left out. */
export function toOperations(tree: TraceTree, now: number): readonly Operation[] {
  const groups = new Map<string, TraceNode[]>();
  for (const node of tree.nodes) {
    if (node.inferred) continue;
    const key = `${node.serviceIndex} ${nameOf(node)}`;
    const group = groups.get(key);
    if (group) group.push(node);
    else groups.set(key, [node]);
  }
  return [...groups]
    .flatMap(([key, nodes]) => toOperation(key, nodes, { tree, now }))
    .toSorted((a, b) => b.own - a.own);
}

function toOperation(
  key: string,
  nodes: readonly TraceNode[],
  { tree, now }: { readonly tree: TraceTree; readonly now: number },
): readonly Operation[] {
  const [first] = nodes;
  if (!first) return [];
  const durations = nodes.flatMap(({ start, end }) => (end === undefined ? [] : [end - start]));
  return [
    {
      key,
      service: tree.services[first.serviceIndex]?.name ?? '',
      name: nameOf(first),
      count: nodes.length,
      total: durations.reduce((sum, seconds) => sum + seconds, 0),
      longest: durations.reduce((max, seconds) => Math.max(max, seconds), 0),
      own: nodes.reduce((sum, node) => sum + totalOf(ownTime(node, now)), 0),
      problems: nodes.filter(({ outcome }) => outcome !== 'ok').length,
      first,
    },
  ];
}

/** Without values, so that the same query for other rows is the same operation. */
function nameOf({ name, detail }: TraceNode): string {
  return [name, detail]
    .filter(Boolean)
    .join(' ')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}|\b\d+\b/gi, '…');
}
