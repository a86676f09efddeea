import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { encodeTraces } from '../../src/codec/index.ts';
import { eventually } from '../support/eventually.ts';
import { type FakeOtlp, type HttpBehaviour, openFakeOtlpHttp, takesHttp } from '../support/fake-otlp.ts';
import { cuts, type FakeXray, fails, openFakeXray, takes } from '../support/fake-xray.ts';
import { type Program, startProgram } from '../support/program.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { testSpan } from '../support/span.ts';

/**
 * The ledger over both ends of an agent (reliability 5.1; runs R7, R8, R13 and R18 of 5.2): what was
 * acknowledged arrives at every destination, whatever happens to the process and to the others.
 */
const ends: readonly NodeJS.Signals[] = ['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGKILL', 'SIGTERM', 'SIGKILL'];
const senders = 3;
const spansPerRequest = 5;

it(
  `brings every acknowledged span to every destination, over ${ends.length} ends of the process`,
  { timeout: 120_000 },
  async (t) => {
    const seed = process.env['RAYBRIDGE_SEED'] ?? randomBytes(4).toString('hex');
    t.diagnostic(`seed ${seed}: RAYBRIDGE_SEED=${seed} repeats this run, but for the moments`);
    const random = seededRandom(seed);
    const folder = await mkdtemp(join(tmpdir(), 'raybridge-agent-'));
    const xray = await openFakeXray();
    const [healthy, gathered, dead] = [await openFakeOtlpHttp(), await openFakeOtlpHttp(), await openFakeOtlpHttp()];
    xray.otherwise((call, response) => {
      const fate = random();
      const trouble =
        fate < 0.1
          ? fails(429, 'ThrottledException', { 'retry-after': '1' })
          : fate < 0.2
            ? cuts()
            : fate < 0.3
              ? cuts({ afterTaking: () => true })
              : takes();
      trouble(call, response);
    });
    healthy.otherwise((call, response) =>
      random() < 0.1 ? (call.take(), response.destroy()) : takesHttp(call, response),
    );
    dead.otherwise((_, response) => void response.writeHead(503).end());
    const issued = new Map<string, number>();
    const acknowledged = new Set<string>();
    const config = configOf({ xray, healthy, gathered, dead });
    let program: Program | undefined;
    try {
      for (const end of ends) {
        program = start(folder, config);
        const address = await addressOf(program);
        const sending = Array.from({ length: senders }, () => send(address, { seed, issued, acknowledged }));
        await wait(300 + 700 * random());
        const code = await program.stop(end);
        if (end === 'SIGTERM') assert.equal(code, 0, program.errors());
        await Promise.all(sending);
      }
      program = start(folder, config);
      await addressOf(program);
      dead.otherwise(takesHttp);
      for (const [name, taken] of [
        ['AWS X-Ray', () => xray.taken.map((document) => JSON.parse(document).id)],
        ['the healthy backend', () => healthy.taken],
        ['the backend behind whole traces', () => gathered.taken],
        ['the backend that came back', () => dead.taken],
      ] as const) {
        await eventually(`all acknowledged spans at ${name}`, async () =>
          missing(acknowledged, taken()) === 0 ? true : undefined,
        );
        assert.deepEqual(
          taken().filter((id) => !issued.has(id)),
          [],
          `${name} holds spans that nobody sent`,
        );
      }
      for (const document of xray.taken) {
        const { id, name, annotations } = JSON.parse(document);
        assert.deepEqual([name, annotations.number], ['ledger', issued.get(id)], 'a span was changed');
      }
      assert.doesNotMatch(program.errors(), /dead letters/);
      t.diagnostic(`${acknowledged.size} of ${issued.size} spans acknowledged; X-Ray took ${xray.taken.length}`);
      assert.ok(acknowledged.size > 100);
    } finally {
      await program?.stop();
      for (const backend of [xray, healthy, gathered, dead]) await backend.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
);

function missing(acknowledged: ReadonlySet<string>, taken: readonly string[]): number {
  const there = new Set(taken);
  return [...acknowledged].filter((id) => !there.has(id)).length;
}

interface Ends {
  readonly xray: FakeXray;
  readonly healthy: FakeOtlp<HttpBehaviour>;
  readonly gathered: FakeOtlp<HttpBehaviour>;
  readonly dead: FakeOtlp<HttpBehaviour>;
}

function configOf({ xray, healthy, gathered, dead }: Ends): string {
  const retry = 'retry_on_failure: {initial_interval: 50ms, max_interval: 500ms}';
  return `
receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:0'}}}}
processors: {groupbytrace: {wait_duration: 200ms}}
exporters:
  awsxray: {endpoint: '${xray.endpoint}', region: eu-west-1, index_all_attributes: true}
  otlp_http/healthy: {endpoint: 'http://${healthy.address}', ${retry}}
  otlp_http/gathered: {endpoint: 'http://${gathered.address}', ${retry}}
  otlp_http/dead: {endpoint: 'http://${dead.address}', ${retry}}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [awsxray, otlp_http/healthy, otlp_http/dead]}
    traces/whole: {receivers: [otlp], processors: [groupbytrace], exporters: [otlp_http/gathered]}
`;
}

function start(folder: string, config: string): Program {
  const env = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };
  return startProgram(['serve', '--config', `yaml:${config}`, '--data-dir', folder, '--log-level', 'info'], env);
}

async function addressOf(program: Program): Promise<string> {
  return String((await program.logged('the listener', ({ msg }) => msg === 'listening'))['address']);
}

interface Ledger {
  readonly seed: string;
  /** Number by span id; the span follows from it. */
  readonly issued: Map<string, number>;
  readonly acknowledged: Set<string>;
}

/** Sends until the process is gone. */
async function send(address: string, { seed, issued, acknowledged }: Ledger): Promise<void> {
  for (;;) {
    const spans = Array.from({ length: spansPerRequest }, () => {
      const number = issued.size;
      const digest = createHash('sha256').update(`${seed}-${number}`).digest('hex');
      issued.set(digest.slice(0, 16), number);
      return testSpan({
        traceId: digest.slice(16, 48),
        spanId: digest.slice(0, 16),
        name: 'ledger',
        attributes: new Map([['number', BigInt(number)]]),
      });
    });
    try {
      const headers = { 'content-type': 'application/x-protobuf' };
      const answer = await fetch(`http://${address}/v1/traces`, { method: 'POST', headers, body: encodeTraces(spans) });
      if (answer.status === 200) for (const { spanId } of spans) acknowledged.add(spanId);
      await answer.arrayBuffer();
    } catch {
      return;
    }
  }
}
