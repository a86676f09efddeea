import type { ServiceGraph, ServiceNode } from '../model/index.ts';
import { hashText } from './hash.ts';
import { serviceKey } from './service.ts';

/** Services on one page. X-Ray publishes no number. */
const servicesPerPage = 1000;
/** Edges and entries of histograms on one page, about 10 MB of JSON; one service may have more alone. */
const entriesPerPage = 250_000;

/** Where a page begins: with which node, and what nodes stand before it. */
export interface GraphPosition {
  readonly index: number;
  readonly before: string;
}

export interface GraphPage {
  readonly nodes: readonly ServiceNode[];
  /** Undefined at the end. */
  readonly next: GraphPosition | undefined;
}

/**
 * One page of the nodes of a graph. The graph is made anew for each page, and edges name their
 * destination by its number in the whole of it: so a position holds only as long as the nodes
 * before it are the same. Undefined when they are not.
 */
export function pageOfGraph({ nodes }: ServiceGraph, from: GraphPosition | undefined): GraphPage | undefined {
  const start = from?.index ?? 0;
  if (from && (start > nodes.length || hashNodes(nodes.slice(0, start)) !== from.before)) return undefined;
  let entries = 0;
  let end = start;
  for (; end < nodes.length && end - start < servicesPerPage; end += 1) {
    const node = nodes[end];
    entries += node ? entriesOf(node) : 0;
    if (entries > entriesPerPage && end > start) break;
  }
  const next = end < nodes.length ? { index: end, before: hashNodes(nodes.slice(0, end)) } : undefined;
  return { nodes: nodes.slice(start, end), next };
}

function entriesOf({ edges, durationHistogram, responseTimeHistogram }: ServiceNode): number {
  const own = durationHistogram.length + responseTimeHistogram.length;
  return edges.reduce(
    (sum, edge) => sum + 1 + edge.responseTimeHistogram.length + edge.receivedEventAgeHistogram.length,
    own,
  );
}

function hashNodes(nodes: readonly ServiceNode[]): string {
  return hashText(nodes.map(({ service }) => serviceKey(service)).join('\n'));
}
