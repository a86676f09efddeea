import { Link, useNavigate } from '@tanstack/react-router';
import { Suspense, lazy, useMemo } from 'react';
import type { JSX, ReactNode } from 'react';
import type { MapAnswer, StatusAnswer } from '../api/answers.ts';
import { useMap, useNewestTraces } from '../api/queries.ts';
import { countOf, formatBytes } from '../format/count.ts';
import { formatDuration } from '../format/duration.ts';
import { formatAge } from '../format/time.ts';
import { ServiceTable } from '../map/ServiceTable.tsx';
import { toMapGraph } from '../map/graph.ts';
import type { MapGraph } from '../map/graph.ts';
import { spellRange } from '../range/range.ts';
import { keepQuestion, usePageSearch } from '../search.ts';
import { Loading } from '../shell/EmptyState.tsx';
import { isLive } from '../shell/LiveSwitch.tsx';
import { TraceBadge } from '../traces/TraceBadge.tsx';
import { nameOf } from '../traces/summary.ts';
import { Listeners } from './Listeners.tsx';
import styles from './Overview.module.css';
import { Rejections } from './Rejections.tsx';

const TraceMap = lazy(async () => ({ default: (await import('../map/TraceMap.tsx')).TraceMap }));
const newestShown = 12;

/** Health of the services, the newest traces, the map in small, and what the process itself is doing. */
export function Overview({ status }: { readonly status: StatusAnswer }): JSX.Element {
  const search = usePageSearch();
  const { data } = useMap(search, { live: isLive(search) });
  const graph = useMemo(() => (data ? toMapGraph(data.Services) : undefined), [data]);
  return (
    <div className={styles.page}>
      <h1 className="visually-hidden">Home</h1>
      <Card
        title={`Services in ${spellRange(search)}`}
        link={
          <Link to="/map" search={(before) => ({ ...keepQuestion(before), view: 'list' })}>
            All
          </Link>
        }
      >
        <Services graph={graph} answer={data} />
      </Card>
      <Card
        title="Newest traces"
        link={
          <Link to="/traces" search={keepQuestion}>
            All traces
          </Link>
        }
      >
        <Newest nowSeconds={status.nowSeconds} />
      </Card>
      <Card
        title="Trace map"
        link={
          <Link to="/map" search={keepQuestion}>
            Open the map
          </Link>
        }
      >
        <div className={styles.map}>
          <SmallMap graph={graph} answer={data} />
        </div>
      </Card>
      <Card title="Receivers and store">
        <Process status={status} />
      </Card>
      {status.rejections.length > 0 ? (
        <div className={styles.wide}>
          <Rejections rejections={status.rejections} nowSeconds={status.nowSeconds} />
        </div>
      ) : undefined}
    </div>
  );
}

function Card({
  title,
  link,
  children,
}: {
  readonly title: string;
  readonly link?: ReactNode;
  readonly children: ReactNode;
}): JSX.Element {
  return (
    <section className={styles.card} aria-label={title}>
      <header>
        <h2>{title}</h2>
        {link}
      </header>
      {children}
    </section>
  );
}

interface MapPart {
  readonly graph: MapGraph | undefined;
  readonly answer: MapAnswer | undefined;
}

function Services({ graph, answer }: MapPart): JSX.Element {
  const navigate = useNavigate();
  if (!graph || !answer) return <Loading what="the services" />;
  if (graph.nodes.length === 0) return <p className={styles.none}>No trace in this time.</p>;
  return (
    <div className={styles.scroll} tabIndex={0} role="group" aria-label="Services">
      <ServiceTable
        graph={graph}
        rangeSeconds={answer.EndTime - answer.StartTime}
        selected={undefined}
        only={['rate', 'faults', 'average', 'p95']}
        onSelect={(select) => void navigate({ to: '/map', search: (before) => ({ ...keepQuestion(before), select }) })}
      />
    </div>
  );
}

function SmallMap({ graph, answer }: MapPart): JSX.Element | undefined {
  const navigate = useNavigate();
  if (!graph || !answer || graph.nodes.length === 0) return undefined;
  return (
    <Suspense fallback={<Loading what="the map" />}>
      <TraceMap
        graph={graph}
        rangeSeconds={answer.EndTime - answer.StartTime}
        label="Services and the calls between them"
        small
        onSelect={(select) => void navigate({ to: '/map', search: (before) => ({ ...keepQuestion(before), select }) })}
      />
    </Suspense>
  );
}

function Newest({ nowSeconds }: { readonly nowSeconds: number }): JSX.Element {
  const { data } = useNewestTraces({ limit: newestShown, enabled: true });
  if (!data) return <Loading what="the newest traces" />;
  return (
    <ul className={styles.newest}>
      {data.TraceSummaries.map((trace) => (
        <li key={trace.Id}>
          <TraceBadge summary={trace} />
          <Link to="/traces/$id" params={{ id: trace.Id }} search={keepQuestion}>
            {nameOf(trace)}
          </Link>
          <span className={styles.number}>
            {trace.ResponseTime === undefined ? '–' : formatDuration(trace.ResponseTime)}
          </span>
          <span className={styles.age}>{formatAge(nowSeconds - trace.StartTime)}</span>
        </li>
      ))}
    </ul>
  );
}

function Process({ status }: { readonly status: StatusAnswer }): JSX.Element {
  const { store, queue } = status;
  return (
    <div className={styles.process}>
      <Listeners status={status} />
      <dl>
        <div>
          <dt>Store</dt>
          <dd>
            {countOf(store.traces, 'trace')}, {countOf(store.spans, 'span')}, {formatBytes(store.bytesOnDisk)}
          </dd>
        </div>
        <div>
          <dt>Queue</dt>
          <dd>
            {formatBytes(queue.bytes)} of {formatBytes(queue.bytesMax)}, {queue.durable ? 'durable' : 'in memory only'}
          </dd>
        </div>
        <div>
          <dt>Dead letters</dt>
          <dd data-bad={queue.deadLetters > 0}>{countOf(queue.deadLetters, 'batch', 'batches')}</dd>
        </div>
      </dl>
    </div>
  );
}
