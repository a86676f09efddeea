import type { Span } from '../model/index.ts';
import type { Batch } from './batch.ts';
import { batchOfSpans, splitBatch } from './batches.ts';
import type { Component, Logger, Processor, TraceDecision, TraceProcessor } from './component.ts';
import type { DurableQueue, QueueRecord } from './queue.ts';
import type { Status } from './status.ts';
import type { Telemetry } from './telemetry.ts';

/**
 * Where a pipeline waits for whole traces. It is a destination of the queue like an exporter: it takes
 * records, gathers their spans by trace, and when a trace is decided puts what is kept back into the
 * queue, for what follows in the pipeline. Only then a record is acknowledged, when each of its traces
 * is decided. So a crash loses nothing: what was not acknowledged is read and decided again.
 */
export interface TraceStageSetup {
  /** Name in the queue, and the `exporter` label of the counters. */
  readonly destination: string;
  /** Of what follows. */
  readonly next: readonly string[];
  readonly queue: DurableQueue;
  readonly processor: TraceProcessor;
  /** Those that come before it. */
  readonly processors: readonly Processor[];
  readonly toBatch: (record: QueueRecord) => Batch;
  readonly telemetry: Telemetry;
  readonly status: Status;
  readonly log: Logger;
  readonly nowMs?: () => number;
}

/** A record, and how many of its traces are not decided. */
interface Held {
  readonly sequence: number;
  readonly bytes: number;
  undecided: number;
}

interface Gathered {
  readonly traceId: string;
  readonly spans: Span[];
  readonly records: Set<Held>;
  readonly receivedAtNs: bigint;
  dueAtMs: number;
}

const readBytesMax = 1024 * 1024;
/** Bodies of records with undecided traces; decoded, they take several times as much. */
const heldBytesMax = 64 * 1024 * 1024;
const retryMs = 1000;

