import { setImmediate } from 'node:timers/promises';
import { jsonText, printSegment } from '../codec/index.ts';
import { encodeSpanJson } from '../codec/otlp-json.ts';
import { toSegments } from '../convert/index.ts';
import { RaybridgeError } from '../errors.ts';
import { type JsonValue, type SegmentNode, type Span, toXrayTraceId } from '../model/index.ts';
import type { Store } from '../pipeline/store.ts';
import {
  assembleTrace,
  compileDocument,
  createGraphBuilder,
  createLinkList,
  digestTrace,
  type PagePosition,
  parsePageToken,
  printPageToken,
  secondsBetween,
  type ServiceAnswer,
  toServiceAnswer,
} from '../query/index.ts';
import { sketchSpans } from './assemble.ts';
import type { Retrieval } from './retrievals.ts';

/** The answers to what a retrieval found, as plain JSON values (X-Ray API reference, ListRetrievedTraces, GetRetrievedTracesGraph). */

export const traceFormats = ['XRAY', 'OTEL'] as const;
export type TraceFormat = (typeof traceFormats)[number];

export interface RetrievedTracesAnswer {
  readonly RetrievalStatus: RetrievalStatus;
  readonly TraceFormat: TraceFormat;
  readonly Traces: readonly RetrievedTrace[];
  readonly NextToken?: string;
}

/** A trace with very many spans goes over several pages, a part of them on each. */
export interface RetrievedTrace {
  readonly Id: string;
  /** Seconds. */
  readonly Duration: number;
  readonly Spans: readonly RetrievedSpan[];
}

interface RetrievedSpan {
  readonly Id: string;
  /** A segment document, or a span of OTLP/JSON. */
  readonly Document: string;
}

type RetrievalStatus = 'COMPLETE' | 'CANCELLED';

/** API reference, ListRetrievedTraces. */
const tracesPerPageMax = 5;
const spansPerTraceMax = 100;
const documentBytesMax = 204_800;
/** A page of the largest documents would be 100 MB; it ends after the trace that goes beyond this. */
const pageBytesMax = 8 * 1024 * 1024;

