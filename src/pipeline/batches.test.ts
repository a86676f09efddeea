import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { testSpan } from '../../test/support/span.ts';
import { decodeTraces, encodeTraces, encodeTracesJson, jsonText, parseJson, printSegment } from '../codec/index.ts';
import { inspectSegment, joinSegments } from '../codec/segment.ts';
import { toSegments } from '../convert/index.ts';
import type { Span } from '../model/index.ts';
import { createBatch, recordBytesMax, splitBatch } from './batches.ts';
import type { Batch } from './batch.ts';

const receivedAtNs = 1_700_000_000_000_000_000n;

describe('a batch', () => {
  const spans = [span(1), span(2)];
  const document = `{"trace_id":"1-6553f100-00f1e2d3c4b5a69788796a5b","id":"1b07842d944e7141","name":"shop","start_time":1.7E9,"end_time":1700000000.50}`;

  for (const [format, body] of [
    ['otlp_proto', encodeTraces(spans)],
    ['otlp_json', encodeTracesJson(spans)],
  ] as const) {
    it(`of ${format} gives the spans that were encoded`, () => {
      assert.deepEqual(batchOf(format, body, 2).spans(), spans);
    });
  }

  it('of xray_segments gives a span for each segment, from which the document comes back', () => {
    const decoded = batchOf('xray_segments', `[${document},${document.replace('1b07', '2b07')}]`, 2).spans();
    assert.deepEqual(
      decoded.map(({ spanId }) => spanId),
      ['1b07842d944e7141', '2b07842d944e7141'],
    );
    const [first] = toSegments(decoded.slice(0, 1), { json: jsonText });
    assert.ok(first);
    assert.deepEqual(parseJson(printSegment(first)), parseJson(document));
  });

  it('of xray_segments loses no document that was let in, whatever it holds', () => {
    // Mostly right, so that most are let in; each member wrong now and then.
    const mostly = <Value>(right: Value, ...wrong: readonly unknown[]) =>
      fc.oneof({ arbitrary: fc.constant<unknown>(right), weight: 9 }, fc.constantFrom(...wrong));
    const id = mostly('1b07842d944e7141', '1B07842D944E7141', '0000000000000000', 'short', 7, null);
    const traceId = mostly('1-6553f100-00f1e2d3c4b5a69788796a5b', '6553F10000f1e2d3c4b5a69788796a5b', '1-0-0', 9);
    const time = mostly(1.7e9, 0, -1, -0.5, 1e-30, 9.3e9, 1.9e10, 1e30, '1700000000', null, true);
    const document = fc.record(
      {
        name: mostly('shop', '', 5),
        id,
        trace_id: traceId,
        start_time: time,
        end_time: time,
        in_progress: fc.boolean(),
        parent_id: id,
        subsegments: mostly([], [1], [{}], {}),
      },
      { requiredKeys: [] },
    );
    let letIn = 0;
    fc.assert(
      fc.property(document, fc.constantFrom('api' as const, 'datagram' as const), (members, rules) => {
        const inspected = inspectSegment(JSON.stringify(members), { rules });
        if (!inspected.ok) return;
        letIn++;
        assert.ok(batchOf('xray_segments', joinSegments(inspected.documents), 1).spans().length >= 1);
      }),
      { numRuns: 5000 },
    );
    assert.ok(letIn > 500, `only ${letIn} documents were let in`);
  });

  it('is decoded at the first call only, and not before', () => {
    const body = encodeTraces(spans);
    const batch = batchOf('otlp_proto', body, 2);
    const first = batch.spans();
    assert.equal(batch.spans(), first);
    assert.doesNotThrow(() => batchOf('otlp_proto', 'not protobuf', 1));
  });

  for (const [format, body] of [
    ['otlp_proto', Buffer.from([0x0a, 0x7f, 0x01])],
    ['otlp_json', '{"resourceSpans":[{'],
    ['xray_segments', '[{"id":'],
    ['xray_segments', '[1]'],
  ] as const) {
    it(`of ${format} that cannot be decoded says so as BAD_INPUT, each time (${String(body).length} bytes)`, () => {
      const batch = batchOf(format, body, 1);
      for (let attempt = 0; attempt < 2; attempt++) assert.throws(() => batch.spans(), { code: 'BAD_INPUT' });
    });
  }
});

