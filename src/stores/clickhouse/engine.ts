import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, extname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ClickHouseClient } from '@clickhouse/client';
import { RaybridgeError } from '../../errors.ts';
import { type Access, createAccessClient, type OpenServer, type Server } from './connection.ts';

/**
 * The embedded engine: a ClickHouse server in a child process, from npm packages alone.
 *
 * Who may talk to it: it listens on 127.0.0.1, where every local user can connect. The engine's own
 * session must be the user `default` without a password, so that user may do nothing but start the
 * listener, and the listener answers on one secret path only. The path and the password of the user
 * `raybridge`, whom the store uses, are random and new at each start. They stand in files of mode
 * 0600, whose names are new too, so that a second process cannot spoil those of the first; they go
 * as soon as the engine has read them.
 */

interface EngineOptions {
  /** Absolute; made with mode 0700 if it is missing. Data and log of the engine live in it, and its settings while it starts. */
  readonly folder: string;
  readonly memoryMaxMib: number;
}

/** The library inside @chdb/lib-* and the answer to SELECT version() that goes with it. */
const libraryVersion = '26.7.3-stable.1';
const engineVersion = '26.7.2.1';

const libraryPackages: ReadonlyMap<string, string> = new Map([
  ['linux-x64', '@chdb/lib-linux-x64-gnu'],
  ['linux-arm64', '@chdb/lib-linux-arm64-gnu'],
  ['darwin-x64', '@chdb/lib-darwin-x64'],
  ['darwin-arm64', '@chdb/lib-darwin-arm64'],
]);

/** An engine whose parent was killed a moment ago may need this long to let go of its directory. */
const lockAttemptsMax = 2;
const lockRetryMs = 200;

/** Reading many parts after a crash takes a while on a slow disk. */
const startTimeoutMs = 120_000;
const pollMs = 20;

/**
 * Opens the engine; the server it gives answers queries.
 * @throws RaybridgeError ENGINE_MISSING, DATA_DIR_IN_USE, STORE_UNAVAILABLE.
 */
export function openEngine(options: EngineOptions): OpenServer {
  return async (signal) => {
    const libraryPath = findLibrary(`${process.platform}-${process.arch}`);
    for (let attempt = 1; ; attempt++) {
      try {
        return await startEngine(options, libraryPath, signal);
      } catch (error) {
        const locked = error instanceof RaybridgeError && error.code === 'DATA_DIR_IN_USE';
        if (!locked || attempt === lockAttemptsMax) throw error;
        await delay(lockRetryMs, undefined, { signal });
      }
    }
  };
}

/**
 * Path of libchdb.so for a platform such as `linux-x64`.
 * @throws RaybridgeError ENGINE_MISSING.
 */
export function findLibrary(platform: string): string {
  const packageName = libraryPackages.get(platform);
  if (packageName === undefined) {
    throw new RaybridgeError(
      'ENGINE_MISSING',
      `There is no embedded engine for ${platform}, only for ${[...libraryPackages.keys()].join(', ')}. Set stores.clickhouse.endpoint to the URL of a ClickHouse server instead.`,
    );
  }
  const { resolve } = createRequire(import.meta.url);
  try {
    resolve('ffi-rs');
    return join(dirname(resolve(`${packageName}/package.json`)), 'libchdb.so');
  } catch (cause) {
    throw new RaybridgeError(
      'ENGINE_MISSING',
      `The embedded engine is not installed: it needs the npm packages ${packageName} ${libraryVersion} and ffi-rs, which npm leaves out with --omit=optional and on Linux without glibc (Alpine). Install them, or set stores.clickhouse.endpoint to the URL of a ClickHouse server.`,
      { cause },
    );
  }
}

async function startEngine(options: EngineOptions, libraryPath: string, signal: AbortSignal): Promise<Server> {
  const port = await freePort();
  const access = {
    url: `http://127.0.0.1:${port}`,
    pathname: `/${secret()}`,
    username: 'raybridge',
    password: secret(),
  };
  const settingsFolder = await writeSettings(options, access);
  const child = spawnChild([
    libraryPath,
    `--config-file=${join(settingsFolder, 'config.xml')}`,
    `--path=${join(options.folder, 'data')}`,
    '--log-level=warning',
    '--listen_host=127.0.0.1',
    `--http_port=${port}`,
    '--query=SYSTEM START LISTEN HTTP',
    '--query=SELECT sleepEachRow(3) FROM numbers(1000000000) SETTINGS max_block_size=1, max_threads=1 FORMAT Null',
  ]);
  try {
    requireVersion(await firstAnswer(access, child, signal));
  } catch (error) {
    await child.stop();
    throw error;
  } finally {
    await rm(settingsFolder, { recursive: true });
  }
  return { access, ...child };
}

/** A port that was free a moment ago. If somebody takes it before the engine does, the next attempt finds another. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has an address with a port');
  return address.port;
}

function secret(): string {
  return randomBytes(24).toString('hex');
}

/** Gives the folder, of mode 0700, that holds config.xml and users.xml. */
async function writeSettings({ folder, memoryMaxMib }: EngineOptions, access: Required<Access>): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const settingsFolder = await mkdtemp(join(folder, 'start-'));
  const usersPath = join(settingsFolder, 'users.xml');
  const config = configXml({ folder, usersPath, path: access.pathname, memoryMaxMib });
  await writeFile(usersPath, usersXml(access.password), { mode: 0o600 });
  await writeFile(join(settingsFolder, 'config.xml'), config, { mode: 0o600 });
  return settingsFolder;
}

