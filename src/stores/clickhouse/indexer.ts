import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import type { Span, TraceDigest } from '../../model/index.ts';
import type { Context } from '../../pipeline/component.ts';
import type { SpanWrite, StateWrite } from '../../pipeline/store.ts';
import { digestSpans } from '../../reader/index.ts';
import { digestColumnList, type DigestRow, encodeDigests, nanosecondsPerMinute } from './digests.ts';
import { createLinkResolver } from './links.ts';
import { precedenceOf } from './spans.ts';
import { readMinutes, readTouched, readWrites, type TraceWrites } from './trace-writes.ts';

/**
 * Keeps the digests of traces up to date with their spans.
 *
 * A trace comes in several writes, and deriving its digest costs 50 to 100 µs a span. So the spans of
 * a trace are kept in memory until it has been quiet for a second, then the digest is made once. A
 * trace that is known no more (it was quiet for long, or Raybridge was restarted) is noticed because
 * the table `traces` has counted more writes of it than we have seen, and read back.
 */
export interface Indexer {
  /** Takes what was written durably. Waits while very much is waiting for its digest. */
  add(write: SpanWrite): Promise<void>;
  /** Makes the digests that wait, if they are few, so that a question sees what was written before it. */
  settle(): Promise<void>;
  /** Begins with what was written before but not digested. */
  start(): void;
  /** Makes the digests that wait. */
  shutdown(): Promise<void>;
}

interface IndexerParts {
  readonly context: Pick<Context, 'nowNs' | 'log' | 'telemetry'>;
  /** Runs with the client of the store. */
  readonly use: <Result>(work: (client: ClickHouseClient) => Promise<Result>) => Promise<Result>;
  /** The copies that count of the spans of these traces. */
  readonly readCopies: (
    client: ClickHouseClient,
    traceIds: readonly string[],
  ) => Promise<ReadonlyMap<string, ReadonlyMap<string, Copy>>>;
  readonly readState: (client: ClickHouseClient, kind: string) => Promise<ReadonlyMap<string, string>>;
  readonly writeState: (entry: StateWrite) => Promise<void>;
  /** Called before and after the digests of these minutes have changed. */
  readonly onChange: (minutes: Iterable<number>) => void;
}

interface OpenTrace {
  readonly traceId: string;
  readonly copies: Map<string, Copy>;
  /** Starts of the first and the last span that we have seen. */
  firstNs: bigint;
  lastNs: bigint;
  /** We have seen a span without a parent. */
  rooted: boolean;
  /** Writes that are in `copies`. */
  writes: number;
  lastVersion: bigint | undefined;
  /** Grows with every write, so that one that came meanwhile is noticed. */
  changes: number;
  /** When the digest became out of date; undefined when it is not. */
  waitingSinceMs: number | undefined;
  /** Receive time of the oldest write that is not in the digest; of one that is waiting. */
  pendingReceivedNs: bigint;
  touchedMs: number;
  /** Where the present row stands; undefined when we have written none. */
  minute: number | undefined;
}

export interface Copy {
  readonly span: Span;
  readonly precedence: bigint;
}

/** Later than any. */
const noTimeNs = 2n ** 64n;
/** A trace is digested when nothing was added for this long … */
const quietMs = 1000;
/** … or its digest has been out of date for this long. */
const waitMaxMs = 5000;
const tickMs = 250;
const failedTickMs = 2000;
/** Spans of traces that wait; writes wait beyond it. */
const waitingSpansMax = 30_000;
/** Spans kept in memory; the traces that were quiet for longest go first. */
const keptSpansMax = 50_000;
/** A question waits for the digests of so many spans at most: about 50 ms. */
const settleSpansMax = 1000;
/** Traces digested and inserted at once. */
const tracesPerInsert = 500;
const noteIntervalMs = 10_000;
/** Writes of several destinations may overtake each other by less than this. */
const progressSlackNs = 60_000_000_000n;
const progressKey = { kind: 'clickhouse', key: 'digested' } as const;
/** A trace longer than this is not kept: it is read back when it grows. */
const spansPerTraceMax = 50_000;

const insertDigests = `INSERT INTO digests (${digestColumnList}) FORMAT Native`;

