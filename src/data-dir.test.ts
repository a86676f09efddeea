import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { claimDataDir, dataDirOf } from './data-dir.ts';

describe('the data directory', () => {
  let folder: string;
  before(async () => void (folder = await mkdtemp(join(tmpdir(), 'raybridge-claim-'))));
  after(() => rm(folder, { recursive: true, force: true }));

  it('is chosen by option, then environment, then the XDG folder', () => {
    assert.equal(dataDirOf('/a', { RAYBRIDGE_DATA_DIR: '/b' }), '/a');
    assert.equal(dataDirOf(undefined, { RAYBRIDGE_DATA_DIR: '/b', XDG_DATA_HOME: '/c' }), '/b');
    assert.equal(dataDirOf(undefined, { XDG_DATA_HOME: '/c' }), '/c/raybridge');
  });

  it('belongs to one process at a time, and to nobody after it', async () => {
    const dataDir = join(folder, 'one');
    const release = await claimDataDir(dataDir);
    assert.equal((await stat(dataDir)).mode & 0o777, 0o700);
    await assert.rejects(claimDataDir(dataDir), {
      code: 'DATA_DIR_IN_USE',
      message: new RegExp(`process ${process.pid} `),
    });
    await release();
    assert.deepEqual(await readdir(dataDir), []);
    await (
      await claimDataDir(dataDir)
    )();
  });

  for (const [what, claim] of [
    ['a process that is gone', JSON.stringify({ pid: 2 ** 22 + 1, startedAt: '1' })],
    ['an earlier process of the same number', JSON.stringify({ pid: process.pid, startedAt: 'before' })],
    ['nobody readable', '{"pid":'],
  ] as const) {
    it(`is taken over from ${what}`, async () => {
      await writeFile(join(folder, 'process.json'), claim);
      await (
        await claimDataDir(folder)
      )();
    });
  }
});
