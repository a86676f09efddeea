import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type Agent, soon, startAgent } from '../support/agent.ts';
import { eventually } from '../support/eventually.ts';
import { type FakeOtlp, type HttpBehaviour, openFakeOtlpHttp, takesHttp } from '../support/fake-otlp.ts';
import { cuts, type FakeXray, fails, openFakeXray, spanOfDocument, takes } from '../support/fake-xray.ts';
import { createLedger, type Ledger } from '../support/ledger.ts';
import { seededRandom } from '../support/seeded-random.ts';

/**
 * The ledger over both ends of an agent (reliability 5.1; runs R7, R8 and R18 of 5.2): what was
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
    const ledger = createLedger(seed);
    const setup = setupOf(folder, { xray, healthy, gathered, dead });
    let agent: Agent | undefined;
    try {
      for (const end of ends) {
        agent = await startAgent(setup);
        const { address, program } = agent;
        const sending = Array.from({ length: senders }, () => send(address, ledger));
        await wait(300 + 700 * random());
        const code = await program.stop(end);
        if (end === 'SIGTERM') assert.equal(code, 0, program.errors());
        await Promise.all(sending);
      }
      agent = await startAgent(setup);
      dead.otherwise(takesHttp);
      for (const [name, taken] of [
        ['AWS X-Ray', () => xray.taken.map(spanOfDocument)],
        ['the healthy backend', () => healthy.spans],
        ['the backend behind whole traces', () => gathered.spans],
        ['the backend that came back', () => dead.spans],
      ] as const) {
        await eventually(`all acknowledged spans at ${name}`, async () =>
          ledger.judge(taken()).missing === 0 ? true : undefined,
        );
        const { invented, altered } = ledger.judge(taken());
        assert.deepEqual({ invented, altered }, { invented: 0, altered: 0 }, `at ${name}`);
      }
      assert.doesNotMatch(agent.program.errors(), /dead letters/);
      t.diagnostic(
        `${ledger.acknowledged.size} of ${ledger.issued} spans acknowledged; X-Ray took ${xray.taken.length}`,
      );
      assert.ok(ledger.acknowledged.size > 100);
    } finally {
      await agent?.program.stop();
      for (const backend of [xray, healthy, gathered, dead]) await backend.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
);

interface Ends {
  readonly xray: FakeXray;
  readonly healthy: FakeOtlp<HttpBehaviour>;
  readonly gathered: FakeOtlp<HttpBehaviour>;
  readonly dead: FakeOtlp<HttpBehaviour>;
}

function setupOf(folder: string, { xray, healthy, gathered, dead }: Ends) {
  return {
    folder,
    more: 'processors: {groupbytrace: {wait_duration: 200ms}}',
    exporters: {
      awsxray: `endpoint: '${xray.endpoint}', region: eu-west-1, index_all_attributes: true`,
      'otlp_http/healthy': `endpoint: 'http://${healthy.address}', ${soon}`,
      'otlp_http/gathered': `endpoint: 'http://${gathered.address}', ${soon}`,
      'otlp_http/dead': `endpoint: 'http://${dead.address}', ${soon}`,
    },
    pipelines: ['traces/whole: {receivers: [otlp], processors: [groupbytrace], exporters: [otlp_http/gathered]}'],
  };
}

/** Sends until the process is gone. */
async function send(address: string, ledger: Ledger): Promise<void> {
  for (;;) {
    try {
      await ledger.send(address, ledger.issue(spansPerRequest));
    } catch {
      return;
    }
  }
}
