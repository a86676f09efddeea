import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RaybridgeError } from '../errors.ts';
import type { SamplingReport, SamplingRuleRecord } from '../model/index.ts';
import { defaultSamplingRule } from '../sampling/index.ts';
import { createSamplingService } from './sampling-service.ts';

const nowNs = 1_716_560_310_000_000_000n;

test('the default rule is always there, last', async () => {
  const service = serve(async () => [
    record('Default', { priority: 1, fixedRate: 0.5, host: 'x' }),
    record('b'),
    record('a'),
  ]);
  const rules = (await service.rules()).map(({ rule }) => rule);
  assert.deepEqual(
    rules.map(({ ruleName }) => ruleName),
    ['a', 'b', 'Default'],
  );
  assert.deepEqual(rules[2], { ...defaultSamplingRule, fixedRate: 0.5 });
  assert.deepEqual(
    (await serve(async () => []).rules()).map(({ rule }) => rule),
    [defaultSamplingRule],
  );
});

test('targets follow the reports, and unknown rules are named', async () => {
  const service = serve(async () => [record('a', { reservoirSize: 7, fixedRate: 0.2 })]);
  const { targets, unprocessed } = await service.targets([report('a'), report('gone')]);
  assert.deepEqual(targets, [
    {
      ruleName: 'a',
      fixedRate: 0.2,
      reservoirQuota: 7,
      reservoirQuotaExpiresAtNs: nowNs + 300_000_000_000n,
      intervalSeconds: 10,
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

test('the time of the last change is that of the youngest rule, or of a deletion that was noticed', async () => {
  let rules = [record('a', {}, 100n), record('b', {}, 300n)];
  const service = serve(async () => rules);
  assert.equal((await service.targets([])).rulesModifiedAtNs, 300n);
  rules = rules.slice(0, 1);
  assert.equal((await service.targets([])).rulesModifiedAtNs, nowNs);
  assert.equal((await serve(async () => []).targets([])).rulesModifiedAtNs, 0n);
});

test('rules that were read once stay in force while the store is away', async () => {
  let away = false;
  const service = serve(async () => {
    if (away) throw new RaybridgeError('STORE_UNAVAILABLE', 'restarting');
    return [record('a')];
  });
  const before = await service.rules();
  away = true;
  assert.deepEqual(await service.rules(), before);
  const fresh = serve(() => Promise.reject(new RaybridgeError('STORE_UNAVAILABLE', 'starting')));
  await assert.rejects(fresh.rules(), /starting/);
});

function serve(readRules: () => Promise<readonly SamplingRuleRecord[]>) {
  return createSamplingService({ readRules, nowNs: () => nowNs });
}

function record(
  ruleName: string,
  changes: Partial<SamplingRuleRecord['rule']> = {},
  modifiedAtNs = 1n,
): SamplingRuleRecord {
  return { rule: { ...defaultSamplingRule, ruleName, priority: 10, ...changes }, createdAtNs: 1n, modifiedAtNs };
}

function report(ruleName: string): SamplingReport {
  return {
    ruleName,
    clientId: '0f1e2d3c4b5a69788796a5b4',
    timeNs: nowNs,
    requestCount: 80,
    sampledCount: 11,
    borrowCount: 9,
  };
}
