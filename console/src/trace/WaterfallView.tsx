import { useMemo, useState } from 'react';
import type { JSX } from 'react';
import { nowSeconds } from '../api/queries.ts';
import { useChangeSearch, usePageSearch } from '../search.ts';
import { useShortcuts } from '../shell/shortcuts.ts';
import { Details } from './Details.tsx';
import { Minimap } from './Minimap.tsx';
import { Waterfall } from './Waterfall.tsx';
import { WaterfallBar } from './WaterfallBar.tsx';
import styles from './WaterfallView.module.css';
import { pan, zoom } from './axis.ts';
import type { TimeView } from './axis.ts';
import { guiltyNode } from './exceptions.ts';
import { findMatches } from './find.ts';
import { criticalPath } from './intervals.ts';
import { collapsible, nextProblem, reveal, toRows } from './rows.ts';
import type { WaterfallRow } from './rows.ts';
import { drawnUntil } from './running.ts';
import type { TraceNode, TraceTree } from './tree.ts';

const nothing: ReadonlySet<number> = new Set();

/** The waterfall with its controls at the left, the details of the chosen row at the right. */
export function WaterfallView({ tree }: { readonly tree: TraceTree }): JSX.Element {
  const search = usePageSearch();
  const change = useChangeSearch();
  const [collapsed, setCollapsed] = useState(nothing);
  const [critical, setCritical] = useState(false);
  const [words, setWords] = useState('');
  const [view, setView] = useState<TimeView | undefined>();
  const hideInferred = search.inferred === 'hide';
  const rows = useMemo(() => toRows(tree, { collapsed, hideInferred }), [tree, collapsed, hideInferred]);
  const allRows = useMemo(() => toRows(tree, { collapsed: nothing, hideInferred }), [tree, hideInferred]);
  const path = useMemo(() => (critical ? criticalPath(tree) : undefined), [tree, critical]);
  const matches = useMemo(() => findMatches(allRows, words), [allRows, words]);
  const now = drawnUntil(tree, nowSeconds());
  const whole = now - tree.start;
  const shown = view ?? { from: 0, to: whole };
  const chosen = useMemo(
    () => tree.nodes.find(({ id }) => id === search.span) ?? guiltyNode(tree) ?? tree.nodes[0],
    [tree, search.span],
  );

  const choose = (node: TraceNode) => {
    setCollapsed((before) => reveal(before, node));
    change({ span: node.id }, { replace: true });
  };
  const chooseAt = (at: number | undefined) => {
    const node = at === undefined ? undefined : allRows[at]?.node;
    if (node) choose(node);
  };
  const here = allRows.findIndex(({ node }) => node === chosen);
  const toProblem = (step: 1 | -1) => chooseAt(nextProblem(allRows, here, step));
  const toMatch = (step: 1 | -1) => chooseAt(nextOf(matches, here, step));
  const resize = (factor: number) => setView(zoom(shown, { factor, centre: (shown.from + shown.to) / 2, whole }));
  const move = (share: number) => setView(pan(shown, { share, whole }));
  const collapseAll = () => setCollapsed(collapsible(tree));
  const expandAll = () => setCollapsed(nothing);
  const toggleCritical = () => setCritical((before) => !before);
  useShortcuts({
    '[': collapseAll,
    ']': expandAll,
    e: () => toProblem(1),
    E: () => toProblem(-1),
    n: () => toMatch(1),
    N: () => toMatch(-1),
    c: toggleCritical,
    '+': () => resize(0.5),
    '-': () => resize(2),
    w: () => resize(0.5),
    s: () => resize(2),
    a: () => move(-0.25),
    d: () => move(0.25),
    '.': () => setView(undefined),
  });
  return (
    <div className={styles.view}>
      <div className={styles.left}>
        <WaterfallBar
          critical={critical}
          onCritical={toggleCritical}
          onCollapse={collapseAll}
          onExpand={expandAll}
          problems={countProblems(allRows)}
          onProblem={toProblem}
          words={words}
          onWords={setWords}
          matches={matches.length}
          onMatch={toMatch}
          inferred={tree.nodes.filter((node) => node.inferred).length}
          hideInferred={hideInferred}
          onInferred={() => change({ inferred: hideInferred ? undefined : 'hide' }, { replace: true })}
          zoomed={view !== undefined}
          onZoom={resize}
          onWhole={() => setView(undefined)}
        />
        <Minimap tree={tree} view={shown} whole={whole} onView={setView} />
        <Waterfall
          tree={tree}
          rows={rows}
          view={shown}
          now={now}
          path={path}
          matches={words ? new Set(matches) : nothing}
          allRows={allRows}
          chosen={chosen}
          onChoose={choose}
          onToggle={(row) => setCollapsed((before) => toggled(before, row.node.index))}
          onView={setView}
        />
      </div>
      {chosen ? <Details key={chosen.index} node={chosen} tree={tree} now={now} onChoose={choose} /> : undefined}
    </div>
  );
}

function toggled(set: ReadonlySet<number>, member: number): ReadonlySet<number> {
  const next = new Set(set);
  if (!next.delete(member)) next.add(member);
  return next;
}

function countProblems(rows: readonly WaterfallRow[]): number {
  return rows.filter(({ node }) => node.outcome !== 'ok').length;
}

/** The next (or previous) of sorted places after `from`, round the end. */
function nextOf(places: readonly number[], from: number, step: 1 | -1): number | undefined {
  if (step === 1) return places.find((at) => at > from) ?? places[0];
  return places.findLast((at) => at < from) ?? places.at(-1);
}
