import type { Outline } from './outline.ts';
import { withoutValues } from './values.ts';

/** A place in the tree of traces that are alike. Seconds are medians over the traces that have it. */
export interface NormalPlace {
  readonly kind: string;
  readonly name: string;
  readonly detail: string;
  /** Traces that have it. */
  readonly count: number;
  readonly failed: number;
  /** Undefined when it has ended in none. */
  readonly duration: number | undefined;
  readonly own: number;
  readonly children: readonly NormalPlace[];
}

/** What fewer of them do is chance, and there is no end to it. */
const shareMin = 0.1;

/** What traces of one entry point usually do: the n-th work of a kind below one place is the same in all of them. */
export function normalOf(traces: readonly (readonly Outline[])[]): readonly NormalPlace[] {
  return gather(traces, Math.ceil(traces.length * shareMin));
}

function gather(siblings: readonly (readonly Outline[])[], countMin: number): readonly NormalPlace[] {
  const places = new Map<string, Outline[]>();
  for (const outlines of siblings) {
    const turns = new Map<string, number>();
    for (const outline of outlines) {
      const turn = (turns.get(outline.kind) ?? 0) + 1;
      turns.set(outline.kind, turn);
      const key = `${turn} ${outline.kind}`;
      const place = places.get(key);
      if (place) place.push(outline);
      else places.set(key, [outline]);
    }
  }
  return [...places.values()]
    .filter((found) => found.length >= countMin)
    .map((found) => ({ start: median(found.map(({ start }) => start)), place: toPlace(found, countMin) }))
    .toSorted((a, b) => a.start - b.start)
    .map(({ place }) => place);
}

function toPlace(found: readonly Outline[], countMin: number): NormalPlace {
  const [first] = found;
  const durations = found.flatMap(({ duration }) => (duration === undefined ? [] : [duration]));
  return {
    kind: first?.kind ?? '',
    name: first?.name ?? '',
    detail: commonDetail(new Set(found.map(({ detail }) => detail))),
    count: found.length,
    failed: found.filter(({ failed }) => failed).length,
    duration: durations.length === 0 ? undefined : median(durations),
    own: median(found.map(({ own }) => own)),
    children: gather(
      found.map(({ children }) => children),
      countMin,
    ),
  };
}

/** `GET /orders/…` of many. */
function commonDetail(details: ReadonlySet<string>): string {
  const [first = ''] = details;
  return details.size === 1 ? first : withoutValues(first).replaceAll('0', '…');
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
