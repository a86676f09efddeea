import assert from 'node:assert/strict';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { open as openLmdb } from 'lmdb';
import type { Logger } from './component.ts';
import { codeIs, counted, newRecord, readAll, roomyLimits, testQueueContract, textOf } from './queue-contract.ts';
import { openLmdbQueue, type LmdbQueue, type LmdbQueueSetup } from './queue-lmdb.ts';
import { letterBytesMax } from './queue-rows.ts';
import { createStatus } from './status.ts';
import { createTelemetry } from './telemetry.ts';

testQueueContract({
  name: 'queue on LMDB',
  open: ({ folder, limits, nowNs, telemetry }) => open({ dir: folder, limits, nowNs, telemetry }),
});

let folder: string;
let dir: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'raybridge-lmdb-'));
  dir = join(folder, 'queue');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('records survive a restart, and sequences continue', async () => {
  const first = await open({});
  for (const text of ['a', 'b', 'c']) await first.enqueue(newRecord(text), ['x', 'y']);
  const before = readAll(first, 'x').map(({ sequence }) => sequence);
  await first.acknowledge('x', before.slice(0, 1));
  await first.close();

  const second = await open({});
  assert.equal(second.id, first.id);
  assert.deepEqual(second.statistics(), first.statistics());
  assert.deepEqual(readAll(second, 'x').map(textOf), ['b', 'c']);
  assert.deepEqual(readAll(second, 'y').map(textOf), ['a', 'b', 'c']);
  await second.enqueue(newRecord('d'), ['x']);
  assert.equal(readAll(second, 'x').at(-1)?.sequence, (before.at(-1) ?? 0) + 1);
  await second.close();
});

test('sequences continue when the queue was emptied before the restart', async () => {
  const first = await open({});
  await first.enqueue(newRecord('a'), ['x']);
  const [sequence = 0] = readAll(first, 'x').map(({ sequence }) => sequence);
  await first.acknowledge('x', [sequence]);
  await first.close();
  const second = await open({});
  await second.enqueue(newRecord('b'), ['x']);
  assert.equal(readAll(second, 'x')[0]?.sequence, sequence + 1);
  await second.close();
});

test('a record with a flipped bit goes to the dead letters, and the others are delivered', async () => {
  await fill(['good-1', 'rotten', 'good-2']);
  damage((data) => flip(data, 'rotten'));
  const telemetry = createTelemetry();
  const queue = await open({ telemetry });
  assert.deepEqual(readAll(queue, 'x').map(textOf), ['good-1', 'good-2']);
  await queue.wait(new AbortController().signal);
  assert.equal(queue.statistics().pending.get('x'), 2);
  assert.deepEqual(
    [...queue.letters()].map(({ reason }) => reason),
    ['checksum'],
  );
  assert.deepEqual(counted(telemetry, 'raybridge_dead_letters_total'), [
    { labels: { exporter: 'x', reason: 'checksum' }, value: 1 },
  ]);
  assert.deepEqual(counted(telemetry, 'raybridge_dead_lettered_spans_total'), [
    { labels: { exporter: 'x', reason: 'checksum' }, value: 1 },
  ]);
  await queue.close();
});

test('knows after a restart how many spans wait for each destination', async () => {
  const first = await open({});
  await first.enqueue({ ...newRecord('a'), items: 3 }, ['x', 'y']);
  await first.enqueue({ ...newRecord('b'), items: 4 }, ['x']);
  await first.close();
  const queue = await open({});
  assert.deepEqual(Object.fromEntries(queue.statistics().pending), { x: 2, y: 1 });
  assert.deepEqual(Object.fromEntries(queue.statistics().pendingItems), { x: 7, y: 3 });
  await queue.close();
});

test('pages full of zeros cost the records that lay in them, and no other', async () => {
  const texts = Array.from({ length: 40 }, (_, i) => `${i}-`.padEnd(9000, 'x'));
  await fill(texts);
  damage((data) => {
    const at = data.indexOf('20-xxx');
    data.fill(0, at, at + 1000);
  });
  const queue = await open({});
  const good = readAll(queue, 'x').map(textOf);
  assert.deepEqual(
    good,
    texts.filter((text) => !text.startsWith('20-')),
  );
  await queue.wait(new AbortController().signal);
  assert.equal(queue.statistics().deadLetters, 1);
  await queue.close();
});

