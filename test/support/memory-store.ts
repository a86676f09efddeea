import { RaybridgeError } from '../../src/errors.ts';
import { epochSecondsOf, keywordKey, type Span } from '../../src/model/index.ts';
import type { StoreComponent } from '../../src/pipeline/component.ts';
import type {
  ResponseTimeCell,
  SpanWrite,
  TraceFound,
  TraceQuery,
  TraceReference,
  TraceSelection,
} from '../../src/pipeline/store.ts';
import type { TraceDigest } from '../../src/model/index.ts';
import {
  createGraphBuilder,
  matches,
  responseTimeBucket,
  selectStatistics,
  toTraceSummaryAnswer,
} from '../../src/query/index.ts';
import { digestSpans } from '../../src/reader/index.ts';

/** A store in memory that keeps the contract of `Store`, and can be told to fail. */
export interface MemoryStore extends StoreComponent {
  /** Every later call fails with this, until undefined is given. STORE_UNAVAILABLE makes the store not ready, too. */
  failWith(error: Error | undefined): void;
}

/** What a trace is listed by: over every copy of every span, so that no order of writes changes it. */
interface StoredTrace {
  readonly copies: Map<string, Copy>;
  readonly versions: Set<bigint>;
  startNs: bigint;
  endNs: bigint;
  updatedAtNs: bigint;
}

interface Copy {
  readonly span: Span;
  readonly version: bigint;
}