function usersXml(password: string): string {
  const hash = createHash('sha256').update(password).digest('hex');
  return `<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password/>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants><query>GRANT SYSTEM LISTEN ON *.*</query></grants>
    </default>
    <raybridge>
      <password_sha256_hex>${hash}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT SELECT, INSERT, ALTER TABLE, CREATE DATABASE, CREATE TABLE, CREATE VIEW ON *.*</query>
        <query>GRANT TABLE ENGINE ON *</query>
      </grants>
    </raybridge>
  </users>
</clickhouse>
`;
}

interface ConfigFacts {
  readonly folder: string;
  readonly usersPath: string;
  readonly path: string;
  readonly memoryMaxMib: number;
}

/** The cache sizes have defaults of 5 GiB each; broken parts, such as unsynced merges after a power cut, must not keep the engine from opening. */
function configXml({ folder, usersPath, path, memoryMaxMib }: ConfigFacts): string {
  return `<clickhouse>
  <logger>
    <level>warning</level>
    <log>${escapeXml(join(folder, 'engine.log'))}</log>
    <size>10M</size>
    <count>2</count>
  </logger>
  <users_config>${escapeXml(usersPath)}</users_config>
  <http_handlers>
    <rule>
      <url>${path}</url>
      <handler><type>dynamic_query_handler</type><query_param_name>query</query_param_name></handler>
    </rule>
  </http_handlers>
  <max_server_memory_usage>${memoryMaxMib * mebibyte}</max_server_memory_usage>
  <mark_cache_size>${64 * mebibyte}</mark_cache_size>
  <index_mark_cache_size>${16 * mebibyte}</index_mark_cache_size>
  <primary_index_cache_size>${64 * mebibyte}</primary_index_cache_size>
  <background_pool_size>2</background_pool_size>
  <merge_tree>
    <max_suspicious_broken_parts>100000</max_suspicious_broken_parts>
  </merge_tree>
</clickhouse>
`;
}

const mebibyte = 1024 * 1024;

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

type Child = Pick<Server, 'ended' | 'stop'>;

/** Starts engine-child with no more of our environment than it needs; secrets of ours are no business of the engine's. */
function spawnChild(engineArguments: readonly string[]): Child {
  const entry = fileURLToPath(new URL(`./engine-child${extname(import.meta.url)}`, import.meta.url));
  const child = spawn(process.execPath, [entry, ...engineArguments], {
    env: { TZ: 'UTC' },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const ended = untilEnded(child);
  return {
    ended,
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Resolves with what the child said last, which is why it ended. */
async function untilEnded(child: ChildProcessByStdio<Writable, null, Readable>): Promise<string> {
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-lastWordsMax);
  });
  // The pipe breaks when the child dies; `close` tells us that already.
  child.stdin.on('error', () => undefined);
  const [code, endSignal] = await once(child, 'close').catch((error: Error) => [error.message]);
  return said.trim() || `exit ${endSignal ?? code}`;
}

const lastWordsMax = 2000;

/** What SELECT version() answers, as soon as it answers. The engine has no way to tell us that it listens. */
async function firstAnswer(access: Access, child: Child, signal: AbortSignal): Promise<string> {
  const client = createAccessClient(access, undefined);
  const timeout = AbortSignal.timeout(startTimeoutMs);
  let ended: string | undefined;
  child.ended.then((reason) => (ended = reason));
  try {
    for (;;) {
      const version = await askVersion(client);
      if (version !== undefined) return version;
      if (ended !== undefined) throw whyEnded(ended);
      if (timeout.aborted) throw new RaybridgeError('STORE_UNAVAILABLE', `no answer in ${startTimeoutMs} ms`);
      await delay(pollMs, undefined, { signal });
    }
  } finally {
    await client.close();
  }
}

/** Undefined while nobody listens. */
async function askVersion(client: ClickHouseClient): Promise<string | undefined> {
  try {
    const answer = await client.query({ query: 'SELECT version()', format: 'TabSeparated' });
    return (await answer.text()).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED') return undefined;
    throw error;
  }
}

function whyEnded(reason: string): RaybridgeError {
  if (reason.includes('Cannot lock file')) {
    return new RaybridgeError('DATA_DIR_IN_USE', `Another process uses the data directory: ${reason}`);
  }
  return new RaybridgeError('STORE_UNAVAILABLE', `The embedded engine did not start: ${reason}`);
}

/** The listener inside `clickhouse local` is young and not promised to stay, so only the version that was tested is used. */
function requireVersion(version: string): void {
  if (version === engineVersion) return;
  throw new RaybridgeError(
    'ENGINE_MISSING',
    `Expected the embedded engine to be ClickHouse ${engineVersion} (@chdb/lib-* ${libraryVersion}), got ${version}. Run npm ci, or set stores.clickhouse.endpoint to the URL of a ClickHouse server.`,
  );
}
