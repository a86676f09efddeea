import type { BatchFormat } from './batch.ts';

/**
 * The durable intake queue: one body, one cursor per destination (spec: reliability 6.4).
 *
 * A record stays until every destination has acknowledged or dead-lettered it, or until it is
 * evicted by age; each way out is counted. Delivery positions live in memory only: after a
 * restart every destination starts at its oldest record that is not acknowledged.
 */
export interface DurableQueue {
  /** Drawn when the queue was made; part of the tokens by which stores know a repeated write. */
  readonly id: string;
  /** False when the queue lives in memory and a crash loses it. */
  readonly durable: boolean;

  /**
   * Resolves when the record is on disk; calls of one event-loop turn share one commit.
   * @throws RaybridgeError QUEUE_FULL, DISK_LOW, SHUTTING_DOWN, QUEUE_WRITE_FAILED.
   */
  enqueue(record: NewRecord, destinations: readonly string[]): Promise<void>;
  /** The same for what takes the place of records that are acknowledged next: the limit in bytes does not hold. */
  replace(record: NewRecord, destinations: readonly string[]): Promise<void>;

  /**
   * The next records of a destination after `afterSequence`, oldest first, at most `bytesMax`
   * together but at least one if there is any. Bodies are copies the caller owns. A record whose
   * checksum fails is dead-lettered and skipped.
   */
  read(request: {
    readonly destination: string;
    readonly afterSequence: number;
    readonly bytesMax: number;
  }): readonly QueueRecord[];

  /** Resolves at the next enqueue, or when the signal aborts. */
  wait(signal: AbortSignal): Promise<void>;

  acknowledge(destination: string, sequences: readonly number[]): Promise<void>;

  /** Moves records of a destination to the dead letters, whose size is bounded; the oldest make room, counted. */
  deadLetter(letter: {
    readonly destination: string;
    readonly sequences: readonly number[];
    readonly reason: string;
  }): Promise<void>;

  /** Keeps what a destination refused of a record as a dead letter of its own. The record itself stays until it is acknowledged. */
  keepRefused(refused: {
    readonly destination: string;
    readonly sequence: number;
    readonly record: NewRecord;
    readonly reason: string;
  }): Promise<void>;

  statistics(): QueueStatistics;

  /** Refuses new records, waits for the commits under way, closes. Records stay. */
  close(): Promise<void>;
}

/** What destinations refused for good, kept until an operator has looked at it. */
export interface DeadLetters {
  /** Oldest first. */
  letters(): Iterable<DeadLetter>;
  /** What a dead letter holds; undefined when there is no such letter, or it is damaged. */
  letterRecord(number: number): NewRecord | undefined;
  /** Puts a dead letter back into the queue of its destination, as a new record; false when there is no such letter. */
  replayLetter(number: number): Promise<boolean>;
  /** Forgets a dead letter, counted as dropped; false when there is no such letter. */
  dropLetter(number: number): Promise<boolean>;
}

export interface DeadLetter {
  readonly number: number;
  readonly destination: string;
  /** Of the record that it was. */
  readonly sequence: number;
  readonly reason: string;
  readonly diedAtNs: bigint;
  readonly items: number;
  readonly bytes: number;
}

export interface NewRecord {
  readonly format: BatchFormat;
  readonly body: Uint8Array;
  /** Spans or segment documents in the body, for the counters. */
  readonly items: number;
  readonly receivedAtNs: bigint;
}

export interface QueueRecord extends NewRecord {
  /** Rises by one with each record, over restarts too. */
  readonly sequence: number;
}

export interface QueueStatistics {
  /** Bytes of all bodies waiting. */
  readonly bytes: number;
  readonly bytesMax: number;
  /** Records waiting, by destination. */
  readonly pending: ReadonlyMap<string, number>;
  /** Spans or segment documents in them. */
  readonly pendingItems: ReadonlyMap<string, number>;
  readonly deadLetters: number;
}

export interface QueueLimits {
  /** Bodies waiting, in bytes. */
  readonly bytesMax: number;
  /** Space that must stay free on the volume, in bytes. */
  readonly freeBytesMin: number;
  /** Records older than this are evicted, in milliseconds. */
  readonly ageMaxMs: number;
}
