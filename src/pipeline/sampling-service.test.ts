import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryStore, type MemoryStore } from '../../test/support/memory-store.ts';
import { RaybridgeError } from '../errors.ts';
import type { SamplingBoostReport, SamplingReport, SamplingRule } from '../model/index.ts';
import { customRulesMax, defaultSamplingRule, type SamplingRuleChanges } from '../sampling/index.ts';
import { createSamplingService } from './sampling-service.ts';
import type { SamplingService } from './sampling.ts';

const second = 1_000_000_000n;
const startNs = 1_716_560_310n * second;

test('rules are created, changed and deleted, with their times', async () => {
  const { service, clock } = serve();
  await service.createRule(rule('b'));
  clock.nowNs += second;
  assert.deepEqual(await service.createRule(rule('a')), {
    rule: rule('a'),
    createdAtNs: startNs + second,
    modifiedAtNs: startNs + second,
  });
  clock.nowNs += second;
  const changed = await service.updateRule('b', { ...noChanges, priority: 3, host: 'x*' });
  assert.deepEqual(changed, {
    rule: { ...rule('b'), priority: 3, host: 'x*' },
    createdAtNs: startNs,
    modifiedAtNs: startNs + 2n * second,
  });
  assert.deepEqual(await names(service), ['b', 'a', 'Default']);
  assert.deepEqual(await service.deleteRule('b'), changed);
  assert.deepEqual(await names(service), ['a', 'Default']);
});

test('every member of a rule survives the store, and so do names from JavaScript itself', async () => {
  const store = createMemoryStore();
  const whole = rule('__proto__', {
    attributes: new Map([
      ['__proto__', '*'],
      ['tier', 'gold'],
    ]),
    rateBoost: { maxRate: 0.75, cooldownWindowMinutes: 9 },
    fixedRate: 0.1,
  });
  const record = await serve(store).service.createRule(whole);
  assert.deepEqual((await serve(store).service.rules())[0], record);
});

test('of the default rule, rate, reservoir and boost can be changed and nothing else', async () => {
  const { service, store } = serve();
  const rateBoost = { maxRate: 0.5, cooldownWindowMinutes: 1 };
  await service.updateRule('Default', { ...noChanges, fixedRate: 0.5, reservoirSize: 0, rateBoost });
  const [record] = await serve(store).service.rules();
  assert.deepEqual(record?.rule, { ...defaultSamplingRule, fixedRate: 0.5, reservoirSize: 0, rateBoost });
  assert.deepEqual([record.createdAtNs, record.modifiedAtNs], [0n, startNs]);

  const fixed: readonly Partial<SamplingRuleChanges>[] = [{ priority: 1 }, { host: '*' }, { attributes: new Map() }];
  for (const change of fixed) {
    await assert.rejects(service.updateRule('Default', { ...noChanges, ...change }), { code: 'INVALID_REQUEST' });
  }
  await assert.rejects(service.deleteRule('Default'), { code: 'INVALID_REQUEST' });
});

test('a name that is taken or reserved, or that nobody has, is refused', async () => {
  const { service } = serve();
  await service.createRule(rule('a'));
  await assert.rejects(service.createRule(rule('a')), /a rule "a" already exists/);
  await assert.rejects(service.createRule(rule('Default')), /"Default" is reserved/);
  await assert.rejects(service.updateRule('gone', noChanges), /there is no sampling rule "gone"/);
  await assert.rejects(service.deleteRule('gone'), { code: 'INVALID_REQUEST' });
});

test('there are at most 25 rules beside the default rule, however many callers come at once', async () => {
  const { service } = serve();
  const calls = Array.from({ length: 30 }, (_, i) => service.createRule(rule(`rule ${i}`)));
  const refused = (await Promise.allSettled(calls)).flatMap((call) => (call.status === 'rejected' ? call.reason : []));
  assert.deepEqual(
    refused.map(({ code }) => code),
    Array(30 - customRulesMax).fill('RULE_LIMIT_EXCEEDED'),
  );
  assert.equal((await service.rules()).length, customRulesMax + 1);
  await service.updateRule('Default', { ...noChanges, fixedRate: 1 });
  await service.deleteRule('rule 0');
  await service.createRule(rule('again'));
});

