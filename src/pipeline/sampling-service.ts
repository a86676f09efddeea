import {
  changeRecord,
  createBoostLedger,
  createRecord,
  createTargetLedger,
  deletableRecord,
} from '../sampling/index.ts';
import { createSamplingRuleKeeper } from './sampling-rules.ts';
import type { SamplingService } from './sampling.ts';
import type { Store } from './store.ts';

/** Sampling over the rules in a store; `store` gives undefined when none is configured. */
export function createSamplingService({
  store,
  nowNs,
}: {
  readonly store: () => Store | undefined;
  readonly nowNs: () => bigint;
}): SamplingService {
  const keeper = createSamplingRuleKeeper({ store, nowNs });
  const targetLedger = createTargetLedger();
  const boostLedger = createBoostLedger();

  return {
    get isLocal() {
      return store() !== undefined;
    },
    rules: async () => (await keeper.read()).records,
    rulesInForce: async () => (await keeper.readInForce()).records,
    createRule: (rule) =>
      keeper.change((records) => ({ kind: 'write', record: createRecord(rule, { records, nowNs: nowNs() }) })),
    updateRule: (ruleName, changes) =>
      keeper.change((records) => ({
        kind: 'write',
        record: changeRecord(ruleName, { changes, records, nowNs: nowNs() }),
      })),
    deleteRule: (ruleName) =>
      keeper.change((records) => ({ kind: 'delete', record: deletableRecord(ruleName, records) })),
    async targets({ reports, boostReports }) {
      const { records, modifiedAtNs } = await keeper.readInForce();
      const now = { rules: records.map(({ rule }) => rule), nowNs: nowNs() };
      const { targets, unprocessed } = targetLedger.report({ reports, ...now });
      const { boosts, unprocessed: unprocessedBoosts } = boostLedger.report({ reports: boostReports, ...now });
      return {
        targets: targets.map((target) => ({ ...target, boost: boosts.get(target.ruleName) })),
        unprocessed,
        unprocessedBoosts,
        rulesModifiedAtNs: modifiedAtNs,
      };
    },
    statistics: () => targetLedger.statistics(nowNs()),
  };
}
