import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { EdgeAnswer, ServiceAnswer, StatisticsAnswer } from '../api/answers.ts';
import { foldGraph, nodesUnfoldedMax } from './fold.ts';
import { shortName, toMapGraph, typeLabel } from './graph.ts';
import type { MapGraph } from './graph.ts';
import { percentile, toBins } from './histogram.ts';
import { layOut } from './layout.ts';
import { graphOfMinute, minutesOf } from './replay.ts';
import type { Layout } from './layout.ts';
import { layoutSizes } from './nodeSize.ts';
import { drawPicture } from './picture.ts';

const sizes = { nodeWidth: 100, nodeHeight: 60, gapX: 80, gapY: 20 };

describe('the layout of the map', () => {
  it('puts every callee right of its caller', () => {
    const drawn = draw(['a', 'b', 'c', 'd'], ['ab', 'bc', 'ac', 'cd']);
    const x = (key: string) => drawn.nodes.get(key)?.x ?? 0;
    assert.ok(x('a') < x('b') && x('b') < x('c') && x('c') < x('d'));
  });

  it('bends an edge that passes a layer around the node that stands there', () => {
    const drawn = draw(['a', 'b', 'c'], ['ab', 'bc', 'ac']);
    const [, bend, ...rest] = drawn.edges.get('ac') ?? [];
    const between = drawn.nodes.get('b');
    assert.equal(rest.length, 1);
    assert.equal(bend?.x, between?.x);
    assert.notEqual(bend?.y, between?.y);
  });

  it('does not let two calls cross when they need not', () => {
    const drawn = draw(
      ['a', 'b', 'x', 'y', 'root'],
      ['ay', 'bx', 'ra', 'rb'].map((pair) => pair.replace('r', 'root>')),
    );
    const y = (key: string) => drawn.nodes.get(key)?.y ?? 0;
    assert.equal(Math.sign(y('a') - y('b')), Math.sign(y('y') - y('x')));
  });

  it('draws services that call each other, and one that calls itself', () => {
    const drawn = draw(['a', 'b'], ['ab', 'ba', 'aa']);
    assert.notEqual(drawn.nodes.get('a')?.x, drawn.nodes.get('b')?.x);
    assert.deepEqual(drawn.edges.get('aa'), [drawn.nodes.get('a'), drawn.nodes.get('a')]);
    assert.deepEqual(drawn.edges.get('ba')?.[0], drawn.nodes.get('b'));
  });

  it('puts a client next to what it calls, not at the far left', () => {
    const drawn = draw(['a', 'b', 'c', 'u'], ['ab', 'bc', 'uc']);
    assert.equal(drawn.nodes.get('u')?.x, drawn.nodes.get('b')?.x);
  });

  it('is empty for an empty graph', () => {
    assert.deepEqual(layOut({ nodes: [], edges: [], sizes }), {
      nodes: new Map(),
      edges: new Map(),
      width: 0,
      height: 0,
    });
  });

  it('is the same every time, covers every node, and lets no two overlap', () => {
    const graph = fc.integer({ min: 1, max: 14 }).chain((count) =>
      fc.record({
        count: fc.constant(count),
        pairs: fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 30 }),
      }),
    );
    fc.assert(
      fc.property(graph, ({ count, pairs }) => {
        const nodes = Array.from({ length: count }, (_, at) => ({ key: `n${at}` }));
        const edges = pairs.map(([from, to], at) => ({ key: `e${at}`, from: `n${from}`, to: `n${to}` }));
        const drawn = layOut({ nodes, edges, sizes });
        assert.deepEqual(drawn, layOut({ nodes, edges, sizes }));
        assert.equal(drawn.nodes.size, count);
        assert.equal(drawn.edges.size, edges.length);
        assert.ok(!overlaps([...drawn.nodes.values()]));
      }),
    );
  });

  it('takes 500 services with 750 calls in well under a second', () => {
    const nodes = Array.from({ length: 500 }, (_, at) => ({ key: `n${at}` }));
    const edges = Array.from({ length: 750 }, (_, at) => {
      const to = 1 + (at % 499);
      return { key: `e${at}`, from: `n${(at * 7919) % to}`, to: `n${to}` };
    });
    const started = performance.now();
    assert.equal(layOut({ nodes, edges, sizes }).nodes.size, 500);
    assert.ok(performance.now() - started < 1000);
  });

  function draw(keys: readonly string[], pairs: readonly string[]): Layout {
    const edges = pairs.map((pair) => {
      const [from = '', to = ''] = pair.includes('>') ? pair.split('>') : [...pair];
      return { key: pair, from, to };
    });
    return layOut({ nodes: keys.map((key) => ({ key })), edges, sizes });
  }

  function overlaps(points: readonly { x: number; y: number }[]): boolean {
    return points.some((a, at) =>
      points
        .slice(at + 1)
        .some((b) => Math.abs(a.x - b.x) < sizes.nodeWidth && Math.abs(a.y - b.y) < sizes.nodeHeight - 0.001),
    );
  }
});

