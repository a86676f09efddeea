import type { JSX } from 'react';
import { useMemo } from 'react';
import { useMap, useMapBetween } from '../api/queries.ts';
import { countOf, formatCount } from '../format/count.ts';
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
import { Replay } from './Replay.tsx';
import { foldGraph } from './fold.ts';
import { toMapGraph } from './graph.ts';
import type { MapGraph } from './graph.ts';
import { graphOfMinute, minutesOf, stepSeconds } from './replay.ts';

const views: readonly View[] = [
  { name: undefined, label: 'Map' },
  { name: 'list', label: 'List' },
];

export function MapPage(): JSX.Element {
  useTitle('Trace map');
  const search = usePageSearch();
  const change = useChangeSearch();
  const { data, error, refetch } = useMap(search, { live: isLive(search) });
  const at = search.at === undefined ? undefined : Number(search.at);
  const { data: minute, isPlaceholderData } = useMapBetween(
    at === undefined ? undefined : { from: at, to: at + stepSeconds },
  );
  const list = search.view === 'list';
  const graph = useMemo(() => {
    if (!data) return undefined;
    const whole = toMapGraph(data.Services);
    const seen = at !== undefined && minute ? graphOfMinute(whole, toMapGraph(minute.Services)) : whole;
    return list ? seen : foldGraph(seen, search.open?.split('\n'));
  }, [data, minute, at, list, search.open]);
  const rangeSeconds = at === undefined && data ? data.EndTime - data.StartTime : stepSeconds;
  return (
    <div className={styles.page}>
      <header className={styles.bar}>
        <h1>Trace map</h1>
        {graph && data ? (
          <p className={styles.count}>
            {spellSize(graph, at === undefined ? `since ${formatMinute(data.StartTime)}` : 'in one minute')}
          </p>
        ) : undefined}
        {search.open === undefined ? undefined : (
          <button type="button" onClick={() => change({ open: undefined, select: undefined })}>
            Fold all again
          </button>
        )}
        <span className={styles.spring} />
        <Legend />
        {graph && data && graph.nodes.length > 0 ? (
          <PictureButtons graph={graph} rangeSeconds={rangeSeconds} />
        ) : undefined}
        <ViewSwitch views={views} chosen={list ? 'list' : undefined} onChoose={(view) => change({ view })} />
      </header>
      {error && !graph ? <Failure error={error} onRetry={() => void refetch()} /> : undefined}
      {!graph && !error ? <Loading what="the trace map" /> : undefined}
      {graph && data ? <Body graph={graph} rangeSeconds={rangeSeconds} list={list} /> : undefined}
      {graph && data && graph.nodes.length > 0 ? (
        <Replay
          minutes={minutesOf({ from: data.StartTime, to: data.EndTime })}
          at={at}
          isShown={minute !== undefined && !isPlaceholderData}
        />
      ) : undefined}
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

function spellSize({ nodes, edges }: MapGraph, when: string): string {
  const shown = `${countOf(nodes.length, 'node')}, ${countOf(edges.length, 'connection')} ${when}`;
  const folded = nodes.reduce((sum, { members }) => sum + (members?.length ?? 0), 0);
  return folded === 0 ? shown : `${shown}; ${formatCount(folded)} are folded into some of them`;
}
