import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ServiceGraph, ServiceNode } from '../model/index.ts';
import { digestTrace } from './digest.ts';
import { type GraphPosition, pageOfGraph } from './graph-page.ts';
import { createGraphBuilder } from './graph.ts';
import { timed, traceOf } from './shop.fixture.test.ts';

/** Services `n0`, `n1` … in one trace, and the client of the first. */
function graphOf(count: number): ServiceGraph {
  const builder = createGraphBuilder();
  const documents = Array.from({ length: count }, (_, i) => timed(i / 1000, 1, { id: `i${i}`, name: `n${i}` }));
  builder.add(digestTrace(traceOf(documents), []));
  return builder.build();
}

function pagesOf(graph: ServiceGraph): readonly (readonly ServiceNode[])[] {
  const pages: (readonly ServiceNode[])[] = [];
  let from: GraphPosition | undefined;
  do {
    const page = pageOfGraph(graph, from);
    assert.ok(page);
    pages.push(page.nodes);
    from = page.next;
  } while (from && pages.length < 100);
  return pages;
}

describe('pages of a graph', () => {
  test('hold a thousand services each, and together the graph', () => {
    const graph = graphOf(2500);
    const pages = pagesOf(graph);
    assert.deepEqual(
      pages.map(({ length }) => length),
      [1000, 1000, 501],
    );
    assert.deepEqual(pages.flat(), graph.nodes);
    assert.deepEqual(pagesOf(graphOf(0)), [[]]);
  });

  test('end earlier when histograms are long', () => {
    const [node] = graphOf(1).nodes;
    assert.ok(node);
    const long = Array.from({ length: 150_000 }, (_, i) => ({ value: i / 1000, count: 1 }));
    const nodes = [1, 2, 3].map(() => ({ ...node, responseTimeHistogram: long }));
    assert.deepEqual(
      pagesOf({ nodes }).map(({ length }) => length),
      [1, 1, 1],
    );
  });

  test('go on when services came after those already given, and not when they came before', () => {
    const next = pageOfGraph(graphOf(1500), undefined)?.next;
    assert.equal(pageOfGraph(graphOf(1600), next)?.nodes[0]?.service.name, 'n999');
    const { nodes } = graphOf(1500);
    assert.equal(pageOfGraph({ nodes: nodes.slice(1) }, next), undefined);
    assert.equal(pageOfGraph(graphOf(3), next), undefined);
  });
});
