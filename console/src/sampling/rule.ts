import type { SamplingAnswer } from '../api/answers.ts';
import type { SamplingRule, SamplingRuleRecord } from '../../../src/model/index.ts';
import { defaultSamplingRule, matchesRule, mismatchesOf, orderRules } from '../../../src/sampling/index.ts';
import type { Mismatch, SamplingRequest } from '../../../src/sampling/index.ts';

export type RuleAnswer = SamplingAnswer['SamplingRuleRecords'][number]['SamplingRule'];

/** A rule as the X-Ray API words it, in the model's words. */
function toRule(answer: RuleAnswer): SamplingRule {
  const { SamplingRateBoost: boost } = answer;
  return {
    ruleName: answer.RuleName,
    ruleArn: answer.RuleARN,
    resourceArn: answer.ResourceARN,
    priority: answer.Priority,
    fixedRate: answer.FixedRate,
    reservoirSize: answer.ReservoirSize,
    serviceName: answer.ServiceName,
    serviceType: answer.ServiceType,
    host: answer.Host,
    httpMethod: answer.HTTPMethod,
    urlPath: answer.URLPath,
    attributes: new Map(Object.entries(answer.Attributes)),
    rateBoost: boost && { maxRate: boost.MaxRate, cooldownWindowMinutes: boost.CooldownWindowMinutes },
  };
}

export function toRecord(answer: RuleAnswer): SamplingRuleRecord {
  return { rule: toRule(answer), createdAtNs: 0n, modifiedAtNs: 0n };
}

export function isDefaultRule({ RuleName }: Pick<RuleAnswer, 'RuleName'>): boolean {
  return RuleName === defaultSamplingRule.ruleName;
}

/** A rule that was held against a request, and what kept it from matching: nothing of the one that decided. */
export interface TriedRule {
  readonly rule: SamplingRule;
  readonly mismatches: readonly Mismatch[];
}

/** Rules in the order in which they are tried, up to the one that matches, which is the last. */
export function rulesTried(request: SamplingRequest, records: readonly SamplingRuleRecord[]): readonly TriedRule[] {
  const rules = orderRules(records).map(({ rule }) => rule);
  const decides = rules.findIndex((rule) => matchesRule(rule, request));
  return rules.slice(0, decides + 1).map((rule) => ({ rule, mismatches: mismatchesOf(rule, request) }));
}

/** What stands in the form, as texts. */
export type RuleFields = Readonly<Record<FieldName, string>>;
export type FieldName = (typeof fields)[number]['name'];

/** The members of a rule that a form asks for, as CreateSamplingRule names them. `optional` ones may be empty. */
export const fields = [
  { name: 'RuleName', label: 'Name', kind: 'text' },
  { name: 'Priority', label: 'Priority (1 to 9999, lower first)', kind: 'number' },
  { name: 'ReservoirSize', label: 'Reservoir (requests a second)', kind: 'number' },
  { name: 'FixedRate', label: 'Rate of the rest (0 to 1)', kind: 'number' },
  { name: 'ServiceName', label: 'Service name', kind: 'text' },
  { name: 'ServiceType', label: 'Service type', kind: 'text' },
  { name: 'Host', label: 'Host', kind: 'text' },
  { name: 'HTTPMethod', label: 'HTTP method', kind: 'text' },
  { name: 'URLPath', label: 'URL path', kind: 'text' },
  { name: 'ResourceARN', label: 'Resource ARN', kind: 'text' },
  { name: 'MaxRate', label: 'Boosted rate (0 to 1, or empty)', kind: 'optional' },
  { name: 'CooldownWindowMinutes', label: 'Minutes between boosts (or empty)', kind: 'optional' },
  { name: 'Attributes', label: 'Attributes, a line each: key=pattern', kind: 'lines' },
] as const;

/** Of the default rule nothing else can be changed. */
export const changeableOfDefault: readonly FieldName[] = [
  'ReservoirSize',
  'FixedRate',
  'MaxRate',
  'CooldownWindowMinutes',
];

