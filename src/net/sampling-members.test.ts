import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fuzzing } from '../../test/support/fuzz.ts';
import { parseJson } from '../codec/index.ts';
import { RaybridgeError } from '../errors.ts';
import { isJsonObject, type JsonObject } from '../model/index.ts';
import { readSamplingRuleChanges, readRuleName, readSamplingRule } from './sampling-members.ts';

const whole = {
  RuleName: 'checkout',
  ResourceARN: '*',
  Priority: 10,
  FixedRate: 0.5,
  ReservoirSize: 3,
  ServiceName: 'shop-*',
  ServiceType: 'AWS::ECS::Container',
  Host: '?.example',
  HTTPMethod: 'POST',
  URLPath: '/checkout/*',
  Version: 1,
  Attributes: { tier: 'gold*' },
  SamplingRateBoost: { MaxRate: 0.9, CooldownWindowMinutes: 10 },
};

test('a rule is read with every member, and gets its ARN', () => {
  assert.deepEqual(readSamplingRule(members(whole)), {
    ruleName: 'checkout',
    ruleArn: 'arn:aws:xray:local:000000000000:sampling-rule/checkout',
    resourceArn: '*',
    priority: 10,
    fixedRate: 0.5,
    reservoirSize: 3,
    serviceName: 'shop-*',
    serviceType: 'AWS::ECS::Container',
    host: '?.example',
    httpMethod: 'POST',
    urlPath: '/checkout/*',
    attributes: new Map([['tier', 'gold*']]),
    rateBoost: { maxRate: 0.9, cooldownWindowMinutes: 10 },
  });
});

test('attributes and the boost may be missing, and null is missing', () => {
  const { Attributes: _, SamplingRateBoost: __, ...rest } = whole;
  for (const given of [rest, { ...rest, Attributes: null, SamplingRateBoost: null, New: 1 }]) {
    const { attributes, rateBoost } = readSamplingRule(members(given));
    assert.deepEqual([attributes, rateBoost], [new Map(), undefined]);
  }
});

const required = Object.keys(whole).filter((name) => !['RuleName', 'Attributes', 'SamplingRateBoost'].includes(name));
for (const name of required) {
  test(`a new rule needs ${name}`, () => {
    for (const value of [undefined, null]) {
      assert.throws(() => readSamplingRule(members({ ...whole, [name]: value })), {
        code: 'INVALID_REQUEST',
        message: `${name}: expected a value, got nothing`,
      });
    }
  });
}

