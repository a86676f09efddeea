import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { it } from 'node:test';
import { same } from '../../src/stores/clickhouse/found.test.support.ts';
import { enginePid, openEngineStore, writesOf } from '../support/engine-store.ts';
import { eventually } from '../support/eventually.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { rootPath } from '../support/root.ts';

it('finds and counts every trace as it is, after kill -9 of the engine and of the process while spans came in', async (t) => {
  const seedText = process.env['RAYBRIDGE_SEED'] ?? randomBytes(4).toString('hex');
  const seed = Number.parseInt(seedText, 16) | 0;
  t.diagnostic(`seed ${seedText}: RAYBRIDGE_SEED=${seedText} repeats this run, but for the moments of the kills`);
  const directory = await mkdtemp(join(tmpdir(), 'raybridge-index-'));
  const writes = await writesOf(seed);
  const memory = createMemoryStore();
  for (const write of writes) await memory.write(write);
  try {
    let next = 0;
    for (const victim of ['process', 'engine', 'process', 'engine', 'process', undefined] as const) {
      const upTo = victim ? next + Math.ceil(writes.length / 6) : writes.length;
      next = await writeUntil({ directory, seed, next, upTo, victim });
    }
    assert.equal(next, writes.length);

    const { store, uncounted } = openEngineStore(directory);
    try {
      await store.start();
      await same(store, memory);
      await eventually('every minute to be counted', async () => (await uncounted()) === 0 || undefined);
      await same(store, memory);
    } finally {
      await store.shutdown(0);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

interface Round {
  readonly directory: string;
  readonly seed: number;
  readonly next: number;
  readonly upTo: number;
  /** An engine that is killed comes back; the process goes on, and is killed after it. */
  readonly victim: 'process' | 'engine' | undefined;
}

/** Runs the writer up to a write and kills; the number of the first that may not have been taken. */
async function writeUntil({ directory, seed, next, upTo, victim }: Round): Promise<number> {
  const program = rootPath('dist', 'test', 'chaos', 'index-writer.js');
  const child = spawn(process.execPath, ['--enable-source-maps', program, directory, String(seed), String(next)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let taken = next;
  for await (const line of createInterface(child.stdout)) {
    if (line === 'done') break;
    taken = Number(line) + 1;
    if (victim === 'engine' && taken === Math.floor((next + upTo) / 2))
      process.kill(await enginePid(directory), 'SIGKILL');
    if (taken >= upTo) break;
  }
  child.kill('SIGKILL');
  await exited;
  return taken;
}
