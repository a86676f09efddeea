import { setTimeout as delay } from 'node:timers/promises';
import { RaybridgeError } from '../errors.ts';
import type { Batch } from './batch.ts';
import type { Backoff, Exporter, Logger, Losses, Processor, Refused } from './component.ts';
import type { DurableQueue, QueueRecord } from './queue.ts';
import type { Status } from './status.ts';
import type { Telemetry } from './telemetry.ts';

/**
 * Takes records of one destination from the queue, through the processors, to its exporter.
 *
 * Lanes work side by side; they take turns in gathering, so each record is taken once and in
 * order. The position is in memory only: whatever was not acknowledged is sent again after a
 * restart. A retryable error is tried for ever, with growing pauses; after some failures in a row
 * one lane probes and the other waits. Any other error means that the destination refuses the
 * data: the gathered records are halved until the refused one stands alone, and it alone goes to
 * the dead letters.
 */
export interface Delivery {
  start(): Promise<void>;
  /**
   * Stops taking records, gives exports under way until the deadline, then aborts them. What was
   * not delivered stays in the queue; a queue in memory is emptied first as far as the time allows.
   */
  shutdown(deadlineMs: number): Promise<void>;
}

export interface DeliverySetup {
  /** Name in the queue, and the `exporter` label of the counters. */
  readonly destination: string;
  readonly queue: DurableQueue;
  readonly exporter: Exporter;
  readonly toBatch: (record: QueueRecord) => Batch;
  readonly processors: readonly Processor[];
  readonly telemetry: Telemetry;
  readonly status: Status;
  readonly log: Logger;
  /** 0 <= number < 1. */
  readonly random?: () => number;
  /** Resolves after the time, or when the signal aborts. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

const lanesDefault = 2;
const backoffFirstMs = 1000;
const backoffMaxMs = 60_000;
/** A destination may ask for a longer pause than ours, but not for any length. */
const retryAfterMaxMs = 300_000;
/** So many failures in a row open the circuit: one probe at a time, and the component is in fault. */
const circuitFailures = 5;
/** How long an aborted export may take to notice. */
const abortGraceMs = 1000;

/** A queue record and what the processors made of it; undefined when they dropped all of it. */
interface Prepared {
  readonly record: QueueRecord;
  readonly batch: Batch | undefined;
}

/** Taken but for what was lost of it; left to the queue; or refused as a whole. */
type Answer = Losses | 'stopped' | RaybridgeError;

export function createDelivery(setup: DeliverySetup): Delivery {
  const { destination, queue, exporter, telemetry, status, log } = setup;
  const random = setup.random ?? Math.random;
  const sleep = setup.sleep ?? sleepUntilAborted;
  const stopping = new AbortController();
  const deadline = new AbortController();
  const circuit = createCircuit();
  let cursor = 0;
  let gathering: Promise<unknown> = Promise.resolve();
  let running: Promise<unknown> = Promise.resolve();

  const runLane = async (lane: symbol): Promise<void> => {
    for (;;) {
      try {
        const records = await takeTurn(gather);
        if (records.length === 0) return;
        await deliver(await prepare(records), lane);
      } catch (error) {
        if (deadline.signal.aborted) return;
        // The queue itself fails, or there is a bug here. The lane lives on; /readyz tells.
        log.error({ err: error, destination }, 'delivery failed outside of the exporter');
        status.fault(destination, `delivery fails: ${messageOf(error)}`);
        await sleep(backoffMaxMs, stopping.signal);
        if (stopping.signal.aborted) return;
      }
    }
  };

  /** One lane gathers at a time. */
  const takeTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const turn = gathering.then(work);
    gathering = turn.catch(() => {});
    return turn;
  };

  /** The next records, as many as the exporter wants for one call; none when the delivery stops. */
  const gather = async (): Promise<readonly QueueRecord[]> => {
    const { bytesMax, lingerMs } = exporter.gather;
    const gathered: QueueRecord[] = [];
    let bytes = 0;
    let lingered = lingerMs === 0;
    while (mayGather()) {
      const afterSequence = gathered.at(-1)?.sequence ?? cursor;
      const next = queue.read({ destination, afterSequence, bytesMax: bytesMax - bytes });
      for (const record of next) {
        // A read gives at least one record; this one does not fit and is read again for the next call.
        if (gathered.length > 0 && bytes + record.body.length > bytesMax) return taken(gathered);
        gathered.push(record);
        bytes += record.body.length;
      }
      if (bytes >= bytesMax) return taken(gathered);
      if (next.length > 0) continue;
      if (gathered.length > 0 && lingered) return taken(gathered);
      if (gathered.length > 0) {
        lingered = true;
        await sleep(lingerMs, stopping.signal);
      } else if (stopping.signal.aborted) {
        return [];
      } else {
        await queue.wait(stopping.signal);
      }
    }
    return [];
  };

