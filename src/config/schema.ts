/**
 * Building blocks for the schemas of components (specification: configuration 1.3 and 1.8). Member
 * names are those of the YAML; sizes are bytes; durations come out as milliseconds. Objects are
 * strict: a key nobody knows is a typo, and a typo must not pass for a setting.
 */
import { z } from 'zod';

/** What becomes of a key that is present although it is not simply used. */
export interface Mark {
  /** `none`: accepted without effect. `warning`: used, but not as the user may expect. `refused`: see the text. */
  readonly effect: 'none' | 'warning' | 'refused';
  /** Continues the sentence "KEY …". */
  readonly text: string;
}

export const marks = z.registry<Mark>();

/** A key that is valid for the Collector while nothing here corresponds, or the default already does it. */
export function noEffect<Schema extends z.ZodType>(schema: Schema, text = 'is accepted and has no effect'): Schema {
  marks.add(schema, { effect: 'none', text });
  return schema;
}

/** A key that works, though differently from the original in a way the user could notice. */
export function warned<Schema extends z.ZodType>(schema: Schema, text: string): Schema {
  marks.add(schema, { effect: 'warning', text });
  return schema;
}

/** A key that cannot be honoured and whose absence would lose, leak or falsify data. */
export function refused(text: string): z.ZodOptional<z.ZodNever> {
  const schema = z.never().optional();
  marks.add(schema, { effect: 'refused', text });
  return schema;
}

/** `host:port`; an empty host means every IPv4 interface, an IPv6 address stands in brackets. */
export const endpoint = z.string().refine(isEndpoint, {
  error: ({ input }) => `expected host:port, got ${JSON.stringify(input)}`,
});

const durationWish = 'expected a duration such as 300ms, 10s or 2h45m';

/** A duration in Go's syntax (`300ms`, `1.5h`, `2h45m`); milliseconds. A bare number is refused, save 0. */
export const duration = z.union([z.string(), z.number()], { error: durationWish }).transform((input, context) => {
  const milliseconds = typeof input === 'string' ? parseDuration(input) : undefined;
  if (milliseconds !== undefined) return milliseconds;
  if (input === 0) return 0;
  context.addIssue({ code: 'custom', message: durationText(input) });
  return z.NEVER;
});

/** Milliseconds of a duration that is not negative; undefined when the text is none. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!durationPattern.test(text)) return undefined;
  let nanoseconds = 0;
  for (const [, number, unit = ''] of text.matchAll(durationPartPattern)) {
    nanoseconds += Number(number) * (nanosecondsOf.get(unit) ?? Number.NaN);
  }
  return nanoseconds <= durationNsMax ? nanoseconds / 1e6 : undefined;
}

const notInThisVersion = 'is not implemented in this version';

const tlsVersion = z.enum(['1.0', '1.1', '1.2', '1.3'], {
  error: ({ input }) => `unsupported TLS version: ${JSON.stringify(input)}`,
});

const tlsKeys = {
  ca_file: z.string().default(''),
  ca_pem: z.string().default(''),
  cert_file: z.string().default(''),
  cert_pem: z.string().default(''),
  key_file: z.string().default(''),
  key_pem: z.string().default(''),
  include_system_ca_certs_pool: z.boolean().default(false),
  min_version: tlsVersion.default('1.2'),
  max_version: tlsVersion.optional(),
  /** Certificate and key are read again so often; 0 means never. */
  reload_interval: duration.default(0),
  cipher_suites: warned(z.array(z.string()).optional(), 'is not used; Node.js chooses the cipher suites'),
  include_insecure_cipher_suites: noEffect(z.boolean().optional()),
  curve_preferences: noEffect(z.array(z.enum(['X25519MLKEM768', 'X25519', 'P256', 'P384', 'P521'])).optional()),
  tpm: refused(`${notInThisVersion}; refused because the key in the module cannot be used`),
} as const;

interface TlsKeys {
  readonly ca_file: string;
  readonly ca_pem: string;
  readonly cert_file: string;
  readonly cert_pem: string;
  readonly key_file: string;
  readonly key_pem: string;
  readonly min_version: string;
  readonly max_version?: string | undefined;
}

