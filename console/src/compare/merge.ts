import { align } from './align.ts';
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

/** Those that tell a difference: what less than half of the traces do is not missing from another. */
export function withoutUnusual(rows: readonly MergedRow[], traces: number): readonly MergedRow[] {
  return rows.filter(({ a, b }) => b !== undefined || (a !== undefined && a.count * 2 >= traces));
}

function mergeLevel(
  a: readonly Sample[],
  b: readonly Sample[],
  { level, path }: { readonly level: number; readonly path: string },
): readonly MergedRow[] {
  const pairs = align(a, b, ({ kind }) => kind);
  return pairs.flatMap((pair, place): readonly MergedRow[] => {
    const shown = pair.b ?? pair.a;
    if (!shown) return [];
    const key = `${path}/${place}`;
    const row: MergedRow = { key, level, name: shown.name, detail: shown.detail, ...pair };
    return [row, ...mergeLevel(pair.a?.children ?? [], pair.b?.children ?? [], { level: level + 1, path: key })];
  });
}
