import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { encodeTracesJson } from '../../src/codec/index.ts';
import { openLmdbQueue } from '../../src/pipeline/queue-lmdb.ts';
import { createStatus } from '../../src/pipeline/status.ts';
import { createTelemetry } from '../../src/pipeline/telemetry.ts';
import { createTestLog } from '../support/context.ts';
import { type LogLine, type Program, runProgram, startProgram } from '../support/program.ts';
import { testSpan } from '../support/span.ts';

let folder: string;
let programs: Program[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'raybridge-operator-'));
  programs = [];
});
afterEach(async () => {
  for (const program of programs) await program.stop('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

describe('SIGHUP', () => {
  it('runs the changed file, and leaves the old one running when the new one is refused or cannot start', async () => {
    const file = join(folder, 'raybridge.yaml');
    await writeFile(file, agent('debug', '127.0.0.1:0'));
    const program = start(['serve', '--config', file]);
    const first = await listening(program);
    await send(first);
    await program.logged('the span', showsSpan('op'));

    await writeFile(file, agent('debug/brief', '127.0.0.1:0', 'basic'));
    const second = await reload(program);
    await send(second);
    await program.logged('a span through debug/brief', ({ msg, spans }) => msg === 'traces' && spans === 1);

    await writeFile(file, agent('debugg', '127.0.0.1:0'));
    await refusedReload(program);
    await send(second);

    // The port of the running listener is free only once that one is closed; this one stays taken.
    const other = start(['serve', '--config', `yaml:${agent('debug', '127.0.0.1:0')}`], 'other');
    await writeFile(file, agent('debug', await listening(other)));
    const before = program.log().length;
    await refusedReload(program);
    await send(await listening(program, before));
    assert.equal(await program.stop(), 0);
  });
});

describe('raybridge dlq', () => {
  const dataDir = () => join(folder, 'data');
  const dlq = (...words: string[]) => runProgram(['dlq', ...words, '--data-dir', dataDir()]);

  it('lists, shows, replays and drops on a stopped data directory and beside a running process', async () => {
    await bury(['first', 'second', 'third']);
    const listed = await dlq('list');
    assert.equal(listed.code, 0, listed.stderr);
    const [line = ''] = listed.stdout.split('\n');
    assert.match(line, /^1\t\d{4}-\d\d-\d\dT[\d:.]+Z\ttraces>debug\t1 spans\t\d+ bytes\tBAD_INPUT: first$/);
    assert.equal((await dlq('list', '--destination', 'traces>other')).stdout, '');
    assert.equal((await dlq('drop', '2')).stdout, '1 letter dropped\n');

    const program = start(['serve', '--config', `yaml:${agent('debug', '127.0.0.1:0')}`]);
    await listening(program);
    assert.match((await dlq('show', '3')).stdout, /"name":"third"/);
    assert.equal((await dlq('show', '2')).code, 1);
    assert.equal((await dlq('replay', '--all')).stdout, '2 letters put back into the queue\n');
    for (const name of ['first', 'third']) {
      await program.logged(`the replayed ${name}`, showsSpan(name));
    }
    assert.equal((await dlq('list', '--json')).stdout, '');
    const missing = await dlq('replay', '1');
    assert.deepEqual([missing.code, missing.stderr], [1, 'error: there is no dead letter 1\n']);
  });

  it('says what is missing', async () => {
    assert.match((await dlq('list')).stderr, /^error: .* holds no queue; name the data directory with --data-dir\n$/);
    assert.equal((await dlq('replay')).code, 2);
    assert.equal((await dlq('drop', 'x')).code, 2);
  });

  async function bury(names: readonly string[]): Promise<void> {
    const queue = await openLmdbQueue({
      dir: join(dataDir(), 'queue'),
      limits: { bytesMax: 1e9, freeBytesMin: 0, ageMaxMs: 1e9 },
      destinations: [],
      nowNs: () => BigInt(Date.now()) * 1_000_000n,
      log: createTestLog(),
      telemetry: createTelemetry(),
      status: createStatus(),
      onFatal: assert.fail,
    });
    const destination = 'traces>debug';
    for (const name of names) {
      const body = Buffer.from(encodeTracesJson([testSpan({ name })]));
      const receivedAtNs = BigInt(Date.now()) * 1_000_000n;
      await queue.enqueue({ format: 'otlp_json', body, items: 1, receivedAtNs }, [destination]);
      const [record] = queue.read({ destination, afterSequence: 0, bytesMax: 1 });
      assert.ok(record);
      await queue.deadLetter({ destination, sequences: [record.sequence], reason: `BAD_INPUT: ${name}` });
    }
    await queue.close();
  }
});

function start(words: readonly string[], data = 'data'): Program {
  const program = startProgram([...words, '--data-dir', join(folder, data), '--log-level', 'info']);
  programs.push(program);
  return program;
}

function showsSpan(name: string): (line: LogLine) => boolean {
  return (line) => line.msg === 'traces' && JSON.stringify(line).includes(`"name":"${name}"`);
}

function agent(exporter: string, endpoint: string, verbosity = 'detailed'): string {
  return `
receivers: {otlp: {protocols: {http: {endpoint: '${endpoint}'}}}}
exporters: {${exporter}: {verbosity: ${verbosity}}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [${exporter}]}}}
`;
}

async function listening(program: Program, after = 0): Promise<string> {
  const { address } = await program.logged('the listener', ({ msg }) => msg === 'listening', after);
  return String(address);
}

/** Sends SIGHUP; the address of the listener afterwards. */
async function reload(program: Program): Promise<string> {
  const before = program.log().length;
  program.child.kill('SIGHUP');
  await program.logged('the reload', ({ msg }) => msg.startsWith('the configuration was read again'), before);
  return await listening(program, before);
}

async function refusedReload(program: Program): Promise<void> {
  const before = program.log().length;
  program.child.kill('SIGHUP');
  await program.logged('the refusal', ({ msg }) => msg.startsWith('the new configuration does not run'), before);
}

async function send(address: string): Promise<void> {
  const answer = await fetch(`http://${address}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: encodeTracesJson([testSpan({ name: 'op' })]),
  });
  assert.equal(answer.status, 200, await answer.text());
}
