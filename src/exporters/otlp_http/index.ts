import { decodeTracesResponseJson } from '../../codec/otlp-json.ts';
import { decodeTracesResponse } from '../../codec/otlp-proto.ts';
import { decodeRpcStatus } from '../../codec/rpc-status.ts';
import { compressorOf } from '../../net/compress.ts';
import { createHttpClient, type HttpClient, type IncomingAnswer } from '../../net/http-client.ts';
import { retryAfterOf } from '../../net/retry-after.ts';
import { readClientTls } from '../../net/tls-client.ts';
import type { Authenticator, Context, Exporter, ExporterFactory } from '../../pipeline/component.ts';
import { createOtlpExporter, type OtlpDestination, type OtlpVerdict } from '../../pipeline/otlp-exporter.ts';
import { backoffOf } from '../../pipeline/backoff.ts';
import { reportSending } from '../../pipeline/status.ts';
import { configSchema, type OtlpHttpConfig, tracesUrlOf } from './config.ts';

/** Sends OTLP over HTTP, protobuf or JSON (OTLP specification, "OTLP/HTTP"). */
export const otlpHttpExporter: ExporterFactory = {
  kind: 'exporter',
  type: 'otlp_http',
  configSchema,
  create({ config, context }): Exporter {
    // The register has checked `config` with the schema above.
    const checked = config as OtlpHttpConfig;
    return createOtlpExporter(context, createDestination(checked, context), {
      lanes: checked.sending_queue.num_consumers,
      backoff: backoffOf(checked.retry_on_failure),
    });
  },
};

const contentTypes = { proto: 'application/x-protobuf', json: 'application/json' } as const;

function createDestination(config: OtlpHttpConfig, context: Context): OtlpDestination {
  const url = tracesUrlOf(config);
  const compressor = compressorOf(config.compression, config.compression_params.level);
  const headers = {
    'user-agent': `raybridge/${context.version}`,
    ...config.headers,
    'content-type': contentTypes[config.encoding],
    ...(compressor ? { 'content-encoding': compressor.encoding } : {}),
  };
  let client: HttpClient | undefined;
  let authenticator: Authenticator | undefined;
  let reloading: NodeJS.Timeout | undefined;

  const openClient = (): void => {
    const before = client;
    client = createHttpClient({
      tls: readClientTls(config.tls),
      proxyUrl: config.proxy_url,
      idleTimeoutMs: config.idle_conn_timeout,
      ...(config.max_conns_per_host > 0 ? { connectionsMax: config.max_conns_per_host } : {}),
    });
    void before?.close();
  };

  return {
    encoding: config.encoding,
    async open() {
      if (config.auth) authenticator = context.authenticator(config.auth.authenticator);
      openClient();
      if (config.tls.reload_interval > 0) reloading = setInterval(openClient, config.tls.reload_interval);
      reloading?.unref();
      reportSending(context, `sends to ${url.origin}${url.pathname}`);
    },
    async call(request, signal) {
      const unsigned = {
        method: 'POST',
        url,
        headers,
        body: compressor ? await compressor.compress(request) : request,
      };
      const shown = (await authenticator?.authorize?.(unsigned)) ?? {};
      const answer = await client?.send({
        ...unsigned,
        headers: { ...headers, ...shown },
        timeoutMs: config.timeout,
        signal,
      });
      return answer ? judge(answer, url) : { kind: 'try again', message: 'not open', afterMs: undefined };
    },
    async close() {
      clearInterval(reloading);
      await client?.close();
    },
  };
}

const retryable: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** Data is kept while an operator sees to it: keys, rights, an address that redirects. */
const blocking: ReadonlySet<number> = new Set([301, 302, 303, 307, 308, 401, 403]);

function judge(answer: IncomingAnswer, url: URL): OtlpVerdict {
  const { status, headers } = answer;
  if (status >= 200 && status < 300) return { kind: 'taken', ...readResponse(answer) };
  const message = `${url.origin} answered ${status} ${readStatus(answer)}`.trim();
  if (retryable.has(status)) return { kind: 'try again', message, afterMs: retryAfterOf(headers, Date.now()) };
  if (blocking.has(status)) return { kind: 'blocked', message };
  return { kind: status === 413 ? 'too large' : 'refused', message };
}

/** What cannot be read of a success is still a success. */
function readResponse({ headers, body }: IncomingAnswer): { readonly rejected: number; readonly message: string } {
  try {
    return isJson(headers) ? decodeTracesResponseJson(body) : decodeTracesResponse(body);
  } catch {
    return { rejected: 0, message: '' };
  }
}

const statusTextMax = 300;

function readStatus({ headers, body }: IncomingAnswer): string {
  try {
    const text = isJson(headers)
      ? String(JSON.parse(Buffer.from(body).toString()).message ?? '')
      : headers.get('content-type')?.startsWith(contentTypes.proto)
        ? decodeRpcStatus(body).message
        : Buffer.from(body).toString();
    return text.slice(0, statusTextMax);
  } catch {
    return '';
  }
}

function isJson(headers: ReadonlyMap<string, string>): boolean {
  return headers.get('content-type')?.startsWith(contentTypes.json) ?? false;
}
