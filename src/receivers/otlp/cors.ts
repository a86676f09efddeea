import type { IncomingMessage, ServerResponse } from 'node:http';

/** The Collector's `cors` block; without it browsers of other origins are not answered. */
export interface CorsConfig {
  /** Origins such as `https://example.com`; one `*` in each may stand for anything. */
  readonly allowed_origins: readonly string[];
  /** Request headers beside the safelisted ones and `X-Requested-With`; `*` allows all. */
  readonly allowed_headers: readonly string[];
  readonly exposed_headers: readonly string[];
  /** Seconds a browser may keep the answer; 0 leaves it to the browser. */
  readonly max_age: number;
}

/**
 * Sets the headers that let an allowed origin read the answer (Fetch standard, "CORS protocol").
 * @returns true when the request was a preflight and is answered with that.
 */
export function answerCors(message: IncomingMessage, response: ServerResponse, config: CorsConfig): boolean {
  const origin = message.headers.origin;
  if (origin === undefined) return false;
  const preflight = message.method === 'OPTIONS' && message.headers['access-control-request-method'] !== undefined;
  const asked = preflight ? headerNames(message.headers['access-control-request-headers'] ?? '') : [];
  response.setHeader('Vary', preflight ? 'Origin, Access-Control-Request-Headers' : 'Origin');

  if (isAllowedOrigin(origin, config.allowed_origins) && asked.every((name) => isAllowedHeader(name, config))) {
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Access-Control-Allow-Credentials', 'true');
    if (preflight) allowPreflight(response, { asked, config });
    else if (config.exposed_headers.length > 0) {
      response.setHeader('Access-Control-Expose-Headers', config.exposed_headers.join(', '));
    }
  }
  if (preflight) response.writeHead(204).end();
  return preflight;
}

function headerNames(list: string): readonly string[] {
  return list
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
}

/** Compared in lower case. The first `*` is the wildcard, any other stands for itself. */
function isAllowedOrigin(origin: string, allowed: readonly string[]): boolean {
  const wanted = origin.toLowerCase();
  return allowed.some((pattern) => {
    const text = pattern.toLowerCase();
    const star = text.indexOf('*');
    if (star < 0) return text === wanted;
    const [before, after] = [text.slice(0, star), text.slice(star + 1)];
    return wanted.length >= before.length + after.length && wanted.startsWith(before) && wanted.endsWith(after);
  });
}

const alwaysAllowed = new Set(['accept', 'accept-language', 'content-language', 'content-type', 'x-requested-with']);

function isAllowedHeader(name: string, { allowed_headers: allowed }: CorsConfig): boolean {
  return alwaysAllowed.has(name) || allowed.some((one) => one === '*' || one.toLowerCase() === name);
}

function allowPreflight(
  response: ServerResponse,
  { asked, config }: { readonly asked: readonly string[]; readonly config: CorsConfig },
): void {
  response.setHeader('Access-Control-Allow-Methods', 'POST');
  if (asked.length > 0) response.setHeader('Access-Control-Allow-Headers', asked.join(', '));
  if (config.max_age > 0) response.setHeader('Access-Control-Max-Age', String(config.max_age));
}
