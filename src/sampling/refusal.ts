import type { SamplingRule, UnprocessedReport } from '../model/index.ts';

export type Refusal = Omit<UnprocessedReport, 'ruleName'>;

/** A report whose time is further away from ours says nothing about now. */
const reportAgeMaxNs = 300_000_000_000n;

/** Why a report about a rule cannot be used; AWS does not document its codes, these say what happened. */
export function refuseReport(timeNs: bigint, rule: SamplingRule | undefined, nowNs: bigint): Refusal | undefined {
  if (!rule) return { errorCode: 'RuleNotFound', message: 'There is no sampling rule of this name.' };
  const age = nowNs - timeNs;
  if (age <= reportAgeMaxNs && age >= -reportAgeMaxNs) return undefined;
  return {
    errorCode: 'StatisticsTooOld',
    message: `Timestamp is ${age / 1_000_000_000n} seconds from now, more than 300.`,
  };
}
