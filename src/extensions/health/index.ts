import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { endpoint } from '../../config/schema.ts';
import { sendJson } from '../../net/http.ts';
import type { Component, Context, ExtensionFactory } from '../../pipeline/component.ts';
import { printMetrics } from '../../pipeline/telemetry.ts';

/** `/healthz` (the process lives), `/readyz` (it can take and give data) and `/metrics` (Prometheus text). */
export const health: ExtensionFactory = {
  kind: 'extension',
  type: 'health',
  configSchema: z.strictObject({ endpoint: endpoint.default('127.0.0.1:2080') }),
  create({ config, context }): Component {
    return {
      async start() {
        context.http.mount({
          component: context.id,
          protocol: 'health and metrics',
          endpoint: config.endpoint,
          access: 'open',
          matches: ({ method, path }) => (method === 'GET' || method === 'HEAD') && answers.has(path),
          handle: async ({ path }, response) => answers.get(path)?.(context, response),
        });
      },
      async shutdown() {},
    };
  },
};

const answers: ReadonlyMap<string, (context: Context, response: ServerResponse) => void> = new Map([
  ['/healthz', (_: Context, response: ServerResponse) => sendJson(response, 200, { status: 'alive' })],
  ['/readyz', answerReady],
  ['/metrics', answerMetrics],
]);

function answerReady({ status }: Context, response: ServerResponse): void {
  if (status.faults.size === 0) sendJson(response, 200, { status: 'ready' });
  else sendJson(response, 503, { status: 'not ready', faults: Object.fromEntries(status.faults) });
}

function answerMetrics({ telemetry }: Context, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  response.end(printMetrics(telemetry));
}
