import type { JsonObject } from '../../../model/index.ts';
import { answerGetSamplingRules, answerGetSamplingTargets } from '../../../net/sampling-calls.ts';
import { readRuleName, readSamplingRule, readSamplingRuleChanges } from '../../../net/sampling-members.ts';
import { toSamplingRuleAnswer, toSamplingStatisticsAnswer } from '../../../query/index.ts';
import { checkFirstTags } from '../../../reader/index.ts';
import { objectMember, refuseToken, tagsMember, wrong } from '../members.ts';
import type { Call, Operation } from '../operation.ts';

/** Sampling, by path (API reference 2016-04-12). */
export const samplingOperations: readonly (readonly [path: string, Operation])[] = [
  ['/GetSamplingRules', { name: 'GetSamplingRules', access: 'read', run: getSamplingRules }],
  ['/CreateSamplingRule', { name: 'CreateSamplingRule', access: 'write', run: createSamplingRule }],
  ['/UpdateSamplingRule', { name: 'UpdateSamplingRule', access: 'write', run: updateSamplingRule }],
  ['/DeleteSamplingRule', { name: 'DeleteSamplingRule', access: 'write', run: deleteSamplingRule }],
  [
    '/SamplingTargets',
    {
      name: 'GetSamplingTargets',
      access: 'read',
      run: (request, { context }) => answerGetSamplingTargets(context.sampling, request),
    },
  ],
  [
    '/SamplingStatisticSummaries',
    { name: 'GetSamplingStatisticSummaries', access: 'read', run: getSamplingStatisticSummaries },
  ],
];

async function getSamplingRules(request: JsonObject, { context }: Call): Promise<object> {
  refuseToken(request);
  return answerGetSamplingRules(await context.sampling.rules());
}

async function createSamplingRule(request: JsonObject, { context, tags }: Call): Promise<object> {
  const rule = readSamplingRule(requiredMember(request, 'SamplingRule'));
  const given = tagsMember(request) ?? new Map<string, string>();
  checkFirstTags(given);
  const record = await context.sampling.createRule(rule);
  // Only now: a rule of this name that there was already must keep its tags.
  await tags.replace(record.rule.ruleArn, given);
  return { SamplingRuleRecord: toSamplingRuleAnswer(record) };
}

async function updateSamplingRule(request: JsonObject, { context }: Call): Promise<object> {
  const members = requiredMember(request, 'SamplingRuleUpdate');
  const record = await context.sampling.updateRule(readRuleName(members), readSamplingRuleChanges(members));
  return { SamplingRuleRecord: toSamplingRuleAnswer(record) };
}

async function deleteSamplingRule(request: JsonObject, { context, tags }: Call): Promise<object> {
  const record = await context.sampling.deleteRule(readRuleName(request));
  await tags.replace(record.rule.ruleArn, new Map());
  return { SamplingRuleRecord: toSamplingRuleAnswer(record) };
}

/** All on one page: rules are at most 26, windows of the last five minutes 31. */
async function getSamplingStatisticSummaries(request: JsonObject, { context }: Call): Promise<object> {
  refuseToken(request);
  return { SamplingStatisticSummaries: context.sampling.statistics().map(toSamplingStatisticsAnswer) };
}

function requiredMember(request: JsonObject, name: string): JsonObject {
  const member = objectMember(request, name);
  if (member) return member;
  throw wrong(name, 'an object', undefined);
}
