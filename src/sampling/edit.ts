import { RaybridgeError } from '../errors.ts';
import type { SamplingRule, SamplingRuleRecord } from '../model/index.ts';
import { isDefault } from './rules.ts';

/**
 * What CreateSamplingRule, UpdateSamplingRule and DeleteSamplingRule do to the rules, with the errors
 * of the X-Ray API. `records` are all rules, the default rule among them.
 */

/** What of a rule can change; undefined stays as it is. */
export type SamplingRuleChanges = {
  readonly [Member in Exclude<keyof SamplingRule, 'ruleName' | 'ruleArn'>]: SamplingRule[Member] | undefined;
};

/** AWS's quota of rules beside the default rule. */
export const customRulesMax = 25;

/** @throws RaybridgeError INVALID_REQUEST (the name is taken), RULE_LIMIT_EXCEEDED. */
export function createRecord(
  rule: SamplingRule,
  { records, nowNs }: { readonly records: readonly SamplingRuleRecord[]; readonly nowNs: bigint },
): SamplingRuleRecord {
  const { ruleName } = rule;
  if (isDefault(rule)) {
    throw new RaybridgeError('INVALID_REQUEST', `RuleName: "${ruleName}" is reserved`);
  }
  if (records.some((record) => record.rule.ruleName === ruleName)) {
    throw new RaybridgeError('INVALID_REQUEST', `RuleName: a rule "${ruleName}" already exists`);
  }
  if (records.filter((record) => !isDefault(record.rule)).length >= customRulesMax) {
    throw new RaybridgeError(
      'RULE_LIMIT_EXCEEDED',
      `expected at most ${customRulesMax} sampling rules beside the default rule, which are there already`,
    );
  }
  return { rule, createdAtNs: nowNs, modifiedAtNs: nowNs };
}

/** @throws RaybridgeError INVALID_REQUEST (no such rule, or a member of the default rule that is fixed). */
export function changeRecord(
  ruleName: string,
  {
    changes,
    records,
    nowNs,
  }: {
    readonly changes: SamplingRuleChanges;
    readonly records: readonly SamplingRuleRecord[];
    readonly nowNs: bigint;
  },
): SamplingRuleRecord {
  const record = findRecord(ruleName, records);
  const { fixedRate, reservoirSize, rateBoost, ...others } = changes;
  if (isDefault(record.rule) && Object.values(others).some((value) => value !== undefined)) {
    throw new RaybridgeError(
      'INVALID_REQUEST',
      'RuleName: of the default rule, only FixedRate, ReservoirSize and SamplingRateBoost can be changed',
    );
  }
  const { rule } = record;
  return {
    ...record,
    modifiedAtNs: nowNs,
    rule: {
      ...rule,
      resourceArn: changes.resourceArn ?? rule.resourceArn,
      priority: changes.priority ?? rule.priority,
      fixedRate: fixedRate ?? rule.fixedRate,
      reservoirSize: reservoirSize ?? rule.reservoirSize,
      serviceName: changes.serviceName ?? rule.serviceName,
      serviceType: changes.serviceType ?? rule.serviceType,
      host: changes.host ?? rule.host,
      httpMethod: changes.httpMethod ?? rule.httpMethod,
      urlPath: changes.urlPath ?? rule.urlPath,
      attributes: changes.attributes ?? rule.attributes,
      rateBoost: rateBoost ?? rule.rateBoost,
    },
  };
}

/** The record to be deleted. @throws RaybridgeError INVALID_REQUEST (no such rule, or the default rule). */
export function deletableRecord(ruleName: string, records: readonly SamplingRuleRecord[]): SamplingRuleRecord {
  const record = findRecord(ruleName, records);
  if (!isDefault(record.rule)) return record;
  throw new RaybridgeError('INVALID_REQUEST', 'RuleName: the default rule cannot be deleted');
}

function findRecord(ruleName: string, records: readonly SamplingRuleRecord[]): SamplingRuleRecord {
  const record = records.find(({ rule }) => rule.ruleName === ruleName);
  if (record) return record;
  throw new RaybridgeError('INVALID_REQUEST', `RuleName: there is no sampling rule "${ruleName}"`);
}
