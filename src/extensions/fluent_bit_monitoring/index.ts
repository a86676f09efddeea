import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { endpoint } from '../../config/schema.ts';
import { sendJson } from '../../net/http.ts';
import type { Context, Extension, ExtensionFactory } from '../../pipeline/component.ts';
import { printMetrics, type Series } from '../../pipeline/telemetry.ts';

const configSchema = z.strictObject({
  endpoint: endpoint.default('127.0.0.1:2020'),
  /** Whether `/api/v1/health` judges. */
  health_check: z.boolean().default(false),
});

/** The monitoring paths of Fluent Bit, for whoever reads them today (Fluent Bit manual, "Monitoring"). */
export const fluentBitMonitoring: ExtensionFactory = {
  kind: 'extension',
  type: 'fluent_bit_monitoring',
  configSchema,
  create({ config, context }): Extension {
    // The register has checked `config` with the schema above.
    const checked = config as z.output<typeof configSchema>;
    const startedAtMs = Date.now();
    return {
      async start() {
        context.http.mount({
          component: context.id,
          protocol: 'Fluent Bit monitoring',
          endpoint: checked.endpoint,
          access: 'open',
          matches: ({ method, path }) => method === 'GET' && answers.has(path),
          handle: async ({ path }, response) =>
            answers.get(path)?.(response, { context, startedAtMs, judgesHealth: checked.health_check }),
        });
      },
      async shutdown() {},
    };
  },
};

interface Monitoring {
  readonly context: Context;
  readonly startedAtMs: number;
  readonly judgesHealth: boolean;
}

const answers: ReadonlyMap<string, (response: ServerResponse, monitoring: Monitoring) => void> = new Map([
  ['/', answerBuild],
  ['/api/v1/uptime', answerUptime],
  ['/api/v1/metrics', answerMetrics],
  ['/api/v1/metrics/prometheus', answerPrometheus],
  ['/api/v2/metrics/prometheus', answerPrometheus],
  ['/api/v1/health', answerHealth],
]);

function answerBuild(response: ServerResponse, { context }: Monitoring): void {
  sendJson(response, 200, {
    'fluent-bit': { version: `${context.version} (raybridge)`, edition: 'Raybridge', flags: [] },
  });
}

function answerUptime(response: ServerResponse, { startedAtMs }: Monitoring): void {
  const seconds = Math.floor((Date.now() - startedAtMs) / 1000);
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  const text = `Fluent Bit has been running:  ${days} days, ${hours} hours, ${minutes} minutes and ${seconds % 60} seconds`;
  sendJson(response, 200, { uptime_sec: seconds, uptime_hr: text });
}

function answerMetrics(response: ServerResponse, { context }: Monitoring): void {
  const series = context.telemetry.series();
  const input = Object.fromEntries(
    [...totals(series, 'raybridge_received_spans_total', 'receiver')].map(([name, records]) => [
      name,
      { records, bytes: 0 },
    ]),
  );
  const [sent, failures, dropped] = [
    'raybridge_delivered_spans_total',
    'raybridge_delivery_failures_total',
    'raybridge_dropped_spans_total',
  ].map((name) => totals(series, name, 'exporter'));
  const names = new Set([sent, failures, dropped].flatMap((counts) => [...(counts?.keys() ?? [])]));
  const output = Object.fromEntries(
    [...names].map((name) => [
      name,
      {
        proc_records: sent?.get(name) ?? 0,
        proc_bytes: 0,
        errors: 0,
        retries: failures?.get(name) ?? 0,
        retries_failed: 0,
        dropped_records: dropped?.get(name) ?? 0,
        retried_records: 0,
      },
    ]),
  );
  sendJson(response, 200, { input, filter: {}, output });
}

/** Sums of a counter by one of its labels. */
function totals(series: readonly Series[], name: string, label: string): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const one of series) {
    const key = one.labels[label];
    if (one.name === name && key !== undefined) sums.set(key, (sums.get(key) ?? 0) + one.value);
  }
  return sums;
}

function answerPrometheus(response: ServerResponse, { context }: Monitoring): void {
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  response.end(printMetrics(context.telemetry));
}

function answerHealth(response: ServerResponse, { context, judgesHealth }: Monitoring): void {
  const isHealthy = !judgesHealth || context.status.faults.size === 0;
  response.writeHead(isHealthy ? 200 : 500, { 'content-type': 'text/plain' }).end(isHealthy ? 'ok\n' : 'error\n');
}
