import type { TracePoint } from '../api/answers.ts';
import type { Facet } from './facets.ts';

/** How a facet is spread over some traces and over the others. */
export interface FacetDifference {
  readonly facet: Facet;
  /** 0 (spread alike) to 1 (nothing in common): half the sum of the differences of shares, the total variation distance. */
  readonly distance: number;
  /** Those that differ most first, at most `valuesMax`. */
  readonly values: readonly ValueDifference[];
}

export interface ValueDifference {
  readonly value: string;
  /** 0 to 1, of the traces on each side. */
  readonly selected: number;
  readonly rest: number;
}

const valuesMax = 5;
const distanceMin = 0.05;
/** What has a value of its own for nearly each trace, such as an id, differs always and explains nothing. */
const distinctShareMax = 0.5;
const distinctMin = 20;
const nothing = '(none)';

/** The facets that differ most between the selected traces and the rest, most different first. */
export function differences(
  { selected, rest }: { readonly selected: readonly TracePoint[]; readonly rest: readonly TracePoint[] },
  facets: readonly Facet[],
): readonly FacetDifference[] {
  if (selected.length === 0 || rest.length === 0) return [];
  return facets
    .flatMap((facet) => {
      const [one, other] = [sharesOf(selected, facet), sharesOf(rest, facet)];
      const all = new Set([...one.keys(), ...other.keys()]);
      if (all.size > distinctMin && all.size > (selected.length + rest.length) * distinctShareMax) return [];
      const values = [...all].map((value): ValueDifference => ({
        value,
        selected: one.get(value) ?? 0,
        rest: other.get(value) ?? 0,
      }));
      const distance = values.reduce((sum, value) => sum + gap(value), 0) / 2;
      const most = values.toSorted((a, b) => gap(b) - gap(a)).filter(({ value }) => value !== nothing);
      return [{ facet, distance, values: most.slice(0, valuesMax) }];
    })
    .filter(({ distance, values }) => distance >= distanceMin && values.length > 0)
    .toSorted((a, b) => b.distance - a.distance);
}

function gap({ selected, rest }: ValueDifference): number {
  return Math.abs(selected - rest);
}

/** The share of the traces that have a value; a trace of several counts for each in parts. */
function sharesOf(points: readonly TracePoint[], facet: Facet): ReadonlyMap<string, number> {
  const shares = new Map<string, number>();
  for (const point of points) {
    const found = [...new Set(facet.valuesOf(point))];
    const values = found.length === 0 ? [nothing] : found;
    for (const value of values) shares.set(value, (shares.get(value) ?? 0) + 1 / values.length / points.length);
  }
  return shares;
}
