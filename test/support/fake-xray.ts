import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { TakenSpan } from './taken-span.ts';

/**
 * AWS X-Ray as an agent sees it on a bad day: it takes documents, and answers each call as a test
 * wants. It keeps what it took, which is what a ledger is held against.
 */
export interface FakeXray {
  readonly endpoint: string;
  /** Bodies of the documents taken, in the order of arrival; one that was sent again is there again. */
  readonly taken: readonly string[];
  /** Documents of each call of PutTraceSegments, taken or not. */
  readonly calls: readonly (readonly string[])[];
  /** Parsed bodies of PutTelemetryRecords. */
  readonly records: readonly Readonly<Record<string, unknown>>[];
  /** The next calls are answered by these, one each; then `otherwise`, which takes everything unless set. */
  answer(...behaviours: readonly Behaviour[]): void;
  otherwise(behaviour: Behaviour): void;
  close(): Promise<void>;
}

export interface Call {
  readonly message: IncomingMessage;
  readonly documents: readonly string[];
  /** As AWS keeps what it accepts. */
  take(documents?: readonly string[]): void;
}

export type Behaviour = (call: Call, response: ServerResponse) => void;

export interface Unprocessed {
  readonly Id?: string | null;
  readonly ErrorCode?: string;
  readonly Message?: string;
}

/** Takes all, or all but those that it names. */
export function takes(refuse: (document: string) => Unprocessed | undefined = () => undefined): Behaviour {
  return ({ documents, take }, response) => {
    const verdicts = documents.map((document) => ({ document, entry: refuse(document) }));
    take(verdicts.flatMap(({ document, entry }) => (entry ? [] : [document])));
    sendJson(response, 200, { UnprocessedTraceSegments: verdicts.flatMap(({ entry }) => entry ?? []) });
  };
}

/** Answers with an exception of AWS. */
export function fails(status: number, type: string, headers: Readonly<Record<string, string>> = {}): Behaviour {
  return (_, response) =>
    sendJson(response, status, { message: `made up: ${type}` }, { 'x-amzn-ErrorType': type, ...headers });
}

/** Cuts the connection: at once, after the headers of an answer, or after it took the documents of its choice. */
export function cuts({
  afterHeaders = false,
  afterTaking = () => false,
}: {
  readonly afterHeaders?: boolean;
  readonly afterTaking?: (document: string) => boolean;
} = {}): Behaviour {
  return ({ documents, take }, response) => {
    take(documents.filter(afterTaking));
    if (afterHeaders) response.writeHead(200, { 'content-length': 100 }).write('{');
    setImmediate(() => response.destroy());
  };
}

/** What a document says of its span. */
export function spanOfDocument(document: string): TakenSpan {
  const { trace_id: traceId, id, name, annotations } = JSON.parse(document);
  return {
    traceId: String(traceId).slice(2).replace('-', ''),
    spanId: id,
    name,
    attributes: new Map(Object.entries(annotations ?? {})),
  };
}

/** Never answers. */
export const hangs: Behaviour = () => {};

export async function openFakeXray(): Promise<FakeXray> {
  const taken: string[] = [];
  const calls: (readonly string[])[] = [];
  const records: Readonly<Record<string, unknown>>[] = [];
  let next: readonly Behaviour[] = [];
  let rest: Behaviour = takes();

  const server = createServer((message, response) => void serve(message, response));
  const serve = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = JSON.parse((await buffer(message)).toString() || '{}');
    if (message.url === '/TelemetryRecords') {
      records.push(body);
      sendJson(response, 200, {});
      return;
    }
    if (message.url !== '/TraceSegments') {
      sendJson(response, 200, otherAnswers[message.url ?? ''] ?? {});
      return;
    }
    const documents: readonly string[] = body.TraceSegmentDocuments;
    calls.push(documents);
    const [behaviour = rest, ...later] = next;
    next = later;
    behaviour({ message, documents, take: (some = documents) => void taken.push(...some) }, response);
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken,
    calls,
    records,
    answer(...behaviours) {
      next = [...next, ...behaviours];
    },
    otherwise(behaviour) {
      rest = behaviour;
    },
    close: () => close(server),
  };
}

/** To SDKs that ask for rules by way of an agent: there are none. */
const otherAnswers: Readonly<Record<string, object>> = {
  '/GetSamplingRules': { SamplingRuleRecords: [] },
  '/SamplingTargets': { SamplingTargetDocuments: [], UnprocessedStatistics: [], LastRuleModification: 0 },
};

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

function sendJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
