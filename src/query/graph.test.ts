import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type RecordedName, readRecorded } from '../../test/support/samples.ts';
import type { ServiceGraph, Trace } from '../model/index.ts';
import { parseTraceId } from '../model/index.ts';
import { toServicesAnswer } from './answers.ts';
import { digestTrace } from './digest.ts';
import { createGraphBuilder, graphNodesMax } from './graph.ts';
import { brokenShop, parseDocument, startTime, timed, traceId, traceOf } from './shop.fixture.test.ts';
import { summarise } from './summary.ts';
import { assembleTrace } from './trace.ts';

function graphOf(...traces: readonly Trace[]): ServiceGraph {
  const builder = createGraphBuilder();
  for (const trace of traces) builder.add(digestTrace(trace, []));
  return builder.build();
}

function recordedTrace(name: RecordedName): Trace {
  const [trace] = readRecorded(name);
  assert.ok(trace);
  return assembleTrace(parseTraceId(trace.id) ?? assert.fail(), trace.documents.map(parseDocument));
}

/** `name/type` of each node with its edges: `a/client -> b/-`. */
function outline(graph: ServiceGraph): readonly string[] {
  const label = (id: number): string => {
    const { name, type } = graph.nodes[id]?.service ?? assert.fail();
    return `${name}/${type ?? '-'}`;
  };
  return graph.nodes.map(({ referenceId, edges }) => {
    const ends = edges.map((edge) => `${label(edge.referenceId)}${edge.type === 'link' ? ' (link)' : ''}`);
    return ends.length === 0 ? label(referenceId) : `${label(referenceId)} -> ${ends.join(', ')}`;
  });
}

const queueUrl = 'https://sqs.eu-west-1.amazonaws.com/111122223333/orders';
const shop = { id: '5a1b2c3d4e5f6071', name: 'shop.example', origin: 'AWS::ECS::Container' };
const producerId = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1';

/** The two requests and the consumer of the API's example graph. */
const faulted = traceOf([
  timed(0.1, 0.32, {
    ...shop,
    fault: true,
    subsegments: [
      timed(0.12, 0.07, {
        id: 'd',
        name: 'DynamoDB',
        namespace: 'aws',
        error: true,
        throttle: true,
        aws: { table_name: 'carts' },
      }),
    ],
  }),
]);
const ordered = traceOf(
  [
    timed(0.3, 0.12, {
      ...shop,
      subsegments: [timed(0.31, 0.02, { id: 'q', name: 'SQS', namespace: 'aws', aws: { queue_url: queueUrl } })],
    }),
  ],
  producerId,
);
const consumed = traceOf([
  timed(0.78, 0.01, {
    id: 'c',
    name: 'consume',
    origin: 'AWS::Lambda',
    links: [
      {
        trace_id: '1-aaaaaaaa-aaaaaaaaaaaaaaaaaaaaaaa1',
        id: 'q',
        attributes: { 'aws.xray.reserved.reference_type': 'parent' },
      },
    ],
  }),
]);

const stats = (ok: number, throttle: number, fault: number, time: number): object => ({
  OkCount: ok,
  ErrorStatistics: { ThrottleCount: throttle, OtherCount: 0, TotalCount: throttle },
  FaultStatistics: { OtherCount: fault, TotalCount: fault },
  TotalCount: ok + throttle + fault,
  TotalResponseTime: time,
});
const alive = { StartTime: 1716560306, EndTime: 1716560307 };
const histogram = (...values: readonly number[]): readonly object[] => values.map((Value) => ({ Value, Count: 1 }));

