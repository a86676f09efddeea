/** The time a page looks at: the last so many seconds, or from one instant to another (epoch seconds). */
export type TimeRange =
  | { readonly kind: 'last'; readonly seconds: number }
  | { readonly kind: 'between'; readonly from: number; readonly to: number | undefined };

/** The range as it stands in the address: `from=-30m`, or `from=1716560000&to=1716563600`. */
export interface RangeWords {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export const relativeRanges: readonly { readonly words: string; readonly label: string }[] = [
  { words: '-5m', label: 'Last 5 minutes' },
  { words: '-15m', label: 'Last 15 minutes' },
  { words: '-30m', label: 'Last 30 minutes' },
  { words: '-1h', label: 'Last hour' },
  { words: '-3h', label: 'Last 3 hours' },
  { words: '-6h', label: 'Last 6 hours' },
  { words: '-1d', label: 'Last day' },
  { words: '-7d', label: 'Last 7 days' },
];

export const defaultFrom = '-1h';
const defaultRange: TimeRange = { kind: 'last', seconds: 3600 };
const relativePattern = /^-(\d{1,6})([smhd])$/;
const epochPattern = /^\d{1,10}(?:\.\d{1,9})?$/;
const unitSeconds = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
]);

/** Senders' clocks run a little ahead of ours; "up to now" includes what they send. */
const clockToleranceSeconds = 5;

/** The range that the words stand for; the last hour when they stand for none. */
export function parseRange({ from, to }: RangeWords): TimeRange {
  const relative = relativePattern.exec(from ?? '');
  if (relative) return { kind: 'last', seconds: Number(relative[1]) * (unitSeconds.get(relative[2] ?? '') ?? 1) };
  if (!epochPattern.test(from ?? '')) return defaultRange;
  const end = epochPattern.test(to ?? '') ? Number(to) : undefined;
  if (end !== undefined && end <= Number(from)) return defaultRange;
  return { kind: 'between', from: Number(from), to: end };
}

/** Start and end in epoch seconds at the moment `nowSeconds`. */
export function resolveRange(range: TimeRange, nowSeconds: number): { readonly from: number; readonly to: number } {
  const end = nowSeconds + clockToleranceSeconds;
  if (range.kind === 'last') return { from: nowSeconds - range.seconds, to: end };
  return { from: range.from, to: range.to ?? Math.max(end, range.from + 1) };
}

/** `the last 30 minutes`, `the chosen time`. */
export function spellRange(words: RangeWords): string {
  if (parseRange(words).kind === 'between') return 'the chosen time';
  const known = relativeRanges.find((range) => range.words === (words.from ?? defaultFrom));
  return known ? `the ${known.label.toLowerCase()}` : `the last ${words.from?.slice(1)}`;
}

/** The next wider relative range; undefined when there is none. */
export function widerRange(range: TimeRange): string | undefined {
  if (range.kind === 'between') return undefined;
  return relativeRanges.find(({ words }) => {
    const candidate = parseRange({ from: words });
    return candidate.kind === 'last' && candidate.seconds > range.seconds * 2;
  })?.words;
}
