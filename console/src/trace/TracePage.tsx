import { Link, useParams } from '@tanstack/react-router';
import { Suspense, lazy, useMemo } from 'react';
import type { JSX } from 'react';
import type { TraceAnswer } from '../api/answers.ts';
import { ApiError } from '../api/client.ts';
import { useLinked, useTrace } from '../api/queries.ts';
import { Doctor } from '../doctor/Doctor.tsx';
import { foldGraph } from '../map/fold.ts';
import { toMapGraph } from '../map/graph.ts';
import { keepQuestion, useChangeSearch, usePageSearch } from '../search.ts';
import { EmptyState, Failure, Loading } from '../shell/EmptyState.tsx';
import { useShortcuts } from '../shell/shortcuts.ts';
import { useTitle } from '../shell/title.ts';
import { nameOf } from '../traces/summary.ts';
import { FlameGraph } from './FlameGraph.tsx';
import { LinkedTraces } from './LinkedTraces.tsx';
import { OperationTable } from './OperationTable.tsx';
import { RawTrace } from './RawTrace.tsx';
import { TraceHeader } from './TraceHeader.tsx';
import styles from './TracePage.module.css';
import { WaterfallView } from './WaterfallView.tsx';
import { LinkedContext } from './linked.ts';
import { toTree } from './tree.ts';

/** Any other name shows the waterfall. */
const otherViews = ['map', 'flame', 'table', 'raw'];

const TraceMap = lazy(async () => ({ default: (await import('../map/TraceMap.tsx')).TraceMap }));

export function TracePage(): JSX.Element {
  const { id } = useParams({ from: '/traces/$id' });
  const { data, error, refetch } = useTrace(id);
  useTitle(data ? nameOf(data.Summary) : 'Trace');
  if (data) return <Loaded answer={data} />;
  if (!error) return <Loading what="the trace" />;
  if (error instanceof ApiError && error.status === 404) return <Missing id={id} />;
  return <Failure error={error} onRetry={() => void refetch()} />;
}

function Loaded({ answer }: { readonly answer: TraceAnswer }): JSX.Element {
  const { view } = usePageSearch();
  const change = useChangeSearch();
  const tree = useMemo(() => toTree(answer.Trace.Segments), [answer]);
  const { data: linked } = useLinked(answer.Trace.Id);
  const graph = useMemo(() => foldGraph(toMapGraph(answer.Services)), [answer]);
  const show = (name: string | undefined) => change({ view: name });
  useShortcuts({
    '1': () => show(undefined),
    '2': () => show('map'),
    '3': () => show('flame'),
    '4': () => show('table'),
    '6': () => show('raw'),
  });
  return (
    <div className={styles.page}>
      <TraceHeader answer={answer} tree={tree} view={view} onView={show} />
      <Doctor findings={answer.Findings} />
      {view === 'raw' ? <RawTrace trace={answer.Trace} /> : undefined}
      {view === 'map' ? (
        <div className={styles.map}>
          <Suspense fallback={<Loading what="the map" />}>
            <TraceMap
              graph={graph}
              rangeSeconds={undefined}
              label="Services of this trace and the calls between them"
            />
          </Suspense>
        </div>
      ) : undefined}
      {view === 'flame' ? <FlameGraph tree={tree} /> : undefined}
      {view === 'table' ? <OperationTable tree={tree} /> : undefined}
      {view && otherViews.includes(view) ? undefined : (
        <LinkedContext value={linked}>
          <LinkedTraces side="from" linked={linked} start={tree.start} />
          <WaterfallView tree={tree} />
          <LinkedTraces side="to" linked={linked} start={tree.start} />
        </LinkedContext>
      )}
    </div>
  );
}

function Missing({ id }: { readonly id: string }): JSX.Element {
  return (
    <>
      <h1 className="visually-hidden">Trace not found</h1>
      <EmptyState
        title="This trace is not here"
        actions={
          <Link to="/traces" search={keepQuestion}>
            Back to the traces
          </Link>
        }
      >
        <p>
          <code>{id}</code>
        </p>
        <p>
          It may be unsampled, older than what the store keeps, or in AWS. A trace shows about a second after its first
          segment came.
        </p>
      </EmptyState>
    </>
  );
}
