/** The plug-ins that can have to do with traces, and their keys (specification: configuration 4.3 to 4.5). */
import { z } from 'zod';
import { noEffect, warned } from '../schema.ts';

/** `on`, `yes` and `true` in any case. */
const flag = (fallback: boolean) =>
  z
    .string()
    .refine((text) => /^(?:on|yes|true|off|no|false)$/i.test(text), {
      error: ({ input }) => `expected on or off, got ${JSON.stringify(input)}`,
    })
    .transform((text) => /^(?:on|yes|true)$/i.test(text))
    .default(fallback);

const port = z
  .string()
  .refine((text) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535, {
    error: ({ input }) => `expected a port, got ${JSON.stringify(input)}`,
  })
  .transform(Number);

/** Powers of a thousand: `5M`, `512K`, `8KB`; bytes. */
const size = z
  .string()
  .refine((text) => /^\d+(?:\.\d+)?\s*[kmg]?b?$/i.test(text), {
    error: ({ input }) => `expected a size such as 512K or 5M, got ${JSON.stringify(input)}`,
  })
  .transform((text) => {
    const unit = /[kmg]/i.exec(text)?.[0].toLowerCase() ?? '';
    return Number.parseFloat(text) * ({ k: 1e3, m: 1e6, g: 1e9 }[unit] ?? 1);
  });

const text = z.string();
const unused = noEffect(text.optional());

const tlsServer = {
  tls: flag(false),
  'tls.verify': unused,
  'tls.verify_client_cert': flag(false),
  'tls.ca_file': text.optional(),
  'tls.ca_path': unused,
  'tls.crt_file': text.optional(),
  'tls.key_file': text.optional(),
  'tls.key_passwd': unused,
  'tls.vhost': text.optional(),
  'tls.verify_hostname': unused,
  'tls.min_version': unused,
  'tls.max_version': unused,
  'tls.ciphers': unused,
  'tls.debug': unused,
};

const ofEveryPlugin = {
  name: text,
  alias: text.optional(),
  log_level: unused,
  log_suppress_interval: unused,
  ipv6: unused,
  workers: text.optional(),
};

export const openTelemetryInput = z.strictObject({
  ...ofEveryPlugin,
  ...tlsServer,
  listen: text.default('0.0.0.0'),
  /** A property of every plug-in that this one does not look at. */
  host: text.optional(),
  port: port.default(4318),
  tag: text.optional(),
  tag_from_uri: flag(true),
  tag_key: unused,
  successful_response_code: text.default('201'),
  raw_traces: flag(false),
  buffer_max_size: size.default(4e6),
  'http_server.buffer_max_size': size.optional(),
  buffer_chunk_size: unused,
  http2: noEffect(text.optional(), 'has no effect; OTLP over gRPC is not taken on the port of OTLP over HTTP'),
  logs_metadata_key: unused,
  logs_body_key: unused,
  profiles_support: unused,
  encode_profiles_as_log: unused,
  'oauth2.validate': flag(false),
  mem_buf_limit: noEffect(size.optional(), 'has no effect; what waits lies in the durable queue on disk'),
  'storage.type': noEffect(text.optional(), 'has no effect; what waits always lies on disk'),
  'storage.pause_on_chunks_overlimit': unused,
  threaded: unused,
  routable: flag(true),
});

const awsAuth = {
  aws_auth: flag(false),
  aws_service: text.default('logs'),
  aws_region: text.optional(),
  aws_role_arn: text.optional(),
  aws_external_id: text.optional(),
  aws_profile: unused,
  aws_sts_endpoint: unused,
};

const kept = 'has no effect; data waits in the durable queue until it is delivered';

export const openTelemetryOutput = z.strictObject({
  ...ofEveryPlugin,
  ...tlsServer,
  ...awsAuth,
  'tls.verify': flag(true),
  match: text.optional(),
  match_regex: text.optional(),
  host: text.default('127.0.0.1'),
  port: port.default(80),
  traces_uri: text.default('/v1/traces'),
  metrics_uri: unused,
  logs_uri: unused,
  profiles_uri: unused,
  grpc: flag(false),
  grpc_traces_uri: text.optional(),
  grpc_metrics_uri: unused,
  grpc_logs_uri: unused,
  http2: unused,
  header: z.array(text).default([]),
  http_user: text.default(''),
  http_passwd: text.default(''),
  compress: z
    .enum(['gzip', 'zstd'], { error: ({ input }) => `expected gzip or zstd, got ${JSON.stringify(input)}` })
    .optional(),
  add_label: noEffect(z.array(text).optional(), 'has no effect on traces; Fluent Bit adds labels to metrics only'),
  proxy: text.optional(),
  'oauth2.enable': flag(false),
  batch_size: unused,
  log_response_payload: unused,
  retry_limit: noEffect(text.optional(), kept),
  'storage.total_limit_size': noEffect(
    size.optional(),
    'has no effect; the durable queue of this process has one bound',
  ),
});

const debugFormats = ['json', 'json_lines', 'json_stream', 'msgpack', 'otlp_json', 'otlp_json_pretty'] as const;

export const stdoutOutput = z.strictObject({
  ...ofEveryPlugin,
  match: text.optional(),
  match_regex: text.optional(),
  format: z
    .enum(debugFormats, {
      error: ({ input }) => `expected one of ${debugFormats.join(', ')}, got ${JSON.stringify(input)}`,
    })
    .optional(),
  json_date_key: unused,
  json_date_format: unused,
  retry_limit: noEffect(text.optional(), kept),
});

/** Keys of Fluent Bit's own machinery, which nothing here corresponds to. */
export const machineryPattern =
  /^(?:net\.|http_server\.(?!buffer_max_size)|thread\.|rate_|oauth2\.(?!validate$|enable$)|logs_|storage\.(?!total_limit_size|type|path)|tls\.(?:proxy|windows)\.)/;

/** Outputs that can take traces, though not here. */
export const otherTraceOutputs: ReadonlySet<string> = new Set(['forward', 'kafka', 'opensearch', 'vivo_exporter']);

const levels = {
  off: 'error',
  error: 'error',
  warn: 'warn',
  warning: 'warn',
  info: 'info',
  debug: 'debug',
  trace: 'debug',
} as const;

export const service = z.looseObject({
  flush: noEffect(text.optional(), 'has no effect; exporters gather what waits by themselves'),
  grace: noEffect(text.optional(), 'has no effect; what is not delivered at the end waits on disk'),
  log_level: z
    .string()
    .toLowerCase()
    .refine((level) => Object.hasOwn(levels, level), {
      error: ({ input }) => `expected off, error, warn, info, debug or trace, got ${JSON.stringify(input)}`,
    })
    .transform((level) => levels[level as keyof typeof levels])
    .optional(),
  log_file: text.optional(),
  daemon: warned(text.optional(), 'has no effect; Raybridge stays in the foreground'),
  http_server: flag(false),
  http_listen: text.default('0.0.0.0'),
  http_port: port.default(2020),
  health_check: flag(false),
  'security.fips_mode': z.literal(['off', 'Off', 'false', 'no'], { error: 'is not supported' }).optional(),
});
