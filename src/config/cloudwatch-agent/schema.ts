/** The JSON of the CloudWatch agent, what of it is about traces (specification: configuration 3.2 to 3.5). */
import { z } from 'zod';
import { noEffect, warned } from '../schema.ts';

const text = (min: number, max: number) =>
  z.string().refine((value) => value.length >= min && value.length <= max, {
    error: ({ input }) => `expected ${min} to ${max} characters, got ${String(input).length}`,
  });

const roleArn = z.string().refine((value) => value.startsWith('${') || (value.length >= 20 && value.length <= 2048), {
  error: ({ input }) => `expected the ARN of a role, at least 20 characters, got ${JSON.stringify(input)}`,
});

const metricsOnly = noEffect(z.unknown().optional(), 'has no effect on traces');

const agent = z.looseObject({
  region: text(1, 64).optional(),
  credentials: z.looseObject({ role_arn: roleArn.optional() }).optional(),
  debug: z.boolean().default(false),
  quiet: z.boolean().default(false),
  logfile: text(0, 4096).optional(),
  run_as_user: noEffect(z.string().optional(), 'has no effect; Raybridge runs as whoever starts it'),
  metrics_collection_interval: metricsOnly,
  omit_hostname: metricsOnly,
  internal: metricsOnly,
  user_agent: metricsOnly,
  aws_sdk_log_level: metricsOnly,
  use_dualstack_endpoint: metricsOnly,
  'service.name': metricsOnly,
  'deployment.environment': metricsOnly,
  usage_metadata: metricsOnly,
});

const address = text(4, 2048);

const otlp = z.strictObject({
  grpc_endpoint: address.optional(),
  http_endpoint: address.optional(),
  tls: z
    .strictObject({
      ca_file: text(1, 255).optional(),
      cert_file: text(1, 255).optional(),
      key_file: text(1, 255).optional(),
      insecure: z.boolean().optional(),
    })
    .optional(),
  'service.name': metricsOnly,
  'deployment.environment': metricsOnly,
});

const applicationSignals = z.unknown().optional();

const traces = z.strictObject({
  traces_collected: z
    .strictObject({
      xray: z
        .strictObject({
          bind_address: address.optional(),
          tcp_proxy: z.strictObject({ bind_address: address.optional() }).optional(),
        })
        .optional(),
      otlp: z.union([otlp, z.array(otlp).min(1).max(255)]).optional(),
      application_signals: applicationSignals,
      app_signals: applicationSignals,
    })
    .refine((collected) => Object.values(collected).some((value) => value !== undefined), {
      error: 'expected at least one of xray, otlp, application_signals',
    }),
  concurrency: z.int().min(1).optional(),
  buffer_size_mb: noEffect(z.int().min(3).optional(), 'has no effect; the agent itself does not use it either'),
  resource_arn: z.string().optional(),
  local_mode: z.boolean().optional(),
  insecure: z.boolean().optional(),
  credentials: z.strictObject({ role_arn: roleArn.optional() }).optional(),
  endpoint_override: address.optional(),
  region_override: z.string().optional(),
  proxy_override: address.optional(),
  transit_spans_in_otlp_format: z.boolean().optional(),
});

const ignored = (what: string) =>
  warned(z.unknown().optional(), `is ignored: Raybridge handles traces only, and this is about ${what}`);

const openTelemetry = z.strictObject({
  cluster_name: metricsOnly,
  resource_attributes: z.record(z.string(), text(1, 1024)).default({}),
  collect: z
    .strictObject({
      otlp: z
        .strictObject({
          grpc_endpoint: address.optional(),
          http_endpoint: address.optional(),
          span_metrics_enabled: warned(
            z.boolean().optional(),
            'is not done; spans go to X-Ray without metrics of them',
          ),
        })
        .optional(),
      host_metrics: ignored('metrics'),
      prometheus: ignored('metrics'),
      container_insights: ignored('metrics'),
      files: ignored('logs'),
      windows_events: ignored('logs'),
      database_insights: ignored('databases'),
      statsd: ignored('metrics'),
      collectd: ignored('metrics'),
      jmx: ignored('metrics'),
    })
    .prefault({}),
});

export const schema = z.strictObject({
  agent: agent.prefault({}),
  metrics: ignored('metrics'),
  logs: ignored('logs'),
  csm: ignored('client-side monitoring'),
  traces: traces.optional(),
  opentelemetry: openTelemetry.optional(),
});

export type AgentConfig = z.output<typeof schema>;
export type OtlpSource = z.output<typeof otlp>;
