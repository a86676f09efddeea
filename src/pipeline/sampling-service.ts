import type { SamplingTarget } from '../model/index.ts';
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
  const given = new Map<string, { readonly target: SamplingTarget; readonly givenAtNs: bigint }>();

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
      const boosted = targets.map((target) => ({ ...target, boost: boosts.get(target.ruleName) }));
      for (const target of boosted) given.set(target.ruleName, { target, givenAtNs: now.nowNs });
      const names = new Set(now.rules.map(({ ruleName }) => ruleName));
      for (const ruleName of given.keys()) if (!names.has(ruleName)) given.delete(ruleName);
      return {
        targets: boosted,
        unprocessed,
        unprocessedBoosts,
        rulesModifiedAtNs: modifiedAtNs,
      };
    },
    statistics: () => targetLedger.statistics(nowNs()),
    lastTargets: () =>
      [...given].map(([ruleName, last]) => ({ ...last, clientCount: targetLedger.clientCount(ruleName, nowNs()) })),
  };
}
