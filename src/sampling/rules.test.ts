import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { SamplingRule, SamplingRuleRecord } from '../model/index.ts';
import { defaultSamplingRule, matchesWildcards, matchRule, orderRules, type SamplingRequest } from './rules.ts';

test('* stands for any characters, ? for exactly one, and the case does not matter', () => {
  const matching = [
    ['*', ''],
    ['*', 'abc'],
    ['a*', 'A'],
    ['a*c', 'abbbc'],
    ['a*b*c', 'aXbYbZc'],
    ['?', 'x'],
    ['a?c', 'AbC'],
    ['**', 'x'],
    ['', ''],
  ];
  const failing = [
    ['?', ''],
    ['a', ''],
    ['', 'a'],
    ['a?c', 'ac'],
    ['a*c', 'abcd'],
    ['*b', 'abc'],
    ['abc', 'ab'],
    ['?*', ''],
  ];
  for (const [pattern = '', text = ''] of matching) assert.ok(matchesWildcards(pattern, text), `${pattern} ${text}`);
  for (const [pattern = '', text = ''] of failing) assert.ok(!matchesWildcards(pattern, text), `${pattern} ${text}`);
});

test('wildcards match as a plain recursive definition says', () => {
  const texts = fc.string({ unit: fc.constantFrom('a', 'b', 'B'), maxLength: 10 });
  const patterns = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 });
  fc.assert(
    fc.property(patterns, texts, (pattern, text) => {
      assert.equal(matchesWildcards(pattern, text), matchesByDefinition(pattern, text.toLowerCase()));
    }),
    { numRuns: 2000 },
  );
});

test('a pattern of many stars costs no more than the product of the lengths', () => {
  const started = performance.now();
  assert.equal(matchesWildcards(`${'*a'.repeat(60)}b`, 'a'.repeat(20_000)), false);
  assert.ok(performance.now() - started < 1000);
});

test('rules are tried by priority, then by name, the default rule last', () => {
  const records = [
    rule('z', { priority: 1 }),
    rule('b', { priority: 5 }),
    rule('a', { priority: 5 }),
    rule('Default', { priority: 1 }),
  ];
  assert.deepEqual(
    orderRules(records).map(({ rule }) => rule.ruleName),
    ['z', 'a', 'b', 'Default'],
  );
});

test('the first rule that matches in every field decides', () => {
  const records = [
    rule('checkout', { priority: 2, serviceName: 'shop-*', httpMethod: 'POST', urlPath: '/checkout/*' }),
    rule('shop', { priority: 3, serviceName: 'shop-*' }),
  ];
  assert.equal(
    matchRule(request({ serviceName: 'shop-eu', httpMethod: 'post', urlPath: '/Checkout/7' }), records).ruleName,
    'checkout',
  );
  assert.equal(matchRule(request({ serviceName: 'shop-eu', httpMethod: 'GET' }), records).ruleName, 'shop');
  assert.equal(matchRule(request({ serviceName: 'other' }), records).ruleName, 'Default');
});

test('attributes of a rule must all be there and match', () => {
  const records = [
    rule('vip', {
      attributes: new Map([
        ['tier', 'gold*'],
        ['__proto__', '?'],
      ]),
    }),
  ];
  const attributes = new Map([
    ['tier', 'Golden'],
    ['__proto__', 'x'],
  ]);
  assert.equal(matchRule(request({ attributes }), records).ruleName, 'vip');
  assert.equal(matchRule(request({ attributes: new Map([['tier', 'Golden']]) }), records).ruleName, 'Default');
});

test('what is not known of a request matches only *', () => {
  assert.equal(matchRule(request({ host: undefined }), [rule('any', { host: '*' })]).ruleName, 'any');
  assert.equal(matchRule(request({ host: undefined }), [rule('some', { host: '?*' })]).ruleName, 'Default');
});

test('the default rule matches whatever its fields say', () => {
  assert.equal(matchRule(request({}), [rule('Default', { host: 'nowhere', fixedRate: 0.7 })]).fixedRate, 0.7);
  assert.deepEqual(
    [defaultSamplingRule.priority, defaultSamplingRule.reservoirSize, defaultSamplingRule.fixedRate],
    [10_000, 1, 0.05],
  );
});

function matchesByDefinition(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  const rest = pattern.slice(1);
  if (pattern.startsWith('*'))
    return matchesByDefinition(rest, text) || (text !== '' && matchesByDefinition(pattern, text.slice(1)));
  return text !== '' && (pattern.startsWith('?') || pattern[0] === text[0]) && matchesByDefinition(rest, text.slice(1));
}

function rule(ruleName: string, changes: Partial<SamplingRule>): SamplingRuleRecord {
  return { rule: { ...defaultSamplingRule, priority: 10, ...changes, ruleName }, createdAtNs: 1n, modifiedAtNs: 1n };
}

function request(known: Partial<SamplingRequest>): SamplingRequest {
  const unknown = { serviceName: undefined, serviceType: undefined, host: undefined, httpMethod: undefined };
  return { ...unknown, urlPath: undefined, resourceArn: undefined, attributes: new Map(), ...known };
}
