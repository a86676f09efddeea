import { RaybridgeError } from '../../errors.ts';
import type { HttpRequest } from '../../net/http.ts';
import { httpStatusOf } from '../../net/status.ts';
import type { Context } from '../../pipeline/component.ts';
import { type Route, routes, type Sources } from './routes.ts';

/** What the page asks for: GET under `/api`, JSON out, in the shapes of the X-Ray API where it has them. */
export interface ConsoleApi {
  answer(request: HttpRequest): Promise<{ readonly status: number; readonly body: object }>;
}

export function createConsoleApi(sources: Sources): ConsoleApi {
  return {
    async answer({ path, query, signal }) {
      try {
        const { route, id } = findRoute(path);
        return { status: 200, body: await route.run({ query, id, signal }, sources) };
      } catch (error) {
        return answerError(error, { context: sources.context, signal });
      }
    },
  };
}

/** A path without a part that varies goes first. @throws RaybridgeError NOT_FOUND. */
function findRoute(path: string): { readonly route: Route; readonly id: string } {
  const fixed = routes.find((route) => route.path === path);
  if (fixed) return { route: fixed, id: '' };
  for (const route of routes) {
    const [start = '', end] = route.path.split('{id}');
    const id = path.slice(start.length);
    if (end === '' && path.startsWith(start) && id !== '' && !id.includes('/')) return { route, id };
  }
  throw new RaybridgeError('NOT_FOUND', 'Nothing is answered at this path');
}

function answerError(
  error: unknown,
  { context, signal }: { readonly context: Context; readonly signal: AbortSignal },
): { readonly status: number; readonly body: object } {
  if (error instanceof RaybridgeError) {
    return { status: httpStatusOf(error.code), body: { code: error.code, message: error.message } };
  }
  // A question that was given up ends with its signal's reason, and nobody reads the answer.
  if (error !== signal.reason) context.log.error({ err: error }, 'a question of the console failed because of a bug');
  return { status: 500, body: { code: 'INTERNAL', message: 'An internal error occurred; the log has the details' } };
}
