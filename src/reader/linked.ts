import { parseTraceId, toXrayTraceId, type Trace } from '../model/index.ts';
import {
  type DocumentLink,
  eachNode,
  readLinks,
  summarise,
  toTraceSummaryAnswer,
  type TraceSummaryAnswer,
  withSummaryFacts,
} from '../query/index.ts';
import type { TraceReader } from './reader.ts';

/** Traces that a trace is linked with, by span links and by `links` of segments. */
export interface LinkedAnswer {
  /** Those that it says it comes from. */
  readonly From: readonly LinkAnswer[];
  /** Those that say they come from it, and those that it says it leads to. */
  readonly To: readonly LinkAnswer[];
  /** Of the linked traces that are kept here, by start; at most `linkedTracesMax`. */
  readonly TraceSummaries: readonly TraceSummaryAnswer[];
}

export interface LinkAnswer {
  /** The segment or subsegment of the trace that was asked about; absent when the link names none. */
  readonly Id?: string;
  readonly LinkedTraceId: string;
  /** The segment or subsegment there. */
  readonly LinkedId?: string;
}

const linksMax = 500;
const linkedTracesMax = 50;

/** @throws RaybridgeError STORE_UNAVAILABLE. */
export async function answerLinked(reader: TraceReader, trace: Trace): Promise<LinkedAnswer> {
  const own = eachNode(trace.segments).flatMap(({ id, document }) =>
    readLinks(document).map((link) => ({ Id: id, ...link })),
  );
  const others = (await reader.linksTo(trace.traceId, linksMax)).map(({ traceId, spanId, toSpanId }): LinkAnswer => ({
    Id: toSpanId,
    LinkedTraceId: toXrayTraceId(traceId),
    LinkedId: spanId,
  }));
  const from = own.filter(({ type }) => type !== 'child').map(toAnswer);
  const to = [...others, ...own.filter(({ type }) => type === 'child').map(toAnswer)];
  const ids = [...new Set([...from, ...to].map(({ LinkedTraceId }) => parseTraceId(LinkedTraceId) ?? ''))];
  const traces = await reader.traces(ids.slice(0, linkedTracesMax));
  return {
    From: withoutRepeats(from).slice(0, linksMax),
    To: withoutRepeats(to).slice(0, linksMax),
    TraceSummaries: [...traces.values()]
      .map((linked) => withSummaryFacts(toTraceSummaryAnswer(summarise(linked)), { revision: 1 }))
      .toSorted((a, b) => a.StartTime - b.StartTime),
  };
}

function toAnswer({ Id, traceId, id }: DocumentLink & { readonly Id: string }): LinkAnswer {
  return { Id, LinkedTraceId: toXrayTraceId(traceId), ...(id === undefined ? {} : { LinkedId: id }) };
}

function withoutRepeats(links: readonly LinkAnswer[]): readonly LinkAnswer[] {
  return [...new Map(links.map((link) => [`${link.Id} ${link.LinkedTraceId} ${link.LinkedId}`, link])).values()];
}
