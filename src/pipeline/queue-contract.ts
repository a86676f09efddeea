import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { RaybridgeError } from '../errors.ts';
import type { DurableQueue, NewRecord, QueueLimits, QueueRecord } from './queue.ts';
import { createTelemetry, type Telemetry } from './telemetry.ts';

/** What a queue needs to be opened for a test. */
export interface QueueOpening {
  readonly folder: string;
  readonly limits: QueueLimits;
  readonly nowNs: () => bigint;
  readonly telemetry: Telemetry;
}

/** A queue as its owner sees it: the contract, and what the contract leaves to the implementation. */
export interface OwnedQueue extends DurableQueue {
  evictExpired(): Promise<void>;
}

const nowNs = 1_716_560_310_000_000_000n;
const nanosecondsPerMillisecond = 1_000_000n;

export const roomyLimits: QueueLimits = { bytesMax: 64 * 1024 * 1024, freeBytesMin: 0, ageMaxMs: 60_000 };

/** Every sentence of the contract in `queue.ts`, as tests that each implementation must pass. */
export function testQueueContract(kind: {
  readonly name: string;
  open(opening: QueueOpening): Promise<OwnedQueue>;
}): void {
  const contract = (sentence: string, check: (setting: QueueSetting) => Promise<void>, limits?: Partial<QueueLimits>) =>
    test(`${kind.name}: ${sentence}`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'raybridge-queue-'));
      const clock = { ns: nowNs };
      const telemetry = createTelemetry();
      const all = { ...roomyLimits, ...limits };
      const queue = await kind.open({ folder: join(folder, 'queue'), limits: all, nowNs: () => clock.ns, telemetry });
      try {
        await check({ queue, telemetry, clock });
      } finally {
        await queue.close();
        rmSync(folder, { recursive: true });
      }
    });

  contract('gives a destination its records in the order of their sequences, which rise by one', async ({ queue }) => {
    for (const text of ['a', 'b', 'c']) await queue.enqueue(newRecord(text), ['x']);
    const records = readAll(queue, 'x');
    assert.deepEqual(records.map(textOf), ['a', 'b', 'c']);
    const [first = 0] = records.map(({ sequence }) => sequence);
    assert.deepEqual(
      records.map(({ sequence }) => sequence),
      [first, first + 1, first + 2],
    );
  });

  contract('gives a record back as it was, whatever its size', async ({ queue }) => {
    const bodies = [0, 1, 4000, 4096, 70_000, 1_048_576].map((size) => Buffer.alloc(size, size % 251));
    for (const [i, body] of bodies.entries()) {
      await queue.enqueue({ format: 'xray_segments', body, receivedAtNs: nowNs + BigInt(i), items: i }, ['x']);
    }
    for (const [i, record] of readAll(queue, 'x').entries()) {
      assert.deepEqual(Buffer.from(record.body), bodies[i]);
      assert.equal(record.format, 'xray_segments');
      assert.equal(record.receivedAtNs, nowNs + BigInt(i));
      assert.equal(record.items, i);
    }
  });

  contract('pages by bytes, but gives at least one record', async ({ queue }) => {
    for (const text of ['aaaa', 'bbbb', 'cccc', 'dddd']) await queue.enqueue(newRecord(text), ['x']);
    const page = queue.read({ destination: 'x', afterSequence: 0, bytesMax: 9 });
    assert.deepEqual(page.map(textOf), ['aaaa', 'bbbb']);
    const next = queue.read({ destination: 'x', afterSequence: page[1]?.sequence ?? 0, bytesMax: 1 });
    assert.deepEqual(next.map(textOf), ['cccc']);
  });

  contract('gives bodies that the caller may overwrite', async ({ queue }) => {
    const body = Buffer.from('mine');
    await queue.enqueue({ ...newRecord(''), body }, ['x']);
    body.fill(0);
    readAll(queue, 'x')[0]?.body.fill(0);
    assert.deepEqual(readAll(queue, 'x').map(textOf), ['mine']);
  });

  contract('keeps a record until every destination has acknowledged it', async ({ queue }) => {
    await queue.enqueue(newRecord('a'), ['x', 'y']);
    const sequences = readAll(queue, 'x').map(({ sequence }) => sequence);
    await queue.acknowledge('x', sequences);
    assert.deepEqual(readAll(queue, 'x'), []);
    assert.deepEqual(readAll(queue, 'y').map(textOf), ['a']);
    assert.equal(queue.statistics().bytes, 1);
    await queue.acknowledge('y', sequences);
    assert.equal(queue.statistics().bytes, 0);
    assert.deepEqual([...queue.statistics().pending.values()], [0, 0]);
  });

  contract('counts what waits for each destination, in records and in spans', async ({ queue }) => {
    await queue.enqueue({ ...newRecord('a'), items: 3 }, ['x', 'y']);
    await queue.enqueue({ ...newRecord('b'), items: 4 }, ['x']);
    const [first = 0, second = 0] = readAll(queue, 'x').map(({ sequence }) => sequence);
    assert.deepEqual(Object.fromEntries(queue.statistics().pendingItems), { x: 7, y: 3 });
    await queue.acknowledge('x', [first]);
    await queue.deadLetter({ destination: 'x', sequences: [second], reason: 'made up' });
    assert.deepEqual(Object.fromEntries(queue.statistics().pending), { x: 0, y: 1 });
    assert.deepEqual(Object.fromEntries(queue.statistics().pendingItems), { x: 0, y: 3 });
  });

  contract('takes an acknowledgement twice, and one of a record that it never had', async ({ queue }) => {
    await queue.enqueue(newRecord('a'), ['x', 'y']);
    const [sequence = 0] = readAll(queue, 'x').map(({ sequence }) => sequence);
    await queue.acknowledge('x', [sequence, sequence, sequence + 7]);
    await queue.acknowledge('x', [sequence]);
    await queue.acknowledge('nobody', [sequence]);
    assert.deepEqual(readAll(queue, 'y').map(textOf), ['a']);
    assert.equal(queue.statistics().pending.get('x'), 0);
  });

  contract('stores nothing that no destination waits for', async ({ queue }) => {
    await queue.enqueue(newRecord('a'), []);
    assert.equal(queue.statistics().bytes, 0);
  });

  contract(
    'refuses with QUEUE_FULL at the limit, and takes data again when there is room',
    async ({ queue }) => {
      await queue.enqueue(newRecord('12345678'), ['x']);
      await assert.rejects(queue.enqueue(newRecord('123'), ['x']), codeIs('QUEUE_FULL'));
      await queue.enqueue(newRecord('12'), ['x']);
      const [first] = readAll(queue, 'x');
      await queue.acknowledge('x', [first?.sequence ?? 0]);
      await queue.enqueue(newRecord('123'), ['x']);
      assert.deepEqual(readAll(queue, 'x').map(textOf), ['12', '123']);
    },
    { bytesMax: 10 },
  );

  contract(
    'holds the limit against many senders at once',
    async ({ queue }) => {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, () => queue.enqueue(newRecord('123'), ['x'])),
      );
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 3);
      assert.equal(queue.statistics().bytes, 9);
    },
    { bytesMax: 10 },
  );

  contract(
    'refuses for good a record that is larger than the limit',
    async ({ queue }) => {
      await assert.rejects(queue.enqueue(newRecord('12345678901'), ['x']), codeIs('TOO_LARGE'));
    },
    { bytesMax: 10 },
  );

  contract('moves a record of one destination to the dead letters, and leaves the others theirs', async ({ queue }) => {
    await queue.enqueue(newRecord('a'), ['x', 'y']);
    const sequences = readAll(queue, 'x').map(({ sequence }) => sequence);
    await queue.deadLetter({ destination: 'x', sequences, reason: 'refused' });
    await queue.deadLetter({ destination: 'x', sequences, reason: 'refused' });
    assert.deepEqual(readAll(queue, 'x'), []);
    assert.deepEqual(readAll(queue, 'y').map(textOf), ['a']);
    assert.equal(queue.statistics().deadLetters, 1);
  });

  contract(
    'evicts what is older than the limit, counted for each destination that lost it',
    async ({ queue, telemetry, clock }) => {
      await queue.enqueue({ ...newRecord('old'), items: 5 }, ['x', 'y']);
      await queue.acknowledge(
        'y',
        readAll(queue, 'y').map(({ sequence }) => sequence),
      );
      clock.ns += 50_000n * nanosecondsPerMillisecond;
      await queue.enqueue({ ...newRecord('young'), receivedAtNs: clock.ns }, ['x']);
      clock.ns += 20_000n * nanosecondsPerMillisecond;
      await queue.evictExpired();
      assert.deepEqual(readAll(queue, 'x').map(textOf), ['young']);
      assert.deepEqual(counted(telemetry, 'raybridge_dropped_spans_total'), [
        { labels: { exporter: 'x', reason: 'evicted_age' }, value: 5 },
      ]);
    },
  );

  contract('wakes those who wait at the next record, or when they give up', async ({ queue }) => {
    const giveUp = new AbortController();
    const woken = queue.wait(giveUp.signal);
    await queue.enqueue(newRecord('a'), ['x']);
    await woken;
    const waiting = queue.wait(giveUp.signal);
    giveUp.abort();
    await waiting;
    await queue.wait(giveUp.signal);
  });

  contract('refuses with SHUTTING_DOWN once it is closed, and closes twice', async ({ queue }) => {
    await queue.enqueue(newRecord('a'), ['x']);
    await Promise.all([queue.close(), queue.close()]);
    await assert.rejects(queue.enqueue(newRecord('b'), ['x']), codeIs('SHUTTING_DOWN'));
    await assert.rejects(queue.acknowledge('x', [1]), codeIs('SHUTTING_DOWN'));
  });
}

interface QueueSetting {
  readonly queue: OwnedQueue;
  readonly telemetry: Telemetry;
  readonly clock: { ns: bigint };
}

export function newRecord(text: string): NewRecord {
  return { format: 'otlp_proto', body: Buffer.from(text), receivedAtNs: nowNs, items: 1 };
}

export function readAll(queue: DurableQueue, destination: string): readonly QueueRecord[] {
  return queue.read({ destination, afterSequence: 0, bytesMax: Number.MAX_SAFE_INTEGER });
}

export function textOf(record: NewRecord): string {
  return Buffer.from(record.body).toString();
}

export function codeIs(code: string): (error: unknown) => boolean {
  return (error) => error instanceof RaybridgeError && error.code === code;
}

/** The series of one counter. */
export function counted(telemetry: Telemetry, name: string): readonly object[] {
  return telemetry
    .series()
    .flatMap((series) => (series.name === name ? { labels: series.labels, value: series.value } : []));
}