function checkTls(tls: TlsKeys, context: z.RefinementCtx): void {
  for (const name of ['ca', 'cert', 'key'] as const) {
    if (tls[`${name}_file`] && tls[`${name}_pem`]) {
      context.addIssue({
        code: 'custom',
        path: [`${name}_pem`],
        message: `stands beside ${name}_file; only one of both can be used`,
      });
    }
  }
  if (tls.max_version !== undefined && tls.max_version < tls.min_version) {
    context.addIssue({ code: 'custom', path: ['max_version'], message: 'must not be lower than min_version' });
  }
}

function hasBoth(tls: TlsKeys): boolean {
  return Boolean(tls.cert_file || tls.cert_pem) && Boolean(tls.key_file || tls.key_pem);
}

/** `tls` of a client. */
export const tlsClient = z
  .strictObject({
    ...tlsKeys,
    /** No TLS at all. */
    insecure: z.boolean().default(false),
    insecure_skip_verify: z.boolean().default(false),
    server_name_override: z.string().default(''),
  })
  .superRefine((tls, context) => {
    checkTls(tls, context);
    if (!hasBoth(tls) && (tls.cert_file || tls.cert_pem || tls.key_file || tls.key_pem)) {
      context.addIssue({ code: 'custom', message: 'a client certificate needs both the certificate and its key' });
    }
  });

/** `tls` of a listener: present means on. */
export const tlsServer = z
  .strictObject({
    ...tlsKeys,
    /** Clients must show a certificate that this signs. */
    client_ca_file: z.string().default(''),
    client_ca_file_reload: noEffect(z.boolean().optional()),
  })
  .superRefine((tls, context) => {
    checkTls(tls, context);
    if (hasBoth(tls)) return;
    const message = 'TLS configuration must include both certificate and key for server connections';
    context.addIssue({ code: 'custom', message });
  });

const authenticator = z.strictObject({
  authenticator: z.string(),
  request_params: noEffect(z.array(z.string()).optional()),
});

const middlewares = refused(`${notInThisVersion}; refused because a middleware may authorize or change requests`);

/** Members of a gRPC server, such as `protocols.grpc` of the otlp receiver. */
export function grpcServer(defaults: { readonly endpoint: string }) {
  return z.strictObject({
    endpoint: endpoint.default(defaults.endpoint),
    transport,
    tls: tlsServer.optional(),
    /** Id of the extension that says who may send. */
    auth: authenticator.optional(),
    middlewares,
    /** 0 means 4 MiB. */
    max_recv_msg_size_mib: z
      .int()
      .min(0)
      .default(4)
      .transform((mebibytes) => mebibytes || 4),
    /** 0 means no limit. */
    max_concurrent_streams: z.int().min(0).default(0),
    read_buffer_size: noEffect(z.int().min(0).optional()),
    write_buffer_size: noEffect(z.int().min(0).optional()),
    keepalive: noEffect(serverKeepalive.optional()),
    include_metadata: noEffect(z.boolean().optional()),
  });
}

/** Members of an HTTP server, such as `protocols.http` of the otlp receiver. */
export function httpServer(defaults: { readonly endpoint: string }) {
  return z.strictObject({
    endpoint: endpoint.default(defaults.endpoint),
    transport,
    tls: tlsServer.optional(),
    /** Id of the extension that says who may send. */
    auth: authenticator.optional(),
    middlewares,
    cors: cors.optional(),
    /** After decompression; 0 means 20 MiB. */
    max_request_body_size: z
      .int()
      .min(0)
      .default(bodyBytesDefault)
      .transform((bytes) => bytes || bodyBytesDefault),
    include_metadata: noEffect(z.boolean().optional()),
    response_headers: z.record(z.string(), z.string()).default({}),
    compression_algorithms: noEffect(
      z.array(z.enum(['', 'gzip', 'zstd', 'zlib', 'snappy', 'deflate', 'lz4'])).optional(),
    ),
    read_timeout: warned(duration.optional(), 'is not applied in this version'),
    read_header_timeout: warned(duration.optional(), 'is not applied in this version'),
    write_timeout: warned(duration.optional(), 'is not applied in this version'),
    idle_timeout: warned(duration.optional(), 'is not applied in this version'),
    keep_alives_enabled: warned(z.boolean().optional(), 'is not applied in this version'),
  });
}