describe('the service graph', () => {
  test('of the example in the API reference', () => {
    const exampleNode = (ReferenceId: number, Name: string, members: object): object => ({
      ReferenceId,
      Name,
      Names: [Name],
      ...alive,
      ...members,
    });
    const call = (ReferenceId: number, SummaryStatistics: object, ...times: readonly number[]): object => ({
      ReferenceId,
      ...alive,
      Aliases: [],
      SummaryStatistics,
      ResponseTimeHistogram: histogram(...times),
    });
    const measured = (SummaryStatistics: object, ...times: readonly number[]): object => ({
      SummaryStatistics,
      DurationHistogram: histogram(...times),
      ResponseTimeHistogram: histogram(...times),
    });
    const link = {
      ReferenceId: 4,
      ...alive,
      Aliases: [],
      EdgeType: 'link',
      SummaryStatistics: {},
      ResponseTimeHistogram: [],
      ReceivedEventAgeHistogram: histogram(0.45),
    };
    assert.deepEqual(toServicesAnswer(graphOf(faulted, ordered, consumed)), [
      exampleNode(0, 'shop.example', {
        Type: 'client',
        State: 'unknown',
        DurationHistogram: [],
        ResponseTimeHistogram: [],
        Edges: [call(1, stats(1, 0, 1, 0.44), 0.12, 0.32)],
      }),
      exampleNode(1, 'shop.example', {
        Type: 'AWS::ECS::Container',
        Root: true,
        State: 'active',
        ...measured(stats(1, 0, 1, 0.44), 0.12, 0.32),
        Edges: [call(2, stats(0, 1, 0, 0.07), 0.07), call(3, stats(1, 0, 0, 0.02), 0.02)],
      }),
      exampleNode(2, 'carts', {
        Type: 'AWS::DynamoDB::Table',
        State: 'unknown',
        Edges: [],
        ...measured(stats(0, 1, 0, 0.07), 0.07),
      }),
      exampleNode(3, queueUrl, {
        Type: 'AWS::SQS::Queue',
        State: 'unknown',
        Edges: [link],
        ...measured(stats(1, 0, 0, 0.02), 0.02),
      }),
      exampleNode(4, 'consume', {
        Type: 'AWS::Lambda',
        State: 'active',
        Edges: [],
        ...measured(stats(1, 0, 0, 0.01), 0.01),
      }),
    ]);
  });

  test('joins a consumer to its producer whichever trace comes first', () => {
    const edges = outline(graphOf(consumed, ordered)).filter((line) => line.includes('(link)'));
    assert.deepEqual(edges, [`${queueUrl}/AWS::SQS::Queue -> consume/AWS::Lambda (link)`]);
  });

  test('shows a consumer without its producer as a node without client', () => {
    assert.deepEqual(outline(graphOf(consumed)), ['consume/AWS::Lambda']);
  });

  test('draws no edge for links of other kinds, or broken ones', () => {
    const attributes = { 'aws.xray.reserved.reference_type': 'child' };
    const links = [{ trace_id: '1-aaaaaaaa-aaaaaaaaaaaaaaaaaaaaaaa1', id: 'q', attributes }, 'x', {}];
    const broken = [{ trace_id: 5, id: 'q', attributes: { 'aws.xray.reserved.reference_type': 'parent' } }];
    const other = [
      timed(0.78, 0.01, { id: 'c', name: 'consume', links }),
      timed(0.78, 0.01, { id: 'd', name: 'd', links: broken }),
    ];
    assert.ok(outline(graphOf(ordered, traceOf(other))).every((line) => !line.includes('(link)')));
  });

  test('has two nodes for a Lambda function, and nodes for the table and the topic', () => {
    assert.deepEqual(outline(graphOf(recordedTrace('batchgettraces'))), [
      'Scorekeep/client -> Scorekeep/AWS::ElasticBeanstalk::Environment',
      'Scorekeep/AWS::ElasticBeanstalk::Environment -> random-name/AWS::Lambda, scorekeep-user/AWS::DynamoDB::Table',
      'random-name/AWS::Lambda -> random-name/AWS::Lambda::Function',
      'random-name/AWS::Lambda::Function -> SNS/AWS::SNS',
      'SNS/AWS::SNS',
      'scorekeep-user/AWS::DynamoDB::Table',
    ]);
    const lambda = graphOf(recordedTrace('batchgettraces')).nodes[3];
    assert.equal(lambda?.service.accountId, '123456789012');
    assert.deepEqual(lambda?.responseTimeHistogram, [{ value: 1.74, count: 1 }]);
    assert.deepEqual(lambda?.durationHistogram, [{ value: 2.506, count: 1 }], 'Initialization came before the segment');
  });

  test('infers the same nodes when X-Ray had not', () => {
    const recorded = recordedTrace('batchgettraces');
    const sent = recorded.segments.filter(({ inferred }) => !inferred);
    assert.equal(sent.length, 3);
    const documents = sent.map(({ document, subsegments }) =>
      new Map(document).set('subsegments', subsegments.map(withSubsegments)),
    );
    assert.deepEqual(
      outline(graphOf(assembleTrace(recorded.traceId, documents))).toSorted(),
      outline(graphOf(recorded)).toSorted(),
    );
  });

  test('of a recorded queue consumer holds the Lambda service and the function', () => {
    const trace = recordedTrace('sqs-segment-child');
    assert.deepEqual(
      outline(graphOf(trace)).map((line) => line.replaceAll(/some-xray\S*Function-\w+/g, 'fn')),
      ['fn/AWS::Lambda -> fn/AWS::Lambda::Function', 'fn/AWS::Lambda::Function'],
    );
    assert.equal(summarise(trace).duration, 0.012);
    assert.equal(summarise(trace).entryPoint?.type, 'AWS::Lambda');
    assert.equal(summarise(trace).entryPoint?.accountId, undefined, 'it is the function that knows its account');
    assert.equal(summarise(trace).http.status, 200, 'of the service, not of the function');
  });

  test('counts a request once it has ended, and shows its node before', () => {
    const graph = graphOf(traceOf([{ ...shop, start_time: startTime, in_progress: true }]));
    assert.deepEqual(outline(graph), [
      'shop.example/client -> shop.example/AWS::ECS::Container',
      'shop.example/AWS::ECS::Container',
    ]);
    assert.equal(graph.nodes[1]?.statistics?.okCount, 0);
    assert.equal(graph.nodes[1]?.startTimeNs, graph.nodes[1]?.endTimeNs);
  });

  test('counts a call once that the same service answered twice', () => {
    const caller = timed(0, 1, {
      ...shop,
      subsegments: [timed(0, 0.5, { id: 's', name: 'price', namespace: 'remote' })],
    });
    const answers = ['x', 'y'].map((id) => timed(0.1, 0.1, { id, name: 'price', parent_id: 's' }));
    const graph = graphOf(traceOf([caller, ...answers]));
    assert.equal(graph.nodes[1]?.edges[0]?.statistics.okCount, 1);
    assert.equal(graph.nodes[2]?.statistics?.okCount, 2);
  });

  test('draws an edge from a service to itself', () => {
    const caller = timed(0, 1, { ...shop, subsegments: [timed(0, 0.5, { id: 's', name: 'me', namespace: 'remote' })] });
    const callee = timed(0.1, 0.1, { ...shop, id: 'x', parent_id: 's' });
    assert.deepEqual(
      outline(graphOf(traceOf([caller, callee])))[1],
      'shop.example/AWS::ECS::Container -> shop.example/AWS::ECS::Container',
    );
  });

  test('keeps histograms small: milliseconds up to ten seconds, four digits above', () => {
    const took = (seconds: number): Trace => traceOf([timed(0, seconds, { id: 'a', name: 'a' })]);
    const graph = graphOf(took(9.9994), took(12.3456), took(12.3444), took(1));
    assert.deepEqual(graph.nodes[1]?.responseTimeHistogram, [
      { value: 1, count: 1 },
      { value: 9.999, count: 1 },
      { value: 12.34, count: 1 },
      { value: 12.35, count: 1 },
    ]);
  });

  test('tells a histogram of more than 100 values in two digits, and loses no request', () => {
    const builder = createGraphBuilder();
    for (let ms = 1; ms <= 400; ms += 1) {
      builder.add(digestTrace(traceOf([timed(0, ms / 1000, { id: 'a', name: 'a' })]), []));
    }
    const histogram = builder.build().nodes[1]?.responseTimeHistogram ?? [];
    assert.ok(histogram.length < 150);
    assert.equal(
      histogram.reduce((sum, { count }) => sum + count, 0),
      400,
    );
    assert.deepEqual(histogram[98], { value: 0.099, count: 1 });
    assert.deepEqual(histogram.at(-1), { value: 0.4, count: 6 });
  });

  test('stops at ten thousand nodes', () => {
    const builder = createGraphBuilder();
    const segments = Array.from({ length: graphNodesMax + 5 }, (_, index) =>
      timed(0, 1, { id: `i${index}`, name: `n${index}` }),
    );
    builder.add(digestTrace(traceOf(segments), []));
    builder.add(digestTrace(traceOf([brokenShop]), []));
    const { nodes } = builder.build();
    assert.equal(nodes.length, graphNodesMax);
    assert.ok(nodes.every(({ edges }) => edges.every(({ referenceId }) => referenceId < graphNodesMax)));
  });

  test('is empty without traces', () => {
    assert.deepEqual(graphOf(), { nodes: [] });
    assert.deepEqual(graphOf(assembleTrace(traceId, [])), { nodes: [] });
  });
});

function withSubsegments(node: Trace['segments'][number]): Trace['segments'][number]['document'] {
  return new Map(node.document).set('subsegments', node.subsegments.map(withSubsegments));
}
