import { Link } from '@tanstack/react-router';
import type { JSX } from 'react';
import type { ExceptionGroup } from '../api/answers.ts';
import { nowSeconds } from '../api/queries.ts';
import { formatCount } from '../format/count.ts';
import { formatAge } from '../format/time.ts';
import { keepQuestion } from '../search.ts';
import { type Column, Table } from '../table/Table.tsx';
import styles from './ExceptionTable.module.css';

const columns: readonly Column<ExceptionGroup>[] = [
  {
    id: 'exception',
    label: 'Exception',
    key: ({ Name }) => Name,
    show: ({ Name, Message }) => (
      <>
        {Name || 'Exception'}
        <span className={styles.message}>{Message}</span>
      </>
    ),
  },
  {
    id: 'services',
    label: 'Where it arose',
    key: ({ Services }) => Services.join(),
    show: ({ Services }) => Services.join(', '),
  },
  { id: 'count', label: 'Traces', number: true, key: ({ Count }) => Count, show: ({ Count }) => formatCount(Count) },
  seenColumn('first', 'First seen', ({ FirstSeen }) => FirstSeen),
  seenColumn('last', 'Last seen', ({ LastSeen }) => LastSeen),
  {
    id: 'traces',
    label: 'Newest',
    show: ({ TraceIds }) => (
      <span className={styles.traces}>
        {TraceIds.map((id, place) => (
          <Link key={id} to="/traces/$id" params={{ id }} search={keepQuestion} title={id} aria-label={`Trace ${id}`}>
            {place + 1}
          </Link>
        ))}
      </span>
    ),
  },
];

export function ExceptionTable({ exceptions }: { readonly exceptions: readonly ExceptionGroup[] }): JSX.Element {
  return (
    <Table
      label="Exceptions"
      columns={columns}
      rows={exceptions}
      rowKey={({ Name, Message }) => `${Name}\n${Message}`}
      sortedBy="count"
    />
  );
}

function seenColumn(id: string, label: string, at: (group: ExceptionGroup) => number): Column<ExceptionGroup> {
  return { id, label, number: true, key: at, show: (group) => formatAge(nowSeconds() - at(group)) };
}
