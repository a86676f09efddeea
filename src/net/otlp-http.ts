import type { IncomingMessage, ServerResponse } from 'node:http';
import { encodeTracesResponseJson } from '../codec/otlp-json.ts';
import { encodeTracesResponse } from '../codec/otlp-proto.ts';
import { encodeRpcStatus, encodeRpcStatusJson } from '../codec/rpc-status.ts';
import { RaybridgeError } from '../errors.ts';
import { type BodyOptions, readBody } from './body.ts';
import type { HttpRequest } from './http.ts';
import { type IngestFailure, printRetryAfter } from './status.ts';
import type { Encoding, TraceReceipt, TraceRequest } from './trace-taker.ts';

export interface OtlpDoor {
  readonly bytesMax: number;
  /** Of an answer that all is taken; 200 unless told, as the specification wants it. */
  readonly successStatus?: number;
  /**
   * Refuses a request by its headers, before the body is read, and says what must be true of the
   * body's bytes on the wire. Without it everybody may send.
   */
  readonly admit?: ((message: IncomingMessage) => Promise<BodyOptions['verify']>) | undefined;
  /** Resolves when the sender may be told that its data was taken. */
  take(request: TraceRequest): Promise<TraceReceipt>;
  /** Hears of every request that failed, and says how to answer it. */
  fail(error: unknown, body: Uint8Array | undefined): IngestFailure;
}

/**
 * One request of OTLP/HTTP (OTLP specification, "OTLP/HTTP"): POST of protobuf or JSON, answered in
 * the encoding of the request, errors as google.rpc.Status.
 */
export async function answerOtlp(request: HttpRequest, response: ServerResponse, door: OtlpDoor): Promise<void> {
  const { message } = request;
  const knownEncoding = encodingOf(message);
  // Who sends neither is told of it in JSON, which a person can read.
  const encoding = knownEncoding ?? 'json';
  let body: Uint8Array | undefined;
  try {
    const verify = await door.admit?.(message);
    requirePost(request, response);
    if (!knownEncoding) throw unknownEncoding();
    body = await readBody(message, { bytesMax: door.bytesMax, verify });
    const receipt = await door.take({ body, encoding });
    send(response, { status: door.successStatus ?? 200, encoding, body: encodings[encoding].response(receipt) });
  } catch (error) {
    sendFailure({ message, response, encoding, failure: door.fail(error, body) });
  }
}

const encodings = {
  protobuf: { contentType: 'application/x-protobuf', response: encodeTracesResponse, status: encodeRpcStatus },
  json: { contentType: 'application/json', response: encodeTracesResponseJson, status: encodeRpcStatusJson },
} as const;

function requirePost({ method }: HttpRequest, response: ServerResponse): void {
  if (method === 'POST') return;
  response.setHeader('Allow', 'POST');
  throw new RaybridgeError('METHOD_NOT_ALLOWED', `method: expected POST, got ${method}`);
}

/** Parameters such as `charset` are allowed and mean nothing. */
function encodingOf(message: IncomingMessage): Encoding | undefined {
  const type = (message.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type === encodings.protobuf.contentType) return 'protobuf';
  return type === encodings.json.contentType ? 'json' : undefined;
}

function unknownEncoding(): RaybridgeError {
  return new RaybridgeError(
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
  if (status === 401) response.setHeader('WWW-Authenticate', 'AWS4-HMAC-SHA256');
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
