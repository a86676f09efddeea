import { readFileSync } from 'node:fs';
import { RaybridgeError } from '../errors.ts';
import { createHttpClient, type HttpClient, type IncomingAnswer } from '../net/http-client.ts';
import { type AwsWorld, createIdentity, type IdentityOptions, realWorld } from './identity.ts';
import type { FoundRegion } from './region.ts';

/** Signed calls of one AWS service in one region, for one configured identity. */
export interface AwsClient {
  /**
   * Signs a POST and sends it. The answer is given as it came, whatever its status.
   * @throws RaybridgeError DESTINATION_UNAVAILABLE: no answer, no credentials, or no region at the moment.
   */
  call(request: AwsCall): Promise<IncomingAnswer>;
  /**
   * The region, and where it was found.
   * @throws RaybridgeError CONFIG_INVALID: there is none.
   */
  region(): Promise<FoundRegion>;
  /** Base URL of the calls. */
  endpoint(): Promise<URL>;
  /** What the service said about its clock (`Date` of an answer); later signatures count from it. */
  correctClock(serverTimeMs: number): void;
  /** Credentials are fetched anew at the next call. */
  forgetCredentials(): void;
  close(): Promise<void>;
}

export interface AwsCall {
  /** `/TraceSegments` */
  readonly path: string;
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** As the awsxray exporter, the proxy of the awsxray receiver and awsproxy spell it (specification: configuration 1.10, 1.12). */
export interface AwsClientOptions extends IdentityOptions {
  /** Signing name: `xray`. */
  readonly service: string;
  /** Base URL instead of `https://xray.REGION.amazonaws.com`. */
  readonly endpoint?: string | undefined;
  readonly proxyAddress?: string | undefined;
  readonly verifyTls?: boolean | undefined;
  /** PEM of further roots; AWS_CA_BUNDLE when absent. */
  readonly caFile?: string | undefined;
  readonly connectionsMax?: number | undefined;
}

export function createAwsClient(options: AwsClientOptions, world: AwsWorld = realWorld): AwsClient {
  const identity = createIdentity(options, world);
  let clockOffsetMs = 0;
  let http: HttpClient | undefined;

  const endpoint = async (): Promise<URL> => {
    if (options.endpoint) return new URL(options.endpoint);
    const { region } = await identity.region();
    return new URL(`https://${options.service}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`);
  };

  return {
    async call({ path, body, headers = {}, timeoutMs, signal }) {
      const [{ signRequest }, { region }, base, credentials] = await Promise.all([
        import('./sign.ts'),
        identity.region().catch(tryLater),
        endpoint().catch(tryLater),
        identity.credentials(),
      ]);
      http ??= createHttpClient(connectionOf(options, world));
      const url = new URL(`${base.pathname.replace(/\/$/, '')}${path}`, base);
      const unsigned = { method: 'POST', url, headers: { 'content-type': 'application/json', ...headers }, body };
      const signing = { service: options.service, region, credentials, signedAtMs: world.nowMs() + clockOffsetMs };
      const { host: _, ...signed } = await signRequest(unsigned, signing);
      return await http.send({ ...unsigned, headers: signed, timeoutMs, ...(signal ? { signal } : {}) });
    },
    region: identity.region,
    endpoint,
    correctClock(serverTimeMs) {
      clockOffsetMs = serverTimeMs - world.nowMs();
    },
    forgetCredentials: identity.forget,
    async close() {
      await http?.close();
    },
  };
}

/** Data waits for a region to appear, as for anything else that an operator can mend. */
function tryLater(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  throw new RaybridgeError('DESTINATION_UNAVAILABLE', message, { cause: error });
}

function connectionOf({ verifyTls = true, caFile, proxyAddress, connectionsMax }: AwsClientOptions, world: AwsWorld) {
  const ca = caFile || world.env['AWS_CA_BUNDLE'];
  return {
    tls: { rejectUnauthorized: verifyTls, ...(ca ? { ca: readFileSync(ca) } : {}) },
    ...(proxyAddress ? { proxyUrl: proxyAddress } : {}),
    ...(connectionsMax === undefined ? {} : { connectionsMax }),
  };
}
