import { statfs, stat, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RaybridgeError } from '../errors.ts';
import type { Logger } from './component.ts';
import { refusalRetryAfterMs } from './queue-accounts.ts';
import { dataFileName } from './queue-environment.ts';

/**
 * Watches the volume of the queue. A full disk must not stop deliveries, because they are what
 * frees it; LMDB needs a few fresh pages even to delete. So a ballast file holds some space back
 * and goes first, and intake stops before the disk is full.
 */
export interface QueueDisk {
  /** @throws RaybridgeError DISK_LOW. */
  admit(): void;
  /** Measures the volume; called each second and before a large commit. */
  measure(): Promise<void>;
  /** After a failed commit: true when the disk is full, and the ballast was given up for it. */
  relieve(bytes: number): Promise<boolean>;
}

const ballastBytesMax = 32 * 1024 * 1024;
/** On a small volume the ballast is a hundredth of it. */
const ballastShare = 100;
const ballastPieceBytes = 1024 * 1024;
const ballastFileName = 'ballast';
/** A commit may need this much beside its bodies: copies of tree pages and of the free list. */
const commitOverheadBytes = 1024 * 1024;

export async function openQueueDisk(setup: {
  readonly dir: string;
  readonly freeBytesMin: number;
  /** Bytes of pages that hold records; the rest of the data file can be used again. */
  readonly pageBytes: () => number;
  readonly log: Logger;
  /** Told when space falls short (a reason) and when it is back (undefined). */
  readonly onLow: (reason: string | undefined) => void;
}): Promise<QueueDisk> {
  const { dir, freeBytesMin, log } = setup;
  const ballast = join(dir, ballastFileName);
  const ballastBytes = await ballastSize(dir);
  let shortage: string | undefined;

  const measure = async (): Promise<void> => {
    const free = await freeBytes(dir);
    const usable = free + Math.max(0, (await fileBytes(join(dir, dataFileName))) - setup.pageBytes());
    if (free >= freeBytesMin + 2 * ballastBytes) await writeBallast(ballast, ballastBytes, log);
    report(
      usable < freeBytesMin
        ? `expected ${freeBytesMin} bytes free on the volume of ${dir}, found ${usable}`
        : undefined,
    );
  };

  const report = (reason: string | undefined): void => {
    if ((reason === undefined) !== (shortage === undefined)) {
      if (reason) log.warn({ reason }, 'the disk is low: new data is refused, deliveries go on');
      else log.info({ dir }, 'the disk has space again');
      setup.onLow(reason);
    }
    shortage = reason;
  };

  await measure();
  return {
    admit() {
      if (shortage === undefined) return;
      throw new RaybridgeError('DISK_LOW', `queue.freeBytesMin: ${shortage}`, { retryAfterMs: refusalRetryAfterMs });
    },
    measure,
    async relieve(bytes) {
      const free = await freeBytes(dir);
      if (free >= 2 * bytes + commitOverheadBytes) return false;
      await rm(ballast, { force: true });
      report(`a commit of ${bytes} bytes did not fit, ${free} bytes were free`);
      return true;
    },
  };
}

async function ballastSize(dir: string): Promise<number> {
  const { blocks, bsize } = await statfs(dir);
  return Math.min(ballastBytesMax, Math.floor((blocks * bsize) / ballastShare));
}

async function freeBytes(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}

async function fileBytes(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}

/** Writes real bytes, because a hole in a file holds no space back. Without the ballast the queue works, with less reserve. */
async function writeBallast(path: string, bytes: number, log: Logger): Promise<void> {
  if ((await fileBytes(path)) === bytes) return;
  const piece = Buffer.alloc(ballastPieceBytes);
  const pieces = Array.from({ length: Math.ceil(bytes / ballastPieceBytes) }, (_, i) =>
    piece.subarray(0, bytes - i * ballastPieceBytes),
  );
  try {
    await writeFile(path, pieces, { mode: 0o600 });
  } catch (cause) {
    await rm(path, { force: true });
    log.warn({ err: cause, path }, 'the ballast file of the queue cannot be written');
  }
}