export function createMemoryStore(): MemoryStore {
  const traces = new Map<string, StoredTrace>();
  const state = new Map<string, Map<string, string>>();
  const tokens = new Set<string>();
  let failure: Error | undefined;

  const refuse = (): void => {
    if (failure) throw failure;
  };

  return {
    async start() {},
    async shutdown() {},
    failWith(error) {
      failure = error;
    },
    get ready() {
      return !(failure instanceof RaybridgeError && failure.code === 'STORE_UNAVAILABLE');
    },
    async write(write) {
      refuse();
      if (tokens.has(write.token)) return;
      tokens.add(write.token);
      for (const span of write.spans) keep(traces, span, write);
    },
    async traces(traceIds) {
      refuse();
      return new Map(traceIds.flatMap((id) => entryOf(id, traces.get(id))));
    },
    async findTraces(query) {
      refuse();
      query.signal.throwIfAborted();
      const candidates = [...traces]
        .map(([traceId, trace]) => ({ ...toReference(traceId, trace, query.by), trace }))
        .filter((candidate) => isWanted(candidate, query) && shareOf(candidate.traceId) < query.share)
        .sort(newestFirst);
      const found = candidates
        .map(({ trace, ...reference }) => ({ reference, trace, digest: digestOf(reference.traceId, trace) }))
        .filter(({ digest }) => !query.filter || matches(query.filter, digest, query.groups))
        .map(({ reference, trace, digest }) => toFound(reference, trace, digest));
      const page = found.slice(0, query.limit);
      const last = found.length > query.limit ? page.at(-1) : undefined;
      const next = last && { traceId: last.traceId, timeNs: last.timeNs };
      const scanned = next
        ? candidates.filter((candidate) => newestFirst(candidate, next) <= 0).length
        : candidates.length;
      return { traces: page, scanned, next };
    },
    async graphs(query) {
      refuse();
      query.signal.throwIfAborted();
      const builders = new Map<bigint, ReturnType<typeof createGraphBuilder>>();
      const producers = [...traces].map(([traceId, trace]) => digestOf(traceId, trace));
      const oldestFirst = [...traces].sort(([, a], [, b]) => (a.startNs < b.startNs ? -1 : 1));
      for (const [traceId, trace] of oldestFirst) {
        if (trace.startNs < query.fromNs || trace.startNs >= query.toNs) continue;
        const digest = digestOf(traceId, trace);
        if (query.filter && !matches(query.filter, digest, query.groups)) continue;
        const { periodNs } = query;
        const fromNs = periodNs === undefined ? query.fromNs : trace.startNs - (trace.startNs % periodNs);
        const builder = builders.get(fromNs) ?? createBuilder(producers);
        builders.set(fromNs, builder);
        builder.add(digest);
      }
      return [...builders].map(([fromNs, builder]) => ({ fromNs, graph: builder.build() }));
    },
    async series({ selector, ...query }) {
      const graphs = await this.graphs(query);
      return graphs.flatMap(({ fromNs, graph }) => {
        const selected = selectStatistics(graph, selector);
        return selected ? [{ fromNs, ...selected }] : [];
      });
    },
    async responseTimes({ columnNs, ...query }) {
      refuse();
      query.signal.throwIfAborted();
      const cells = new Map<string, ResponseTimeCell>();
      for (const [traceId, trace] of traces) {
        if (trace.startNs < query.fromNs || trace.startNs >= query.toNs) continue;
        const digest = digestOf(traceId, trace);
        if (query.filter && !matches(query.filter, digest, query.groups)) continue;
        const summary = toTraceSummaryAnswer(digest.summary);
        const cell = {
          fromNs: trace.startNs - ((trace.startNs - query.fromNs) % columnNs),
          bucket: responseTimeBucket(summary.ResponseTime ?? summary.Duration),
          fault: summary.HasFault,
          error: summary.HasError,
          throttle: summary.HasThrottle,
        };
        const key = Object.values(cell).join();
        cells.set(key, { ...cell, traces: (cells.get(key)?.traces ?? 0) + 1 });
      }
      return [...cells.values()];
    },
    async receives(traceIds) {
      refuse();
      return [...traces].flatMap(([consumerTraceId, trace]) =>
        digestOf(consumerTraceId, trace)
          .receives.filter(({ traceId }) => traceIds.includes(traceId))
          .map((receive) => ({ consumerTraceId, ...receive })),
      );
    },
    async linksTo(linkedId, limit) {
      refuse();
      const spans = [...traces].flatMap(([traceId, { copies }]) =>
        traceId === linkedId ? [] : [...copies.values()].map(({ span }) => span),
      );
      const links = spans
        .toSorted((a, b) => Number(a.startTimeNs - b.startTimeNs))
        .flatMap(({ traceId, spanId, links }) =>
          links.filter((link) => link.traceId === linkedId).map((link) => ({ traceId, spanId, toSpanId: link.spanId })),
        );
      return links.slice(0, limit);
    },
    async completions({ fromNs, toNs, key, prefix, limit, signal }) {
      refuse();
      signal.throwIfAborted();
      const counts = new Map<string, number>();
      for (const [traceId, trace] of traces) {
        if (trace.startNs < fromNs || trace.startNs >= toNs) continue;
        const { attributes } = digestOf(traceId, trace);
        const wanted = attributes.filter((one) => key === undefined || one.key === key || keywordKey(one.key) === key);
        const texts = new Set(wanted.map((one) => (key === undefined ? one.key : String(one.value))));
        for (const text of texts) if (text.startsWith(prefix)) counts.set(text, (counts.get(text) ?? 0) + 1);
      }
      return [...counts]
        .map(([text, found]) => ({ text, traces: found }))
        .sort((a, b) => b.traces - a.traces || (a.text < b.text ? -1 : 1))
        .slice(0, limit);
    },
    async readState(kind) {
      refuse();
      return new Map(state.get(kind));
    },
    async writeState({ kind, key, value }) {
      refuse();
      const documents = new Map(state.get(kind));
      if (value === undefined) documents.delete(key);
      else documents.set(key, value);
      state.set(kind, documents);
    },
    async statistics() {
      refuse();
      const spans = [...traces.values()].reduce((sum, { copies }) => sum + copies.size, 0);
      return { spans, traces: traces.size, bytesOnDisk: 0 };
    },
  };
}

