import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import type { Span, TraceDigest } from '../../model/index.ts';
import type { Context } from '../../pipeline/component.ts';
import type { SpanWrite, StateWrite } from '../../pipeline/store.ts';
import { type DigestRow, encodeDigests, insertDigests, nanosecondsPerMinute } from './digests.ts';
import { insertBlock } from './insert.ts';
import { createLinkResolver } from './links.ts';
import { partsOf } from './select.ts';
import { precedenceOf } from './spans.ts';
import {
  readMinutes,
  readNewestVersion,
  readTouched,
  readWrites,
  type Touched,
  type TraceWrites,
} from './trace-writes.ts';
import { createVersions } from './versions.ts';

/**
 * Keeps the digests of traces up to date with their spans.
 *
 * A trace comes in several writes, and deriving its digest costs 50 to 100 µs a span. So the spans of
 * a trace are kept in memory until it has been quiet for a second, then the digest is made once. A
 * trace that is known no more (it was quiet for long, or Raybridge was restarted) is noticed because
 * the table `traces` has counted more writes of it than we have seen, and read back.
 *
 * Up to which receive time everything is digested is noted in the state. What came later but has no
 * digest, because of a crash or because digests could not be written for a while, is the backlog: it
 * is worked off beside what comes in, oldest first.
 */
export interface Indexer {
  /** Takes what was written durably. Waits while very much is waiting for its digest. */
  add(write: SpanWrite): Promise<void>;
  /**
   * Makes the digests that wait, if they are few, so that a question sees what was written before it.
   * Resolves after a moment in any case.
   */
  settle(): Promise<void>;
  /** Begins with the backlog. */
  start(): void;
  /** Makes the digests that wait. */
  shutdown(): Promise<void>;
}

interface IndexerParts {
  readonly context: Pick<Context, 'id' | 'nowNs' | 'log' | 'telemetry'>;
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
  readonly digestSpans: (traceId: string, spans: readonly Span[]) => TraceDigest;
  readonly limits: IndexerLimits;
}

/** What is kept in memory, and how long questions wait for it. */
export interface IndexerLimits {
  /** Spans of traces that wait; writes wait beyond it. */
  readonly waitingSpansMax: number;
  /** Spans kept in memory; the traces that were quiet for longest go first. */
  readonly keptSpansMax: number;
  /** A trace longer than this is not kept: it is read back when it grows. */
  readonly spansPerTraceMax: number;
  /** Milliseconds that a question waits for digests, whatever else is being digested. */
  readonly settleMsMax: number;
}

export const indexerLimits: IndexerLimits = {
  waitingSpansMax: 30_000,
  keptSpansMax: 50_000,
  spansPerTraceMax: 50_000,
  settleMsMax: 250,
};

