import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { RaybridgeError } from '../errors.ts';
import type { Logger } from '../pipeline/component.ts';
import type { Status } from '../pipeline/status.ts';
import { isLoopback, parseAddress, printAddress, type Address } from './address.ts';
import { listenFailed, reportListening } from './listening.ts';
import { guardOrigin } from './origin.ts';
import { httpStatusOf, printRetryAfter, retryAfterMsOf } from './status.ts';
import { readServerTls, reloadServerTls, requireSameTls, type ServerTlsConfig } from './tls-server.ts';

/**
 * Listeners that several components share: the X-Ray API and the console are two components on one
 * port. A component mounts its routes before the host listens; the host owns sockets and limits.
 */
export interface HttpHost {
  /**
   * Asks for a listener; the first call for an endpoint creates it. Called from `start`.
   * @throws RaybridgeError CONFIG_INVALID: the endpoint is none, or `access` forbids it.
   */
  mount(mount: HttpMount): void;
}

export interface HttpMount {
  readonly component: string;
  /** What speaks there, for the banner: `X-Ray API`. */
  readonly protocol: string;
  /** host:port; port 0 takes a free one. */
  readonly endpoint: string;
  /**
   * `api` shows or changes what is stored: it is kept from other web pages (`origin.ts`), and from
   * other machines unless the user insists. `signed` does the same but verifies who is asking, so
   * that other machines may reach it. `open` takes data or tells health: anybody may ask.
   */
  readonly access: 'api' | 'signed' | 'open';
  /** Absent: plain text. */
  readonly tls?: ServerTlsConfig | undefined;
  /** The first mount whose `matches` says yes handles the request, in order of mounting. */
  matches(request: HttpRequest): boolean;
  handle(request: HttpRequest, response: ServerResponse): Promise<void>;
}

export interface HttpRequest {
  readonly method: string;
  /** Decoded path without query, always starting with `/`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly message: IncomingMessage;
  /** Aborts when the client is gone before its answer was written; long work should stop then. */
  readonly signal: AbortSignal;
}

/** The host as its owner sees it. */
export interface RunningHttpHost extends HttpHost {
  /**
   * Opens every listener that was asked for.
   * @throws RaybridgeError LISTEN_FAILED; call `close` then too, others may be open.
   */
  listen(): Promise<void>;
  /** Accepts no more, lets requests under way finish, and cuts what is left at the deadline. */
  close(deadlineMs: number): Promise<void>;
}

/** What a slow or greedy client may take of one listener. */
const headerBytesMax = 16 * 1024;
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 60_000;
const keepAliveTimeoutMs = 65_000;
/** Node looks for timed out requests this often; its default of 30 s would stretch the 10 s above. */
const timeoutCheckMs = 2_000;
const connectionsMax = 1_000;

export function createHttpHost({
  status,
  log,
  insecureNoAuth,
}: {
  readonly status: Status;
  readonly log: Logger;
  /** Lets mounts with `access: 'api'` stand where other machines reach them, although nobody has to sign in. */
  readonly insecureNoAuth: boolean;
}): RunningHttpHost {
  const listeners = new Map<string, HttpListener>();
  let listening = false;

  return {
    mount(mount) {
      assert.ok(!listening, 'mounts come before listen');
      const address = parseAddress(mount.endpoint);
      if (mount.access === 'api' && !insecureNoAuth) requireLoopback(mount, address);
      const key = printAddress(address);
      const known = listeners.get(key);
      if (known) {
        requireSameTls(mount.component, known.mounts[0]?.tls, mount.tls);
        known.mounts.push(mount);
      } else listeners.set(key, createListener({ address, first: mount, log }));
    },
    async listen() {
      listening = true;
      for (const listener of listeners.values()) await open(listener, { status, log });
    },
    async close(deadlineMs) {
      await Promise.all([...listeners.values()].map((listener) => close(listener, deadlineMs)));
    },
  };
}

function requireLoopback({ component, endpoint }: HttpMount, { host }: Address): void {
  if (isLoopback(host)) return;
  throw new RaybridgeError(
    'CONFIG_INVALID',
    `${component}.endpoint: expected a loopback address such as 127.0.0.1:2080, because nobody has to sign in there, ` +
      `got ${JSON.stringify(endpoint)}; the X-Ray API may stand there with auth.keys, --insecure-no-auth permits all`,
  );
}

interface HttpListener {
  readonly address: Address;
  readonly mounts: HttpMount[];
  readonly server: Server | TlsServer;
  /** Answers under way; a closing listener asks each of them to be the last on its connection. */
  readonly answering: Set<ServerResponse>;
  closing: boolean;
}

function createListener({
  address,
  first,
  log,
}: {
  readonly address: Address;
  readonly first: HttpMount;
  readonly log: Logger;
}): HttpListener {
  const limits = {
    maxHeaderSize: headerBytesMax,
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: timeoutCheckMs,
    noDelay: true,
  };
  const server = first.tls ? createSecureServer(first.tls, limits, log) : createServer(limits);
  server.maxConnections = connectionsMax;
  const listener: HttpListener = { address, mounts: [first], server, answering: new Set(), closing: false };
  server.on('request', (message, response) => void serve({ listener, message, response, log }));
  return listener;
}