export function createIndexer({ context, use, readCopies, readState, writeState, onChange }: IndexerParts): Indexer {
  /** In the order in which they were touched. */
  const traces = new Map<string, OpenTrace>();
  const waiting = new Set<OpenTrace>();
  const links = createLinkResolver();
  let caughtUp = false;
  let latestReceivedNs = 0n;
  let notedReceivedNs = 0n;
  let notedMs = 0;
  let keptSpans = 0;
  let waitingSpans = 0;
  let lastVersion = 0n;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let failing = false;
  let running: Promise<void> = Promise.resolve();

  function touch(traceId: string, receivedNs: bigint): OpenTrace {
    const known = traces.get(traceId);
    if (known) traces.delete(traceId);
    const trace = known ?? {
      traceId,
      copies: new Map(),
      firstNs: noTimeNs,
      lastNs: 0n,
      rooted: false,
      writes: 0,
      lastVersion: undefined,
      changes: 0,
      waitingSinceMs: undefined,
      pendingReceivedNs: receivedNs,
      touchedMs: 0,
      minute: undefined,
    };
    traces.set(traceId, trace);
    const nowMs = performance.now();
    trace.touchedMs = nowMs;
    trace.changes += 1;
    if (trace.waitingSinceMs === undefined) {
      trace.waitingSinceMs = nowMs;
      trace.pendingReceivedNs = receivedNs;
      waiting.add(trace);
      waitingSpans += trace.copies.size;
    }
    return trace;
  }

  function keep(trace: OpenTrace, span: Span, precedence: bigint): void {
    if (span.startTimeNs < trace.firstNs) trace.firstNs = span.startTimeNs;
    if (span.startTimeNs > trace.lastNs) trace.lastNs = span.startTimeNs;
    trace.rooted ||= span.parentSpanId === undefined;
    const known = trace.copies.get(span.spanId);
    if (known && known.precedence > precedence) return;
    trace.copies.set(span.spanId, { span, precedence });
    if (known) return;
    keptSpans += 1;
    if (trace.waitingSinceMs !== undefined) waitingSpans += 1;
  }

  function forget(trace: OpenTrace): void {
    traces.delete(trace.traceId);
    keptSpans -= trace.copies.size;
  }

  /** A digest that cannot be written must not hold up the spans, which can: after a failure nobody waits. */
  function isFull(): boolean {
    return waitingSpans > waitingSpansMax && !stopped && !failing;
  }

  /** Lets go of the traces that were quiet for longest and are up to date. */
  function makeRoom(): void {
    for (const trace of traces.values()) {
      if (keptSpans <= keptSpansMax) return;
      if (trace.waitingSinceMs === undefined) forget(trace);
    }
  }

  function schedule(delayMs: number): void {
    if (stopped || timer) return;
    timer = setTimeout(() => {
      timer = undefined;
      void run((trace, nowMs) => isDue(trace, nowMs));
    }, delayMs);
    timer.unref();
  }

  /** One run at a time; each takes what is chosen when its turn comes. */
  function run(isChosen: (trace: OpenTrace, nowMs: number) => boolean): Promise<void> {
    running = running.then(async () => {
      try {
        if (!caughtUp) await catchUp();
        failing = false;
        const nowMs = performance.now();
        await digestAll([...waiting].filter((trace) => isChosen(trace, nowMs)));
        makeRoom();
        await noteProgress();
        if (waiting.size > 0) schedule(tickMs);
      } catch (error) {
        failing = true;
        context.log.warn({ err: error }, 'digests of traces could not be written yet');
        schedule(failedTickMs);
      }
    });
    return running;
  }

  /** What was written before but not digested: a crash, or a database of a version that had no digests. */
  async function catchUp(): Promise<void> {
    const noted = (await use((client) => readState(client, progressKey.kind))).get(progressKey.key);
    const fromNs = BigInt(noted ?? '0');
    const ids = await use((client) => readTouched(client, fromNs));
    if (ids.length > 0) context.log.info({ traces: ids.length }, 'traces are being made searchable');
    for (let start = 0; start < ids.length; start += tracesPerInsert) {
      // What is left is found again at the next start.
      if (stopped) return;
      await digest(ids.slice(start, start + tracesPerInsert).map((traceId) => touch(traceId, fromNs)));
      makeRoom();
    }
    caughtUp = true;
  }

  /** So that a restart need not look at everything. */
  async function noteProgress(): Promise<void> {
    const nowMs = performance.now();
    if (!caughtUp || (nowMs - notedMs < noteIntervalMs && !stopped)) return;
    let doneNs = latestReceivedNs;
    for (const { pendingReceivedNs } of waiting) if (pendingReceivedNs < doneNs) doneNs = pendingReceivedNs;
    const safeNs = stopped && waiting.size === 0 ? doneNs + 1n : doneNs - progressSlackNs;
    if (safeNs <= notedReceivedNs) return;
    await writeState({ ...progressKey, value: String(safeNs) });
    notedReceivedNs = safeNs;
    notedMs = nowMs;
  }

  async function digestAll(chosen: readonly OpenTrace[]): Promise<void> {
    for (let start = 0; start < chosen.length; start += tracesPerInsert) {
      await digest(chosen.slice(start, start + tracesPerInsert));
    }
  }

  async function digest(chosen: readonly OpenTrace[]): Promise<void> {
    const changes = new Map(chosen.map((trace) => [trace, trace.changes]));
    const writes = await use((client) => readWrites(client, chosen));
    const outdated = chosen.filter((trace) => (writes.get(trace.traceId)?.writes ?? 0) > trace.writes);
    if (outdated.length > 0) await readBack(outdated, writes);

    const digests = new Map<OpenTrace, TraceDigest>();
    for (const trace of chosen) {
      if (trace.copies.size === 0) continue;
      digests.set(
        trace,
        digestSpans(
          trace.traceId,
          [...trace.copies.values()].map(({ span }) => span),
        ),
      );
      // Intake shares this thread: between two traces it may go on.
      await setImmediate();
    }
    const resolved = await use((client) => links.resolve(client, [...digests.values()]));
    const rows = [...digests].flatMap(([trace, made]) => {
      const facts = writes.get(trace.traceId);
      return facts ? toRows(trace, made, facts, resolved.linksOf(made)) : [];
    });
    if (rows.length > 0) {
      const minutes = rows.map(minuteOf);
      onChange(minutes);
      await use((client) => insert(client, rows));
      onChange(minutes);
    }

    for (const trace of chosen) {
      const facts = writes.get(trace.traceId);
      if (facts) trace.minute = Number(facts.startNs / nanosecondsPerMinute);
      if (changes.get(trace) !== trace.changes) continue;
      trace.waitingSinceMs = undefined;
      waiting.delete(trace);
      waitingSpans -= trace.copies.size;
      if (trace.copies.size > spansPerTraceMax || trace.copies.size === 0) forget(trace);
    }
    for (const traceId of resolved.nowResolvable) touch(traceId, latestReceivedNs);
  }

  /** Joins what is stored of these traces with what is in memory, and finds where their rows stand. */
  async function readBack(outdated: readonly OpenTrace[], writes: ReadonlyMap<string, TraceWrites>): Promise<void> {
    const ids = outdated.map(({ traceId }) => traceId);
    const stored = await use((client) => readCopies(client, ids));
    const minutes = await use((client) => readMinutes(client, ids));
    for (const trace of outdated) {
      for (const { span, precedence } of stored.get(trace.traceId)?.values() ?? []) keep(trace, span, precedence);
      trace.writes = writes.get(trace.traceId)?.writes ?? trace.writes;
      trace.minute ??= minutes.get(trace.traceId);
    }
  }

  function toRows(
    trace: OpenTrace,
    made: TraceDigest,
    facts: TraceWrites,
    linksOf: DigestRow['links'],
  ): readonly DigestRow[] {
    const now = context.nowNs();
    lastVersion = now > lastVersion ? now : lastVersion + 1n;
    const row: DigestRow = {
      traceId: trace.traceId,
      version: lastVersion,
      removed: false,
      startNs: facts.startNs,
      endNs: facts.endNs,
      receivedNs: facts.receivedNs,
      revision: facts.writes,
      digest: made,
      links: linksOf,
    };
    if (trace.minute === undefined || trace.minute === minuteOf(row)) return [row];
    const startNs = BigInt(trace.minute) * nanosecondsPerMinute;
    return [{ ...row, removed: true, startNs, digest: emptyDigest(made), links: [] }, row];
  }

  return {
    start: () => schedule(0),
    async add({ spans, version, receivedAtNs }) {
      if (receivedAtNs > latestReceivedNs) latestReceivedNs = receivedAtNs;
      for (const span of spans) {
        const trace = touch(span.traceId, receivedAtNs);
        if (trace.lastVersion !== version) {
          trace.lastVersion = version;
          trace.writes += 1;
        }
        keep(trace, span, precedenceOf(span, version));
      }
      schedule(tickMs);
      while (isFull()) await run(isWaiting);
    },
    async settle() {
      if (caughtUp && waiting.size > 0 && waitingSpans <= settleSpansMax) await run(isWaiting);
    },
    async shutdown() {
      stopped = true;
      clearTimeout(timer);
      await run(isWaiting);
    },
  };
}

function isWaiting(): boolean {
  return true;
}

function isDue({ waitingSinceMs, touchedMs }: OpenTrace, nowMs: number): boolean {
  if (waitingSinceMs === undefined) return false;
  return nowMs - touchedMs >= quietMs || nowMs - waitingSinceMs >= waitMaxMs;
}

function minuteOf({ startNs }: DigestRow): number {
  return Number(startNs / nanosecondsPerMinute);
}

function emptyDigest({ traceId, summary }: TraceDigest): TraceDigest {
  return {
    traceId,
    summary: {
      ...summary,
      annotations: new Map(),
      users: [],
      services: [],
      faultRootCauses: [],
      errorRootCauses: [],
      responseTimeRootCauses: [],
    },
    inferred: false,
    accountIds: [],
    segments: [],
    calls: [],
    sends: [],
    receives: [],
    attributes: [],
  };
}

async function insert(client: ClickHouseClient, rows: readonly DigestRow[]): Promise<void> {
  const { stream } = await client.exec({
    query: insertDigests,
    values: Readable.from([encodeDigests(rows)], { objectMode: false }),
    clickhouse_settings: { async_insert: 0 },
  });
  await finished(stream.resume());
}
