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

/** An OTLP backend that decodes with other people's code and answers each call as a test wants. */
export interface FakeOtlp<Behaviour> {
  /** host:port */
  readonly address: string;
  /** Ids of the spans taken, in the order of arrival; one that was sent again is there again. */
  readonly taken: readonly string[];
  /** Span ids of each request, taken or not. */
  readonly requests: readonly (readonly string[])[];
  /** Headers or metadata of each request. */
  readonly headers: readonly Readonly<Record<string, unknown>>[];
  /** The next requests are answered by these, one each; then `otherwise`, which takes everything unless set. */
  answer(...behaviours: readonly Behaviour[]): void;
  otherwise(behaviour: Behaviour): void;
  close(): Promise<void>;
}

const exportRequest = otlpMessages.lookupType('TracesData');

/** Span ids of a protobuf request. */
function spanIdsOf(body: Uint8Array): readonly string[] {
  const request = exportRequest.toObject(exportRequest.decode(body), { bytes: Buffer }) as OtlpJson;
  return idsIn(request, (id) => Buffer.from(id as Buffer).toString('hex'));
}

interface OtlpJson {
  readonly resourceSpans?: readonly {
    readonly scopeSpans?: readonly { readonly spans?: readonly { readonly spanId: unknown }[] }[];
  }[];
}

function idsIn({ resourceSpans = [] }: OtlpJson, print: (id: unknown) => string): readonly string[] {
  return resourceSpans.flatMap(({ scopeSpans = [] }) =>
    scopeSpans.flatMap(({ spans = [] }) => spans.map(({ spanId }) => print(spanId))),
  );
}

interface Ledger<Behaviour> extends Pick<
  FakeOtlp<Behaviour>,
  'taken' | 'requests' | 'headers' | 'answer' | 'otherwise'
> {
  record(ids: readonly string[], headers: Readonly<Record<string, unknown>>): Behaviour;
  take(ids: readonly string[]): void;
}

function createLedger<Behaviour>(takesAll: Behaviour): Ledger<Behaviour> {
  const taken: string[] = [];
  const requests: (readonly string[])[] = [];
  const headersOfAll: Readonly<Record<string, unknown>>[] = [];
  let next: readonly Behaviour[] = [];
  let rest = takesAll;
  return {
    taken,
    requests,
    headers: headersOfAll,
    answer(...behaviours) {
      next = [...next, ...behaviours];
    },
    otherwise(behaviour) {
      rest = behaviour;
    },
    record(ids, headers) {
      requests.push(ids);
      headersOfAll.push(headers);
      const [behaviour = rest, ...later] = next;
      next = later;
      return behaviour;
    },
    take: (ids) => void taken.push(...ids),
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
  const { record, take, ...ledger } = createLedger(takesHttp);
  const serve = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = decompress(await buffer(message), String(message.headers['content-encoding'] ?? ''));
    const isJson = message.headers['content-type'] === 'application/json';
    const ids = isJson ? idsIn(JSON.parse(body.toString()), String) : spanIdsOf(body);
    const behaviour = record(ids, message.headers);
    behaviour({ path: message.url ?? '', ids, take: (some = ids) => take(some) }, response);
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

/** Undefined takes everything; bytes are an answer of one's own. */
export type GrpcBehaviour = GrpcFailure | Uint8Array | undefined;

export async function openFakeOtlpGrpc(
  credentials = ServerCredentials.createInsecure(),
): Promise<FakeOtlp<GrpcBehaviour>> {
  const { record, take, ...ledger } = createLedger<GrpcBehaviour>(undefined);
  const server = new Server();
  const asIs = (bytes: Buffer): Buffer => bytes;
  const serve = (call: ServerUnaryCall<Buffer, Buffer>, respond: sendUnaryData<Buffer>): void => {
    const ids = spanIdsOf(call.request);
    const behaviour = record(ids, call.metadata.getMap());
    if (behaviour === undefined || behaviour instanceof Uint8Array || behaviour.takes) take(ids);
    if (behaviour === undefined) respond(null, Buffer.alloc(0));
    else if (behaviour instanceof Uint8Array) respond(null, Buffer.from(behaviour));
    else respond(failure(behaviour));
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
