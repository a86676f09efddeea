import {
  CreateSamplingRuleCommand,
  DeleteSamplingRuleCommand,
  GetSamplingRulesCommand,
  GetSamplingTargetsCommand,
  UpdateSamplingRuleCommand,
  type XRayClient,
} from '@aws-sdk/client-xray';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { startRaybridge } from '../support/raybridge.ts';
import { ruleOf } from '../support/sampling-rules.ts';
import { openXrayClient } from '../support/xray-client.ts';

it('has every sampling rule as it was answered, and the time of the last change, after kill -9', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'raybridge-sampling-'));
  try {
    const before = await runUntilKilled(dataDir, async (client) => {
      for (const RuleName of ['kept', 'deleted']) {
        await client.send(new CreateSamplingRuleCommand({ SamplingRule: ruleOf({ RuleName }) }));
      }
      const changes = { RuleName: 'kept', Attributes: { tier: 'gold' }, FixedRate: 0.1 };
      await client.send(new UpdateSamplingRuleCommand({ SamplingRuleUpdate: changes }));
      await client.send(new DeleteSamplingRuleCommand({ RuleName: 'deleted' }));
      return await readAll(client);
    });
    assert.deepEqual(
      before.rules?.map(({ SamplingRule }) => SamplingRule?.RuleName),
      ['kept', 'Default'],
    );
    assert.ok(before.modifiedAt && before.modifiedAt.getTime() > Date.now() - 60_000);
    assert.deepEqual(await runUntilKilled(dataDir, readAll), before);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

async function runUntilKilled<Result>(dataDir: string, run: (client: XRayClient) => Promise<Result>): Promise<Result> {
  const raybridge = await startRaybridge(dataDir);
  const client = openXrayClient(raybridge.addresses.api);
  try {
    return await run(client);
  } finally {
    client.destroy();
    await raybridge.kill('SIGKILL');
  }
}

async function readAll(client: XRayClient) {
  const { SamplingRuleRecords: rules } = await client.send(new GetSamplingRulesCommand({}));
  const targets = await client.send(new GetSamplingTargetsCommand({ SamplingStatisticsDocuments: [] }));
  return { rules, modifiedAt: targets.LastRuleModification };
}
