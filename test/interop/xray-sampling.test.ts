import { UpdateSamplingRuleCommand, type XRayClient } from '@aws-sdk/client-xray';
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type RunningRaybridge, startRaybridge } from '../support/raybridge.ts';
import { rootPath } from '../support/root.ts';
import { isByRate, reportedCounts, sampleNothingByDefault, withRules } from '../support/sampling-rules.ts';
import { openXrayClient } from '../support/xray-client.ts';
import type { Decisions, Order, SampleRequest } from './xray-sampling-program.ts';

const count = 10_000;

describe('centralised sampling of the X-Ray SDK for Node, through the port of the daemon', () => {
  let raybridge: RunningRaybridge;
  let client: XRayClient;
  let program: ChildProcess;

  before(async () => {
    raybridge = await startRaybridge(await mkdtemp(join(tmpdir(), 'raybridge-sampling-')));
    client = openXrayClient(raybridge.addresses.api);
    await sampleNothingByDefault(client);
    program = open();
  });
  after(async () => {
    program.kill();
    client.destroy();
    await raybridge.kill('SIGTERM');
    await rm(raybridge.dataDir, { recursive: true, force: true });
  });

  function open(): ChildProcess {
    const { tcp, udp } = raybridge.addresses;
    return fork(rootPath('dist', 'test', 'interop', 'xray-sampling-program.js'), {
      env: { ...process.env, AWS_XRAY_DAEMON_ADDRESS: `tcp:${tcp} udp:${udp}` },
    });
  }

  async function tell(order: Order, one = program): Promise<unknown> {
    one.send(order);
    const [answer] = await once(one, 'message');
    return answer;
  }

  async function decide(request: SampleRequest, one = program): Promise<Decisions> {
    // The program answers this order so.
    return (await tell({ order: 'decide', count, request }, one)) as Decisions;
  }

  it('samples everything at a rate of 1 and nothing at 0, of 10,000 requests', async () => {
    const rules = [
      { RuleName: 'all', ServiceName: 'all', FixedRate: 1 },
      { RuleName: 'none', ServiceName: 'none', FixedRate: 0 },
    ];
    await withRules(client, rules, async () => {
      await tell({ order: 'poll rules' });
      assert.deepEqual((await decide({ serviceName: 'all' })).sampled, { all: count });
      assert.equal((await decide({ serviceName: 'none' })).dropped, count);
      assert.equal((await decide({ serviceName: 'other' })).dropped, count);

      await tell({ order: 'poll targets' });
      assert.deepEqual(await reportedCounts(client, 'all'), { requests: count, sampled: count, borrowed: 0 });
      assert.deepEqual(await reportedCounts(client, 'none'), { requests: count, sampled: 0, borrowed: 0 });
    });
  });

  it('samples the share that the rate says', async () => {
    await withRules(client, [{ RuleName: 'some', FixedRate: 0.3 }], async () => {
      await tell({ order: 'poll rules' });
      const { some = 0 } = (await decide({ serviceName: 'shop' })).sampled;
      assert.ok(isByRate(some, { count, rate: 0.3 }), String(some));
    });
  });

  it('borrows one request a second from a reservoir, and reports it', async () => {
    await withRules(client, [{ RuleName: 'reservoir', ReservoirSize: 50 }], async () => {
      await tell({ order: 'poll rules' });
      const { sampled, seconds } = await decide({ serviceName: 'shop' });
      const { reservoir = 0 } = sampled;
      assert.ok(reservoir >= 1 && reservoir <= seconds, `${reservoir} in ${seconds} s`);
      await tell({ order: 'poll targets' });
      // This SDK does not count what it borrows as sampled.
      assert.deepEqual(await reportedCounts(client, 'reservoir'), { requests: count, sampled: 0, borrowed: reservoir });
    });
  });

  it('tries rules by priority, then by name', async () => {
    const rules = [
      { RuleName: 'c', Priority: 7, FixedRate: 1 },
      { RuleName: 'b', Priority: 5, FixedRate: 1 },
      { RuleName: 'a', Priority: 7, FixedRate: 1, ServiceName: 'a*' },
      { RuleName: 'first', Priority: 1, FixedRate: 1, ServiceName: 'x?z' },
    ];
    await withRules(client, rules, async () => {
      await tell({ order: 'poll rules' });
      assert.deepEqual((await decide({ serviceName: 'xyz' })).sampled, { first: count });
      assert.deepEqual((await decide({ serviceName: 'xz' })).sampled, { b: count });
      await client.send(new UpdateSamplingRuleCommand({ SamplingRuleUpdate: { RuleName: 'b', Priority: 9 } }));
      await tell({ order: 'poll rules' });
      assert.deepEqual((await decide({ serviceName: 'abc' })).sampled, { a: count });
      assert.deepEqual((await decide({ serviceName: 'bcd' })).sampled, { c: count });
    });
  });

  it('matches service, type, host, method and path by wildcards, and leaves rules with attributes alone', async () => {
    const rule = {
      RuleName: 'checkout',
      ServiceName: 'shop-*',
      ServiceType: 'AWS::ECS::*',
      Host: '*.example',
      HTTPMethod: 'P?ST',
      URLPath: '/checkout/*',
      FixedRate: 1,
    };
    const attributes = { RuleName: 'attributes', Priority: 1, FixedRate: 1, Attributes: { tier: '*' } };
    const matching = {
      serviceName: 'Shop-eu',
      serviceType: 'AWS::ECS::Container',
      host: 'eu.shop.example',
      httpMethod: 'POST',
      urlPath: '/checkout/7',
    };
    await withRules(client, [rule, attributes], async () => {
      await tell({ order: 'poll rules' });
      assert.deepEqual((await decide(matching)).sampled, { checkout: count });
      const others = { serviceName: 'stock', serviceType: 'AWS::EC2::Instance', host: 'shop', httpMethod: 'PUT' };
      for (const [member, other] of Object.entries({ ...others, urlPath: '/cart' })) {
        assert.equal((await decide({ ...matching, [member]: other })).dropped, count, member);
      }
    });
  });

  it('takes a new rate with the next targets, and a new rule with the next rules', async () => {
    await withRules(client, [{ RuleName: 'changing', FixedRate: 1 }], async () => {
      await tell({ order: 'poll rules' });
      assert.deepEqual((await decide({ serviceName: 'shop' })).sampled, { changing: count });
      const update = { RuleName: 'changing', FixedRate: 0 };
      await client.send(new UpdateSamplingRuleCommand({ SamplingRuleUpdate: update }));
      await tell({ order: 'poll targets' });
      assert.equal((await decide({ serviceName: 'shop' })).dropped, count);
    });
    await tell({ order: 'poll rules' });
    assert.equal((await decide({ serviceName: 'shop' })).dropped, count);
    await tell({ order: 'poll targets' });
    assert.ok((await reportedCounts(client, 'Default')).requests >= count);
  });

  it('reports from every instance of a program, and the counts add up', async () => {
    await withRules(client, [{ RuleName: 'shared', FixedRate: 1 }], async () => {
      const other = open();
      try {
        for (const one of [program, other]) {
          await tell({ order: 'poll rules' }, one);
          assert.deepEqual((await decide({ serviceName: 'shop' }, one)).sampled, { shared: count });
          await tell({ order: 'poll targets' }, one);
        }
        assert.deepEqual(await reportedCounts(client, 'shared'), {
          requests: 2 * count,
          sampled: 2 * count,
          borrowed: 0,
        });
      } finally {
        other.kill();
      }
    });
  });
});
