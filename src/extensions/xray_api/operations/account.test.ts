import {
  GetEncryptionConfigCommand,
  GetIndexingRulesCommand,
  GetTraceSegmentDestinationCommand,
  PutEncryptionConfigCommand,
  type PutEncryptionConfigCommandInput,
  UpdateIndexingRuleCommand,
  type UpdateIndexingRuleCommandInput,
  UpdateTraceSegmentDestinationCommand,
  type UpdateTraceSegmentDestinationCommandInput,
} from '@aws-sdk/client-xray';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { awsError, openTestXrayApi, testNow, type TestXrayApi } from '../../../../test/support/xray-api.ts';

const keyId = '1234abcd-12ab-34cd-56ef-1234567890ab';
const keyArn = `arn:aws:kms:eu-west-1:111122223333:key/${keyId}`;

describe('the account', () => {
  let api: TestXrayApi;
  beforeEach(async () => void (api = await openTestXrayApi()));
  afterEach(() => api.close());

  describe('keeps its encryption', () => {
    const put = async (config: PutEncryptionConfigCommandInput) =>
      (await api.client.send(new PutEncryptionConfigCommand(config))).EncryptionConfig;
    const get = async () => (await api.client.send(new GetEncryptionConfigCommand({}))).EncryptionConfig;

    it('which is NONE at first, updating when it is put and active when asked for', async () => {
      assert.deepEqual(await get(), { Status: 'ACTIVE', Type: 'NONE' });
      for (const KeyId of [
        'alias/MyKey',
        keyId,
        `mrk-${'0a'.repeat(16)}`,
        keyArn,
        keyArn.replace(/key.*/, 'alias/my'),
      ]) {
        assert.deepEqual(await put({ Type: 'KMS', KeyId }), { KeyId, Status: 'UPDATING', Type: 'KMS' });
        assert.deepEqual(await get(), { KeyId, Status: 'ACTIVE', Type: 'KMS' });
      }
      assert.deepEqual(await put({ Type: 'NONE' }), { Status: 'UPDATING', Type: 'NONE' });
      assert.deepEqual(await get(), { Status: 'ACTIVE', Type: 'NONE' });
    });

    for (const [config, message] of [
      [{}, 'Type: expected it, got nothing'],
      [{ Type: 'AES' }, 'Type: expected NONE or KMS, got "AES"'],
      [{ Type: 'KMS' }, 'KeyId: expected a KMS key with the type KMS, got nothing'],
      [{ Type: 'KMS', KeyId: '' }, /^KeyId: expected the alias, id or ARN/],
      [{ Type: 'KMS', KeyId: 'my key' }, /^KeyId: expected the alias, id or ARN/],
      [{ Type: 'KMS', KeyId: `alias/${'x'.repeat(3000)}` }, /^KeyId: expected the alias, id or ARN/],
      [{ Type: 'NONE', KeyId: keyArn }, 'KeyId: expected none with the type NONE'],
    ] as const) {
      it(`and refuses ${JSON.stringify(config).slice(0, 60)}`, async () => {
        // The types of the SDK know that some of these are wrong.
        const refused = put(config as PutEncryptionConfigCommandInput);
        await assert.rejects(refused, awsError('InvalidRequestException', message));
        assert.deepEqual(await get(), { Status: 'ACTIVE', Type: 'NONE' });
      });
    }
  });

  describe('keeps its destination of segments', () => {
    const update = async (wish: UpdateTraceSegmentDestinationCommandInput) => {
      const { Destination, Status } = await api.client.send(new UpdateTraceSegmentDestinationCommand(wish));
      return [Destination, Status];
    };
    const get = async () => {
      const { Destination, Status } = await api.client.send(new GetTraceSegmentDestinationCommand({}));
      return [Destination, Status];
    };

    it('which is XRay at first, pending when it is updated and active when asked for', async () => {
      assert.deepEqual(await get(), ['XRay', 'ACTIVE']);
      assert.deepEqual(await update({ Destination: 'CloudWatchLogs' }), ['CloudWatchLogs', 'PENDING']);
      assert.deepEqual(await get(), ['CloudWatchLogs', 'ACTIVE']);
      await update({ Destination: 'XRay' });
      assert.deepEqual(await get(), ['XRay', 'ACTIVE']);
    });

    it('and takes a key for spans once, before there is a log group', async () => {
      const withKey = {
        Destination: 'CloudWatchLogs',
        CloudWatchLogsConfiguration: { SpansLogGroupKmsKeyId: keyArn },
      } as const;
      await update(withKey);
      await assert.rejects(update(withKey), awsError('InvalidRequestException', /aws\/spans exists already/));
      await update({ Destination: 'XRay' });
      await assert.rejects(update(withKey), awsError('InvalidRequestException', /aws\/spans exists already/));
      await update({ Destination: 'CloudWatchLogs', CloudWatchLogsConfiguration: {} });
    });

    for (const [wish, message] of [
      [{}, 'Destination: expected it, got nothing'],
      [{ Destination: 'S3' }, 'Destination: expected XRay or CloudWatchLogs, got "S3"'],
      [
        { Destination: 'XRay', CloudWatchLogsConfiguration: {} },
        'CloudWatchLogsConfiguration: expected it with the destination CloudWatchLogs only',
      ],
      ...[keyId, 'alias/my', keyArn.replace(/key.*/, 'alias/my')].map(
        (SpansLogGroupKmsKeyId) =>
          [
            { Destination: 'CloudWatchLogs', CloudWatchLogsConfiguration: { SpansLogGroupKmsKeyId } },
            /SpansLogGroupKmsKeyId: expected the ARN of a KMS key/,
          ] as const,
      ),
    ] as const) {
      it(`and refuses ${JSON.stringify(wish)}`, async () => {
        // The types of the SDK know that some of these are wrong.
        const refused = update(wish as UpdateTraceSegmentDestinationCommandInput);
        await assert.rejects(refused, awsError('InvalidRequestException', message));
        assert.deepEqual(await get(), ['XRay', 'ACTIVE']);
      });
    }
  });

  describe('keeps its indexing rule', () => {
    const update = async (rule: unknown) =>
      // The types of the SDK know that some of these are wrong.
      (await api.client.send(new UpdateIndexingRuleCommand(rule as UpdateIndexingRuleCommandInput))).IndexingRule;
    const get = async () => (await api.client.send(new GetIndexingRulesCommand({}))).IndexingRules;
    const rule = (desired: number, modifiedAt: number) => ({
      Name: 'Default',
      ModifiedAt: new Date(modifiedAt * 1000),
      Rule: { Probabilistic: { DesiredSamplingPercentage: desired, ActualSamplingPercentage: 100 } },
    });

    it('which wishes for 1 percent at first, and says that all traces are indexed', async () => {
      assert.deepEqual(await get(), [rule(1, 0)]);
      for (const desired of [0, 12.5, 100]) {
        const wish = { Name: 'Default', Rule: { Probabilistic: { DesiredSamplingPercentage: desired } } };
        assert.deepEqual(await update(wish), rule(desired, testNow));
        assert.deepEqual(await get(), [rule(desired, testNow)]);
      }
    });

    for (const [wish, message] of [
      [{}, 'Name: expected it, got nothing'],
      [{ Name: 'x'.repeat(33) }, 'Name: expected 1 to 32 characters, got 33'],
      [{ Name: 'Default' }, 'Rule: expected it, got nothing'],
      [{ Name: 'Default', Rule: {} }, 'Rule: expected exactly one member, Probabilistic'],
      [{ Name: 'Default', Rule: { Probabilistic: {} } }, 'DesiredSamplingPercentage: expected it, got nothing'],
      [
        { Name: 'Default', Rule: { Probabilistic: { DesiredSamplingPercentage: 100.5 } } },
        'Rule.Probabilistic.DesiredSamplingPercentage: expected 0 to 100, got 100.5',
      ],
      [
        { Name: 'Default', Rule: { Probabilistic: { DesiredSamplingPercentage: -1 } } },
        'Rule.Probabilistic.DesiredSamplingPercentage: expected 0 to 100, got -1',
      ],
    ] as const) {
      it(`and refuses ${JSON.stringify(wish)}`, async () => {
        await assert.rejects(update(wish), awsError('InvalidRequestException', message));
        assert.deepEqual(await get(), [rule(1, 0)]);
      });
    }

    it('and has no other', async () => {
      const other = update({ Name: 'mine', Rule: { Probabilistic: { DesiredSamplingPercentage: 5 } } });
      await assert.rejects(
        other,
        awsError('ResourceNotFoundException', /^Name: expected Default/, { ResourceName: 'mine' }),
      );
    });
  });
});
