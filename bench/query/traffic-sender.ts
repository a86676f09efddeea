/**
 * A process that sends traces of this moment over OTLP/HTTP at a steady rate, until it is told to stop.
 * Its arguments: host:port of the receiver, spans per second, seed.
 */
import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { encodeTraces } from '../../src/codec/index.ts';
import { makeTrace, spansPerTrace } from '../../test/support/traffic.ts';

export interface Sent {
  readonly spans: number;
  readonly refused: number;
  readonly seconds: number;
}

const tracesPerRequest = 10;
const connections = 4;

const [address = '', spansPerSecond = '0', seed = '0'] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const stopping = new AbortController();
process.once('message', () => stopping.abort());

const startedAt = performance.now();
let requests = 0;
let spans = 0;
let refused = 0;
await Promise.all(Array.from({ length: connections }, send));
agent.destroy();
const sent: Sent = { spans, refused, seconds: (performance.now() - startedAt) / 1000 };
process.send?.(sent);
process.disconnect();

async function send(): Promise<void> {
  while (!stopping.signal.aborted) {
    const dueAt = startedAt + (requests * tracesPerRequest * spansPerTrace * 1000) / Number(spansPerSecond);
    const first = requests++ * tracesPerRequest;
    if (dueAt > performance.now()) await wait(dueAt - performance.now());
    const batch = Array.from({ length: tracesPerRequest }, (_, i) =>
      makeTrace({ number: first + i, seed: Number(seed), startTimeNs: BigInt(Date.now() - 1000) * 1_000_000n }),
    ).flat();
    if ((await post(encodeTraces(batch))) === 200) spans += batch.length;
    else refused += batch.length;
  }
}

async function post(body: Uint8Array): Promise<number> {
  return await new Promise((resolve, reject) => {
    const sending = request(
      `http://${address}/v1/traces`,
      { method: 'POST', agent, headers: { 'content-type': 'application/x-protobuf' } },
      (response) => void response.resume().on('end', () => resolve(response.statusCode ?? 0)),
    );
    sending.on('error', reject).end(body);
  });
}
