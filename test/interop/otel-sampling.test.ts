import { UpdateSamplingRuleCommand, type XRayClient } from '@aws-sdk/client-xray';
import { type Attributes, ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AWSXRayRemoteSampler } from '@opentelemetry/sampler-aws-xray';
import { SamplingDecision } from '@opentelemetry/sdk-trace-node';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { callsAnswered, type HeldIntervals, holdIntervals } from '../support/held-intervals.ts';
import { type RunningRaybridge, startRaybridge } from '../support/raybridge.ts';
import {
  isByRate,
  reportedCounts,
  type RuleMembers,
  sampleNothingByDefault,
  withRules,
} from '../support/sampling-rules.ts';
import { openXrayClient } from '../support/xray-client.ts';

const count = 10_000;
/** Enough where every request is decided alike. */
const few = 100;

describe("OpenTelemetry JS's X-Ray sampler, through the port of the daemon", () => {
  let raybridge: RunningRaybridge;
  let client: XRayClient;
  let intervals: HeldIntervals;

  before(async () => {
    raybridge = await startRaybridge(await mkdtemp(join(tmpdir(), 'raybridge-sampling-')));
    client = openXrayClient(raybridge.addresses.api);
    await sampleNothingByDefault(client);
    intervals = holdIntervals();
  });
  after(async () => {
    intervals.release();
    client.destroy();
    await raybridge.kill('SIGTERM');
    await rm(raybridge.dataDir, { recursive: true, force: true });
  });

  /** A program that has just started and knows the rules. */
  async function open(resource: Attributes = { 'service.name': 'shop' }): Promise<AWSXRayRemoteSampler> {
    const sampler = new AWSXRayRemoteSampler({
      resource: resourceFromAttributes(resource),
      endpoint: `http://${raybridge.addresses.tcp}`,
    });
    await callsAnswered();
    return sampler;
  }

  /** What happens every ten seconds: reports, new targets, and new rules when they say so. */
  async function pollTargets(): Promise<void> {
    intervals.run({ from: 10_000, to: 20_000 });
    await callsAnswered();
  }

  async function withSampler(
    rules: readonly RuleMembers[],
    run: (sampler: AWSXRayRemoteSampler) => Promise<void>,
    resource?: Attributes,
  ): Promise<void> {
    await withRules(client, rules, async () => {
      const sampler = await open(resource);
      try {
        await run(sampler);
      } finally {
        sampler.stopPollers();
      }
    });
  }

  it('samples everything at a rate of 1 and nothing at 0, of 10,000 requests', async () => {
    const rules = [
      { RuleName: 'all', URLPath: '/all', FixedRate: 1 },
      { RuleName: 'none', URLPath: '/none', FixedRate: 0 },
    ];
    await withSampler(rules, async (sampler) => {
      assert.equal(decide(sampler, { 'url.path': '/all' }), count);
      assert.equal(decide(sampler, { 'url.path': '/none' }), 0);
      assert.equal(decide(sampler, { 'url.path': '/other' }), 0);
      await pollTargets();
      assert.deepEqual(await reportedCounts(client, 'all'), { requests: count, sampled: count, borrowed: 0 });
      assert.deepEqual(await reportedCounts(client, 'none'), { requests: count, sampled: 0, borrowed: 0 });
      assert.equal(decide(sampler, { 'url.path': '/all' }), count);
    });
  });

  it('samples the share that the rate says', async () => {
    await withSampler([{ RuleName: 'some', FixedRate: 0.3 }], async (sampler) => {
      const sampled = decide(sampler, {});
      assert.ok(isByRate(sampled, { count, rate: 0.3 }), String(sampled));
    });
  });

  it('tries rules by priority, then by name', async () => {
    const rules = [
      { RuleName: 'b', Priority: 5, URLPath: '/a*', FixedRate: 0 },
      { RuleName: 'a', Priority: 5, URLPath: '/ab*', FixedRate: 1 },
      { RuleName: 'first', Priority: 1, URLPath: '/abc', FixedRate: 0 },
      { RuleName: 'last', Priority: 9999, FixedRate: 1 },
    ];
    await withSampler(rules, async (sampler) => {
      const sampled = ['/abc', '/ab', '/a', '/'].map((path) => decide(sampler, { 'url.path': path }, few));
      assert.deepEqual(sampled, [0, few, 0, few]);
    });
  });

  const matching: Attributes = {
    'url.path': '/checkout/7',
    'http.request.method': 'POST',
    'server.address': 'eu.shop.example',
    tier: 'Golden',
    tenant: 'acme',
  };
  const fields: readonly (readonly [pattern: Partial<RuleMembers>, other: Attributes])[] = [
    [{ URLPath: '/checkout/*' }, { 'url.path': '/cart' }],
    [{ HTTPMethod: 'P?ST' }, { 'http.request.method': 'PUT' }],
    [{ Host: '*.example' }, { 'server.address': 'localhost' }],
    [{ Attributes: { tier: 'gold*', tenant: '?cme' } }, { tier: 'silver' }],
  ];
  for (const [pattern, other] of fields) {
    it(`matches ${Object.keys(pattern).join()} by wildcards`, async () => {
      await withSampler([{ RuleName: 'one', FixedRate: 1, ...pattern }], async (sampler) => {
        assert.equal(decide(sampler, matching, few), few);
        assert.equal(decide(sampler, { ...matching, ...other }, few), 0);
      });
    });
  }

  const resources: readonly (readonly [pattern: Partial<RuleMembers>, matches: boolean])[] = [
    [{ ServiceName: 'SHOP-*', ServiceType: 'AWS::ECS::Container', ResourceARN: '*:task/*' }, true],
    [{ ServiceName: 'stock-*' }, false],
    [{ ServiceType: 'AWS::Lambda::*' }, false],
    [{ ResourceARN: 'arn:aws:lambda:*' }, false],
  ];
  for (const [pattern, matches] of resources) {
    it(`${matches ? 'matches' : 'does not match'} ${Object.values(pattern).join()} with its resource`, async () => {
      const resource = {
        'service.name': 'shop-eu',
        'cloud.platform': 'aws_ecs',
        'aws.ecs.container.arn': 'arn:aws:ecs:eu-west-1:123456789012:task/7',
      };
      const decided = async (sampler: AWSXRayRemoteSampler) =>
        assert.equal(decide(sampler, {}, few), matches ? few : 0);
      await withSampler([{ RuleName: 'one', FixedRate: 1, ...pattern }], decided, resource);
    });
  }

  it('takes a new rate with the next targets, and reads the rules again when one was changed or deleted', async () => {
    const sampler = await open();
    try {
      await withRules(client, [{ RuleName: 'changing', URLPath: '/old', FixedRate: 1 }], async () => {
        assert.equal(decide(sampler, { 'url.path': '/old' }, few), 0);
        await pollTargets();
        assert.equal(decide(sampler, { 'url.path': '/old' }, few), few);
        const update = { RuleName: 'changing', URLPath: '/new' };
        await client.send(new UpdateSamplingRuleCommand({ SamplingRuleUpdate: update }));
        await pollTargets();
        assert.equal(decide(sampler, { 'url.path': '/old' }, few), 0);
        assert.equal(decide(sampler, { 'url.path': '/new' }, few), few);
      });
      await pollTargets();
      assert.equal(decide(sampler, { 'url.path': '/new' }, few), 0);
    } finally {
      sampler.stopPollers();
    }
  });

  it('takes its part of the reservoir, by the share of requests that it has', async () => {
    const rule = { RuleName: 'shared', ServiceName: 'shop', ReservoirSize: 10 };
    const realNow = Date.now;
    await withRules(client, [rule], async () => {
      // Both clients spend by the second of this clock, which moves when it is told to.
      let now = realNow();
      Date.now = () => now;
      const [busy, quiet] = [await open(), await open()];
      try {
        // A target is made of what the others said last, so the parts are right from the second or third report on.
        let taken: readonly number[] = [];
        for (let round = 0; round < 10 && taken.join() !== '8,2'; round++) {
          now += 1000;
          taken = [decide(busy, {}, 80), decide(quiet, {}, 20)];
          // Before any target, each borrows one a second.
          if (round === 0) assert.deepEqual(taken, [1, 1]);
          await pollTargets();
        }
        assert.deepEqual(taken, [8, 2]);
      } finally {
        Date.now = realNow;
        busy.stopPollers();
        quiet.stopPollers();
      }
    });
  });
});

/** How many of so many requests, each the first of its trace, are sampled. */
function decide(sampler: AWSXRayRemoteSampler, attributes: Attributes, requests = count): number {
  let sampled = 0;
  for (let i = 0; i < requests; i++) {
    const traceId = randomBytes(16).toString('hex');
    const { decision } = sampler.shouldSample(ROOT_CONTEXT, traceId, 'request', SpanKind.SERVER, attributes, []);
    if (decision === SamplingDecision.RECORD_AND_SAMPLED) sampled++;
  }
  return sampled;
}
