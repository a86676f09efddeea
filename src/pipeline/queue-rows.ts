import type { QueueAccounts } from './queue-accounts.ts';
import type { QueueChange } from './queue-commits.ts';
import type { QueueTables } from './queue-environment.ts';
import { decodeEnvelope, encodeEnvelope, envelopeHeaderBytes } from './queue-envelope.ts';
import type { DeadLetter, NewRecord, QueueRecord } from './queue.ts';
import type { Telemetry } from './telemetry.ts';

/**
 * The rows of the durable queue and the changes that lead from one consistent state to the next.
 *
 * A body is stored once. Each destination that still has to take it has a row in `pending`; the row
 * in `records` counts those, and with the last one the body goes. A change runs inside one
 * transaction, so no crash leaves a body without its rows or the other way round. What it returns
 * runs after the commit and tells the accounts, which therefore never count what did not happen.
 */
export interface QueueRows {
  store(record: NewRecord, destinations: readonly string[]): QueueChange;
  acknowledge(destination: string, sequences: readonly number[]): QueueChange;
  bury(burial: Burial): QueueChange;
  /** A dead letter of what is no record of the queue. */
  keep(letter: { readonly header: LetterHeader; readonly record: NewRecord }): QueueChange;
  /** Takes records from all their destinations, counted as dropped for each. */
  evict(sequences: readonly number[], reason: string): QueueChange;
  /** Takes records from one destination, counted as dropped. */
  drop(destination: string, sequences: readonly number[], reason: string): QueueChange;
  /** Back into the queue, or dropped; `found` is set when the letter existed. */
  removeLetter(removal: LetterRemoval): QueueChange;

  read(request: { readonly destination: string; readonly afterSequence: number; readonly bytesMax: number }): {
    readonly records: readonly QueueRecord[];
    readonly damaged: readonly number[];
  };
  /** The oldest sequences that a destination waits for, at most `limit`. */
  waitingFor(destination: string, limit: number): readonly number[];
  /** The oldest records, at most `limit`, as long as they were received before a time. */
  receivedBefore(timeNs: bigint, limit: number): readonly number[];
  letters(): Iterable<DeadLetter>;
  /** What the dead letter holds; undefined when there is no such letter, or it is damaged. */
  letterRecord(number: number): NewRecord | undefined;
  /** Bytes of the pages that hold bodies and letters, estimated from above. */
  pageBytes(): number;
}

export interface Burial {
  readonly destination: string;
  readonly sequences: readonly number[];
  readonly reason: string;
  readonly diedAtNs: bigint;
  /** Hears of each record that was there to bury, after the commit. */
  readonly onBuried?: (items: number) => void;
}

export interface LetterRemoval {
  readonly number: number;
  readonly replay: boolean;
  /** Hears whether the letter existed, after the commit. */
  readonly onRemoved: (existed: boolean) => void;
}

/** All dead letters together; the oldest make room. */
export const letterBytesMax = 64 * 1024 * 1024;
const letterReasonMax = 1000;
/** LMDB's usual page and the header of a run of them; larger pages only make the estimate less exact. */
const pageSize = 4096;
const pageHeaderBytes = 16;

/** A queue that is damaged all over is cleared step by step, not in one pass that holds the event loop. */
const damagedReadMax = 64;

type Settle = () => void;