test('changes of several callers do not lose one another', async () => {
  const { service } = serve();
  await service.createRule(rule('a'));
  await Promise.all([
    service.updateRule('a', { ...noChanges, host: 'h' }),
    service.updateRule('a', { ...noChanges, priority: 7 }),
    service.updateRule('a', { ...noChanges, fixedRate: 0.7 }),
  ]);
  assert.deepEqual((await service.rules())[0]?.rule, rule('a', { host: 'h', priority: 7, fixedRate: 0.7 }));
});

test('the time of the last change is that of the youngest rule or of the last deletion, also after a restart', async () => {
  const { service, store, clock } = serve();
  assert.equal(await modified(service), 0n);
  await service.createRule(rule('a'));
  clock.nowNs += 10n * second;
  await service.createRule(rule('b'));
  clock.nowNs += 10n * second;
  assert.equal(await modified(service), startNs + 10n * second);
  await service.deleteRule('b');
  clock.nowNs += 10n * second;
  assert.equal(await modified(service), startNs + 20n * second);
  assert.equal(await modified(serve(store).service), startNs + 20n * second);
});

test('a change by another process is seen after seconds, and told as a change of that moment', async () => {
  const { service, store, clock } = serve();
  assert.deepEqual(await names(service), ['Default']);
  await serve(store).service.createRule(rule('a'));
  clock.nowNs += 5n * second;
  assert.deepEqual(await names(service), ['Default']);
  clock.nowNs += second;
  // Clients read the old rules here until now, so a change at startNs would tell them nothing.
  assert.equal(await modified(service), startNs + 6n * second);
  assert.deepEqual(await names(service), ['a', 'Default']);
});

test('the store is asked once, however many clients ask, and again after a change', async () => {
  const store = createMemoryStore();
  let reads = 0;
  const counting: MemoryStore = { ...store, readState: (kind) => (reads++, store.readState(kind)) };
  const { service, clock } = serve(counting);
  await Promise.all(Array.from({ length: 100 }, () => service.targets({ reports: [report('a')], boostReports: [] })));
  assert.equal(reads, 1);
  await service.createRule(rule('a'));
  assert.equal(reads, 2);
  assert.deepEqual(await names(service), ['a', 'Default']);
  clock.nowNs -= 100n * second;
  await service.rules();
  assert.equal(reads, 4);
});

test('rules that were read once stay in force while the store is away', async () => {
  const { service, store, clock } = serve();
  await service.createRule(rule('a'));
  await service.rules();
  store.failWith(new RaybridgeError('STORE_UNAVAILABLE', 'restarting'));
  clock.nowNs += 100n * second;
  assert.deepEqual(await names(service), ['a', 'Default']);
  await assert.rejects(service.createRule(rule('b')), /restarting/);
  store.failWith(undefined);
  await service.createRule(rule('b'));
  assert.deepEqual(await names(service), ['a', 'b', 'Default']);
});

test('while no rules were ever read, clients get the default rule, and a change when there are others', async () => {
  const store = createMemoryStore();
  await serve(store).service.createRule(rule('a'));
  const { service, clock } = serve(store);
  store.failWith(new RaybridgeError('STORE_UNAVAILABLE', 'starting'));
  await assert.rejects(service.rules(), /starting/);
  assert.deepEqual(
    (await service.rulesInForce()).map((record) => record.rule),
    [defaultSamplingRule],
  );
  assert.equal(await modified(service), 0n);
  store.failWith(undefined);
  clock.nowNs += 20n * second;
  assert.equal(await modified(service), startNs + 20n * second);
  assert.deepEqual(await names(service), ['a', 'Default']);
});

test('a bug in the store is not taken for a store that is starting', async () => {
  const { service, store } = serve();
  store.failWith(new TypeError('a bug'));
  await assert.rejects(service.rulesInForce(), /a bug/);
});

test('a document that is no rule is named', async () => {
  const { service, store } = serve();
  await store.writeState({ kind: 'sampling', key: 'deleted', value: 'yesterday' });
  await assert.rejects(service.rules(), /the state document sampling\/deleted: expected a time/);
  await store.writeState({ kind: 'sampling', key: 'deleted', value: undefined });
  await store.writeState({ kind: 'sampling', key: 'rule:a', value: '{"rule":{}}' });
  await assert.rejects(service.rules(), /the state document sampling\/rule:a: expected a sampling rule/);
});

