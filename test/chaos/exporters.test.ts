import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { encodeTracesResponse } from '../../src/codec/otlp-proto.ts';
import { type Agent, soon, startAgent } from '../support/agent.ts';
import { eventually } from '../support/eventually.ts';
import {
  type FakeOtlp,
  type GrpcBehaviour,
  type GrpcCall,
  type HttpBehaviour,
  openFakeOtlpGrpc,
  openFakeOtlpHttp,
  takesHttp,
} from '../support/fake-otlp.ts';
import {
  type Behaviour,
  cuts,
  type FakeXray,
  fails,
  hangs,
  openFakeXray,
  spanOfDocument,
  takes,
} from '../support/fake-xray.ts';
import { createLedger, isPoison, type Ledger } from '../support/ledger.ts';
import { runProgram } from '../support/program.ts';
import type { TakenSpan } from '../support/taken-span.ts';

/**
 * The ledger over the exporters of an agent (reliability 5.1; runs R6, R13 and R14 of 5.2): whatever
 * a backend answers, what was acknowledged arrives as it was sent or is counted, to the span.
 */
const destinations = ['traces>awsxray', 'traces>otlp_http', 'traces>otlp_grpc'] as const;
const senders = 3;
const spansPerRequest = 20;

let folder: string;
let seed: string;
let ledger: Ledger;
let xray: FakeXray;
let http: FakeOtlp<HttpBehaviour>;
let grpc: FakeOtlp<GrpcBehaviour>;
let agent: Agent | undefined;

