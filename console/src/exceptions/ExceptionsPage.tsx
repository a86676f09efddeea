import { Link } from '@tanstack/react-router';
import type { JSX } from 'react';
import type { ExceptionGroup } from '../api/answers.ts';
import { nowSeconds, useExceptions } from '../api/queries.ts';
import { countOf, formatCount } from '../format/count.ts';
import { formatAge } from '../format/time.ts';
import { spellRange } from '../range/range.ts';
import { keepQuestion, usePageSearch } from '../search.ts';
import { EmptyState, Failure, Loading } from '../shell/EmptyState.tsx';
import { isLive } from '../shell/LiveSwitch.tsx';
import { Page } from '../shell/Page.tsx';
import { type Column, Table } from '../table/Table.tsx';
import styles from './ExceptionsPage.module.css';

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

/** Exceptions of the range by type and message, from the root causes of its traces. */
export function ExceptionsPage(): JSX.Element {
  const search = usePageSearch();
  const { data, error, refetch } = useExceptions({ filter: search.q ?? '', ...search }, { live: isLive(search) });
  return (
    <Page title="Exceptions" lead={data ? spellSource(data) : undefined}>
      {error && !data ? <Failure error={error} onRetry={() => void refetch()} /> : undefined}
      {!data && !error ? <Loading what="the exceptions" /> : undefined}
      {data?.Exceptions.length === 0 ? (
        <EmptyState title={`No exception in ${spellRange(search)}`}>
          <p>
            {data.TraceCount === 0
              ? 'No trace of this time has a fault, an error or a throttle.'
              : `${countOf(data.TraceCount, 'trace')} went wrong without an exception: nothing but a status was recorded.`}
          </p>
        </EmptyState>
      ) : undefined}
      {data && data.Exceptions.length > 0 ? (
        <Table
          label="Exceptions"
          columns={columns}
          rows={data.Exceptions}
          rowKey={({ Name, Message }) => `${Name}\n${Message}`}
          sortedBy="count"
        />
      ) : undefined}
    </Page>
  );
}

function spellSource({ TraceCount, IsWhole }: { readonly TraceCount: number; readonly IsWhole: boolean }): string {
  const traces = countOf(TraceCount, 'trace');
  return `from ${IsWhole ? '' : 'the newest '}${traces} that went wrong`;
}

function seenColumn(id: string, label: string, at: (group: ExceptionGroup) => number): Column<ExceptionGroup> {
  return { id, label, number: true, key: at, show: (group) => formatAge(nowSeconds() - at(group)) };
}
