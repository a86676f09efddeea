import { useMemo } from 'react';
import type { JSX } from 'react';
import type { TracePoint } from '../api/answers.ts';
import { formatCount } from '../format/count.ts';
import { formatDuration } from '../format/duration.ts';
import { outcomes } from '../outcome/outcome.ts';
import type { OutcomeCounts } from '../outcome/outcome.ts';
import { type Column, Table } from '../table/Table.tsx';
import { durationScale, histogramOf } from './bins.ts';

const rowCount = 12;

interface Row extends OutcomeCounts {
  readonly from: number;
  readonly to: number;
}

const columns: readonly Column<Row>[] = [
  {
    id: 'range',
    label: 'Response time',
    key: ({ from }) => from,
    show: ({ from, to }) => `${formatDuration(from)} to ${formatDuration(to)}`,
  },
  { id: 'total', label: 'Traces', number: true, key: ({ total }) => total, show: ({ total }) => formatCount(total) },
  ...outcomes.map(({ outcome, label }): Column<Row> => ({
    id: outcome,
    label,
    number: true,
    key: (row) => row[outcome],
    show: (row) => formatCount(row[outcome]),
  })),
];

/** The histogram in numbers. */
export function ChartTable({ points }: { readonly points: readonly TracePoint[] }): JSX.Element {
  const rows = useMemo(() => {
    const scale = durationScale(points);
    return histogramOf(points, scale, rowCount).map((counts, at): Row => ({
      ...counts,
      from: scale.value(at / rowCount),
      to: scale.value((at + 1) / rowCount),
    }));
  }, [points]);
  return <Table label="Response times" columns={columns} rows={rows} rowKey={({ from }) => String(from)} />;
}
