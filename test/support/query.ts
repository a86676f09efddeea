import type { GraphQuery, TraceQuery } from '../../src/pipeline/store.ts';

/** Of somebody who waits. */
const { signal } = new AbortController();

/** A question for all traces there are, but for what is wanted. */
export function traceQuery(wanted: Partial<TraceQuery> = {}): TraceQuery {
  return { ...everything, by: 'start', share: 1, after: undefined, limit: 1000, ...wanted };
}

export function graphQuery(wanted: Partial<GraphQuery> = {}): GraphQuery {
  return { ...everything, periodNs: undefined, ...wanted };
}

const everything = { fromNs: 0n, toNs: 2n ** 63n, filter: undefined, groups: new Map(), signal } as const;
