import type { JsonObject } from '../../../model/index.ts';
import {
  answerRetrievedGraph,
  answerRetrievedTraces,
  retrievedTracesMax,
  type Retrieval,
  traceFormats,
} from '../../../reader/index.ts';
import { choiceMember, rangeMembers, requiredTextMember, textMember, traceIdsMember } from '../members.ts';
import type { Call, Operation } from '../operation.ts';

/** Retrieval of traces by id, by path (API reference 2016-04-12). Who may read traces may retrieve them. */
export const retrievalOperations: readonly (readonly [path: string, Operation])[] = [
  ['/StartTraceRetrieval', { name: 'StartTraceRetrieval', access: 'read', run: startTraceRetrieval }],
  ['/ListRetrievedTraces', { name: 'ListRetrievedTraces', access: 'read', run: listRetrievedTraces }],
  ['/GetRetrievedTracesGraph', { name: 'GetRetrievedTracesGraph', access: 'read', run: getRetrievedTracesGraph }],
  ['/CancelTraceRetrieval', { name: 'CancelTraceRetrieval', access: 'read', run: cancelTraceRetrieval }],
];

/** API reference. */
const tokenCharactersMax = 1020;

async function startTraceRetrieval(request: JsonObject, { retrievals }: Call): Promise<object> {
  const traceIds = [...new Set(traceIdsMember(request, retrievedTracesMax))];
  return { RetrievalToken: await retrievals.start({ traceIds, ...rangeMembers(request) }) };
}

async function listRetrievedTraces(request: JsonObject, call: Call): Promise<object> {
  return await answerRetrievedTraces(call.store, {
    retrieval: await retrievalOf(request, call),
    format: choiceMember(request, 'TraceFormat', traceFormats) ?? 'XRAY',
    nextToken: textMember(request, 'NextToken'),
    signal: call.signal,
  });
}

async function getRetrievedTracesGraph(request: JsonObject, call: Call): Promise<object> {
  return await answerRetrievedGraph(call.store, {
    retrieval: await retrievalOf(request, call),
    nextToken: textMember(request, 'NextToken'),
    signal: call.signal,
  });
}

async function cancelTraceRetrieval(request: JsonObject, { retrievals }: Call): Promise<object> {
  await retrievals.cancel(tokenOf(request));
  return {};
}

async function retrievalOf(request: JsonObject, { retrievals }: Call): Promise<Retrieval> {
  return await retrievals.get(tokenOf(request));
}

function tokenOf(request: JsonObject): string {
  return requiredTextMember(request, 'RetrievalToken', { charactersMax: tokenCharactersMax });
}
