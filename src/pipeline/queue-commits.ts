import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import type { RootDatabase } from 'lmdb';
import { RaybridgeError } from '../errors.ts';
import { refusalRetryAfterMs } from './queue-accounts.ts';
import type { QueueDisk } from './queue-disk.ts';

/**
 * Group commit: one transaction at a time holds everything that was submitted while the one before
 * it was being synced. A transaction takes effect whole or not at all; its members resolve when it
 * is on the disk.
 */
export interface QueueCommits {
  /** @throws RaybridgeError DISK_LOW (of `store`, or at close), QUEUE_WRITE_FAILED. */
  submit(change: QueueChange): Promise<void>;
  /** Why nothing is written any more, once a commit has failed. */
  readonly failure: RaybridgeError | undefined;
  /** Waits for what was submitted. After it nothing may be submitted. */
  close(): Promise<void>;
}

export interface QueueChange {
  /** On a full disk a `store` is refused, a `removal` waits until it fits: it is what makes space. */
  readonly kind: 'store' | 'removal';
  /** Bytes it writes, about. */
  readonly bytes: number;
  /** Runs inside the transaction, perhaps more than once; what it returns runs after the commit, once. */
  apply(): () => void;
}

/** Larger groups would hold the event loop while LMDB copies the bodies. */
const groupBytesMax = 8 * 1024 * 1024;
/** From here on the space on the volume is measured anew before a commit. */
const largeCommitBytes = 1024 * 1024;
const fullDiskPauseMs = 1000;

interface Submitted {
  readonly change: QueueChange;
  readonly resolve: () => void;
  readonly reject: (error: RaybridgeError) => void;
}

export function createQueueCommits(setup: {
  readonly root: RootDatabase<Buffer, number>;
  readonly disk: QueueDisk;
  /** Called once, when a commit failed for another reason than a full disk. */
  readonly onFailure: (error: RaybridgeError) => void;
}): QueueCommits {
  const { root, disk } = setup;
  let waiting: Submitted[] = [];
  let failure: RaybridgeError | undefined;
  let running: Promise<void> | undefined;
  const closing = new AbortController();

  const run = async (): Promise<void> => {
    await nextTurn();
    while (waiting.length > 0) await commitGroup(takeGroup());
    running = undefined;
  };

  const takeGroup = (): readonly Submitted[] => {
    let bytes = 0;
    let end = 0;
    do bytes += waiting[end++]?.change.bytes ?? 0;
    while (end < waiting.length && bytes < groupBytesMax);
    return waiting.splice(0, end);
  };

  const commitGroup = async (group: readonly Submitted[]): Promise<void> => {
    const bytes = group.reduce((sum, { change }) => sum + change.bytes, 0);
    const fitting = bytes > largeCommitBytes ? await refuseWithoutSpace(group) : group;
    if (fitting.length === 0) return;
    try {
      const settlements = await commit(fitting.map(({ change }) => change));
      for (const settle of settlements) settle();
      for (const { resolve } of fitting) resolve();
    } catch (cause) {
      await handleFailure(fitting, bytes, cause);
    }
  };

  const refuseWithoutSpace = async (group: readonly Submitted[]): Promise<readonly Submitted[]> => {
    try {
      await disk.measure();
      disk.admit();
      return group;
    } catch (cause) {
      return refuseStores(group, cause instanceof RaybridgeError ? cause : writeFailed(cause));
    }
  };

  const commit = async (changes: readonly QueueChange[]): Promise<readonly (() => void)[]> => {
    try {
      // A child transaction is undone when something throws in it; a plain one would commit the rest.
      return await root.childTransaction(() => changes.map((change) => change.apply()));
    } catch (error) {
      throw await commitCause(error);
    }
  };

  const handleFailure = async (group: readonly Submitted[], bytes: number, cause: unknown): Promise<void> => {
    if (!(await isDiskFull(bytes))) return fail(group, writeFailed(cause));
    const removals = refuseStores(group, diskFull(cause));
    if (closing.signal.aborted) {
      for (const { reject } of removals) reject(diskFull(cause));
      return;
    }
    // The first attempt after the ballast is gone follows at once; without removals nothing waits here.
    waiting = [...removals, ...waiting];
    if (removals.length === group.length) await pause();
  };

  const isDiskFull = async (bytes: number): Promise<boolean> => {
    try {
      return await disk.relieve(bytes);
    } catch {
      // A volume that cannot even be measured is no full disk; the failed commit is what gets reported.
      return false;
    }
  };

  const pause = (): Promise<void> =>
    delay(fullDiskPauseMs, undefined, { signal: closing.signal }).catch(() => {
      // Closing ends the pause early.
    });

  const fail = (group: readonly Submitted[], error: RaybridgeError): void => {
    failure = error;
    for (const { reject } of [...group, ...waiting]) reject(error);
    waiting = [];
    setup.onFailure(error);
  };

  return {
    submit(change) {
      if (failure) return Promise.reject(failure);
      return new Promise((resolve, reject) => {
        waiting.push({ change, resolve, reject });
        running ??= run();
      });
    },
    get failure() {
      return failure;
    },
    async close() {
      closing.abort();
      await running;
    },
  };
}

/** Rejects the stores of a group and gives back its removals. */
function refuseStores(group: readonly Submitted[], error: RaybridgeError): readonly Submitted[] {
  for (const { change, reject } of group) if (change.kind === 'store') reject(error);
  return group.filter(({ change }) => change.kind === 'removal');
}

/** lmdb hides the reason of a failed commit in a second promise, which must be handled or it ends the process. */
async function commitCause(thrown: unknown): Promise<unknown> {
  if (!(thrown instanceof Error) || !('commitError' in thrown)) return thrown;
  const reason = Promise.resolve(thrown.commitError).catch((cause: unknown) => cause);
  return (await Promise.race([reason, nextTurn()])) ?? thrown;
}

function writeFailed(cause: unknown): RaybridgeError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new RaybridgeError('QUEUE_WRITE_FAILED', `queue: a commit could not be made durable: ${reason}`, { cause });
}

function diskFull(cause: unknown): RaybridgeError {
  return new RaybridgeError('DISK_LOW', 'queue: the disk is full', { cause, retryAfterMs: refusalRetryAfterMs });
}
