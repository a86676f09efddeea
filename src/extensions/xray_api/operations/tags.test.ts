import {
  CreateGroupCommand,
  CreateSamplingRuleCommand,
  DeleteSamplingRuleCommand,
  ListTagsForResourceCommand,
  paginateListTagsForResource,
  type Tag,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-xray';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { awsError, openTestXrayApi, type TestXrayApi } from '../../../../test/support/xray-api.ts';
import { ruleOf } from '../../../../test/support/sampling-rules.ts';
import { defaultSamplingRule } from '../../../sampling/index.ts';

describe('tags', () => {
  let api: TestXrayApi;
  let groupArn: string;

  beforeEach(async () => {
    api = await openTestXrayApi();
    const { Group } = await api.client.send(new CreateGroupCommand({ GroupName: 'shop' }));
    groupArn = Group?.GroupARN ?? '';
  });
  afterEach(() => api.close());

  const tag = (ResourceARN: string, Tags: Tag[]) => api.client.send(new TagResourceCommand({ ResourceARN, Tags }));
  const untag = (ResourceARN: string, TagKeys: string[]) =>
    api.client.send(new UntagResourceCommand({ ResourceARN, TagKeys }));
  const list = async (ResourceARN: string) =>
    (await api.client.send(new ListTagsForResourceCommand({ ResourceARN }))).Tags;

  it('are put on groups and sampling rules, replaced by key, and taken away', async () => {
    for (const arn of [groupArn, defaultSamplingRule.ruleArn]) {
      assert.deepEqual(await list(arn), []);
      await tag(arn, [
        { Key: 'team', Value: 'checkout' },
        { Key: 'Größe _.:/=+-@9', Value: '' },
      ]);
      await tag(arn, [
        { Key: 'team', Value: 'payment' },
        { Key: 'Team', Value: '1' },
      ]);
      assert.deepEqual(await list(arn), [
        { Key: 'Größe _.:/=+-@9', Value: '' },
        { Key: 'Team', Value: '1' },
        { Key: 'team', Value: 'payment' },
      ]);
      await untag(arn, ['team', 'Größe _.:/=+-@9', 'never there']);
      assert.deepEqual(await list(arn), [{ Key: 'Team', Value: '1' }]);
      await untag(arn, ['Team']);
      assert.deepEqual(await list(arn), []);
    }
  });

  it('come with a sampling rule that is created, and go with it', async () => {
    const rule = ruleOf({ RuleName: 'checkout', Priority: 10, FixedRate: 0.25, ReservoirSize: 5 });
    const create = async (Tags?: Tag[]) => {
      const { SamplingRuleRecord } = await api.client.send(new CreateSamplingRuleCommand({ SamplingRule: rule, Tags }));
      return SamplingRuleRecord?.SamplingRule?.RuleARN ?? '';
    };
    const wrong = create([{ Key: 'aws:x', Value: '' }]);
    await assert.rejects(wrong, awsError('InvalidRequestException', /^Tags: Key: /));
    const arn = await create([{ Key: 'team', Value: 'checkout' }]);
    await assert.rejects(create([]), awsError('InvalidRequestException', /checkout/));
    assert.deepEqual(await list(arn), [{ Key: 'team', Value: 'checkout' }]);

    await api.client.send(new DeleteSamplingRuleCommand({ RuleARN: arn }));
    await assert.rejects(list(arn), awsError('ResourceNotFoundException', /no sampling rule/, { ResourceName: arn }));
    assert.deepEqual(await list(await create()), []);
  });

  it('of a key such as __proto__ are tags like others', async () => {
    const tags = ['__proto__', 'constructor'].map((Key) => ({ Key, Value: 'x' }));
    await tag(groupArn, tags);
    assert.deepEqual(await list(groupArn), tags);
  });

  it('are 50 at most on a resource, and come over pages', async () => {
    const tags = Array.from({ length: 50 }, (_, i) => ({ Key: `key-${String(i).padStart(2, '0')}`, Value: `${i}` }));
    await tag(groupArn, tags);
    await tag(groupArn, tags.slice(0, 3));
    const adding = tag(groupArn, [{ Key: 'one more', Value: '' }]);
    const message = 'Tags: expected at most 50 on a resource, got 51';
    await assert.rejects(adding, awsError('TooManyTagsException', message, { ResourceName: groupArn }));

    const pages = [];
    for await (const page of paginateListTagsForResource({ client: api.client }, { ResourceARN: groupArn })) {
      pages.push(page.Tags ?? []);
    }
    assert.deepEqual(
      pages.map(({ length }) => length),
      [25, 25],
    );
    assert.deepEqual(pages.flat(), tags);
  });

  it('stay where they are when two add some at once', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => tag(groupArn, [{ Key: `key-${i}`, Value: '' }])));
    assert.equal((await list(groupArn))?.length, 20);
  });

  for (const [what, tags, message] of [
    ['an empty key', [{ Key: '', Value: '' }], /^Tags: Key: expected 1 to 128 characters/],
    ['a key too long', [{ Key: 'x'.repeat(129), Value: '' }], /^Tags: Key: expected 1 to 128 characters/],
    ['a value too long', [{ Key: 'x', Value: 'x'.repeat(257) }], /^Tags: Value: expected at most 256 characters/],
    ['a key of other characters', [{ Key: 'a\nb', Value: '' }], /^Tags: Key: .*got "a\\nb"$/],
    ['a key that AWS keeps for itself', [{ Key: 'AWS:x', Value: '' }], /^Tags: Key: .*aws:/],
    ['no value', [{ Key: 'x', Value: undefined }], 'Tags[0].Value: expected a string, got nothing'],
    [
      'a key twice',
      [
        { Key: 'x', Value: '1' },
        { Key: 'x', Value: '2' },
      ],
      'Tags[1].Key: expected every key once, got "x"',
    ],
    [
      'very many',
      Array.from({ length: 201 }, (_, i) => ({ Key: `${i}`, Value: '' })),
      'Tags: expected at most 200, got 201',
    ],
  ] as const) {
    it(`are refused with ${what}`, async () => {
      await assert.rejects(tag(groupArn, tags as unknown as Tag[]), awsError('InvalidRequestException', message));
      assert.deepEqual(await list(groupArn), []);
    });
  }

  it('are not taken away by keys that cannot be', async () => {
    for (const [key, shown] of [
      ['', '""'],
      ['x'.repeat(129), `"${'x'.repeat(80)}"`],
    ] as const) {
      const message = `TagKeys[0]: expected 1 to 128 characters, got ${shown}`;
      await assert.rejects(untag(groupArn, [key]), awsError('InvalidRequestException', message));
    }
  });

  it('need a resource that there is', async () => {
    const arn = `${groupArn}0`;
    const message = 'ResourceARN: there is no group and no sampling rule with this ARN';
    for (const work of [() => tag(arn, []), () => untag(arn, []), () => list(arn)]) {
      await assert.rejects(work, awsError('ResourceNotFoundException', message, { ResourceName: arn }));
    }
    await assert.rejects(
      list(''),
      awsError('InvalidRequestException', 'ResourceARN: expected 1 to 1011 characters, got 0'),
    );
  });

  it('are listed with the token of their own question only', async () => {
    const listing = api.client.send(new ListTagsForResourceCommand({ ResourceARN: groupArn, NextToken: 'x' }));
    await assert.rejects(listing, awsError('InvalidRequestException', /^NextToken /));
  });
});