  const taken = (records: readonly QueueRecord[]): readonly QueueRecord[] => {
    cursor = records.at(-1)?.sequence ?? cursor;
    return records;
  };

  /** A durable queue keeps what is left; one in memory is emptied until the deadline. */
  const mayGather = (): boolean => !(queue.durable ? stopping : deadline).signal.aborted;

  const prepare = async (records: readonly QueueRecord[]): Promise<readonly Prepared[]> => {
    const prepared: Prepared[] = [];
    for (const record of records) {
      try {
        prepared.push({ record, batch: runProcessors(record) });
      } catch (error) {
        await bury(record, 'UNDECODABLE', error);
      }
    }
    return prepared;
  };

  const runProcessors = (record: QueueRecord): Batch | undefined => {
    let batch: Batch | undefined = setup.toBatch(record);
    for (const processor of setup.processors) batch = batch && processor.process(batch);
    return batch;
  };

  /** Ends when each record is delivered, dead, or left to the queue because the delivery stops. */
  const deliver = async (prepared: readonly Prepared[], lane: symbol): Promise<void> => {
    const [first] = prepared;
    if (!first) return;
    const answer = await exportUntilAnswered(prepared, lane);
    if (answer === 'stopped') return;
    if (!(answer instanceof RaybridgeError)) return await acknowledge(prepared, answer);
    if (prepared.length === 1) return await bury(first.record, answer.code, answer);
    const middle = prepared.length >> 1;
    await deliver(prepared.slice(0, middle), lane);
    await deliver(prepared.slice(middle), lane);
  };

  const exportUntilAnswered = async (prepared: readonly Prepared[], lane: symbol): Promise<Answer> => {
    const delivery = toDelivery(prepared);
    if (delivery.batches.length === 0) return {};
    for (let failures = 1; ; failures++) {
      if (!(await circuit.enter(lane, stopping.signal))) return 'stopped';
      if (deadline.signal.aborted || (failures > 1 && stopping.signal.aborted)) return 'stopped';
      try {
        const losses = (await exporter.export(delivery)) ?? {};
        closeCircuit();
        return losses;
      } catch (error) {
        if (deadline.signal.aborted) return 'stopped';
        const answer = judge(error);
        if (answer) return answer;
        await pause(failures, error, lane);
      }
    }
  };

  const toDelivery = (prepared: readonly Prepared[]) => {
    const exported = prepared.filter(({ batch }) => batch !== undefined);
    const first = exported[0]?.record.sequence ?? 0;
    const last = exported.at(-1)?.record.sequence ?? 0;
    return {
      batches: exported.flatMap(({ batch }) => batch ?? []),
      token: `${queue.id}:${destination}:${first}-${last}:${exported.length}`,
      sequence: BigInt(last),
      signal: deadline.signal,
    };
  };

  /** The refusal, when the destination refused the data for good; undefined when it may take them later. */
  const judge = (error: unknown): RaybridgeError | undefined => {
    const reason = error instanceof RaybridgeError ? error.code : 'UNEXPECTED';
    telemetry.count('raybridge_delivery_failures_total', { exporter: destination, reason });
    if (!(error instanceof RaybridgeError)) {
      log.error(
        { err: error, destination },
        'the exporter threw something that is no RaybridgeError: a bug; the data is kept and tried again',
      );
      return undefined;
    }
    if (error.retryable) return undefined;
    closeCircuit();
    return error;
  };

  const pause = async (failures: number, error: unknown, lane: symbol): Promise<void> => {
    const waitMs = pauseMs({ failures, error, random: random(), backoff: exporter.backoff });
    log.warn(
      { destination, failures, waitMs, reason: messageOf(error) },
      'the destination does not take data at the moment',
    );
    if (circuit.fail(lane)) status.fault(destination, messageOf(error));
    await sleep(waitMs, stopping.signal);
  };

  const closeCircuit = (): void => {
    circuit.close();
    if (status.faults.has(destination)) status.fault(destination, undefined);
  };

