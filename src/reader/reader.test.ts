import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { createMemoryStore, type MemoryStore } from '../../test/support/memory-store.ts';
import { graphQuery, traceQuery } from '../../test/support/query.ts';
import { rootAt } from '../../test/support/span.ts';
import { printSegment } from '../codec/index.ts';
import { RaybridgeError } from '../errors.ts';
import { type Span, SpanKind, StatusCode, toXrayTraceId } from '../model/index.ts';
import type { TracePage, TraceQuery } from '../pipeline/store.ts';
import { parseFilter } from '../query/index.ts';
import { answerSummaries, answerTrace, createTraceReader } from './index.ts';

const second = 1_000_000_000n;
const nowNs = 1_700_000_000n * second;
describe('the trace reader', () => {
  let store: MemoryStore;
  let version: bigint;

  beforeEach(() => {
    store = createMemoryStore();
    version = 0n;
  });

  async function keep(spans: readonly Span[]): Promise<void> {
    version += 1n;
    await store.write({ spans, receivedAtNs: nowNs, version, token: String(version) });
  }

  /** One trace for each second before now; the ids newest first. */
  async function keepMany(count: number): Promise<readonly string[]> {
    const spans = Array.from({ length: count }, (_, i) => rootAt(nowNs - BigInt(i + 1) * second));
    await keep(spans);
    return spans.map(({ traceId }) => traceId);
  }

  /** Every page to the end; fails when it does not end. */
  async function pages(wanted: Partial<TraceQuery> = {}): Promise<readonly TracePage[]> {
    const reader = createTraceReader(store);
    const all: TracePage[] = [];
    while (all.length < 1000) {
      const page = await reader.summaries(traceQuery({ ...wanted, after: all.at(-1)?.next }));
      all.push(page);
      if (!page.next) return all;
    }
    assert.fail('the pages do not end');
  }

  describe('of summaries', () => {
    for (const limit of [1, 3, 199, 200, 201, 450, 1000]) {
      it(`gives every trace once, newest first, in pages of ${limit}`, async () => {
        const ids = await keepMany(450);
        const all = await pages({ limit });
        assert.deepEqual(all.flatMap(idsOf), ids);
        for (const { traces, next } of all) if (next) assert.equal(traces.length, limit);
      });
    }

    it('gives traces of the same time once, too', async () => {
      const spans = Array.from({ length: 30 }, () => rootAt(nowNs - second));
      await keep(spans);
      const ids = (await pages({ limit: 4 })).flatMap(idsOf);
      assert.deepEqual(
        ids,
        spans
          .map(({ traceId }) => traceId)
          .sort()
          .reverse(),
      );
    });

    it('is not disturbed by traces that come between two pages', async () => {
      const ids = await keepMany(10);
      const reader = createTraceReader(store);
      const first = await reader.summaries(traceQuery({ limit: 4 }));
      await keep([rootAt(nowNs - 1n)]);
      const rest = await reader.summaries(traceQuery({ limit: 100, after: first.next }));
      assert.deepEqual([...idsOf(first), ...idsOf(rest)], ids);
    });

    it('has no next when the last page is full', async () => {
      await keepMany(250);
      for (const limit of [50, 125, 250]) assert.equal((await pages({ limit })).length, 250 / limit);
      await keep([faultAt(nowNs - 1000n * second)]);
      assert.equal((await pages({ filter: parseFilter('fault'), limit: 1 })).length, 1);
    });

    it('gives one empty page of an empty store', async () => {
      assert.deepEqual(await pages(), [{ traces: [], scanned: 0, next: undefined }]);
    });

    it('gives those that the filter matches', async () => {
      await keepMany(5);
      const faulty = faultAt(nowNs - 3n * second);
      await keep([faulty]);
      const all = await pages({ filter: parseFilter('fault') });
      assert.deepEqual(all.flatMap(idsOf), [faulty.traceId]);
      assert.equal(all[0]?.traces[0]?.summary.HasFault, true);
      assert.equal(all[0]?.scanned, 6);
    });

    it('chooses a share by trace id: a larger share holds the smaller one', async () => {
      const spans = Array.from({ length: 400 }, (_, i) =>
        rootAt(nowNs - 1n, {
          traceId: `${'f'.repeat(24)}${Math.floor((i * 2 ** 32) / 400)
            .toString(16)
            .padStart(8, '0')}`,
        }),
      );
      await keep(spans);
      const chosen = async (share: number) => new Set((await pages({ share, limit: 50 })).flatMap(idsOf));
      const [none, quarter, half, all] = [await chosen(0), await chosen(0.25), await chosen(0.5), await chosen(1)];
      assert.deepEqual([none.size, quarter.size, half.size, all.size], [0, 100, 200, 400]);
      assert.ok([...quarter].every((id) => half.has(id)));
    });

    it('tells that the store is away', async () => {
      store.failWith(new RaybridgeError('STORE_UNAVAILABLE', 'the store is starting'));
      await assert.rejects(createTraceReader(store).summaries(traceQuery({})), { code: 'STORE_UNAVAILABLE' });
    });
  });

  describe('of traces', () => {
    it('assembles them, and has no entry for unknown ids', async () => {
      const root = rootAt(nowNs - 2n * second);
      const child = rootAt(nowNs - second, {
        traceId: root.traceId,
        parentSpanId: root.spanId,
        kind: SpanKind.internal,
        name: 'inner',
      });
      await keep([child]);
      await keep([root]);
      const traces = await createTraceReader(store).traces([root.traceId, 'e'.repeat(32)]);
      assert.deepEqual([...traces.keys()], [root.traceId]);
      const trace = traces.get(root.traceId);
      assert.equal(trace?.root?.id, root.spanId);
      assert.deepEqual(
        trace?.root?.subsegments.map(({ id, name }) => [id, name]),
        [[child.spanId, 'inner']],
      );
      assert.ok(trace);
      const { Id, Segments, Duration } = answerTrace(trace);
      assert.equal(Id, toXrayTraceId(root.traceId));
      assert.equal(Duration, 1.5);
      assert.equal(JSON.parse(Segments[0]?.Document ?? '').subsegments[0].name, 'inner');
    });
  });

  describe('of a trace that sent to a queue', () => {
    it('links the queue to the consumer in the other trace, and the consumer to the queue', async () => {
      const producer = rootAt(nowNs - 3n * second);
      const send = rootAt(nowNs - 2n * second, {
        traceId: producer.traceId,
        parentSpanId: producer.spanId,
        kind: SpanKind.producer,
        attributes: new Map([
          ['messaging.system', 'aws_sqs'],
          ['rpc.system', 'aws-api'],
          ['rpc.service', 'SQS'],
          ['rpc.method', 'SendMessage'],
          ['aws.queue.url', 'https://sqs.eu-west-1.amazonaws.com/111122223333/orders'],
        ]),
      });
      const consumer = rootAt(nowNs - second, {
        kind: SpanKind.consumer,
        links: [{ ...emptyLink, traceId: send.traceId, spanId: send.spanId }],
      });
      await keep([producer, send, consumer]);
      const reader = createTraceReader(store);
      const read = async (id: string) => (await reader.traces([id])).get(id) ?? assert.fail();
      const queue = (await read(producer.traceId)).segments.find(({ inferred }) => inferred) ?? assert.fail();
      assert.deepEqual(JSON.parse(printSegment(queue.document)).links, [
        {
          trace_id: toXrayTraceId(consumer.traceId),
          id: consumer.spanId,
          attributes: {
            'aws.xray.reserved.reference_type': 'child',
            'aws.xray.reserved.names': ['shop'],
            'aws.xray.reserved.received_event_end_time': Number(nowNs - second) / 1e9,
          },
        },
      ]);
      const received = (await read(consumer.traceId)).root ?? assert.fail();
      const [link] = JSON.parse(printSegment(received.document)).links;
      assert.deepEqual([link.trace_id, link.id], [toXrayTraceId(producer.traceId), send.spanId]);
    });
  });

  describe('of the service graph', () => {
    it('counts every trace of the range, over as many reads as it takes', async () => {
      await keepMany(450);
      const fromNs = nowNs - 440n * second;
      const { nodes } = await createTraceReader(store).serviceGraph(graphQuery({ fromNs, toNs: nowNs }));
      const shop = nodes.find(({ service }) => service.type !== 'client');
      assert.equal(shop?.statistics?.okCount, 440);
    });

    it('stops when nobody waits for it any more', async () => {
      await keepMany(3);
      const gone = AbortSignal.abort(new Error('the client is gone'));
      const asked = createTraceReader(store).serviceGraph(graphQuery({ signal: gone }));
      await assert.rejects(asked, /the client is gone/);
    });
  });

  describe('of answers', () => {
    it('binds a token to its question', async () => {
      await keepMany(3);
      const reader = createTraceReader(store);
      const question = { ...traceQuery({ limit: 2 }), filterExpression: undefined, nextToken: undefined };
      const { NextToken, TraceSummaries, ApproximateTime } = await answerSummaries(reader, question);
      assert.equal(TraceSummaries.length, 2);
      assert.equal(ApproximateTime, 1_700_000_000 - 2);

      const next = { ...question, nextToken: NextToken };
      const rest = await answerSummaries(reader, { ...next, limit: 100 });
      assert.equal(rest.TraceSummaries.length, 1);
      assert.equal(rest.NextToken, undefined);
      await assert.rejects(answerSummaries(reader, { ...next, share: 0.5 }), { code: 'INVALID_REQUEST' });
      await assert.rejects(answerSummaries(reader, { ...next, filterExpression: 'ok' }), { code: 'INVALID_REQUEST' });
    });

    it('reads the filter before it asks the store', async () => {
      store.failWith(new RaybridgeError('STORE_UNAVAILABLE', 'the store is starting'));
      const question = { ...traceQuery({}), filterExpression: 'duration >', nextToken: undefined };
      await assert.rejects(answerSummaries(createTraceReader(store), question), { code: 'FILTER_INVALID' });
    });
  });
});

function idsOf({ traces }: TracePage): readonly string[] {
  return traces.map(({ traceId }) => traceId);
}

const emptyLink = { traceState: '', flags: 0, attributes: new Map(), droppedAttributesCount: 0 };

function faultAt(startTimeNs: bigint): Span {
  return rootAt(startTimeNs, {
    status: { code: StatusCode.error, message: '' },
    attributes: new Map([['http.response.status_code', 500n]]),
  });
}