interface OpenTrace {
  readonly traceId: string;
  readonly copies: Map<string, Copy>;
  /** First start and last end of the spans that we have seen. */
  firstNs: bigint;
  lastNs: bigint;
  /** It had as many when it left the memory. */
  readonly spansBefore: number;
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
/** … but a large one waits ten times as long as its digest takes, so that one that grows for ever does not take all time. */
const waitMsPerSpan = 0.5;
const tickMs = 250;
const failedTickMs = 2000;
/** A question waits for the digests of so many spans at most: about 50 ms. */
const settleSpansMax = 1000;
/** Traces that were let go, of which the time is remembered: about 11 MB. */
const placesMax = 100_000;
/** Traces read back at once. */
const tracesPerRead = 100;
/** Traces digested and inserted at once. */
const tracesPerInsert = 500;
const noteIntervalMs = 10_000;
/** Writes of several destinations may overtake each other by less than this. */
const progressSlackNs = 60_000_000_000n;
const progressKey = { kind: 'clickhouse', key: 'digested' } as const;
/** Ids of the backlog read at once. */
const backlogPage = 10_000;
/** Below every trace id. */
const noTraceId = '0'.repeat(32);

export function createIndexer({
  context,
  use,
  readCopies,
  readState,
  writeState,
  onChange,
  digestSpans,
  limits,
}: IndexerParts): Indexer {
  /** In the order in which they were touched. */
  const traces = new Map<string, OpenTrace>();
  const waiting = new Set<OpenTrace>();
  /** First and last minute of traces that were let go, and their spans; the oldest first. */
  const places = new Map<string, readonly [first: number, last: number, spans: number]>();
  const links = createLinkResolver();
  /** Where the backlog goes on; undefined when there is none. */
  let backlog: Touched | undefined;
  /** Read, but not digested yet: the first part of the backlog. */
  let backlogRead: readonly Touched[] = [];
  /** Everything received before is digested; undefined until it has been read. */
  let notedReceivedNs: bigint | undefined;
  let notedMs = 0;
  let latestReceivedNs: bigint | undefined;
  let keptSpans = 0;
  let waitingSpans = 0;
  const versions = createVersions(context.nowNs);
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let failing = false;
  let running: Promise<void> = Promise.resolve();

  const labels = { store: context.id };
  context.telemetry.gauge('raybridge_digest_waiting_spans', labels, () => waitingSpans);
  context.telemetry.gauge('raybridge_digest_kept_spans', labels, () => keptSpans);

  function touch(traceId: string, receivedNs: bigint): OpenTrace {
    const known = traces.get(traceId);
    if (known) traces.delete(traceId);
    const [first, last, spansBefore = 0] = (known ? undefined : places.get(traceId)) ?? [];
    const trace = known ?? {
      traceId,
      copies: new Map(),
      firstNs: first === undefined ? noTimeNs : BigInt(first) * nanosecondsPerMinute,
      lastNs: last === undefined ? 0n : BigInt(last) * nanosecondsPerMinute,
      spansBefore,
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
    if (span.endTimeNs > trace.lastNs) trace.lastNs = span.endTimeNs;
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
    places.delete(trace.traceId);
    if (trace.copies.size === 0) return;
    places.set(trace.traceId, [minuteAt(trace.firstNs), minuteAt(trace.lastNs), sizeOf(trace)]);
    if (places.size > placesMax) for (const oldest of places.keys()) return void places.delete(oldest);
  }

  function settled(trace: OpenTrace): void {
    trace.waitingSinceMs = undefined;
    if (waiting.delete(trace)) waitingSpans -= trace.copies.size;
  }

  function isFull(): boolean {
    return waitingSpans > limits.waitingSpansMax && !stopped;
  }

  /** Lets go of the traces that were quiet for longest and are up to date. */
  function makeRoom(): void {
    for (const trace of traces.values()) {
      if (keptSpans <= limits.keptSpansMax) return;
      if (trace.waitingSinceMs === undefined) forget(trace);
    }
  }

  /** A digest that cannot be written must not hold up the spans, which can: what waits goes to the backlog. */
  function postpone(): void {
    let oldestNs = backlog?.receivedNs;
    for (const trace of waiting) {
      if (oldestNs === undefined || trace.pendingReceivedNs < oldestNs) oldestNs = trace.pendingReceivedNs;
      settled(trace);
      forget(trace);
    }
    if (oldestNs === undefined) return;
    backlog = { receivedNs: oldestNs, traceId: noTraceId };
    backlogRead = [];
  }

  function schedule(delayMs: number): void {
    if (stopped || timer) return;
    timer = setTimeout(() => {
      timer = undefined;
      void run(async () => {
        await digestWaiting(isDue);
        await catchUp();
      });
    }, delayMs);
    timer.unref();
  }

  /** One at a time. */
  function run(work: () => Promise<void>): Promise<void> {
    running = running.then(async () => {
      try {
        if (notedReceivedNs === undefined) await begin();
        await work();
        failing = false;
        makeRoom();
        await noteProgress();
        if (backlog) schedule(0);
        else if (waiting.size > 0) schedule(tickMs);
      } catch (error) {
        failing = true;
        context.log.warn({ err: error }, 'digests of traces could not be written yet');
        schedule(failedTickMs);
      }
    });
    return running;
  }

  async function begin(): Promise<void> {
    const noted = (await use((client) => readState(client, progressKey.kind))).get(progressKey.key);
    // A clock that was set back must not make what is new look old.
    versions.exceed(await use(readNewestVersion));
    let fromNs = BigInt(noted ?? '0');
    // What had to be postponed before may be older.
    if (!backlog || fromNs < backlog.receivedNs) backlog = { receivedNs: fromNs, traceId: noTraceId };
    fromNs = backlog.receivedNs;
    for (const { pendingReceivedNs } of waiting) if (pendingReceivedNs < fromNs) fromNs = pendingReceivedNs;
    if (noted !== undefined && fromNs < BigInt(noted)) await note(fromNs);
    notedReceivedNs = fromNs;
  }

  /** Works off a part of the backlog. */
  async function catchUp(): Promise<void> {
    const from = backlog;
    if (!from || stopped) return;
    if (backlogRead.length === 0) {
      const found = await use((client) => readTouched(client, from, backlogPage));
      if (backlog !== from) return;
      if (found.length === 0) backlog = undefined;
      else context.log.info({ rows: found.length }, 'traces are being made searchable');
      backlogRead = found;
    }
    const part = backlogRead.slice(0, tracesPerInsert);
    const last = part.at(-1);
    if (!last) return;
    // What is in memory is digested already or waits for it.
    const unknown = part.filter(({ traceId }) => !traces.has(traceId));
    await digest([...new Set(unknown.map(({ traceId, receivedNs }) => touch(traceId, receivedNs)))]);
    if (backlog !== from) return;
    backlog = last;
    backlogRead = backlogRead.slice(part.length);
  }

  /** So that a restart need not look at everything. */
  async function noteProgress(): Promise<void> {
    let doneNs = backlog?.receivedNs ?? latestReceivedNs;
    if (doneNs === undefined || notedReceivedNs === undefined) return;
    for (const { pendingReceivedNs } of waiting) if (pendingReceivedNs < doneNs) doneNs = pendingReceivedNs;
    const safeNs = stopped && !backlog && waiting.size === 0 ? doneNs + 1n : doneNs - progressSlackNs;
    if (safeNs <= notedReceivedNs) return;
    if (performance.now() - notedMs >= noteIntervalMs || stopped) await note(safeNs);
  }

  async function note(receivedNs: bigint): Promise<void> {
    await writeState({ ...progressKey, value: String(receivedNs) });
    notedReceivedNs = receivedNs;
    notedMs = performance.now();
  }

  async function digestWaiting(isChosen: (trace: OpenTrace, nowMs: number) => boolean): Promise<void> {
    const nowMs = performance.now();
    await digestAll([...waiting].filter((trace) => isChosen(trace, nowMs)));
  }

  async function digestAll(chosen: readonly OpenTrace[]): Promise<void> {
    for (const part of partsOf(chosen, tracesPerInsert)) await digest(part);
  }

  async function digest(wanted: readonly OpenTrace[]): Promise<void> {
    if (wanted.length === 0) return;
    const changes = new Map(wanted.map((trace) => [trace, trace.changes]));
    const writes = await use((client) => readWrites(client, wanted));
    const outdated = wanted.filter((trace) => (writes.get(trace.traceId)?.writes ?? 0) > trace.writes);
    const unread = await readBack(outdated, writes);
    for (const trace of wanted) if (traces.get(trace.traceId) !== trace) unread.add(trace);
    const chosen = wanted.filter((trace) => !unread.has(trace));

    const digests = new Map<OpenTrace, TraceDigest>();
    for (const trace of chosen) {
      const made = derive(trace);
      if (made) digests.set(trace, made);
      // Intake shares this thread: between two traces it may go on.
      await setImmediate();
    }
    const resolved = await use((client) => links.resolve(client, [...digests.values()]));
    for (const traceId of resolved.outdated) touch(traceId, latestReceivedNs ?? 0n);
    const rows = [...digests].flatMap(([trace, made]) => {
      const facts = writes.get(trace.traceId);
      return facts ? toRows(trace, made, facts, resolved.linksOf(made)) : [];
    });
    const written = await write(rows);

    for (const trace of chosen) {
      const facts = writes.get(trace.traceId);
      if (facts && written.has(trace.traceId)) trace.minute = minuteAt(facts.startNs);
      if (changes.get(trace) !== trace.changes) continue;
      settled(trace);
      if (traces.get(trace.traceId) !== trace) continue;
      if (trace.copies.size > limits.spansPerTraceMax || trace.copies.size === 0) forget(trace);
    }
  }

  /** Undefined when there is nothing, or when it cannot be made: then the trace is left as it is until it changes. */
  function derive({ traceId, copies }: OpenTrace): TraceDigest | undefined {
    if (copies.size === 0) return undefined;
    try {
      return digestSpans(
        traceId,
        [...copies.values()].map(({ span }) => span),
      );
    } catch (error) {
      skip(traceId, error);
      return undefined;
    }
  }

  /** A bug, but it must not keep all other traces from being found. */
  function skip(traceId: string, error: unknown): void {
    context.telemetry.count('raybridge_digest_failures_total', labels);
    context.log.error({ err: error, traceId }, 'a trace cannot be made searchable');
  }

  /** Gives the ids of the traces that were written. */
  async function write(wanted: readonly DigestRow[]): Promise<ReadonlySet<string>> {
    if (wanted.length === 0) return new Set();
    const { rows, block } = encode(wanted);
    const minutes = rows.map(minuteOf);
    onChange(minutes);
    await use((client) => insertBlock(client, { query: insertDigests, block }));
    onChange(minutes);
    return new Set(rows.map(({ traceId }) => traceId));
  }

  function encode(rows: readonly DigestRow[]): { readonly rows: readonly DigestRow[]; readonly block: Buffer } {
    try {
      return { rows, block: encodeDigests(rows) };
    } catch {
      const bad = new Set(rows.filter((row) => !isEncodable(row)).map(({ traceId }) => traceId));
      const sound = rows.filter(({ traceId }) => !bad.has(traceId));
      return { rows: sound, block: encodeDigests(sound) };
    }
  }

  function isEncodable(row: DigestRow): boolean {
    try {
      return encodeDigests([row]).length > 0;
    } catch (error) {
      skip(row.traceId, error);
      return false;
    }
  }

  /**
   * Joins what is stored of these traces with what is in memory, and finds where their rows stand.
   * Gives those that have to wait, because the ones before them were so large.
   */
  async function readBack(
    outdated: readonly OpenTrace[],
    writes: ReadonlyMap<string, TraceWrites>,
  ): Promise<Set<OpenTrace>> {
    for (let start = 0; start < outdated.length; start += tracesPerRead) {
      if (start > 0 && keptSpans > 2 * limits.keptSpansMax) return new Set(outdated.slice(start));
      const part = outdated.slice(start, start + tracesPerRead);
      const ids = part.map(({ traceId }) => traceId);
      const stored = await use((client) => readCopies(client, ids));
      const minutes = await use((client) => readMinutes(client, ids));
      for (const trace of part) {
        // It went to the backlog meanwhile.
        if (traces.get(trace.traceId) !== trace) continue;
        for (const { span, precedence } of stored.get(trace.traceId)?.values() ?? []) keep(trace, span, precedence);
        trace.writes = writes.get(trace.traceId)?.writes ?? trace.writes;
        trace.minute ??= minutes.get(trace.traceId);
      }
    }
    return new Set();
  }

  function toRows(
    trace: OpenTrace,
    made: TraceDigest,
    facts: TraceWrites,
    linksOf: DigestRow['links'],
  ): readonly DigestRow[] {
    const row: DigestRow = {
      traceId: trace.traceId,
      version: versions.next(),
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

  function digestEverything(): Promise<void> {
    return run(() => digestWaiting(isWaiting));
  }

  return {
    start: () => schedule(0),
    async add({ spans, version, receivedAtNs }) {
      latestReceivedNs = receivedAtNs;
      for (const span of spans) {
        const trace = touch(span.traceId, receivedAtNs);
        if (trace.lastVersion !== version) {
          trace.lastVersion = version;
          trace.writes += 1;
        }
        keep(trace, span, precedenceOf(span, version));
      }
      schedule(failing ? failedTickMs : tickMs);
      // The clock was set back, or this is a late one: a restart must find it.
      if (notedReceivedNs !== undefined && receivedAtNs < notedReceivedNs) await note(receivedAtNs);
      while (isFull()) {
        if (failing) postpone();
        else await digestEverything();
      }
    },
    async settle() {
      if (waiting.size === 0 || waitingSpans > settleSpansMax || failing) return;
      const work = run(() => digestWaiting((trace) => sizeOf(trace) <= settleSpansMax));
      await Promise.race([work, delay(limits.settleMsMax, undefined, { ref: false })]);
    },
    async shutdown() {
      stopped = true;
      clearTimeout(timer);
      await digestEverything();
    },
  };
}

function isWaiting(): boolean {
  return true;
}

function isDue(trace: OpenTrace, nowMs: number): boolean {
  const { waitingSinceMs, touchedMs } = trace;
  if (waitingSinceMs === undefined) return false;
  const sizeMs = sizeOf(trace) * waitMsPerSpan;
  return nowMs - touchedMs >= Math.max(quietMs, sizeMs) || nowMs - waitingSinceMs >= Math.max(waitMaxMs, sizeMs);
}

function sizeOf({ copies, spansBefore }: OpenTrace): number {
  return Math.max(copies.size, spansBefore);
}

function minuteOf({ startNs }: DigestRow): number {
  return minuteAt(startNs);
}

function minuteAt(timeNs: bigint): number {
  return Number(timeNs / nanosecondsPerMinute);
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