describe('a batch that is split', () => {
  it('is itself when it fits into a record', () => {
    const batch = batchOf('otlp_proto', Buffer.alloc(recordBytesMax), 1);
    assert.deepEqual(splitBatch(batch), [batch]);
  });

  it('comes in pieces that fit, which together hold its spans in order', () => {
    const spans = Array.from({ length: 50 }, (_, i) => span(i + 1, 70_000));
    const pieces = splitBatch(batchOf('otlp_json', encodeTracesJson(spans), 50));
    assert.ok(pieces.length >= 4);
    for (const { body, receivedAtNs: at, format, items, spans } of pieces) {
      assert.ok(body.length <= recordBytesMax);
      assert.equal(at, receivedAtNs);
      assert.equal(format, 'otlp_proto');
      assert.equal(items, spans().length);
    }
    assert.deepEqual(
      pieces.flatMap(({ body }) => decodeTraces(body)).map(({ spanId }) => spanId),
      spans.map(({ spanId }) => spanId),
    );
    assert.deepEqual(
      pieces.flatMap((piece) => piece.spans()),
      spans,
    );
  });

  it('keeps a span that is larger than a record whole', () => {
    const spans = [span(1), span(2, 3 * recordBytesMax), span(3)];
    const pieces = splitBatch(batchOf('otlp_proto', encodeTraces(spans), 3));
    assert.deepEqual(
      pieces.flatMap((piece) => piece.spans()),
      spans,
    );
    assert.equal(pieces.filter(({ body }) => body.length > recordBytesMax).length, 1);
  });

  it('keeps documents as the bytes of their sender', () => {
    const documents = Array.from({ length: 30 }, (_, i) => `{ "id": ${i}, "long" : "${'x'.repeat(60_000)}" }`);
    const pieces = splitBatch(batchOf('xray_segments', `[${documents.join(', ')}]`, 30));
    const texts = pieces.map(({ body }) => Buffer.from(body).toString());
    assert.ok(pieces.every(({ body, format }) => body.length <= recordBytesMax && format === 'xray_segments'));
    assert.deepEqual(
      pieces.map(({ items }) => items),
      [17, 13],
    );
    assert.equal(texts.map((text) => text.slice(1, -1)).join(','), documents.join(','));
  });

  it('brings segments back as they were', () => {
    const documents = Array.from({ length: 40 }, (_, i) =>
      JSON.stringify({
        trace_id: '1-6553f100-00f1e2d3c4b5a69788796a5b',
        id: (i + 1).toString(16).padStart(16, '0'),
        name: 'shop',
        start_time: 1_700_000_000 + i,
        end_time: 1_700_000_001 + i,
        metadata: { default: { long: 'x'.repeat(50_000) } },
      }),
    );
    const pieces = splitBatch(batchOf('xray_segments', `[${documents.join(',')}]`, 40));
    assert.ok(pieces.length >= 2);
    const back = toSegments(
      pieces.flatMap((piece) => piece.spans()),
      { json: jsonText },
    );
    const texts = back.map((document) => JSON.parse(printSegment(document)));
    assert.deepEqual(texts.sort(byStart), documents.map((document) => JSON.parse(document)).sort(byStart));
  });
});

function batchOf(format: Batch['format'], body: Uint8Array | string, items: number): Batch {
  return createBatch({ format, body: Buffer.from(body), items, receivedAtNs });
}

function byStart(one: { start_time: number }, other: { start_time: number }): number {
  return one.start_time - other.start_time;
}

function span(number: number, sizeBytes = 0): Span {
  return testSpan({
    spanId: number.toString(16).padStart(16, '0'),
    attributes: new Map(sizeBytes > 0 ? [['long', 'x'.repeat(sizeBytes)]] : []),
  });
}
