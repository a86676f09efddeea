import { useMemo, useRef, useState } from 'react';
import type { JSX, PointerEvent } from 'react';
import type { ResponseTimeCell, ResponseTimesAnswer, TracePoint } from '../api/answers.ts';
import { countOf } from '../format/count.ts';
import { formatDuration } from '../format/duration.ts';
import { formatMinute } from '../format/time.ts';
import { outcomes } from '../outcome/outcome.ts';
import styles from './Explore.module.css';
import { countAll, durationScale, heatmapOf, histogramOf, timeScale } from './bins.ts';
import type { DurationScale, Scale } from './bins.ts';
import { outcomeOfPoint } from './facets.ts';
import type { Selection } from './selection.ts';

export type ChartKind = 'histogram' | 'heatmap' | 'scatter';

const [width, height] = [1000, 120];
const barsMax = 60;
const rowsMax = 20;
const dotsMax = 2000;
const ticks = [0, 0.25, 0.5, 0.75, 1];
const opacitySteps = 4;

/** The histogram has response times along its width; the others have time there, and response times upwards. */
export function Chart(props: {
  readonly times: ResponseTimesAnswer;
  /** The newest of them, of which the scatter shows some. */
  readonly points: readonly TracePoint[];
  readonly kind: ChartKind;
  readonly selection: Selection | undefined;
  readonly onSelect: (chosen: Selection | undefined) => void;
}): JSX.Element {
  const { times, points, kind } = props;
  const duration = useMemo(() => durationScale(times.Cells, kind === 'histogram' ? barsMax : rowsMax), [times, kind]);
  const time = useMemo(() => timeScale({ from: times.StartTime, to: times.EndTime }), [times]);
  const across = kind === 'histogram' ? duration : time;
  return (
    <figure className={styles.chart}>
      <div className={styles.picture}>
        {kind === 'histogram' ? undefined : (
          <p className={styles.upwards} aria-hidden="true">
            <span>{formatDuration(duration.to)}</span>
            <span>{formatDuration(duration.from)}</span>
          </p>
        )}
        <Brush {...props} duration={duration} time={time}>
          {kind === 'histogram' ? <Bars cells={times.Cells} scale={duration} /> : undefined}
          {kind === 'heatmap' ? <Cells times={times} scale={duration} /> : undefined}
          {kind === 'scatter' ? <Dots points={points} duration={duration} time={time} /> : undefined}
        </Brush>
      </div>
      <p className={styles.axis} aria-hidden="true">
        {ticks.map((place) => (
          <span key={place}>
            {kind === 'histogram' ? formatDuration(across.value(place)) : formatMinute(across.value(place)).slice(11)}
          </span>
        ))}
      </p>
    </figure>
  );
}

interface Scales {
  readonly duration: Scale;
  readonly time: Scale;
}

interface Corner {
  readonly x: number;
  readonly y: number;
}

