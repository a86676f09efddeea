import { useMemo } from 'react';
import type { JSX } from 'react';
import type { ResponseTimesAnswer, TracePointsAnswer } from '../api/answers.ts';
import { usePoints, useResponseTimes } from '../api/queries.ts';
import { both, responseTimeCondition } from '../filter/expression.ts';
import { countOf } from '../format/count.ts';
import { useChangeSearch, usePageSearch } from '../search.ts';
import { isLive } from '../shell/LiveSwitch.tsx';
import { ViewSwitch } from '../shell/ViewSwitch.tsx';
import type { View } from '../shell/ViewSwitch.tsx';
import { printFilter } from '../../../src/query/index.ts';
import { countAll, countWithin } from './bins.ts';
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
  const question = { filter: search.q ?? '', ...search };
  const { data: times } = useResponseTimes(question, { live: isLive(search), enabled: shown });
  const isSampled = search.chart === 'scatter' || search.brush !== undefined;
  const { data: sample } = usePoints(question, { live: isLive(search), enabled: shown && isSampled });
  const selection = useMemo(() => parseSelection(search.brush), [search.brush]);
  const onSelect = (chosen: Selection | undefined) =>
    change({ brush: chosen && printSelection(chosen) }, { replace: true });
  return (
    <section className={styles.explore} aria-label="Response times">
      <header className={styles.bar}>
        <h2>Response times</h2>
        {times && shown ? (
          <span className={styles.muted}>of {countOf(countAll(times.Cells), 'trace')}</span>
        ) : undefined}
        <span className={styles.spring} />
        <ViewSwitch views={charts} chosen={search.chart} onChoose={(chart) => change({ chart }, { replace: true })} />
      </header>
      {shown && times && times.Cells.length > 0 ? (
        <>
          {search.chart === 'table' ? (
            <ChartTable cells={times.Cells} />
          ) : (
            <Chart
              times={times}
              points={sample?.Points ?? []}
              kind={search.chart === 'heatmap' || search.chart === 'scatter' ? search.chart : 'histogram'}
              selection={selection}
              onSelect={onSelect}
            />
          )}
          {selection && sample ? (
            <Chosen times={times} sample={sample} selection={selection} onSelect={onSelect} />
          ) : undefined}
        </>
      ) : undefined}
    </section>
  );
}

/** What is chosen, in numbers, and what to do with it. */
function Chosen(props: {
  readonly times: ResponseTimesAnswer;
  readonly sample: TracePointsAnswer;
  readonly selection: Selection;
  readonly onSelect: (chosen: Selection | undefined) => void;
}): JSX.Element {
  const { times, sample, selection, onSelect } = props;
  const points = sample.Points;
  const { q = '' } = usePageSearch();
  const change = useChangeSearch();
  const [selected, rest] = useMemo(
    () => [points.filter((one) => isSelected(one, selection)), points.filter((one) => !isSelected(one, selection))],
    [points, selection],
  );
  const time = { from: times.StartTime, to: times.EndTime, columnCount: times.ColumnCount };
  const about = sample.IsWhole ? undefined : countWithin(times.Cells, (one) => isSelected(one, selection), time);
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
        <span>
          seconds: {about === undefined ? countOf(selected.length, 'trace') : `about ${countOf(about, 'trace')}`}
        </span>
        <button type="button" data-kind="primary" onClick={filter}>
          Filter to these
        </button>
        <button type="button" onClick={() => onSelect(undefined)}>
          Choose none
        </button>
      </div>
      {sample.IsWhole ? undefined : (
        <p className={styles.muted}>Compared are the newest {countOf(points.length, 'trace')}.</p>
      )}
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
