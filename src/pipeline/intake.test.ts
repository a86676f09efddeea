import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createBatch, recordBytesMax } from './batches.ts';
import type { Batch } from './batch.ts';
import { createIntake } from './intake.ts';
import { readAll, roomyLimits } from './queue-contract.ts';
import { type MemoryQueue, openMemoryQueue } from './queue-memory.ts';
import { createTelemetry } from './telemetry.ts';

const nowNs = 1_700_000_000_000_000_000n;

describe('the intake', () => {
  let queue: MemoryQueue;

  beforeEach(() => {
    queue = open(roomyLimits.bytesMax);
  });
  afterEach(() => queue.close());

  it('puts a batch as it is before each destination, and nowhere else', async () => {
    const batch = batchOf(['a']);
    await createIntake(queue, ['x', 'y']).consume(batch);
    for (const destination of ['x', 'y']) {
      const [record, ...more] = readAll(queue, destination);
      assert.ok(record);
      assert.deepEqual(Buffer.from(record.body), Buffer.from(batch.body));
      assert.deepEqual([record.format, record.items, record.receivedAtNs], ['xray_segments', 1, nowNs]);
      assert.equal(more.length, 0);
    }
    assert.deepEqual(readAll(queue, 'z'), []);
  });

  it('puts a large batch in pieces, each with its own count of spans', async () => {
    const batch = batchOf(Array.from({ length: 30 }, () => 'x'.repeat(100_000)));
    await createIntake(queue, ['x']).consume(batch);
    const records = readAll(queue, 'x');
    assert.ok(records.length >= 3);
    assert.ok(records.every(({ body }) => body.length <= recordBytesMax));
    assert.equal(
      records.reduce((sum, { items }) => sum + items, 0),
      30,
    );
  });

  it('is durable only when every piece is: one refused piece refuses the batch', async () => {
    await queue.close();
    queue = open(2 * recordBytesMax);
    const batch = batchOf(Array.from({ length: 30 }, () => 'x'.repeat(100_000)));
    await assert.rejects(createIntake(queue, ['x']).consume(batch), { code: 'QUEUE_FULL', retryable: true });
  });

  it('refuses when the process stops', async () => {
    await queue.close();
    await assert.rejects(createIntake(queue, ['x']).consume(batchOf(['a'])), {
      code: 'SHUTTING_DOWN',
      retryable: true,
    });
  });
});

function open(bytesMax: number): MemoryQueue {
  return openMemoryQueue({ limits: { ...roomyLimits, bytesMax }, nowNs: () => nowNs, telemetry: createTelemetry() });
}

/** One segment for each name. */
function batchOf(names: readonly string[]): Batch {
  const documents = names.map((name, i) => ({
    trace_id: '1-6553f100-00f1e2d3c4b5a69788796a5b',
    id: (i + 1).toString(16).padStart(16, '0'),
    name,
    start_time: 1_700_000_000,
    end_time: 1_700_000_001,
  }));
  const body = Buffer.from(JSON.stringify(documents));
  return createBatch({ format: 'xray_segments', body, items: names.length, receivedAtNs: nowNs });
}