describe('the graph of the map', () => {
  const services: ServiceAnswer[] = [
    service({ ReferenceId: 0, Name: 'shop', Type: 'client', State: 'unknown', Edges: [edge({ ReferenceId: 1 })] }),
    service({
      ReferenceId: 1,
      Name: 'shop',
      Root: true,
      SummaryStatistics: statistics(4, 2),
      Edges: [edge({ ReferenceId: 2, EdgeType: 'link' }), edge({ ReferenceId: 99 })],
    }),
    service({ ReferenceId: 2, Name: 'carts', Type: 'AWS::DynamoDB::Table', State: 'unknown' }),
  ];

  it('keys nodes by what they are, not by their place in the answer', () => {
    const again = services.map((service) => ({
      ...service,
      ReferenceId: service.ReferenceId + 10,
      Edges: service.Edges.map((edge) => ({ ...edge, ReferenceId: edge.ReferenceId + 10 })),
    }));
    assert.deepEqual(toMapGraph(again.toReversed()), toMapGraph(services));
  });

  it('tells clients, services and inferred nodes apart, and drops an edge to nowhere', () => {
    const { nodes, edges } = toMapGraph(services);
    assert.deepEqual(nodes.map(({ client, inferred }) => [client, inferred]).toSorted(), [
      [false, false],
      [false, true],
      [true, false],
    ]);
    assert.equal(nodes.find(({ root }) => root)?.averageResponseTime, 0.5);
    assert.deepEqual(edges.map(({ link }) => link).toSorted(), [false, true]);
  });

  it('labels types and shortens queue URLs', () => {
    assert.equal(typeLabel('AWS::DynamoDB::Table'), 'DynamoDB Table');
    assert.equal(typeLabel(undefined), 'Service');
    assert.equal(shortName('https://sqs.eu-west-1.amazonaws.com/111122223333/orders'), 'orders');
    assert.equal(shortName('price.example'), 'price.example');
  });
});

describe('a graph of too many nodes', () => {
  const many = (count: number, name: (at: number) => string): MapGraph =>
    toMapGraph(
      Array.from({ length: count }, (_, at) =>
        service({
          ReferenceId: at,
          Name: name(at),
          SummaryStatistics: statistics(at + 1, at),
          Edges: at === 0 ? [] : [edge({ ReferenceId: 0, SummaryStatistics: statistics(2, 1) })],
        }),
      ),
    );
  const requests = ({ nodes }: MapGraph): number => nodes.reduce((sum, { counts }) => sum + counts.total, 0);

  it('is folded by the beginnings of names, and loses no request', () => {
    const whole = many(nodesUnfoldedMax + 100, (at) => `${at % 7 === 0 ? 'pay' : 'shop'}-${at}`);
    const folded = foldGraph(whole);
    assert.ok(folded.nodes.length <= 300);
    assert.deepEqual(folded.nodes.map(({ name }) => name).toSorted(), ['pay…', 'shop…']);
    assert.equal(requests(folded), requests(whole));
    assert.equal(
      folded.nodes.reduce((sum, { members }) => sum + (members?.length ?? 1), 0),
      whole.nodes.length,
    );
  });

  it('shows the members of what is opened, the busiest of very many', () => {
    const whole = many(nodesUnfoldedMax + 100, (at) => `${at % 7 === 0 ? 'pay' : 'shop'}-${at}`);
    const pay = foldGraph(whole).nodes.find(({ name }) => name === 'pay…');
    const opened = foldGraph(whole, [pay?.key ?? '']);
    assert.equal(opened.nodes.filter(({ name }) => name.startsWith('pay-')).length, pay?.members?.length);
    assert.equal(requests(opened), requests(whole));
    const shop = foldGraph(whole).nodes.find(({ name }) => name === 'shop…');
    const both = foldGraph(whole, [shop?.key ?? '']);
    assert.equal(both.nodes.filter(({ name }) => name.startsWith('shop-')).length, 150);
    assert.equal(requests(both), requests(whole));
  });

  it('is folded by type when names have nothing in common, up to as many as X-Ray answers', () => {
    const whole = many(10_000, (at) => `s${at}`);
    const folded = foldGraph(whole);
    assert.ok(folded.nodes.length <= 300);
    assert.equal(requests(folded), requests(whole));
  });

  it('is left alone below the limit', () => {
    const whole = many(nodesUnfoldedMax, (at) => `s-${at}`);
    assert.equal(foldGraph(whole), whole);
  });
});

