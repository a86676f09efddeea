import { printSegment } from '../codec/index.ts';
import { RaybridgeError } from '../errors.ts';
import { secondsText, toSeconds, toXrayTraceId } from '../model/index.ts';
import type { Trace } from '../model/index.ts';
import type { GraphQuery, TraceQuery, TraceReference } from '../pipeline/store.ts';
import {
  compileDocument,
  createGraphBuilder,
  digestTrace,
  parseFilter,
  parsePageToken,
  printPageToken,
  toServicesAnswer,
  withSummaryFacts,
} from '../query/index.ts';
import type { ServiceAnswer, TraceSummaryAnswer } from '../query/index.ts';
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

export interface TraceAnswer {
  readonly Id: string;
  /** Seconds. */
  readonly Duration: number;
  readonly LimitExceeded: boolean;
  /** One entry for each segment, real or inferred; the document is JSON text. */
  readonly Segments: readonly { readonly Id: string; readonly Document: string }[];
}

export function answerTrace(trace: Trace): TraceAnswer {
  return {
    Id: toXrayTraceId(trace.traceId),
    Duration: Math.round(toSeconds(trace.endTimeNs - trace.startTimeNs) * 1000) / 1000,
    LimitExceeded: false,
    Segments: trace.segments.map((node) => ({ Id: node.id, Document: printSegment(compileDocument(node)) })),
  };
}

export interface ServiceGraphAnswer {
  /** Epoch seconds. */
  readonly StartTime: number;
  readonly EndTime: number;
  readonly Services: readonly ServiceAnswer[];
  readonly ContainsOldGroupVersions: boolean;
}

export async function answerServiceGraph(
  reader: TraceReader,
  request: Omit<GraphQuery, 'periodNs'>,
): Promise<ServiceGraphAnswer> {
  const graph = await reader.serviceGraph(request);
  return {
    StartTime: Number(secondsText(request.fromNs)),
    EndTime: Number(secondsText(request.toNs)),
    Services: toServicesAnswer(graph),
    ContainsOldGroupVersions: false,
  };
}

/** GetTraceGraph's Services, over the given traces only. */
export function answerTraceGraph(traces: readonly Trace[]): readonly ServiceAnswer[] {
  const graph = createGraphBuilder();
  for (const trace of traces) graph.add(digestTrace(trace, []));
  return toServicesAnswer(graph.build());
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
  throw new RaybridgeError('INVALID_REQUEST', 'NextToken: expected the token of the page before, got something else');
}

const timePattern = /^-?\d{1,20}$/;
