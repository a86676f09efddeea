import {
  compressionAlgorithms,
  credentials,
  Client,
  Metadata,
  type ServiceError,
  status as GrpcStatus,
} from '@grpc/grpc-js';
import { createSecureContext } from 'node:tls';
import { decodeTracesResponse } from '../../codec/otlp-proto.ts';
import { decodeRpcStatus } from '../../codec/rpc-status.ts';
import { RaybridgeError } from '../../errors.ts';
import { readClientTls } from '../../net/tls-client.ts';
import type { Authenticator, Context, Exporter, ExporterFactory } from '../../pipeline/component.ts';
import { backoffOf } from '../../pipeline/backoff.ts';
import { reportSending } from '../../pipeline/status.ts';
import { createOtlpExporter, type OtlpDestination, type OtlpVerdict } from '../../pipeline/otlp-exporter.ts';
import { configSchema, type OtlpGrpcConfig, targetOf } from './config.ts';

/** Sends OTLP over gRPC (OTLP specification, "OTLP/gRPC"). */
export const otlpGrpcExporter: ExporterFactory = {
  kind: 'exporter',
  type: 'otlp_grpc',
  configSchema,
  create({ config, context }): Exporter {
    // The register has checked `config` with the schema above.
    const checked = config as OtlpGrpcConfig;
    return createOtlpExporter(context, createDestination(checked, context), {
      lanes: checked.sending_queue.num_consumers,
      backoff: backoffOf(checked.retry_on_failure),
    });
  },
};

const exportPath = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const megabytes = 1024 * 1024;

function createDestination(config: OtlpGrpcConfig, context: Context): OtlpDestination {
  const { target, plain } = targetOf(config);
  let client: Client | undefined;
  let authenticator: Authenticator | undefined;
  let reloading: NodeJS.Timeout | undefined;

  const openClient = (): void => {
    const before = client;
    client = new Client(target, plain ? credentials.createInsecure() : secure(config), channelOptions(config, context));
    before?.close();
  };

  return {
    encoding: 'proto',
    async open() {
      if (config.auth) authenticator = context.authenticator(config.auth.authenticator);
      openClient();
      if (config.tls.reload_interval > 0 && !plain) reloading = setInterval(openClient, config.tls.reload_interval);
      reloading?.unref();
      reportSending(context, `sends to ${target}${plain ? ' in plain text' : ''}`);
    },
    async call(request, signal) {
      if (!client) return { kind: 'try again', message: 'not open', afterMs: undefined };
      const url = new URL(exportPath, `${plain ? 'http' : 'https'}://${config.authority || 'localhost'}`);
      const headers = {
        ...config.headers,
        ...(await authenticator?.authorize?.({ method: 'POST', url, headers: config.headers, body: request })),
      };
      return await callUnary(client, { request, headers, timeoutMs: config.timeout, signal });
    },
    async close() {
      clearInterval(reloading);
      client?.close();
    },
  };
}

function secure({ tls }: OtlpGrpcConfig) {
  const { rejectUnauthorized = true, servername: _, ...options } = readClientTls(tls);
  return credentials.createFromSecureContext(createSecureContext(options), { rejectUnauthorized });
}

function channelOptions(
  { compression, authority, tls, user_agent: agent, keepalive }: OtlpGrpcConfig,
  context: Context,
) {
  return {
    'grpc.primary_user_agent': agent || `raybridge/${context.version}`,
    'grpc.max_send_message_length': 64 * megabytes,
    'grpc.max_receive_message_length': 4 * megabytes,
    'grpc.enable_channelz': 0,
    // Our delivery owns the retries.
    'grpc.enable_retries': 0,
    'grpc.default_compression_algorithm':
      compression === 'gzip' ? compressionAlgorithms.gzip : compressionAlgorithms.identity,
    ...(authority ? { 'grpc.default_authority': authority } : {}),
    ...(tls.server_name_override ? { 'grpc.ssl_target_name_override': tls.server_name_override } : {}),
    ...(keepalive
      ? {
          'grpc.keepalive_time_ms': keepalive.time,
          'grpc.keepalive_timeout_ms': keepalive.timeout,
          'grpc.keepalive_permit_without_calls': keepalive.permit_without_stream ? 1 : 0,
        }
      : {}),
  };
}

interface Call {
  readonly request: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

async function callUnary(client: Client, { request, headers, timeoutMs, signal }: Call): Promise<OtlpVerdict> {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const asIs = (bytes: Buffer): Buffer => bytes;
  const body = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
  return await new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(
      exportPath,
      asIs,
      asIs,
      body,
      metadata,
      { deadline: Date.now() + timeoutMs },
      (error, answer) => {
        signal.removeEventListener('abort', cancel);
        if (signal.aborted) reject(new RaybridgeError('DESTINATION_UNAVAILABLE', 'stopped', { cause: error }));
        else resolve(error ? judge(error) : { kind: 'taken', ...readResponse(answer) });
      },
    );
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
  });
}

const retryable: ReadonlySet<GrpcStatus> = new Set([
  GrpcStatus.CANCELLED,
  GrpcStatus.DEADLINE_EXCEEDED,
  GrpcStatus.ABORTED,
  GrpcStatus.OUT_OF_RANGE,
  GrpcStatus.UNAVAILABLE,
  GrpcStatus.DATA_LOSS,
]);
const blocking: ReadonlySet<GrpcStatus> = new Set([GrpcStatus.UNAUTHENTICATED, GrpcStatus.PERMISSION_DENIED]);

function judge({ code, details, metadata }: ServiceError): OtlpVerdict {
  const afterMs = readRetryDelay(metadata);
  const message = `the backend answered ${GrpcStatus[code]}: ${details}`;
  if (retryable.has(code)) return { kind: 'try again', message, afterMs };
  if (blocking.has(code)) return { kind: 'blocked', message };
  if (code === GrpcStatus.RESOURCE_EXHAUSTED) {
    if (afterMs !== undefined) return { kind: 'try again', message, afterMs };
    if (tooLargePattern.test(details)) return { kind: 'too large', message };
  }
  return { kind: 'refused', message };
}

/** How the gRPC libraries word it; the code alone may also be a quota. */
const tooLargePattern = /larger than|too large|exceeds? (?:the )?max/i;

function readRetryDelay(metadata: Metadata): number | undefined {
  const [details] = metadata.get('grpc-status-details-bin');
  if (!(details instanceof Uint8Array)) return undefined;
  try {
    return decodeRpcStatus(details).retryAfterMs;
  } catch {
    return undefined;
  }
}

function readResponse(answer: Buffer | undefined): { readonly rejected: number; readonly message: string } {
  try {
    return decodeTracesResponse(answer ?? new Uint8Array());
  } catch {
    return { rejected: 0, message: '' };
  }
}
