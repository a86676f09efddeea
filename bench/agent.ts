/**
 * An agent without a store: OTLP over HTTP and gRPC, and segments over UDP, through the durable queue
 * to `PutTraceSegments` of a fake AWS X-Ray in a process of its own, with the load generator on the
 * same machine; then what it takes while nothing happens.
 *
 *   npm run bench -- agent [SECONDS_PER_CASE] [SEGMENTS_PER_SECOND]
 */
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { type ChildProcess, fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { encodeTraces } from '../src/codec/index.ts';
import { type Program, startProgram } from '../test/support/program.ts';
import { telemetrySpans } from '../test/support/telemetry.ts';
import { cpuSeconds, rssBytes } from './measure/process.ts';
import { post } from './measure/requests.ts';

const secondsPerCase = Number(process.argv[3] ?? 10);
const segmentsPerSecond = Number(process.argv[4] ?? 20_000);
const connections = 8;
const segmentBytes = 1_900;
const spansPerRequest = 100;
const distinctBodies = 64;
const starts = 7;
/** What has not arrived when nothing more does for so long is lost. */
const stillMs = 3_000;

console.log(
  `${cpus().length} × ${cpus()[0]?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node.js ${process.version}`,
);
const folder = await mkdtemp(join(tmpdir(), 'raybridge-bench-'));
const sink = fork(fileURLToPath(new URL('./agent/sink.js', import.meta.url)));
try {
  const [{ address }] = (await once(sink, 'message')) as [{ address: string }];
  const config = `
receivers:
  otlp: {protocols: {grpc: {endpoint: '127.0.0.1:0'}, http: {endpoint: '127.0.0.1:0'}}}
  awsxray: {endpoint: '127.0.0.1:0', proxy_server: {endpoint: '127.0.0.3:0'}}
exporters: {awsxray: {endpoint: 'http://${address}', region: eu-west-1}}
service: {pipelines: {traces: {receivers: [otlp, awsxray], exporters: [awsxray]}}}
`;
  await measureIdle(config);
  await measureCase('OTLP over HTTP', config, sendHttp);
  await measureCase('OTLP over gRPC', config, sendGrpc);
  await measureCase(`UDP, ${segmentBytes} bytes at ${segmentsPerSecond}/s`, config, sendUdp);
} finally {
  sink.kill();
  await rm(folder, { recursive: true, force: true });
}

interface Started {
  readonly program: Program;
  readonly pid: number;
  readonly address: (protocol: string) => string;
}

async function start(config: string): Promise<Started> {
  const env = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };
  const data = await mkdtemp(join(folder, 'data-'));
  const program = startProgram(['serve', '--config', `yaml:${config}`, '--data-dir', data, '--log-level', 'info'], env);
  await program.logged('the last listener', (line) => line['protocol'] === 'X-Ray sampling');
  const address = (protocol: string): string =>
    String(program.log().find((line) => line['protocol'] === protocol)?.['address']);
  return { program, pid: program.child.pid ?? 0, address };
}

async function measureIdle(config: string): Promise<void> {
  const startMs: number[] = [];
  for (let i = 0; i < starts; i++) {
    const before = performance.now();
    const { program } = await start(config);
    startMs.push(performance.now() - before);
    await program.stop();
  }
  const { program, pid } = await start(config);
  await wait(15_000);
  const before = sum(cpuSeconds(pid));
  await wait(20_000);
  const share = ((sum(cpuSeconds(pid)) - before) / 20) * 100;
  // Whoever waits for a line of the log looks at it every 50 ms.
  console.log(`start       ${median(startMs).toFixed(0)} ms until the last listener is open (target 300)`);
  console.log(
    `idle        ${(rssBytes(pid) / 2 ** 20).toFixed(0)} MiB RSS (target 80), ${share.toFixed(2)} % of a core (target 0.5)`,
  );
  await program.stop();
}

/** Sends until the time is over; the spans or segments that were taken, or sent where nobody answers. */
type Send = (started: Started, endsAtMs: number) => Promise<number>;

