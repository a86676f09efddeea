import { RaybridgeError } from '../errors.ts';
import type { Logger } from './component.ts';
import { createQueueAccounts } from './queue-accounts.ts';
import { createQueueCommits } from './queue-commits.ts';
import { openQueueDisk } from './queue-disk.ts';
import { openQueueEnvironment, readOrCorrupt } from './queue-environment.ts';
import { createQueueRows } from './queue-rows.ts';
import { createWaiters } from './queue-waiters.ts';
import type { DeadLetters, DurableQueue, NewRecord, QueueLimits } from './queue.ts';
import type { Status } from './status.ts';
import type { Telemetry } from './telemetry.ts';

/**
 * The durable queue on LMDB. The work is in four files: `queue-environment.ts` opens the files,
 * `queue-rows.ts` knows the tables, `queue-commits.ts` makes changes durable, and `queue-disk.ts`
 * watches the space.
 */
export interface LmdbQueue extends DurableQueue, DeadLetters {
  /** Evicts what is older than the limit, oldest first, each counted. Runs by itself every second. */
  evictExpired(): Promise<void>;
  /** Gives up all records of a destination, counted: for one that is no longer configured. Resolves with their number. */
  dropDestination(destination: string): Promise<number>;
}

export interface LmdbQueueSetup {
  /** Folder of the queue alone; made when missing. */
  readonly dir: string;
  readonly limits: QueueLimits;
  /** As configured. Rows of others are kept, and named in a warning. */
  readonly destinations: readonly string[];
  readonly nowNs: () => bigint;
  readonly log: Logger;
  readonly telemetry: Telemetry;
  readonly status: Status;
  /** Moves a damaged queue aside instead of refusing to start. */
  readonly allowReset?: boolean;
  /** Called once when a commit failed: nothing can be made durable any more and the process must end with code 74. */
  readonly onFatal: (error: RaybridgeError) => void;
}

/** Records that one transaction evicts or drops. */
const removalBatchMax = 256;
const maintenanceIntervalMs = 1000;
const nanosecondsPerMillisecond = 1_000_000;

