import { Link, useParams } from '@tanstack/react-router';
import type { JSX } from 'react';
import type { InsightAnswer } from '../api/answers.ts';
import { ApiError } from '../api/client.ts';
import { nowSeconds, useInsight } from '../api/queries.ts';
import { serviceFilter } from '../filter/expression.ts';
import { countOf, formatCount, formatPercent } from '../format/count.ts';
import { formatMinute } from '../format/time.ts';
import { keepQuestion } from '../search.ts';
import { EmptyState, Failure, Loading } from '../shell/EmptyState.tsx';
import { Page } from '../shell/Page.tsx';
import { type Column, Table } from '../table/Table.tsx';
import { RequestChart } from '../series/RequestChart.tsx';
import styles from './InsightPage.module.css';
import { pathsMax, pathsToCause } from './paths.ts';

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
function Loaded({ answer }: { readonly answer: InsightAnswer }): JSX.Element {
  const { Insight, InsightEvents, ExpectedFaultRate, ImpactServices, Minutes } = answer;
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
        <Fact label="Usual share of faults">{formatPercent(ExpectedFaultRate)}</Fact>
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
      <section className={styles.section} aria-label="Root cause path">
        <h2>Root cause path</h2>
        <RootCausePaths paths={pathsToCause(ImpactServices, Insight.RootCauseServiceId)} />
      </section>
      <section className={styles.section} aria-label="Impact">
        <h2>Impact</h2>
        <RequestChart periods={Minutes} periodSeconds={60} name={Name} />
      </section>
      <h2>Timeline</h2>
      <Table
        label="Timeline"
        columns={columns}
        rows={InsightEvents}
        rowKey={(event) => `${event.EventTime} ${event.Summary}`}
      />
    </Page>
  );
}

/** From who notices down to the cause. */
function RootCausePaths({ paths }: { readonly paths: ReturnType<typeof pathsToCause> }): JSX.Element {
  if (paths.length === 0) return <p className={styles.muted}>The traces of that time are no longer here.</p>;
  return (
    <>
      {paths.slice(0, pathsMax).map((path) => (
        <ol key={path[0]?.ReferenceId} className={styles.path}>
          {path.map(({ ReferenceId, Name, Type }, place) => (
            <li key={ReferenceId}>
              <span className={styles.node} data-cause={place === path.length - 1}>
                {Type === 'client' ? `Clients of ${Name}` : Name}
                <span className={styles.muted}>{place === path.length - 1 ? ' root cause' : ''}</span>
              </span>
            </li>
          ))}
        </ol>
      ))}
      {paths.length > pathsMax ? (
        <p className={styles.muted}>{countOf(paths.length - pathsMax, 'more entry', 'more entries')}</p>
      ) : undefined}
    </>
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
