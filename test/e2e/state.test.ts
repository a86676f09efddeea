import {
  CreateGroupCommand,
  GetEncryptionConfigCommand,
  GetGroupsCommand,
  GetIndexingRulesCommand,
  GetTraceSegmentDestinationCommand,
  ListResourcePoliciesCommand,
  ListRetrievedTracesCommand,
  ListTagsForResourceCommand,
  PutEncryptionConfigCommand,
  PutResourcePolicyCommand,
  StartTraceRetrievalCommand,
  UpdateGroupCommand,
  UpdateIndexingRuleCommand,
  UpdateTraceSegmentDestinationCommand,
  type XRayClient,
} from '@aws-sdk/client-xray';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startRaybridge } from '../support/raybridge.ts';
import { openXrayClient } from '../support/xray-client.ts';

describe('what is set through the X-Ray API', () => {
  it('is there after the process was killed and started again', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'raybridge-'));
    try {
      const before = await withApi(dataDir, 'SIGKILL', async (client) => {
        await untilStoreAnswers(client);
        const token = await setEverything(client);
        return { token, found: await readEverything(client, token) };
      });
      const found = await withApi(dataDir, 'SIGTERM', async (client) => {
        await untilStoreAnswers(client);
        return await readEverything(client, before.token);
      });
      assert.deepEqual(found, before.found);
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});

/** Runs `work` against a Raybridge that is ended by the signal afterwards. */
async function withApi<Result>(
  dataDir: string,
  signal: 'SIGKILL' | 'SIGTERM',
  work: (client: XRayClient) => Promise<Result>,
): Promise<Result> {
  const raybridge = await startRaybridge(dataDir);
  const client = openXrayClient(raybridge.addresses.api);
  try {
    return await work(client);
  } catch (error) {
    process.stderr.write(`Raybridge printed:\n${raybridge.output()}\n`);
    throw error;
  } finally {
    client.destroy();
    await raybridge.kill(signal);
  }
}

async function untilStoreAnswers(client: XRayClient): Promise<void> {
  await eventually('the store to answer', () => client.send(new GetGroupsCommand({})).catch(() => undefined));
}

/** The token of a retrieval. */
async function setEverything(client: XRayClient): Promise<string> {
  const Tags = [{ Key: 'team', Value: 'checkout' }];
  await client.send(new CreateGroupCommand({ GroupName: 'shop', FilterExpression: 'service("shop")', Tags }));
  const InsightsConfiguration = { InsightsEnabled: true };
  await client.send(new UpdateGroupCommand({ GroupName: 'Default', InsightsConfiguration }));
  const Statement = { Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'xray:*', Resource: '*' };
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  await client.send(new PutResourcePolicyCommand({ PolicyName: 'sns', PolicyDocument }));
  await client.send(new PutEncryptionConfigCommand({ Type: 'KMS', KeyId: 'alias/mine' }));
  await client.send(new UpdateTraceSegmentDestinationCommand({ Destination: 'CloudWatchLogs' }));
  const Rule = { Probabilistic: { DesiredSamplingPercentage: 5 } };
  await client.send(new UpdateIndexingRuleCommand({ Name: 'Default', Rule }));
  const range = { StartTime: new Date(Date.now() - 60_000), EndTime: new Date() };
  const TraceIds = ['1-5759e988-bd862e3fe1be46a994272793'];
  const { RetrievalToken } = await client.send(new StartTraceRetrievalCommand({ TraceIds, ...range }));
  assert.ok(RetrievalToken);
  return RetrievalToken;
}

async function readEverything(client: XRayClient, RetrievalToken: string): Promise<object> {
  const { Groups = [] } = await client.send(new GetGroupsCommand({}));
  assert.deepEqual(
    Groups.map(({ GroupName, InsightsConfiguration }) => [GroupName, InsightsConfiguration?.InsightsEnabled]),
    [
      ['Default', true],
      ['shop', false],
    ],
  );
  const { Tags } = await client.send(new ListTagsForResourceCommand({ ResourceARN: Groups[1]?.GroupARN }));
  assert.equal(Tags?.length, 1);
  const { ResourcePolicies } = await client.send(new ListResourcePoliciesCommand({}));
  assert.equal(ResourcePolicies?.length, 1);
  const { EncryptionConfig } = await client.send(new GetEncryptionConfigCommand({}));
  assert.equal(EncryptionConfig?.KeyId, 'alias/mine');
  const { Destination } = await client.send(new GetTraceSegmentDestinationCommand({}));
  assert.equal(Destination, 'CloudWatchLogs');
  const { IndexingRules } = await client.send(new GetIndexingRulesCommand({}));
  assert.equal(IndexingRules?.[0]?.Rule?.Probabilistic?.DesiredSamplingPercentage, 5);
  const { RetrievalStatus } = await client.send(new ListRetrievedTracesCommand({ RetrievalToken }));
  assert.equal(RetrievalStatus, 'COMPLETE');
  return { Groups, Tags, ResourcePolicies, EncryptionConfig, Destination, IndexingRules };
}
