import type { TracePoint } from '../api/answers.ts';
import type { Facet } from './facets.ts';

/** The traces of one value of a facet. */
export interface PointGroup {
  /** Undefined: traces that have none. */
  readonly value: string | undefined;
  readonly count: number;
  readonly faults: number;
  /** Seconds. */
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** Largest first. A trace of several values stands in the group of each. */
export function groupPoints(points: readonly TracePoint[], facet: Facet): readonly PointGroup[] {
  const groups = new Map<string | undefined, TracePoint[]>();
  for (const point of points) {
    const values = facet.valuesOf(point);
    for (const value of values.length === 0 ? [undefined] : new Set(values)) {
      const group = groups.get(value);
      if (group) group.push(point);
      else groups.set(value, [point]);
    }
  }
  return [...groups].map(([value, members]) => toGroup(value, members)).toSorted((a, b) => b.count - a.count);
}

function toGroup(value: string | undefined, members: readonly TracePoint[]): PointGroup {
  const seconds = members.map(({ ResponseTime }) => ResponseTime).toSorted((a, b) => a - b);
  return {
    value,
    count: members.length,
    faults: members.filter(({ HasFault }) => HasFault).length,
    p50: quantile(seconds, 0.5),
    p90: quantile(seconds, 0.9),
    p99: quantile(seconds, 0.99),
  };
}

/** Of sorted values, the smallest that the share of them does not exceed (nearest rank). */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
