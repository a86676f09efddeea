import { useMemo } from 'react';
import type { JSX } from 'react';
import type { ResponseTimeCell } from '../api/answers.ts';
import { formatCount } from '../format/count.ts';
import { formatDuration } from '../format/duration.ts';
import { outcomes } from '../outcome/outcome.ts';
import type { OutcomeCounts } from '../outcome/outcome.ts';
import { type Column, Table } from '../table/Table.tsx';
import { durationScale, histogramOf } from './bins.ts';

const rowsMax = 12;

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
export function ChartTable({ cells }: { readonly cells: readonly ResponseTimeCell[] }): JSX.Element {
  const rows = useMemo(() => {
    const scale = durationScale(cells, rowsMax);
    return histogramOf(cells, scale).map((counts, at): Row => ({
      ...counts,
      from: scale.value(at / scale.binCount),
      to: scale.value((at + 1) / scale.binCount),
    }));
  }, [cells]);
  return <Table label="Response times" columns={columns} rows={rows} rowKey={({ from }) => String(from)} />;
}
