import type { ConnectionOptions } from 'node:tls';
import type { Dispatcher } from 'undici';
import { RaybridgeError } from '../errors.ts';

/**
 * Requests to other machines, over connections that are kept alive. Redirects are answers like any
 * other: following one could carry credentials to somebody who was not configured.
 */
export interface HttpClient {
  /**
   * Resolves with whatever the other side answers.
   * @throws RaybridgeError DESTINATION_UNAVAILABLE: no answer, or none in time; the cause says why.
   */
  send(request: OutgoingRequest): Promise<IncomingAnswer>;
  close(): Promise<void>;
}

/** A request before somebody has shown who sends it. */
export interface UnsignedRequest {
  readonly method: string;
  /** Absolute, `http:` or `https:`. */
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface OutgoingRequest extends UnsignedRequest {
  /** Of the whole exchange, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface IncomingAnswer {
  readonly status: number;
  /** Names in lower case; of a name that comes twice, the values joined by a comma. */
  readonly headers: ReadonlyMap<string, string>;
  /** As it came; at most `answerBytesMax`, what is beyond is cut off. */
  readonly body: Uint8Array;
}

/** The part of Node's options that a client of ours sets. */
export type ClientTls = Pick<
  ConnectionOptions,
  'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized' | 'minVersion' | 'maxVersion'
>;

export interface HttpClientOptions {
  /** For `https:`; the system's trust when absent. */
  readonly tls?: ClientTls;
  /** `http://[user:password@]host:port`; when absent the variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY count, in either case. */
  readonly proxyUrl?: string;
  /** Connections to one host at the same time. */
  readonly connectionsMax?: number;
  readonly idleTimeoutMs?: number;
}

/** OTLP specification: what a client need not read (reliability 3.4). */
export const answerBytesMax = 4 * 1024 * 1024;
const connectTimeoutMs = 10_000;

export function createHttpClient(options: HttpClientOptions = {}): HttpClient {
  // Loaded with the first request: it is large, and a process may never send one.
  let opening: Promise<Dispatcher> | undefined;
  return {
    async send({ method, url, headers, body, timeoutMs, signal }) {
      const timeout = AbortSignal.timeout(timeoutMs);
      try {
        const dispatcher = await (opening ??= createDispatcher(options));
        const answer = await dispatcher.request({
          origin: url.origin,
          path: `${url.pathname}${url.search}`,
          method: method as Dispatcher.HttpMethod,
          headers,
          body: body.length === 0 ? null : body,
          signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        });
        return { status: answer.statusCode, headers: headersOf(answer.headers), body: await readAnswer(answer.body) };
      } catch (error) {
        throw new RaybridgeError(
          'DESTINATION_UNAVAILABLE',
          `${url.origin}: ${timeout.aborted ? `no answer within ${timeoutMs} ms` : causeOf(error)}`,
          { cause: error },
        );
      }
    },
    async close() {
      await (await opening)?.close();
    },
  };
}

async function createDispatcher({
  tls = {},
  proxyUrl,
  connectionsMax,
  idleTimeoutMs,
}: HttpClientOptions): Promise<Dispatcher> {
  const { Agent, EnvHttpProxyAgent, ProxyAgent } = await import('undici');
  const common = {
    // The deadline of the whole exchange holds instead.
    headersTimeout: 0,
    bodyTimeout: 0,
    ...(connectionsMax === undefined ? {} : { connections: connectionsMax }),
    ...(idleTimeoutMs === undefined ? {} : { keepAliveTimeout: idleTimeoutMs }),
  };
  if (proxyUrl !== undefined && proxyUrl !== '') return new ProxyAgent({ ...common, uri: proxyUrl, requestTls: tls });
  const direct = { ...common, connect: { ...tls, timeout: connectTimeoutMs } };
  const { HTTP_PROXY, http_proxy, HTTPS_PROXY, https_proxy } = process.env;
  if (HTTP_PROXY || http_proxy || HTTPS_PROXY || https_proxy) {
    return new EnvHttpProxyAgent({ ...direct, requestTls: tls });
  }
  return new Agent(direct);
}

async function readAnswer(body: Dispatcher.ResponseData['body']): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= answerBytesMax) break;
  }
  return Buffer.concat(chunks).subarray(0, answerBytesMax);
}

function headersOf(headers: Dispatcher.ResponseData['headers']): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? `${error.message} (${String(error.code)})` : error.message;
}
