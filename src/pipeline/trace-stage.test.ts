import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { createTestContext } from '../../test/support/context.ts';
import { testSpan } from '../../test/support/span.ts';
import { encodeTraces } from '../codec/index.ts';
import type { Span } from '../model/index.ts';
import { createBatch } from './batches.ts';
import type { Gathering, TraceDecision, TraceProcessor } from './component.ts';
import { openMemoryQueue } from './queue-memory.ts';
import { createTraceStage } from './trace-stage.ts';

const stage = 'traces>gather';
const behind = 'traces>gather>sink';

/** Keeps a trace if one of its spans is named `keep`. */
const keepsNamed = (_: string, spans: readonly Span[]): TraceDecision =>
  spans.some(({ name }) => name === 'keep') ? 'keep' : 'drop';

describe('a stage that gathers traces', () => {
  it('decides each trace as a whole, whatever the order and the records of its spans', async () => {
    const spans = fc.array(
      fc.record({
        trace: fc.integer({ min: 0, max: 5 }),
        name: fc.constantFrom('keep', 'a', 'b'),
        record: fc.integer({ min: 0, max: 4 }),
      }),
      { minLength: 1, maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(spans, async (made) => {
        const all = made.map(({ trace, name, record }, i) => ({ record, span: spanOf(trace, i, name) }));
        const records = grouped(all, ({ record }) => record);
        const run = await start({ waitMs: 1e6 });
        for (const some of records.values()) await run.put(some.map(({ span }) => span));
        await run.taken();
        run.advance(1e6);
        await run.settled();
        const traces = grouped(
          all.map(({ span }) => span),
          ({ traceId }) => traceId,
        );
        const kept = [...traces].flatMap(([id, some]) => (keepsNamed(id, some) === 'keep' ? some : []));
        assert.deepEqual(run.out().map(idOf).toSorted(), kept.map(idOf).toSorted());
        assert.equal(run.dropped(), all.length - kept.length);
        await run.stop();
      }),
      { numRuns: 60 },
    );
  });

  it('acknowledges a record only when each of its traces is decided and what is kept is in the queue', async () => {
    const run = await start({ waitMs: 1000, waitAfterRootMs: 10 });
    await run.put([spanOf(1, 1, 'keep', '01'.repeat(8)), spanOf(2, 2, 'keep')]);
    await run.taken();
    run.advance(10);
    await until('the trace with a root', () => run.out().length > 0);
    assert.equal(run.pending(), 1);
    run.advance(1000);
    await run.settled();
    assert.equal(run.out().length, 2);
    await run.stop();
  });

  it('leaves what is not decided in the queue when it stops, and decides it when it runs again', async () => {
    const run = await start({ waitMs: 1000 }, { durable: true });
    await run.put([spanOf(1, 1, 'keep')]);
    await run.taken();
    await run.stop();
    assert.deepEqual([run.pending(), run.out().length], [1, 0]);
    const again = await run.again();
    await again.taken();
    again.advance(1000);
    await again.settled();
    assert.equal(again.out().length, 1);
    await again.stop();
  });

  it('decides the oldest early when too many wait, counted', async () => {
    const run = await start({ waitMs: 1e6, tracesMax: 3 });
    for (let trace = 0; trace < 5; trace++) await run.put([spanOf(trace, trace, 'keep')]);
    await until('two decided', () => run.out().length === 2);
    assert.deepEqual(run.out().map(idOf), [spanOf(0, 0, ''), spanOf(1, 1, '')].map(idOf));
    assert.equal(run.value('raybridge_traces_decided_early_total', { exporter: stage }), 2);
    await run.stop();
  });

  it('does with late spans as was decided, where that is remembered', async () => {
    const run = await start({ waitMs: 1e6 }, { remembered: (id) => (id.startsWith('1') ? 'keep' : 'drop') });
    await run.put([spanOf(1, 1, 'x'), spanOf(2, 2, 'x')]);
    await run.settled();
    assert.deepEqual(run.out().map(idOf), [idOf(spanOf(1, 1, ''))]);
    assert.equal(run.dropped(), 1);
    await run.stop();
  });

  it('keeps a trace that cannot be judged, and goes on', async () => {
    const run = await start(
      { waitMs: 0 },
      {
        decide() {
          throw new Error('a bug');
        },
      },
    );
    await run.put([spanOf(1, 1, 'x')]);
    await run.settled();
    assert.equal(run.out().length, 1);
    await run.stop();
  });
});

interface Options {
  readonly durable?: boolean;
  readonly remembered?: TraceProcessor['remembered'];
  readonly decide?: TraceProcessor['decide'];
}

async function start(
  gathering: Partial<Gathering>,
  options: Options = {},
  reopened?: ReturnType<typeof openMemoryQueue>,
) {
  const { context, value } = createTestContext('gather');
  const { telemetry, status, log, nowNs } = context;
  const limits = { bytesMax: 1e9, freeBytesMin: 0, ageMaxMs: 1e12 };
  const memory = reopened ?? openMemoryQueue({ limits, nowNs, telemetry });
  const queue = { ...memory, durable: options.durable ?? false };
  const clock = { ms: 0 };
  const processor: TraceProcessor = {
    gathering: { waitMs: 1000, waitAfterRootMs: 0, tracesMax: 1e6, waitsForRoom: false, ...gathering },
    async start() {},
    async shutdown() {},
    remembered: options.remembered ?? (() => undefined),
    decide: options.decide ?? keepsNamed,
  };
  let read = 0;
  const running = createTraceStage({
    destination: stage,
    next: [behind],
    queue,
    processor,
    processors: [],
    toBatch(record) {
      read++;
      return createBatch(record);
    },
    telemetry,
    status,
    log,
    nowMs: () => clock.ms,
  });
  await running.start();
  let put = 0;
  const pending = (): number => memory.statistics().pending.get(stage) ?? 0;
  /** Time alone wakes nobody: the stage sleeps by the real clock, so it is given something to read. */
  const nudge = (): Promise<void> =>
    memory.enqueue({ format: 'otlp_proto', body: new Uint8Array(), items: 0, receivedAtNs: 0n }, [stage]);
  return {
    value,
    pending,
    async put(spans: readonly Span[]) {
      put++;
      await memory.enqueue({ format: 'otlp_proto', body: encodeTraces(spans), items: spans.length, receivedAtNs: 1n }, [
        stage,
      ]);
    },
    /** Waits until the stage has read all that waits. */
    taken: () => until('all read', () => read >= Math.max(put, pending())),
    advance(ms: number) {
      clock.ms += ms;
      void nudge();
    },
    settled: () => until('all acknowledged', () => pending() === 0),
    out: () =>
      memory
        .read({ destination: behind, afterSequence: 0, bytesMax: 1e9 })
        .flatMap((record) => createBatch(record).spans()),
    dropped: () => value('raybridge_dropped_spans_total', { exporter: stage, reason: 'sampled_out' }),
    stop: () => running.shutdown(0),
    again: () => start(gathering, options, memory),
  };
}

function spanOf(trace: number, number: number, name: string, parentSpanId?: string): Span {
  const spanId = (number + 1).toString(16).padStart(16, '0');
  // Without a parent of its own a span is a root.
  return testSpan({
    traceId: `${trace}`.padEnd(32, '5'),
    spanId,
    name,
    parentSpanId: parentSpanId === undefined ? 'aa'.repeat(8) : undefined,
  });
}

function idOf({ traceId, spanId }: Span): string {
  return `${traceId}:${spanId}`;
}

function grouped<Thing, Key>(
  things: readonly Thing[],
  keyOf: (thing: Thing) => Key,
): ReadonlyMap<Key, readonly Thing[]> {
  const groups = new Map<Key, Thing[]>();
  for (const thing of things) groups.set(keyOf(thing), [...(groups.get(keyOf(thing)) ?? []), thing]);
  return groups;
}

const turnsMax = 1_000_000;

async function until(what: string, isTrue: () => boolean): Promise<void> {
  for (let turn = 0; !isTrue(); turn++) {
    assert.ok(turn < turnsMax, `waited in vain for ${what}`);
    await nextTurn();
  }
}