/** @throws RaybridgeError QUEUE_CORRUPT, DATA_TOO_NEW, CONFIG_INVALID (a network file system). */
export async function openLmdbQueue(setup: LmdbQueueSetup): Promise<LmdbQueue> {
  const { dir, limits, log, nowNs, status, telemetry } = setup;
  const tables = await openQueueEnvironment({ dir, allowReset: setup.allowReset ?? false, nowNs, log });
  const accounts = createQueueAccounts({ limits, durable: true, telemetry });
  const rows = createQueueRows({ tables, accounts, telemetry });
  const disk = await openQueueDisk({
    dir,
    freeBytesMin: limits.freeBytesMin,
    pageBytes: rows.pageBytes,
    log,
    onLow: (reason) => status.fault('queue', reason),
  });
  const commits = createQueueCommits({
    root: tables.root,
    disk,
    onFailure(error) {
      status.fault('queue', error.message);
      log.error({ err: error }, 'the queue cannot be written; nothing more is acknowledged');
      setup.onFatal(error);
    },
  });
  const waiters = createWaiters();
  let closing: Promise<void> | undefined;

  const submit: typeof commits.submit = (change) => (closing ? Promise.reject(shuttingDown()) : commits.submit(change));

  const store = async (record: NewRecord, destinations: readonly string[]): Promise<void> => {
    await submit(rows.store(record, [...new Set(destinations)]));
    waiters.wake();
  };

  const evictExpired = async (): Promise<void> => {
    const oldestNs = nowNs() - BigInt(Math.round(limits.ageMaxMs * nanosecondsPerMillisecond));
    for (;;) {
      const expired = closing ? [] : rows.receivedBefore(oldestNs, removalBatchMax);
      if (expired.length === 0) return;
      await submit(rows.evict(expired, 'evicted_age'));
    }
  };

  const maintain = async (): Promise<void> => {
    if (commits.failure) return;
    await disk.measure();
    await evictExpired();
  };

  const buryDamaged = (destination: string, sequences: readonly number[]): void => {
    const reason = 'checksum';
    log.warn({ destination, sequences }, 'records of the queue are damaged on the disk; they go to the dead letters');
    const onBuried = (items: number): void => {
      telemetry.count('raybridge_dead_letters_total', { exporter: destination, reason });
      telemetry.count('raybridge_dead_lettered_spans_total', { exporter: destination, reason }, items);
    };
    const buried = submit(rows.bury({ destination, sequences, reason, diedAtNs: nowNs(), onBuried }));
    // A reader that found only damage waits: it must look again. If the burial fails the records
    // stay and are found again; the failed commit itself is reported.
    buried.then(waiters.wake, () => {});
  };

  const removeLetter = async (number: number, replay: boolean): Promise<boolean> => {
    let existed = false;
    await submit(rows.removeLetter({ number, replay, onRemoved: (found) => (existed = found) }));
    if (replay) waiters.wake();
    return existed;
  };

  const close = async (): Promise<void> => {
    clearInterval(timer);
    await maintenance;
    await commits.close();
    await tables.root.close();
  };

  await evictExpired();
  warnOfStrangers(accounts.statistics().pending, setup);
  let maintenance: Promise<void> | undefined;
  const timer = setInterval(() => {
    maintenance ??= maintain()
      .catch((error: unknown) => status.fault('queue', `the queue cannot be looked after: ${String(error)}`))
      .finally(() => (maintenance = undefined));
  }, maintenanceIntervalMs);
  timer.unref();

  return {
    // checkTables has seen it.
    id: tables.meta.get('id') ?? '',
    durable: true,
    async enqueue(record, destinations) {
      if (closing) throw shuttingDown();
      if (commits.failure) throw commits.failure;
      if (destinations.length === 0) return;
      disk.admit();
      accounts.reserve(record.body.length);
      try {
        await store(record, destinations);
      } finally {
        accounts.release(record.body.length);
      }
    },
    async replace(record, destinations) {
      if (commits.failure) throw commits.failure;
      if (destinations.length > 0) await store(record, destinations);
    },
    read(request) {
      if (closing) return [];
      const { records, damaged } = readOrCorrupt(dir, () => rows.read(request));
      if (damaged.length > 0) buryDamaged(request.destination, damaged);
      return records;
    },
    wait: waiters.wait,
    acknowledge: (destination, sequences) => submit(rows.acknowledge(destination, sequences)),
    deadLetter: (letter) => submit(rows.bury({ ...letter, diedAtNs: nowNs() })),
    keepRefused: ({ destination, sequence, record, reason }) =>
      submit(rows.keep({ header: { destination, sequence, reason, diedAtNs: nowNs(), items: record.items }, record })),
    statistics: accounts.statistics,
    close: () => (closing ??= close()),

    evictExpired,
    async dropDestination(destination) {
      let dropped = 0;
      for (;;) {
        const sequences = rows.waitingFor(destination, removalBatchMax);
        if (sequences.length === 0) return dropped;
        await submit(rows.drop(destination, sequences, 'destination_dropped'));
        dropped += sequences.length;
      }
    },
    letters: rows.letters,
    letterRecord: rows.letterRecord,
    replayLetter: (number) => removeLetter(number, true),
    dropLetter: (number) => removeLetter(number, false),
  };
}

function warnOfStrangers(pending: ReadonlyMap<string, number>, { destinations, log }: LmdbQueueSetup): void {
  const configured = new Set(destinations);
  for (const [destination, records] of pending) {
    if (configured.has(destination)) continue;
    log.warn(
      { destination, records },
      'records wait for a destination that is not configured; they are kept until it is, or until they expire',
    );
  }
}

function shuttingDown(): RaybridgeError {
  return new RaybridgeError('SHUTTING_DOWN', 'queue: the process is stopping');
}
