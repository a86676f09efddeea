import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { endpoint } from '../../config/schema.ts';
import type { HttpRequest } from '../../net/http.ts';
import type { Component, Context, ExtensionFactory } from '../../pipeline/component.ts';
import { createGroupRegistry, createTraceReader, openInsightDocuments } from '../../reader/index.ts';
import { type ConsoleApi, createConsoleApi } from './api.ts';
import { describeApi } from './openapi.ts';
import { builtConsole, type Page, readPages } from './pages.ts';

const configSchema = z.strictObject({
  endpoint: endpoint.default('127.0.0.1:2080'),
  store: z.string().default('clickhouse'),
});

/** The web console: static files from memory, and the JSON they ask for under `/api`. */
export const consoleExtension: ExtensionFactory = {
  kind: 'extension',
  type: 'console',
  configSchema,
  create: ({ config, context }) => createConsole({ config, context, folder: builtConsole }),
};

export function createConsole({
  config,
  context,
  folder,
}: {
  readonly config: z.output<typeof configSchema>;
  readonly context: Context;
  /** Holds index.html and what it names. */
  readonly folder: string;
}): Component {
  const store = context.store(config.store);
  const groups = createGroupRegistry({ store, nowNs: context.nowNs });
  const insights = openInsightDocuments({ store, nowNs: context.nowNs });
  const api = createConsoleApi({ context, store, reader: createTraceReader(store), groups, insights });
  return {
    async start() {
      const pages = await readPages(folder);
      context.http.mount({
        component: context.id,
        protocol: 'console',
        endpoint: config.endpoint,
        access: 'api',
        matches: ({ method, path }) => (method === 'GET' || method === 'HEAD') && (isOurs(path) || pages.has(path)),
        handle: (request, response) => handle(request, response, { api, pages, version: context.version }),
      });
    },
    async shutdown() {},
  };
}

/** No script, style or connection but our own; nobody may frame the page. */
const securityHeaders = {
  'content-security-policy':
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
};

async function handle(
  request: HttpRequest,
  response: ServerResponse,
  {
    api,
    pages,
    version,
  }: { readonly api: ConsoleApi; readonly pages: ReadonlyMap<string, Page>; readonly version: string },
): Promise<void> {
  if (request.path.startsWith('/api/')) {
    const { status, body } = await api.answer(request);
    response.writeHead(status, { ...securityHeaders, 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(request.method === 'HEAD' ? undefined : JSON.stringify(body));
    return;
  }
  if (request.path === openApiPath) {
    response.writeHead(200, { ...securityHeaders, 'content-type': 'application/json' });
    response.end(request.method === 'HEAD' ? undefined : JSON.stringify(describeApi(version)));
    return;
  }
  const page = pages.get(request.path) ?? pages.get('/index.html');
  if (page) sendPage(request, response, page);
  else
    response
      .writeHead(404, { ...securityHeaders, 'content-type': 'text/plain' })
      .end('The console was not built: npm run build\n');
}

const openApiPath = '/openapi.json';

/** The routes that the page itself resolves (console/src/routes); they all get index.html. */
const pageRoutes =
  /^\/(map|compare|sampling|groups|exceptions|pipelines|(traces|insights)(\/[^/]+)?|services(\/.+)?)?$/;

/** Other paths of the listener belong to other components. */
function isOurs(path: string): boolean {
  return path.startsWith('/api/') || path === openApiPath || pageRoutes.test(path);
}

/** `gzip` in a list of encodings, but not `gzip;q=0`, which refuses it (RFC 9110, 12.4.2). */
const takesGzip = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/;

function sendPage(request: HttpRequest, response: ServerResponse, page: Page): void {
  const headers = {
    ...securityHeaders,
    'content-type': page.type,
    etag: page.etag,
    'cache-control': page.cacheControl,
    vary: 'accept-encoding',
  };
  if (request.message.headers['if-none-match'] === page.etag) {
    response.writeHead(304, headers).end();
    return;
  }
  const zipped = takesGzip.test(request.message.headers['accept-encoding'] ?? '');
  const body = zipped ? page.gzip : page.body;
  response.writeHead(200, {
    ...headers,
    'content-length': body.length,
    ...(zipped ? { 'content-encoding': 'gzip' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
