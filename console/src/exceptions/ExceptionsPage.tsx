import type { JSX } from 'react';
import { useExceptions } from '../api/queries.ts';
import { countOf } from '../format/count.ts';
import { spellRange } from '../range/range.ts';
import { usePageSearch } from '../search.ts';
import { EmptyState, Failure, Loading } from '../shell/EmptyState.tsx';
import { isLive } from '../shell/LiveSwitch.tsx';
import { Page } from '../shell/Page.tsx';
import { ExceptionTable } from './ExceptionTable.tsx';

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
      {data && data.Exceptions.length > 0 ? <ExceptionTable exceptions={data.Exceptions} /> : undefined}
    </Page>
  );
}

function spellSource({ TraceCount, IsWhole }: { readonly TraceCount: number; readonly IsWhole: boolean }): string {
  const traces = countOf(TraceCount, 'trace');
  return `from ${IsWhole ? '' : 'the newest '}${traces} that went wrong`;
}
