export * from './boosts.ts';
export { changeRecord, createRecord, customRulesMax, deletableRecord } from './edit.ts';
export { readChanges, readRuleName, readSamplingRule, type SamplingRuleChanges } from './members.ts';
export * from './rules.ts';
export * from './targets.ts';