/** Of a rule that is not there yet. */
export const newFields: RuleFields = {
  RuleName: '',
  Priority: '100',
  ReservoirSize: '1',
  FixedRate: '0.05',
  ServiceName: '*',
  ServiceType: '*',
  Host: '*',
  HTTPMethod: '*',
  URLPath: '*',
  ResourceARN: '*',
  MaxRate: '',
  CooldownWindowMinutes: '',
  Attributes: '',
};

export function toFields({ Attributes, SamplingRateBoost: boost, ...members }: RuleAnswer): RuleFields {
  const { MaxRate = '', CooldownWindowMinutes = '' } = boost ?? {};
  return {
    ...(Object.fromEntries(Object.entries(members).map(([name, value]) => [name, String(value)])) as RuleFields),
    MaxRate: String(MaxRate),
    CooldownWindowMinutes: String(CooldownWindowMinutes),
    Attributes: Object.entries(Attributes)
      .map(([key, pattern]) => `${key}=${pattern}`)
      .join('\n'),
  };
}

/** SamplingRule of CreateSamplingRule; what is no number goes as it is, so that the API says what it wants. */
export function toNewRule(form: RuleFields): object {
  return { ...toMembers(form), ...toBoost(form), Version: 1 };
}

/**
 * SamplingRuleUpdate of UpdateSamplingRule; of the default rule no more than can be changed. A boost
 * cannot be taken away by the API, so an emptied one is sent for it to say so.
 */
export function toRuleChanges(form: RuleFields, rule: RuleAnswer): object {
  const { FixedRate, ReservoirSize, ...others } = toMembers(form);
  const boost = toBoost(form, { always: rule.SamplingRateBoost !== undefined });
  if (isDefaultRule(rule)) return { RuleName: rule.RuleName, FixedRate, ReservoirSize, ...boost };
  return { ...others, RuleName: rule.RuleName, FixedRate, ReservoirSize, ...boost };
}

function toMembers(form: RuleFields) {
  const members = fields.flatMap(({ name, kind }) => {
    if (kind === 'text') return [[name, form[name]]];
    return kind === 'number' ? [[name, toNumber(form[name])]] : [];
  });
  return { ...Object.fromEntries(members), Attributes: toAttributes(form.Attributes) } as Record<string, unknown>;
}

function toBoost(form: RuleFields, { always = false } = {}): object {
  if (!always && form.MaxRate.trim() === '' && form.CooldownWindowMinutes.trim() === '') return {};
  const [MaxRate, CooldownWindowMinutes] = [form.MaxRate, form.CooldownWindowMinutes].map(toNumber);
  return { SamplingRateBoost: { MaxRate, CooldownWindowMinutes } };
}

/** fromEntries defines own members, so a key such as __proto__ is one among others. */
function toAttributes(lines: string): object {
  const entries = lines.split('\n').flatMap((line) => {
    if (line.trim() === '') return [];
    const [key = '', ...pattern] = line.split('=');
    return [[key.trim(), pattern.join('=').trim()]];
  });
  return Object.fromEntries(entries) as object;
}

function toNumber(text: string): number | string {
  const number = Number(text);
  return text.trim() === '' || !Number.isFinite(number) ? text : number;
}

/** What a preview needs of a rule that has no name yet. */
const draftName = 'new-rule';

/** The draft as `/api/sampling/preview` takes it. */
export function toDraft(form: RuleFields, rule: RuleAnswer | undefined): string {
  const named = form.RuleName.trim() === '' ? { ...form, RuleName: draftName } : form;
  return JSON.stringify(rule ? toRuleChanges(form, rule) : toNewRule(named));
}

/** The AWS CLI's command that makes the rule, or changes the default one; at AWS when there is no endpoint. */
export function ruleCommand(
  form: RuleFields,
  { rule, endpoint }: { readonly rule: RuleAnswer | undefined; readonly endpoint: string | undefined },
): string {
  const [operation, option, members] =
    rule && isDefaultRule(rule)
      ? ['update-sampling-rule', '--sampling-rule-update', toRuleChanges(form, rule)]
      : ['create-sampling-rule', '--sampling-rule', toNewRule(form)];
  const where = endpoint ? ` --endpoint-url ${endpoint}` : '';
  const text = JSON.stringify(members).replaceAll("'", String.raw`'\''`);
  return `aws xray ${operation}${where} ${option} '${text}'`;
}
