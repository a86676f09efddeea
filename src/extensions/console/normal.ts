/**
 * What is normal for a trace: the tree of the newest traces of the same entry point (service and name),
 * each place with its medians and the number of traces that have it.
 */
import { parseTraceId } from '../../model/index.ts';
import type { HttpRequest } from '../../net/http.ts';
import type { Context } from '../../pipeline/component.ts';
import {
  normalOf,
  type NormalPlace,
  type Outline,
  outlineOf,
  pathOf,
  printFilter,
  summarise,
  toTraceSummaryAnswer,
  type TraceSummaryAnswer,
  withoutValues,
} from '../../query/index.ts';
import { answerSummaries } from '../../reader/index.ts';
import type { GroupRegistry, TraceReader } from '../../reader/index.ts';
import { readTrace, traceIdOf } from './trace.ts';

export interface NormalAnswer {
  /** Traces that it was made of; the one that was asked about is not among them. */
  readonly TraceCount: number;
  readonly Places: readonly NormalPlaceAnswer[];
}

/** Times are seconds. */
export interface NormalPlaceAnswer {
  /** As `workKind` of the query room makes it: what is compared with this place has the same. */
  readonly Kind: string;
  readonly Name: string;
  readonly Detail: string;
  readonly TraceCount: number;
  readonly FailedCount: number;
  readonly Duration?: number;
  readonly SelfTime: number;
  readonly Places: readonly NormalPlaceAnswer[];
}

/** Traces that make what is normal. */
export const alikeMax = 50;
/** Summaries; a service whose entry point is rarely another's callee needs a page. */
const lookedAtMax = 2_000;
const pageSize = 200;
/** Before the trace, or before now when its clock is ahead. */
const lookBackNs = 86_400_000_000_000n;
/** Segments and subsegments of all of them, after which no more are read: a second of work at 10 µs each. */
const sizeMax = 100_000;
/** In memory, before they are reduced to their outlines. */
const tracesAtOnce = 10;

interface Sources {
  readonly context: Context;
  readonly reader: TraceReader;
  readonly groups: GroupRegistry;
}

/** @throws RaybridgeError INVALID_REQUEST, NOT_FOUND, STORE_UNAVAILABLE. */
export async function normalAnswer(
  { query, signal }: Pick<HttpRequest, 'query' | 'signal'>,
  sources: Sources,
): Promise<NormalAnswer> {
  const trace = await readTrace(sources.reader, traceIdOf(query));
  const summary = toTraceSummaryAnswer(summarise(trace));
  const ids = await idsOfAlike({ summary, startTimeNs: trace.startTimeNs, signal }, sources);
  const outlines: (readonly Outline[])[] = [];
  let size = 0;
  for (let start = 0; start < ids.length && size < sizeMax; start += tracesAtOnce) {
    signal.throwIfAborted();
    const traces = await sources.reader.traces(ids.slice(start, start + tracesAtOnce));
    const more = [...traces.values()].map(outlineOf);
    size += more.reduce((sum, outline) => sum + sizeOf(outline), 0);
    outlines.push(...more);
  }
  return { TraceCount: outlines.length, Places: normalOf(outlines).map(toPlaceAnswer) };
}

function sizeOf(outlines: readonly Outline[]): number {
  return outlines.reduce((sum, { children }) => sum + 1 + sizeOf(children), 0);
}

type Entry = Pick<TraceSummaryAnswer, 'Id' | 'EntryPoint' | 'Http'>;

interface Question {
  readonly summary: Entry;
  readonly startTimeNs: bigint;
  readonly signal: AbortSignal;
}

/** Of the newest traces of the same entry point that have ended. */
async function idsOfAlike(
  { summary, startTimeNs, signal }: Question,
  { context, reader, groups }: Sources,
): Promise<readonly string[]> {
  const { EntryPoint: entry } = summary;
  if (!entry) return [];
  const nowNs = context.nowNs();
  const node = { name: entry.Name, type: entry.Type, accountId: entry.AccountId };
  const question = {
    fromNs: (startTimeNs < nowNs ? startTimeNs : nowNs) - lookBackNs,
    toNs: nowNs,
    by: 'start',
    share: 1,
    limit: pageSize,
    groups: await groups.filters(),
    filterExpression: printFilter({ kind: 'service', node, block: undefined }),
    signal,
  } as const;
  const wanted = entryOf(summary);
  const ids: string[] = [];
  let nextToken: string | undefined;
  for (let lookedAt = 0; lookedAt < lookedAtMax && ids.length < alikeMax; lookedAt += pageSize) {
    const page = await answerSummaries(reader, { ...question, nextToken });
    for (const one of page.TraceSummaries) {
      const id = parseTraceId(one.Id);
      if (id && one.Id !== summary.Id && !one.IsPartial && entryOf(one) === wanted) ids.push(id);
    }
    nextToken = page.NextToken;
    if (nextToken === undefined) break;
  }
  return ids.slice(0, alikeMax);
}

/** Equal for traces of the same entry point: its service, and what was asked of it whatever the ids in the path. */
function entryOf({ EntryPoint, Http }: Entry): string {
  const name = withoutValues([Http.HttpMethod, Http.HttpURL && pathOf(Http.HttpURL)].join(' '));
  return JSON.stringify([EntryPoint?.Name, EntryPoint?.Type, EntryPoint?.AccountId, name]);
}

function toPlaceAnswer(place: NormalPlace): NormalPlaceAnswer {
  return {
    Kind: place.kind,
    Name: place.name,
    Detail: place.detail,
    TraceCount: place.count,
    FailedCount: place.failed,
    ...(place.duration === undefined ? {} : { Duration: place.duration }),
    SelfTime: place.own,
    Places: place.children.map(toPlaceAnswer),
  };
}
