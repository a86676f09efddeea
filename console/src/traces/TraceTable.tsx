import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import type { DOMAttributes, JSX, KeyboardEvent } from 'react';
import type { TraceSummaryAnswer } from '../api/answers.ts';
import { countOf, formatCount } from '../format/count.ts';
import { formatDuration } from '../format/duration.ts';
import { formatDate, formatTimeOfDay } from '../format/time.ts';
import { keepQuestion } from '../search.ts';
import { useShortcuts } from '../shell/shortcuts.ts';
import { TraceBadge } from './TraceBadge.tsx';
import styles from './TraceTable.module.css';
import { countNew, nameOf, outcomeOfSummary, servicesOf } from './summary.ts';

const rowHeight = 36;
const rowsAhead = 12;
const servicesShown = 3;
const columns = ['Time', 'Outcome', 'Trace', 'Duration', 'Services', 'Annotations', 'Id'];

export interface TraceTableProps {
  readonly traces: readonly TraceSummaryAnswer[];
  readonly live: boolean;
  /** The answer to another question, shown until this one is answered. */
  readonly stale: boolean;
  readonly hasMore: boolean;
  readonly loadingMore: boolean;
  readonly onMore: () => void;
}

/** The traces as rows; only those in sight are in the page. New ones wait while the reader is in the list. */
export function TraceTable({
  traces: latest,
  live,
  stale,
  hasMore,
  loadingMore,
  onMore,
}: TraceTableProps): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null);
  const hold = useHeld(latest, live);
  const traces = hold.shown;
  const rows = useVirtualizer({
    count: traces.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: rowsAhead,
  });
  const lastShown = rows.getVirtualItems().at(-1)?.index ?? 0;
  const needsMore = hasMore && !loadingMore && lastShown >= traces.length - 1;
  useEffect(() => {
    if (needsMore && scroller.current && scroller.current.scrollTop > 0) onMore();
  }, [needsMore, onMore]);
  const longest = traces.reduce((max, trace) => Math.max(max, trace.ResponseTime ?? 0), 0);
  const walk = useWalk(traces, (index) => rows.scrollToIndex(index));
  return (
    <div className={styles.frame} data-stale={stale} {...hold.handlers}>
      {hold.waiting > 0 ? (
        <button type="button" className={styles.pill} onClick={hold.release}>
          {formatCount(hold.waiting)} new
        </button>
      ) : undefined}
      <div ref={scroller} className={styles.scroller} onKeyDown={walk}>
        <div role="table" aria-label="Traces, newest first" aria-rowcount={traces.length + 1} className={styles.table}>
          <div role="rowgroup" className={styles.head}>
            <div role="row" aria-rowindex={1} className={styles.row}>
              {columns.map((column) => (
                <span key={column} role="columnheader">
                  {column}
                </span>
              ))}
            </div>
          </div>
          <div role="rowgroup" className={styles.body} style={{ height: rows.getTotalSize() }}>
            {rows.getVirtualItems().map(({ index, start }) => {
              const trace = traces[index];
              return trace ? (
                <Row key={trace.Id} trace={trace} index={index} top={start} longest={longest} />
              ) : undefined;
            })}
          </div>
        </div>
        {hasMore ? (
          <button type="button" className={styles.more} disabled={loadingMore} onClick={onMore}>
            {loadingMore ? 'Loading …' : 'Older traces'}
          </button>
        ) : undefined}
      </div>
    </div>
  );
}

