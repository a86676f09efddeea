/**
 * What the X-Ray API takes to answer over ten million spans of 24 hours, alone and while spans come in.
 *
 *   npm run bench -- query [--spans 10000000] [--keep DIR] [--rate 5000] [--seed 1]
 *
 * With `--keep` the data stays in the directory for the next run, and so does what came in meanwhile.
 * "p95" of 20 questions is the slowest but one; the verdict is about the percentile that the target
 * names.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startRaybridge } from '../test/support/raybridge.ts';
import { loadedDataset, retention } from './query/load.ts';
import { type Question, questionsOf } from './query/questions.ts';
import type { Sent } from './query/traffic-sender.ts';
import { spansPerTrace } from '../test/support/traffic.ts';

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    spans: { type: 'string', default: '10000000' },
    keep: { type: 'string' },
    rate: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
  },
});
/** A question is not asked again after so long. */
const questionMsMax = 30_000;
/** A start reads the hour before for insights, once, when its first minute is over. */
const startMs = 80_000;
/** How long spans come in before questions are asked. */
const warmUpMs = 10_000;

const dataDir = values.keep ?? (await mkdtemp(join(tmpdir(), 'raybridge-bench-')));
try {
  await bench();
} finally {
  if (values.keep === undefined) await rm(dataDir, { recursive: true, force: true });
}

async function bench(): Promise<void> {
  const [{ model } = { model: '?' }] = cpus();
  console.log(
    `machine     ${cpus().length} × ${model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node.js ${process.version}`,
  );
  const wanted = { traces: Math.ceil(Number(values.spans) / spansPerTrace), seed: Number(values.seed) };
  const dataset = await loadedDataset(dataDir, wanted);
  const raybridge = await startRaybridge(dataDir, ['--set', `stores.clickhouse.retention=${retention}`]);
  try {
    const { api, otlpHttp } = raybridge.addresses;
    const questions = questionsOf(dataset, api);
    await untilReady(api);
    await wait(startMs);

    const alone = await measureAll('alone', questions);
    const sender = startSending(otlpHttp, wanted.seed + 1);
    try {
      await wait(warmUpMs);
      const busy = await measureAll('while spans come in', questions);
      const { spans, refused, seconds } = await sender.stop();
      printTable(questions, alone, busy);
      console.log(
        `came in     ${Math.round(spans / seconds)} spans/s over ${seconds.toFixed(0)} s, ${refused} refused`,
      );
    } finally {
      sender.kill();
    }
  } finally {
    await raybridge.kill('SIGTERM');
  }
}

interface Measured {
  /** Sorted. */
  readonly ms: readonly number[];
  /** On average. */
  readonly found: number;
}

async function measureAll(what: string, questions: readonly Question[]): Promise<readonly Measured[]> {
  const all: Measured[] = [];
  for (const question of questions) {
    const measured = await measure(question);
    all.push(measured);
    console.log(`${what}, ${question.name}: ${printed(measured)}`);
  }
  return all;
}

/** The first question warms up and does not count, unless there is no time for more. */
async function measure({ asks, ask }: Question): Promise<Measured> {
  const answers: { readonly ms: number; readonly found: number }[] = [];
  const startedAt = performance.now();
  while (answers.length <= asks && performance.now() - startedAt < questionMsMax) answers.push(await ask());
  const counted = answers.length > 1 ? answers.slice(1) : answers;
  return {
    ms: counted.map(({ ms }) => ms).toSorted((a, b) => a - b),
    found: counted.reduce((sum, { found }) => sum + found, 0) / counted.length,
  };
}

function percentile({ ms }: Measured, share: number): number {
  return ms[Math.min(ms.length - 1, Math.ceil(ms.length * share) - 1)] ?? 0;
}

function printTable(questions: readonly Question[], alone: readonly Measured[], busy: readonly Measured[]): void {
  const widest = Math.max(...questions.map(({ name }) => name.length));
  const columns = ['p50', 'p95', 'p99', 'max'].map((title) => title.padStart(7)).join('');
  console.log(`\n${'ms'.padEnd(widest)} target       found  alone ${columns}   busy ${columns}`);
  questions.forEach((question, index) => {
    const { percentile: share, ms } = question.target;
    const target = `p${Math.round(share * 100)} ${String(ms).padStart(4)}`;
    const cells = [alone, busy].flatMap(({ [index]: measured }) => {
      if (!measured) return [];
      const verdict = percentile(measured, share) <= ms ? 'ok' : 'NO';
      return [`${verdict.padEnd(4)}${printed(measured)}`];
    });
    const found = (alone[index]?.found ?? 0).toFixed(0).padStart(6);
    console.log(`${question.name.padEnd(widest)} ${target} ${found}  ${cells.join('   ')}`);
  });
}

function printed(measured: Measured): string {
  return [0.5, 0.95, 0.99, 1].map((share) => percentile(measured, share).toFixed(1).padStart(8)).join('');
}

async function untilReady(api: string): Promise<void> {
  const now = Date.now() / 1000;
  const body = JSON.stringify({ StartTime: now, EndTime: now });
  while (!(await fetch(`http://${api}/TraceSummaries`, { method: 'POST', body })).ok) await wait(100);
}

function startSending(address: string, seed: number): { stop(): Promise<Sent>; kill(): void } {
  const program = fileURLToPath(new URL('./query/traffic-sender.js', import.meta.url));
  const sender = fork(program, [address, values.rate, String(seed)]);
  return {
    async stop() {
      const message = once(sender, 'message');
      sender.send('stop');
      // Its only message.
      const [sent] = (await message) as [Sent];
      return sent;
    },
    kill: () => void sender.kill(),
  };
}