test('a missing end of the data file is no crash: LMDB would die of SIGBUS', async () => {
  await fill(Array.from({ length: 40 }, () => 'x'.repeat(9000)));
  const path = join(dir, 'data.mdb');
  truncateSync(path, Math.floor(statSync(path).size / 2));
  await assertOpensOrIsCorrupt();
});

test('a data file that is not one stops the start with QUEUE_CORRUPT', async () => {
  await fill(['a']);
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(100), Buffer.alloc(200_000, 0xa5)]) {
    writeFileSync(join(dir, 'data.mdb'), bytes);
    await assert.rejects(open({}), codeIs('QUEUE_CORRUPT'));
  }
});

test('with leave to do so, a damaged queue is moved aside and an empty one begins', async () => {
  await fill(['a']);
  writeFileSync(join(dir, 'data.mdb'), 'damage');
  const queue = await open({ allowReset: true, nowNs: () => 5_000_000n });
  assert.deepEqual(readAll(queue, 'x'), []);
  assert.deepEqual(readdirSync(folder).sort(), ['queue', 'queue.corrupt-5']);
  assert.equal(readFileSync(join(folder, 'queue.corrupt-5', 'data.mdb'), 'utf8'), 'damage');
  await queue.close();
});

test('a lost lock file does no harm', async () => {
  await fill(['a']);
  rmSync(join(dir, 'lock.mdb'));
  const queue = await open({});
  assert.deepEqual(readAll(queue, 'x').map(textOf), ['a']);
  await queue.close();
});

test('data of a newer version is refused and not touched', async () => {
  await fill(['a']);
  await stamp('2');
  const before = readFileSync(join(dir, 'data.mdb'));
  await assert.rejects(open({}), codeIs('DATA_TOO_NEW'));
  await assert.rejects(open({ allowReset: true }), codeIs('DATA_TOO_NEW'));
  assert.deepEqual(readFileSync(join(dir, 'data.mdb')), before);
});

test('data without a readable version stops the start', async () => {
  await fill(['a']);
  await stamp('one');
  await assert.rejects(open({}), codeIs('QUEUE_CORRUPT'));
});

test('files are for the owner only', async () => {
  await fill(['a']);
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  for (const name of readdirSync(dir)) assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600, name);
});

test('records of a destination that is no longer configured are kept and named, and dropped on request', async () => {
  await fill(['a', 'b']);
  const warnings: object[] = [];
  const telemetry = createTelemetry();
  const log: Logger = { ...silent, warn: (fields) => void warnings.push(fields) };
  const queue = await open({ destinations: ['other'], log, telemetry });
  assert.deepEqual(warnings, [{ destination: 'x', records: 2 }]);
  assert.equal(queue.statistics().pending.get('x'), 2);
  assert.equal(await queue.dropDestination('x'), 2);
  assert.equal(queue.statistics().bytes, 0);
  assert.deepEqual(counted(telemetry, 'raybridge_dropped_spans_total'), [
    { labels: { exporter: 'x', reason: 'destination_dropped' }, value: 2 },
  ]);
  await queue.close();
});

test('what expired while the process was down is evicted at the start', async () => {
  await fill(Array.from({ length: 600 }, (_, i) => String(i)));
  const queue = await open({ nowNs: () => newRecord('').receivedAtNs + 3_600_000_000_000n });
  assert.equal(queue.statistics().pending.get('x'), 0);
  assert.equal(queue.statistics().bytes, 0);
  await queue.close();
});

test('dead letters are listed, replayed and dropped, over a restart', async () => {
  const first = await open({});
  for (const text of ['a', 'b']) await first.enqueue({ ...newRecord(text), items: 4 }, ['x']);
  const sequences = readAll(first, 'x').map(({ sequence }) => sequence);
  await first.deadLetter({ destination: 'x', sequences, reason: 'refused: bad '.padEnd(5000, '!') });
  await first.close();

  const queue = await open({});
  const letters = [...queue.letters()];
  assert.deepEqual(
    letters.map(({ sequence }) => sequence),
    sequences,
  );
  assert.deepEqual(
    letters.map(({ destination, items, bytes }) => ({ destination, items, bytes })),
    [
      { destination: 'x', items: 4, bytes: 1 },
      { destination: 'x', items: 4, bytes: 1 },
    ],
  );
  assert.equal(letters[0]?.reason.length, 1000);
  assert.equal(await queue.replayLetter(letters[0]?.number ?? 0), true);
  assert.equal(await queue.replayLetter(letters[0]?.number ?? 0), false);
  assert.equal(await queue.dropLetter(letters[1]?.number ?? 0), true);
  assert.equal(queue.statistics().deadLetters, 0);
  const [replayed] = readAll(queue, 'x');
  assert.equal(replayed && textOf(replayed), 'a');
  assert.equal(replayed?.sequence, (sequences.at(-1) ?? 0) + 1);
  await queue.close();
});

