import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef } from 'react';
import type { CSSProperties, JSX, KeyboardEvent } from 'react';
import { useShortcuts } from '../shell/shortcuts.ts';
import { useDraggedWidth } from '../shell/useDraggedWidth.tsx';
import { Ruler } from './Ruler.tsx';
import styles from './Waterfall.module.css';
import { WaterfallLine } from './WaterfallLine.tsx';
import type { TimeView } from './axis.ts';
import type { Interval } from './intervals.ts';
import type { WaterfallRow } from './rows.ts';
import type { TraceNode, TraceTree } from './tree.ts';

const rowHeight = 30;
const rowsAhead = 12;
const nameWidth = {
  kept: 'raybridge.names',
  label: 'Width of the names',
  edge: 'right',
  min: 140,
  // A quarter of the window: enough for most names, and the bars keep as much again on a small one.
  initial: Math.max(300, window.innerWidth / 4),
  max: 900,
} as const;

export interface WaterfallProps {
  readonly tree: TraceTree;
  readonly rows: readonly WaterfallRow[];
  readonly view: TimeView;
  /** Epoch seconds up to which running rows are drawn. */
  readonly now: number;
  /** The critical path by node, when it is to be shown. */
  readonly path: ReadonlyMap<number, readonly Interval[]> | undefined;
  /** Places in `allRows` of the rows that the search found. */
  readonly matches: ReadonlySet<number>;
  readonly allRows: readonly WaterfallRow[];
  readonly chosen: TraceNode | undefined;
  readonly onChoose: (node: TraceNode) => void;
  readonly onToggle: (row: WaterfallRow) => void;
  readonly onView: (view: TimeView) => void;
}

/**
 * The rows as an ARIA treegrid with one tab stop: the chosen row. Arrow keys follow the pattern of
 * the ARIA Authoring Practices. Only the rows in sight are in the page, which is why each tells its
 * level, place and number of siblings.
 */
export function Waterfall(props: WaterfallProps): JSX.Element {
  const { tree, rows, view, chosen } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const lines = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: rowsAhead,
  });
  const at = Math.max(
    0,
    rows.findIndex(({ node }) => node === chosen),
  );
  const found = new Set([...props.matches].map((place) => props.allRows[place]?.node));

  useEffect(() => {
    lines.scrollToIndex(at, { align: 'auto' });
  }, [at, lines]);
  // The focus follows the choice while it is in the grid, also to a row that comes into the page only now.
  const grid = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!grid.current?.contains(document.activeElement)) return;
    grid.current.querySelector<HTMLElement>('[role="row"][tabindex="0"]')?.focus({ preventScroll: true });
  }, [chosen]);

  const goTo = (index: number) => {
    const row = rows[Math.min(rows.length - 1, Math.max(0, index))];
    if (row) props.onChoose(row.node);
  };
  const focusGrid = () =>
    grid.current?.querySelector<HTMLElement>('[role="row"][tabindex="0"]')?.focus({ preventScroll: true });
  const step = (by: number) => {
    focusGrid();
    goTo(at + by);
  };
  useShortcuts({ j: () => step(1), k: () => step(-1) });
  const [width, grip] = useDraggedWidth(nameWidth);
  return (
    <div
      ref={grid}
      role="treegrid"
      aria-label="Waterfall"
      aria-rowcount={rows.length + 1}
      className={styles.grid}
      style={{ '--name-width': `${width}px` } as CSSProperties}
      onKeyDown={onTreeKey({
        rows,
        at,
        goTo,
        onToggle: props.onToggle,
        page: Math.floor((scroller.current?.clientHeight ?? 300) / rowHeight),
      })}
    >
      <div role="rowgroup">
        <div role="row" aria-rowindex={1} className={styles.head}>
          <span role="columnheader" aria-label="Name" className={styles.names}>
            Name
            {grip}
          </span>
          <span role="columnheader">Status</span>
          <span role="columnheader" aria-label="Time">
            <Ruler view={view} whole={props.now - tree.start} onView={props.onView} />
          </span>
        </div>
      </div>
      <div ref={scroller} role="rowgroup" className={styles.scroller}>
        <div role="presentation" className={styles.body} style={{ height: lines.getTotalSize() }}>
          {lines.getVirtualItems().map(({ index, start }) => {
            const row = rows[index];
            return row ? (
              <WaterfallLine
                key={row.node.index}
                row={row}
                index={index}
                top={start}
                tree={tree}
                view={view}
                now={props.now}
                critical={props.path && (props.path.get(row.node.index) ?? [])}
                found={found.has(row.node)}
                chosen={index === at}
                onChoose={props.onChoose}
                onToggle={props.onToggle}
              />
            ) : undefined;
          })}
        </div>
      </div>
    </div>
  );
}

interface Walk {
  readonly rows: readonly WaterfallRow[];
  readonly at: number;
  readonly goTo: (index: number) => void;
  readonly onToggle: (row: WaterfallRow) => void;
  readonly page: number;
}

function onTreeKey({ rows, at, goTo, onToggle, page }: Walk) {
  const row = rows[at];
  const targets: Readonly<Record<string, () => void>> = {
    ArrowDown: () => goTo(at + 1),
    ArrowUp: () => goTo(at - 1),
    PageDown: () => goTo(at + page),
    PageUp: () => goTo(at - page),
    Home: () => goTo(0),
    End: () => goTo(rows.length - 1),
    ArrowRight: () => {
      if (row && row.childCount > 0) (row.expanded ? () => goTo(at + 1) : () => onToggle(row))();
    },
    ArrowLeft: () => {
      if (row?.expanded) onToggle(row);
      else if (row?.node.parent) goTo(rows.findIndex(({ node }) => node === row.node.parent));
    },
  };
  return (event: KeyboardEvent) => {
    const action = targets[event.key];
    if (!action || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    action();
  };
}
