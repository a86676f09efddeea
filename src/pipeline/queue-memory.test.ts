import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counted, newRecord, readAll, roomyLimits, testQueueContract } from './queue-contract.ts';
import { memoryLetterBytesMax, openMemoryQueue } from './queue-memory.ts';
import { createTelemetry } from './telemetry.ts';

testQueueContract({ name: 'queue in memory', open: async (opening) => openMemoryQueue(opening) });

const nowNs = () => 1_716_560_310_000_000_000n;

test('a queue in memory counts what it loses when it is closed', async () => {
  const telemetry = createTelemetry();
  const queue = openMemoryQueue({ limits: roomyLimits, nowNs, telemetry });
  await queue.enqueue({ ...newRecord('waiting'), items: 2 }, ['x', 'y']);
  await queue.enqueue({ ...newRecord('dead'), items: 3 }, ['x']);
  const dead = readAll(queue, 'x')
    .slice(1)
    .map(({ sequence }) => sequence);
  await queue.deadLetter({ destination: 'x', sequences: dead, reason: 'refused' });
  await queue.close();
  assert.deepEqual(counted(telemetry, 'raybridge_dropped_spans_total'), [
    { labels: { exporter: 'x', reason: 'shutdown' }, value: 5 },
    { labels: { exporter: 'y', reason: 'shutdown' }, value: 2 },
  ]);
});

test('dead letters in memory are bounded; the oldest make room, counted', async () => {
  const telemetry = createTelemetry();
  const queue = openMemoryQueue({ limits: roomyLimits, nowNs, telemetry });
  for (let i = 0; i < 3; i++) {
    await queue.enqueue({ ...newRecord(''), body: Buffer.alloc(memoryLetterBytesMax / 2), items: 10 + i }, ['x']);
  }
  const sequences = readAll(queue, 'x').map(({ sequence }) => sequence);
  await queue.deadLetter({ destination: 'x', sequences, reason: 'refused' });
  assert.equal(queue.statistics().deadLetters, 2);
  assert.deepEqual(counted(telemetry, 'raybridge_dropped_spans_total'), [
    { labels: { exporter: 'x', reason: 'dead_letters_full' }, value: 10 },
  ]);
  await queue.close();
});

test('a queue in memory says that a crash loses it', async () => {
  const telemetry = createTelemetry();
  const queue = openMemoryQueue({ limits: roomyLimits, nowNs, telemetry });
  assert.equal(queue.durable, false);
  assert.equal(telemetry.series().find(({ name }) => name === 'raybridge_queue_durable')?.value, 0);
  await queue.close();
});