beforeEach(async (t) => {
  seed = process.env['RAYBRIDGE_SEED'] ?? randomBytes(4).toString('hex');
  if ('diagnostic' in t) t.diagnostic(`seed ${seed}: RAYBRIDGE_SEED=${seed} sends the same spans`);
  folder = await mkdtemp(join(tmpdir(), 'raybridge-exporters-'));
  ledger = createLedger(seed);
  [xray, http, grpc] = await Promise.all([openFakeXray(), openFakeOtlpHttp(), openFakeOtlpGrpc()]);
});
afterEach(async () => {
  await agent?.program.stop();
  for (const backend of [xray, http, grpc]) await backend.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the exporters of an agent', () => {
  it('lose, invent and change nothing, whatever backends answer; the accounts close to the span', async (t) => {
    const rejected = new Set<string>();
    const runs = { xray: xrayFaults(), http: httpFaults(rejected), grpc: grpcFaults(rejected) };
    xray.otherwise(runs.xray.behaviour);
    http.otherwise(runs.http.behaviour);
    grpc.otherwise(runs.grpc.behaviour);
    agent = await start(impatientMs);
    const { address } = agent;
    const isOver = (): boolean => Object.values(runs).every((run) => run.isOver());
    await whileSending(address, () => eventually('every fault', async () => (isOver() ? true : undefined)), {
      pauseMs: 20,
    });

    for (const destination of destinations) await agent.drained(destination);
    for (const destination of destinations) await assertCloses(agent, destination);
    const dead = (await agent.account('traces>otlp_http')).deadLettered;
    assert.ok(dead > 0, 'no backend refused anything');

    xray.otherwise(takes());
    http.otherwise(takesHttp);
    grpc.otherwise(undefined);
    const { code, stderr } = await runProgram(['dlq', 'replay', '--all', '--data-dir', folder]);
    assert.equal(code, 0, stderr);
    for (const destination of destinations) await agent.drained(destination);
    for (const [name, spans, { atRisk }] of arrivals(runs)) {
      const { repeated, ...verdict } = ledger.judge(spans, (id) => rejected.has(id));
      assert.deepEqual(verdict, { missing: 0, invented: 0, altered: 0 }, `${name}, seed ${seed}`);
      assert.ok(repeated <= atRisk(), `${name} took ${repeated} spans twice, ${atRisk()} were at risk`);
      t.diagnostic(`${name}: ${spans.length} spans taken, ${repeated} of them again`);
    }
    t.diagnostic(`${ledger.acknowledged.size} spans acknowledged, ${dead} were dead letters of otlp_http`);
  });

  it('keep everything over an outage, and deliver it in less than a fifth of the time', async (t) => {
    const outageMs = 6_000;
    xray.otherwise(fails(503, 'ServiceUnavailable'));
    http.otherwise((_, response) => void response.writeHead(503).end());
    grpc.otherwise({ code: status.UNAVAILABLE });
    agent = await start();
    const { address } = agent;
    await whileSending(address, () => wait(outageMs), { pauseMs: 500 });
    for (const destination of destinations) {
      await assertCloses(agent, destination);
      const { queued, accepted } = await agent.account(destination);
      assert.equal(queued, accepted, `${destination} lost spans while its backend was away`);
    }
    const firstTaken = new Map<string, number>();
    const note = (name: string): void => void (firstTaken.has(name) || firstTaken.set(name, performance.now()));
    xray.otherwise((call, response) => (note('traces>awsxray'), takes()(call, response)));
    http.otherwise((call, response) => (note('traces>otlp_http'), takesHttp(call, response)));
    grpc.otherwise((call) => (note('traces>otlp_grpc'), call.take(), undefined));
    await Promise.all(
      destinations.map(async (destination) => {
        await agent?.drained(destination);
        const tookMs = performance.now() - (firstTaken.get(destination) ?? 0);
        assert.ok(tookMs < outageMs / 5, `${destination} took ${Math.round(tookMs)} ms`);
        t.diagnostic(`${destination}: ${ledger.acknowledged.size} spans within ${Math.round(tookMs)} ms`);
      }),
    );
    for (const [name, spans] of arrivals()) {
      assert.deepEqual(ledger.judge(spans), { missing: 0, invented: 0, altered: 0, repeated: 0 }, name);
    }
    for (const backend of [http, grpc]) assert.ok(backend.concurrent() <= consumers, 'a herd came back');
  });

  it('deliver a backlog over kill -9 in the middle of it, and send again only what was under way', async (t) => {
    const kills = 3;
    xray.otherwise(fails(503, 'ServiceUnavailable'));
    http.otherwise((_, response) => void response.writeHead(503).end());
    grpc.otherwise({ code: status.UNAVAILABLE });
    agent = await start();
    // More than one call takes, so that the deaths fall between calls.
    for (let i = 0; i < 120; i++) await ledger.send(agent.address, ledger.issue(100));
    await agent.program.stop('SIGKILL');
    xray.otherwise((call, response) => void setTimeout(() => takes()(call, response), 10));
    http.otherwise((call, response) => void setTimeout(() => takesHttp(call, response), 20));
    grpc.otherwise(undefined);
    let waiting = Array.from(destinations, () => ledger.acknowledged.size);
    for (let kill = 0; kill < kills; kill++) {
      agent = await start();
      const atStart = await queued(agent);
      assert.ok(
        atStart.every((spans, i) => spans <= (waiting[i] ?? 0)),
        'what was acknowledged came back',
      );
      waiting = await eventually('something delivered to each', async () => {
        const now = agent && (await queued(agent));
        return now?.every((spans, i) => spans === 0 || spans < (atStart[i] ?? 0)) ? now : undefined;
      });
      await agent.program.stop('SIGKILL');
    }
    agent = await start();
    for (const destination of destinations) await agent.drained(destination);
    for (const [name, spans] of arrivals()) {
      const { repeated, ...verdict } = ledger.judge(spans);
      assert.deepEqual(verdict, { missing: 0, invented: 0, altered: 0 }, `${name}, seed ${seed}`);
      const most = kills * consumers * Math.ceil(gatheredBytes[name] / spanBytesMin);
      assert.ok(repeated <= most, `${name} took ${repeated} spans twice, expected at most ${most}`);
      t.diagnostic(`${name}: ${spans.length} spans taken, ${repeated} of them again`);
    }
  });
});

/** Calls under way to one OTLP backend, and lanes of a delivery. */
const consumers = 2;
/** What a lane takes from the queue for one call of the exporter. */
const gatheredBytes = { 'AWS X-Ray': 512 * 1024, 'OTLP/HTTP': 2 * 1024 * 1024, 'OTLP/gRPC': 2 * 1024 * 1024 } as const;
const spanBytesMin = 1000;

/** Faults that never answer are over soon; a run without them must not take a slow machine for one. */
const [impatientMs, patientMs] = [500, 10_000];