async function measureCase(name: string, config: string, send: Send): Promise<void> {
  const started = await start(config);
  const { program, pid } = started;
  const before = await documentsAt(sink);
  const cpuBefore = sum(cpuSeconds(pid));
  let rssMax = 0;
  const watch = setInterval(() => (rssMax = Math.max(rssMax, rssBytes(pid))), 250);
  const startedAt = performance.now();
  const taken = await send(started, startedAt + secondsPerCase * 1000);
  const sendingMs = performance.now() - startedAt;
  const arrived = await settled(sink, before, taken);
  const totalMs = performance.now() - startedAt;
  clearInterval(watch);
  const cpu = sum(cpuSeconds(pid)) - cpuBefore;
  console.log(
    `${name}: taken ${rate(taken, sendingMs)}/s, delivered ${rate(arrived, totalMs)}/s, ${taken - arrived} not delivered, ` +
      `${((cpu / arrived) * 1e6).toFixed(1)} CPU s per million, RSS ${(rssMax / 2 ** 20).toFixed(0)} MiB at most`,
  );
  await program.stop();
}

async function sendHttp({ address }: Started, endsAtMs: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const taken = await onConnections(endsAtMs, (body) =>
    post(agent, address('OTLP HTTP'), body).then((code) => code === 200),
  );
  agent.destroy();
  return taken;
}

async function sendGrpc({ address }: Started, endsAtMs: number): Promise<number> {
  const client = new Client(address('OTLP gRPC'), credentials.createInsecure());
  const asIs = (bytes: Buffer): Buffer => bytes;
  const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
  const taken = await onConnections(
    endsAtMs,
    (body) =>
      new Promise((resolve) =>
        client.makeUnaryRequest(path, asIs, asIs, body, new Metadata(), (error) => resolve(!error)),
      ),
  );
  client.close();
  return taken;
}

async function onConnections(endsAtMs: number, send: (body: Buffer) => Promise<boolean>): Promise<number> {
  // Nothing here looks at ids, so the bodies may be sent again.
  const bodies = Array.from({ length: distinctBodies }, (_, seed) =>
    Buffer.from(encodeTraces(telemetrySpans(spansPerRequest, seed))),
  );
  let number = 0;
  let taken = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() < endsAtMs) {
        const body = bodies[number % bodies.length] ?? Buffer.alloc(0);
        number++;
        if (await send(body)) taken += spansPerRequest;
        else await wait(10);
      }
    }),
  );
  return taken;
}

async function sendUdp({ address }: Started, endsAtMs: number): Promise<number> {
  const [host, port] = address('X-Ray segments').split(':');
  const socket = createSocket({ type: 'udp4', sendBufferSize: 4 * 1024 * 1024 });
  socket.connect(Number(port), host);
  await once(socket, 'connect');
  // Made beforehand: the generator shares the cores.
  const datagrams = Array.from({ length: 1_000 }, (_, number) => segmentOf(number));
  const startedAt = performance.now();
  let sent = 0;
  while (performance.now() < endsAtMs) {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * segmentsPerSecond);
    for (; sent < due; sent++) socket.send(datagrams[sent % datagrams.length] ?? '');
    await wait(2);
  }
  await new Promise((resolve) => setImmediate(resolve));
  socket.close();
  return sent;
}

function segmentOf(number: number): Buffer {
  const id = (number + 1).toString(16).padStart(16, '0');
  const seconds = Math.floor(Date.now() / 1000);
  const head = `{"format":"json","version":1}\n{"trace_id":"1-${seconds.toString(16)}-${id}00000000","id":"${id}","name":"shop","start_time":${seconds},"end_time":${seconds + 0.5},"metadata":{"default":{"text":"`;
  return Buffer.from(`${head}${'x'.repeat(segmentBytes - head.length)}"}}}`);
}

async function documentsAt(child: ChildProcess): Promise<number> {
  child.send('count');
  const [{ documents }] = (await once(child, 'message')) as [{ documents: number }];
  return documents;
}

/** Waits until all have arrived, or nothing more does. */
async function settled(child: ChildProcess, before: number, wanted: number): Promise<number> {
  let arrived = 0;
  let changedAt = performance.now();
  while (arrived < wanted && performance.now() - changedAt < stillMs) {
    await wait(50);
    const now = (await documentsAt(child)) - before;
    if (now !== arrived) changedAt = performance.now();
    arrived = now;
  }
  return Math.min(arrived, wanted);
}

function rate(count: number, ms: number): string {
  return Math.round((count / ms) * 1000).toLocaleString('en');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}
