import { useRef, useState } from 'react';
import type { JSX, PointerEvent } from 'react';
import type { HistogramAnswer } from '../api/answers.ts';
import { countOf } from '../format/count.ts';
import { formatDuration } from '../format/duration.ts';
import styles from './Histogram.module.css';
import { TracesLink } from './TracesLink.tsx';
import { percentile, toBins } from './histogram.ts';
import type { HistogramBin } from './histogram.ts';

const binCount = 32;
const [width, height] = [308, 90];

/** The distribution of response times. Dragging over it, or two numbers, choose the requests whose traces to see. */
export function Histogram(props: {
  readonly title: string;
  readonly entries: readonly HistogramAnswer[];
  /** The filter expression of a range of seconds; without it nothing can be chosen. */
  readonly filterOf?: ((from: number, to: number) => string) | undefined;
}): JSX.Element | undefined {
  const [range, setRange] = useState<readonly [number, number] | undefined>();
  const bins = toBins(props.entries, binCount);
  const last = bins.at(-1);
  if (!last) return undefined;
  const median = percentile(props.entries, 0.5) ?? 0;
  return (
    <figure className={styles.histogram}>
      <figcaption>
        {props.title}
        <span className={styles.summary}>
          half within {formatDuration(median)}, all within {formatDuration(percentile(props.entries, 1) ?? 0)}
        </span>
      </figcaption>
      <Bars bins={bins} range={range} onRange={props.filterOf ? setRange : undefined} />
      <p className={styles.axis} aria-hidden="true">
        <span>0</span>
        <span>{formatDuration(last.to / 2)}</span>
        <span>{formatDuration(last.to)}</span>
      </p>
      {props.filterOf ? (
        <Choice range={range ?? [0, last.to]} largest={last.to} filterOf={props.filterOf} onRange={setRange} />
      ) : undefined}
    </figure>
  );
}

function Bars(props: {
  readonly bins: readonly HistogramBin[];
  readonly range: readonly [number, number] | undefined;
  readonly onRange: ((range: readonly [number, number]) => void) | undefined;
}): JSX.Element {
  const { bins, range, onRange } = props;
  const anchor = useRef<number>(undefined);
  const largest = bins.at(-1)?.to ?? 1;
  const highest = bins.reduce((max, { count }) => Math.max(max, count), 1);
  const drag = (event: PointerEvent<SVGSVGElement>) => {
    if (anchor.current === undefined || !onRange) return;
    const at = secondsAt(event, largest);
    onRange([Math.min(anchor.current, at), Math.max(anchor.current, at)]);
  };
  return (
    <svg
      className={styles.bars}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${countOf(
        bins.reduce((sum, { count }) => sum + count, 0),
        'request',
      )} from 0 to ${formatDuration(largest)}`}
      onPointerDown={(event) => {
        anchor.current = secondsAt(event, largest);
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={drag}
      onPointerUp={() => (anchor.current = undefined)}
    >
      {bins.map(({ from, to, count }, at) => (
        <rect
          key={from}
          data-chosen={range === undefined || (to > range[0] && from < range[1])}
          x={(at * width) / bins.length + 0.5}
          width={width / bins.length - 1}
          y={height - barHeight(count, highest)}
          height={barHeight(count, highest)}
        />
      ))}
    </svg>
  );
}

/** A single request stays visible beside thousands. */
function barHeight(count: number, highest: number): number {
  return count === 0 ? 0 : Math.max(2, (count / highest) * (height - 4));
}

function secondsAt(event: PointerEvent<SVGSVGElement>, largest: number): number {
  const box = event.currentTarget.getBoundingClientRect();
  return round(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * largest);
}

function Choice(props: {
  readonly range: readonly [number, number];
  readonly largest: number;
  readonly filterOf: (from: number, to: number) => string;
  readonly onRange: (range: readonly [number, number]) => void;
}): JSX.Element {
  const { range, largest, filterOf, onRange } = props;
  const [from, to] = range;
  return (
    <div className={styles.choice}>
      <SecondsInput label="From seconds" largest={largest} value={from} onChange={(value) => onRange([value, to])} />
      <span aria-hidden="true">–</span>
      <SecondsInput label="To seconds" largest={largest} value={to} onChange={(value) => onRange([from, value])} />
      <span>s</span>
      <TracesLink filter={filterOf(from, to)}>View these traces</TracesLink>
    </div>
  );
}

function SecondsInput(props: {
  readonly label: string;
  readonly largest: number;
  readonly value: number;
  readonly onChange: (seconds: number) => void;
}): JSX.Element {
  return (
    <input
      type="number"
      aria-label={props.label}
      min={0}
      max={props.largest}
      step="any"
      value={props.value}
      onChange={(event) => props.onChange(Number(event.target.value))}
    />
  );
}

function round(seconds: number): number {
  return Number(seconds.toPrecision(3));
}
