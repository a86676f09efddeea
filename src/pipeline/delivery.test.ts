import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RaybridgeError } from '../errors.ts';
import type { Batch } from './batch.ts';
import type { Delivery as Export, Exporter, Logger, Processor } from './component.ts';
import { createDelivery, type Delivery, type DeliverySetup } from './delivery.ts';
import { counted, newRecord, readAll, roomyLimits } from './queue-contract.ts';
import { openMemoryQueue, type MemoryQueue } from './queue-memory.ts';
import type { QueueRecord } from './queue.ts';
import { createStatus } from './status.ts';
import { createTelemetry } from './telemetry.ts';

test('delivers the records in order, acknowledges them, and counts their spans', async () => {
  const run = begin({});
  await put(run, ['a', 'b', 'c']);
  await until(() => pending(run) === 0);
  assert.deepEqual(run.exporter.taken, ['a', 'b', 'c']);
  assert.deepEqual(counted(run.telemetry, 'raybridge_delivered_spans_total'), [
    { labels: { exporter: 'x' }, value: 3 },
  ]);
  await end(run);
});

test('gathers what the exporter wants for one call, and lingers for more', async () => {
  const run = begin({ gather: { bytesMax: 5, lingerMs: 200 }, started: false });
  await put(run, ['aa', 'bb', 'cc', 'dd', 'eeeeeeee', 'f']);
  await run.delivery.start();
  await until(() => pending(run) === 0);
  assert.deepEqual(run.exporter.calls, [['aa', 'bb'], ['cc', 'dd'], ['eeeeeeee'], ['f']]);
  assert.deepEqual(run.slept, [200]);
  await end(run);
});

test('sends the same records under the same token, and rises in sequence', async () => {
  const run = begin({ answers: [unavailable(), 'ok', 'ok'], gather: { bytesMax: 2, lingerMs: 0 }, started: false });
  await put(run, ['aa', 'bb']);
  await run.delivery.start();
  await until(() => pending(run) === 0);
  const byText = (text: string) => run.exporter.exports.filter(({ batches }) => textOf(batches[0]) === text);
  const tokens = new Set(byText('aa').map(({ token }) => token));
  assert.equal(byText('aa').length, 2);
  assert.equal(tokens.size, 1);
  assert.ok([...tokens][0]?.startsWith(run.queue.id));
  assert.equal(tokens.has(byText('bb')[0]?.token ?? ''), false);
  assert.equal((byText('bb')[0]?.sequence ?? 0n) - (byText('aa')[0]?.sequence ?? 0n), 1n);
  await end(run);
});

test('has at most two exports under way', async () => {
  const gate = createGate();
  const run = begin({ gather: { bytesMax: 1, lingerMs: 0 }, before: () => gate.opened });
  await put(run, ['a', 'b', 'c', 'd', 'e']);
  await until(() => run.exporter.underWay === 2);
  await nextTurn();
  assert.equal(run.exporter.exports.length, 2);
  gate.open();
  await until(() => pending(run) === 0);
  assert.equal(run.exporter.underWayMax, 2);
  await end(run);
});