/** `retry_on_failure` of an exporter. Durations in milliseconds. */
export const retryOnFailure = z
  .strictObject({
    enabled: z.boolean().default(true),
    initial_interval: duration.default(5_000),
    randomization_factor: z.number().min(0).max(1).default(0.5),
    multiplier: z.number().min(0).default(1.5),
    max_interval: duration.default(30_000),
    /** 0 means for ever. */
    max_elapsed_time: warned(
      duration.optional(),
      'does not end the retries: data waits in the durable queue until it is delivered',
    ),
  })
  .superRefine((retry, context) => {
    if (!retry.max_elapsed_time) return;
    for (const name of ['initial_interval', 'max_interval'] as const) {
      if (retry.max_elapsed_time >= retry[name]) continue;
      const message = `'max_elapsed_time' must not be less than '${name}'`;
      context.addIssue({ code: 'custom', path: ['max_elapsed_time'], message });
    }
  });

const oneQueue = 'has no effect; all exporters share the durable queue of this process, which is bounded in bytes';

/** `sending_queue` of an exporter. */
export const sendingQueue = z.strictObject({
  enabled: noEffect(z.boolean().optional(), oneQueue),
  /** Requests at the same time. */
  num_consumers: z.int().min(1).default(10),
  /** In units of `sizer`. */
  queue_size: noEffect(z.int().min(1).optional(), oneQueue),
  sizer: noEffect(z.enum(['requests', 'items', 'bytes']).optional(), oneQueue),
  block_on_overflow: noEffect(z.boolean().optional(), oneQueue),
  wait_for_result: noEffect(z.boolean().optional(), oneQueue),
  /** Id of a storage extension. */
  storage: noEffect(z.string().optional(), oneQueue),
  batch: noEffect(
    z
      .strictObject({
        flush_timeout: duration.default(200),
        min_size: z.int().min(0).default(8192),
        max_size: z.int().min(0).default(0),
        sizer: z.enum(['items', 'bytes']).default('items'),
        partition: z.strictObject({ metadata_keys: z.array(z.string()).default([]) }).optional(),
      })
      .optional(),
    'has no effect; exporters gather what waits by themselves',
  ),
});

/** Names and values, as a mapping or as a list of `{name, value}`. */
const headers = z
  .union([z.record(z.string(), z.string()), z.array(z.strictObject({ name: z.string(), value: z.string() }))])
  .default({})
  .transform((given) =>
    Array.isArray(given) ? given.map(({ name, value }) => [name, value] as const) : Object.entries(given),
  )
  .transform((pairs) => Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), value])));

/** Members of an HTTP client that stand flat in an exporter, such as otlp_http. Durations in milliseconds. */
export const httpClient = {
  endpoint: z.string().default(''),
  timeout: duration.default(30_000),
  compression: z
    .enum(['gzip', 'zlib', 'deflate', 'zstd', 'none', ''], {
      error: ({ input }) =>
        `unsupported compression type ${JSON.stringify(input)}; gzip, zlib, deflate, zstd and none are there`,
    })
    .default('gzip'),
  compression_params: z.strictObject({ level: z.int().optional() }).prefault({}),
  headers,
  proxy_url: z.string().default(''),
  tls: tlsClient.prefault({}),
  /** Id of the extension that shows who sends. */
  auth: authenticator.optional(),
  max_idle_conns: noEffect(z.int().min(0).optional()),
  max_idle_conns_per_host: noEffect(z.int().min(0).optional()),
  /** 0 means no limit. */
  max_conns_per_host: z.int().min(0).default(0),
  idle_conn_timeout: duration.default(90_000),
  disable_keep_alives: noEffect(z.boolean().optional()),
  http2_read_idle_timeout: noEffect(duration.optional()),
  http2_ping_timeout: noEffect(duration.optional()),
  force_attempt_http2: noEffect(z.boolean().optional()),
  read_buffer_size: noEffect(z.int().min(0).optional()),
  write_buffer_size: noEffect(z.int().min(0).optional()),
  cookies: noEffect(z.unknown().optional()),
  middlewares,
} as const;

