import {
  CreateGroupCommand,
  GetEncryptionConfigCommand,
  GetGroupsCommand,
  GetIndexingRulesCommand,
  GetRetrievedTracesGraphCommand,
  GetServiceGraphCommand,
  GetTraceSummariesCommand,
  GetTraceSegmentDestinationCommand,
  ListResourcePoliciesCommand,
  ListRetrievedTracesCommand,
  ListTagsForResourceCommand,
  PutEncryptionConfigCommand,
  PutResourcePolicyCommand,
  PutTraceSegmentsCommand,
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
import { isDeepStrictEqual } from 'node:util';
import { eventually } from '../support/eventually.ts';
import { startRaybridge, withRaybridge } from '../support/raybridge.ts';
import { openXrayClient, readDocuments } from '../support/xray-client.ts';

describe('what is set through the X-Ray API', () => {
  it('works on traces in the real store: groups in filter expressions and graphs, retrievals in both formats', async () => {
    await withRaybridge(async ({ addresses }) => {
      const client = openXrayClient(addresses.api);
      await untilStoreAnswers(client);
      const now = Math.floor(Date.now() / 1000);
      const ids = ['shop', 'other'].map((name, i) => ({ name, traceId: `1-${now.toString(16)}-${`${i}`.repeat(24)}` }));
      const TraceSegmentDocuments = ids.map(({ name, traceId }, i) =>
        JSON.stringify({ trace_id: traceId, id: `${i + 1}`.repeat(16), name, start_time: now, end_time: now + 0.5 }),
      );
      await client.send(new PutTraceSegmentsCommand({ TraceSegmentDocuments }));
      for (const { traceId } of ids) await readDocuments(client, traceId);
      await client.send(new CreateGroupCommand({ GroupName: 'shop', FilterExpression: 'service("shop")' }));

      const range = { StartTime: new Date((now - 60) * 1000), EndTime: new Date((now + 60) * 1000) };
      const wanted = [ids[0]?.traceId];
      await eventually('the summary of the group', async () => {
        const FilterExpression = 'group.name = "shop"';
        const { TraceSummaries } = await client.send(new GetTraceSummariesCommand({ ...range, FilterExpression }));
        const found = TraceSummaries?.map(({ Id }) => Id);
        return isDeepStrictEqual(found, wanted) || undefined;
      });
      const { Services } = await client.send(new GetServiceGraphCommand({ ...range, GroupName: 'shop' }));
      assert.ok(Services?.some(({ Name }) => Name === 'shop'));

      const TraceIds = ids.map(({ traceId }) => traceId);
      const { RetrievalToken } = await client.send(new StartTraceRetrievalCommand({ TraceIds, ...range }));
      for (const TraceFormat of ['XRAY', 'OTEL'] as const) {
        const { Traces } = await client.send(new ListRetrievedTracesCommand({ RetrievalToken, TraceFormat }));
        assert.deepEqual(
          Traces?.map(({ Id, Duration, Spans }) => [Id, Duration, Spans?.map((span) => span.Id)]),
          ids.map(({ traceId }, i) => [traceId, 0.5, [`${i + 1}`.repeat(16)]]),
        );
      }
      const { Services: retrieved } = await client.send(new GetRetrievedTracesGraphCommand({ RetrievalToken }));
      assert.deepEqual(new Set(retrieved?.map(({ Service }) => Service?.Name)), new Set(['shop', 'other']));
      client.destroy();
    });
  });

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
  const InsightsConfiguration = { InsightsEnabled: false };
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
      ['Default', false],
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
