import {
  CreateGroupCommand,
  DeleteGroupCommand,
  GetGroupCommand,
  GetGroupsCommand,
  GetServiceGraphCommand,
  GetTraceSummariesCommand,
  type Group,
  ListTagsForResourceCommand,
  paginateGetGroups,
  UpdateGroupCommand,
} from '@aws-sdk/client-xray';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { testSpan } from '../../../../test/support/span.ts';
import { awsError, openTestXrayApi, testNow, type TestXrayApi } from '../../../../test/support/xray-api.ts';

const arnPattern = /^arn:aws:xray:local:000000000000:group\/shop\/[0-9a-f-]{36}$/;
const off = { InsightsEnabled: false, NotificationsEnabled: false };

describe('groups', () => {
  let api: TestXrayApi;
  beforeEach(async () => void (api = await openTestXrayApi()));
  afterEach(() => api.close());

  async function create(GroupName: string, members: object = {}): Promise<Group> {
    const { Group: created } = await api.client.send(new CreateGroupCommand({ GroupName, ...members }));
    assert.ok(created);
    return created;
  }

  async function names(): Promise<readonly (string | undefined)[]> {
    const { Groups = [] } = await api.client.send(new GetGroupsCommand({}));
    return Groups.map(({ GroupName }) => GroupName);
  }

  it('are made with a name, an ARN of their own, a filter expression and no insights', async () => {
    const created = await create('shop', { FilterExpression: 'service("shop") AND fault' });
    const { GroupARN, ...others } = created;
    assert.match(GroupARN ?? '', arnPattern);
    assert.deepEqual(others, {
      GroupName: 'shop',
      FilterExpression: 'service("shop") AND fault',
      InsightsConfiguration: off,
    });
    for (const reference of [{ GroupName: 'shop' }, { GroupARN }, { GroupName: 'shop', GroupARN }]) {
      const { Group: found } = await api.client.send(new GetGroupCommand(reference));
      assert.deepEqual(found, created);
    }
  });

  it('have names in which upper and lower case differ', async () => {
    await create('shop');
    await create('SHOP');
    await create('default');
    assert.deepEqual(await names(), ['Default', 'SHOP', 'default', 'shop']);
  });

  it('always hold Default, also by the ARN of any account, which cannot be deleted and keeps every trace', async () => {
    const { Group: byName } = await api.client.send(new GetGroupCommand({ GroupName: 'Default' }));
    assert.deepEqual(byName, {
      GroupName: 'Default',
      GroupARN: 'arn:aws:xray:local:000000000000:group/Default',
      InsightsConfiguration: { InsightsEnabled: true, NotificationsEnabled: false },
    });
    const GroupARN = 'arn:aws:xray:eu-west-1:111122223333:group/Default';
    const { Group: byArn } = await api.client.send(new GetGroupCommand({ GroupARN }));
    assert.deepEqual(byArn, byName);

    const deleting = api.client.send(new DeleteGroupCommand({ GroupName: 'Default' }));
    await assert.rejects(deleting, awsError('InvalidRequestException', /cannot be deleted/));
    const filtering = api.client.send(new UpdateGroupCommand({ GroupName: 'Default', FilterExpression: 'fault' }));
    await assert.rejects(filtering, awsError('InvalidRequestException', /holds every trace/));

    const InsightsConfiguration = { InsightsEnabled: true, NotificationsEnabled: true };
    await api.client.send(new UpdateGroupCommand({ GroupName: 'Default', InsightsConfiguration }));
    const { Groups } = await api.client.send(new GetGroupsCommand({}));
    assert.deepEqual(Groups, [{ ...byName, InsightsConfiguration }]);
  });

  it('keep what an update does not name, and their ARN', async () => {
    const InsightsConfiguration = { InsightsEnabled: true, NotificationsEnabled: true };
    const created = await create('shop', { FilterExpression: 'fault', InsightsConfiguration });
    const update = async (members: object): Promise<Group | undefined> =>
      (await api.client.send(new UpdateGroupCommand({ GroupARN: created.GroupARN, ...members }))).Group;

    assert.deepEqual(await update({}), created);
    assert.deepEqual(await update({ FilterExpression: 'error' }), { ...created, FilterExpression: 'error' });
    const quiet = { InsightsConfiguration: { InsightsEnabled: false } };
    assert.deepEqual((await update(quiet))?.InsightsConfiguration, off);
    const { FilterExpression: _, ...bare } = created;
    assert.deepEqual(await update({ FilterExpression: '' }), { ...bare, InsightsConfiguration: off });
  });

  for (const [what, members, message] of [
    ['no name', { GroupName: undefined }, 'GroupName: expected it, got nothing'],
    ['an empty name', { GroupName: '' }, 'GroupName: expected 1 to 32 characters, got 0'],
    ['a name too long', { GroupName: 'x'.repeat(33) }, 'GroupName: expected 1 to 32 characters, got 33'],
    ['a space in the name', { GroupName: 'my shop' }, /^GroupName: expected 1 to 32 letters, digits and dashes/],
    ['a path for a name', { GroupName: '../x' }, /^GroupName: expected 1 to 32 letters/],
    ['the name Default', { GroupName: 'Default' }, 'GroupName: the group Default exists already'],
    ['a name that is taken', { GroupName: 'taken' }, 'GroupName: the group taken exists already'],
    [
      'an expression that cannot be read',
      { FilterExpression: 'fault AND' },
      /^Invalid filter expression: .* at position/,
    ],
    ['an expression that names a group', { FilterExpression: '!(group.name = "a" OR ok)' }, /cannot name groups/],
    [
      'notifications without insights',
      { InsightsConfiguration: { NotificationsEnabled: true } },
      'InsightsConfiguration: NotificationsEnabled needs InsightsEnabled',
    ],
    ['a bad tag', { Tags: [{ Key: 'aws:x', Value: '' }] }, /^Tags: Key: expected one that does not begin with aws:/],
    [
      'more tags than a group can have',
      { Tags: Array.from({ length: 51 }, (_, i) => ({ Key: `${i}`, Value: '' })) },
      'Tags: expected at most 50, got 51',
    ],
  ] as const) {
    it(`are not made with ${what}`, async () => {
      await create('taken');
      const command = new CreateGroupCommand({ GroupName: 'mine', ...members } as { GroupName: string });
      await assert.rejects(api.client.send(command), awsError('InvalidRequestException', message));
      assert.deepEqual(await names(), ['Default', 'taken']);
    });
  }

  it('are not found under another name, another ARN, or none', async () => {
    const { GroupARN = '' } = await create('shop');
    for (const [reference, message] of [
      [{}, 'GroupName: expected it or GroupARN, got neither'],
      [{ GroupName: 'Shop' }, 'GroupName: there is no group "Shop"'],
      [{ GroupARN: `${GroupARN}0` }, /^GroupARN: there is no group "arn:/],
      [{ GroupName: 'Default', GroupARN }, 'GroupName: there is no group "Default" with this GroupARN'],
    ] as const) {
      for (const command of [
        new GetGroupCommand(reference),
        new UpdateGroupCommand(reference),
        new DeleteGroupCommand(reference),
      ]) {
        await assert.rejects(
          // The three have one client and different answers.
          api.client.send(command as GetGroupCommand),
          awsError('InvalidRequestException', message),
        );
      }
    }
  });

  it('go with their tags, and come again under another ARN', async () => {
    const { GroupARN: ResourceARN } = await create('other');
    assert.deepEqual((await api.client.send(new ListTagsForResourceCommand({ ResourceARN }))).Tags, []);
    const first = await create('shop', { Tags: [{ Key: 'stage', Value: 'test' }] });
    const { Tags } = await api.client.send(new ListTagsForResourceCommand({ ResourceARN: first.GroupARN }));
    assert.deepEqual(Tags, [{ Key: 'stage', Value: 'test' }]);

    await api.client.send(new DeleteGroupCommand({ GroupARN: first.GroupARN }));
    assert.deepEqual(await names(), ['Default', 'other']);
    assert.deepEqual(await api.store.readState('tags'), new Map());
    const listing = api.client.send(new ListTagsForResourceCommand({ ResourceARN: first.GroupARN }));
    await assert.rejects(
      listing,
      awsError('ResourceNotFoundException', /^ResourceARN: /, { ResourceName: first.GroupARN }),
    );
    assert.notEqual((await create('shop')).GroupARN, first.GroupARN);
  });

  it('are 25 at most beside Default, listed over pages, by name', async () => {
    const wanted = Array.from({ length: 25 }, (_, i) => `group-${String(i).padStart(2, '0')}`);
    await Promise.all(wanted.map((name) => create(name)));
    await assert.rejects(create('another'), awsError('InvalidRequestException', /at most 25 groups/));

    const pages = [];
    for await (const page of paginateGetGroups({ client: api.client }, {})) pages.push(page);
    assert.deepEqual(
      pages.flatMap(({ Groups = [] }) => Groups.map(({ GroupName }) => GroupName)),
      ['Default', ...wanted],
    );
    assert.equal(pages.length, 2);
    const [token = ''] = pages.flatMap(({ NextToken }) => NextToken ?? []);
    assert.ok(token.length <= 100, 'the longest token that GetGroups takes');
    const wrong = api.client.send(new GetGroupsCommand({ NextToken: `${token}A` }));
    await assert.rejects(wrong, awsError('InvalidRequestException', /^NextToken /));

    await api.client.send(new DeleteGroupCommand({ GroupName: 'group-07' }));
    await create('another');
  });

  it('choose traces in filter expressions and graphs as they are when asked', async () => {
    await writeTraces();
    await create('faults', { FilterExpression: 'fault' });
    const range = { StartTime: new Date((testNow - 60) * 1000), EndTime: new Date(testNow * 1000) };
    const count = async (FilterExpression: string): Promise<number | undefined> =>
      (await api.client.send(new GetTraceSummariesCommand({ ...range, FilterExpression }))).TraceSummaries?.length;
    const services = async (GroupName?: string): Promise<readonly (string | undefined)[]> => {
      const { Services = [] } = await api.client.send(new GetServiceGraphCommand({ ...range, GroupName }));
      return Services.filter(({ Type }) => Type !== 'client').map(({ Name }) => Name);
    };

    assert.equal(await count('group.name = "faults"'), 1);
    assert.equal(await count('group.name != "faults"'), 2);
    assert.equal(await count('group.name = "Default"'), 3);
    assert.equal(await count('group.name = "unknown"'), 0);
    assert.deepEqual(await services('faults'), ['broken']);
    assert.deepEqual(new Set(await services('Default')), new Set(['broken', 'well']));

    await api.client.send(new UpdateGroupCommand({ GroupName: 'faults', FilterExpression: 'service("well")' }));
    assert.equal(await count('group.name = "faults"'), 2);
    assert.deepEqual(await services('faults'), ['well']);
    await api.client.send(new DeleteGroupCommand({ GroupName: 'faults' }));
    await assert.rejects(services('faults'), awsError('InvalidRequestException', /there is no group "faults"/));
  });

  async function writeTraces(): Promise<void> {
    const spans = ['broken', 'well', 'well'].map((service, i) =>
      testSpan({
        traceId: `f${String(i).padStart(31, '0')}`,
        startTimeNs: BigInt(testNow - 10) * 1_000_000_000n,
        endTimeNs: BigInt(testNow - 9) * 1_000_000_000n,
        attributes: new Map([['http.response.status_code', service === 'broken' ? 500n : 200n]]),
        resource: {
          attributes: new Map([['service.name', service]]),
          droppedAttributesCount: 0,
          schemaUrl: '',
          entityRefs: [],
        },
      }),
    );
    await api.store.write({ spans, receivedAtNs: BigInt(testNow) * 1_000_000_000n, version: 1n, token: '1' });
  }
});
