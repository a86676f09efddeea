import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { createMemoryStore, type MemoryStore } from '../../test/support/memory-store.ts';
import { RaybridgeError } from '../errors.ts';
import { parseFilter } from '../query/index.ts';
import { createGroupRegistry, type GroupRegistry, type GroupWish } from './index.ts';

const second = 1_000_000_000n;
const asItIs: GroupWish = { filterExpression: undefined, insightsEnabled: undefined, notificationsEnabled: undefined };

describe('the registry of groups', () => {
  let store: MemoryStore;
  let nowNs: bigint;
  let reads: number;
  let groups: GroupRegistry;

  beforeEach(() => {
    store = createMemoryStore();
    nowNs = 1_700_000_000n * second;
    reads = 0;
    const { readState } = store;
    Object.assign(store, {
      async readState(kind: string) {
        reads += 1;
        return await readState(kind);
      },
    });
    groups = openGroups();
  });

  function openGroups(): GroupRegistry {
    return createGroupRegistry({ store, nowNs: () => nowNs });
  }

  async function create(name: string, wish: Partial<GroupWish> = {}, registry = groups): Promise<void> {
    await registry.create({ name, wish: { ...asItIs, ...wish }, tags: new Map() });
  }

  async function names(registry = groups): Promise<readonly string[]> {
    return (await registry.list()).map(({ name }) => name);
  }

  it('loses no change of those who change it at once, through one registry or several', async () => {
    const registries = [groups, openGroups(), openGroups()];
    const wanted = Array.from({ length: 24 }, (_, i) => `g${String(i).padStart(2, '0')}`);
    await Promise.all(wanted.map((name, i) => create(name, {}, registries[i % 3])));
    assert.deepEqual(await names(), ['Default', ...wanted]);

    const [first = '', ...others] = wanted;
    await Promise.all([
      groups.delete({ name: first, arn: undefined }),
      ...others.map((name) => groups.update({ name, arn: undefined }, { ...asItIs, insightsEnabled: true })),
    ]);
    const enabled = (await groups.list()).filter(({ insightsEnabled }) => insightsEnabled).map(({ name }) => name);
    assert.deepEqual(enabled, ['Default', ...others]);
  });

  it('makes one group of those who make it at once', async () => {
    const made = await Promise.allSettled([create('shop'), create('shop', {}, openGroups()), create('shop')]);
    assert.deepEqual(
      made.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected'],
    );
  });

  it('goes on after a change that failed', async () => {
    await assert.rejects(create('a b'), { code: 'INVALID_REQUEST' });
    store.failWith(new RaybridgeError('STORE_UNAVAILABLE', 'the store is starting'));
    await assert.rejects(create('shop'), { code: 'STORE_UNAVAILABLE' });
    await assert.rejects(groups.list(), { code: 'STORE_UNAVAILABLE' });
    store.failWith(undefined);
    await create('shop');
    assert.deepEqual(await names(), ['Default', 'shop']);
  });

  it('asks the store once a second at most, and sees at once what this process changes', async () => {
    const other = openGroups();
    await Promise.all([groups.list(), other.filters(), groups.list()]);
    assert.equal(reads, 1);
    await create('mine');
    await create('ours', {}, other);
    for (const registry of [groups, other]) assert.deepEqual(await names(registry), ['Default', 'mine', 'ours']);

    await writeAsAnotherProcess('theirs');
    assert.deepEqual(await names(), ['Default', 'mine', 'ours']);
    nowNs += 2n * second;
    assert.deepEqual(await names(), ['Default', 'mine', 'ours', 'theirs']);
    await writeAsAnotherProcess('later');
    nowNs -= 3600n * second;
    assert.deepEqual(await names(), ['Default', 'later', 'mine', 'ours', 'theirs']);
  });

  async function writeAsAnotherProcess(key: string): Promise<void> {
    const document = { arn: `arn:${key}`, insightsEnabled: false, notificationsEnabled: false };
    await store.writeState({ kind: 'group', key, value: JSON.stringify(document) });
  }

  it('gives the filter of each group', async () => {
    await create('faults', { filterExpression: 'fault' });
    await create('all');
    const filters = await groups.filters();
    assert.deepEqual([...filters.keys()], ['Default', 'all', 'faults']);
    assert.deepEqual(filters.get('faults'), parseFilter('fault'));
    assert.equal(await groups.filters(), filters);

    const filterOf = (name: string | undefined) => groups.filterOf({ name, arn: undefined });
    assert.deepEqual(await filterOf('faults'), parseFilter('fault'));
    for (const name of ['Default', 'all', undefined]) assert.equal(await filterOf(name), undefined);
    await assert.rejects(filterOf('unknown'), { code: 'INVALID_REQUEST' });
  });

  it('leaves a group out of filters whose expression this version cannot read', async () => {
    const document = {
      arn: 'arn',
      filterExpression: 'some.later.word',
      insightsEnabled: false,
      notificationsEnabled: false,
    };
    await store.writeState({ kind: 'group', key: 'later', value: JSON.stringify(document) });
    assert.deepEqual([...(await groups.filters()).keys()], ['Default']);
    assert.deepEqual(await names(), ['Default', 'later']);
  });

  it('says which document of the store it cannot read', async () => {
    await store.writeState({ kind: 'group', key: 'bad', value: '{"arn":1}' });
    await assert.rejects(groups.list(), { code: 'STORE_FAILED', message: /^group\/bad: / });
  });
});
