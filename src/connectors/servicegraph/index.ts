import { z } from 'zod';
import { duration, noEffect } from '../../config/schema.ts';
import { type Attributes, type Span, SpanKind, StatusCode } from '../../model/index.ts';
import type { ConnectorFactory, Exporter } from '../../pipeline/component.ts';
import { createSeries, toLabelName } from '../../transform/series.ts';
import { textOf } from '../../transform/text.ts';

const defaultBucketsMs = [2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1_000, 1_400, 2_000, 5_000, 10_000, 15_000];
const sent = 'has no effect; the metrics are shown at /metrics and not sent';

const configSchema = z.strictObject({
  latency_histogram_buckets: z.array(duration).default(defaultBucketsMs),
  dimensions: z.array(z.string()).default([]),
  store: z.strictObject({ max_items: z.int().min(1).default(1_000), ttl: duration.default(2_000) }).prefault({}),
  /** An attribute of a call to somebody who reports nothing that says who that is. */
  virtual_node_peer_attributes: z.array(z.string()).default(['peer.service', 'db.name', 'db.system']),
  virtual_node_extra_label: z.boolean().default(false),
  database_name_attributes: z.array(z.string()).default(['db.name']),
  exponential_histogram_max_size: noEffect(z.int().optional(), 'has no effect; the buckets are explicit ones'),
  cache_loop: noEffect(duration.optional()),
  store_expiration_loop: noEffect(duration.optional()),
  metrics_flush_interval: noEffect(duration.optional(), sent),
  metrics_exporter: noEffect(z.string().optional(), sent),
});

type GraphConfig = z.output<typeof configSchema>;

/** One side of a call, or both. */
interface Edge {
  client?: Span;
  server?: Span;
  readonly expiresAtMs: number;
}

const seriesMax = 10_000;

/** Counts who calls whom, at `/metrics`, from the two spans of each call. */
export const servicegraphConnector: ConnectorFactory = {
  kind: 'connector',
  type: 'servicegraph',
  endsPipelines: true,
  configSchema,
  create({ config, context }): Exporter {
    // The register has checked `config` with the schema above.
    const checked = config as GraphConfig;
    const buckets = checked.latency_histogram_buckets.map((ms) => ms / 1000);
    const prefix = 'traces_service_graph_request';
    const requests = createSeries({ name: `${prefix}_total`, help: 'Calls from one service to another.', seriesMax });
    const failed = createSeries({ name: `${prefix}_failed_total`, help: 'Calls that failed.', seriesMax });
    const server = createSeries({
      name: `${prefix}_server_seconds`,
      help: 'Time of calls as the callee saw it.',
      buckets,
      seriesMax,
    });
    const client = createSeries({
      name: `${prefix}_client_seconds`,
      help: 'Time of calls as the caller saw it.',
      buckets,
      seriesMax,
    });
    const edges = new Map<string, Edge>();
    const nowMs = () => Number(context.nowNs() / 1_000_000n);
    const countUnpaired = () =>
      context.telemetry.count('raybridge_service_graph_unpaired_total', { connector: context.id });

    const complete = ({ client: caller, server: callee }: Edge, now: number): void => {
      const labels = labelsOf(checked, caller, callee);
      if (!labels) return countUnpaired();
      requests.observe(labels, 0, now);
      if ([caller, callee].some((span) => span?.status.code === StatusCode.error)) failed.observe(labels, 0, now);
      if (callee) server.observe(labels, secondsOf(callee), now);
      if (caller) client.observe(labels, secondsOf(caller), now);
    };

    const expire = (now: number): void => {
      for (const [key, edge] of edges) {
        if (edge.expiresAtMs > now && edges.size <= checked.store.max_items) break;
        edges.delete(key);
        complete(edge, now);
      }
    };

    const take = (span: Span, now: number): void => {
      const isCaller = span.kind === SpanKind.client || span.kind === SpanKind.producer;
      const isCallee = span.kind === SpanKind.server || span.kind === SpanKind.consumer;
      if (!isCaller && !(isCallee && span.parentSpanId !== undefined)) return;
      const key = `${span.traceId}${isCaller ? span.spanId : span.parentSpanId}`;
      const edge = edges.get(key) ?? { expiresAtMs: now + checked.store.ttl };
      if (isCaller) edge.client = span;
      else edge.server = span;
      if (edge.client && edge.server) {
        edges.delete(key);
        complete(edge, now);
      } else edges.set(key, edge);
    };

    return {
      gather: { bytesMax: 4 * 1024 * 1024, lingerMs: 0 },
      lanes: 1,
      async start() {
        context.telemetry.expose(() => {
          expire(nowMs());
          return [requests, failed, server, client].map((table) => table.print()).join('');
        });
      },
      async shutdown() {},
      async export({ batches }) {
        const now = nowMs();
        for (const span of batches.flatMap((batch) => batch.spans())) take(span, now);
        expire(now);
      },
    };
  },
};

/** Undefined when one side is not there and nothing says who it is. */
function labelsOf(
  config: GraphConfig,
  client: Span | undefined,
  server: Span | undefined,
): Readonly<Record<string, string>> | undefined {
  const callerName = client && serviceOf(client);
  const peer = client && !server ? firstOf(client.attributes, config.virtual_node_peer_attributes) : undefined;
  const calleeName = server ? serviceOf(server) : peer;
  if (calleeName === undefined || (callerName === undefined && !server)) return undefined;
  const database = client && firstOf(client.attributes, config.database_name_attributes);
  const isMessaging = client?.kind === SpanKind.producer || server?.kind === SpanKind.consumer;
  const type =
    peer === undefined ? (isMessaging ? 'messaging_system' : '') : database === undefined ? 'virtual_node' : 'database';
  // A callee without a caller is called by somebody outside.
  const labels: Record<string, string> = {
    client: callerName ?? 'user',
    server: calleeName,
    connection_type: callerName === undefined ? 'virtual_node' : type,
  };
  for (const key of config.dimensions) {
    for (const [side, span] of [
      ['client', client],
      ['server', server],
    ] as const) {
      const value = span?.attributes.get(key) ?? span?.resource.attributes.get(key);
      if (value !== undefined) labels[`${side}_${toLabelName(key)}`] = textOf(value);
    }
  }
  if (config.virtual_node_extra_label)
    labels['virtual_node'] = callerName === undefined ? 'client' : peer === undefined ? '' : 'server';
  return labels;
}

function serviceOf({ resource }: Span): string {
  return textOf(resource.attributes.get('service.name'));
}

function firstOf(attributes: Attributes, keys: readonly string[]): string | undefined {
  const key = keys.find((one) => attributes.has(one));
  return key === undefined ? undefined : textOf(attributes.get(key));
}

function secondsOf({ startTimeNs, endTimeNs }: Span): number {
  return endTimeNs > startTimeNs ? Number(endTimeNs - startTimeNs) / 1e9 : 0;
}
