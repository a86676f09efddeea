import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SamplingRequest } from '../../../src/sampling/index.ts';
import { recordedRule } from './recordedRule.ts';
import {
  newFields,
  ruleCommand,
  rulesTried,
  toDraft,
  toFields,
  toNewRule,
  toRecord,
  toRuleChanges,
  type RuleAnswer,
} from './rule.ts';

const rule: RuleAnswer = {
  RuleName: 'cart',
  RuleARN: 'arn:aws:xray:us-east-1:000000000000:sampling-rule/cart',
  ResourceARN: '*',
  Priority: 10,
  FixedRate: 0.5,
  ReservoirSize: 2,
  ServiceName: '*',
  ServiceType: '*',
  Host: '*',
  HTTPMethod: '*',
  URLPath: '/c?rt',
  Version: 1,
  Attributes: { tier: 'gold=*', __proto: '1' },
  SamplingRateBoost: { MaxRate: 0.9, CooldownWindowMinutes: 10 },
};
const { SamplingRateBoost: _, ...plain } = rule;
const defaultRule: RuleAnswer = { ...plain, RuleName: 'Default', Priority: 10_000, URLPath: '*', Attributes: {} };

describe('a request that was seen', () => {
  it('is tried by rules in order, up to the one that matches, and what did not match is named', () => {
    const records = [
      toRecord({ ...defaultRule, RuleName: 'late', Priority: 200 }),
      toRecord({ ...rule, Attributes: {} }),
      toRecord({ ...defaultRule, RuleName: 'first', Priority: 1, ServiceName: 'other' }),
    ];
    const tried = (urlPath: string, all = records) => {
      const nothing = { serviceType: undefined, host: undefined, httpMethod: 'GET', resourceArn: undefined };
      const request: SamplingRequest = { ...nothing, serviceName: 'shop', urlPath, attributes: new Map() };
      return rulesTried(request, all).map(({ rule: { ruleName }, mismatches }) => [
        ruleName,
        ...mismatches.map(({ member }) => member),
      ]);
    };
    assert.deepEqual(tried('/cart'), [['first', 'ServiceName'], ['cart']]);
    assert.deepEqual(tried('/x'), [['first', 'ServiceName'], ['cart', 'URLPath'], ['late']]);
    assert.deepEqual(tried('/x', []), [['Default']]);
  });

  it('may say itself by which rule it was sampled', () => {
    const segment = (document: unknown) => ({ Id: '1', Document: JSON.stringify(document) });
    const named = segment({ aws: { xray: { sampling_rule_name: 'cart' } } });
    assert.equal(recordedRule({ Segments: [segment({}), { Id: '2', Document: '{' }, named] }), 'cart');
    assert.equal(recordedRule({ Segments: [segment({ aws: { xray: { sampling_rule_name: 7 } } })] }), undefined);
  });
});

describe('the form of a rule', () => {
  it('goes forth and back', () => {
    const { RuleARN: _arn, ...members } = rule;
    assert.deepEqual(toNewRule(toFields(rule)), members);
    const { SamplingRateBoost: _boost, ...others } = members;
    const unnamed = toFields({ ...rule, RuleName: '' });
    assert.deepEqual(toNewRule({ ...unnamed, MaxRate: '', CooldownWindowMinutes: ' ' }), { ...others, RuleName: '' });
  });

  it('leaves it to the API to say what is wrong', () => {
    const form = { ...newFields, FixedRate: 'half', MaxRate: '1', Attributes: 'tier\n\n = x' };
    const { FixedRate, SamplingRateBoost, Attributes } = toNewRule(form) as Record<string, unknown>;
    assert.deepEqual(
      [FixedRate, SamplingRateBoost, Attributes],
      ['half', { MaxRate: 1, CooldownWindowMinutes: '' }, { tier: '', '': 'x' }],
    );
  });

  it('changes of the default rule what can be changed', () => {
    assert.deepEqual(toRuleChanges({ ...toFields(defaultRule), FixedRate: '1', Priority: '3' }, defaultRule), {
      RuleName: 'Default',
      FixedRate: 1,
      ReservoirSize: 2,
    });
  });

  it('does not leave out a boost that is there, which the API cannot take away', () => {
    const emptied = { ...toFields(rule), MaxRate: '', CooldownWindowMinutes: '' };
    const { SamplingRateBoost } = toRuleChanges(emptied, rule) as Record<string, unknown>;
    assert.deepEqual(SamplingRateBoost, { MaxRate: '', CooldownWindowMinutes: '' });
  });

  it('is previewed before it has a name', () => {
    assert.equal(JSON.parse(toDraft(newFields, undefined)).RuleName, 'new-rule');
    assert.equal(JSON.parse(toDraft({ ...newFields, RuleName: 'a' }, undefined)).RuleName, 'a');
    assert.equal(JSON.parse(toDraft(toFields(rule), rule)).RuleName, 'cart');
  });

  it('becomes a command for AWS, and for here', () => {
    const form = { ...newFields, RuleName: "it's" };
    const command = ruleCommand(form, { rule: undefined, endpoint: 'http://127.0.0.1:2080' });
    assert.match(
      command,
      /^aws xray create-sampling-rule --endpoint-url http:\/\/127\.0\.0\.1:2080 --sampling-rule '\{/,
    );
    assert.match(command, /it'\\''s/);
    assert.match(
      ruleCommand(toFields(defaultRule), { rule: defaultRule, endpoint: undefined }),
      /^aws xray update-sampling-rule --sampling-rule-update '\{"RuleName":"Default",/,
    );
  });
});
