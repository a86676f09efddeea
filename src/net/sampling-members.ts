import { RaybridgeError } from '../errors.ts';
import type { JsonObject, SamplingRateBoost, SamplingRule } from '../model/index.ts';
import { defaultSamplingRule, samplingRuleArn, type SamplingRuleChanges } from '../sampling/index.ts';
import { numberMember, objectMember, textMember, wrong } from './members.ts';

/**
 * The members of SamplingRule and SamplingRuleUpdate, with the bounds of the API reference. A
 * missing or wrong one is an INVALID_REQUEST that names it.
 */

/** What CreateSamplingRule is given: every member but the attributes and the boost is required. */
export function readSamplingRule(members: JsonObject): SamplingRule {
  const ruleName = readRuleName(members);
  const version = required(wholeMember(members, 'Version', { min: 1, max: integerMax }), 'Version');
  if (version !== 1) throw wrong('Version', '1, the only version', members.get('Version'));
  const found = readSamplingRuleChanges(members);
  return {
    ruleName,
    ruleArn: samplingRuleArn(ruleName),
    resourceArn: required(found.resourceArn, 'ResourceARN'),
    priority: required(found.priority, 'Priority'),
    fixedRate: required(found.fixedRate, 'FixedRate'),
    reservoirSize: required(found.reservoirSize, 'ReservoirSize'),
    serviceName: required(found.serviceName, 'ServiceName'),
    serviceType: required(found.serviceType, 'ServiceType'),
    host: required(found.host, 'Host'),
    httpMethod: required(found.httpMethod, 'HTTPMethod'),
    urlPath: required(found.urlPath, 'URLPath'),
    attributes: found.attributes ?? new Map(),
    rateBoost: found.rateBoost,
  };
}

/** What UpdateSamplingRule is given beside the name; the same members are part of a new rule. */
export function readSamplingRuleChanges(members: JsonObject): SamplingRuleChanges {
  return {
    resourceArn: boundedMember(members, 'ResourceARN', { max: 500 }),
    priority: wholeMember(members, 'Priority', { min: 1, max: 9999 }),
    fixedRate: rateMember(members, 'FixedRate'),
    reservoirSize: wholeMember(members, 'ReservoirSize', { min: 0, max: integerMax }),
    serviceName: boundedMember(members, 'ServiceName', { max: 64 }),
    serviceType: boundedMember(members, 'ServiceType', { max: 64 }),
    host: boundedMember(members, 'Host', { max: 64 }),
    httpMethod: boundedMember(members, 'HTTPMethod', { max: 10 }),
    urlPath: boundedMember(members, 'URLPath', { max: 128 }),
    attributes: readAttributes(members),
    rateBoost: readRateBoost(members),
  };
}

/** RuleName or RuleARN: how operations name a rule. */
export function readRuleName(members: JsonObject): string {
  const name = boundedMember(members, 'RuleName', { min: 1, max: ruleNameCharactersMax });
  const arn = textMember(members, 'RuleARN');
  if ((name === undefined) === (arn === undefined)) {
    const found = name === undefined ? 'neither' : 'both';
    throw new RaybridgeError('INVALID_REQUEST', `RuleName: expected either RuleName or RuleARN, got ${found}`);
  }
  const nameInArn = arn === undefined ? undefined : arnPattern.exec(arn)?.[1];
  if (arn !== undefined && (nameInArn === undefined || charactersOf(nameInArn) > ruleNameCharactersMax)) {
    throw wrong('RuleARN', `an ARN such as ${defaultSamplingRule.ruleArn}`, arn);
  }
  const ruleName = name ?? nameInArn ?? '';
  if (namePattern.test(ruleName)) return ruleName;
  throw wrong('RuleName', 'letters, digits, spaces and _ . : / % & # = + \\ - @', ruleName);
}

const ruleNameCharactersMax = 32;
/** Region and account are free: here is one of each, and clients write those they know. */
const arnPattern = /^arn:aws[a-z-]*:xray:[^:]*:[^:]*:sampling-rule\/(.+)$/s;
/** AWS publishes no list; these are the characters of segment names. */
const namePattern = /^[\p{L}\p{N}\s_.:/%&#=+\\@-]+$/u;

const attributesMax = 5;

function readAttributes(members: JsonObject): ReadonlyMap<string, string> | undefined {
  const attributes = objectMember(members, 'Attributes');
  if (!attributes) return undefined;
  if (attributes.size > attributesMax) {
    throw new RaybridgeError(
      'INVALID_REQUEST',
      `Attributes: expected at most ${attributesMax}, got ${attributes.size}`,
    );
  }
  return new Map(
    [...attributes].map(([key, pattern]): [string, string] => {
      if (!isBounded(key, attributeBounds)) throw wrong('Attributes', 'keys of 1 to 32 characters', key);
      if (typeof pattern === 'string' && isBounded(pattern, attributeBounds)) return [key, pattern];
      throw wrong('Attributes', 'values of 1 to 32 characters', pattern);
    }),
  );
}

const attributeBounds = { min: 1, max: 32 };

function readRateBoost(members: JsonObject): SamplingRateBoost | undefined {
  const boost = objectMember(members, 'SamplingRateBoost');
  return (
    boost && {
      maxRate: required(rateMember(boost, 'MaxRate'), 'MaxRate'),
      cooldownWindowMinutes: required(
        wholeMember(boost, 'CooldownWindowMinutes', { min: 0, max: integerMax }),
        'CooldownWindowMinutes',
      ),
    }
  );
}

interface Bounds {
  readonly min?: number;
  readonly max: number;
}

function required<Value>(value: Value | undefined, name: string): Value {
  if (value !== undefined) return value;
  throw wrong(name, 'a value', undefined);
}

function boundedMember(members: JsonObject, name: string, bounds: Bounds): string | undefined {
  const text = textMember(members, name);
  if (text === undefined || isBounded(text, bounds)) return text;
  throw wrong(name, `${bounds.min ?? 0} to ${bounds.max} characters`, text);
}

function isBounded(text: string, { min = 0, max }: Bounds): boolean {
  // No text of so many code units can be short enough, so it need not be counted.
  if (text.length > 2 * max) return false;
  const characters = charactersOf(text);
  return characters >= min && characters <= max;
}

/** AWS counts code points. */
function charactersOf(text: string): number {
  return [...text].length;
}

/** AWS's integers have 32 bits. */
const integerMax = 2 ** 31 - 1;

function wholeMember(members: JsonObject, name: string, { min = 0, max }: Bounds): number | undefined {
  const number = numberMember(members, name);
  if (number === undefined || (Number.isInteger(number) && number >= min && number <= max)) return number;
  throw wrong(name, `a whole number from ${min} to ${max}`, members.get(name));
}

function rateMember(members: JsonObject, name: string): number | undefined {
  const rate = numberMember(members, name);
  if (rate === undefined || (rate >= 0 && rate <= 1)) return rate;
  throw wrong(name, 'a number from 0 to 1', members.get(name));
}
