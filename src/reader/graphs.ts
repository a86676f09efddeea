import { RaybridgeError } from '../errors.ts';
import type { ServiceGraph, Trace } from '../model/index.ts';
import { secondsText } from '../model/index.ts';
import type { GraphQuery } from '../pipeline/store.ts';
import {
  createGraphBuilder,
  digestTrace,
  type GraphPosition,
  pageOfGraph,
  parsePageToken,
  printPageToken,
  type ServiceAnswer,
  toServiceAnswer,
  toServicesAnswer,
} from '../query/index.ts';
import type { TraceReader } from './reader.ts';

/** The answers of GetServiceGraph and GetTraceGraph as plain JSON values (X-Ray API reference 2016-04-12). */

export interface ServiceGraphAnswer {
  /** Epoch seconds: the range that the graph is of. */
  readonly StartTime: number;
  readonly EndTime: number;
  readonly Services: readonly ServiceAnswer[];
  readonly ContainsOldGroupVersions: boolean;
  readonly NextToken?: string;
}

export type GraphRange = Omit<GraphQuery, 'periodNs'>;

/** The whole graph at once. */
export async function answerServiceGraph(reader: TraceReader, range: GraphRange): Promise<ServiceGraphAnswer> {
  return toGraphAnswer(range, { Services: toServicesAnswer(await reader.serviceGraph(range)) });
}

/**
 * One page of the graph of the whole seconds that a range touches.
 * @throws RaybridgeError INVALID_REQUEST (a token of another question, or of a graph that has changed since), STORE_UNAVAILABLE.
 */
export async function answerServiceGraphPage(
  reader: TraceReader,
  { nextToken, ...exact }: GraphRange & { readonly nextToken: string | undefined },
): Promise<ServiceGraphAnswer> {
  const range = { ...exact, fromNs: secondBefore(exact.fromNs), toNs: secondBefore(exact.toNs + secondNs - 1n) };
  const { fromNs, toNs, filter } = range;
  const request = { operation: 'GetServiceGraph', from: String(fromNs), to: String(toNs), filter };
  return toGraphAnswer(range, pageOf(await reader.serviceGraph(range), { request, nextToken }));
}

/** Groups are asked when somebody reads, so no trace was ever held against an older filter of its group. */
function toGraphAnswer({ fromNs, toNs }: GraphRange, page: ServicesPage): ServiceGraphAnswer {
  const { Services, ...next } = page;
  return {
    StartTime: Number(secondsText(fromNs)),
    EndTime: Number(secondsText(toNs)),
    Services,
    ContainsOldGroupVersions: false,
    ...next,
  };
}

const secondNs = 1_000_000_000n;

function secondBefore(timeNs: bigint): bigint {
  return timeNs - (timeNs % secondNs);
}

export interface ServicesPage {
  readonly Services: readonly ServiceAnswer[];
  readonly NextToken?: string;
}

/** GetTraceGraph's Services, over the given traces only. */
export function answerTraceGraph(traces: readonly Trace[]): readonly ServiceAnswer[] {
  const graph = createGraphBuilder();
  for (const trace of traces) graph.add(digestTrace(trace, []));
  return toServicesAnswer(graph.build());
}

/** The same by trace ids (32 hex digits). @throws as `answerServiceGraphPage` does. */
export async function answerTraceGraphPage(
  reader: TraceReader,
  { traceIds, nextToken }: { readonly traceIds: readonly string[]; readonly nextToken: string | undefined },
): Promise<ServicesPage> {
  const request = { operation: 'GetTraceGraph', traceIds };
  return pageOf(await reader.traceGraph(traceIds), { request, nextToken });
}

function pageOf(
  graph: ServiceGraph,
  {
    request,
    nextToken,
  }: { readonly request: Readonly<Record<string, unknown>>; readonly nextToken: string | undefined },
): ServicesPage {
  const page = pageOfGraph(graph, nextToken ? readPosition(nextToken, request) : undefined);
  if (!page)
    throw new RaybridgeError(
      'INVALID_REQUEST',
      'NextToken: other services are in the graph since the page before; repeat the request without it',
    );
  const Services = page.nodes.map(toServiceAnswer);
  if (!page.next) return { Services };
  return { Services, NextToken: printPageToken({ request, position: { ...page.next } }) };
}

function readPosition(token: string, request: Readonly<Record<string, unknown>>): GraphPosition {
  const { index, before } = parsePageToken(token, request);
  if (typeof index === 'number' && Number.isInteger(index) && index > 0 && typeof before === 'string')
    return { index, before };
  throw new RaybridgeError('INVALID_REQUEST', 'NextToken: expected the token of the page before, got something else');
}
