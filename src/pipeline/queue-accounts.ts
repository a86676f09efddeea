import { RaybridgeError } from '../errors.ts';
import type { QueueLimits, QueueStatistics } from './queue.ts';
import type { Telemetry } from './telemetry.ts';

/** What a queue holds, in numbers: the limit in bytes, the statistics and the gauges rest on it. */
export interface QueueAccounts {
  /**
   * Sets bytes aside for a record under way; `release` gives them back when it is stored or failed.
   * @throws RaybridgeError QUEUE_FULL; TOO_LARGE when the record alone exceeds the limit.
   */
  reserve(bytes: number): void;
  release(bytes: number): void;
  /** A record was stored for these destinations. */
  stored(record: { readonly bytes: number; readonly items: number }, destinations: Iterable<string>): void;
  /** Rows found at open. */
  found(bytes: number): void;
  /** Of a destination: found at open. */
  foundPending(destination: string, items: number): void;
  /** Of a destination: gone. */
  pendingGone(destination: string, items: number): void;
  /** A body is gone: its last destination left it. */
  bodyGone(bytes: number): void;
  changeDeadLetters(by: number): void;
  /** Every destination that has or had records. */
  destinations(): readonly string[];
  statistics(): QueueStatistics;
}

/** How long a sender should wait when the queue refuses: backlogs shrink in seconds, not in milliseconds. */
export const refusalRetryAfterMs = 1000;

export function createQueueAccounts(setup: {
  readonly limits: QueueLimits;
  readonly durable: boolean;
  readonly telemetry: Telemetry;
}): QueueAccounts {
  const { bytesMax } = setup.limits;
  const pending = new Map<string, number>();
  const pendingItems = new Map<string, number>();
  let bytes = 0;
  let bytesReserved = 0;
  let deadLetters = 0;

  const change = (destination: string, by: { readonly records: number; readonly items: number }): void => {
    pending.set(destination, (pending.get(destination) ?? 0) + by.records);
    pendingItems.set(destination, (pendingItems.get(destination) ?? 0) + by.items);
  };

  setup.telemetry.gauge('raybridge_queue_durable', {}, () => (setup.durable ? 1 : 0));
  setup.telemetry.gauge('raybridge_queue_bytes', {}, () => bytes);
  setup.telemetry.gauge('raybridge_queue_bytes_max', {}, () => bytesMax);
  setup.telemetry.gauge('raybridge_queue_dead_letters', {}, () => deadLetters);

  return {
    reserve(wanted) {
      if (wanted > bytesMax) throw tooLarge(wanted, bytesMax);
      if (bytes + bytesReserved + wanted > bytesMax) throw queueFull(bytes, bytesMax);
      bytesReserved += wanted;
    },
    release(reserved) {
      bytesReserved -= reserved;
    },
    stored(record, destinations) {
      bytes += record.bytes;
      for (const destination of destinations) change(destination, { records: 1, items: record.items });
    },
    found(found) {
      bytes += found;
    },
    foundPending: (destination, items) => change(destination, { records: 1, items }),
    pendingGone: (destination, items) => change(destination, { records: -1, items: -items }),
    bodyGone(gone) {
      bytes -= gone;
    },
    changeDeadLetters(by) {
      deadLetters += by;
    },
    destinations: () => [...pending.keys()],
    statistics: () => ({
      bytes,
      bytesMax,
      pending: new Map(pending),
      pendingItems: new Map(pendingItems),
      deadLetters,
    }),
  };
}

/**
 * The number of the first record of a new queue: microseconds since 1970. Stores let the higher
 * sequence win between two copies of a span, so a queue that replaces a lost one must not start
 * again at 1. A queue would have to take a million records a second to overtake the clock.
 */
export function firstSequence(nowNs: bigint): number {
  return Number(nowNs / 1000n);
}

function tooLarge(bytes: number, bytesMax: number): RaybridgeError {
  return new RaybridgeError(
    'TOO_LARGE',
    `queue.bytesMax: expected a record of at most ${bytesMax} bytes, got ${bytes} bytes`,
  );
}

function queueFull(bytes: number, bytesMax: number): RaybridgeError {
  return new RaybridgeError('QUEUE_FULL', `queue.bytesMax: ${bytes} of ${bytesMax} bytes wait for delivery`, {
    retryAfterMs: refusalRetryAfterMs,
  });
}
