/**
 * OTLP/HTTP ingest through the durable queue into the embedded store: spans per second, answer
 * times, CPU per span and memory, with the load generator on the same machine.
 *
 *   npm run bench -- ingest [SECONDS] [SPANS_PER_SECOND]
 *
 * Without a rate every connection sends as fast as it is answered. "Sustained" counts the spans that
 * could be read from the store, over the time from the first request until the queue was empty.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { encodeTraces } from '../src/codec/index.ts';
import { emptyResource, type Span, SpanKind } from '../src/model/index.ts';
import { type RunningRaybridge, startRaybridge } from '../test/support/raybridge.ts';
import { testSpan } from '../test/support/span.ts';

const seconds = Number(process.argv[3] ?? 20);
const spansPerSecond = Number(process.argv[4] ?? Infinity);
const spansPerRequest = 100;
const connections = 8;
const distinctBodies = 64;
/** Begins every trace id; the bytes after it are made new for each request. */
const marker = Buffer.from('6b656570a1b2c3d4', 'hex');

const dataDir = await mkdtemp(join(tmpdir(), 'raybridge-bench-'));
const raybridge = await startRaybridge(dataDir);
try {
  await bench(raybridge);
} finally {
  await raybridge.kill('SIGTERM');
  await rm(dataDir, { recursive: true, force: true });
}

async function bench({ addresses, pid }: RunningRaybridge): Promise<void> {
  const bodies = Array.from({ length: distinctBodies }, (_, index) => Buffer.from(encodeTraces(makeSpans(index))));
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
        const body = bodies[number % distinctBodies];
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

/** The same spans under new ids: the 16 bytes of each trace id are overwritten in place. */
function refreshed(body: Buffer, number: number): Buffer {
  const copy = Buffer.from(body);
  for (let at = copy.indexOf(marker); at >= 0; at = copy.indexOf(marker, at + 16))
    copy.writeUInt32BE(number, at + marker.length);
  return copy;
}

function makeSpans(index: number): readonly Span[] {
  const startTimeNs = BigInt(Date.now()) * 1_000_000n;
  const resource = {
    ...emptyResource,
    attributes: new Map<string, string>([
      ['service.name', `service-${index % 20}`],
      ['service.version', '1.4.2'],
      ['cloud.provider', 'aws'],
      ['cloud.region', 'eu-west-1'],
      ['host.name', `host-${index % 7}`],
      ['telemetry.sdk.name', 'opentelemetry'],
      ['telemetry.sdk.language', 'nodejs'],
      ['telemetry.sdk.version', '2.12.0'],
    ]),
  };
  return Array.from({ length: spansPerRequest }, (_, number) => {
    const trace = Math.floor(number / 10);
    const step = number % 10;
    const spanId = (position: number): string =>
      (index * 1000 + trace * 10 + position + 1).toString(16).padStart(16, '0');
    return testSpan({
      traceId: `${marker.toString('hex')}00000000${(index * 100 + trace).toString(16).padStart(8, '0')}`,
      spanId: spanId(step),
      parentSpanId: step === 0 ? undefined : spanId(0),
      flags: 1,
      name: step === 0 ? 'GET /orders/{id}' : `SELECT ${step}`,
      kind: step === 0 ? SpanKind.server : SpanKind.client,
      startTimeNs: startTimeNs + BigInt(step) * 1_000_000n,
      endTimeNs: startTimeNs + BigInt(step + 12) * 1_000_000n,
      attributes: new Map<string, string | bigint | boolean>([
        ['http.request.method', 'GET'],
        ['url.full', `https://shop.example/orders/${number}`],
        ['http.response.status_code', step === 3 && trace % 10 === 0 ? 500n : 200n],
        ['user_agent.original', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36'],
        ['client.address', '198.51.100.7'],
        ['db.system.name', 'postgresql'],
        ['db.namespace', 'orders'],
        ['db.query.text', 'SELECT * FROM orders WHERE id = $1 AND tenant = $2'],
        ['enduser.id', `user-${number}`],
        ['tenant', `tenant-${index % 11}`],
        ['cart.items', BigInt(number % 9)],
        ['beta', number % 2 === 0],
      ]),
      resource,
    });
  });
}

async function post(agent: Agent, address: string, body: Buffer): Promise<number> {
  return await new Promise((resolve, reject) => {
    const sending = request(
      `http://${address}/v1/traces`,
      { method: 'POST', agent, headers: { 'content-type': 'application/x-protobuf' } },
      (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      },
    );
    sending.on('error', reject).end(body);
  });
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

/** CPU seconds of Raybridge and of its children, from /proc (Linux). */
function cpuSeconds(pid: number): readonly number[] {
  return [pid, ...childrenOf(pid)].map((one) => {
    const fields = readFileSync(`/proc/${one}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  });
}

function rssBytes(pid: number): number {
  return [pid, ...childrenOf(pid)]
    .map((one) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${one}/status`, 'utf8'))?.[1] ?? 0) * 1024)
    .reduce((sum, bytes) => sum + bytes, 0);
}

function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}