test('dead letters are bounded; the oldest make room, counted', async () => {
  const telemetry = createTelemetry();
  const queue = await open({ telemetry, limits: { ...roomyLimits, bytesMax: 2 * letterBytesMax } });
  for (let i = 0; i < 3; i++) {
    await queue.enqueue({ ...newRecord(''), body: Buffer.alloc(letterBytesMax / 2 - 2000), items: 10 + i }, ['x']);
    const [record] = readAll(queue, 'x');
    await queue.deadLetter({ destination: 'x', sequences: [record?.sequence ?? 0], reason: 'refused' });
  }
  assert.deepEqual(
    [...queue.letters()].map(({ items }) => items),
    [11, 12],
  );
  assert.equal(queue.statistics().deadLetters, 2);
  assert.deepEqual(counted(telemetry, 'raybridge_dropped_spans_total'), [
    { labels: { exporter: 'x', reason: 'dead_letters_full' }, value: 10 },
  ]);
  await queue.close();
});

test('new data is refused with DISK_LOW while the volume has less free space than asked for', async () => {
  const status = createStatus();
  const queue = await open({ status, limits: { ...roomyLimits, freeBytesMin: Number.MAX_SAFE_INTEGER } });
  await assert.rejects(queue.enqueue(newRecord('a'), ['x']), codeIs('DISK_LOW'));
  assert.ok(status.faults.has('queue'));
  await queue.close();
});

test('records put in one turn share a commit', async () => {
  const queue = await open({});
  await Promise.all(Array.from({ length: 500 }, (_, i) => queue.enqueue(newRecord(String(i)), ['x'])));
  assert.deepEqual(
    readAll(queue, 'x').map(textOf),
    Array.from({ length: 500 }, (_, i) => String(i)),
  );
  await queue.close();
  const root = openLmdb({ path: dir, noSubdir: false, encoding: 'binary' });
  // getStats has no type; lastTxnId is the number of commits since the file was made.
  const { lastTxnId } = root.getStats() as { lastTxnId: number };
  assert.ok(lastTxnId < 15, String(lastTxnId));
  await root.close();
});

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

function open(setup: Partial<LmdbQueueSetup>): Promise<LmdbQueue> {
  return openLmdbQueue({
    dir,
    limits: roomyLimits,
    destinations: ['x', 'y'],
    nowNs: () => newRecord('').receivedAtNs,
    log: silent,
    telemetry: createTelemetry(),
    status: createStatus(),
    onFatal: (error) => assert.fail(error),
    ...setup,
  });
}

async function fill(texts: readonly string[]): Promise<void> {
  const queue = await open({});
  for (const text of texts) await queue.enqueue(newRecord(text), ['x']);
  await queue.close();
}

function damage(change: (data: Buffer) => void): void {
  const path = join(dir, 'data.mdb');
  const data = readFileSync(path);
  change(data);
  writeFileSync(path, data);
}

/** Flips a bit in every copy of a text; LMDB leaves old ones in pages that are free. */
function flip(data: Buffer, text: string): void {
  let found = 0;
  for (let at = data.indexOf(text); at >= 0; at = data.indexOf(text, at + 1)) {
    data.writeUInt8(data.readUInt8(at) ^ 4, at);
    found++;
  }
  assert.ok(found > 0);
}

async function stamp(version: string): Promise<void> {
  const root = openLmdb<Buffer, number>({ path: dir, noSubdir: false, encoding: 'binary' });
  await root.openDB<string, string>('meta', { encoding: 'string' }).put('version', version);
  await root.close();
}

async function assertOpensOrIsCorrupt(): Promise<void> {
  try {
    const queue = await open({});
    readAll(queue, 'x');
    await queue.close();
  } catch (error) {
    assert.ok(codeIs('QUEUE_CORRUPT')(error), String(error));
  }
  assert.ok(existsSync(dir));
}
