import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { httpServer, noEffect } from '../../config/schema.ts';
import type { Context, Extension, ExtensionFactory } from '../../pipeline/component.ts';

const configSchema = httpServer({ endpoint: 'localhost:13133' }).extend({
  path: z.string().startsWith('/').default('/'),
  response_body: z.strictObject({ healthy: z.string().default(''), unhealthy: z.string().default('') }).optional(),
  check_collector_pipeline: noEffect(z.unknown().optional()),
});

type HealthConfig = z.output<typeof configSchema>;

/** The Collector's answer to "are you well?", which load balancers and the health check of ADOT's image read. */
export const healthCheck: ExtensionFactory = {
  kind: 'extension',
  type: 'health_check',
  configSchema,
  create({ config, context }): Extension {
    // The register has checked `config` with the schema above.
    const checked = config as HealthConfig;
    let startedAt: Date | undefined;
    return {
      async start() {
        startedAt = new Date();
        context.http.mount({
          component: context.id,
          protocol: 'health check',
          endpoint: checked.endpoint,
          tls: checked.tls,
          access: 'open',
          matches: ({ path }) => path === checked.path,
          handle: async (_, response) => answer(response, { checked, context, startedAt }),
        });
      },
      async shutdown() {
        startedAt = undefined;
      },
    };
  },
};

interface Health {
  readonly checked: HealthConfig;
  readonly context: Context;
  readonly startedAt: Date | undefined;
}

function answer(response: ServerResponse, { checked, context, startedAt }: Health): void {
  // A destination that is away does not make the Collector unhealthy; what is waited for lies in the queue.
  const isHealthy = startedAt !== undefined && !context.status.faults.has('queue');
  const custom = checked.response_body?.[isHealthy ? 'healthy' : 'unhealthy'];
  const body = custom ? custom : JSON.stringify(isHealthy && startedAt ? available(startedAt) : unavailable);
  response.writeHead(isHealthy ? 200 : 503, { 'content-type': custom ? 'text/plain' : 'application/json' }).end(body);
}

function available(startedAt: Date): object {
  return {
    status: 'Server available',
    upSince: startedAt.toISOString(),
    uptime: printDuration(Date.now() - startedAt.getTime()),
  };
}

const unavailable = { status: 'Server not available', upSince: '0001-01-01T00:00:00Z', uptime: '' };

/** As Go prints one: `1h2m3.5s`. */
function printDuration(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000);
  const seconds = `${(milliseconds % 60_000) / 1000}s`;
  if (minutes === 0) return seconds;
  return minutes < 60 ? `${minutes}m${seconds}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`;
}
