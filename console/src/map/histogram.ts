import type { HistogramAnswer } from '../api/answers.ts';

export interface HistogramBin {
  /** Seconds; `from` belongs to the bin, `to` to the next one (the last bin holds both). */
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** The entries of a GetServiceGraph histogram, which are exact values in any order, in `binCount` bins of equal width. */
export function toBins(entries: readonly HistogramAnswer[], binCount: number): readonly HistogramBin[] {
  if (entries.length === 0) return [];
  const largest = niceCeiling(entries.reduce((max, { Value }) => Math.max(max, Value), 0));
  const width = largest / binCount;
  const counts = Array.from({ length: binCount }, () => 0);
  for (const { Value, Count } of entries) {
    const bin = Math.min(binCount - 1, Math.max(0, Math.floor(Value / width)));
    counts[bin] = (counts[bin] ?? 0) + Count;
  }
  return counts.map((count, bin) => ({ from: bin * width, to: (bin + 1) * width, count }));
}

/** The value below which `share` (0 to 1) of the requests lie; undefined when there are none. */
export function percentile(entries: readonly HistogramAnswer[], share: number): number | undefined {
  const total = entries.reduce((sum, { Count }) => sum + Count, 0);
  let seen = 0;
  for (const { Value, Count } of entries.toSorted((a, b) => a.Value - b.Value)) {
    seen += Count;
    if (seen >= total * share) return Value;
  }
  return undefined;
}

/** The next of 1, 2, 2.5, 5 and 10 times a power of ten, so that an axis ends at a round number. */
function niceCeiling(value: number): number {
  if (value <= 0) return 0.001;
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 2.5, 5, 10].find((candidate) => candidate * power >= value) ?? 10;
  return factor * power;
}