function start(timeoutMs = patientMs): Promise<Agent> {
  const queue = `sending_queue: {num_consumers: ${consumers}}`;
  return startAgent({
    folder,
    exporters: {
      awsxray: `endpoint: '${xray.endpoint}', region: eu-west-1, index_all_attributes: true, request_timeout_seconds: ${timeoutMs / 1000}`,
      otlp_http: `endpoint: 'http://${http.address}', timeout: ${timeoutMs}ms, ${soon}, ${queue}`,
      otlp_grpc: `endpoint: 'http://${grpc.address}', timeout: ${timeoutMs}ms, ${soon}, ${queue}`,
    },
  });
}

async function queued(running: Agent): Promise<number[]> {
  const accounts = await Promise.all(destinations.map((destination) => running.account(destination)));
  return accounts.map((account) => account.queued);
}

async function whileSending(
  address: string,
  work: () => Promise<unknown>,
  { pauseMs = 0 }: { readonly pauseMs?: number } = {},
): Promise<void> {
  const done = new AbortController();
  const send = async (): Promise<void> => {
    while (!done.signal.aborted) {
      await ledger.send(address, ledger.issue(spansPerRequest));
      await wait(pauseMs);
    }
  };
  const sending = Promise.all(Array.from({ length: senders }, send));
  try {
    await work();
  } finally {
    done.abort();
    await sending;
  }
}

/** received = delivered + queued + dead letters + dropped, to the span. */
async function assertCloses(running: Agent, destination: string): Promise<void> {
  let last: unknown;
  await eventually(`accounts of ${destination} that close`, async () => {
    const account = await running.account(destination);
    last = account;
    const { accepted, delivered, queued, deadLettered, dropped } = account;
    return accepted === delivered + queued + deadLettered + dropped ? true : undefined;
  }).catch((error: unknown) => assert.fail(`${String(error)}: ${JSON.stringify(last)}, seed ${seed}`));
  const { accepted } = await running.account(destination);
  assert.equal(accepted, ledger.acknowledged.size);
}

interface Arrivals {
  readonly atRisk: () => number;
}

function arrivals(
  runs: Readonly<Record<'xray' | 'http' | 'grpc', Arrivals>> = { xray: unharmed, http: unharmed, grpc: unharmed },
): readonly (readonly [name: keyof typeof gatheredBytes, spans: readonly TakenSpan[], run: Arrivals])[] {
  return [
    ['AWS X-Ray', xray.taken.map(spanOfDocument), runs.xray],
    ['OTLP/HTTP', http.spans, runs.http],
    ['OTLP/gRPC', grpc.spans, runs.grpc],
  ];
}

const unharmed: Arrivals = { atRisk: () => 0 };

/** One fault after the other, every other call; between and after them the usual. */
interface Faults<Any> extends Arrivals {
  readonly behaviour: Any;
  isOver(): boolean;
}

function inTurn<Any>(faults: readonly Any[]): { next(): Any | undefined; isOver(): boolean } {
  const rest = faults.flatMap((fault) => [undefined, fault]);
  return { next: () => rest.shift(), isOver: () => rest.length === 0 };
}

/** Spans that a backend took without our hearing of it. */
function createRisk(): { readonly atRisk: () => number; add(spans: number): void } {
  let spans = 0;
  return { atRisk: () => spans, add: (more) => void (spans += more) };
}

function xrayFaults(): Faults<Behaviour> {
  const { atRisk, add } = createRisk();
  const risky =
    (behaviour: Behaviour): Behaviour =>
    (call, response) => {
      add(call.documents.length);
      behaviour(call, response);
    };
  const anyway: Behaviour = ({ take }, response) => {
    take();
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
  };
  const usual = takes((document) => {
    const { spanId } = spanOfDocument(document);
    return isPoison(spanId) ? { Id: spanId, ErrorCode: 'InvalidSegment', Message: 'made up' } : undefined;
  });
  const faults = inTurn<Behaviour>([
    fails(503, 'ServiceUnavailable'),
    fails(429, 'ThrottledException', { 'retry-after': '1' }),
    fails(400, 'ThrottlingException'),
    fails(500, 'InternalFailure'),
    fails(403, 'ExpiredTokenException'),
    fails(403, 'RequestTimeTooSkewed'),
    fails(413, ''),
    fails(400, 'InvalidRequestException'),
    takes((document) => ({ Id: spanOfDocument(document).spanId, ErrorCode: 'ThrottledException' })),
    ({ message, documents }, response) => takes(() => ({ Id: null }))({ message, documents, take() {} }, response),
    hangs,
    cuts(),
    cuts({ afterHeaders: true }),
    risky(cuts({ afterTaking: () => true })),
    risky(({ take }, response) => (take(), drip(response))),
    anyway,
    ({ take }, response) => (take(), response.writeHead(200).end(Buffer.alloc(10 * 1024 * 1024, ' '))),
  ]);
  return {
    atRisk,
    isOver: faults.isOver,
    behaviour: (call, response) => (faults.next() ?? usual)(call, response),
  };
}

