import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { arbitrarySpans } from '../../test/support/arbitraries.ts';
import { arbitraryDocument, telemetrySpan } from '../../test/support/arbitrary-documents.ts';
import { arbitraryTraces } from '../../test/support/arbitrary-traces.ts';
import { fuzzing } from '../../test/support/fuzz.ts';
import { testSpan } from '../../test/support/span.ts';
import { jsonText as json } from '../codec/index.ts';
import { toSegments, toSpans } from '../convert/index.ts';
import { emptyResource, type Resource, type Span, SpanKind, type TraceDigest } from '../model/index.ts';
import { assembleTrace, createGraphBuilder, digestTrace } from '../query/index.ts';
import { parentLinksOf } from '../query/service.ts';
import { assembleSpans, digestSpans, inOrder } from './assemble.ts';

const traceId = '6650a1b200f1e2d3c4b5a69788796a5b';
const noLink = { traceState: '', flags: 0, attributes: new Map(), droppedAttributesCount: 0 };

describe('the digest of spans', () => {
  const cases: readonly (readonly [string, fc.Arbitrary<readonly Span[]>])[] = [
    ['any spans', arbitrarySpans],
    ['spans of instrumentations', fc.array(telemetrySpan, { maxLength: 6 })],
    ['spans of documents', fc.array(arbitraryDocument, { maxLength: 4 }).map((all) => toSpans(all, { json }).spans)],
  ];
  for (const [name, arbitrary] of cases)
    it(`is the one of their documents with all that these could show: ${name}`, () => {
      fc.assert(
        fc.property(arbitrary, (spans) => {
          assert.deepEqual(digestSpans(traceId, spans), digestOfWhole(spans));
        }),
        fuzzing(200),
      );
    });

  it('is the same in whatever order the spans are given', () => {
    const shuffled = arbitraryTraces({ nowNs: 1_700_000_000_000_000_000n }).chain((spans) =>
      fc.tuple(fc.constant(spans), fc.shuffledSubarray([...spans], { minLength: spans.length })),
    );
    fc.assert(
      fc.property(shuffled, ([spans, others]) => {
        assert.deepEqual(digestSpans(traceId, others), digestSpans(traceId, spans));
        assert.deepEqual(assembleSpans(traceId, others), assembleSpans(traceId, spans));
      }),
      fuzzing(200),
    );
  });
});

describe('a consumer instrumented with OpenTelemetry', () => {
  const queueUrl = 'https://sqs.eu-west-1.amazonaws.com/111122223333/orders';
  const producer = testSpan({
    name: 'orders publish',
    kind: SpanKind.producer,
    parentSpanId: 'a000000000000001',
    spanId: 'b000000000000001',
    attributes: new Map([
      ['rpc.system', 'aws-api'],
      ['rpc.service', 'SQS'],
      ['rpc.method', 'SendMessage'],
      ['messaging.system', 'aws_sqs'],
      ['messaging.url', queueUrl],
    ]),
  });
  const server = testSpan({ spanId: 'a000000000000001', resource: named('shop') });
  const receivedNs = producer.endTimeNs + 450_000_000n;
  const consumer = testSpan({
    traceId: 'c'.repeat(32),
    spanId: 'c000000000000001',
    name: 'orders process',
    kind: SpanKind.consumer,
    startTimeNs: receivedNs,
    endTimeNs: receivedNs + 10_000_000n,
    attributes: new Map([
      ['messaging.system', 'aws_sqs'],
      ['messaging.operation', 'process'],
    ]),
    links: [{ ...noLink, traceId: producer.traceId, spanId: producer.spanId }],
    resource: named('packing'),
  });

  it('is joined to the queue by a link edge with the age of the message', () => {
    for (const order of [1, -1]) {
      const graph = createGraphBuilder();
      const sent = digestSpans(producer.traceId, [server, { ...producer, resource: server.resource }]);
      const digests = [sent, digestSpans(consumer.traceId, [consumer])];
      for (const digest of order === 1 ? digests : digests.toReversed()) graph.add(digest);
      const { nodes } = graph.build();
      const queue = nodes.find(({ service }) => service.type === 'AWS::SQS::Queue');
      assert.equal(queue?.service.name, queueUrl);
      const [edge] = queue.edges;
      assert.equal(edge?.type, 'link');
      assert.equal(nodes[edge.referenceId]?.service.name, 'packing');
      assert.deepEqual(edge.receivedEventAgeHistogram, [{ value: 0.45, count: 1 }]);
      assert.ok(!nodes.some(({ service }) => service.name === 'packing' && service.type === 'client'));
    }
  });

  it('tells its parent in the link of its document', () => {
    const [segment] = assembleSpans(consumer.traceId, [consumer]).segments;
    assert.deepEqual(segment && parentLinksOf(segment).length, 1);
  });
});

function named(service: string): Resource {
  return { ...emptyResource, attributes: new Map([['service.name', service]]) };
}

function digestOfWhole(spans: readonly Span[]): TraceDigest {
  const whole = { json, envelope: 'off', marksParentLinks: true, documentBytesMax: Number.POSITIVE_INFINITY } as const;
  return digestTrace(assembleTrace(traceId, toSegments(inOrder(spans), whole)), inOrder(spans));
}
