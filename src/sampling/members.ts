import { RaybridgeError } from '../errors.ts';
import { isJsonNumber, isJsonObject } from '../model/index.ts';
import type { JsonObject, JsonValue, SamplingRateBoost, SamplingRule } from '../model/index.ts';
import { defaultSamplingRule, samplingRuleArn } from './rules.ts';

/**
 * Sampling rules as JSON has them: SamplingRule and SamplingRuleUpdate of the X-Ray API (reference
 * 2016-04-12), with the bounds that stand there. A missing or wrong member is an INVALID_REQUEST that
 * names it; members that nobody knows are ignored, and null counts as missing, as AWS has it.
 */

/** What CreateSamplingRule is given: every member but the attributes and the boost is required. */
export function readSamplingRule(members: JsonObject, place: string): SamplingRule {
  const ruleName = readRuleName(members, place);
  const found = readChanges(members, place);
  const required = <Value>(value: Value | undefined, name: string): Value => {
    if (value !== undefined) return value;
    throw new RaybridgeError('INVALID_REQUEST', `${place}.${name}: expected a value, got nothing`);
  };
  const version = required(readWhole(members, { place, name: 'Version', min: 1, max: wholeMax }), 'Version');
  if (version !== 1) {
    throw new RaybridgeError('INVALID_REQUEST', `${place}.Version: expected 1, the only version, got ${version}`);
  }
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

/** What of a rule can change; undefined stays as it is. */
export type SamplingRuleChanges = {
  readonly [Member in Exclude<keyof SamplingRule, 'ruleName' | 'ruleArn'>]: SamplingRule[Member] | undefined;
};

/** What UpdateSamplingRule is given beside the name; the same members are part of a new rule. */
export function readChanges(members: JsonObject, place: string): SamplingRuleChanges {
  const text = (name: string, charactersMax: number): string | undefined =>
    readText(members.get(name), { place: `${place}.${name}`, charactersMin: 0, charactersMax });
  return {
    resourceArn: text('ResourceARN', 500),
    priority: readWhole(members, { place, name: 'Priority', min: 1, max: 9999 }),
    fixedRate: readRate(members, { place, name: 'FixedRate' }),
    reservoirSize: readWhole(members, { place, name: 'ReservoirSize', min: 0, max: wholeMax }),
    serviceName: text('ServiceName', 64),
    serviceType: text('ServiceType', 64),
    host: text('Host', 64),
    httpMethod: text('HTTPMethod', 10),
    urlPath: text('URLPath', 128),
    attributes: readAttributes(members, place),
    rateBoost: readRateBoost(members, place),
  };
}

/** RuleName or RuleARN, which every operation on one rule takes, but not both. */
export function readRuleName(members: JsonObject, place: string): string {
  const [name, arn] = [members.get('RuleName') ?? undefined, members.get('RuleARN') ?? undefined];
  if ((name === undefined) === (arn === undefined)) {
    const found = name === undefined ? 'neither' : 'both';
    throw new RaybridgeError('INVALID_REQUEST', `${place}: expected either RuleName or RuleARN, got ${found}`);
  }
  if (name !== undefined) return readName(name, `${place}.RuleName`);
  const nameInArn = typeof arn === 'string' ? arnPattern.exec(arn)?.[1] : undefined;
  if (nameInArn === undefined) {
    throw wrong(`${place}.RuleARN`, `an ARN such as ${defaultSamplingRule.ruleArn}`, arn);
  }
  return readName(nameInArn, `${place}.RuleARN`);
}

/** Region and account are free: here is one of each, and clients write those they know. */
const arnPattern = /^arn:aws[a-z-]*:xray:[^:]*:[^:]*:sampling-rule\/(.*)$/s;

/** AWS publishes no list; these are the characters of segment names. */
const namePattern = /^[\p{L}\p{N}\s_.:/%&#=+\\@-]+$/u;

const ruleNameCharactersMax = 32;

function readName(value: JsonValue, place: string): string {
  const name = readText(value, { place, charactersMin: 1, charactersMax: ruleNameCharactersMax }) ?? '';
  if (namePattern.test(name)) return name;
  throw wrong(place, 'letters, digits, spaces and _ . : / % & # = + \\ - @', value);
}

const attributesMax = 5;

function readAttributes(members: JsonObject, rulePlace: string): ReadonlyMap<string, string> | undefined {
  const place = `${rulePlace}.Attributes`;
  const value = members.get('Attributes') ?? undefined;
  if (value === undefined) return undefined;
  if (!isJsonObject(value)) throw wrong(place, 'an object', value);
  if (value.size > attributesMax) {
    throw new RaybridgeError('INVALID_REQUEST', `${place}: expected at most ${attributesMax}, got ${value.size}`);
  }
  const bounds = { charactersMin: 1, charactersMax: 32 };
  return new Map(
    [...value].map(([key, pattern]): [string, string] => {
      readText(key, { ...bounds, place: `${place}, a key` });
      const text = readText(pattern, { ...bounds, place: `${place}.${key}` });
      if (text === undefined) throw wrong(`${place}.${key}`, 'a string', pattern);
      return [key, text];
    }),
  );
}

function readRateBoost(members: JsonObject, rulePlace: string): SamplingRateBoost | undefined {
  const place = `${rulePlace}.SamplingRateBoost`;
  const value = members.get('SamplingRateBoost') ?? undefined;
  if (value === undefined) return undefined;
  if (!isJsonObject(value)) throw wrong(place, 'an object', value);
  const maxRate = readRate(value, { place, name: 'MaxRate' });
  const cooldownWindowMinutes = readWhole(value, { place, name: 'CooldownWindowMinutes', min: 0, max: wholeMax });
  if (maxRate === undefined || cooldownWindowMinutes === undefined) {
    throw new RaybridgeError('INVALID_REQUEST', `${place}: expected MaxRate and CooldownWindowMinutes`);
  }
  return { maxRate, cooldownWindowMinutes };
}

interface TextBounds {
  readonly place: string;
  readonly charactersMin: number;
  readonly charactersMax: number;
}

/** Characters are counted as code points, as AWS counts them. */
function readText(value: JsonValue | undefined, bounds: TextBounds): string | undefined {
  const { place, charactersMin, charactersMax } = bounds;
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw wrong(place, 'a string', value);
  // No text of so many code units can be short enough, so it need not be counted.
  const characters = value.length > 2 * charactersMax ? Infinity : [...value].length;
  if (characters >= charactersMin && characters <= charactersMax) return value;
  throw wrong(place, `${charactersMin} to ${charactersMax} characters`, value);
}

/** AWS's integers have 32 bits. */
const wholeMax = 2 ** 31 - 1;

interface WholeMember {
  readonly place: string;
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

function readWhole(members: JsonObject, { place, name, min, max }: WholeMember): number | undefined {
  const value = members.get(name) ?? undefined;
  if (value === undefined) return undefined;
  const number = isJsonNumber(value) ? Number(value.literal) : Number.NaN;
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  throw wrong(`${place}.${name}`, `a whole number from ${min} to ${max}`, value);
}

function readRate(
  members: JsonObject,
  { place, name }: { readonly place: string; readonly name: string },
): number | undefined {
  const value = members.get(name) ?? undefined;
  if (value === undefined) return undefined;
  const rate = isJsonNumber(value) ? Number(value.literal) : Number.NaN;
  if (rate >= 0 && rate <= 1) return rate;
  throw wrong(`${place}.${name}`, 'a number from 0 to 1', value);
}

const foundCharactersMax = 80;

function wrong(place: string, wish: string, found: JsonValue | undefined): RaybridgeError {
  return new RaybridgeError('INVALID_REQUEST', `${place}: expected ${wish}, got ${describe(found)}`);
}

function describe(value: JsonValue | undefined): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, foundCharactersMax));
  if (typeof value === 'boolean') return String(value);
  if (isJsonNumber(value)) return value.literal.slice(0, foundCharactersMax);
  return value === undefined || value === null ? 'nothing' : 'another JSON value';
}
