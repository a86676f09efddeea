import { randomUUID } from 'node:crypto';
import { RaybridgeError } from '../errors.ts';
import { createQueueAccounts, firstSequence } from './queue-accounts.ts';
import { createWaiters } from './queue-waiters.ts';
import type { DurableQueue, NewRecord, QueueLimits, QueueRecord } from './queue.ts';
import type { Telemetry } from './telemetry.ts';

/**
 * The queue for those who prefer speed to safety: the same contract, but a crash loses it. What
 * still waits when it is closed is lost as well, and counted.
 */
export interface MemoryQueue extends DurableQueue {
  /** Evicts what is older than the limit, oldest first, each counted. Runs by itself every second. */
  evictExpired(): Promise<void>;
}

interface Waiting {
  readonly record: QueueRecord;
  readonly destinations: Set<string>;
}

interface Letter {
  readonly destination: string;
  readonly record: QueueRecord;
}

/** All dead letters together, in bytes of bodies; less than on disk, because memory is dearer. */
export const memoryLetterBytesMax = 8 * 1024 * 1024;
const evictionIntervalMs = 1000;
const nanosecondsPerMillisecond = 1_000_000;

export function openMemoryQueue(setup: {
  readonly limits: QueueLimits;
  readonly nowNs: () => bigint;
  readonly telemetry: Telemetry;
}): MemoryQueue {
  const { limits, nowNs, telemetry } = setup;
  const accounts = createQueueAccounts({ limits, durable: false, telemetry });
  const waiters = createWaiters();
  /** By sequence, in rising order. */
  const waiting = new Map<number, Waiting>();
  const letters: Letter[] = [];
  let letterBytes = 0;
  let nextSequence = firstSequence(nowNs());
  let closed = false;

  const release = (destination: string, sequence: number): QueueRecord | undefined => {
    const entry = waiting.get(sequence);
    if (!entry?.destinations.delete(destination)) return undefined;
    accounts.pendingGone(destination, entry.record.items);
    if (entry.destinations.size === 0) {
      waiting.delete(sequence);
      accounts.bodyGone(entry.record.body.length);
    }
    return entry.record;
  };

  const drop = (entry: Waiting, reason: string): void => {
    for (const exporter of entry.destinations) {
      release(exporter, entry.record.sequence);
      telemetry.count('raybridge_dropped_spans_total', { exporter, reason }, entry.record.items);
    }
  };

  const bury = (letter: Letter): void => {
    letters.push(letter);
    letterBytes += letter.record.body.length;
    accounts.changeDeadLetters(1);
    while (letterBytes > memoryLetterBytesMax) {
      const oldest = letters.shift();
      if (!oldest) break;
      letterBytes -= oldest.record.body.length;
      accounts.changeDeadLetters(-1);
      const labels = { exporter: oldest.destination, reason: 'dead_letters_full' };
      telemetry.count('raybridge_dropped_spans_total', labels, oldest.record.items);
    }
  };

  const evictExpired = (): Promise<void> => {
    const oldestNs = nowNs() - BigInt(Math.round(limits.ageMaxMs * nanosecondsPerMillisecond));
    for (const entry of waiting.values()) {
      if (entry.record.receivedAtNs >= oldestNs) break;
      drop(entry, 'evicted_age');
    }
    return Promise.resolve();
  };

  const store = (record: NewRecord, destinations: readonly string[]): void => {
    const body = Uint8Array.from(record.body);
    const sequence = nextSequence++;
    const all = new Set(destinations);
    waiting.set(sequence, { record: { ...record, body, sequence }, destinations: all });
    accounts.stored({ bytes: body.length, items: record.items }, all);
    waiters.wake();
  };

  const refuseWhenClosed = (): void => {
    if (closed) throw new RaybridgeError('SHUTTING_DOWN', 'queue: the process is stopping');
  };

  const timer = setInterval(() => void evictExpired(), evictionIntervalMs);
  timer.unref();

  return {
    id: randomUUID(),
    durable: false,
    async enqueue(record, destinations) {
      refuseWhenClosed();
      if (destinations.length === 0) return;
      accounts.reserve(record.body.length);
      accounts.release(record.body.length);
      store(record, destinations);
    },
    async replace(record, destinations) {
      refuseWhenClosed();
      if (destinations.length > 0) store(record, destinations);
    },
    read({ destination, afterSequence, bytesMax }) {
      const found: QueueRecord[] = [];
      let bytes = 0;
      for (const { record, destinations } of following(waiting, afterSequence, nextSequence)) {
        if (!destinations.has(destination)) continue;
        if (found.length > 0 && bytes + record.body.length > bytesMax) break;
        found.push({ ...record, body: Uint8Array.from(record.body) });
        bytes += record.body.length;
        if (bytes >= bytesMax) break;
      }
      return found;
    },
    wait: waiters.wait,
    async acknowledge(destination, sequences) {
      refuseWhenClosed();
      for (const sequence of sequences) release(destination, sequence);
    },
    async deadLetter({ destination, sequences }) {
      refuseWhenClosed();
      for (const sequence of sequences) {
        const record = release(destination, sequence);
        if (record) bury({ destination, record });
      }
    },
    async keepRefused({ destination, sequence, record }) {
      refuseWhenClosed();
      bury({ destination, record: { ...record, sequence } });
    },
    statistics: accounts.statistics,
    async close() {
      if (closed) return;
      closed = true;
      clearInterval(timer);
      for (const entry of waiting.values()) drop(entry, 'shutdown');
      for (const { destination, record } of letters) {
        telemetry.count('raybridge_dropped_spans_total', { exporter: destination, reason: 'shutdown' }, record.items);
      }
      letters.length = 0;
    },
    evictExpired,
  };
}

/**
 * Entries after a sequence, oldest first. Sequences have no gaps but for what has left, so a reader
 * that is far ahead of the oldest entry goes there directly.
 */
function* following(waiting: ReadonlyMap<number, Waiting>, afterSequence: number, end: number): Iterable<Waiting> {
  const [oldest] = waiting.keys();
  if (oldest === undefined) return;
  for (let sequence = Math.max(afterSequence + 1, oldest); sequence < end; sequence++) {
    const entry = waiting.get(sequence);
    if (entry) yield entry;
  }
}
