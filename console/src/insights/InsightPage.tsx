import { Link, useParams } from '@tanstack/react-router';
import type { JSX } from 'react';
import type { InsightAnswer } from '../api/answers.ts';
import { ApiError } from '../api/client.ts';
import { nowSeconds, useInsight } from '../api/queries.ts';
import { serviceFilter } from '../filter/expression.ts';
import { formatCount, formatPercent } from '../format/count.ts';
import { formatMinute } from '../format/time.ts';
import { keepQuestion } from '../search.ts';
import { EmptyState, Failure, Loading } from '../shell/EmptyState.tsx';
import { Page } from '../shell/Page.tsx';
import { type Column, Table } from '../table/Table.tsx';
import styles from './InsightPage.module.css';

export function InsightPage(): JSX.Element {
  const { id } = useParams({ from: '/insights/$id' });
  const { data, error, refetch } = useInsight(id);
  if (data) return <Loaded answer={data} />;
  return (
    <Page title="Insight">
      {!error ? <Loading what="the insight" /> : undefined}
      {error instanceof ApiError && error.status === 404 ? (
        <EmptyState
          title="This insight is not here"
          actions={
            <Link to="/insights" search={keepQuestion}>
              Back to the insights
            </Link>
          }
        >
          <p>{error.message}</p>
        </EmptyState>
      ) : error ? (
        <Failure error={error} onRetry={() => void refetch()} />
      ) : undefined}
    </Page>
  );
}

type Event = InsightAnswer['InsightEvents'][number];
type Impact = Event['ClientRequestImpactStatistics'];

const columns: readonly Column<Event>[] = [
  {
    id: 'time',
    label: 'Time',
    key: ({ EventTime }) => EventTime,
    show: ({ EventTime }) => formatMinute(EventTime),
  },
  { id: 'summary', label: 'What happened', show: ({ Summary }) => Summary },
  impactColumn('clients', 'Clients', (event) => event.ClientRequestImpactStatistics),
  impactColumn('cause', 'Root cause', (event) => event.RootCauseServiceRequestImpactStatistics),
];

/** One insight: its root cause, the impact, and how it went on. */
function Loaded({ answer: { Insight, InsightEvents } }: { readonly answer: InsightAnswer }): JSX.Element {
  const { Name, Type, AccountId } = Insight.RootCauseServiceId;
  const cause = { name: Name, type: Type, accountId: AccountId };
  const from = String(Insight.StartTime);
  const to = String(Insight.EndTime ?? Math.ceil(nowSeconds()));
  return (
    <Page title={`Insight: ${Name}`} lead={Insight.State === 'ACTIVE' ? 'still going on' : 'over'}>
      <p>{Insight.Summary}</p>
      <dl className={styles.facts}>
        <Fact label="Root cause">{Type ? `${Name}, ${Type}` : Name}</Fact>
        <Fact label="Group">{Insight.GroupName}</Fact>
        <Fact label="Began">{formatMinute(Insight.StartTime)}</Fact>
        <Fact label="Ended">{Insight.EndTime === undefined ? 'not yet' : formatMinute(Insight.EndTime)}</Fact>
        <Fact label="Clients failed">{spellImpact(Insight.ClientRequestImpactStatistics)}</Fact>
        <Fact label="Root cause failed">{spellImpact(Insight.RootCauseServiceRequestImpactStatistics)}</Fact>
      </dl>
      <p className={styles.links}>
        <Link
          to="/traces"
          search={{ from, to, q: serviceFilter(cause, { kind: 'keyword', keyword: 'fault', comparison: undefined }) }}
        >
          Faulty traces through {Name}
        </Link>
        <Link to="/map" search={{ from, to }}>
          Trace map of that time
        </Link>
      </p>
      <Table
        label="Timeline"
        columns={columns}
        rows={InsightEvents}
        rowKey={(event) => `${event.EventTime} ${event.Summary}`}
      />
    </Page>
  );
}

function Fact({ label, children }: { readonly label: string; readonly children: string }): JSX.Element {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function impactColumn(id: string, label: string, impactOf: (event: Event) => Impact): Column<Event> {
  return {
    id,
    label,
    number: true,
    key: (event) => impactOf(event).FaultCount,
    show: (event) => spellImpact(impactOf(event)),
  };
}

function spellImpact({ FaultCount, TotalCount }: Impact): string {
  const share = formatPercent(FaultCount / Math.max(1, TotalCount));
  return `${formatCount(FaultCount)} of ${formatCount(TotalCount)} requests (${share})`;
}
