import { homedir } from 'node:os';
import { join } from 'node:path';
import { RaybridgeError } from '../errors.ts';
import { findRegion, type FoundRegion } from './region.ts';
import type { Credentials } from './sign.ts';

/** Region and credentials of whoever calls, found when they are asked for and remembered. */
export interface Identity {
  region(): Promise<FoundRegion>;
  /** @throws RaybridgeError DESTINATION_UNAVAILABLE: there are none at the moment. */
  credentials(): Promise<Credentials>;
  forget(): void;
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

export const realWorld: AwsWorld = { env: process.env, nowMs: Date.now };

type Provider = () => Promise<Credentials>;

/** Credentials that end sooner than this are renewed first. */
const renewalMs = 5 * 60_000;

export function createIdentity(options: IdentityOptions, world: AwsWorld = realWorld): Identity {
  let region: Promise<FoundRegion> | undefined;
  let held: Credentials | undefined;
  let fetching: Promise<Credentials> | undefined;

  const findOnce = (): Promise<FoundRegion> => {
    const { profile, localMode } = options;
    region ??= findRegion({ configured: options.region, profile, localMode, env: world.env });
    // A failure is not remembered: the metadata of a machine that starts may come later.
    region.catch(() => (region = undefined));
    return region;
  };
  const fetchCredentials = async (): Promise<Credentials> => {
    try {
      return credentialsOf(options, world.env) ?? (await findCredentials(options, findOnce, world.env));
    } catch (error) {
      if (error instanceof RaybridgeError && error.code === 'DESTINATION_UNAVAILABLE') throw error;
      throw new RaybridgeError('DESTINATION_UNAVAILABLE', `no AWS credentials: ${messageOf(error)}`, { cause: error });
    }
  };
  /** Callers of one moment share one fetch. */
  const fetchOnce = async (): Promise<Credentials> => {
    const mine = (fetching ??= fetchCredentials());
    try {
      const credentials = await mine;
      // Unless somebody has forgotten them meanwhile.
      if (fetching === mine) held = credentials;
      return credentials;
    } finally {
      if (fetching === mine) fetching = undefined;
    }
  };
  const lastsAnother = (ms: number): boolean => {
    if (!held) return false;
    return !held.expiration || held.expiration.getTime() - world.nowMs() > ms;
  };

  return {
    region: findOnce,
    async credentials() {
      if (held && lastsAnother(renewalMs)) return held;
      const fetched = fetchOnce();
      if (!held || !lastsAnother(0)) return await fetched;
      // Those that are about to end serve meanwhile, and still when there are no new ones.
      fetched.catch(() => {});
      return held;
    },
    forget() {
      held = undefined;
      fetching = undefined;
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

async function findCredentials(
  options: IdentityOptions,
  region: () => Promise<FoundRegion>,
  env: NodeJS.ProcessEnv,
): Promise<Credentials> {
  const { fromTemporaryCredentials, fromTokenFile } = await import('@aws-sdk/credential-providers');
  const { roleArn, externalId, sessionName = 'raybridge', accessKeyId, secretAccessKey } = options;
  const clientConfig = { region: options.stsRegion || (await region()).region };
  if (roleArn && options.webIdentityTokenFile) {
    const { webIdentityTokenFile } = options;
    return await fromTokenFile({ roleArn, webIdentityTokenFile, roleSessionName: sessionName, clientConfig })();
  }
  const given: Provider | undefined =
    accessKeyId && secretAccessKey ? async () => ({ accessKeyId, secretAccessKey }) : undefined;
  const chain = given ?? (async () => await lookAround(await placesOf(options, clientConfig, env)));
  if (!roleArn) return await chain();
  const params = { RoleArn: roleArn, RoleSessionName: sessionName, ...(externalId ? { ExternalId: externalId } : {}) };
  return await fromTemporaryCredentials({ params, masterCredentials: chain, clientConfig })();
}

/** Where credentials may be, and why nobody need look there, or how to. */
type Place = readonly [name: string, look: Provider | string];

/**
 * The places and the order of the AWS SDKs ("Standardized credential providers" of their reference
 * guide). Files are read anew each time: whoever replaces a key does not restart us.
 */
async function placesOf(
  { profile, sharedCredentialsFile, imdsRetries }: IdentityOptions,
  clientConfig: { readonly region: string },
  env: NodeJS.ProcessEnv,
): Promise<readonly Place[]> {
  const { fromEnv, fromHttp, fromIni, fromInstanceMetadata, fromTokenFile } =
    await import('@aws-sdk/credential-providers');
  const named = profile || env['AWS_PROFILE'];
  const files = [
    sharedCredentialsFile || env['AWS_SHARED_CREDENTIALS_FILE'] || join(homedir(), '.aws', 'credentials'),
    env['AWS_CONFIG_FILE'] || join(homedir(), '.aws', 'config'),
  ];
  const ini = fromIni({
    clientConfig,
    ignoreCache: true,
    ...(named ? { profile: named } : {}),
    ...(sharedCredentialsFile ? { filepath: sharedCredentialsFile } : {}),
  });
  const container = env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'] || env['AWS_CONTAINER_CREDENTIALS_FULL_URI'];
  const metadata = env['AWS_EC2_METADATA_DISABLED'];
  const isOff = metadata !== undefined && metadata !== '' && metadata !== 'false';
  const retries = imdsRetries === undefined ? {} : { maxRetries: imdsRetries };
  const hasKeys = env['AWS_ACCESS_KEY_ID'] && env['AWS_SECRET_ACCESS_KEY'];
  return [
    ['AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY', named ? 'a profile is named' : hasKeys ? fromEnv() : 'not set'],
    [`profile [${named || 'default'}] of ${files.join(' and ')}`, ini],
    ['AWS_WEB_IDENTITY_TOKEN_FILE', env['AWS_WEB_IDENTITY_TOKEN_FILE'] ? fromTokenFile({ clientConfig }) : 'not set'],
    [
      container
        ? `the endpoint of the container, ${container}`
        : 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI',
      container ? fromHttp(retries) : 'not set',
    ],
    [
      'the metadata of the instance',
      container ? 'a container has none' : isOff ? 'off by AWS_EC2_METADATA_DISABLED' : fromInstanceMetadata(retries),
    ],
  ];
}

/** The first that there are. An error that says so (`tryNextLink`) leads on, any other ends the search. */
async function lookAround(places: readonly Place[]): Promise<Credentials> {
  const looked: string[] = [];
  let last: unknown;
  for (const [name, look] of places) {
    if (typeof look === 'string') {
      looked.push(`${name} (${look})`);
      continue;
    }
    try {
      return await look();
    } catch (error) {
      last = error;
      looked.push(`${name} (${messageOf(error)})`);
      if (!(error instanceof Error) || !('tryNextLink' in error) || error.tryNextLink !== true) break;
    }
  }
  const message = `no AWS credentials. Looked at: ${looked.join(', ')}`;
  throw new RaybridgeError('DESTINATION_UNAVAILABLE', message, { cause: last });
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().replace(/\.$/, '');
}
