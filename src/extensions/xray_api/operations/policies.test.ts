import {
  DeleteResourcePolicyCommand,
  ListResourcePoliciesCommand,
  PutResourcePolicyCommand,
  type PutResourcePolicyCommandInput,
  type ResourcePolicy,
} from '@aws-sdk/client-xray';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { awsError, openTestXrayApi, testNow, type TestXrayApi } from '../../../../test/support/xray-api.ts';

const statement = {
  Sid: 'SNSAccess',
  Effect: 'Allow',
  Principal: { Service: 'sns.amazonaws.com' },
  Action: ['xray:PutTraceSegments', 'xray:GetSamplingRules', 'xray:GetSamplingTargets'],
  Resource: '*',
  Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } },
};
const document = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });

describe('resource policies', () => {
  let api: TestXrayApi;
  beforeEach(async () => void (api = await openTestXrayApi()));
  afterEach(() => api.close());

  async function put(members: Partial<PutResourcePolicyCommandInput> = {}): Promise<ResourcePolicy | undefined> {
    const command = new PutResourcePolicyCommand({ PolicyName: 'sns', PolicyDocument: document, ...members });
    return (await api.client.send(command)).ResourcePolicy;
  }

  const remove = (PolicyName: string, PolicyRevisionId?: string) =>
    api.client.send(new DeleteResourcePolicyCommand({ PolicyName, PolicyRevisionId }));
  const list = async () => (await api.client.send(new ListResourcePoliciesCommand({}))).ResourcePolicies;

  it('are kept as they were put, and counted up with each change', async () => {
    const LastUpdatedTime = new Date(testNow * 1000);
    const first = { PolicyName: 'sns', PolicyDocument: document, PolicyRevisionId: '1', LastUpdatedTime };
    assert.deepEqual(await put(), first);
    assert.deepEqual(await list(), [first]);

    const changed = ` ${document} `;
    api.pass(60);
    const second = {
      ...first,
      PolicyDocument: changed,
      PolicyRevisionId: '2',
      LastUpdatedTime: new Date((testNow + 60) * 1000),
    };
    assert.deepEqual(await put({ PolicyDocument: changed, PolicyRevisionId: '1' }), second);
    assert.deepEqual(await list(), [second]);
    await remove('sns', '2');
    assert.deepEqual(await list(), []);
  });

  it('are changed and deleted at the revision that is expected only', async () => {
    const wrong = (message: RegExp) => awsError('InvalidPolicyRevisionIdException', message);
    await assert.rejects(put({ PolicyRevisionId: '1' }), wrong(/there is no such policy$/));
    await assert.rejects(remove('sns', '1'), wrong(/there is no such policy$/));
    await put({ PolicyRevisionId: '0' });
    for (const PolicyRevisionId of ['0', '2', 'x', '']) {
      await assert.rejects(put({ PolicyRevisionId }), wrong(/the policy has revision 1$/));
      await assert.rejects(remove('sns', PolicyRevisionId), wrong(/the policy has revision 1$/));
    }
    await remove('sns');
    await assert.rejects(
      remove('sns'),
      awsError('InvalidRequestException', 'PolicyName: there is no resource policy sns'),
    );
  });

  it('are changed by one of those who want to at once', async () => {
    await put();
    const all = await Promise.allSettled(Array.from({ length: 5 }, () => put({ PolicyRevisionId: '1' })));
    assert.equal(all.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.equal((await list())?.[0]?.PolicyRevisionId, '2');
  });

  it('are five at most', async () => {
    for (const PolicyName of ['a', 'b', 'c', 'd', 'e']) await put({ PolicyName });
    await assert.rejects(put({ PolicyName: 'f' }), awsError('PolicyCountLimitExceededException', /at most 5/));
    await put({ PolicyName: 'e' });
    await remove('a');
    await put({ PolicyName: 'f' });
    assert.deepEqual(
      (await list())?.map(({ PolicyName }) => PolicyName),
      ['b', 'c', 'd', 'e', 'f'],
    );
  });

  it('have 5 KB at most', async () => {
    const room = 5 * 1024 - document.length;
    await put({ PolicyDocument: document + ' '.repeat(room) });
    const tooLarge = put({ PolicyDocument: document + ' '.repeat(room + 1) });
    await assert.rejects(tooLarge, awsError('PolicySizeLimitExceededException', /at most 5120 bytes$/));
  });

  it('are refused when they are no policy', async () => {
    const malformed = put({ PolicyDocument: '{"Version":"2012-10-17"}' });
    await assert.rejects(
      malformed,
      awsError('MalformedPolicyDocumentException', 'PolicyDocument: Statement: expected an object'),
    );
  });

  it('lock nobody out unless that is meant', async () => {
    const Statement = { Effect: 'Deny', Principal: '*', Action: 'xray:Put*', Resource: '*' };
    const locking = { PolicyDocument: JSON.stringify({ Statement }) };
    await assert.rejects(put(locking), awsError('LockoutPreventionException', /BypassPolicyLockoutCheck/));
    await put({ ...locking, BypassPolicyLockoutCheck: true });
    await put();
  });

  for (const [name, message] of [
    ['', 'PolicyName: expected 1 to 128 characters, got 0'],
    ['x'.repeat(129), 'PolicyName: expected 1 to 128 characters, got 129'],
    ['a b', /^PolicyName: expected 1 to 128 letters/],
    ['a/b', /^PolicyName: expected 1 to 128 letters/],
  ] as const) {
    it(`are refused with the name ${JSON.stringify(name.slice(0, 10))}`, async () => {
      await assert.rejects(put({ PolicyName: name }), awsError('InvalidRequestException', message));
      await assert.rejects(remove(name), awsError('InvalidRequestException', message));
    });
  }
});
