import { createServer, type IncomingHttpHeaders } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { ProcessName } from './plan.ts';

/** The shop's processes talk plain HTTP with JSON bodies. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Answer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Listens on loopback, tells the parent process where, and ends with it. */
export async function serve(port: number, handle: (call: Call) => Promise<Answer>): Promise<void> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const call = {
        method: request.method ?? 'GET',
        path: request.url ?? '/',
        headers: request.headers,
        body: parseBody(chunks),
      };
      handle(call)
        .catch((error: unknown): Answer => ({ status: 500, body: { message: String(error) } }))
        .then(({ status, body, headers }) => {
          response.writeHead(status, { 'content-type': 'application/json', ...headers });
          response.end(JSON.stringify(body));
        });
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  // Node gives an AddressInfo for a TCP listener.
  const { port: bound } = server.address() as AddressInfo;
  process.send?.({ listening: `http://127.0.0.1:${bound}` });
  process.on('disconnect', () => process.exit(0));
}

/** One call; the answer's status is the caller's to judge. */
export async function call(
  url: string,
  {
    body = {},
    headers = {},
    method = 'POST',
  }: { readonly body?: object; readonly headers?: Record<string, string>; readonly method?: string },
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    signal: AbortSignal.timeout(callTimeoutMs),
    ...(method === 'GET' ? {} : { body: JSON.stringify(body) }),
  });
  const answer: unknown = await response.json();
  return { status: response.status, body: typeof answer === 'object' && answer !== null ? answer : {} };
}

const callTimeoutMs = 10_000;

/**
 * An answer that is no success, as an error. Its stack shows the shop's files as if they were
 * deployed in /shop, so that pictures of a demo show nothing of the machine it runs on.
 */
export function failureOf({ status, body }: Answer): Error {
  const error = new Error('message' in body ? String(body.message) : `answered ${status}`);
  if (error.stack) error.stack = error.stack.replaceAll(new URL('.', import.meta.url).href, 'file:///shop/');
  return error;
}

/** The address of another process of the shop. */
export function addressOf(name: ProcessName): string {
  const address = process.env[`SHOP_${name.toUpperCase()}`];
  if (address) return address;
  throw new Error(`SHOP_${name.toUpperCase()} is not set; start the shop with "raybridge demo"`);
}

function parseBody(chunks: readonly Buffer[]): Readonly<Record<string, unknown>> {
  if (chunks.length === 0) return {};
  const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
