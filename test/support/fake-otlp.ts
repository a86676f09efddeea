import { Metadata, Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { TlsOptions } from 'node:tls';
import { gunzipSync, inflateSync } from 'node:zlib';
import { encodeRpcStatus } from '../../src/codec/rpc-status.ts';
import { otlpMessages } from './otlp-messages.ts';
import type { TakenSpan } from './taken-span.ts';

/** An OTLP backend that decodes with other people's code and answers each call as a test wants. */
export interface FakeOtlp<Behaviour> {
  /** host:port */
  readonly address: string;
  /** Ids of the spans taken, in the order of arrival; one that was sent again is there again. */
  readonly taken: readonly string[];
  /** The same spans. */
  readonly spans: readonly TakenSpan[];
  /** Span ids of each request, taken or not. */
  readonly requests: readonly (readonly string[])[];
  /** The most requests that were under way at one time. */
  concurrent(): number;
  /** Headers or metadata of each request. */
  readonly headers: readonly Readonly<Record<string, unknown>>[];
  /** The next requests are answered by these, one each; then `otherwise`, which takes everything unless set. */
  answer(...behaviours: readonly Behaviour[]): void;
  otherwise(behaviour: Behaviour): void;
  close(): Promise<void>;
}

const exportRequest = otlpMessages.lookupType('TracesData');

/** Spans of a protobuf request. */
function spansOf(body: Uint8Array): readonly TakenSpan[] {
  const request = exportRequest.toObject(exportRequest.decode(body), { bytes: Buffer, longs: String }) as OtlpJson;
  return spansIn(request, (id) => Buffer.from(id as Buffer).toString('hex'));
}

interface OtlpJson {
  readonly resourceSpans?: readonly {
    readonly scopeSpans?: readonly { readonly spans?: readonly OtlpJsonSpan[] }[];
  }[];
}

interface OtlpJsonSpan {
  readonly traceId: unknown;
  readonly spanId: unknown;
  readonly name?: string;
  readonly attributes?: readonly { readonly key: string; readonly value?: Readonly<Record<string, unknown>> }[];
}

function spansIn({ resourceSpans = [] }: OtlpJson, print: (id: unknown) => string): readonly TakenSpan[] {
  return resourceSpans.flatMap(({ scopeSpans = [] }) =>
    scopeSpans.flatMap(({ spans = [] }) =>
      spans.map(({ traceId, spanId, name = '', attributes = [] }) => ({
        traceId: print(traceId),
        spanId: print(spanId),
        name,
        attributes: new Map(attributes.map(({ key, value = {} }) => [key, Object.values(value)[0]])),
      })),
    ),
  );
}

interface Ledger<Behaviour> extends Pick<
  FakeOtlp<Behaviour>,
  'taken' | 'spans' | 'requests' | 'concurrent' | 'headers' | 'answer' | 'otherwise'
> {
  record(spans: readonly TakenSpan[], headers: Readonly<Record<string, unknown>>): Received<Behaviour>;
}

/** A request, and what is to become of it. */
interface Received<Behaviour> {
  readonly ids: readonly string[];
  readonly behaviour: Behaviour;
  take(ids?: readonly string[]): void;
  /** The request has its answer, or lost its connection. */
  end(): void;
}

function createLedger<Behaviour>(takesAll: Behaviour): Ledger<Behaviour> {
  const taken: string[] = [];
  const takenSpans: TakenSpan[] = [];
  const requests: (readonly string[])[] = [];
  const headersOfAll: Readonly<Record<string, unknown>>[] = [];
  let next: readonly Behaviour[] = [];
  let rest = takesAll;
  let underway = 0;
  let concurrent = 0;
  return {
    taken,
    spans: takenSpans,
    requests,
    concurrent: () => concurrent,
    headers: headersOfAll,
    answer(...behaviours) {
      next = [...next, ...behaviours];
    },
    otherwise(behaviour) {
      rest = behaviour;
    },
    record(spans, headers) {
      const ids = spans.map(({ spanId }) => spanId);
      requests.push(ids);
      headersOfAll.push(headers);
      concurrent = Math.max(concurrent, ++underway);
      const [behaviour = rest, ...later] = next;
      next = later;
      return {
        ids,
        behaviour,
        take(some = ids) {
          const wanted = new Set(some);
          taken.push(...some);
          takenSpans.push(...spans.filter(({ spanId }) => wanted.has(spanId)));
        },
        end: () => void underway--,
      };
    },
  };
}

export interface HttpCall {
  readonly path: string;
  readonly ids: readonly string[];
  take(ids?: readonly string[]): void;
}

export type HttpBehaviour = (call: HttpCall, response: ServerResponse) => void;

export const takesHttp: HttpBehaviour = ({ take }, response) => {
  take();
  response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
};

export async function openFakeOtlpHttp(tls?: TlsOptions): Promise<FakeOtlp<HttpBehaviour>> {
  const { record, ...ledger } = createLedger(takesHttp);
  const serve = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = decompress(await buffer(message), String(message.headers['content-encoding'] ?? ''));
    const isJson = message.headers['content-type'] === 'application/json';
    const spans = isJson ? spansIn(JSON.parse(body.toString()), String) : spansOf(body);
    const { ids, behaviour, take, end } = record(spans, message.headers);
    response.once('close', end);
    behaviour({ path: message.url ?? '', ids, take }, response);
  };
  const listener = (message: IncomingMessage, response: ServerResponse) => void serve(message, response);
  const server: HttpServer = tls ? createTlsServer(tls, listener) : createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    ...ledger,
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function decompress(body: Buffer, encoding: string): Buffer {
  if (encoding === 'gzip') return gunzipSync(body);
  return encoding === 'deflate' || encoding === 'zlib' ? inflateSync(body) : body;
}

export interface GrpcFailure {
  readonly code: status;
  readonly details?: string;
  readonly retryAfterMs?: number;
  /** Takes the spans all the same, as a backend whose answer was lost. */
  readonly takes?: boolean;
}

export interface GrpcCall {
  readonly ids: readonly string[];
  take(ids?: readonly string[]): void;
}

/** Undefined takes everything; bytes are an answer of one's own; a function takes what it likes, and may never answer. */
export type GrpcBehaviour = GrpcAnswer | ((call: GrpcCall) => GrpcAnswer | 'silence');
type GrpcAnswer = GrpcFailure | Uint8Array | undefined;

export async function openFakeOtlpGrpc(
  credentials = ServerCredentials.createInsecure(),
): Promise<FakeOtlp<GrpcBehaviour>> {
  const { record, ...ledger } = createLedger<GrpcBehaviour>(undefined);
  const server = new Server();
  const asIs = (bytes: Buffer): Buffer => bytes;
  const serve = (call: ServerUnaryCall<Buffer, Buffer>, respond: sendUnaryData<Buffer>): void => {
    const { ids, behaviour, take, end } = record(spansOf(call.request), call.metadata.getMap());
    const isDecided = typeof behaviour === 'function';
    const answer = isDecided ? behaviour({ ids, take }) : behaviour;
    if (answer === 'silence') return void call.once('cancelled', end);
    if (!isDecided && (answer === undefined || answer instanceof Uint8Array || answer.takes)) take();
    end();
    if (answer === undefined) respond(null, Buffer.alloc(0));
    else if (answer instanceof Uint8Array) respond(null, Buffer.from(answer));
    else respond(failure(answer));
  };
  server.register('/opentelemetry.proto.collector.trace.v1.TraceService/Export', serve, asIs, asIs, 'unary');
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  return {
    ...ledger,
    address: `127.0.0.1:${port}`,
    async close() {
      server.forceShutdown();
    },
  };
}

function failure({ code, details = 'made up', retryAfterMs }: GrpcFailure) {
  const metadata = new Metadata();
  if (retryAfterMs !== undefined) {
    const bytes = encodeRpcStatus({ code, message: details, retryAfterMs });
    metadata.set('grpc-status-details-bin', Buffer.from(bytes));
  }
  return { code, details, metadata };
}
