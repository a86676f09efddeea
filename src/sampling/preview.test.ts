import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SamplingRule, SamplingRuleRecord } from '../model/index.ts';
import { previewRules, type SeenRequest, withDraft } from './preview.ts';
import { defaultSamplingRule, type SamplingRequest } from './rules.ts';

function request(serviceName: string, startSeconds: number, failed = false, urlPath = '/'): SeenRequest {
  const nothing = { serviceType: undefined, host: undefined, httpMethod: 'GET', resourceArn: undefined };
  const request: SamplingRequest = { ...nothing, serviceName, urlPath, attributes: new Map() };
  return { startSeconds, failed, request };
}

function record(ruleName: string, members: Partial<SamplingRule> = {}): SamplingRuleRecord {
  const rule = { ...defaultSamplingRule, ruleName, priority: 10, ...members };
  return { rule, createdAtNs: 0n, modifiedAtNs: 0n };
}

const times = (count: number, make: (index: number) => SeenRequest) => Array.from({ length: count }, (_, i) => make(i));

test('The reservoir is filled each second, and the rate applies to the rest', () => {
  // Ten a second, for two seconds: 1 + 9 × 0.05 of each.
  const requests = times(20, (i) => request('shop', Math.floor(i / 10) + i / 1000));
  const [shop] = previewRules(requests, { before: [], after: [record('all', { fixedRate: 1 })] });
  assert.ok(shop);
  assert.deepEqual([shop.seen, shop.failed], [20, 0]);
  assert.ok(Math.abs(shop.before.kept - 2.9) < 1e-9, `${shop.before.kept}`);
  assert.equal(shop.after.kept, 20);
  assert.deepEqual([...shop.after.byRule], [['all', 20]]);
});

test('Services share the reservoir of a rule', () => {
  const requests = [...times(5, () => request('a', 1)), ...times(5, () => request('b', 1))];
  const none = [record('one', { fixedRate: 0, reservoirSize: 2 })];
  const previews = previewRules(requests, { before: none, after: none });
  assert.deepEqual(
    previews.map(({ service, before }) => [service, before.kept]),
    [
      ['a', 1],
      ['b', 1],
    ],
  );
});

test('Failures that would be lost are counted', () => {
  const requests = times(10, (i) => request('shop', i * 2, i < 4));
  const nothing = [record('nothing', { fixedRate: 0, reservoirSize: 0 })];
  const half = [record('half', { fixedRate: 0.5, reservoirSize: 0 })];
  const [shop] = previewRules(requests, { before: nothing, after: half });
  assert.deepEqual([shop?.failed, shop?.before.failedLost, shop?.after.failedLost], [4, 4, 2]);
});

test('A draft stands in for the rule of its name, or is added', () => {
  const requests = [request('shop', 0, false, '/health'), request('shop', 1, false, '/cart')];
  const records = [record('health', { urlPath: '/health', fixedRate: 1 })];
  const draft = record('health', { urlPath: '/health', fixedRate: 0, reservoirSize: 0 }).rule;
  const changed = withDraft(records, draft);
  assert.equal(changed.length, 1);
  const [shop] = previewRules(requests, { before: records, after: changed });
  assert.deepEqual([shop?.before.kept, shop?.after.kept], [2, 1]);
  assert.equal(withDraft(records, { ...draft, ruleName: 'new' }).length, 2);
});
