import type { SamplingRuleRecord } from '../model/index.ts';
import { createTargetLedger, orderRules, type SamplingStatistics } from '../sampling/index.ts';
import type { SamplingService } from './sampling.ts';

export interface SamplingServiceWithStatistics extends SamplingService {
  /** What clients reported in the last minutes, by rule and 10-second window, oldest first. */
  statistics(): readonly SamplingStatistics[];
}

/** Answers for rules and targets over rules that somebody else keeps. */
export function createSamplingService({
  readRules,
  nowNs,
}: {
  readonly readRules: () => Promise<readonly SamplingRuleRecord[]>;
  readonly nowNs: () => bigint;
}): SamplingServiceWithStatistics {
  const ledger = createTargetLedger();
  let known: readonly SamplingRuleRecord[] | undefined;
  let deletedAtNs = 0n;

  /**
   * While the rules cannot be read, the last ones known stay in force: a store that restarts must
   * not make clients forget them. Only when none were ever read does the error reach the client.
   */
  const rules = async (): Promise<readonly SamplingRuleRecord[]> => {
    try {
      const read = orderRules(await readRules());
      if (known && isSomeMissing(known, read)) deletedAtNs = nowNs();
      known = read;
      return read;
    } catch (error) {
      if (known) return known;
      throw error;
    }
  };

  return {
    rules,
    async targets(reports) {
      const records = await rules();
      const answer = ledger.report({ reports, rules: records.map(({ rule }) => rule), nowNs: nowNs() });
      return {
        ...answer,
        rulesModifiedAtNs: latest([deletedAtNs, ...records.map(({ modifiedAtNs }) => modifiedAtNs)]),
      };
    },
    statistics: () => ledger.statistics(nowNs()),
  };
}

/** A deleted rule leaves no time of change behind, so its absence is noticed. */
function isSomeMissing(before: readonly SamplingRuleRecord[], after: readonly SamplingRuleRecord[]): boolean {
  const names = new Set(after.map(({ rule }) => rule.ruleName));
  return before.some(({ rule }) => !names.has(rule.ruleName));
}

function latest(times: readonly bigint[]): bigint {
  return times.reduce((latest, time) => (time > latest ? time : latest));
}
