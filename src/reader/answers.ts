import { printSegment } from '../codec/index.ts';
import { RaybridgeError } from '../errors.ts';
import { secondsText, toXrayTraceId } from '../model/index.ts';
import type { SegmentNode, Trace } from '../model/index.ts';
import type { TraceQuery, TraceReference } from '../pipeline/store.ts';
import {
  compileDocument,
  parseFilter,
  parsePageToken,
  printPageToken,
  secondsBetween,
  withSummaryFacts,
} from '../query/index.ts';
import type { TraceSummaryAnswer } from '../query/index.ts';
import type { TraceReader } from './reader.ts';

/**
 * The answers of the X-Ray API as plain JSON values (API reference 2016-04-12), given alike by the
 * API itself and by the console's own endpoints.
 */

export interface SummariesQuestion extends Omit<TraceQuery, 'filter' | 'after'> {
  readonly filterExpression: string | undefined;
  readonly nextToken: string | undefined;
}

export interface SummariesAnswer {
  readonly TraceSummaries: readonly TraceSummaryAnswer[];
  /** Epoch seconds: how far back this page has come. */
  readonly ApproximateTime: number;
  readonly TracesProcessedCount: number;
  readonly NextToken?: string;
}

/** @throws RaybridgeError FILTER_INVALID, INVALID_REQUEST (a token of another question), STORE_UNAVAILABLE. */
export async function answerSummaries(reader: TraceReader, question: SummariesQuestion): Promise<SummariesAnswer> {
  const { nextToken, filterExpression, ...range } = question;
  const request = tokenRequest(question);
  const page = await reader.summaries({
    ...range,
    filter: filterExpression ? parseFilter(filterExpression) : undefined,
    after: nextToken ? readToken(nextToken, request) : undefined,
  });

  const answer = {
    TraceSummaries: page.traces.map(({ summary, revision, updatedAtNs }) =>
      withSummaryFacts(summary, {
        revision,
        matchedEventTimeNs: range.by === 'update' ? updatedAtNs : undefined,
      }),
    ),
    ApproximateTime: Number(secondsText(page.next?.timeNs ?? range.fromNs)),
    TracesProcessedCount: page.scanned,
  };
  return page.next ? { ...answer, NextToken: printToken(page.next, request) } : answer;
}

export interface TracesAnswer {
  readonly Traces: readonly TraceAnswer[];
  readonly UnprocessedTraceIds: readonly string[];
  readonly NextToken?: string;
}

export interface TraceAnswer {
  readonly Id: string;
  /** Seconds. */
  readonly Duration: number;
  /** The answer, not the store, lacks what is over `traceCharactersMax`. */
  readonly LimitExceeded: boolean;
  /** One entry for each segment, real or inferred; the document is JSON text. */
  readonly Segments: readonly { readonly Id: string; readonly Document: string }[];
}

/** Characters of the documents of one trace in an answer, and of all on one page. X-Ray keeps 500 kB of a trace. */
export const traceCharactersMax = 8_000_000;

/**
 * Traces in the order of their ids (32 hex digits), one page of them. They are read one by one, so
 * that several huge ones are never in memory together.
 * @throws RaybridgeError INVALID_REQUEST (a token of another question), STORE_UNAVAILABLE.
 */
export async function answerTraces(
  reader: TraceReader,
  { traceIds, nextToken }: { readonly traceIds: readonly string[]; readonly nextToken: string | undefined },
): Promise<TracesAnswer> {
  const request = { operation: 'BatchGetTraces', traceIds };
  const ids = [...new Set(traceIds)];
  const found: TraceAnswer[] = [];
  const unknown: string[] = [];
  let characters = 0;
  for (let index = nextToken ? readIndex(nextToken, request) : 0; index < ids.length; index += 1) {
    const traceId = ids[index] ?? '';
    const trace = (await reader.traces([traceId])).get(traceId);
    if (!trace) {
      unknown.push(toXrayTraceId(traceId));
      continue;
    }
    const answer = answerTrace(trace);
    characters += charactersOf(answer.Segments);
    if (characters > traceCharactersMax && found.length > 0) {
      const token = printPageToken({ request, position: { index } });
      return { Traces: found, UnprocessedTraceIds: unknown, NextToken: token };
    }
    found.push(answer);
  }
  return { Traces: found, UnprocessedTraceIds: unknown };
}

export function answerTrace(trace: Trace): TraceAnswer {
  const whole = trace.segments.map(printNode);
  const isWhole = charactersOf(whole) <= traceCharactersMax;
  return {
    Id: toXrayTraceId(trace.traceId),
    Duration: secondsBetween(trace.startTimeNs, trace.endTimeNs),
    LimitExceeded: !isWhole,
    Segments: isWhole ? whole : withinLimit(trace.segments).map(printNode),
  };
}

function printNode(node: SegmentNode): TraceAnswer['Segments'][number] {
  return { Id: node.id, Document: printSegment(compileDocument(node)) };
}

function charactersOf(segments: TraceAnswer['Segments']): number {
  return segments.reduce((sum, { Document }) => sum + Document.length, 0);
}

/** The first of them, each without the subsegments that are too much. */
function withinLimit(segments: readonly SegmentNode[]): readonly SegmentNode[] {
  let left = traceCharactersMax;
  const cut = (nodes: readonly SegmentNode[]): readonly SegmentNode[] => {
    const kept: SegmentNode[] = [];
    for (const node of nodes) {
      // Its own document names the member of its subsegments or gets it, and each stands behind a comma.
      left -= printSegment(node.document).length + subsegmentsCharacters;
      if (left < 0) break;
      kept.push({ ...node, subsegments: cut(node.subsegments) });
    }
    return kept;
  };
  return cut(segments);
}

const subsegmentsCharacters = ',"subsegments":[],'.length;

function readIndex(token: string, request: Readonly<Record<string, unknown>>): number {
  const { index } = parsePageToken(token, request);
  if (typeof index === 'number' && Number.isInteger(index) && index >= 0) return index;
  throw wrongToken();
}

/** What a page token is bound to: the same question must be asked again for the next page. */
function tokenRequest({
  by,
  fromNs,
  toNs,
  share,
  filterExpression,
}: SummariesQuestion): Readonly<Record<string, unknown>> {
  return { by, from: String(fromNs), to: String(toNs), share, filter: filterExpression };
}

function printToken({ traceId, timeNs }: TraceReference, request: Readonly<Record<string, unknown>>): string {
  return printPageToken({ request, position: { traceId, timeNs: String(timeNs) } });
}

function readToken(token: string, request: Readonly<Record<string, unknown>>): TraceReference {
  const { traceId, timeNs } = parsePageToken(token, request);
  if (typeof traceId === 'string' && typeof timeNs === 'string' && timePattern.test(timeNs))
    return { traceId, timeNs: BigInt(timeNs) };
  throw wrongToken();
}

const timePattern = /^-?\d{1,20}$/;

function wrongToken(): RaybridgeError {
  return new RaybridgeError('INVALID_REQUEST', 'NextToken: expected the token of the page before, got something else');
}