describe('a replay', () => {
  it('has a step for each minute that the range touches', () => {
    assert.deepEqual(minutesOf({ from: 125, to: 241 }), [120, 180, 240]);
    assert.deepEqual(minutesOf({ from: 120, to: 180 }), [120]);
  });

  it('shows the nodes of the range with what they saw in the minute', () => {
    const range = toMapGraph([
      service({ ReferenceId: 0, Name: 'a', SummaryStatistics: statistics(9, 9) }),
      service({ ReferenceId: 1, Name: 'b', SummaryStatistics: statistics(7, 7) }),
    ]);
    const minute = toMapGraph([service({ ReferenceId: 5, Name: 'b', SummaryStatistics: statistics(2, 1) })]);
    assert.deepEqual(
      graphOfMinute(range, minute).nodes.map(({ name, counts }) => [name, counts.total]),
      [
        ['a', 0],
        ['b', 2],
      ],
    );
  });
});

describe('histograms', () => {
  it('put every request into a bin', () => {
    const bins = toBins(
      [
        { Value: 0.32, Count: 1 },
        { Value: 0, Count: 2 },
        { Value: 0.5, Count: 3 },
      ],
      10,
    );
    assert.equal(bins.length, 10);
    assert.equal(
      bins.reduce((sum, { count }) => sum + count, 0),
      6,
    );
    assert.equal(bins.at(-1)?.to, 0.5);
    assert.equal(bins.at(-1)?.count, 3);
  });

  it('have no bins without requests, and one axis for requests of no length', () => {
    assert.deepEqual(toBins([], 10), []);
    assert.equal(toBins([{ Value: 0, Count: 1 }], 4)[0]?.count, 1);
  });

  it('give percentiles', () => {
    const entries = [
      { Value: 2, Count: 1 },
      { Value: 0.1, Count: 99 },
    ];
    assert.equal(percentile(entries, 0.5), 0.1);
    assert.equal(percentile(entries, 0.995), 2);
    assert.equal(percentile([], 0.5), undefined);
  });
});

describe('the picture of the map', () => {
  it('is an SVG document in which names are text, whatever they hold', () => {
    const hostile = '<script>alert(1)</script>&"\u0000';
    const graph = toMapGraph([
      service({ ReferenceId: 0, Name: hostile, Edges: [edge({ ReferenceId: 1 })] }),
      service({ ReferenceId: 1, Name: 'carts', Type: 'AWS::DynamoDB::Table' }),
    ]);
    const svg = drawPicture(graph, layOut({ ...graph, sizes: layoutSizes }), 60);
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="\d+/);
    assert.ok(svg.endsWith('</svg>'));
    assert.ok(svg.includes('<title>&#60;script&#62;alert(1)&#60;/script&#62;&#38;&#34;</title>'));
    assert.ok(!svg.includes('<script') && !svg.includes('\u0000'));
    assert.equal(svg.match(/<g>/g)?.length, 2);
    assert.equal(svg.match(/<path /g)?.length, 2, 'one call: its line and its arrow');
    assert.match(svg, /DynamoDB/);
  });
});

function service(members: Partial<ServiceAnswer>): ServiceAnswer {
  const rest = { StartTime: 1, EndTime: 2, Edges: [], DurationHistogram: [], ResponseTimeHistogram: [] };
  return { ReferenceId: 0, Name: '', Names: [], State: 'active', ...rest, ...members };
}

function edge(members: Partial<EdgeAnswer>): EdgeAnswer {
  return {
    ReferenceId: 0,
    StartTime: 1,
    EndTime: 2,
    SummaryStatistics: {},
    ResponseTimeHistogram: [],
    Aliases: [],
    ...members,
  };
}

function statistics(count: number, seconds: number): StatisticsAnswer {
  return {
    OkCount: count,
    ErrorStatistics: { ThrottleCount: 0, OtherCount: 0, TotalCount: 0 },
    FaultStatistics: { OtherCount: 0, TotalCount: 0 },
    TotalCount: count,
    TotalResponseTime: seconds,
  };
}
