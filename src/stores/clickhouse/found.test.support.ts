import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { eventually } from '../../../test/support/eventually.ts';
import { graphQuery, traceQuery } from '../../../test/support/query.ts';
import type { ServiceGraph } from '../../model/index.ts';
import type { PeriodGraph, Store, TraceFound } from '../../pipeline/store.ts';
import { second } from './opened.test.support.ts';

/** Waits until both stores find and count the same. */
export async function same(store: Store, reference: Store): Promise<void> {
  const expected = await whatIsFound(reference);
  let found: object | undefined;
  await eventually('the digests', async () => {
    found = await whatIsFound(store);
    return isDeepStrictEqual(found, expected) || undefined;
  }).catch(() => assert.deepEqual(found, expected));
}

/** Everything that a store finds and counts, by each time and by several periods. */
async function whatIsFound(store: Store): Promise<object> {
  const byTimes = ['start', 'end', 'update'] as const;
  const lists = await Promise.all(byTimes.map((by) => listAll(store, { by, limit: 1000 })));
  const periods = [undefined, 60n * second, 3600n * second];
  const graphs = await Promise.all(periods.map((periodNs) => store.graphs(graphQuery({ periodNs }))));
  return { lists, graphs: graphs.map(sorted) };
}

/** All traces, page by page. */
export async function listAll(of: Store, wanted: Parameters<typeof traceQuery>[0]): Promise<readonly TraceFound[]> {
  const listed: TraceFound[] = [];
  for (let after = undefined as TraceFound | undefined; ; after = listed.at(-1)) {
    const page = await of.findTraces(traceQuery({ ...wanted, after }));
    listed.push(...page.traces);
    if (!page.next) return listed;
  }
}

/** The order of nodes and edges is free. */
export function sorted(graphs: readonly PeriodGraph[]): readonly object[] {
  return [...graphs]
    .sort((a, b) => (a.fromNs < b.fromNs ? -1 : 1))
    .map(({ fromNs, graph }) => ({ fromNs, nodes: nodesOf(graph) }));
}

function nodesOf({ nodes }: ServiceGraph): ReadonlyMap<string, object> {
  const name = (id: number): string => JSON.stringify(nodes[id]?.service);
  return new Map(
    nodes
      .map(({ referenceId, edges, ...node }): [string, object] => [
        name(referenceId),
        {
          ...node,
          edges: new Map(
            edges
              .map((edge): [string, object] => [`${edge.type} ${name(edge.referenceId)}`, { ...edge, referenceId: 0 }])
              .sort(([a], [b]) => (a < b ? -1 : 1)),
          ),
        },
      ])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
