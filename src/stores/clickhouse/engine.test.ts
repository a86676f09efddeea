import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { test } from 'node:test';
import type { ClickHouseClient } from '@clickhouse/client';
import { eventually } from '../../../test/support/eventually.ts';
import { createAccessClient, type Server } from './connection.ts';
import { findLibrary, openEngine } from './engine.ts';
import { clickhouseStore } from './index.ts';
import { createTestStore, makeSpan, nowNs, openTestStore, untilReady, withDirectory } from './opened.test.support.ts';

test('shutdown leaves no process behind, and what was written is there at the next start', () =>
  withDirectory(async (directory) => {
    const span = makeSpan({});
    const one = await openTestStore(directory);
    await one.store.write({ spans: [span], receivedAtNs: nowNs, version: 1n, token: 'a' });
    const pid = await one.enginePid();
    await one.store.shutdown(0);
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
    await assert.rejects(one.store.traces([span.traceId]), { code: 'STORE_UNAVAILABLE' });

    const two = await openTestStore(directory);
    assert.deepEqual((await two.store.traces([span.traceId])).get(span.traceId), [span]);
    await two.store.shutdown(0);
  }));

test('the engine is killed, comes back by itself, and has lost nothing', () =>
  withDirectory(async (directory) => {
    const span = makeSpan({});
    const opened = await openTestStore(directory);
    const { store, context } = opened;
    await store.write({ spans: [span], receivedAtNs: nowNs, version: 1n, token: 'a' });
    const pid = await opened.enginePid();

    process.kill(pid, 'SIGKILL');
    await eventually('the store to notice', async () => context.status.faults.get('clickhouse'));
    assert.equal(store.ready, false);
    await untilReady(opened);

    assert.notEqual(await opened.enginePid(), pid);
    assert.deepEqual((await store.traces([span.traceId])).get(span.traceId), [span]);
    assert.equal(opened.value('raybridge_engine_restarts_total', {}), 1);
    assert.equal(context.status.faults.size, 0);
    await store.shutdown(0);
  }));

test('the engine ends when its parent is killed', () =>
  withDirectory(async (directory) => {
    const engineUrl = new URL(`./engine${extname(import.meta.url)}`, import.meta.url);
    const program = `
      import { openEngine } from ${JSON.stringify(engineUrl.href)};
      await openEngine({ folder: process.argv[1], memoryMaxMib: 800 })(new AbortController().signal);
      console.log('open');`;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', program, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(parent.stdout, 'data');
    const status = await readFile(join(directory, 'data', 'status'), 'utf8');
    const pid = Number(/PID: (\d+)/.exec(status)?.[1]);
    process.kill(pid, 0);

    parent.kill('SIGKILL');
    await eventually('the engine to end', async () => (isAlive(pid) ? undefined : true));
  }));

test('a second process on the same data directory is refused', () =>
  withDirectory(async (directory) => {
    const first = await openTestStore(directory);
    const second = createTestStore(directory);
    await assert.rejects(second.store.start(), { code: 'DATA_DIR_IN_USE' });
    await second.store.shutdown(0);
    assert.deepEqual(await first.store.readState('group'), new Map());
    await first.store.shutdown(0);
  }));

test('a database of a newer version is refused and left alone', () =>
  withDirectory(async (directory) => {
    const old = await openTestStore(directory);
    await old.store.shutdown(0);
    await withEngine(join(directory, 'clickhouse'), (client) =>
      client.command({ query: 'INSERT INTO raybridge.schema_versions (version) VALUES (99)' }),
    );

    const refused = createTestStore(directory);
    // `start` waits for a moment only; a machine so busy that the moment is over tells it by the fault.
    await refused.store.start().catch((error: unknown) => assert.equal(Object(error).code, 'DATA_TOO_NEW'));
    await eventually('the refusal', async () => refused.context.status.faults.get('clickhouse'));
    assert.match(refused.context.status.faults.get('clickhouse') ?? '', /schema version 99/);
    assert.equal(refused.store.ready, false);
    await refused.store.shutdown(0);
  }));

