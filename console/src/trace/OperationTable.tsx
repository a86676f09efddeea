import { useMemo } from 'react';
import type { JSX } from 'react';
import { nowSeconds } from '../api/queries.ts';
import { formatCount } from '../format/count.ts';
import { formatDuration } from '../format/duration.ts';
import { useChangeSearch } from '../search.ts';
import { type Column, Table } from '../table/Table.tsx';
import styles from './OperationTable.module.css';
import { toOperations } from './operations.ts';
import type { Operation } from './operations.ts';
import { drawnUntil } from './running.ts';
import type { TraceTree } from './tree.ts';

/** Where the trace spends its time, by operation; one leads to its first call in the waterfall. */
export function OperationTable({ tree }: { readonly tree: TraceTree }): JSX.Element {
  const change = useChangeSearch();
  const rows = useMemo(() => toOperations(tree, drawnUntil(tree, nowSeconds())), [tree]);
  const show = ({ first }: Operation) => change({ view: undefined, span: first.id });
  return (
    <div className={styles.operations}>
      <Table label="Operations" columns={columnsOf(show)} rows={rows} rowKey={({ key }) => key} sortedBy="own" />
    </div>
  );
}

function columnsOf(onShow: (operation: Operation) => void): readonly Column<Operation>[] {
  return [
    {
      id: 'name',
      label: 'Operation',
      key: ({ name }) => name,
      show: (operation) => (
        <button type="button" data-kind="quiet" className={styles.name} onClick={() => onShow(operation)}>
          {operation.name}
        </button>
      ),
    },
    { id: 'service', label: 'Service', key: ({ service }) => service, show: ({ service }) => service },
    { id: 'count', label: 'Calls', number: true, key: ({ count }) => count, show: ({ count }) => formatCount(count) },
    secondsColumn('own', 'Own time', ({ own }) => own),
    secondsColumn('total', 'Total', ({ total }) => total),
    secondsColumn('longest', 'Longest', ({ longest }) => longest),
    {
      id: 'problems',
      label: 'Problems',
      number: true,
      key: ({ problems }) => problems,
      show: ({ problems }) => formatCount(problems),
    },
  ];
}

function secondsColumn(id: string, label: string, of: (operation: Operation) => number): Column<Operation> {
  return { id, label, number: true, key: of, show: (operation) => formatDuration(of(operation)) };
}