test('tries a retryable error for ever, with growing pauses up to a minute', async () => {
  const run = begin({ answers: [...Array.from({ length: 20 }, () => unavailable()), 'ok'] });
  await put(run, ['a']);
  await until(() => pending(run) === 0);
  // `random` gives 0.5: half of 1, 2, 4 … 60 s.
  assert.deepEqual(run.slept.slice(0, 8), [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  assert.equal(run.slept.length, 20);
  assert.equal(run.queue.statistics().deadLetters, 0);
  await end(run);
});

test('waits as long as the destination asks, but not longer than five minutes', async () => {
  const run = begin({ answers: [unavailable(7000), unavailable(86_400_000), 'ok'] });
  await put(run, ['a']);
  await until(() => pending(run) === 0);
  assert.deepEqual(run.slept, [7000, 300_000]);
  await end(run);
});

test('after five failures in a row one lane probes, the fault shows, and a success ends both', async () => {
  let up = false;
  const sleeping = createGate();
  const run = begin({
    gather: { bytesMax: 1, lingerMs: 0 },
    answer: () => (up ? 'ok' : unavailable()),
    sleep: (_, calls) => (calls >= 8 ? sleeping.opened : nextTurn()),
  });
  await put(run, ['a', 'b', 'c']);
  await until(() => run.slept.length === 8);
  assert.ok(run.status.faults.has('x'));
  // Two lanes failed five or six times together; since then only one of them has tried.
  const tries = run.exporter.calls.map(([text]) => text);
  assert.equal(new Set(tries.slice(6)).size, 1);
  up = true;
  sleeping.open();
  await until(() => pending(run) === 0);
  assert.equal(run.status.faults.has('x'), false);
  await end(run);
});

test('finds the record that the destination refuses, and delivers the others', async () => {
  const run = begin({
    answer: ({ batches }) => (batches.some((batch) => textOf(batch) === 'poison') ? refused() : 'ok'),
    started: false,
  });
  await put(run, ['a', 'b', 'c', 'poison', 'd', 'e']);
  await run.delivery.start();
  await until(() => pending(run) === 0);
  assert.deepEqual(run.exporter.taken, ['a', 'b', 'c', 'd', 'e']);
  assert.equal(run.queue.statistics().deadLetters, 1);
  assert.deepEqual(counted(run.telemetry, 'raybridge_dead_letters_total'), [
    { labels: { exporter: 'x', reason: 'DESTINATION_REFUSED' }, value: 1 },
  ]);
  assert.deepEqual(run.slept, []);
  await end(run);
});

test('an error that is no RaybridgeError is a bug: logged, and the data is kept and tried again', async () => {
  const run = begin({ answers: [new TypeError('x is not a function'), 'ok'] });
  await put(run, ['a']);
  await until(() => pending(run) === 0);
  assert.deepEqual(run.exporter.taken, ['a']);
  assert.match(String(run.errors), /a bug/);
  await end(run);
});

test('a record that cannot be decoded goes to the dead letters, and the queue moves on', async () => {
  const run = begin({
    toBatch: (record) => {
      if (textOf(record) === 'garbage') throw new RaybridgeError('BAD_INPUT', 'truncated');
      return toBatch(record);
    },
  });
  await put(run, ['garbage', 'a', 'garbage']);
  await until(() => pending(run) === 0);
  assert.deepEqual(run.exporter.taken, ['a']);
  assert.equal(run.queue.statistics().deadLetters, 2);
  await end(run);
});

test('processors change batches on the way; what they drop is acknowledged and not sent', async () => {
  const upper: Processor = {
    ...lifeless,
    process: (batch) =>
      textOf(batch) === 'drop' ? undefined : { ...batch, body: Buffer.from(textOf(batch).toUpperCase()) },
  };
  const run = begin({ processors: [upper] });
  await put(run, ['a', 'drop']);
  await put(run, ['drop']);
  await until(() => pending(run) === 0);
  assert.deepEqual(run.exporter.taken, ['A']);
  assert.deepEqual(counted(run.telemetry, 'raybridge_delivered_spans_total'), [
    { labels: { exporter: 'x' }, value: 1 },
  ]);
  await end(run);
});

test('an idle delivery stops at once', async () => {
  const run = begin({});
  await nextTurn();
  await end(run);
  assert.deepEqual(run.exporter.exports, []);
});

test('shutdown gives an export under way its time and leaves the rest in the queue', async () => {
  const gate = createGate();
  const run = begin({ durable: true, gather: { bytesMax: 1, lingerMs: 0 }, before: () => gate.opened, sleep: forever });
  await put(run, ['a', 'b', 'c', 'd']);
  await until(() => run.exporter.underWay === 2);
  const stopped = run.delivery.shutdown(20_000);
  gate.open();
  await stopped;
  assert.deepEqual([...run.exporter.taken].sort(), ['a', 'b']);
  assert.deepEqual(readAll(run.queue, 'x').map(textOf), ['c', 'd']);
  await run.queue.close();
});

test('shutdown aborts what is under way at the deadline, and keeps it in the queue', async () => {
  const run = begin({
    durable: true,
    answer: ({ signal }) => aborted(signal),
    sleep: (ms) => (ms === 20_000 ? nextTurn() : forever()),
  });
  await put(run, ['a']);
  await until(() => run.exporter.underWay === 1);
  await run.delivery.shutdown(20_000);
  assert.deepEqual(readAll(run.queue, 'x').map(textOf), ['a']);
  assert.equal(run.queue.statistics().deadLetters, 0);
  await run.queue.close();
});

test('shutdown does not wait for a destination that is down', async () => {
  const run = begin({
    durable: true,
    answer: () => unavailable(),
    sleep: (_, __, signal) => aborted(signal).then(() => {}),
  });
  await put(run, ['a']);
  await until(() => run.slept.length === 1);
  await run.delivery.shutdown(20_000);
  assert.deepEqual(readAll(run.queue, 'x').map(textOf), ['a']);
  await run.queue.close();
});

test('shutdown does not hang on an exporter that ignores its signal', async () => {
  const run = begin({ before: forever, sleep: () => nextTurn() });
  await put(run, ['a']);
  await until(() => run.exporter.underWay === 1);
  await run.delivery.shutdown(5);
  await run.queue.close();
});

test('a queue in memory is emptied at shutdown, because nothing else keeps it', async () => {
  const gate = createGate();
  const run = begin({ gather: { bytesMax: 1, lingerMs: 0 }, before: () => gate.opened, sleep: forever });
  await put(run, ['a', 'b', 'c', 'd', 'e']);
  await until(() => run.exporter.underWay === 2);
  const stopped = run.delivery.shutdown(20_000);
  gate.open();
  await stopped;
  assert.deepEqual([...run.exporter.taken].sort(), ['a', 'b', 'c', 'd', 'e']);
  await run.queue.close();
});

type Answer = 'ok' | Error;

interface Wishes {
  /** Answers of the exporter, one a call; the last one stays. */
  readonly answers?: readonly Answer[];
  readonly answer?: (delivery: Export) => Answer | Promise<Answer>;
  /** What an export waits for before it answers. */
  readonly before?: () => Promise<void>;
  readonly gather?: Exporter['gather'];
  readonly processors?: readonly Processor[];
  readonly toBatch?: DeliverySetup['toBatch'];
  readonly sleep?: (ms: number, calls: number, signal: AbortSignal) => Promise<void>;
  /** Treats the queue in memory as one that keeps what is left. */
  readonly durable?: boolean;
  readonly started?: boolean;
}

interface Run {
  readonly delivery: Delivery;
  readonly queue: MemoryQueue;
  readonly exporter: ReturnType<typeof createExporter>;
  readonly telemetry: ReturnType<typeof createTelemetry>;
  readonly status: ReturnType<typeof createStatus>;
  readonly slept: number[];
  readonly errors: string[];
}

function begin(wishes: Wishes): Run {
  const telemetry = createTelemetry();
  const status = createStatus();
  const memory = openMemoryQueue({ limits: roomyLimits, nowNs: () => newRecord('').receivedAtNs, telemetry });
  const queue = { ...memory, durable: wishes.durable ?? false };
  const exporter = createExporter(wishes);
  const slept: number[] = [];
  const errors: string[] = [];
  const log: Logger = { debug() {}, info() {}, warn() {}, error: (_, message) => void errors.push(message) };
  const delivery = createDelivery({
    destination: 'x',
    queue,
    exporter,
    toBatch: wishes.toBatch ?? toBatch,
    processors: wishes.processors ?? [],
    telemetry,
    status,
    log,
    random: () => 0.5,
    sleep(ms, signal) {
      slept.push(ms);
      return wishes.sleep?.(ms, slept.length, signal) ?? nextTurn();
    },
  });
  if (wishes.started ?? true) void delivery.start();
  return { delivery, queue, exporter, telemetry, status, slept, errors };
}

async function end(run: Run): Promise<void> {
  await run.delivery.shutdown(1000);
  await run.queue.close();
}

const lifeless = { start: () => Promise.resolve(), shutdown: () => Promise.resolve() };

/** An exporter that answers as told and remembers what it was given. */
function createExporter({ answers = ['ok'], answer, before, gather }: Wishes) {
  const state = {
    exports: [] as Export[],
    calls: [] as string[][],
    taken: [] as string[],
    underWay: 0,
    underWayMax: 0,
  };
  return {
    ...lifeless,
    gather: gather ?? { bytesMax: 1024, lingerMs: 0 },
    get exports() {
      return state.exports;
    },
    get calls() {
      return state.calls;
    },
    get taken() {
      return state.taken;
    },
    get underWay() {
      return state.underWay;
    },
    get underWayMax() {
      return state.underWayMax;
    },
    async export(delivery: Export) {
      const texts = delivery.batches.map(textOf);
      const told = answers[Math.min(state.exports.length, answers.length - 1)] ?? 'ok';
      state.exports.push(delivery);
      state.calls.push(texts);
      state.underWayMax = Math.max(state.underWayMax, ++state.underWay);
      try {
        await before?.();
        const given = answer ? await answer(delivery) : told;
        if (given !== 'ok') throw given;
        state.taken.push(...texts);
      } finally {
        state.underWay--;
      }
    },
  };
}

async function put({ queue }: Run, texts: readonly string[]): Promise<void> {
  for (const text of texts) await queue.enqueue(newRecord(text), ['x']);
}

function pending({ queue }: Run): number | undefined {
  return queue.statistics().pending.get('x');
}

function toBatch({ format, body, items, receivedAtNs }: QueueRecord): Batch {
  return { format, body, items, receivedAtNs, spans: () => [] };
}

function textOf(of: { readonly body: Uint8Array } | undefined): string {
  return Buffer.from(of?.body ?? []).toString();
}

function unavailable(retryAfterMs?: number): RaybridgeError {
  return new RaybridgeError('DESTINATION_UNAVAILABLE', '503', retryAfterMs === undefined ? {} : { retryAfterMs });
}

function refused(): RaybridgeError {
  return new RaybridgeError('DESTINATION_REFUSED', '400');
}

function aborted(signal: AbortSignal): Promise<Error> {
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(new Error('aborted')), { once: true }),
  );
}

function forever(): Promise<void> {
  return new Promise(() => {});
}

function createGate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

const turnsMax = 100_000;

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    assert.ok(turn < turnsMax, 'it never came true');
    await nextTurn();
  }
}
