import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RaybridgeError } from '../errors.ts';
import { readAll, roomyLimits } from './queue-contract.ts';
import { openLmdbQueue, type LmdbQueue } from './queue-lmdb.ts';
import type { NewRecord } from './queue.ts';
import { createStatus } from './status.ts';
import { createTelemetry } from './telemetry.ts';

/**
 * The queue against a process that dies, a disk that fills up and a disk that fails. The processes
 * that suffer are this file, started again with the name of a role.
 */
const roles: Readonly<Record<string, (argument: string) => Promise<void>>> = {
  produce,
  fillDisk,
  loseDisk,
  timeEnqueue,
};
const destination = 'x';
const producers = 32;
const killLoops = 5;
const recordsPerLoop = 100_000;
const here = fileURLToPath(import.meta.url);
const [role = '', folderArgument = '', lastArgument = ''] = process.argv.slice(2);
const play = roles[role];
if (play) await play(folderArgument);
else declareTests();

function declareTests(): void {
  test('kill -9 in the middle of the work loses nothing that was acknowledged and brings nothing back', async () => {
    await inFolder(async (folder) => {
      const log = { enqueued: new Set<number>(), attempted: new Set<number>(), acknowledged: new Set<number>() };
      for (let loop = 0; loop < killLoops; loop++) {
        const text = await runAndKill(folder, loop * recordsPerLoop, 250 + Math.random() * 600);
        readLog(text, log);
        await judge(folder, log);
      }
      assert.ok(log.enqueued.size > 100, `only ${log.enqueued.size} records were enqueued`);
    });
  });

  test('a full disk refuses new data, still takes acknowledgements, and recovers by them', (t) =>
    inFolder(async (folder) => {
      const mount = 'mount -t tmpfs -o size=24m none "$0" && exec "$1" "$2" fillDisk "$0" "$3"';
      const file = `${folder}.json`;
      const command = ['-rm', 'sh', '-c', mount, folder, process.execPath, here, file];
      const { error, status, stderr } = spawnSync('unshare', command);
      if (error || (status !== 0 && /unshare|mount/.test(String(stderr)))) return t.skip('no right to mount a tmpfs');
      assert.equal(status, 0, String(stderr));
      const result = JSON.parse(readFileSync(file, 'utf8'));
      rmSync(file);
      assert.deepEqual(result.codes, ['DISK_LOW']);
      assert.ok(result.again >= 20, `only ${result.again} records fitted again`);
      assert.deepEqual(
        { missing: result.missing, back: result.back, fatal: result.fatal },
        { missing: [], back: [], fatal: 0 },
      );
    }));

  test('a record is acknowledged only after its fsync, and the event loop goes on meanwhile', (t) =>
    inFolder(async (folder) => {
      const outcome = await underStrace(folder, 'timeEnqueue', 'delay_enter=200000');
      if (!outcome) return t.skip('no strace here');
      assert.ok(outcome.result.shortestMs >= 200, `acknowledged after ${outcome.result.shortestMs} ms`);
      assert.ok(outcome.result.longestTurnMs < 150, `the event loop stood for ${outcome.result.longestTurnMs} ms`);
    }));

  test('a failed fsync is reported to the sender, and the queue takes nothing more', (t) =>
    inFolder(async (folder) => {
      const outcome = await underStrace(folder, 'loseDisk', 'error=EIO:when=2+');
      if (!outcome) return t.skip('no strace here');
      assert.equal(outcome.status, 74);
      assert.ok(outcome.result.stored > 0);
      assert.deepEqual(outcome.result.codes, ['QUEUE_WRITE_FAILED', 'QUEUE_WRITE_FAILED']);
      assert.equal(outcome.result.fatal, 1);
      assert.equal(outcome.result.fault, true);
    }));
}

/** What the roles under strace write; each fills its part. */
interface StraceResult {
  readonly stored: number;
  readonly codes: readonly string[];
  readonly fatal: number;
  readonly fault: boolean;
  readonly shortestMs: number;
  readonly longestTurnMs: number;
}

