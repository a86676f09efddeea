import { useNavigate } from '@tanstack/react-router';
import type { JSX } from 'react';
import { nowSeconds, useCounts, useNewestBefore, useStatus, useTraces } from '../api/queries.ts';
import { ApiError } from '../api/client.ts';
import { CopyButton } from '../copy/CopyButton.tsx';
import { traceSummariesCommand } from '../copy/awsCommand.ts';
import { findTraceId } from '../deepLink.ts';
import { Explore } from '../explore/Explore.tsx';
import { Groups } from '../explore/Groups.tsx';
import { withoutEach } from '../filter/expression.ts';
import { countOf, formatCount } from '../format/count.ts';
import { formatAge } from '../format/time.ts';
import { parseRange, resolveRange, spellRange, widerRange } from '../range/range.ts';
import { keepQuestion, useChangeSearch, usePageSearch } from '../search.ts';
import { EmptyState, Failure, Loading } from '../shell/EmptyState.tsx';
import { isLive } from '../shell/LiveSwitch.tsx';
import { ViewSwitch } from '../shell/ViewSwitch.tsx';
import type { View } from '../shell/ViewSwitch.tsx';
import { useTitle } from '../shell/title.ts';
import { FilterBar } from './FilterBar.tsx';
import { TraceTable } from './TraceTable.tsx';
import styles from './TracesPage.module.css';
import { withoutRepeats } from './summary.ts';

const views: readonly View[] = [
  { name: undefined, label: 'List' },
  { name: 'groups', label: 'Groups' },
];

export function TracesPage(): JSX.Element {
  useTitle('Traces');
  const search = usePageSearch();
  const filter = search.q ?? '';
  const live = isLive(search);
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage, isPlaceholderData } = useTraces(
    { filter, from: search.from, to: search.to },
    { live },
  );
  const invalid = error instanceof ApiError && error.code === 'FILTER_INVALID' ? error.message : undefined;
  const traces = withoutRepeats(data?.pages.flatMap(({ answer }) => answer.TraceSummaries) ?? []);
  const scanned = data?.pages.reduce((sum, { answer }) => sum + answer.TracesProcessedCount, 0) ?? 0;
  const run = useRun();
  const change = useChangeSearch();
  const grouped = search.view === 'groups';
  return (
    <div className={styles.page}>
      <header className={styles.bar}>
        <h1 className="visually-hidden">Traces</h1>
        <FilterBar filter={filter} invalid={invalid} onRun={run}>
          <p role="status" className={styles.count}>
            {data && !error
              ? spellCount({ matched: traces.length, scanned, more: hasNextPage, filtered: filter !== '' })
              : undefined}
          </p>
          <ViewSwitch views={views} chosen={search.view} onChoose={(view) => change({ view }, { replace: true })} />
          <CopyCommand />
        </FilterBar>
      </header>
      {invalid ? undefined : <Explore />}
      {invalid ? undefined : error && !data ? <Failure error={error} onRetry={() => void refetch()} /> : undefined}
      {!data && !error ? <Loading what="the traces" /> : undefined}
      {data && !invalid && traces.length === 0 ? <Nothing scanned={scanned} /> : undefined}
      {data && !invalid && traces.length > 0 && grouped ? <Groups /> : undefined}
      {data && !invalid && traces.length > 0 && !grouped ? (
        <TraceTable
          key={`${filter}~${search.from}~${search.to}`}
          traces={traces}
          live={live}
          stale={isPlaceholderData}
          hasMore={hasNextPage}
          loadingMore={isFetchingNextPage}
          onMore={() => void fetchNextPage()}
        />
      ) : undefined}
    </div>
  );
}

