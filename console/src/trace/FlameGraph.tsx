import { useMemo, useState } from 'react';
import type { CSSProperties, JSX, KeyboardEvent } from 'react';
import { nowSeconds } from '../api/queries.ts';
import { formatDuration } from '../format/duration.ts';
import { useChangeSearch, usePageSearch } from '../search.ts';
import { Details } from './Details.tsx';
import styles from './FlameGraph.module.css';
import { toFlame } from './flame.ts';
import type { FlameBox } from './flame.ts';
import { drawnUntil } from './running.ts';
import type { TraceNode, TraceTree } from './tree.ts';

const rowHeight = 24;
const serviceColours = 8;

/** Callers above what they call, as wide as it took. Arrows walk, Enter zooms in, Escape out again. */
export function FlameGraph({ tree }: { readonly tree: TraceTree }): JSX.Element {
  const { span } = usePageSearch();
  const change = useChangeSearch();
  const [within, setWithin] = useState<TraceNode | undefined>();
  const now = drawnUntil(tree, nowSeconds());
  const { boxes, rows } = useMemo(() => toFlame(tree, { now, within }), [tree, now, within]);
  const chosen = tree.nodes.find(({ id }) => id === span) ?? boxes[0]?.node;
  const choose = (node: TraceNode) => change({ span: node.id }, { replace: true });
  const walk = (event: KeyboardEvent) => {
    const here = boxes.find(({ node }) => node === chosen);
    const next = here && neighbour(boxes, here, event.key);
    if (event.key === 'Enter' && chosen) setWithin(chosen === within ? undefined : chosen);
    else if (event.key === 'Escape') setWithin(undefined);
    else if (next) choose(next.node);
    else return;
    event.preventDefault();
  };
  return (
    <div className={styles.view}>
      <div className={styles.left}>
        {within ? (
          <p className={styles.within}>
            Only {within.name} {within.detail}{' '}
            <button type="button" onClick={() => setWithin(undefined)}>
              Whole trace
            </button>
          </p>
        ) : undefined}
        <div
          className={styles.flame}
          role="listbox"
          aria-label="Flame graph"
          aria-activedescendant={chosen ? `flame-${chosen.index}` : undefined}
          tabIndex={0}
          onKeyDown={walk}
          style={{ height: rows * rowHeight }}
        >
          {boxes.map(({ node, depth, from, to }) => (
            <div
              key={node.index}
              id={`flame-${node.index}`}
              role="option"
              aria-selected={node === chosen}
              aria-label={spell(node, now)}
              className={styles.box}
              data-outcome={node.outcome}
              title={spell(node, now)}
              style={
                {
                  left: `${from * 100}%`,
                  width: `${(to - from) * 100}%`,
                  top: depth * rowHeight,
                  '--service': `var(--service-${node.serviceIndex % serviceColours})`,
                } as CSSProperties
              }
              onClick={() => choose(node)}
              onDoubleClick={() => setWithin(node)}
            >
              {node.name} <span>{node.detail}</span>
            </div>
          ))}
        </div>
      </div>
      {chosen ? <Details key={chosen.index} node={chosen} tree={tree} now={now} onChoose={choose} /> : undefined}
    </div>
  );
}

function spell(node: TraceNode, now: number): string {
  return [
    node.name,
    node.detail,
    node.outcome === 'ok' ? '' : node.outcome,
    formatDuration((node.end ?? now) - node.start),
  ]
    .filter(Boolean)
    .join(', ');
}

/** The nearest box above, below or beside. */
function neighbour(boxes: readonly FlameBox[], here: FlameBox, key: string): FlameBox | undefined {
  const overlaps = (box: FlameBox) => box.from < here.to && box.to > here.from;
  const row = boxes.filter(({ depth }) => depth === here.depth).toSorted((a, b) => a.from - b.from);
  switch (key) {
    case 'ArrowDown':
      return boxes.filter((box) => box.depth > here.depth && overlaps(box)).toSorted((a, b) => a.depth - b.depth)[0];
    case 'ArrowUp':
      return boxes.filter((box) => box.depth < here.depth && overlaps(box)).toSorted((a, b) => b.depth - a.depth)[0];
    case 'ArrowLeft':
      return row[row.indexOf(here) - 1];
    case 'ArrowRight':
      return row[row.indexOf(here) + 1];
    default:
      return undefined;
  }
}