test('without a store there is the default rule and no other', async () => {
  const service = createSamplingService({ store: () => undefined, nowNs: () => startNs });
  assert.deepEqual(await names(service), ['Default']);
  await assert.rejects(service.createRule(rule('a')), /kept in a store, and none is configured/);
});

test('targets follow the reports, and unknown rules are named', async () => {
  const { service } = serve();
  await service.createRule(rule('a', { reservoirSize: 7, fixedRate: 0.2 }));
  const { targets, unprocessed } = await service.targets({
    reports: [report('a'), report('gone')],
    boostReports: [boostReport('a'), boostReport('gone')],
  });
  assert.deepEqual(targets, [
    {
      ruleName: 'a',
      fixedRate: 0.2,
      reservoirQuota: 7,
      reservoirQuotaExpiresAtNs: startNs + 300n * second,
      intervalSeconds: 10,
      boost: undefined,
    },
  ]);
  assert.deepEqual(
    unprocessed.map(({ ruleName }) => ruleName),
    ['gone'],
  );
  assert.deepEqual(
    service.statistics().map(({ requestCount }) => requestCount),
    [80],
  );
});

test('the last target of each rule is remembered, with when and to how many clients its reservoir goes', async () => {
  const { service, clock } = serve();
  await service.createRule(rule('a', { reservoirSize: 4 }));
  assert.deepEqual(service.lastTargets(), []);
  const other = { ...report('a'), clientId: 'f'.repeat(24) };
  await service.targets({ reports: [report('a')], boostReports: [] });
  clock.nowNs += second;
  const { targets } = await service.targets({ reports: [other], boostReports: [] });
  assert.deepEqual(service.lastTargets(), [{ target: targets[0], givenAtNs: startNs + second, clientCount: 2 }]);
  assert.equal(targets[0]?.reservoirQuota, 2);

  clock.nowNs += 31n * second;
  assert.deepEqual(
    service.lastTargets().map(({ clientCount }) => clientCount),
    [0],
  );
  await service.deleteRule('a');
  await service.targets({ reports: [], boostReports: [] });
  assert.deepEqual(service.lastTargets(), []);
});

test('a service with anomalies is boosted under a rule that allows it', async () => {
  const { service } = serve();
  await service.createRule(rule('a', { fixedRate: 0.01, rateBoost: { maxRate: 0.5, cooldownWindowMinutes: 1 } }));
  const { targets, unprocessedBoosts } = await service.targets({
    reports: [report('a')],
    boostReports: [boostReport('a'), boostReport('gone')],
  });
  assert.deepEqual(targets[0]?.boost, { rate: 0.1, expiresAtNs: startNs + 60n * second });
  assert.deepEqual(
    unprocessedBoosts.map(({ errorCode }) => errorCode),
    ['RuleNotFound'],
  );
});

const noChanges: SamplingRuleChanges = {
  resourceArn: undefined,
  priority: undefined,
  fixedRate: undefined,
  reservoirSize: undefined,
  serviceName: undefined,
  serviceType: undefined,
  host: undefined,
  httpMethod: undefined,
  urlPath: undefined,
  attributes: undefined,
  rateBoost: undefined,
};

/** One process on the store, whose clock stands still until it is moved. */
function serve(store = createMemoryStore()) {
  const clock = { nowNs: startNs };
  return { service: createSamplingService({ store: () => store, nowNs: () => clock.nowNs }), store, clock };
}

async function names(service: SamplingService): Promise<readonly string[]> {
  return (await service.rules()).map((record) => record.rule.ruleName);
}

async function modified(service: SamplingService): Promise<bigint> {
  return (await service.targets({ reports: [], boostReports: [] })).rulesModifiedAtNs;
}

function rule(ruleName: string, changes: Partial<SamplingRule> = {}): SamplingRule {
  return { ...defaultSamplingRule, ruleName, ruleArn: `arn of ${ruleName}`, priority: 10, ...changes };
}

function report(ruleName: string): SamplingReport {
  return {
    ruleName,
    clientId: '0f1e2d3c4b5a69788796a5b4',
    timeNs: startNs,
    requestCount: 80,
    sampledCount: 11,
    borrowCount: 9,
  };
}

function boostReport(ruleName: string): SamplingBoostReport {
  return {
    ruleName,
    serviceName: 'shop',
    timeNs: startNs,
    anomalyCount: 100,
    totalCount: 1000,
    sampledAnomalyCount: 1,
  };
}
