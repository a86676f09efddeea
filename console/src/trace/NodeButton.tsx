import type { JSX } from 'react';
import type { TraceNode } from './tree.ts';

/** Leads to another row of the waterfall. */
export function NodeButton({
  node,
  onChoose,
}: {
  readonly node: TraceNode;
  readonly onChoose: (node: TraceNode) => void;
}): JSX.Element {
  return (
    <button type="button" onClick={() => onChoose(node)}>
      {node.name}
    </button>
  );
}