/** Members of a gRPC client that stand flat in an exporter, such as otlp_grpc. Durations in milliseconds. */
export const grpcClient = {
  endpoint: z.string().default(''),
  compression: z
    .enum(['gzip', 'none', ''], {
      error: ({ input }) => `unsupported compression type ${JSON.stringify(input)}; gzip and none are there`,
    })
    .default('gzip'),
  tls: tlsClient.prefault({}),
  headers,
  auth: authenticator.optional(),
  keepalive: z
    .strictObject({
      time: duration.default(10_000),
      timeout: duration.default(10_000),
      permit_without_stream: z.boolean().default(false),
    })
    .optional(),
  wait_for_ready: noEffect(z.boolean().optional()),
  balancer_name: noEffect(
    z
      .enum(['round_robin', 'pick_first'], { error: ({ input }) => `invalid balancer_name: ${String(input)}` })
      .optional(),
  ),
  authority: z.string().default(''),
  user_agent: z.string().default(''),
  read_buffer_size: noEffect(z.int().min(0).optional()),
  write_buffer_size: noEffect(z.int().min(0).optional()),
  middlewares,
} as const;

const endpointPattern = /^(?:\[[^\]]*\]|[^:[\]\s]*):(\d{1,5})$/;
const portMax = 65_535;

function isEndpoint(text: string): boolean {
  const port = endpointPattern.exec(text)?.[1];
  return port !== undefined && Number(port) <= portMax;
}

const durationPattern = /^\+?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/;
const durationPartPattern = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;
const nanosecondsOf: ReadonlyMap<string, number> = new Map(
  Object.entries({ ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 }),
);
/** As in Go, about 292 years. */
const durationNsMax = 2 ** 63;

function durationText(input: string | number): string {
  if (typeof input === 'number') return `${input} has no unit; write ${input}s`;
  if (/^\d+(?:\.\d+)?$/.test(input)) return `${input} has no unit; write ${input}s`;
  if (input.startsWith('-')) return `must not be negative, got ${JSON.stringify(input)}`;
  return `${durationWish}, got ${JSON.stringify(input)}`;
}

const bodyBytesDefault = 20 * 1024 * 1024;

const transport = noEffect(
  z
    .enum(['tcp', 'tcp4', 'tcp6'], {
      error: ({ input }) =>
        input === 'unix' ? `"unix" ${notInThisVersion}` : `expected tcp, tcp4 or tcp6, got ${JSON.stringify(input)}`,
    })
    .optional(),
);

/** Absent means no CORS headers at all. An origin may hold `*` as a wildcard. */
const cors = z.strictObject({
  allowed_origins: z.array(z.string()).default([]),
  /** Empty means the safelisted headers and `X-Requested-With`. */
  allowed_headers: z.array(z.string()).default([]),
  exposed_headers: z.array(z.string()).default([]),
  /** Seconds. */
  max_age: z.int().min(0).default(0),
});

const serverKeepalive = z.strictObject({
  server_parameters: z
    .strictObject({
      max_connection_idle: duration.optional(),
      max_connection_age: duration.optional(),
      max_connection_age_grace: duration.optional(),
      time: duration.optional(),
      timeout: duration.optional(),
    })
    .optional(),
  enforcement_policy: z
    .strictObject({ min_time: duration.optional(), permit_without_stream: z.boolean().optional() })
    .optional(),
});

const dialer = noEffect(z.strictObject({ timeout: duration.optional() }).optional());

/** A key that older files have beside `tls` instead of in it. */
function formerlyFlat(name: string) {
  return warned(z.unknown().optional(), `has no effect here; write tls.${name}`);
}

/** `proxy_server` of the awsxray receiver, which awsproxy has flat. */
export const proxyServer = z.strictObject({
  /** TCP, sampling calls. */
  endpoint: endpoint.default('localhost:2000'),
  /** Of an HTTP proxy on the way to AWS. */
  proxy_address: z.string().default(''),
  tls: z
    .strictObject({
      /** Do not verify. */
      insecure: z.boolean().default(false),
      server_name_override: noEffect(z.string().default('')),
    })
    .prefault({}),
  insecure: formerlyFlat('insecure'),
  server_name_override: formerlyFlat('server_name_override'),
  region: z.string().default(''),
  role_arn: z.string().default(''),
  aws_endpoint: z.string().default(''),
  local_mode: z.boolean().default(false),
  service_name: z.string().default('xray'),
  certificate_file_path: z.string().default(''),
  imds_retries: z.int().min(0).optional(),
  profile: z.string().default(''),
  shared_credentials_file: z.array(z.string()).default([]),
  dialer,
});
