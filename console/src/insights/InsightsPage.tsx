import { Link } from '@tanstack/react-router';
import type { JSX } from 'react';
import type { InsightsAnswer } from '../api/answers.ts';
import { nowSeconds, useGroups, useInsights } from '../api/queries.ts';
import { countOf, formatCount, formatPercent } from '../format/count.ts';
import { formatDuration } from '../format/duration.ts';
import { formatMinute } from '../format/time.ts';
import { spellRange } from '../range/range.ts';
import { keepQuestion, usePageSearch } from '../search.ts';
import { EmptyState, Failure, Loading } from '../shell/EmptyState.tsx';
import { isLive } from '../shell/LiveSwitch.tsx';
import { Page } from '../shell/Page.tsx';
import { type Column, Table } from '../table/Table.tsx';

type Row = InsightsAnswer['InsightSummaries'][number];

const columns: readonly Column<Row>[] = [
  {
    id: 'summary',
    label: 'Insight',
    key: ({ Summary }) => Summary,
    show: ({ InsightId, Summary }) => (
      <Link to="/insights/$id" params={{ id: InsightId }} search={keepQuestion}>
        {Summary}
      </Link>
    ),
  },
  {
    id: 'cause',
    label: 'Root cause',
    key: ({ RootCauseServiceId }) => RootCauseServiceId.Name,
    show: ({ RootCauseServiceId }) => RootCauseServiceId.Name,
  },
  { id: 'group', label: 'Group', key: ({ GroupName }) => GroupName, show: ({ GroupName }) => GroupName },
  { id: 'state', label: 'State', key: ({ State }) => State, show: ({ State }) => State.toLowerCase() },
  {
    id: 'start',
    label: 'Began',
    number: true,
    key: ({ StartTime }) => StartTime,
    show: ({ StartTime }) => formatMinute(StartTime),
  },
  {
    id: 'took',
    label: 'For',
    number: true,
    key: (row) => secondsOf(row),
    show: (row) => formatDuration(secondsOf(row)),
  },
  {
    id: 'clients',
    label: 'Clients failed',
    number: true,
    key: ({ ClientRequestImpactStatistics }) => ClientRequestImpactStatistics.FaultCount,
    show: ({ ClientRequestImpactStatistics: { FaultCount, TotalCount } }) =>
      `${formatCount(FaultCount)} of ${formatCount(TotalCount)} (${formatPercent(FaultCount / Math.max(1, TotalCount))})`,
  },
];

/** Services that failed more than usual, and what came of it. */
export function InsightsPage(): JSX.Element {
  const search = usePageSearch();
  const { data, error, refetch } = useInsights(search, { live: isLive(search) });
  const rows = data?.InsightSummaries ?? [];
  const { data: groups } = useGroups();
  const watched = (groups?.Groups ?? [])
    .filter(({ InsightsConfiguration }) => InsightsConfiguration.InsightsEnabled)
    .map(({ GroupName }) => GroupName);
  return (
    <Page title="Insights" lead={data ? countOf(rows.length, 'insight') : undefined}>
      {error && !data ? <Failure error={error} onRetry={() => void refetch()} /> : undefined}
      {!data && !error ? <Loading what="the insights" /> : undefined}
      {data && rows.length === 0 ? (
        <EmptyState
          title={`No insight in ${spellRange(search)}`}
          actions={
            <Link to="/groups" search={keepQuestion}>
              To the groups
            </Link>
          }
        >
          <p>
            Every minute each service of a group that has insights on is looked at: one that fails more than it usually
            does is shown here, with its root cause and what clients noticed.
          </p>
          <p>
            It takes 5 faults in five minutes, and a chance below 1 in 100,000 that so many come of what is usual.
            Groups with insights on: {watched.length === 0 ? 'none' : watched.join(', ')}.
          </p>
        </EmptyState>
      ) : undefined}
      {rows.length > 0 ? (
        <Table label="Insights" columns={columns} rows={rows} rowKey={({ InsightId }) => InsightId} sortedBy="start" />
      ) : undefined}
    </Page>
  );
}

function secondsOf({ StartTime, EndTime = nowSeconds() }: Row): number {
  return Math.max(0, EndTime - StartTime);
}
