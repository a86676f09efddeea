import {
  CreateSamplingRuleCommand,
  DeleteSamplingRuleCommand,
  paginateGetSamplingStatisticSummaries,
  type SamplingRule,
  UpdateSamplingRuleCommand,
  type XRayClient,
} from '@aws-sdk/client-xray';

export type RuleMembers = Partial<SamplingRule> & { readonly RuleName: string };

/** A rule for everything, with what is given: without a reservoir, and at a rate of 0, unless that says otherwise. */
export function ruleOf(members: RuleMembers): SamplingRule {
  return {
    ResourceARN: '*',
    Priority: 100,
    FixedRate: 0,
    ReservoirSize: 0,
    ServiceName: '*',
    ServiceType: '*',
    Host: '*',
    HTTPMethod: '*',
    URLPath: '*',
    Version: 1,
    ...members,
  };
}

/** Creates the rules, and deletes them when `run` has ended. */
export async function withRules(
  client: XRayClient,
  rules: readonly RuleMembers[],
  run: () => Promise<void>,
): Promise<void> {
  for (const rule of rules) await client.send(new CreateSamplingRuleCommand({ SamplingRule: ruleOf(rule) }));
  try {
    await run();
  } finally {
    for (const { RuleName } of rules) await client.send(new DeleteSamplingRuleCommand({ RuleName }));
  }
}

/** Nothing is sampled unless a rule says so. */
export async function sampleNothingByDefault(client: XRayClient): Promise<void> {
  const update = { RuleName: 'Default', FixedRate: 0, ReservoirSize: 0 };
  await client.send(new UpdateSamplingRuleCommand({ SamplingRuleUpdate: update }));
}

/** What all clients reported of a rule: requests, and how many of them were sampled or borrowed. */
export async function reportedCounts(
  client: XRayClient,
  ruleName: string,
): Promise<{ readonly requests: number; readonly sampled: number; readonly borrowed: number }> {
  const counts = { requests: 0, sampled: 0, borrowed: 0 };
  for await (const { SamplingStatisticSummaries = [] } of paginateGetSamplingStatisticSummaries({ client }, {})) {
    for (const { RuleName, RequestCount = 0, SampledCount = 0, BorrowCount = 0 } of SamplingStatisticSummaries) {
      if (RuleName !== ruleName) continue;
      counts.requests += RequestCount;
      counts.sampled += SampledCount;
      counts.borrowed += BorrowCount;
    }
  }
  return counts;
}

/** Six standard deviations and more around the expectation of `count` decisions: chance breaks it less than once in ten thousand million runs. */
export function isByRate(sampled: number, { count, rate }: { readonly count: number; readonly rate: number }): boolean {
  return Math.abs(sampled - count * rate) <= 6.5 * Math.sqrt(count * rate * (1 - rate));
}
