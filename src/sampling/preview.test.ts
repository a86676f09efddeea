import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SamplingRule, SamplingRuleRecord } from '../model/index.ts';
import { previewRules, type SeenRequest, withDraft } from './preview.ts';
import { defaultSamplingRule, type SamplingRequest } from './rules.ts';

function request(
  serviceName: string,
  startSeconds: number,
  outcome: SeenRequest['outcome'] = 'ok',
  urlPath = '/',
): SeenRequest {
  const nothing = { serviceType: undefined, host: undefined, httpMethod: 'GET', resourceArn: undefined };
  const request: SamplingRequest = { ...nothing, serviceName, urlPath, attributes: new Map() };
  return { startSeconds, outcome, request };
}

function record(ruleName: string, members: Partial<SamplingRule> = {}): SamplingRuleRecord {
  const rule = { ...defaultSamplingRule, ruleName, priority: 10, ...members };
  return { rule, createdAtNs: 0n, modifiedAtNs: 0n };
}

const times = (count: number, make: (index: number) => SeenRequest) => Array.from({ length: count }, (_, i) => make(i));

test('The reservoir is filled each second, and the rate applies to the rest', () => {
  // Eight a second, for two seconds: 1 + 7 × 0.05 of each.
  const requests = times(16, (i) => request('shop', Math.floor(i / 8) + i / 1000));
  const { services, rules } = previewRules(requests, { before: [], after: [record('all', { fixedRate: 1 })] });
  const [shop] = services;
  assert.ok(shop);
  assert.deepEqual([shop.seen, shop.errors, shop.faults], [16, 0, 0]);
  assert.ok(Math.abs(shop.before.kept - 2.7) < 1e-9, `${shop.before.kept}`);
  assert.equal(shop.after.kept, 16);
  assert.deepEqual(rules[0], { ruleName: 'all', before: undefined, after: { matched: 16, kept: 16, reserved: 2 } });
  assert.deepEqual(
    rules.map(({ ruleName, before, after }) => [ruleName, before?.matched, after?.matched]),
    [
      ['all', undefined, 16],
      ['Default', 16, 0],
    ],
  );
});

test('Services share the reservoir of a rule', () => {
  const requests = [...times(5, () => request('a', 1)), ...times(5, () => request('b', 1))];
  const none = [record('one', { fixedRate: 0, reservoirSize: 2 })];
  const { services } = previewRules(requests, { before: none, after: none });
  assert.deepEqual(
    services.map(({ service, before }) => [service, before.kept]),
    [
      ['a', 1],
      ['b', 1],
    ],
  );
});

test('Errors and faults that would be lost are counted', () => {
  const requests = times(10, (i) => request('shop', i * 2, i < 4 ? 'fault' : i < 6 ? 'error' : 'ok'));
  const nothing = [record('nothing', { fixedRate: 0, reservoirSize: 0 })];
  const half = [record('half', { fixedRate: 0.5, reservoirSize: 0 })];
  const {
    services: [shop],
  } = previewRules(requests, { before: nothing, after: half });
  assert.deepEqual(shop, {
    service: 'shop',
    seen: 10,
    errors: 2,
    faults: 4,
    before: { kept: 0, errorsLost: 2, faultsLost: 4 },
    after: { kept: 5, errorsLost: 1, faultsLost: 2 },
  });
});

test('A draft stands in for the rule of its name, or is added', () => {
  const requests = [request('shop', 0, 'ok', '/health'), request('shop', 1, 'ok', '/cart')];
  const records = [record('health', { urlPath: '/health', fixedRate: 1 })];
  const draft = record('health', { urlPath: '/health', fixedRate: 0, reservoirSize: 0 });
  const changed = withDraft(records, draft);
  assert.equal(changed.length, 1);
  const [shop] = previewRules(requests, { before: records, after: changed }).services;
  assert.deepEqual([shop?.before.kept, shop?.after.kept], [2, 1]);
  assert.equal(withDraft(records, record('new')).length, 2);
});

test('A rule that is gone is told of, and what it kept', () => {
  const { rules } = previewRules([request('shop', 0)], { before: [record('old', { fixedRate: 1 })], after: [] });
  assert.deepEqual(rules, [
    { ruleName: 'old', before: { matched: 1, kept: 1, reserved: 1 }, after: undefined },
    {
      ruleName: 'Default',
      before: { matched: 0, kept: 0, reserved: 0 },
      after: { matched: 1, kept: 1, reserved: 1 },
    },
  ]);
});

test('Of no requests nothing is kept', () => {
  assert.deepEqual(previewRules([], { before: [], after: [] }).services, []);
});
