import type { TracePoint } from '../api/answers.ts';
import { noCounts } from '../outcome/outcome.ts';
import type { OutcomeCounts } from '../outcome/outcome.ts';
import { outcomeOfPoint } from './facets.ts';

/** Response times on a logarithmic scale, and times on a linear one, over the points that are shown. */
export interface Scale {
  readonly from: number;
  readonly to: number;
  /** 0 to 1. */
  readonly place: (value: number) => number;
  readonly value: (place: number) => number;
}

/** Less is drawn as this. */
const secondsMin = 0.0001;

export function durationScale(points: readonly TracePoint[]): Scale {
  const seconds = points.map(({ ResponseTime }) => Math.max(secondsMin, ResponseTime));
  const from = Math.min(...seconds, 1);
  const to = Math.max(...seconds, from * 2) * 1.1;
  const [low, high] = [Math.log(from), Math.log(to)];
  return {
    from,
    to,
    place: (value) => clamp((Math.log(Math.max(secondsMin, value)) - low) / (high - low)),
    value: (place) => Math.exp(low + clamp(place) * (high - low)),
  };
}

export function timeScale({ from, to }: { readonly from: number; readonly to: number }): Scale {
  return {
    from,
    to,
    place: (value) => clamp((value - from) / (to - from)),
    value: (place) => from + clamp(place) * (to - from),
  };
}

/** Bins of equal width on the scale, with how the traces in each ended. */
export function histogramOf(points: readonly TracePoint[], scale: Scale, count: number): readonly OutcomeCounts[] {
  const bins = Array.from({ length: count }, () => ({ ...noCounts }));
  for (const point of points) {
    const bin = bins[binAt(scale.place(point.ResponseTime), count)];
    if (!bin) continue;
    bin[outcomeOfPoint(point)] += 1;
    bin.total += 1;
  }
  return bins;
}

export interface HeatCell {
  readonly column: number;
  readonly row: number;
  readonly count: number;
  readonly faults: number;
}

/** Cells that hold any trace: columns by start, rows by response time, both from the lowest. */
export function heatmapOf(
  points: readonly TracePoint[],
  scales: { readonly time: Scale; readonly duration: Scale },
  { columns, rows }: { readonly columns: number; readonly rows: number },
): readonly HeatCell[] {
  const cells = new Map<number, { -readonly [Key in keyof HeatCell]: HeatCell[Key] }>();
  for (const { StartTime, ResponseTime, HasFault } of points) {
    const column = binAt(scales.time.place(StartTime), columns);
    const row = binAt(scales.duration.place(ResponseTime), rows);
    const key = column * rows + row;
    const cell = cells.get(key) ?? { column, row, count: 0, faults: 0 };
    cell.count += 1;
    if (HasFault) cell.faults += 1;
    cells.set(key, cell);
  }
  return [...cells.values()];
}

function binAt(place: number, count: number): number {
  return Math.min(count - 1, Math.floor(place * count));
}

function clamp(place: number): number {
  return Math.min(1, Math.max(0, place));
}