/** Runs a filter; a text with a trace id in it is taken as a wish to see that trace. */
function useRun(): (text: string) => void {
  const change = useChangeSearch();
  const navigate = useNavigate();
  return (text) => {
    const id = /[="{]/.test(text) ? undefined : findTraceId(text);
    if (id) void navigate({ to: '/traces/$id', params: { id }, search: keepQuestion });
    else change({ q: text.trim() || undefined });
  };
}

function CopyCommand(): JSX.Element {
  const { q = '', from, to } = usePageSearch();
  const { data: status } = useStatus();
  const window = resolveRange(parseRange({ from, to }), Math.floor(nowSeconds() / 60) * 60);
  const text = traceSummariesCommand({ endpoint: status?.environment.AWS_ENDPOINT_URL_XRAY, filter: q, ...window });
  return <CopyButton text={text} label="Copy as AWS CLI" shown="Copy as AWS CLI" />;
}

function spellCount(count: { matched: number; scanned: number; more: boolean; filtered: boolean }): string {
  const shown = `${formatCount(count.matched)}${count.more ? '+' : ''}`;
  if (!count.filtered) return `${shown} ${count.matched === 1 ? 'trace' : 'traces'}`;
  return `${shown} of ${countOf(Math.max(count.scanned, count.matched), 'trace')} read`;
}

/** Conditions of a filter that are tried without. */
const droppedMax = 4;

/** Which condition it is that leaves nothing: how many there are without each of them. */
function Without({ filter }: { readonly filter: string }): JSX.Element | undefined {
  const { from, to } = usePageSearch();
  const change = useChangeSearch();
  const tries = withoutEach(filter).slice(0, droppedMax);
  const counts = useCounts(
    tries.map(({ rest }) => rest),
    { from, to },
  );
  const found = tries.flatMap((attempt, at) => {
    const answer = counts[at]?.data;
    return answer && answer.count > 0 ? [{ ...attempt, ...answer }] : [];
  });
  if (found.length === 0) return undefined;
  return (
    <ul className={styles.without}>
      {found.map(({ dropped, rest, count, more }) => (
        <li key={dropped}>
          Without <code>{dropped}</code> there {count === 1 ? 'is' : 'are'} {formatCount(count)}
          {more ? '+' : ''}.{' '}
          <button type="button" onClick={() => change({ q: rest })}>
            Remove it
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Why the list is empty, in the order of what is likeliest. */
function Nothing({ scanned }: { readonly scanned: number }): JSX.Element {
  const { q, from, to } = usePageSearch();
  const change = useChangeSearch();
  const range = parseRange({ from, to });
  const start = resolveRange(range, nowSeconds()).from;
  const { data: older } = useNewestBefore({ before: start, enabled: !q });
  const wider = widerRange(range);
  const widen = wider ? (
    <button type="button" onClick={() => change({ from: wider, to: undefined })}>
      Look at {spellRange({ from: wider })}
    </button>
  ) : undefined;
  if (q) {
    return (
      <EmptyState
        title={`${scanned > 0 ? `0 of ${countOf(scanned, 'trace')}` : 'No trace'} in ${spellRange({ from, to })} matched`}
        actions={
          <>
            <button type="button" onClick={() => change({ q: undefined })}>
              Remove the filter
            </button>
            {widen}
          </>
        }
      >
        <p>
          <code>{q}</code>
        </p>
        <Without filter={q} />
      </EmptyState>
    );
  }
  const newest = older?.TraceSummaries[0];
  return (
    <EmptyState
      title={`No trace in ${spellRange({ from, to })}`}
      actions={
        newest ? (
          <button
            type="button"
            data-kind="primary"
            onClick={() =>
              change({
                from: String(Math.floor(newest.StartTime - 900)),
                to: String(Math.ceil(newest.StartTime + 900)),
              })
            }
          >
            Go there
          </button>
        ) : (
          widen
        )
      }
    >
      <p>
        {newest
          ? `The newest trace before that started ${formatAge(nowSeconds() - newest.StartTime)}.`
          : 'Traces show here about a second after they were sent.'}
      </p>
    </EmptyState>
  );
}