export function createQueueRows(setup: {
  readonly tables: QueueTables;
  readonly accounts: QueueAccounts;
  readonly telemetry: Telemetry;
}): QueueRows {
  const { accounts, telemetry } = setup;
  const { meta, records, bodies, pending, deadLetters } = setup.tables;
  let pages = 0;

  /** Counts what is there; sizes stand in small rows, so no body is read. */
  const recount = (): void => {
    for (const { value } of records.getRange()) {
      const { bytes } = decodeRow(value);
      accounts.found(bytes);
      pages += pagesOf(bytes);
    }
    for (const [destination, sequence] of pending.getKeys()) {
      accounts.foundPending(destination, readRow(sequence)?.items ?? 0);
    }
    accounts.changeDeadLetters(deadLetters.getKeysCount());
    pages += pagesOf(readNumber('letterBytes'));
  };

  const store = (record: NewRecord, destinations: readonly string[], envelope: Buffer): Settle => {
    const sequence = takeNumber('nextSequence');
    const { receivedAtNs, items } = record;
    const bytes = record.body.length;
    bodies.putSync(sequence, envelope);
    records.putSync(sequence, encodeRow({ waiting: destinations.length, bytes, items, receivedAtNs }));
    const length = encodeLength(bytes);
    for (const destination of destinations) pending.putSync([destination, sequence], length);
    return () => {
      accounts.stored({ bytes, items }, destinations);
      pages += pagesOf(bytes);
    };
  };

  /** Takes a record from a destination; undefined when it does not wait for it. */
  const release = (
    destination: string,
    sequence: number,
  ): { readonly items: number; readonly settle: Settle } | undefined => {
    if (!pending.doesExist([destination, sequence])) return undefined;
    pending.removeSync([destination, sequence]);
    const row = readRow(sequence);
    if (row && row.waiting > 1) records.putSync(sequence, encodeRow({ ...row, waiting: row.waiting - 1 }));
    if (row?.waiting === 1) removeRecord(sequence);
    return {
      items: row?.items ?? 0,
      settle() {
        accounts.pendingGone(destination, row?.items ?? 0);
        if (row?.waiting === 1) bodyGone(row.bytes);
      },
    };
  };

  const removeRecord = (sequence: number): void => {
    records.removeSync(sequence);
    bodies.removeSync(sequence);
  };

  const bodyGone = (bytes: number): void => {
    accounts.bodyGone(bytes);
    pages -= pagesOf(bytes);
  };

  const dropFrom = (destination: string, sequence: number, reason: string): readonly Settle[] => {
    const released = release(destination, sequence);
    if (!released) return [];
    return [released.settle, () => countDropped(destination, reason, released.items)];
  };

  const evictOne = (sequence: number, reason: string): readonly Settle[] => {
    const settlements = accounts.destinations().flatMap((destination) => dropFrom(destination, sequence, reason));
    const leftOver = readRow(sequence);
    if (!leftOver) return settlements;
    // Its count disagreed with its rows, which takes a damaged disk; it must not stay for ever.
    removeRecord(sequence);
    return [...settlements, () => bodyGone(leftOver.bytes)];
  };

  const countDropped = (exporter: string, reason: string, items: number): void =>
    telemetry.count('raybridge_dropped_spans_total', { exporter, reason }, items);

  const buryOne = (burial: Burial, sequence: number): readonly Settle[] => {
    const envelope = bodies.getBinary(sequence) ?? Buffer.alloc(0);
    const released = release(burial.destination, sequence);
    if (!released) return [];
    const { destination, reason, diedAtNs } = burial;
    return [
      released.settle,
      ...putLetter({ destination, sequence, reason, diedAtNs, items: released.items }, envelope),
      () => burial.onBuried?.(released.items),
    ];
  };

  const putLetter = (header: LetterHeader, envelope: Buffer): readonly Settle[] => {
    const letter = encodeLetter(header, envelope);
    const settleRoom = makeRoom(letter.length);
    writeNumber('letterBytes', readNumber('letterBytes') + letter.length);
    deadLetters.putSync(takeNumber('nextLetter'), letter);
    return [
      ...settleRoom,
      () => {
        accounts.changeDeadLetters(1);
        pages += pagesOf(letter.length);
      },
    ];
  };

  const makeRoom = (wanted: number): readonly Settle[] => {
    const settlements: Settle[] = [];
    while (readNumber('letterBytes') + wanted > letterBytesMax) {
      const [oldest] = deadLetters.getKeys({ limit: 1 });
      if (oldest === undefined) break;
      const { header, settle } = takeLetter(oldest);
      settlements.push(settle, () => countDropped(header.destination, 'dead_letters_full', header.items));
    }
    return settlements;
  };

  const takeLetter = (number: number): Letter & { readonly settle: Settle } => {
    const letter = deadLetters.getBinary(number) ?? Buffer.alloc(0);
    deadLetters.removeSync(number);
    writeNumber('letterBytes', readNumber('letterBytes') - letter.length);
    return {
      ...decodeLetter(letter),
      settle() {
        accounts.changeDeadLetters(-1);
        pages -= pagesOf(letter.length);
      },
    };
  };

  const replay = ({ header, envelope }: Letter): readonly Settle[] => {
    const record = decodeEnvelope(envelope);
    if (!record) return [() => countDropped(header.destination, 'checksum', header.items)];
    return [store(record, [header.destination], envelope)];
  };

  const readRow = (sequence: number): RecordRow | undefined => {
    const row = records.getBinary(sequence);
    return row && decodeRow(row);
  };

  const readNumber = (key: MetaNumber): number => Number(meta.get(key));
  const writeNumber = (key: MetaNumber, value: number): void => meta.putSync(key, String(value));
  const takeNumber = (key: MetaNumber): number => {
    const number = readNumber(key);
    writeNumber(key, number + 1);
    return number;
  };

  recount();
  return {
    store(record, destinations) {
      const envelope = encodeEnvelope(record);
      return { kind: 'store', bytes: envelope.length, apply: () => store(record, destinations, envelope) };
    },
    acknowledge: (destination, sequences) => ({
      kind: 'removal',
      bytes: 0,
      apply: () => together(sequences.map((sequence) => release(destination, sequence)?.settle ?? nothing)),
    }),
    bury: (burial) => ({
      kind: 'removal',
      bytes: 0,
      apply: () => together(burial.sequences.flatMap((sequence) => buryOne(burial, sequence))),
    }),
    keep: ({ header, record }) => ({
      kind: 'removal',
      bytes: 0,
      apply: () => together(putLetter(header, encodeEnvelope(record))),
    }),
    evict: (sequences, reason) => ({
      kind: 'removal',
      bytes: 0,
      apply: () => together(sequences.flatMap((sequence) => evictOne(sequence, reason))),
    }),
    drop: (destination, sequences, reason) => ({
      kind: 'removal',
      bytes: 0,
      apply: () => together(sequences.flatMap((sequence) => dropFrom(destination, sequence, reason))),
    }),
    removeLetter: ({ number, replay: back, onRemoved }) => ({
      kind: 'removal',
      bytes: 0,
      apply() {
        if (!deadLetters.doesExist(number)) return () => onRemoved(false);
        const letter = takeLetter(number);
        const { destination, items } = letter.header;
        const rest = back ? replay(letter) : [() => countDropped(destination, 'dead_letter_dropped', items)];
        return together([letter.settle, ...rest, () => onRemoved(true)]);
      },
    }),

    read({ destination, afterSequence, bytesMax }) {
      const found: QueueRecord[] = [];
      const damaged: number[] = [];
      let bytes = 0;
      for (const { key, value } of pending.getRange(rowsOf(destination, afterSequence + 1))) {
        const length = value.readUInt32LE(0);
        if (found.length > 0 && bytes + length > bytesMax) break;
        const sequence = key[1];
        const envelope = bodies.getBinary(sequence);
        const record = envelope && decodeEnvelope(envelope);
        if (record) found.push({ ...record, sequence });
        else damaged.push(sequence);
        bytes += length;
        if (bytes >= bytesMax && (found.length > 0 || damaged.length >= damagedReadMax)) break;
      }
      return { records: found, damaged };
    },
    waitingFor: (destination, limit) =>
      [...pending.getKeys({ ...rowsOf(destination, 0), limit })].map(([, sequence]) => sequence),
    receivedBefore(timeNs, limit) {
      const sequences: number[] = [];
      for (const { key, value } of records.getRange({ limit })) {
        if (decodeRow(value).receivedAtNs >= timeNs) break;
        sequences.push(key);
      }
      return sequences;
    },
    *letters() {
      for (const { key, value } of deadLetters.getRange()) {
        const { header, envelope } = decodeLetter(value);
        yield { ...header, number: key, bytes: Math.max(0, envelope.length - envelopeHeaderBytes) };
      }
    },
    letterRecord(number) {
      const letter = deadLetters.getBinary(number);
      return letter && decodeEnvelope(decodeLetter(letter).envelope);
    },
    pageBytes: () => pages,
  };
}

