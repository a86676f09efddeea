import { responseTimeBucket, secondsOfBucket } from '../../../src/query/index.ts';
import type { ResponseTimeCell } from '../api/answers.ts';
import { noCounts, outcomeOf } from '../outcome/outcome.ts';
import type { OutcomeCounts } from '../outcome/outcome.ts';

/** What lies between two values, as places from 0 to 1. */
export interface Scale {
  readonly from: number;
  readonly to: number;
  /** 0 to 1. */
  readonly place: (value: number) => number;
  readonly value: (place: number) => number;
}

/** Seconds on a logarithmic scale, in bins of equal width, each of whole buckets. */
export interface DurationScale extends Scale {
  readonly binCount: number;
  readonly binOf: (bucket: number) => number;
}

/** Some times that are nearly the same shall not look as if they were far apart. */
const bucketsMin = 16;

/** From the shortest response time to the longest, in `binsMax` bins at most. */
export function durationScale(cells: readonly Pick<ResponseTimeCell, 'Bucket'>[], binsMax: number): DurationScale {
  const buckets = cells.map(({ Bucket }) => Bucket);
  const [lowest, highest] = buckets.reduce(
    ([low, high], bucket) => [Math.min(low, bucket), Math.max(high, bucket)],
    [buckets[0] ?? responseTimeBucket(1), buckets[0] ?? responseTimeBucket(1)],
  );
  const spare = Math.max(0, bucketsMin - (highest - lowest + 1));
  const first = lowest - Math.ceil(spare / 2);
  const perBin = Math.ceil((highest - lowest + 1 + spare) / binsMax);
  const binCount = Math.ceil((highest + 1 + Math.floor(spare / 2) - first) / perBin);
  const [from, to] = [secondsOfBucket(first), secondsOfBucket(first + binCount * perBin)];
  const [low, high] = [Math.log(from), Math.log(to)];
  return {
    from,
    to,
    place: (value) => (value > 0 ? clamp((Math.log(value) - low) / (high - low)) : 0),
    value: (place) => Math.exp(low + clamp(place) * (high - low)),
    binCount,
    binOf: (bucket) => Math.floor((bucket - first) / perBin),
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

/** How the traces in each bin of the scale ended. */
export function histogramOf(cells: readonly ResponseTimeCell[], scale: DurationScale): readonly OutcomeCounts[] {
  const bins = Array.from({ length: scale.binCount }, () => ({ ...noCounts }));
  for (const cell of cells) {
    const bin = bins[scale.binOf(cell.Bucket)];
    if (!bin) continue;
    bin[outcomeOfCell(cell)] += cell.Count;
    bin.total += cell.Count;
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
export function heatmapOf(cells: readonly ResponseTimeCell[], scale: DurationScale): readonly HeatCell[] {
  const merged = new Map<number, { -readonly [Key in keyof HeatCell]: HeatCell[Key] }>();
  for (const { Column: column, Bucket, HasFault, Count } of cells) {
    const row = scale.binOf(Bucket);
    const key = column * scale.binCount + row;
    const cell = merged.get(key) ?? { column, row, count: 0, faults: 0 };
    cell.count += Count;
    if (HasFault) cell.faults += Count;
    merged.set(key, cell);
  }
  return [...merged.values()];
}

/** Traces in a part of the chart, by the middle of their cells: what lies across its rim is not told apart. */
export function countWithin(
  cells: readonly ResponseTimeCell[],
  isWithin: (middle: { readonly ResponseTime: number; readonly StartTime: number }) => boolean,
  time: { readonly from: number; readonly to: number; readonly columnCount: number },
): number {
  const columnSeconds = (time.to - time.from) / time.columnCount;
  return cells.reduce((sum, { Column, Bucket, Count }) => {
    const StartTime = time.from + (Column + 0.5) * columnSeconds;
    return isWithin({ StartTime, ResponseTime: secondsOfBucket(Bucket + 0.5) }) ? sum + Count : sum;
  }, 0);
}

export function countAll(cells: readonly ResponseTimeCell[]): number {
  return cells.reduce((sum, { Count }) => sum + Count, 0);
}

function outcomeOfCell({ HasFault, HasThrottle, HasError }: ResponseTimeCell): ReturnType<typeof outcomeOf> {
  return outcomeOf({ fault: HasFault, throttle: HasThrottle, error: HasError });
}

function clamp(place: number): number {
  return Math.min(1, Math.max(0, place));
}