/** Beyond each bound of the API reference, and on it. */
const bounds: readonly (readonly [name: string, wrong: readonly unknown[], right: readonly unknown[]])[] = [
  ['RuleName', ['', 'x'.repeat(33), 'a*', 'a?', 'a\0b', 7], ['x', 'ü'.repeat(32), 'a b_.:/%&#=+\\-@9']],
  ['ResourceARN', ['x'.repeat(501), 1], ['', 'x'.repeat(500)]],
  ['Priority', [0, 10_000, 1.5, -1, '1', 1e99], [1, 9999]],
  ['FixedRate', [-0.01, 1.01, '0.5', true], [0, 1, 0.05]],
  ['ReservoirSize', [-1, 0.5, 2 ** 31, '1'], [0, 2 ** 31 - 1]],
  ['ServiceName', ['x'.repeat(65), {}], ['', 'x'.repeat(64), '🜁'.repeat(64)]],
  ['ServiceType', ['x'.repeat(65), []], ['x'.repeat(64)]],
  ['Host', ['x'.repeat(65), 1], ['x'.repeat(64)]],
  ['HTTPMethod', ['x'.repeat(11), 1], ['x'.repeat(10)]],
  ['URLPath', ['x'.repeat(129), 1], ['x'.repeat(128)]],
  ['Version', [0, 2, 1.5, '1'], [1]],
  [
    'Attributes',
    [
      { '': 'a' },
      { a: '' },
      { ['k'.repeat(33)]: 'a' },
      { a: 'v'.repeat(33) },
      { a: 1 },
      { a: null },
      [],
      sixAttributes(),
    ],
    [{}, { ['k'.repeat(32)]: 'v'.repeat(32) }, { __proto__x: '*', constructor: '*' }],
  ],
  [
    'SamplingRateBoost',
    [
      {},
      { MaxRate: 0.5 },
      { CooldownWindowMinutes: 1 },
      { MaxRate: 1.1, CooldownWindowMinutes: 1 },
      { MaxRate: 0.5, CooldownWindowMinutes: -1 },
      { MaxRate: 0.5, CooldownWindowMinutes: 1.5 },
      1,
    ],
    [
      { MaxRate: 0, CooldownWindowMinutes: 0 },
      { MaxRate: 1, CooldownWindowMinutes: 1e6 },
    ],
  ],
];
for (const [name, wrong, right] of bounds) {
  test(`${name} keeps its bounds`, () => {
    for (const value of wrong) {
      assert.throws(
        () => readSamplingRule(members({ ...whole, [name]: value })),
        { code: 'INVALID_REQUEST', message: new RegExp(`^(${name}|MaxRate|CooldownWindowMinutes): expected `) },
        JSON.stringify(value),
      );
    }
    for (const value of right) readSamplingRule(members({ ...whole, [name]: value }));
  });
}

test('a rule is named by name or by ARN, of whatever region and account, but not by both', () => {
  const name = (value: object) => readRuleName(members(value));
  assert.equal(name({ RuleName: 'a' }), 'a');
  assert.equal(name({ RuleARN: 'arn:aws:xray:local:000000000000:sampling-rule/a/b', RuleName: null }), 'a/b');
  assert.equal(name({ RuleARN: 'arn:aws-cn:xray:cn-north-1:123456789012:sampling-rule/a' }), 'a');
  for (const wrong of [
    {},
    { RuleName: 'a', RuleARN: 'arn:aws:xray:local:000000000000:sampling-rule/a' },
    { RuleARN: 'a' },
    { RuleARN: 'arn:aws:xray:local:000000000000:group/a' },
    { RuleARN: 'arn:aws:xray:local:000000000000:sampling-rule/' },
    { RuleARN: 1 },
  ]) {
    assert.throws(
      () => name(wrong),
      { code: 'INVALID_REQUEST', message: /^Rule(Name|ARN): expected/ },
      JSON.stringify(wrong),
    );
  }
});

test('of an update, what is missing stays missing', () => {
  const changes = readSamplingRuleChanges(members({ RuleName: 'a', FixedRate: 0 }));
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  assert.deepEqual(given, [['fixedRate', 0]]);
});

test('messages name the place, the wish and a find of bounded length', () => {
  assert.throws(
    () => readSamplingRuleChanges(members({ Host: `"${'x'.repeat(1000)}` })),
    ({ message }: Error) =>
      message.startsWith('Host: expected 0 to 64 characters, got "\\"xxx') && message.length < 200,
  );
});

test('whatever JSON a rule is, it is read or refused', () => {
  const values = fc.oneof(fc.jsonValue(), fc.constantFrom(...Object.values(whole)));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('RuleARN', ...Object.keys(whole)), values), (given) => {
      for (const read of [readSamplingRule, readSamplingRuleChanges, readRuleName]) {
        try {
          read(members({ ...whole, ...given }));
        } catch (error) {
          assert.ok(error instanceof RaybridgeError && error.code === 'INVALID_REQUEST', String(error));
        }
      }
    }),
    fuzzing(500),
  );
});

function sixAttributes(): object {
  return Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`k${i}`, '*']));
}

function members(value: object): JsonObject {
  const parsed = parseJson(JSON.stringify(value));
  assert.ok(isJsonObject(parsed));
  return parsed;
}