/** @throws RaybridgeError CONFIG_INVALID: certificate or key cannot be read or used. */
function createSecureServer(tls: ServerTlsConfig, limits: object, log: Logger): TlsServer {
  const options = { ...limits, ...readServerTls(tls), handshakeTimeout: headersTimeoutMs };
  const server = createTlsServer(options);
  server.on('tlsClientError', (error) => log.debug({ err: error }, 'a TLS handshake failed'));
  const stop = reloadServerTls(server, tls, (error) =>
    log.error({ err: error }, 'the certificate cannot be read again'),
  );
  server.once('close', stop);
  return server;
}

interface Exchange {
  readonly listener: HttpListener;
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly log: Logger;
}

async function serve({ listener, message, response, log }: Exchange): Promise<void> {
  followAnswer(listener, response);
  try {
    const request = { ...parseRequest(message), signal: signalOf(response) };
    const mount = listener.mounts.find((candidate) => candidate.matches(request));
    if (!mount) throw new RaybridgeError('NOT_FOUND', `nothing answers ${request.method} on this path`);
    if (mount.access !== 'open') guardOrigin(message);
    await mount.handle(request, response);
  } catch (error) {
    answerError({ error, message, response, log });
  }
}

/** Keeps the book of answers under way, so that a closing listener knows which connections are left. */
function followAnswer(listener: HttpListener, response: ServerResponse): void {
  listener.answering.add(response);
  if (listener.closing) response.setHeader('Connection', 'close');
  response.once('close', () => {
    listener.answering.delete(response);
    if (listener.closing) listener.server.closeIdleConnections();
  });
}

function signalOf(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}

/** @throws RaybridgeError BAD_INPUT. */
function parseRequest(message: IncomingMessage): Omit<HttpRequest, 'signal'> {
  const target = message.url ?? '';
  // Absolute and authority forms are for proxies, which this is not.
  if (!target.startsWith('/')) throw new RaybridgeError('BAD_INPUT', 'request target: expected a path');
  const queryStart = target.indexOf('?');
  const path = queryStart < 0 ? target : target.slice(0, queryStart);
  return {
    method: message.method ?? 'GET',
    path: decodePath(path),
    query: new URLSearchParams(queryStart < 0 ? '' : target.slice(queryStart + 1)),
    message,
  };
}

function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw new RaybridgeError('BAD_INPUT', 'request target: expected percent-encoded UTF-8', { cause });
  }
}

/** The last resort for what a mount did not answer itself. A bug is logged in full and told in one neutral word. */
function answerError({
  error,
  message,
  response,
  log,
}: Omit<Exchange, 'listener'> & { readonly error: unknown }): void {
  const expected = error instanceof RaybridgeError ? error : undefined;
  if (!expected) log.error({ err: error, method: message.method }, 'a request failed because of a bug');
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const retryAfterMs = expected && retryAfterMsOf(expected);
  if (retryAfterMs !== undefined) response.setHeader('Retry-After', printRetryAfter(retryAfterMs));
  // An unread body would be taken for the next request on this connection.
  if (!message.complete) response.setHeader('Connection', 'close');
  sendJson(response, expected ? httpStatusOf(expected.code) : 500, {
    code: expected?.code ?? 'INTERNAL',
    message: expected?.message ?? 'internal error',
  });
}

/** Answers with a JSON object. */
export function sendJson(response: ServerResponse, statusCode: number, value: object): void {
  const body = JSON.stringify(value);
  response
    .writeHead(statusCode, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      'X-Content-Type-Options': 'nosniff',
    })
    .end(body);
}

async function open(
  { server, address, mounts }: HttpListener,
  { status, log }: { readonly status: Status; readonly log: Logger },
): Promise<void> {
  try {
    server.listen({ host: address.host, port: address.port });
    await once(server, 'listening');
  } catch (error) {
    const components = mounts.map((mount) => mount.component).join(', ');
    const protocol = mounts.map((mount) => mount.protocol).join(', ');
    throw listenFailed({ component: components, protocol, transport: 'tcp', address }, error);
  }
  server.on('error', (error) => log.error({ err: error }, 'an HTTP listener could not accept a connection'));
  const bound = printAddress(boundAddress(server));
  for (const { component, protocol } of mounts) {
    reportListening({ status, log, listener: { component, protocol, transport: 'tcp', address: bound } });
  }
}

function boundAddress(server: Server | TlsServer): Address {
  const bound = server.address() as AddressInfo; // A listening TCP server has an AddressInfo.
  return { host: bound.address, port: bound.port };
}

async function close(listener: HttpListener, deadlineMs: number): Promise<void> {
  const { server, answering } = listener;
  if (!server.listening) return;
  listener.closing = true;
  for (const response of answering) if (!response.headersSent) response.setHeader('Connection', 'close');
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs);
  await closed;
  clearTimeout(deadline);
}
