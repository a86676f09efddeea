import { useMemo } from 'react';
import type { JSX } from 'react';
import type { TracePoint } from '../api/answers.ts';
import { nowSeconds, usePoints } from '../api/queries.ts';
import { both, responseTimeCondition } from '../filter/expression.ts';
import { countOf } from '../format/count.ts';
import { parseRange, resolveRange } from '../range/range.ts';
import { useChangeSearch, usePageSearch } from '../search.ts';
import { isLive } from '../shell/LiveSwitch.tsx';
import { ViewSwitch } from '../shell/ViewSwitch.tsx';
import type { View } from '../shell/ViewSwitch.tsx';
import { printFilter } from '../../../src/query/index.ts';
import { Chart } from './Chart.tsx';
import { ChartTable } from './ChartTable.tsx';
import { Difference } from './Difference.tsx';
import styles from './Explore.module.css';
import { isSelected, parseSelection, printSelection } from './selection.ts';
import type { Selection } from './selection.ts';

const charts: readonly View[] = [
  { name: undefined, label: 'Histogram' },
  { name: 'heatmap', label: 'Heatmap' },
  { name: 'scatter', label: 'Scatter' },
  { name: 'table', label: 'Table' },
  { name: 'off', label: 'Off' },
];

/** How long the traces of the list took. What is chosen in the chart is compared with the rest, and can become the filter. */
export function Explore(): JSX.Element {
  const search = usePageSearch();
  const change = useChangeSearch();
  const shown = search.chart !== 'off';
  const { data } = usePoints({ filter: search.q ?? '', ...search }, { live: isLive(search), enabled: shown });
  const points = shown ? (data?.Points ?? []) : [];
  const selection = useMemo(() => parseSelection(search.brush), [search.brush]);
  const onSelect = (chosen: Selection | undefined) =>
    change({ brush: chosen && printSelection(chosen) }, { replace: true });
  return (
    <section className={styles.explore} aria-label="Response times">
      <header className={styles.bar}>
        <h2>Response times</h2>
        {data && shown && !data.IsWhole ? (
          <span className={styles.muted}>of the newest {countOf(points.length, 'trace')}</span>
        ) : undefined}
        <span className={styles.spring} />
        <ViewSwitch views={charts} chosen={search.chart} onChoose={(chart) => change({ chart }, { replace: true })} />
      </header>
      {points.length > 0 ? (
        <>
          {search.chart === 'table' ? (
            <ChartTable points={points} />
          ) : (
            <Chart
              points={points}
              kind={search.chart === 'heatmap' || search.chart === 'scatter' ? search.chart : 'histogram'}
              range={resolveRange(parseRange(search), nowSeconds())}
              selection={selection}
              onSelect={onSelect}
            />
          )}
          {selection ? <Chosen points={points} selection={selection} onSelect={onSelect} /> : undefined}
        </>
      ) : undefined}
    </section>
  );
}

/** What is chosen, in numbers, and what to do with it. */
function Chosen(props: {
  readonly points: readonly TracePoint[];
  readonly selection: Selection;
  readonly onSelect: (chosen: Selection | undefined) => void;
}): JSX.Element {
  const { points, selection, onSelect } = props;
  const { q = '' } = usePageSearch();
  const change = useChangeSearch();
  const [selected, rest] = useMemo(
    () => [points.filter((one) => isSelected(one, selection)), points.filter((one) => !isSelected(one, selection))],
    [points, selection],
  );
  const filter = () =>
    change({
      q: both(q, printFilter(responseTimeCondition(selection))),
      brush: undefined,
      ...(selection.since === undefined || selection.until === undefined
        ? {}
        : { from: String(selection.since), to: String(selection.until) }),
    });
  return (
    <>
      <div className={styles.chosen}>
        <SecondsInput label="From" value={selection.from} onChange={(from) => onSelect({ ...selection, from })} />
        <SecondsInput label="to" value={selection.to} onChange={(to) => onSelect({ ...selection, to })} />
        <span>seconds: {countOf(selected.length, 'trace')}</span>
        <button type="button" data-kind="primary" onClick={filter}>
          Filter to these
        </button>
        <button type="button" onClick={() => onSelect(undefined)}>
          Choose none
        </button>
      </div>
      <Difference selected={selected} rest={rest} />
    </>
  );
}

function SecondsInput(props: {
  readonly label: string;
  readonly value: number;
  readonly onChange: (seconds: number) => void;
}): JSX.Element {
  return (
    <label className={styles.seconds}>
      {props.label}
      <input
        type="number"
        min={0}
        step="any"
        value={props.value}
        onChange={(event) => {
          const seconds = event.target.valueAsNumber;
          if (seconds >= 0) props.onChange(seconds);
        }}
      />
    </label>
  );
}