/**
 * Plays a role while strace meddles with each fdatasync, counted per thread. The queue is made
 * before, undisturbed. Undefined when this machine has no strace or does not allow it.
 */
async function underStrace(
  folder: string,
  role: string,
  injection: string,
): Promise<{ readonly status: number | null; readonly result: StraceResult } | undefined> {
  const queue = await open(folder);
  await queue.close();
  const file = join(folder, 'result.json');
  const meddle = `-f -qq -o /dev/null -e trace=fdatasync -e inject=fdatasync:${injection}`.split(' ');
  const { error, status, stderr } = spawnSync('strace', [...meddle, process.execPath, here, role, folder, file]);
  if (error || /ptrace|not permitted/i.test(String(stderr))) return undefined;
  return { status, result: JSON.parse(readFileSync(file, 'utf8')) };
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'raybridge-crash-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs a producer, kills it after a while, and gives back what it wrote in whole lines. */
async function runAndKill(folder: string, firstNumber: number, afterMs: number): Promise<string> {
  const child = spawn(process.execPath, [here, 'produce', folder, String(firstNumber)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  const chunks: Buffer[] = [];
  const ready = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => child.stdout.once('close', resolve));
  await ready;
  // The moment of death is the experiment; there is nothing to wait for.
  await delay(afterMs);
  child.kill('SIGKILL');
  await ended;
  const text = Buffer.concat(chunks).toString();
  return text.slice(0, text.lastIndexOf('\n') + 1);
}

interface Log {
  readonly enqueued: Set<number>;
  readonly attempted: Set<number>;
  readonly acknowledged: Set<number>;
}

function readLog(text: string, log: Log): void {
  for (const line of text.split('\n')) {
    const number = Number(line.slice(1));
    if (line.startsWith('E')) log.enqueued.add(number);
    if (line.startsWith('A')) log.attempted.add(number);
    if (line.startsWith('D')) log.acknowledged.add(number);
  }
}

async function judge(folder: string, log: Log): Promise<void> {
  const queue = await open(folder);
  const records = readAll(queue, destination);
  await queue.close();
  const present = new Set(records.map((record) => numberOf(record)));
  const lost = [...log.enqueued].filter((number) => !present.has(number) && !log.attempted.has(number));
  const back = [...log.acknowledged].filter((number) => present.has(number));
  assert.deepEqual({ lost, back }, { lost: [], back: [] });
  assert.equal(queue.statistics().deadLetters, 0);
  assert.ok(records.every(({ sequence }, i) => i === 0 || sequence > (records[i - 1]?.sequence ?? 0)));
}

async function produce(folder: string): Promise<void> {
  const queue = await open(folder);
  let number = Number(lastArgument);
  writeSync(1, 'start\n');
  const producer = async (): Promise<void> => {
    for (;;) {
      const own = number++;
      await queue.enqueue(newNumbered(own, 500 + Math.random() * 8000), [destination]);
      writeSync(1, `E${own}\n`);
      await delay(Math.random() * 6);
    }
  };
  const consumer = async (): Promise<void> => {
    for (;;) {
      const records = queue.read({ destination, afterSequence: 0, bytesMax: 100_000 }).slice(0, 28);
      for (const record of records) writeSync(1, `A${numberOf(record)}\n`);
      await queue.acknowledge(
        destination,
        records.map(({ sequence }) => sequence),
      );
      for (const record of records) writeSync(1, `D${numberOf(record)}\n`);
      await delay(Math.random() * 10);
    }
  };
  await Promise.all([...Array.from({ length: producers }, producer), consumer()]);
}

async function fillDisk(folder: string): Promise<void> {
  let fatal = 0;
  const queue = await open(folder, () => fatal++);
  const codes: string[] = [];
  const stored = new Set<number>();
  const put = async (number: number): Promise<void> => {
    try {
      await queue.enqueue(newNumbered(number, 64 * 1024), [destination]);
      stored.add(number);
    } catch (error) {
      codes.push(codeOf(error));
    }
  };
  const acknowledgeOldest = async (): Promise<void> => {
    const [oldest] = queue.read({ destination, afterSequence: 0, bytesMax: 1 });
    if (!oldest) return;
    await queue.acknowledge(destination, [oldest.sequence]);
    stored.delete(numberOf(oldest));
  };

  // One record a commit until the disk is full; then it must drain, and take data again.
  for (let number = 0; codes.length < 3; number++) await put(number);
  for (let i = 0; i < 50; i++) await acknowledgeOldest();
  const drained = stored.size;
  for (let number = 10_000; stored.size < drained + 20 && number < 11_000; number++) {
    await put(number);
    // The space is measured every second.
    if (stored.size === drained) await delay(50);
  }
  const again = stored.size - drained;
  // Large commits in which stores and an acknowledgement meet the full disk together.
  for (let round = 0; round < 30; round++) {
    const puts = Array.from({ length: 40 }, (_, i) => put(100_000 + round * 40 + i));
    await Promise.all([...puts, acknowledgeOldest()]);
    await delay(80);
  }
  await queue.close();

  const after = await open(folder, () => fatal++);
  const present = new Set(readAll(after, destination).map(numberOf));
  await after.close();
  const missing = [...stored].filter((number) => !present.has(number));
  const back = [...present].filter((number) => !stored.has(number));
  writeFileSync(lastArgument, JSON.stringify({ codes: [...new Set(codes)], again, missing, back, fatal }));
}

async function timeEnqueue(folder: string): Promise<void> {
  const queue = await open(folder);
  const turns = monitorEventLoopDelay({ resolution: 5 });
  turns.enable();
  let shortestMs = Number.POSITIVE_INFINITY;
  for (let number = 0; number < 4; number++) {
    const started = performance.now();
    await queue.enqueue(newNumbered(number, 70_000), [destination]);
    shortestMs = Math.min(shortestMs, performance.now() - started);
  }
  turns.disable();
  await queue.close();
  writeFileSync(lastArgument, JSON.stringify({ shortestMs, longestTurnMs: turns.max / 1e6 }));
}

async function loseDisk(folder: string): Promise<void> {
  const status = createStatus();
  let fatal = 0;
  const queue = await open(folder, () => fatal++, status);
  const codes: string[] = [];
  let stored = 0;
  while (codes.length < 2) {
    try {
      await queue.enqueue(newNumbered(stored, 5000), [destination]);
      stored++;
    } catch (error) {
      codes.push(codeOf(error));
    }
  }
  writeFileSync(lastArgument, JSON.stringify({ stored, codes, fatal, fault: status.faults.has('queue') }));
  process.exit(74);
}

function open(
  folder: string,
  onFatal: (error: RaybridgeError) => void = stop,
  status = createStatus(),
): Promise<LmdbQueue> {
  return openLmdbQueue({
    dir: join(folder, 'queue'),
    limits: { ...roomyLimits, bytesMax: 1024 ** 3, ageMaxMs: 3_600_000 },
    destinations: [destination],
    nowNs: () => BigInt(Date.now()) * 1_000_000n,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    telemetry: createTelemetry(),
    status,
    onFatal,
  });
}

function stop(error: RaybridgeError): never {
  throw error;
}

/** A number, noise, and the MD5 of both, so that the judge does not rely on the queue's own checksum. */
function newNumbered(number: number, bytes: number): NewRecord {
  const content = Buffer.concat([Buffer.alloc(4), randomBytes(Math.floor(bytes))]);
  content.writeUInt32BE(number);
  const body = Buffer.concat([content, createHash('md5').update(content).digest()]);
  return { format: 'otlp_proto', body, receivedAtNs: BigInt(Date.now()) * 1_000_000n, items: 1 };
}

function numberOf({ body }: NewRecord): number {
  const content = Buffer.from(body.subarray(0, -16));
  assert.deepEqual(createHash('md5').update(content).digest(), Buffer.from(body.subarray(-16)), 'altered');
  return content.readUInt32BE();
}

function codeOf(error: unknown): string {
  return error instanceof RaybridgeError ? error.code : String(error);
}
