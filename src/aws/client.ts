import { readFileSync } from 'node:fs';
import { RaybridgeError } from '../errors.ts';
import { createHttpClient, type HttpClient, type IncomingAnswer } from '../net/http-client.ts';
import { findRegion, type FoundRegion } from './region.ts';
import type { Credentials } from './sign.ts';

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

/** Who calls. Absent members leave the choice to the credential chain of the AWS SDKs. */
export interface IdentityOptions {
  readonly region?: string | undefined;
  /** In place of the chain; both or neither. */
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  readonly roleArn?: string | undefined;
  readonly externalId?: string | undefined;
  /** Of the session that an assumed role gets. */
  readonly sessionName?: string | undefined;
  /** Region of the STS endpoint that gives the role; the client's own when absent. */
  readonly stsRegion?: string | undefined;
  readonly webIdentityTokenFile?: string | undefined;
  readonly profile?: string | undefined;
  readonly sharedCredentialsFile?: string | undefined;
  /** Never asks the instance or the container for its region. */
  readonly localMode?: boolean | undefined;
  readonly imdsRetries?: number | undefined;
}

export interface AwsWorld {
  readonly env: NodeJS.ProcessEnv;
  readonly nowMs: () => number;
}

const realWorld: AwsWorld = { env: process.env, nowMs: Date.now };

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

/** Region and credentials of whoever calls, found when they are asked for and remembered. */
export interface Identity {
  region(): Promise<FoundRegion>;
  /** @throws RaybridgeError DESTINATION_UNAVAILABLE: there are none at the moment. */
  credentials(): Promise<Credentials>;
  forget(): void;
}

type Provider = () => Promise<Credentials>;

/** Credentials that end sooner than this are renewed first. */
const renewalMs = 5 * 60_000;

export function createIdentity(options: IdentityOptions, world: AwsWorld = realWorld): Identity {
  let region: Promise<FoundRegion> | undefined;
  let provider: Promise<Provider> | undefined;
  let known: Promise<Credentials> | undefined;

  const findOnce = (): Promise<FoundRegion> => {
    const { profile, localMode } = options;
    region ??= findRegion({ configured: options.region, profile, localMode, env: world.env });
    // A failure is not remembered: the metadata of a machine that starts may come later.
    region.catch(() => (region = undefined));
    return region;
  };
  const fetchCredentials = async (): Promise<Credentials> => {
    const given = credentialsOf(options, world.env);
    if (given) return given;
    provider ??= openProvider(options, findOnce);
    try {
      return await (
        await provider
      )();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new RaybridgeError('DESTINATION_UNAVAILABLE', `no AWS credentials: ${message}`, { cause: error });
    }
  };

  return {
    region: findOnce,
    async credentials() {
      const credentials = await (known ??= fetchCredentials()).catch((error: unknown) => {
        known = undefined;
        throw error;
      });
      const { expiration } = credentials;
      if (!expiration || expiration.getTime() - world.nowMs() > renewalMs) return credentials;
      known = fetchCredentials();
      return await known.catch((error: unknown) => {
        known = undefined;
        // What is about to end is still better than nothing.
        if (expiration.getTime() > world.nowMs()) return credentials;
        throw error;
      });
    },
    forget() {
      known = undefined;
      provider = undefined;
    },
  };
}

/** Those of the configuration or, as at the head of the chain, of the environment: no library is loaded for them. */
function credentialsOf(options: IdentityOptions, env: NodeJS.ProcessEnv): Credentials | undefined {
  const { accessKeyId, secretAccessKey, roleArn, profile } = options;
  if (roleArn || profile) return undefined;
  if (accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey };
  const [id, secret, sessionToken] = [env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY'], env['AWS_SESSION_TOKEN']];
  if (!id || !secret || env['AWS_PROFILE']) return undefined;
  return { accessKeyId: id, secretAccessKey: secret, ...(sessionToken ? { sessionToken } : {}) };
}

async function openProvider(options: IdentityOptions, region: () => Promise<FoundRegion>): Promise<Provider> {
  const { fromNodeProviderChain, fromTemporaryCredentials, fromTokenFile } =
    await import('@aws-sdk/credential-providers');
  const { roleArn, externalId, sessionName = 'raybridge', profile, sharedCredentialsFile } = options;
  const clientConfig = { region: options.stsRegion || (await region()).region };
  if (roleArn && options.webIdentityTokenFile) {
    const { webIdentityTokenFile } = options;
    return fromTokenFile({ roleArn, webIdentityTokenFile, roleSessionName: sessionName, clientConfig });
  }
  const { accessKeyId, secretAccessKey } = options;
  const chain: Provider =
    accessKeyId && secretAccessKey
      ? async () => ({ accessKeyId, secretAccessKey })
      : fromNodeProviderChain({
          clientConfig,
          ...(profile ? { profile } : {}),
          ...(sharedCredentialsFile ? { filepath: sharedCredentialsFile } : {}),
          ...(options.imdsRetries === undefined ? {} : { maxRetries: options.imdsRetries }),
        });
  if (!roleArn) return chain;
  const params = { RoleArn: roleArn, RoleSessionName: sessionName, ...(externalId ? { ExternalId: externalId } : {}) };
  return fromTemporaryCredentials({ params, masterCredentials: chain, clientConfig });
}
