import { setImmediate } from 'node:timers/promises';
import type { Store, TraceFound, TraceQuery, TraceReference } from '../pipeline/store.ts';
import { jsonText } from '../codec/index.ts';
import { type EnvelopeLevel, toSegments } from '../convert/index.ts';
import type { ServiceGraph, Span, Trace, TraceSummary } from '../model/index.ts';
import { assembleTrace, createGraphBuilder, type Filter, matches, summarise } from '../query/index.ts';

/**
 * Reads traces out of a store and derives what the X-Ray API, the console and the command line
 * show, so that all of them give the same answers.
 */
export interface TraceReader {
  /** One page of summaries, newest first. A page may be empty and still have a `next`. */
  summaries(request: SummariesRequest): Promise<SummariesPage>;
  /** Assembled traces by trace id (32 hex digits); unknown ids have no entry. */
  traces(traceIds: readonly string[]): Promise<ReadonlyMap<string, Trace>>;
  /** The service graph of the traces that started in the range, or of its newest part when it holds very many. */
  serviceGraph(request: GraphRequest): Promise<RangeGraph>;
}

export interface GraphRequest {
  readonly fromNs: bigint;
  readonly toNs: bigint;
  /** Stops the work; the promise then rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

export interface RangeGraph {
  readonly graph: ServiceGraph;
  /** From here on every trace is in the graph: the asked start, or later when the range held more than `graphTracesMax`. */
  readonly fromNs: bigint;
}

export interface SummariesRequest {
  readonly fromNs: bigint;
  readonly toNs: bigint;
  readonly by: TraceQuery['by'];
  /** Undefined takes every trace. */
  readonly filter: Filter | undefined;
  /** The share of traces to return, 0 to 1, chosen by trace id. */
  readonly share: number;
  readonly after: TraceReference | undefined;
  readonly limit: number;
  /** Stops the work; the promise then rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

export interface SummariesPage {
  readonly found: readonly SummaryFound[];
  /** Traces looked at for this page, matching or not. */
  readonly scanned: number;
  /** Continue here; undefined at the end of the range. */
  readonly next: TraceReference | undefined;
}

export interface SummaryFound {
  readonly summary: TraceSummary;
  readonly found: TraceFound;
}

/** Traces loaded at once: bounds memory, and keeps the first page of a selective filter quick. */
const tracesPerStep = 200;
/** Traces scanned for one page before it is returned, full or not. */
const scanMax = 2000;
/** Traces in one graph: about four seconds of work while nothing is rolled up beforehand. */
const graphTracesMax = 5000;

export function createTraceReader(store: Store): TraceReader {
  return {
    async summaries(request) {
      const found: SummaryFound[] = [];
      let scanned = 0;
      for await (const step of steps(store, request, { after: request.after, size: stepSize(request) })) {
        const last = step.entries.at(-1);
        for (const entry of step.entries) {
          scanned++;
          const hit = select(entry, request);
          if (hit) found.push(hit);
          if (found.length === request.limit) return { found, scanned, next: entry === last ? step.next : entry.found };
        }
        if (scanned >= scanMax) return { found, scanned, next: step.next };
      }
      return { found, scanned, next: undefined };
    },

    async traces(traceIds) {
      const spans = await store.traces(traceIds);
      return new Map([...spans].map(([traceId, all]) => [traceId, assemble(traceId, all, 'full')]));
    },

    async serviceGraph(request) {
      const builder = createGraphBuilder();
      let scanned = 0;
      for await (const step of steps(store, { ...request, by: 'start' }, { after: undefined, size: tracesPerStep })) {
        for (const { trace } of step.entries) builder.add(trace);
        scanned += step.entries.length;
        if (scanned >= graphTracesMax && step.next) return { graph: builder.build(), fromNs: step.next.timeNs };
      }
      return { graph: builder.build(), fromNs: request.fromNs };
    },
  };
}

interface Step {
  readonly entries: readonly { readonly found: TraceFound; readonly trace: Trace }[];
  readonly next: TraceReference | undefined;
}

/** When nothing is left out, a page needs no more traces than it holds. */
function stepSize({ filter, share, limit }: SummariesRequest): number {
  return filter || share < 1 ? tracesPerStep : Math.min(limit, tracesPerStep);
}

/** The traces of a range, newest first, in steps that fit into memory. */
async function* steps(
  store: Store,
  { fromNs, toNs, by, signal }: Pick<TraceQuery, 'fromNs' | 'toNs' | 'by'> & { readonly signal: AbortSignal },
  from: { readonly after: TraceReference | undefined; readonly size: number },
): AsyncGenerator<Step> {
  let { after } = from;
  for (;;) {
    const page = await store.findTraces({ fromNs, toNs, by, after, limit: from.size });
    const spans = await store.traces(page.traces.map(({ traceId }) => traceId));
    const entries: Step['entries'][number][] = [];
    for (const found of page.traces) {
      const all = spans.get(found.traceId);
      // What a document cannot show plays no part in summaries and graphs.
      if (all) entries.push({ found, trace: assemble(found.traceId, all, 'off') });
      // Intake shares this thread: between two traces it may go on, and so may the end of a client who waits no more.
      await setImmediate();
      signal.throwIfAborted();
    }
    after = page.more ? page.traces.at(-1) : undefined;
    yield { entries, next: after };
    if (!after) return;
  }
}

function select(entry: Step['entries'][number], request: SummariesRequest): SummaryFound | undefined {
  if (request.share < 1 && shareOf(entry.found.traceId) >= request.share) return undefined;
  const summary = summarise(entry.trace);
  if (request.filter && !matches(request.filter, entry.trace, summary)) return undefined;
  return { summary, found: entry.found };
}

/** A number from 0 to 1 that a trace id always maps to; its last 32 bits are random in both id forms. */
function shareOf(traceId: string): number {
  return Number.parseInt(traceId.slice(-8), 16) / 2 ** 32;
}

function assemble(traceId: string, spans: readonly Span[], envelope: EnvelopeLevel): Trace {
  // Nothing here is sent to where 64 kB is the most.
  const documentBytesMax = Number.POSITIVE_INFINITY;
  return assembleTrace(traceId, toSegments(spans, { json: jsonText, envelope, documentBytesMax }));
}
