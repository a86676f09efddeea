import { printFilter } from '../../../src/query/index.ts';
import type { Filter } from '../../../src/query/index.ts';
import type { TracePoint } from '../api/answers.ts';
import { outcomeOf } from '../outcome/outcome.ts';
import type { Outcome } from '../outcome/outcome.ts';

/** Something by which traces differ: what they are grouped by, and what may explain why some are slow. */
export interface Facet {
  /** As it stands in the address: `service`, `annotation.tenant`. */
  readonly id: string;
  readonly label: string;
  /** A trace may have several values, or none. */
  readonly valuesOf: (point: TracePoint) => readonly string[];
  /** The condition that picks the traces of a value. */
  readonly conditionOf: (value: string) => Filter;
}

const fixed: readonly Facet[] = [
  {
    id: 'service',
    label: 'Entry service',
    valuesOf: ({ Service }) => listOf(Service),
    conditionOf: (name) => ({
      kind: 'service',
      node: { name, type: undefined, accountId: undefined },
      block: undefined,
    }),
  },
  keywordFacet('url', 'URL', 'http.url', ({ Url }) => Url),
  keywordFacet('method', 'Method', 'http.method', ({ Method }) => Method),
  {
    id: 'status',
    label: 'Status',
    valuesOf: ({ Status }) => listOf(Status?.toString()),
    conditionOf: (value) => ({
      kind: 'keyword',
      keyword: 'http.status',
      comparison: { operator: '=', value: Number(value) },
    }),
  },
  {
    id: 'user',
    label: 'User',
    valuesOf: ({ Users }) => Users,
    conditionOf: (value) => ({ kind: 'keyword', keyword: 'user', comparison: { operator: '=', value } }),
  },
];

/** The facets that occur: the fixed ones, then the annotations by name. */
export function facetsOf(points: readonly TracePoint[]): readonly Facet[] {
  const keys = new Set(points.flatMap(({ Annotations }) => Object.keys(Annotations)));
  return [...fixed, ...[...keys].toSorted().map(annotationFacet)];
}

export function annotationFacet(key: string): Facet {
  return {
    id: `annotation.${key}`,
    label: key,
    valuesOf: ({ Annotations }) => (Object.hasOwn(Annotations, key) ? (Annotations[key] ?? []) : []),
    conditionOf: (value) => ({ kind: 'annotation', key, comparison: { operator: '=', value } }),
  };
}

export function printCondition(facet: Facet, value: string): string {
  return printFilter(facet.conditionOf(value));
}

export function printExclusion(facet: Facet, value: string): string {
  return printFilter({ kind: 'not', term: facet.conditionOf(value) });
}

export function outcomeOfPoint({ HasFault, HasThrottle, HasError }: TracePoint): Outcome {
  return outcomeOf({ fault: HasFault, throttle: HasThrottle, error: HasError });
}

function keywordFacet(
  id: string,
  label: string,
  keyword: 'http.url' | 'http.method',
  valueOf: (point: TracePoint) => string | undefined,
): Facet {
  return {
    id,
    label,
    valuesOf: (point) => listOf(valueOf(point)),
    conditionOf: (value) => ({ kind: 'keyword', keyword, comparison: { operator: '=', value } }),
  };
}

function listOf(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}
