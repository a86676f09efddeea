import type { Sample } from './sample.ts';

/** A line of two trees laid over each other. */
export interface MergedRow {
  /** Unique among the rows. */
  readonly key: string;
  /** 1 for a root. */
  readonly level: number;
  readonly name: string;
  readonly detail: string;
  /** Undefined on the side that does not have it. */
  readonly a: Sample | undefined;
  readonly b: Sample | undefined;
}

/** Both trees in one, depth first: what both have on one line, what only one has at its place. */
export function merge(a: readonly Sample[], b: readonly Sample[]): readonly MergedRow[] {
  return mergeLevel(a, b, { level: 1, path: '' });
}

/** Seconds that the second takes longer by itself; what is missing counts as nothing. */
export function ownDelta({ a, b }: MergedRow): number {
  return (b?.own ?? 0) - (a?.own ?? 0);
}

/** Seconds that the second takes longer; undefined where one side is missing or in progress. */
export function durationDelta({ a, b }: MergedRow): number | undefined {
  if (a?.duration === undefined || b?.duration === undefined) return undefined;
  return b.duration - a.duration;
}

function mergeLevel(
  a: readonly Sample[],
  b: readonly Sample[],
  { level, path }: { readonly level: number; readonly path: string },
): readonly MergedRow[] {
  const right = new Map(b.map((sample) => [sample.key, sample]));
  const left = new Set(a.map(({ key }) => key));
  const pairs = [
    ...a.map((sample) => [sample, right.get(sample.key)] as const),
    ...b.filter(({ key }) => !left.has(key)).map((sample) => [undefined, sample] as const),
  ];
  return pairs.flatMap(([one, other]) => {
    const shown = one ?? other;
    if (!shown) return [];
    const key = `${path}/${shown.key}`;
    const row: MergedRow = { key, level, name: shown.name, detail: shown.detail, a: one, b: other };
    return [row, ...mergeLevel(one?.children ?? [], other?.children ?? [], { level: level + 1, path: key })];
  });
}
