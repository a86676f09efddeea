import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestContext } from '../../../test/support/context.ts';
import { testSpan } from '../../../test/support/span.ts';
import { RaybridgeError } from '../../errors.ts';
import type { Span } from '../../model/index.ts';
import type { Batch } from '../../pipeline/batch.ts';
import type { Delivery, Exporter } from '../../pipeline/component.ts';
import type { SpanWrite, Store } from '../../pipeline/store.ts';
import { storeExporter } from './index.ts';

test('the spans of all batches are one write, with the token of the delivery and its sequence as version', async () => {
  const { exporter, writes } = createExporter();
  const [one, two, three] = [testSpan({ name: 'one' }), testSpan({ name: 'two' }), testSpan({ name: 'three' })];
  await exporter.export(delivery([batch([one, two], 20n), batch([three], 10n)]));

  assert.deepEqual(writes, [{ spans: [one, two, three], receivedAtNs: 20n, version: 7n, token: 'token' }]);
});

test('batches without a span are delivered without a write', async () => {
  const { exporter, writes } = createExporter();
  await exporter.export(delivery([batch([], 20n)]));

  assert.deepEqual(writes, []);
});

test('an error of the store reaches the delivery loop as it is', async () => {
  const failure = new RaybridgeError('STORE_UNAVAILABLE', 'restarting');
  const { exporter } = createExporter(failure);

  await assert.rejects(exporter.export(delivery([batch([testSpan()], 20n)])), failure);
});

test('the store is named in the configuration, which knows nothing else', () => {
  assert.deepEqual(storeExporter.configSchema.parse({}), { store: 'clickhouse' });
  assert.equal(storeExporter.configSchema.safeParse({ stores: 'clickhouse' }).success, false);
});

function createExporter(failure?: RaybridgeError): {
  readonly exporter: Exporter;
  readonly writes: readonly SpanWrite[];
} {
  const writes: SpanWrite[] = [];
  const store = (id: string): Store => {
    assert.equal(id, 'clickhouse/traces');
    return {
      ready: true,
      async write(write) {
        if (failure) throw failure;
        writes.push(write);
      },
      traces: async () => new Map(),
      findTraces: async () => ({ traces: [], scanned: 0, next: undefined }),
      graphs: async () => [],
      completions: async () => [],
      receives: async () => [],
      linksTo: async () => [],
      responseTimes: async () => [],
      series: async () => [],
      readState: async () => new Map(),
      writeState: async () => undefined,
      statistics: async () => ({ spans: 0, traces: 0, bytesOnDisk: 0 }),
    };
  };
  const exporter = storeExporter.create({
    config: storeExporter.configSchema.parse({ store: 'clickhouse/traces' }),
    context: { ...createTestContext('store').context, store },
  });
  return { exporter, writes };
}

function delivery(batches: readonly Batch[]): Delivery {
  return { batches, token: 'token', sequence: 7n, signal: new AbortController().signal };
}

function batch(spans: readonly Span[], receivedAtNs: bigint): Batch {
  return { format: 'otlp_proto', body: new Uint8Array(), items: spans.length, receivedAtNs, spans: () => spans };
}