function httpFaults(rejected: Set<string>): Faults<HttpBehaviour> {
  const { atRisk, add } = createRisk();
  const answers =
    (code: number, headers: Readonly<Record<string, string>> = {}): HttpBehaviour =>
    (_, response) =>
      void response.writeHead(code, headers).end('made up');
  const risky =
    (end: (response: ServerResponse) => void): HttpBehaviour =>
    ({ ids, take }, response) => {
      add(ids.length);
      take();
      end(response);
    };
  const usual: HttpBehaviour = (call, response) => (call.ids.some(isPoison) ? answers(400) : takesHttp)(call, response);
  const faults = inTurn<HttpBehaviour>([
    answers(503),
    answers(502),
    answers(429, { 'retry-after': '1' }),
    answers(504, { 'retry-after': new Date(Date.now() - 5_000).toUTCString() }),
    answers(413),
    () => {},
    (_, response) => void response.destroy(),
    risky((response) => void response.destroy()),
    risky((response) => void response.writeHead(200, { 'content-length': 9 }).write('x', () => response.destroy())),
    risky(drip),
    ({ take }, response) => (take(), void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')),
    ({ take }, response) => (take(), void response.writeHead(200).end(Buffer.alloc(10 * 1024 * 1024, 7))),
    ({ ids: [lost = '', ...others], take }, response) => {
      rejected.add(lost);
      take(others);
      response
        .writeHead(200, { 'content-type': 'application/x-protobuf' })
        .end(encodeTracesResponse({ rejected: 1, message: 'made up' }));
    },
  ]);
  return {
    atRisk,
    isOver: faults.isOver,
    behaviour: (call, response) => (faults.next() ?? usual)(call, response),
  };
}

function grpcFaults(rejected: Set<string>): Faults<GrpcBehaviour> {
  type Deciding = (call: GrpcCall) => Exclude<GrpcBehaviour, (call: GrpcCall) => unknown> | 'silence';
  const { atRisk, add } = createRisk();
  const fails =
    (code: status, more: { readonly details?: string; readonly retryAfterMs?: number } = {}): Deciding =>
    () => ({ code, ...more });
  const risky =
    (code: status): Deciding =>
    ({ ids, take }) => {
      add(ids.length);
      take();
      return { code };
    };
  const usual: Deciding = ({ ids, take }) => {
    if (ids.some(isPoison)) return { code: status.INVALID_ARGUMENT };
    take();
    return undefined;
  };
  const faults = inTurn<Deciding>([
    fails(status.UNAVAILABLE),
    fails(status.UNAVAILABLE, { retryAfterMs: 300 }),
    fails(status.RESOURCE_EXHAUSTED, { retryAfterMs: 300 }),
    fails(status.RESOURCE_EXHAUSTED, { details: 'received message larger than max (5 vs. 4)' }),
    fails(status.CANCELLED),
    fails(status.ABORTED),
    fails(status.OUT_OF_RANGE),
    () => 'silence',
    risky(status.DATA_LOSS),
    risky(status.DEADLINE_EXCEEDED),
    ({ take }) => (take(), Buffer.from('no message of protobuf')),
    ({ ids: [lost = '', ...others], take }) => {
      rejected.add(lost);
      take(others);
      return encodeTracesResponse({ rejected: 1, message: 'made up' });
    },
  ]);
  return { atRisk, isOver: faults.isOver, behaviour: (call) => (faults.next() ?? usual)(call) };
}

/** An answer of one byte at a time, which never ends. */
function drip(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': 1000 });
  const dripping = setInterval(() => response.write(' '), 50);
  response.once('close', () => clearInterval(dripping));
}