export interface RetrievedQuestion {
  readonly retrieval: Retrieval;
  readonly nextToken: string | undefined;
  /** Stops the work; the promise then rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

/** @throws RaybridgeError INVALID_REQUEST (a token of another question), STORE_UNAVAILABLE, STORE_FAILED. */
export async function answerRetrievedTraces(
  store: Store,
  { retrieval, format, nextToken, signal }: RetrievedQuestion & { readonly format: TraceFormat },
): Promise<RetrievedTracesAnswer> {
  const request = { operation: 'ListRetrievedTraces', token: retrieval.token, format };
  if (retrieval.cancelled) return { RetrievalStatus: 'CANCELLED', TraceFormat: format, Traces: [] };

  const countIn = openPosition(nextToken, request);
  const [firstTrace, firstSpan] = [countIn('trace'), countIn('span')];
  const traces: RetrievedTrace[] = [];
  let bytes = 0;
  let next: PagePosition | undefined;
  for await (const { index, traceId, spans } of retrievedSpans(store, retrieval, { from: firstTrace, signal })) {
    if (traces.length === tracesPerPageMax || bytes >= pageBytesMax) {
      next = { trace: index, span: 0 };
      break;
    }
    const first = index === firstTrace ? firstSpan : 0;
    const part = partIn[format](traceId, spans, first);
    traces.push({ Id: toXrayTraceId(traceId), Duration: durationOf(spans), Spans: part.spans });
    for (const { Document } of part.spans) bytes += Document.length;
    if (part.more) {
      next = { trace: index, span: first + part.spans.length };
      break;
    }
  }
  const answer = { RetrievalStatus: 'COMPLETE', TraceFormat: format, Traces: traces } as const;
  return next ? { ...answer, NextToken: printPageToken({ request, position: next }) } : answer;
}

export interface RetrievedGraphAnswer {
  readonly RetrievalStatus: RetrievalStatus;
  readonly Services: readonly RetrievedService[];
  readonly NextToken?: string;
}

export interface RetrievedService {
  readonly Service: ServiceAnswer;
  readonly Links: readonly {
    readonly ReferenceType?: string;
    readonly SourceTraceId: string;
    readonly DestinationTraceIds: readonly string[];
  }[];
}

/** API reference, GetRetrievedTracesGraph. */
const servicesPerPageMax = 1000;

/** The graph of all traces of the retrieval. @throws as `answerRetrievedTraces` does. */
export async function answerRetrievedGraph(
  store: Store,
  { retrieval, nextToken, signal }: RetrievedQuestion,
): Promise<RetrievedGraphAnswer> {
  const request = { operation: 'GetRetrievedTracesGraph', token: retrieval.token };
  if (retrieval.cancelled) return { RetrievalStatus: 'CANCELLED', Services: [] };

  const first = openPosition(nextToken, request)('service');
  const graph = createGraphBuilder();
  const links = createLinkList();
  for await (const { traceId, spans } of retrievedSpans(store, retrieval, { from: 0, signal })) {
    const trace = sketchSpans(traceId, spans);
    graph.add(digestTrace(trace, []));
    links.add(trace);
  }

  const { nodes } = graph.build();
  const last = first + servicesPerPageMax;
  const answer = {
    RetrievalStatus: 'COMPLETE',
    Services: nodes.slice(first, last).map((node) => ({
      Service: toServiceAnswer(node),
      Links: links.of(node.service).map(({ type, from, to }) => ({
        ...(type === undefined ? {} : { ReferenceType: type }),
        SourceTraceId: toXrayTraceId(from),
        DestinationTraceIds: to.map(toXrayTraceId),
      })),
    })),
  } as const;
  return last < nodes.length
    ? { ...answer, NextToken: printPageToken({ request, position: { service: last } }) }
    : answer;
}

interface Found {
  /** Of the trace id in the question. */
  readonly index: number;
  readonly traceId: string;
  readonly spans: readonly Span[];
}

/** Traces loaded at once. */
const tracesPerStep = 5;

/** The spans of each trace that is here and in the range, in the order of the question. */
async function* retrievedSpans(
  store: Store,
  { traceIds, fromNs, toNs }: Retrieval,
  { from, signal }: { readonly from: number; readonly signal: AbortSignal },
): AsyncGenerator<Found> {
  for (let start = from; start < traceIds.length; start += tracesPerStep) {
    const step = traceIds.slice(start, start + tracesPerStep);
    const found = await store.traces(step);
    for (const [offset, traceId] of step.entries()) {
      // Intake shares this thread: between two traces it may go on, and so may the end of a client who waits no more.
      await setImmediate();
      signal.throwIfAborted();
      const spans = found.get(traceId) ?? [];
      const { startNs, endNs } = timesOf(spans);
      if (spans.length > 0 && startNs <= toNs && endNs >= fromNs) yield { index: start + offset, traceId, spans };
    }
  }
}

function timesOf(spans: readonly Span[]): { readonly startNs: bigint; readonly endNs: bigint } {
  let startNs = spans[0]?.startTimeNs ?? 0n;
  let endNs = startNs;
  for (const span of spans) {
    if (span.startTimeNs < startNs) startNs = span.startTimeNs;
    if (span.endTimeNs > endNs) endNs = span.endTimeNs;
  }
  return { startNs, endNs };
}

function durationOf(spans: readonly Span[]): number {
  const { startNs, endNs } = timesOf(spans);
  return secondsBetween(startNs, endNs);
}

/** What of one trace is on one page. */
interface Part {
  readonly spans: readonly RetrievedSpan[];
  readonly more: boolean;
}

const partIn: Record<TraceFormat, (traceId: string, spans: readonly Span[], first: number) => Part> = {
  XRAY(traceId, spans, first) {
    const documents = segmentsOf(traceId, spans);
    const last = first + spansPerTraceMax;
    return { spans: documents.slice(first, last), more: last < documents.length };
  },
  OTEL(_, spans, first) {
    const last = first + spansPerTraceMax;
    const shown = spans.toSorted(byStart).slice(first, last);
    return {
      spans: shown.map((span) => ({ Id: span.spanId, Document: fittingSpan(span, fittings) })),
      more: last < spans.length,
    };
  },
};

/** What a subsegment gets that stands by itself: type, trace id, parent id. */
const standingAloneBytes = 256;

/** The documents of BatchGetTraces; a larger one without its subsegments, which follow it as documents of their own. */
function segmentsOf(traceId: string, spans: readonly Span[]): readonly RetrievedSpan[] {
  const documents = toSegments(spans, {
    json: jsonText,
    envelope: 'full',
    documentBytesMax: documentBytesMax - standingAloneBytes,
  });
  return assembleTrace(traceId, documents).segments.flatMap((segment) => [...fittingDocuments(segment, traceId)]);
}

function* fittingDocuments(node: SegmentNode, traceId: string): Generator<RetrievedSpan> {
  const whole = printSegment(compileDocument(node));
  if (node.subsegments.length === 0 || Buffer.byteLength(whole) <= documentBytesMax) {
    yield { Id: node.id, Document: whole };
    return;
  }
  yield { Id: node.id, Document: printSegment(node.document) };
  for (const subsegment of node.subsegments) {
    const document = new Map<string, JsonValue>([
      ...subsegment.document,
      ['type', 'subsegment'],
      ['trace_id', toXrayTraceId(traceId)],
      ['parent_id', node.id],
    ]);
    yield* fittingDocuments({ ...subsegment, document }, traceId);
  }
}

function byStart(one: Span, other: Span): number {
  if (one.startTimeNs !== other.startTimeNs) return one.startTimeNs < other.startTimeNs ? -1 : 1;
  return one.spanId < other.spanId ? -1 : 1;
}

/** What a span that is too large loses, one after the other; OTLP has members that count it. */
const fittings: readonly ((span: Span) => Span)[] = [
  (span) => span,
  (span) => ({ ...span, events: [], droppedEventsCount: span.droppedEventsCount + span.events.length }),
  (span) => ({ ...span, links: [], droppedLinksCount: span.droppedLinksCount + span.links.length }),
  (span) => ({ ...span, ...withoutAttributes(span) }),
  (span) => ({ ...span, resource: { ...span.resource, ...withoutAttributes(span.resource), entityRefs: [] } }),
  (span) => ({ ...span, scope: { ...span.scope, ...withoutAttributes(span.scope) } }),
  (span) => ({
    ...span,
    name: span.name.slice(0, textCharactersMax),
    traceState: '',
    status: { ...span.status, message: span.status.message.slice(0, textCharactersMax) },
    scope: { ...span.scope, name: span.scope.name.slice(0, textCharactersMax), version: '' },
  }),
];

/** Of texts in a span that nothing else makes small enough. */
const textCharactersMax = 1000;

function fittingSpan(span: Span, [fit = (one: Span) => one, ...others]: typeof fittings): string {
  const smaller = fit(span);
  const document = encodeSpanJson(smaller);
  return others.length === 0 || Buffer.byteLength(document) <= documentBytesMax
    ? document
    : fittingSpan(smaller, others);
}

function withoutAttributes({
  attributes,
  droppedAttributesCount,
}: Pick<Span, 'attributes' | 'droppedAttributesCount'>): Pick<Span, 'attributes' | 'droppedAttributesCount'> {
  return { attributes: new Map(), droppedAttributesCount: droppedAttributesCount + attributes.size };
}

/** Reads the counts in a token; each is 0 without one. */
function openPosition(
  nextToken: string | undefined,
  request: Readonly<Record<string, unknown>>,
): (member: string) => number {
  const position = nextToken ? parsePageToken(nextToken, request) : {};
  return (member) => {
    const count = position[member] ?? 0;
    if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0) return count;
    throw new RaybridgeError('INVALID_REQUEST', 'NextToken: expected the token of the page before, got something else');
  };
}
