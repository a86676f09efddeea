import { type SamplingRule, type SamplingRuleRecord, xrayArn } from '../model/index.ts';

/** What is known of a request when somebody has to decide about sampling; undefined where nothing is known. */
export interface SamplingRequest {
  readonly serviceName: string | undefined;
  /** X-Ray's origin, such as `AWS::ECS::Container`. */
  readonly serviceType: string | undefined;
  readonly host: string | undefined;
  readonly httpMethod: string | undefined;
  /** Without the query. */
  readonly urlPath: string | undefined;
  readonly resourceArn: string | undefined;
  readonly attributes: ReadonlyMap<string, string>;
}

/** Exists always, matches always, cannot be deleted (AWS X-Ray developer guide, "sampling rules"). */
export const defaultSamplingRule: SamplingRule = {
  ruleName: 'Default',
  ruleArn: samplingRuleArn('Default'),
  resourceArn: '*',
  priority: 10_000,
  fixedRate: 0.05,
  reservoirSize: 1,
  serviceName: '*',
  serviceType: '*',
  host: '*',
  httpMethod: '*',
  urlPath: '*',
  attributes: new Map(),
  rateBoost: undefined,
};

export function samplingRuleArn(ruleName: string): string {
  return xrayArn(`sampling-rule/${ruleName}`);
}

/** The first rule that matches, in the order in which clients try them; the default rule when none does. */
export function matchRule(request: SamplingRequest, records: readonly SamplingRuleRecord[]): SamplingRule {
  const rules = orderRules(records).map(({ rule }) => rule);
  return rules.find((rule) => matchesRule(rule, request)) ?? defaultSamplingRule;
}

/**
 * Rules as clients get and try them: by priority, then by name, with the default rule last. A stored
 * default rule keeps its rate, reservoir and boost, which are all that can be changed of it.
 */
export function orderRules(records: readonly SamplingRuleRecord[]): readonly SamplingRuleRecord[] {
  const custom = records.filter(({ rule }) => !isDefault(rule)).sort((a, b) => compareRules(a.rule, b.rule));
  const stored = records.find(({ rule }) => isDefault(rule));
  return [...custom, toDefaultRecord(stored)];
}

export function isDefault(rule: Pick<SamplingRule, 'ruleName'>): boolean {
  return rule.ruleName === defaultSamplingRule.ruleName;
}

function compareRules(a: SamplingRule, b: SamplingRule): number {
  if (a.priority !== b.priority) return a.priority - b.priority;
  return a.ruleName < b.ruleName ? -1 : 1;
}

function toDefaultRecord(stored: SamplingRuleRecord | undefined): SamplingRuleRecord {
  if (!stored) return { rule: defaultSamplingRule, createdAtNs: 0n, modifiedAtNs: 0n };
  const { ruleArn, fixedRate, reservoirSize, rateBoost } = stored.rule;
  return { ...stored, rule: { ...defaultSamplingRule, ruleArn, fixedRate, reservoirSize, rateBoost } };
}

/** The default rule matches always. */
export function matchesRule(rule: SamplingRule, request: SamplingRequest): boolean {
  if (isDefault(rule)) return true;
  // Flat, because a preview asks it of each rule and request; `mismatchesOf` says the same in words.
  return (
    matchesPattern(rule.serviceName, request.serviceName) &&
    matchesPattern(rule.serviceType, request.serviceType) &&
    matchesPattern(rule.host, request.host) &&
    matchesPattern(rule.httpMethod, request.httpMethod) &&
    matchesPattern(rule.urlPath, request.urlPath) &&
    matchesPattern(rule.resourceArn, request.resourceArn) &&
    [...rule.attributes].every(([key, pattern]) => matchesPattern(pattern, request.attributes.get(key)))
  );
}

/** A member of a rule that keeps it from matching a request. */
export interface Mismatch {
  /** As the X-Ray API names it; of an attribute its key. */
  readonly member: string;
  readonly pattern: string;
  /** What the request has there; undefined when that is not known. */
  readonly found: string | undefined;
}

/** Why `matchesRule` says no; empty when it says yes. */
export function mismatchesOf(rule: SamplingRule, request: SamplingRequest): readonly Mismatch[] {
  if (isDefault(rule)) return [];
  const members: readonly Mismatch[] = [
    { member: 'ServiceName', pattern: rule.serviceName, found: request.serviceName },
    { member: 'ServiceType', pattern: rule.serviceType, found: request.serviceType },
    { member: 'Host', pattern: rule.host, found: request.host },
    { member: 'HTTPMethod', pattern: rule.httpMethod, found: request.httpMethod },
    { member: 'URLPath', pattern: rule.urlPath, found: request.urlPath },
    { member: 'ResourceARN', pattern: rule.resourceArn, found: request.resourceArn },
    ...[...rule.attributes].map(([key, pattern]) => ({ member: key, pattern, found: request.attributes.get(key) })),
  ];
  return members.filter(({ pattern, found }) => !matchesPattern(pattern, found));
}

/** What is not known matches only the pattern that asks for nothing, as in OpenTelemetry's X-Ray samplers. */
function matchesPattern(pattern: string, text: string | undefined): boolean {
  if (text === undefined) return pattern === '*';
  return matchesWildcards(pattern, text);
}

/**
 * Whether a pattern of `*` (any characters) and `?` (exactly one) matches the whole text, whatever
 * the case. When a character does not fit, only the last `*` takes one more: an earlier one can
 * win nothing by it. So no pattern costs more than its length, which a rule bounds, times that of
 * the text, and one without a repeated beginning costs a single pass.
 */
export function matchesWildcards(pattern: string, text: string): boolean {
  const wanted = pattern.toLowerCase();
  const given = text.toLowerCase();
  let at = 0;
  let afterStar = -1;
  let starTook = 0;
  for (let i = 0; i < given.length;) {
    if (wanted[at] === '*') {
      afterStar = ++at;
      starTook = i;
    } else if (at < wanted.length && (wanted[at] === '?' || wanted[at] === given[i])) {
      at++;
      i++;
    } else if (afterStar >= 0) {
      at = afterStar;
      i = ++starTook;
    } else {
      return false;
    }
  }
  while (wanted[at] === '*') at++;
  return at === wanted.length;
}
