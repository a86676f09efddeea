import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fuzzing } from '../../test/support/fuzz.ts';
import type { SamplingRule, SamplingRuleRecord } from '../model/index.ts';
import {
  defaultSamplingRule,
  matchesRule,
  matchesWildcards,
  matchRule,
  mismatchesOf,
  orderRules,
  type SamplingRequest,
} from './rules.ts';

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
    fuzzing(2000),
  );
});

test('each character of a text is looked at no more often than the pattern is long', () => {
  const length = 20_000;
  for (const pattern of [`${'*a'.repeat(60)}b`, `*${'a'.repeat(60)}b`, `${'*?a'.repeat(40)}b`, `${'?*'.repeat(60)}b`]) {
    const { text, reads } = countingText('a'.repeat(length));
    assert.equal(matchesWildcards(pattern, text), false);
    assert.ok(reads() <= length * pattern.length, `${pattern}: ${reads()}`);
  }
});

test('a pattern whose parts do not repeat themselves looks at each character once or twice', () => {
  const { text, reads } = countingText('abcde'.repeat(4000));
  assert.equal(matchesWildcards(`${'*a?c'.repeat(40)}*x`, text), false);
  assert.ok(reads() <= 2 * 20_000, `${reads()}`);
});

/** A text that counts how often its characters are asked for. */
function countingText(content: string): { readonly text: string; reads(): number } {
  let count = 0;
  const characters = new Proxy(content.split(''), {
    get(target, name) {
      if (name !== 'length') count += 1;
      return Reflect.get(target, name);
    },
  });
  // All that the matcher asks of a text.
  return { text: { toLowerCase: () => characters } as unknown as string, reads: () => count };
}

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

test('what keeps a rule from matching is named, and nothing of one that matches', () => {
  const request: SamplingRequest = {
    serviceName: 'shop',
    serviceType: undefined,
    host: 'shop.example',
    httpMethod: 'GET',
    urlPath: '/cart',
    resourceArn: undefined,
    attributes: new Map([['tier', 'tin']]),
  };
  const rule = (members: Partial<SamplingRule>): SamplingRule => ({
    ...defaultSamplingRule,
    ruleName: 'rule',
    ...members,
  });
  assert.deepEqual(mismatchesOf(rule({ urlPath: '/health', serviceType: 'AWS::*' }), request), [
    { member: 'ServiceType', pattern: 'AWS::*', found: undefined },
    { member: 'URLPath', pattern: '/health', found: '/cart' },
  ]);
  assert.deepEqual(mismatchesOf(rule({ attributes: new Map([['tier', 'gold']]) }), request), [
    { member: 'tier', pattern: 'gold', found: 'tin' },
  ]);
  assert.deepEqual(mismatchesOf({ ...defaultSamplingRule, host: 'nobody' }, request), []);

  const pattern = fc.constantFrom('*', 'shop', 'shop*', '/c?rt', 'GET', 'AWS::*');
  const members = fc.record({ serviceName: pattern, serviceType: pattern, host: pattern, urlPath: pattern });
  fc.assert(
    fc.property(members, (some) => {
      assert.equal(mismatchesOf(rule(some), request).length === 0, matchesRule(rule(some), request));
    }),
    fuzzing(200),
  );
});