test('retention follows the configuration', () =>
  withDirectory(async (directory) => {
    for (const retention of ['24h', '48h']) {
      const { store } = await openTestStore(directory, { retention });
      await store.shutdown(0);
    }
    await withEngine(join(directory, 'clickhouse'), async (client) => {
      const query = `SELECT name FROM system.tables WHERE engine_full LIKE '%172800%' ORDER BY name`;
      const answer = await client.query({ query, format: 'TabSeparated' });
      assert.equal(await answer.text(), 'digests\ngraph_counts\ngraph_periods\nspans\ntraces\n');
    });
  }));

test('other users of the machine cannot use the engine: it answers on a secret path only, with a password', () =>
  withDirectory((directory) =>
    withEngine(directory, async (_, { access }) => {
      const ask = async (path: string, user: string, query: string) =>
        (await fetch(`${access.url}${path}?user=${user}`, { method: 'POST', body: query })).text();
      const secretPath = access.pathname ?? assert.fail();

      assert.match(await ask('/', 'default', 'SELECT 1'), /There is no handle/);
      assert.match(await ask('/ping', 'default', ''), /There is no handle/);
      assert.match(await ask(secretPath, 'raybridge', 'SELECT 1'), /AUTHENTICATION_FAILED/);
      assert.match(await ask(secretPath, 'default', `SELECT * FROM file('/etc/passwd')`), /ACCESS_DENIED/);
      assert.match(await ask(secretPath, 'default', 'SELECT * FROM system.users'), /ACCESS_DENIED/);
      assert.equal((await stat(join(directory, 'data'))).mode & 0o077, 0);
      assert.deepEqual((await readdir(directory)).sort(), ['data', 'engine.log']);
    }),
  ));

test('a platform without the engine is told what to do', () => {
  assert.throws(() => findLibrary('win32-x64'), { code: 'ENGINE_MISSING', message: /endpoint/ });
  const otherPlatform = process.platform === 'darwin' ? 'linux-x64' : 'darwin-arm64';
  assert.throws(() => findLibrary(otherPlatform), { code: 'ENGINE_MISSING', message: /npm packages @chdb\/lib-/ });
});

test('a ClickHouse server at an endpoint serves as well', () =>
  withDirectory((directory) =>
    withEngine(directory, async (_, { access, stop }) => {
      const { url, pathname, username, password } = access;
      const endpoint = `${url}${pathname}`;
      const { store } = await openTestStore(directory, { endpoint, username, password, database: 'traces' });
      const span = makeSpan({});
      await store.write({ spans: [span], receivedAtNs: nowNs, version: 1n, token: 'a' });

      assert.deepEqual((await store.traces([span.traceId])).get(span.traceId), [span]);
      await stop();
      await assert.rejects(store.traces([span.traceId]), { code: 'STORE_UNAVAILABLE', retryable: true });
      await store.shutdown(0);
    }),
  ));

test('a server that is not there does not keep the program from starting', async () => {
  const { store } = createTestStore('/nonexistent', { endpoint: 'http://127.0.0.1:1' });
  await store.start();
  assert.equal(store.ready, false);
  await assert.rejects(store.readState('group'), { code: 'STORE_UNAVAILABLE', message: /ECONNREFUSED/ });
  await store.shutdown(0);
});

test('a configuration that means two things, or nothing, is refused', () => {
  const refusedAt = (config: object) => clickhouseStore.configSchema.safeParse(config).error?.issues[0]?.path;
  assert.deepEqual(refusedAt({ embedded: {}, endpoint: 'http://localhost:8123' }), ['embedded']);
  assert.deepEqual(refusedAt({ username: 'me' }), ['username']);
  assert.deepEqual(refusedAt({ database: 'a b' }), ['database']);
  assert.deepEqual(refusedAt({ endpoint: 'localhost:8123' }), ['endpoint']);
  assert.deepEqual(refusedAt({ retention: '10' }), ['retention']);
  assert.deepEqual(refusedAt({ path: '/' }), []);
  assert.equal(refusedAt({ embedded: null }), undefined);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** An engine without a store, for what only SQL can do or show. */
async function withEngine(
  folder: string,
  run: (client: ClickHouseClient, engine: Server) => Promise<unknown>,
): Promise<void> {
  const engine = await openEngine({ folder, memoryMaxMib: 800 })(new AbortController().signal);
  const client = createAccessClient(engine.access, undefined);
  await run(client, engine);
  await client.close();
  await engine.stop();
}