/** The picture, in which dragging chooses; a click without a drag chooses nothing. */
function Brush(
  props: Scales & {
    readonly times: ResponseTimesAnswer;
    readonly kind: ChartKind;
    readonly selection: Selection | undefined;
    readonly onSelect: (chosen: Selection | undefined) => void;
    readonly children: React.ReactNode;
  },
): JSX.Element {
  const { kind, duration, time, selection, onSelect } = props;
  const anchor = useRef<Corner>(undefined);
  const [dragged, setDragged] = useState<readonly [Corner, Corner] | undefined>();
  const move = (event: PointerEvent<SVGSVGElement>) => {
    if (anchor.current) setDragged([anchor.current, cornerAt(event)]);
  };
  const end = () => {
    anchor.current = undefined;
    if (!dragged) return;
    setDragged(undefined);
    onSelect(selectionOf(dragged, { kind, duration, time }));
  };
  const box = dragged ?? (selection && boxOf(selection, { kind, duration, time }));
  return (
    <svg
      className={styles.svg}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${countOf(countAll(props.times.Cells), 'trace')}, ${formatDuration(duration.from)} to ${formatDuration(duration.to)}`}
      onPointerDown={(event) => {
        anchor.current = cornerAt(event);
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={move}
      onPointerUp={end}
      onPointerCancel={end}
    >
      {props.children}
      {box ? <Box corners={box} isWhole={kind === 'histogram'} /> : undefined}
    </svg>
  );
}

function Box({
  corners: [one, other],
  isWhole,
}: {
  readonly corners: readonly [Corner, Corner];
  readonly isWhole: boolean;
}) {
  const [left, right] = [Math.min(one.x, other.x), Math.max(one.x, other.x)];
  const [top, bottom] = isWhole ? [0, 1] : [Math.min(one.y, other.y), Math.max(one.y, other.y)];
  return (
    <rect
      className={styles.box}
      x={left * width}
      y={top * height}
      width={Math.max(1, (right - left) * width)}
      height={Math.max(1, (bottom - top) * height)}
    />
  );
}

function selectionOf(
  [one, other]: readonly [Corner, Corner],
  { kind, duration, time }: Scales & { readonly kind: ChartKind },
): Selection {
  const [left, right] = [Math.min(one.x, other.x), Math.max(one.x, other.x)];
  const [top, bottom] = [Math.min(one.y, other.y), Math.max(one.y, other.y)];
  if (kind === 'histogram') return { from: duration.value(left), to: duration.value(right) };
  return {
    from: duration.value(1 - bottom),
    to: duration.value(1 - top),
    since: time.value(left),
    until: time.value(right),
  };
}

function boxOf(
  { from, to, since, until }: Selection,
  { kind, duration, time }: Scales & { readonly kind: ChartKind },
): readonly [Corner, Corner] {
  const [low, high] = [duration.place(from), duration.place(to)];
  if (kind === 'histogram')
    return [
      { x: low, y: 0 },
      { x: high, y: 1 },
    ];
  const [left, right] = [since === undefined ? 0 : time.place(since), until === undefined ? 1 : time.place(until)];
  return [
    { x: left, y: 1 - high },
    { x: right, y: 1 - low },
  ];
}

function cornerAt(event: PointerEvent<SVGSVGElement>): Corner {
  const box = event.currentTarget.getBoundingClientRect();
  const share = (at: number, size: number) => Math.min(1, Math.max(0, at / size));
  return { x: share(event.clientX - box.left, box.width), y: share(event.clientY - box.top, box.height) };
}

function Bars({
  cells,
  scale,
}: {
  readonly cells: readonly ResponseTimeCell[];
  readonly scale: DurationScale;
}): JSX.Element {
  const bins = useMemo(() => histogramOf(cells, scale), [cells, scale]);
  const highest = bins.reduce((max, { total }) => Math.max(max, total), 1);
  const barWidth = width / scale.binCount;
  return (
    <>
      {bins.map((counts, at) => {
        let below = 0;
        return outcomes
          .filter(({ outcome }) => counts[outcome] > 0)
          .map(({ outcome }) => {
            const size = Math.max(1.5, (counts[outcome] / highest) * (height - 4));
            below += size;
            return (
              <rect
                key={`${at} ${outcome}`}
                data-outcome={outcome}
                x={at * barWidth + 1}
                width={barWidth - 2}
                y={height - below}
                height={size}
              />
            );
          });
      })}
    </>
  );
}

function Cells({
  times: { Cells: counted, ColumnCount },
  scale,
}: {
  readonly times: ResponseTimesAnswer;
  readonly scale: DurationScale;
}): JSX.Element {
  const cells = useMemo(() => heatmapOf(counted, scale), [counted, scale]);
  const fullest = cells.reduce((max, { count }) => Math.max(max, count), 1);
  return (
    <>
      {cells.map(({ column, row, count, faults }) => (
        <rect
          key={`${column} ${row}`}
          data-outcome={faults > 0 ? 'fault' : 'ok'}
          data-depth={Math.ceil((Math.log1p(count) / Math.log1p(fullest)) * opacitySteps)}
          x={(column * width) / ColumnCount}
          y={height - ((row + 1) * height) / scale.binCount}
          width={width / ColumnCount}
          height={height / scale.binCount}
        />
      ))}
    </>
  );
}

function Dots({ points, duration, time }: Scales & { readonly points: readonly TracePoint[] }): JSX.Element {
  return (
    <>
      {points.slice(0, dotsMax).map((point) => (
        <ellipse
          key={point.Id}
          data-outcome={outcomeOfPoint(point)}
          cx={time.place(point.StartTime) * width}
          cy={height - duration.place(point.ResponseTime) * height}
          rx={2.4}
          ry={2.8}
        />
      ))}
    </>
  );
}
