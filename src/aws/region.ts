import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { RaybridgeError } from '../errors.ts';

/** A region, and where it was found. */
export interface FoundRegion {
  readonly region: string;
  /** `AWS_REGION`, `the instance metadata` … */
  readonly from: string;
}

export interface RegionSearch {
  /** As configured; empty or undefined: look elsewhere. */
  readonly configured?: string | undefined;
  readonly profile?: string | undefined;
  /** Neither the instance nor the container is asked. */
  readonly localMode?: boolean | undefined;
  readonly env: NodeJS.ProcessEnv;
}

type Source = readonly [name: string, look: () => Promise<string | undefined>];

/**
 * The region in the order of the X-Ray daemon and the Collector (specification: configuration 1.10, 5.3).
 * @throws RaybridgeError CONFIG_INVALID, naming every place that was looked at.
 */
export async function findRegion(search: RegionSearch): Promise<FoundRegion> {
  const { configured, env, localMode = false } = search;
  const profile = search.profile || env['AWS_PROFILE'] || 'default';
  const configFile = env['AWS_CONFIG_FILE'] || join(homedir(), '.aws', 'config');
  const sources: readonly Source[] = [
    ['the configuration', async () => configured],
    ...['AWS_REGION', 'AWS_DEFAULT_REGION'].map((name): Source => [name, async () => env[name]]),
    [`${configFile} [${profile}]`, () => regionInFile(configFile, profile)],
    ...(localMode ? [] : metadataSources(env)),
  ];
  for (const [from, look] of sources) {
    const region = await look().catch(() => undefined);
    if (region) return { region, from };
  }
  const places = sources.map(([name]) => name).join(', ');
  throw new RaybridgeError('CONFIG_INVALID', `no AWS region. Looked at: ${places}`);
}

function metadataSources(env: NodeJS.ProcessEnv): readonly Source[] {
  return [
    ['the metadata of the ECS task', () => regionOfTask(env)],
    ['the metadata of the instance (1 s)', () => regionOfInstance(env)],
  ];
}

async function regionInFile(path: string, profile: string): Promise<string | undefined> {
  const wanted = new Set(profile === 'default' ? ['default', 'profile default'] : [`profile ${profile}`]);
  let inside = false;
  for (const line of (await readFile(path, 'utf8')).split('\n')) {
    const section = /^\s*\[\s*(.*?)\s*\]/.exec(line)?.[1];
    if (section !== undefined) inside = wanted.has(section.replaceAll(/\s+/g, ' '));
    const region = inside ? /^\s*region\s*=\s*(\S+)/.exec(line)?.[1] : undefined;
    if (region !== undefined) return region;
  }
  return undefined;
}

async function regionOfTask(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const file = env['ECS_ENABLE_CONTAINER_METADATA'] === 'true' ? env['ECS_CONTAINER_METADATA_FILE'] : undefined;
  const endpoint = env['ECS_CONTAINER_METADATA_URI_V4'];
  if (!file && !endpoint) return undefined;
  const text = file ? await readFile(file, 'utf8') : await askMetadata(`${endpoint}/task`);
  return /^arn:[^:]*:ecs:([^:]+):/.exec(String(JSON.parse(text).TaskARN))?.[1];
}

/** IMDSv2: a token first (EC2 User Guide, "Use the Instance Metadata Service"). */
async function regionOfInstance(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  if (env['AWS_EC2_METADATA_DISABLED'] === 'true') return undefined;
  const base = env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] || 'http://169.254.169.254';
  const token = await askMetadata(`${base}/latest/api/token`, {
    method: 'PUT',
    headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' },
  });
  return await askMetadata(`${base}/latest/meta-data/placement/region`, {
    headers: { 'x-aws-ec2-metadata-token': token },
  });
}

const metadataTimeoutMs = 1_000;

async function askMetadata(url: string, init: RequestInit = {}): Promise<string> {
  const answer = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(metadataTimeoutMs) });
  if (!answer.ok) throw new RaybridgeError('DESTINATION_UNAVAILABLE', `${url} answered ${answer.status}`);
  return (await answer.text()).trim();
}