  /** What was refused is kept before the records go: a crash in between writes it twice rather than never. */
  const acknowledge = async (prepared: readonly Prepared[], { refused = [], rejected = 0 }: Losses): Promise<void> => {
    for (const part of refused) await keep(part, prepared);
    const sequences = prepared.map(({ record }) => record.sequence);
    await queue.acknowledge(destination, sequences);
    const items = sumOf(prepared, ({ batch }) => batch?.items ?? 0);
    const taken = items - sumOf(refused, (part) => part.items) - rejected;
    telemetry.count('raybridge_delivered_spans_total', { exporter: destination }, taken);
    const labels = { exporter: destination, reason: 'rejected_by_backend' };
    if (rejected > 0) telemetry.count('raybridge_dropped_spans_total', labels, rejected);
  };

  const keep = async (part: Refused, [first]: readonly Prepared[]): Promise<void> => {
    const { format, body, items, code, message } = part;
    const { sequence = 0, receivedAtNs = 0n } = first?.record ?? {};
    const reason = `${code}: ${message}`;
    countBuried(code, { sequence, items, reason });
    await queue.keepRefused({ destination, sequence, record: { format, body, items, receivedAtNs }, reason });
  };

  const bury = async (record: QueueRecord, code: string, error: unknown): Promise<void> => {
    const { sequence, items } = record;
    const reason = `${code}: ${messageOf(error)}`;
    countBuried(code, { sequence, items, reason });
    await queue.deadLetter({ destination, sequences: [sequence], reason });
  };

  const countBuried = (
    code: string,
    what: { readonly items: number; readonly sequence: number; readonly reason: string },
  ) => {
    log.warn({ destination, ...what }, 'a record, or a part of one, goes to the dead letters');
    telemetry.count('raybridge_dead_letters_total', { exporter: destination, reason: code });
    telemetry.count('raybridge_dead_lettered_spans_total', { exporter: destination, reason: code }, what.items);
  };

  return {
    start() {
      const lanes = Array.from({ length: exporter.lanes ?? lanesDefault }, () => Symbol('lane'));
      running = Promise.all(lanes.map(runLane));
      return Promise.resolve();
    },
    async shutdown(deadlineMs) {
      stopping.abort();
      const settled = new AbortController();
      const stopped = running.finally(() => settled.abort());
      await Promise.race([stopped, sleep(deadlineMs, settled.signal)]);
      deadline.abort();
      await Promise.race([stopped, sleep(abortGraceMs, settled.signal)]);
    },
  };
}

/** Full jitter below an exponential bound, or as the exporter wants it, unless the destination says how long. */
function pauseMs({
  failures,
  error,
  random,
  backoff,
}: {
  readonly failures: number;
  readonly error: unknown;
  readonly random: number;
  readonly backoff: Backoff | undefined;
}): number {
  const asked = error instanceof RaybridgeError ? error.retryAfterMs : undefined;
  if (asked !== undefined) return Math.min(asked, retryAfterMaxMs);
  if (!backoff) return random * Math.min(backoffMaxMs, backoffFirstMs * 2 ** (failures - 1));
  const { firstMs, maxMs, multiplier, jitter } = backoff;
  return Math.min(maxMs, firstMs * multiplier ** (failures - 1)) * (1 + jitter * (2 * random - 1));
}

/** Failures in a row of one destination, over all lanes. */
interface Circuit {
  /** Resolves with true when this lane may try: the circuit is closed, or it is the lane that probes. False when the signal aborts first. */
  enter(lane: symbol, signal: AbortSignal): Promise<boolean>;
  /** True when the circuit is open. */
  fail(lane: symbol): boolean;
  close(): void;
}

function createCircuit(): Circuit {
  let failures = 0;
  let prober: symbol | undefined;
  let closed = new AbortController();

  return {
    async enter(lane, signal) {
      const mayTry = () => prober === undefined || prober === lane;
      while (!mayTry() && !signal.aborted) await aborted(closed.signal, signal);
      return mayTry();
    },
    fail(lane) {
      failures++;
      if (failures < circuitFailures) return false;
      prober ??= lane;
      return true;
    },
    close() {
      failures = 0;
      prober = undefined;
      closed.abort();
      closed = new AbortController();
    },
  };
}

/** Resolves when one of the signals aborts. */
function aborted(...signals: readonly AbortSignal[]): Promise<void> {
  const any = AbortSignal.any([...signals]);
  if (any.aborted) return Promise.resolve();
  return new Promise((resolve) => any.addEventListener('abort', () => resolve(), { once: true }));
}

async function sleepUntilAborted(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {
    // An abort ends the pause early; that is all it does.
  });
}

function sumOf<Thing>(things: readonly Thing[], measure: (thing: Thing) => number): number {
  return things.reduce((sum, thing) => sum + measure(thing), 0);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
