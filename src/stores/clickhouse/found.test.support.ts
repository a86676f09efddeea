import { graphQuery, traceQuery } from '../../../test/support/query.ts';
import type { ServiceGraph } from '../../model/index.ts';
import type { PeriodGraph, Store, TraceFound, TraceQuery } from '../../pipeline/store.ts';
import { second } from './opened.test.support.ts';

/** Everything that a store finds and counts in this range of each time. */
export async function whatIsFound(store: Store, range: Ranges): Promise<object> {
  const lists = await Promise.all(
    (['start', 'end', 'update'] as const).map(async (by) => [
      by,
      await listAll(store, { by, limit: 1000, ...(by === 'update' ? range.received : range.listed) }),
    ]),
  );
  const graphs = await Promise.all(
    [undefined, 60n * second, 3600n * second].map((periodNs) =>
      store.graphs(graphQuery({ ...range.listed, periodNs })),
    ),
  );
  return { lists, graphs: graphs.map(sorted) };
}

interface Ranges {
  readonly listed: Range;
  readonly received: Range;
}

type Range = Pick<TraceQuery, 'fromNs' | 'toNs'>;

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
