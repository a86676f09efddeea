import type { JSX } from 'react';
import { useMemo } from 'react';
import { useMap } from '../api/queries.ts';
import { countOf } from '../format/count.ts';
import { formatMinute } from '../format/time.ts';
import { parseRange, spellRange, widerRange } from '../range/range.ts';
import { useChangeSearch, usePageSearch } from '../search.ts';
import { EmptyState, Failure, Loading } from '../shell/EmptyState.tsx';
import { isLive } from '../shell/LiveSwitch.tsx';
import { ViewSwitch } from '../shell/ViewSwitch.tsx';
import type { View } from '../shell/ViewSwitch.tsx';
import { useTitle } from '../shell/title.ts';
import { Legend } from './Legend.tsx';
import { MapPanel } from './MapPanel.tsx';
import styles from './MapPage.module.css';
import { PictureButtons } from './PictureButtons.tsx';
import { ServiceTable } from './ServiceTable.tsx';
import { TraceMap } from './TraceMap.tsx';
import { toMapGraph } from './graph.ts';
import type { MapGraph } from './graph.ts';

const views: readonly View[] = [
  { name: undefined, label: 'Map' },
  { name: 'list', label: 'List' },
];

export function MapPage(): JSX.Element {
  useTitle('Trace map');
  const search = usePageSearch();
  const change = useChangeSearch();
  const { data, error, refetch } = useMap(search, { live: isLive(search) });
  const graph = useMemo(() => (data ? toMapGraph(data.Services) : undefined), [data]);
  const list = search.view === 'list';
  return (
    <div className={styles.page}>
      <header className={styles.bar}>
        <h1>Trace map</h1>
        {graph && data ? (
          <p className={styles.count}>
            {spellSize(graph)} since {formatMinute(data.StartTime)}
          </p>
        ) : undefined}
        <span className={styles.spring} />
        <Legend />
        {graph && data && graph.nodes.length > 0 ? (
          <PictureButtons graph={graph} rangeSeconds={data.EndTime - data.StartTime} />
        ) : undefined}
        <ViewSwitch views={views} chosen={list ? 'list' : undefined} onChoose={(view) => change({ view })} />
      </header>
      {error && !graph ? <Failure error={error} onRetry={() => void refetch()} /> : undefined}
      {!graph && !error ? <Loading what="the trace map" /> : undefined}
      {graph && data ? <Body graph={graph} rangeSeconds={data.EndTime - data.StartTime} list={list} /> : undefined}
    </div>
  );
}

function Body({
  graph,
  rangeSeconds,
  list,
}: {
  readonly graph: MapGraph;
  readonly rangeSeconds: number;
  readonly list: boolean;
}): JSX.Element {
  const { select } = usePageSearch();
  const change = useChangeSearch();
  if (graph.nodes.length === 0) return <Nothing />;
  const onSelect = (key: string | undefined) => change({ select: key }, { replace: true });
  return (
    <div className={styles.body}>
      <div className={styles.picture}>
        {list ? (
          <ServiceTable graph={graph} rangeSeconds={rangeSeconds} selected={select} onSelect={onSelect} />
        ) : (
          <TraceMap
            graph={graph}
            rangeSeconds={rangeSeconds}
            selected={select}
            onSelect={onSelect}
            label="Services and the calls between them"
          />
        )}
        {graph.nodes.filter(({ client }) => !client).length === 1 && !list ? (
          <p className={styles.hint}>Services connect when a client and a server share a trace.</p>
        ) : undefined}
      </div>
      <MapPanel graph={graph} rangeSeconds={rangeSeconds} selected={select} onClose={() => onSelect(undefined)} />
    </div>
  );
}

function Nothing(): JSX.Element {
  const { from, to } = usePageSearch();
  const change = useChangeSearch();
  const wider = widerRange(parseRange({ from, to }));
  return (
    <EmptyState
      title={`No service sent a trace in ${spellRange({ from, to })}`}
      actions={
        wider ? (
          <button type="button" onClick={() => change({ from: wider, to: undefined })}>
            Look at {spellRange({ from: wider })}
          </button>
        ) : undefined
      }
    >
      <p>The map shows the services of the traces that started in this time.</p>
    </EmptyState>
  );
}

function spellSize(graph: MapGraph): string {
  const shown = `${countOf(graph.nodes.length, 'node')}, ${countOf(graph.edges.length, 'connection')}`;
  return graph.nodesHidden === 0 ? shown : `${shown}; the ${countOf(graph.nodesHidden, 'least busy node')} not shown`;
}
