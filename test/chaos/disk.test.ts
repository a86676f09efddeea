import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Agent, type AgentSetup, launchAgent, soon, startAgent } from '../support/agent.ts';
import { eventually } from '../support/eventually.ts';
import { type FakeOtlp, type HttpBehaviour, openFakeOtlpHttp, takesHttp } from '../support/fake-otlp.ts';
import { createLedger, type Ledger } from '../support/ledger.ts';

/** The ledger over an agent whose disk fills up or fails (reliability 5.1; runs R9 and R10 of 5.2). */
const destination = 'traces>otlp_http';
const storageUnsafe = 74;

let folder: string;
let ledger: Ledger;
let backend: FakeOtlp<HttpBehaviour>;
let agent: Agent | undefined;
let setup: AgentSetup;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'raybridge-disk-'));
  ledger = createLedger('disk');
  backend = await openFakeOtlpHttp();
  setup = { folder, exporters: { otlp_http: `endpoint: 'http://${backend.address}', ${soon}` } };
});
afterEach(async () => {
  await agent?.program.stop();
  agent = undefined;
  await backend.close();
  await rm(folder, { recursive: true, force: true });
});

describe('an agent', () => {
  it('refuses data on a full disk, goes on delivering, and takes data again when there is space', async (t) => {
    const mount = `mount -t tmpfs -o size=64m none '${folder}' && exec "$0" "$@"`;
    const under = ['unshare', '-rm', 'sh', '-c', mount];
    const [file = '', ...words] = under;
    if (spawnSync(file, [...words, 'true']).status !== 0) return t.skip('no right to mount a tmpfs');
    backend.otherwise((_, response) => void response.writeHead(503).end());
    agent = await startAgent({ ...setup, under });
    const { address } = agent;
    for (let i = 0; i < 20; i++) assert.equal((await ledger.send(address, ledger.issue(20))).status, 200);

    const filler = await fill(`/proc/${agent.program.child.pid}/root${folder}/filler`);
    const refusal = await eventually('a refusal', async () => {
      const answer = await ledger.send(address, ledger.issue(20));
      return answer.status === 200 ? undefined : answer;
    });
    assert.equal(refusal.status, 503);
    assert.match(refusal.headers.get('retry-after') ?? '', /^\d+$/);
    assert.equal(await agent.ready(), 503);
    const taken = ledger.acknowledged.size;

    backend.otherwise(takesHttp);
    await agent.drained(destination);
    await filler.free();
    await eventually('data is taken again', async () =>
      (await ledger.send(address, ledger.issue(20))).status === 200 ? true : undefined,
    );
    await agent.drained(destination);
    assert.equal(await agent.ready(), 200);
    assert.deepEqual(ledger.judge(backend.spans), unharmed);
    const { accepted, delivered } = await agent.account(destination);
    assert.deepEqual({ accepted, delivered }, { accepted: taken + 20, delivered: taken + 20 });
  });

  for (const [what, call, error] of [
    ['an fsync fails', 'fdatasync', 'error=EIO:when=4+'],
    ['a write fails', 'pwrite64,pwritev', 'error=EIO:when=40+'],
  ] as const) {
    it(`answers no request with 200 once ${what}, ends with ${storageUnsafe}, and has kept what it answered before`, async (t) => {
      if (spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']).status !== 0) return t.skip('no strace here');
      backend.otherwise((_, response) => void response.writeHead(503).end());
      // The queue is made before, undisturbed.
      agent = await startAgent(setup);
      await agent.program.stop();

      const meddling = `-f -qq -o /dev/null -e trace=${call} -e inject=${call}:${error}`.split(' ');
      agent = await startAgent({ ...setup, under: ['strace', ...meddling] });
      const { address, program } = agent;
      const statuses: number[] = [];
      const send = async (): Promise<void> => {
        for (;;) {
          try {
            statuses.push((await ledger.send(address, ledger.issue(20))).status);
          } catch {
            return;
          }
          await nextTurn();
        }
      };
      await Promise.all(Array.from({ length: 3 }, send));
      assert.equal(await program.ended(), storageUnsafe, program.errors());
      const refused = statuses.findIndex((status) => status !== 200);
      assert.deepEqual(
        statuses.slice(refused < 0 ? statuses.length : refused).filter((status) => status === 200),
        [],
        'a request was answered with 200 after one was refused',
      );
      assert.ok(ledger.acknowledged.size > 0);

      backend.otherwise(takesHttp);
      agent = await startAgent(setup);
      await agent.drained(destination);
      assert.deepEqual(ledger.judge(backend.spans), unharmed);
      t.diagnostic(`${ledger.acknowledged.size} of ${ledger.issued} spans acknowledged`);
    });
  }

  it('does not start where the disk fails at once', async (t) => {
    if (spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']).status !== 0) return t.skip('no strace here');
    const meddling = '-f -qq -o /dev/null -e trace=fdatasync,fsync -e inject=fdatasync,fsync:error=EIO'.split(' ');
    const program = launchAgent({ ...setup, under: ['strace', ...meddling] });
    assert.notEqual(await program.ended(), 0);
    assert.match(program.errors(), /error/i);
  });
});

const unharmed = { missing: 0, invented: 0, altered: 0, repeated: 0 };

/** Writes until the volume has no space left. */
async function fill(path: string): Promise<{ free(): Promise<void> }> {
  const file = await open(path, 'w');
  const piece = Buffer.alloc(64 * 1024);
  try {
    for (;;) await file.write(piece);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  } finally {
    await file.close();
  }
  return { free: () => rm(path) };
}
