import type { SamplingAnswer, TracePoint } from '../api/answers.ts';
import type { SamplingRule, SamplingRuleRecord } from '../../../src/model/index.ts';
import { matchesRule, orderRules } from '../../../src/sampling/index.ts';
import type { SamplingRequest, SeenRequest } from '../../../src/sampling/index.ts';

type RuleAnswer = SamplingAnswer['SamplingRuleRecords'][number]['SamplingRule'];

/** A rule as the X-Ray API words it, in the model's words. */
export function toRule(answer: RuleAnswer): SamplingRule {
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
    rateBoost: undefined,
  };
}

export function toRecord(rule: SamplingRule): SamplingRuleRecord {
  return { rule, createdAtNs: 0n, modifiedAtNs: 0n };
}

/** What a sampler knew of the request when it decided, as far as its trace tells. */
export function toSeenRequest(point: TracePoint): SeenRequest {
  const { host, path } = urlParts(point.Url);
  return {
    startSeconds: point.StartTime,
    failed: point.HasFault || point.HasError || point.HasThrottle,
    request: {
      serviceName: point.Service,
      serviceType: point.ServiceType,
      host,
      httpMethod: point.Method,
      urlPath: path,
      resourceArn: undefined,
      attributes: new Map(),
    },
  };
}

function urlParts(url: string | undefined): { readonly host: string | undefined; readonly path: string | undefined } {
  if (url === undefined) return { host: undefined, path: undefined };
  const parts = /^[a-z][\w+.-]*:\/\/([^/?#]*)([^?#]*)/i.exec(url);
  if (parts) return { host: parts[1] || undefined, path: parts[2] || '/' };
  return { host: undefined, path: url.replace(/[?#].*$/s, '') || '/' };
}

/** Rules in the order in which they are tried, up to the one that matches, which is the last. */
export function rulesTried(request: SamplingRequest, records: readonly SamplingRuleRecord[]): readonly SamplingRule[] {
  const rules = orderRules(records).map(({ rule }) => rule);
  const decides = rules.findIndex((rule) => matchesRule(rule, request));
  return rules.slice(0, decides + 1);
}

/** What stands in the form, as texts. */
export type RuleFields = Readonly<Record<FieldName, string>>;
export type FieldName = (typeof fields)[number]['name'];

/** The members of a rule that a form asks for, as CreateSamplingRule names them. */
export const fields = [
  { name: 'RuleName', label: 'Name', number: false },
  { name: 'Priority', label: 'Priority (1 to 9999, lower first)', number: true },
  { name: 'ReservoirSize', label: 'Reservoir (requests a second)', number: true },
  { name: 'FixedRate', label: 'Rate of the rest (0 to 1)', number: true },
  { name: 'ServiceName', label: 'Service name', number: false },
  { name: 'ServiceType', label: 'Service type', number: false },
  { name: 'Host', label: 'Host', number: false },
  { name: 'HTTPMethod', label: 'HTTP method', number: false },
  { name: 'URLPath', label: 'URL path', number: false },
  { name: 'ResourceARN', label: 'Resource ARN', number: false },
] as const;

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
};

export function toFields(answer: RuleAnswer): RuleFields {
  return Object.fromEntries(fields.map(({ name }) => [name, String(answer[name])])) as RuleFields;
}

/** The rule that the form means; undefined while a number in it is none. Attributes stay as they are. */
export function toDraft(form: RuleFields, attributes: ReadonlyMap<string, string>): SamplingRule | undefined {
  const [priority, reservoirSize, fixedRate] = [form.Priority, form.ReservoirSize, form.FixedRate].map(readNumber);
  if (priority === undefined || reservoirSize === undefined || fixedRate === undefined) return undefined;
  if (reservoirSize < 0 || fixedRate < 0 || fixedRate > 1) return undefined;
  return {
    ruleName: form.RuleName || '(new)',
    ruleArn: '',
    resourceArn: form.ResourceARN,
    priority,
    fixedRate,
    reservoirSize,
    serviceName: form.ServiceName,
    serviceType: form.ServiceType,
    host: form.Host,
    httpMethod: form.HTTPMethod,
    urlPath: form.URLPath,
    attributes,
    rateBoost: undefined,
  };
}

function readNumber(text: string): number | undefined {
  const number = Number(text);
  return text.trim() === '' || Number.isNaN(number) ? undefined : number;
}

/** The request of CreateSamplingRule; what is no number goes as it is, so that the API says what it wants. */
export function toCreateRequest(form: RuleFields): object {
  return { SamplingRule: { ...toMembers(form), Version: 1 } };
}

/** The request of UpdateSamplingRule; of the default rule no more than can be changed. */
export function toUpdateRequest(form: RuleFields, { isDefault }: { readonly isDefault: boolean }): object {
  const { RuleName, FixedRate, ReservoirSize, ...others } = toMembers(form);
  return { SamplingRuleUpdate: { RuleName, FixedRate, ReservoirSize, ...(isDefault ? {} : others) } };
}

function toMembers(form: RuleFields) {
  return Object.fromEntries(
    fields.map(({ name, number }) => [name, number ? (readNumber(form[name]) ?? form[name]) : form[name]]),
  ) as Record<FieldName, string | number>;
}

/** The same by the AWS CLI. */
export function createRuleCommand(form: RuleFields, endpoint: string | undefined): string {
  const rule = JSON.stringify((toCreateRequest(form) as { SamplingRule: object }).SamplingRule);
  const words = endpoint ? ` --endpoint-url ${endpoint}` : '';
  return `aws xray create-sampling-rule${words} --sampling-rule '${rule.replaceAll("'", String.raw`'\''`)}'`;
}
