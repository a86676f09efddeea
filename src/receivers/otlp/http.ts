import type { IncomingMessage, ServerResponse } from 'node:http';
import { encodeTracesResponseJson } from '../../codec/otlp-json.ts';
import { encodeTracesResponse } from '../../codec/otlp-proto.ts';
import { encodeRpcStatus, encodeRpcStatusJson } from '../../codec/rpc-status.ts';
import { RaybridgeError } from '../../errors.ts';
import { readBody } from '../../net/body.ts';
import type { HttpMount, HttpRequest } from '../../net/http.ts';
import { printRetryAfter, type IngestFailure } from '../../net/status.ts';
import { answerCors } from './cors.ts';
import type { HttpConfig } from './config.ts';
import type { Encoding, TraceTaker } from './take.ts';

/**
 * OTLP/HTTP (OTLP specification, "OTLP/HTTP"): POST of protobuf or JSON, answered in the encoding
 * of the request, errors as google.rpc.Status.
 */
export function createHttpMount({
  component,
  config,
  taker,
  ignored,
}: {
  readonly component: string;
  readonly config: HttpConfig;
  readonly taker: TraceTaker;
  /** Signals that belong to ignored pipelines; the others have no path here. */
  readonly ignored: ReadonlySet<string>;
}): HttpMount {
  const paths = new Map([
    [config.profiles_url_path, 'profiles'],
    [config.logs_url_path, 'logs'],
    [config.metrics_url_path, 'metrics'],
    [config.traces_url_path, 'traces'],
  ]);
  return {
    component,
    protocol: 'OTLP HTTP',
    endpoint: config.endpoint,
    access: 'open',
    matches: ({ path }) => paths.has(path),
    async handle(request, response) {
      for (const [name, value] of Object.entries(config.response_headers)) response.setHeader(name, value);
      if (config.cors && answerCors(request.message, response, config.cors)) return;
      const signal = paths.get(request.path) ?? 'traces';
      await answer({ request, response, signal, taker, ignored, bytesMax: config.max_request_body_size });
    },
  };
}

interface Exchange {
  readonly request: HttpRequest;
  readonly response: ServerResponse;
  readonly signal: string;
  readonly taker: TraceTaker;
  readonly ignored: ReadonlySet<string>;
  readonly bytesMax: number;
}

async function answer({ request, response, signal, taker, ignored, bytesMax }: Exchange): Promise<void> {
  // Until the encoding of the request is known, errors are told in JSON, which a person can read.
  let encoding: Encoding = 'json';
  let body: Uint8Array | undefined;
  try {
    if (signal !== 'traces' && !ignored.has(signal)) throw notConfigured(signal);
    requirePost(request, response);
    encoding = encodingOf(request.message);
    body = await readBody(request.message, { bytesMax });
    if (signal === 'traces') {
      const receipt = await taker.take({ body, encoding });
      send(response, { status: 200, encoding, body: encodings[encoding].response(receipt) });
    } else {
      taker.ignore(signal);
      send(response, { status: 200, encoding, body: encodings[encoding].response(allTaken) });
    }
  } catch (error) {
    sendFailure({ message: request.message, response, encoding, failure: taker.fail(error, body) });
  }
}

/** The empty response message; it is the same bytes for every signal. */
const allTaken = { rejected: 0, message: '' };

const encodings = {
  protobuf: { contentType: 'application/x-protobuf', response: encodeTracesResponse, status: encodeRpcStatus },
  json: { contentType: 'application/json', response: encodeTracesResponseJson, status: encodeRpcStatusJson },
} as const;

function notConfigured(signal: string): RaybridgeError {
  return new RaybridgeError('NOT_FOUND', `no pipeline takes ${signal} here; Raybridge handles traces only`);
}

function requirePost({ method }: HttpRequest, response: ServerResponse): void {
  if (method === 'POST') return;
  response.setHeader('Allow', 'POST');
  throw new RaybridgeError('METHOD_NOT_ALLOWED', `method: expected POST, got ${method}`);
}

/** Parameters such as `charset` are allowed and mean nothing. */
function encodingOf(message: IncomingMessage): Encoding {
  const type = (message.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type === encodings.protobuf.contentType) return 'protobuf';
  if (type === encodings.json.contentType) return 'json';
  throw new RaybridgeError(
    'UNSUPPORTED_MEDIA_TYPE',
    `content-type: expected ${encodings.protobuf.contentType} or ${encodings.json.contentType}`,
  );
}

function sendFailure({
  message,
  response,
  encoding,
  failure,
}: {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly encoding: Encoding;
  readonly failure: IngestFailure;
}): void {
  if (response.destroyed || response.headersSent) return;
  const { http: status, grpc: code, reason, retryAfterMs } = failure;
  if (retryAfterMs !== undefined) response.setHeader('Retry-After', printRetryAfter(retryAfterMs));
  if (reason === 'UNSUPPORTED_MEDIA_TYPE') response.setHeader('Accept-Encoding', 'gzip, deflate');
  // What is left of an unread body would be taken for the next request; a stopping process wants no next one.
  if (!message.complete || reason === 'SHUTTING_DOWN') response.setHeader('Connection', 'close');
  const body = encodings[encoding].status({ code, message: failure.message, retryAfterMs });
  send(response, { status, encoding, body });
}

function send(
  response: ServerResponse,
  {
    status,
    encoding,
    body,
  }: { readonly status: number; readonly encoding: Encoding; readonly body: Uint8Array | string },
): void {
  response
    .writeHead(status, {
      'Content-Type': encodings[encoding].contentType,
      'Content-Length': Buffer.byteLength(body),
      'X-Content-Type-Options': 'nosniff',
    })
    .end(body);
}