/** A consumer counts by its own time, wherever the trace stands from which it received. */
function createBuilder(producers: readonly TraceDigest[]): ReturnType<typeof createGraphBuilder> {
  const builder = createGraphBuilder();
  for (const producer of producers) builder.add({ ...producer, segments: [], calls: [], receives: [] });
  return builder;
}

function keep(traces: Map<string, StoredTrace>, span: Span, { version, receivedAtNs }: SpanWrite): void {
  const [startNs, endNs] = [listedNs(span), latest(span.startTimeNs, span.endTimeNs)];
  const known = traces.get(span.traceId) ?? {
    copies: new Map(),
    versions: new Set(),
    startNs,
    endNs,
    updatedAtNs: receivedAtNs,
  };
  traces.set(span.traceId, known);
  known.versions.add(version);
  known.startNs = startNs < known.startNs ? startNs : known.startNs;
  known.endNs = latest(known.endNs, endNs);
  known.updatedAtNs = latest(known.updatedAtNs, receivedAtNs);
  if (replaces({ span, version }, known.copies.get(span.spanId))) known.copies.set(span.spanId, { span, version });
}

/** A span that has ended goes before one in progress; then the later write counts. */
function replaces(copy: Copy, known: Copy | undefined): boolean {
  if (!known) return true;
  const [ended, knownEnded] = [copy, known].map(({ span }) => span.endTimeNs > 0n);
  return ended === knownEnded ? copy.version >= known.version : ended === true;
}

const nanosecondsPerSecond = 1_000_000_000n;
const dayNs = 86_400n * nanosecondsPerSecond;

/** X-Ray lists a trace by the time in its id; ids of W3C tracers hold random bits there, so only a plausible one counts. */
function listedNs({ traceId, startTimeNs }: Span): bigint {
  const idNs = BigInt(epochSecondsOf(traceId)) * nanosecondsPerSecond;
  const apartNs = idNs > startTimeNs ? idNs - startTimeNs : startTimeNs - idNs;
  return apartNs <= dayNs ? idNs : startTimeNs;
}

function latest(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

function entryOf(traceId: string, trace: StoredTrace | undefined): readonly [string, readonly Span[]][] {
  return trace ? [[traceId, [...trace.copies.values()].map(({ span }) => span)]] : [];
}

function digestOf(traceId: string, { copies }: StoredTrace): TraceDigest {
  return digestSpans(
    traceId,
    [...copies.values()].map(({ span }) => span),
  );
}

function toReference(traceId: string, trace: StoredTrace, by: TraceQuery['by']): TraceReference {
  const { startNs, endNs, updatedAtNs } = trace;
  return { traceId, timeNs: { start: startNs, end: endNs, update: updatedAtNs }[by] };
}

function toFound(reference: TraceReference, trace: StoredTrace, { summary }: TraceDigest): TraceFound {
  const { versions, updatedAtNs } = trace;
  return { ...reference, revision: versions.size, updatedAtNs, summary: toTraceSummaryAnswer(summary) };
}

/** A number from 0 to 1 that a trace id always maps to; its last 32 bits are random in both id forms. */
function shareOf(traceId: string): number {
  return Number.parseInt(traceId.slice(-8), 16) / 2 ** 32;
}

function isWanted(
  candidate: TraceReference,
  { fromNs, toNs, after }: TraceSelection & Pick<TraceQuery, 'after'>,
): boolean {
  if (candidate.timeNs < fromNs || candidate.timeNs >= toNs) return false;
  return after === undefined || newestFirst(after, candidate) < 0;
}

/** Negative when the first stands before the other in the list. */
function newestFirst(one: TraceReference, other: TraceReference): number {
  if (one.timeNs !== other.timeNs) return one.timeNs > other.timeNs ? -1 : 1;
  if (one.traceId === other.traceId) return 0;
  return one.traceId > other.traceId ? -1 : 1;
}
