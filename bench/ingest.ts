/**
 * OTLP/HTTP ingest through the durable queue into the embedded store: spans per second, answer
 * times, CPU per span and memory, with the load generator on the same machine.
 *
 *   npm run bench -- ingest [SECONDS] [SPANS_PER_SECOND]
 *
 * Without a rate every connection sends as fast as it is answered. "Sustained" counts the spans that
 * could be read from the store, over the time from the first request until the queue was empty.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { type RunningRaybridge, startRaybridge } from '../test/support/raybridge.ts';
import { cpuSeconds, rssBytes } from './measure/process.ts';
import { makeBodies, post, refreshed, spansPerRequest } from './measure/requests.ts';

const seconds = Number(process.argv[3] ?? 20);
const spansPerSecond = Number(process.argv[4] ?? Infinity);
const connections = 8;

const dataDir = await mkdtemp(join(tmpdir(), 'raybridge-bench-'));
const raybridge = await startRaybridge(dataDir);
try {
  await bench(raybridge);
} finally {
  await raybridge.kill('SIGTERM');
  await rm(dataDir, { recursive: true, force: true });
}

async function bench({ addresses, pid }: RunningRaybridge): Promise<void> {
  const bodies = makeBodies();
  const template = { bytes: bodies[0]?.length ?? 0 };
  console.log(
    `${cpus().length} × ${cpus()[0]?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node.js ${process.version}`,
  );
  console.log(`${spansPerRequest} spans a request, ${template.bytes} bytes, ${connections} connections, ${seconds} s`);

  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const answerMs: number[] = [];
  let accepted = 0;
  let refused = 0;
  let rssMax = 0;
  const cpuBefore = cpuSeconds(pid);
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  const watch = setInterval(() => (rssMax = Math.max(rssMax, rssBytes(pid))), 250);

  let sent = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() < endsAt) {
        const dueAt = startedAt + (sent * spansPerRequest * 1000) / spansPerSecond;
        const number = sent++;
        if (dueAt > performance.now()) await wait(dueAt - performance.now());
        const body = bodies[number % bodies.length];
        if (!body) continue;
        const before = performance.now();
        const status = await post(agent, addresses.otlpHttp, refreshed(body, number));
        answerMs.push(performance.now() - before);
        if (status === 200) accepted += spansPerRequest;
        else refused++;
      }
    }),
  );
  const sendingMs = performance.now() - startedAt;
  await drained(addresses.api, accepted);
  const totalMs = performance.now() - startedAt;
  clearInterval(watch);
  agent.destroy();

  const sorted = answerMs.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
  const cpu = cpuSeconds(pid).map((total, index) => total - (cpuBefore[index] ?? 0));
  console.log(
    `accepted    ${Math.round((accepted / sendingMs) * 1000)} spans/s (${accepted} spans, ${refused} requests refused)`,
  );
  console.log(`sustained   ${Math.round((accepted / totalMs) * 1000)} spans/s until the last one was in the store`);
  console.log(`answer      p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(0.99999)} ms`);
  console.log(
    `CPU         ${cpu.map((total) => ((total / accepted) * 1e6).toFixed(1)).join(' + ')} s per million spans (raybridge + engine)`,
  );
  console.log(`RSS         ${(rssMax / 2 ** 20).toFixed(0)} MiB at most, both processes together`);
}

/** Waits until the counter of delivered spans has reached what was accepted. */
async function drained(api: string, accepted: number): Promise<void> {
  for (;;) {
    const metrics = await (await fetch(`http://${api}/metrics`)).text();
    const delivered = Number(/^raybridge_delivered_spans_total\{[^}]*\} (\d+)/m.exec(metrics)?.[1] ?? 0);
    if (delivered >= accepted) return;
    await wait(100);
  }
}
