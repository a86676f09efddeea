import { useState } from 'react';
import type { JSX } from 'react';
import type { PeriodAnswer } from '../api/answers.ts';
import { formatCount, formatPercent } from '../format/count.ts';
import { formatMinute } from '../format/time.ts';
import { type Column, Table } from '../table/Table.tsx';
import styles from './RequestChart.module.css';

const width = 600;
const height = 80;

const columns: readonly Column<PeriodAnswer>[] = [
  { id: 'time', label: 'From', key: ({ Timestamp }) => Timestamp, show: ({ Timestamp }) => formatMinute(Timestamp) },
  { id: 'total', label: 'Requests', number: true, key: totalOf, show: (period) => formatCount(totalOf(period)) },
  { id: 'faults', label: 'Faults', number: true, key: faultsOf, show: (period) => formatCount(faultsOf(period)) },
  {
    id: 'share',
    label: 'Share',
    number: true,
    key: (period) => faultsOf(period) / Math.max(1, totalOf(period)),
    show: (period) => formatPercent(faultsOf(period) / Math.max(1, totalOf(period))),
  },
];

/** Requests to a service and the faults among them, period by period; as a table for who cannot see it. */
export function RequestChart(props: {
  readonly name: string;
  readonly periods: readonly PeriodAnswer[];
  readonly periodSeconds: number;
}): JSX.Element {
  const { name, periods, periodSeconds } = props;
  const [isTable, setTable] = useState(false);
  const worst = periods.toSorted((one, other) => faultsOf(other) - faultsOf(one))[0];
  if (!worst) return <p className={styles.muted}>The traces of that time are no longer here.</p>;
  const title = `${name}, each ${spellPeriod(periodSeconds)}; most faults at ${formatMinute(worst.Timestamp)}: ${formatCount(faultsOf(worst))} of ${formatCount(totalOf(worst))} requests`;
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
          label="Requests by time"
          columns={columns}
          rows={periods}
          rowKey={({ Timestamp }) => String(Timestamp)}
        />
      ) : (
        <Bars periods={periods} periodSeconds={periodSeconds} title={title} />
      )}
    </figure>
  );
}

function spellPeriod(seconds: number): string {
  return seconds === 60 ? 'minute' : `${formatCount(seconds / 60)} minutes`;
}

function Bars(props: {
  readonly periods: readonly PeriodAnswer[];
  readonly periodSeconds: number;
  readonly title: string;
}): JSX.Element {
  const { periods, periodSeconds, title } = props;
  const first = periods[0]?.Timestamp ?? 0;
  const count = ((periods.at(-1)?.Timestamp ?? first) - first) / periodSeconds + 1;
  const step = width / count;
  const highest = Math.max(1, ...periods.map(totalOf));
  const bar = (period: PeriodAnswer, requests: number, kind: string) => {
    const tall = requests === 0 ? 0 : Math.max(1, (requests / highest) * (height - 4));
    const x = ((period.Timestamp - first) / periodSeconds) * step;
    return (
      <rect
        key={`${kind}${period.Timestamp}`}
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
      {periods.map((period) => bar(period, totalOf(period), 'all'))}
      {periods.map((period) => bar(period, faultsOf(period), 'fault'))}
    </svg>
  );
}

function totalOf({ ServiceSummaryStatistics }: PeriodAnswer): number {
  return ServiceSummaryStatistics.TotalCount;
}

function faultsOf({ ServiceSummaryStatistics }: PeriodAnswer): number {
  return ServiceSummaryStatistics.FaultStatistics.TotalCount;
}