function Row(props: {
  readonly trace: TraceSummaryAnswer;
  readonly index: number;
  readonly top: number;
  readonly longest: number;
}): JSX.Element {
  const { trace, index, top, longest } = props;
  const outcome = outcomeOfSummary(trace);
  const services = servicesOf(trace);
  const annotations = Object.keys(trace.Annotations).length;
  const duration = trace.ResponseTime ?? trace.Duration;
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className={styles.row}
      data-outcome={outcome}
      data-index={index}
      style={{ transform: `translateY(${top}px)` }}
    >
      <span role="cell" className={styles.time} title={formatDate(trace.StartTime)}>
        {formatTimeOfDay(trace.StartTime)}
      </span>
      <span role="cell">
        <TraceBadge summary={trace} />
      </span>
      <span role="cell" className={styles.name}>
        <Link to="/traces/$id" params={{ id: trace.Id }} search={keepQuestion} title={trace.Http.HttpURL}>
          {nameOf(trace)}
        </Link>
        {trace.IsPartial ? <span className={styles.partial}>incomplete</span> : undefined}
      </span>
      <span role="cell" className={styles.duration}>
        <span className={styles.track} aria-hidden="true">
          <span
            className={styles.fill}
            style={{ width: `${longest > 0 ? Math.max(1, (duration / longest) * 100) : 0}%` }}
          />
        </span>
        <span>{trace.ResponseTime === undefined ? '–' : formatDuration(duration)}</span>
      </span>
      <span role="cell" className={styles.services} title={services.join(', ')}>
        {services.slice(0, servicesShown).join(', ')}
        {services.length > servicesShown ? ` +${services.length - servicesShown}` : ''}
      </span>
      <span role="cell" className={styles.muted} title={Object.keys(trace.Annotations).join(', ')}>
        {annotations === 0 ? '–' : countOf(annotations, 'key')}
      </span>
      <span role="cell" className={styles.id} title={trace.Id}>
        {trace.Id.slice(-12)}
      </span>
    </div>
  );
}

interface Held {
  readonly shown: readonly TraceSummaryAnswer[];
  /** Traces that came while the list held still. */
  readonly waiting: number;
  readonly release: () => void;
  readonly handlers: Pick<DOMAttributes<HTMLElement>, 'onPointerEnter' | 'onPointerLeave' | 'onFocus' | 'onBlur'>;
}

/** A row must not move away under the pointer or the focus: while either is in the list, it shows what it showed. */
function useHeld(latest: readonly TraceSummaryAnswer[], live: boolean): Held {
  const [pointer, setPointer] = useState(false);
  const [focus, setFocus] = useState(false);
  const [held, setHeld] = useState<readonly TraceSummaryAnswer[] | undefined>();
  const holding = live && (pointer || focus) && held !== undefined;
  const hold = () => setHeld((before) => (pointer || focus ? (before ?? latest) : latest));
  return {
    shown: holding ? extend(held, latest) : latest,
    waiting: holding ? countNew(extend(held, latest), latest) : 0,
    release: () => setHeld(latest),
    handlers: {
      onPointerEnter() {
        hold();
        setPointer(true);
      },
      onPointerLeave: () => setPointer(false),
      onFocus() {
        hold();
        setFocus(true);
      },
      onBlur(event) {
        if (!event.currentTarget.contains(event.relatedTarget)) setFocus(false);
      },
    },
  };
}

/** Older pages that the reader asks for are added at the end, also while the list holds still. */
function extend(
  held: readonly TraceSummaryAnswer[],
  latest: readonly TraceSummaryAnswer[],
): readonly TraceSummaryAnswer[] {
  const last = held.at(-1)?.Id;
  const end = latest.findIndex(({ Id }) => Id === last);
  return end === -1 ? held : [...held, ...latest.slice(end + 1)];
}

/** J and K, or the arrows, walk from trace to trace. */
function useWalk(
  traces: readonly TraceSummaryAnswer[],
  reveal: (index: number) => void,
): (event: KeyboardEvent<HTMLElement>) => void {
  const step = (by: 1 | -1) => {
    const row = document.activeElement?.closest<HTMLElement>('[data-index]');
    const index = Math.min(traces.length - 1, Math.max(0, row ? Number(row.dataset['index']) + by : 0));
    reveal(index);
    // The row may come into the page only now.
    requestAnimationFrame(() =>
      document.querySelector<HTMLElement>(`[data-index="${index}"] a`)?.focus({ preventScroll: true }),
    );
  };
  useShortcuts({ j: () => step(1), k: () => step(-1) });
  return (event) => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    step(event.key === 'ArrowDown' ? 1 : -1);
  };
}
