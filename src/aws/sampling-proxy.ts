import type { ServerResponse } from 'node:http';
import { RaybridgeError } from '../errors.ts';
import { sendAwsError } from '../net/aws-json.ts';
import { readBody } from '../net/body.ts';
import type { HttpMount, HttpRequest } from '../net/http.ts';
import { guardOrigin } from '../net/origin.ts';
import { type AwsClient, type AwsClientOptions, createAwsClient } from './client.ts';

/**
 * The X-Ray daemon's TCP port: SDKs ask it for sampling rules, and it signs and forwards. The daemon
 * forwards every path and method; here exactly the two calls of sampling pass, from programs and not
 * from web pages, with nothing of the caller but the body (reliability 4.2).
 */
export interface SamplingProxy {
  readonly mount: HttpMount;
  close(): Promise<void>;
}

/** `proxy_server` of the awsxray receiver, and awsproxy (specification: configuration 1.10, 1.13). */
export interface ProxyServerConfig {
  readonly endpoint: string;
  readonly proxy_address: string;
  readonly tls: { readonly insecure: boolean; readonly server_name_override: string };
  readonly region: string;
  readonly role_arn: string;
  readonly aws_endpoint: string;
  readonly local_mode: boolean;
  readonly service_name: string;
  readonly certificate_file_path: string;
  readonly imds_retries?: number | undefined;
  readonly profile: string;
  readonly shared_credentials_file: readonly string[];
}

/** The two calls that SDKs make on this port. */
export const samplingPaths: ReadonlySet<string> = new Set(['/GetSamplingRules', '/SamplingTargets']);

export const samplingBodyBytesMax = 256 * 1024;
const timeoutMs = 10_000;

export function createSamplingProxy(component: string, config: ProxyServerConfig): SamplingProxy {
  const client = createAwsClient(clientOptionsOf(config));
  return {
    mount: {
      component,
      protocol: 'X-Ray sampling',
      endpoint: config.endpoint,
      access: 'open',
      matches: ({ path }) => samplingPaths.has(path),
      handle: (request, response) => forward(client, request, response),
    },
    close: () => client.close(),
  };
}

function clientOptionsOf(config: ProxyServerConfig): AwsClientOptions {
  return {
    service: config.service_name,
    region: config.region,
    endpoint: config.aws_endpoint,
    roleArn: config.role_arn,
    sessionName: 'xray-daemon',
    localMode: config.local_mode,
    proxyAddress: config.proxy_address,
    verifyTls: !config.tls.insecure,
    caFile: config.certificate_file_path,
    imdsRetries: config.imds_retries,
    profile: config.profile,
    sharedCredentialsFile: config.shared_credentials_file[0],
  };
}

async function forward(client: AwsClient, request: HttpRequest, response: ServerResponse): Promise<void> {
  const { method, path, message, signal } = request;
  try {
    guardOrigin(message);
    if (method !== 'POST') throw new RaybridgeError('METHOD_NOT_ALLOWED', `method: expected POST, got ${method}`);
    const body = await readBody(message, { bytesMax: samplingBodyBytesMax });
    const answer = await client.call({ path, body, timeoutMs, signal });
    const type = answer.headers.get('x-amzn-errortype');
    if (type !== undefined) response.setHeader('x-amzn-ErrorType', type);
    response
      .writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'application/json' })
      .end(answer.body);
  } catch (error) {
    if (error instanceof RaybridgeError && error.retryable) sendUnreachable(response, error.message);
    else sendAwsError(response, error, { access: 'read' });
  }
}

/** As the daemon answers when AWS does not: SDKs go on with the rules they have. */
function sendUnreachable(response: ServerResponse, text: string): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(502, { 'content-type': 'application/json' }).end(JSON.stringify({ message: text }));
}