type MetaNumber = 'nextSequence' | 'nextLetter' | 'letterBytes';

function nothing(): void {}

function together(settlements: readonly Settle[]): Settle {
  return () => {
    for (const settle of settlements) settle();
  };
}

function rowsOf(destination: string, fromSequence: number): { start: [string, number]; end: [string, number] } {
  return { start: [destination, fromSequence], end: [destination, Number.POSITIVE_INFINITY] };
}

/** A small body shares a page with others; counting a whole one errs on the safe side. */
function pagesOf(bytes: number): number {
  return Math.ceil((bytes + envelopeHeaderBytes + pageHeaderBytes) / pageSize) * pageSize;
}

function encodeLength(bytes: number): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes);
  return length;
}

interface RecordRow {
  /** Destinations that have not taken it. */
  readonly waiting: number;
  readonly bytes: number;
  readonly items: number;
  readonly receivedAtNs: bigint;
}

function encodeRow(row: RecordRow): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt32LE(row.waiting, 0);
  bytes.writeUInt32LE(row.bytes, 4);
  bytes.writeUInt32LE(row.items, 8);
  bytes.writeBigInt64LE(row.receivedAtNs, 12);
  return bytes;
}

function decodeRow(bytes: Buffer): RecordRow {
  return {
    waiting: bytes.readUInt32LE(0),
    bytes: bytes.readUInt32LE(4),
    items: bytes.readUInt32LE(8),
    receivedAtNs: bytes.readBigInt64LE(12),
  };
}

type LetterHeader = Omit<DeadLetter, 'number' | 'bytes'>;

interface Letter {
  readonly header: LetterHeader;
  readonly envelope: Buffer;
}

/** A letter is the length of its header in four bytes, the header in JSON, and the envelope as it was. */
function encodeLetter(header: LetterHeader, envelope: Buffer): Buffer {
  const reason = header.reason.slice(0, letterReasonMax);
  const text = Buffer.from(JSON.stringify({ ...header, reason, diedAtNs: String(header.diedAtNs) }));
  return Buffer.concat([encodeLength(text.length), text, envelope]);
}

/** A letter that cannot be read keeps its place in the list, so that an operator can drop it. */
function decodeLetter(letter: Buffer): Letter {
  try {
    const end = 4 + letter.readUInt32LE(0);
    const header = JSON.parse(letter.toString('utf8', 4, end));
    return { header: { ...header, diedAtNs: BigInt(header.diedAtNs) }, envelope: Buffer.from(letter.subarray(end)) };
  } catch {
    return {
      header: { destination: 'unknown', sequence: 0, reason: 'the letter itself is damaged', diedAtNs: 0n, items: 0 },
      envelope: Buffer.alloc(0),
    };
  }
}
