import { useState } from 'react';
import type { JSX } from 'react';
import type { InsightAnswer } from '../api/answers.ts';
import { formatCount, formatPercent } from '../format/count.ts';
import { formatMinute } from '../format/time.ts';
import { type Column, Table } from '../table/Table.tsx';
import styles from './InsightPage.module.css';

type Minute = InsightAnswer['Minutes'][number];

const width = 600;
const height = 80;
const minuteSeconds = 60;

const columns: readonly Column<Minute>[] = [
  { id: 'time', label: 'Minute', key: ({ Timestamp }) => Timestamp, show: ({ Timestamp }) => formatMinute(Timestamp) },
  { id: 'total', label: 'Requests', number: true, key: totalOf, show: (minute) => formatCount(totalOf(minute)) },
  { id: 'faults', label: 'Faults', number: true, key: faultsOf, show: (minute) => formatCount(faultsOf(minute)) },
  {
    id: 'share',
    label: 'Share',
    number: true,
    key: (minute) => faultsOf(minute) / Math.max(1, totalOf(minute)),
    show: (minute) => formatPercent(faultsOf(minute) / Math.max(1, totalOf(minute))),
  },
];

/** Requests to the root cause and the faults among them, minute by minute; as a table for who cannot see it. */
export function ImpactChart({ minutes, name }: { readonly minutes: readonly Minute[]; readonly name: string }) {
  const [isTable, setTable] = useState(false);
  const worst = minutes.toSorted((one, other) => faultsOf(other) - faultsOf(one))[0];
  if (!worst) return <p className={styles.muted}>The traces of that time are no longer here.</p>;
  const title = `${name}, each minute; most faults at ${formatMinute(worst.Timestamp)}: ${formatCount(faultsOf(worst))} of ${formatCount(totalOf(worst))} requests`;
  return (
    <figure className={styles.chart}>
      <figcaption>
        {title}
        <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Show as table
        </button>
      </figcaption>
      {isTable ? (
        <Table
          label="Impact by minute"
          columns={columns}
          rows={minutes}
          rowKey={({ Timestamp }) => String(Timestamp)}
        />
      ) : (
        <Bars minutes={minutes} title={title} />
      )}
    </figure>
  );
}

function Bars({ minutes, title }: { readonly minutes: readonly Minute[]; readonly title: string }): JSX.Element {
  const first = minutes[0]?.Timestamp ?? 0;
  const count = ((minutes.at(-1)?.Timestamp ?? first) - first) / minuteSeconds + 1;
  const step = width / count;
  const highest = Math.max(1, ...minutes.map(totalOf));
  const bar = (minute: Minute, requests: number, kind: string) => {
    const tall = requests === 0 ? 0 : Math.max(1, (requests / highest) * (height - 4));
    const x = ((minute.Timestamp - first) / minuteSeconds) * step;
    return (
      <rect
        key={`${kind}${minute.Timestamp}`}
        data-kind={kind}
        x={x}
        y={height - tall}
        width={step * 0.9}
        height={tall}
      />
    );
  };
  return (
    <svg
      className={styles.bars}
      role="img"
      aria-label={title}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
    >
      {minutes.map((minute) => bar(minute, totalOf(minute), 'all'))}
      {minutes.map((minute) => bar(minute, faultsOf(minute), 'fault'))}
    </svg>
  );
}

function totalOf({ ServiceSummaryStatistics }: Minute): number {
  return ServiceSummaryStatistics.TotalCount;
}

function faultsOf({ ServiceSummaryStatistics }: Minute): number {
  return ServiceSummaryStatistics.FaultStatistics.TotalCount;
}