export function createTraceStage(setup: TraceStageSetup): Component {
  const { destination, next, queue, processor, telemetry, status, log } = setup;
  const nowMs = setup.nowMs ?? (() => performance.now());
  const { waitMs, waitAfterRootMs, tracesMax, waitsForRoom } = processor.gathering;
  /** Oldest first: all wait equally long, and a root only hastens its own. */
  const traces = new Map<string, Gathered>();
  const stopping = new AbortController();
  let heldBytes = 0;
  let cursor = 0;
  let running: Promise<void> = Promise.resolve();

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        const hasRoom = heldBytes < heldBytesMax && (!waitsForRoom || traces.size < tracesMax);
        const records = hasRoom ? queue.read({ destination, afterSequence: cursor, bytesMax: readBytesMax }) : [];
        for (const record of records) {
          cursor = record.sequence;
          await take(record);
        }
        await settle(dueTraces());
        if (records.length === 0) await waitForWork(hasRoom);
      } catch (error) {
        // The queue fails, or there is a bug here. Traces that were to be decided still are; /readyz tells.
        log.error({ err: error, destination }, 'a stage that gathers traces failed; it tries again');
        status.fault(destination, error instanceof Error ? error.message : String(error));
        await pause(retryMs, stopping.signal);
      }
    }
  };

  /** Until a trace is due, a record comes, or the stage stops. */
  const waitForWork = async (hasRoom: boolean): Promise<void> => {
    const wakes = new AbortController();
    const signal = AbortSignal.any([wakes.signal, stopping.signal]);
    const dueInMs = Math.min(...[...traces.values()].map(({ dueAtMs }) => dueAtMs)) - nowMs();
    const waits = [
      ...(hasRoom ? [queue.wait(signal)] : []),
      ...(traces.size > 0 ? [pause(Math.max(0, dueInMs), signal)] : []),
    ];
    await Promise.race(waits);
    wakes.abort();
  };

  const take = async (record: QueueRecord): Promise<void> => {
    let batch: Batch | undefined;
    try {
      batch = setup.toBatch(record);
      for (const step of setup.processors) batch = batch && step.process(batch);
    } catch (error) {
      const reason = `UNDECODABLE: ${error instanceof Error ? error.message : String(error)}`;
      const labels = { exporter: destination, reason: 'UNDECODABLE' };
      telemetry.count('raybridge_dead_letters_total', labels);
      telemetry.count('raybridge_dead_lettered_spans_total', labels, record.items);
      await queue.deadLetter({ destination, sequences: [record.sequence], reason });
      return;
    }
    const held: Held = { sequence: record.sequence, bytes: record.body.length, undecided: 0 };
    heldBytes += held.bytes;
    const late: Span[] = [];
    for (const span of batch?.spans() ?? []) {
      const decision = traces.has(span.traceId) ? undefined : processor.remembered(span.traceId);
      if (decision === undefined) gather(span, held, record.receivedAtNs);
      else if (decision === 'keep') late.push(span);
      else countDropped(1);
    }
    await put(late, record.receivedAtNs);
    if (held.undecided === 0) await release([held]);
    await settle(tooMany());
  };

  const gather = (span: Span, held: Held, receivedAtNs: bigint): void => {
    const now = nowMs();
    let trace = traces.get(span.traceId);
    if (!trace) {
      trace = { traceId: span.traceId, spans: [], records: new Set(), receivedAtNs, dueAtMs: now + waitMs };
      traces.set(span.traceId, trace);
    }
    trace.spans.push(span);
    if (!trace.records.has(held)) {
      trace.records.add(held);
      held.undecided++;
    }
    if (waitAfterRootMs > 0 && span.parentSpanId === undefined)
      trace.dueAtMs = Math.min(trace.dueAtMs, now + waitAfterRootMs);
  };

  const dueTraces = (): readonly Gathered[] => {
    const now = nowMs();
    return [...traces.values()].filter(({ dueAtMs }) => dueAtMs <= now);
  };

  /** The oldest of those for which there is no room; they are decided with what is there. */
  const tooMany = (): readonly Gathered[] => {
    if (waitsForRoom) return [];
    const surplus = Math.max(0, traces.size - tracesMax);
    if (surplus > 0) telemetry.count('raybridge_traces_decided_early_total', { exporter: destination }, surplus);
    return [...traces.values()].slice(0, surplus);
  };

  const settle = async (decided: readonly Gathered[]): Promise<void> => {
    if (decided.length === 0) return;
    const kept: Span[] = [];
    for (const { traceId, spans } of decided) {
      if (decide(traceId, spans) === 'keep') kept.push(...spans);
      else countDropped(spans.length);
    }
    await put(kept, decided[0]?.receivedAtNs ?? 0n);
    const done: Held[] = [];
    for (const { traceId, records } of decided) {
      traces.delete(traceId);
      for (const held of records) if (--held.undecided === 0) done.push(held);
    }
    await release(done);
    if (status.faults.has(destination)) status.fault(destination, undefined);
  };

  /** A policy that fails on a trace must not hold up the others, nor lose it. */
  const decide = (traceId: string, spans: readonly Span[]): TraceDecision => {
    try {
      return processor.decide(traceId, spans);
    } catch (error) {
      log.error({ err: error, destination, traceId }, 'a trace could not be judged; it is kept');
      return 'keep';
    }
  };

  const put = async (spans: readonly Span[], receivedAtNs: bigint): Promise<void> => {
    if (spans.length === 0) return;
    const pieces = splitBatch(batchOfSpans(spans, receivedAtNs));
    await Promise.all(
      pieces.map(({ format, body, items }) => queue.replace({ format, body, items, receivedAtNs }, next)),
    );
    telemetry.count('raybridge_delivered_spans_total', { exporter: destination }, spans.length);
  };

  const release = async (records: readonly Held[]): Promise<void> => {
    if (records.length === 0) return;
    await queue.acknowledge(
      destination,
      records.map(({ sequence }) => sequence),
    );
    for (const { bytes } of records) heldBytes -= bytes;
  };

  const countDropped = (spans: number): void =>
    telemetry.count('raybridge_dropped_spans_total', { exporter: destination, reason: 'sampled_out' }, spans);

  return {
    async start() {
      telemetry.gauge('raybridge_gathered_traces', { exporter: destination }, () => traces.size);
      running = run();
    },
    async shutdown() {
      stopping.abort();
      await running;
      // A durable queue keeps the undecided; one in memory would lose them.
      if (!queue.durable) await settle([...traces.values()]);
    },
  };
}

/** Resolves after the time, or when the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}
