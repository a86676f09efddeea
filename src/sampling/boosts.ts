import type { SamplingBoost, SamplingBoostReport, SamplingRule, UnprocessedReport } from '../model/index.ts';
import { type Refusal, refuseReport } from './refusal.ts';

/**
 * Adaptive sampling (AWS X-Ray API reference: SamplingRateBoost, SamplingBoostStatisticsDocument).
 * AWS publishes what a boost is, not how its rate is found; this is our way:
 *
 * For each rule with a boost and each service that reports under it, the anomalies of the last
 * minute are added up over all its clients. When fewer than ten of them were sampled, and a higher
 * rate would have shown more, the service is boosted for one minute, at the rate that would have
 * shown ten of them, at most the rule's `MaxRate`. Every client of the service is told the same rate
 * and the same end. The next boost of that service begins when the cooldown window is over, counted
 * from the beginning of this one, and never before this one has ended.
 */
export interface BoostLedger {
  /** Takes the reports in; one bad report does not spoil the others. */
  report(request: {
    readonly reports: readonly SamplingBoostReport[];
    readonly rules: readonly SamplingRule[];
    readonly nowNs: bigint;
  }): BoostAnswer;
}

export interface BoostAnswer {
  /** By rule name: the boost of the reporting service; of several, the one with the highest rate. */
  readonly boosts: ReadonlyMap<string, SamplingBoost>;
  readonly unprocessed: readonly UnprocessedReport[];
}

const nanosecondsPerSecond = 1_000_000_000n;
/** X-Ray: a boost lasts one minute at most. */
const boostLifetimeNs = 60n * nanosecondsPerSecond;
/** Anomalies older than this say nothing about now. */
const recentNs = 60n * nanosecondsPerSecond;
const slotNs = 10n * nanosecondsPerSecond;
/** Enough traces to see what is wrong. */
const sampledAnomaliesWanted = 10;
/** Services of one rule. Those beyond are named as unprocessed until others fall silent. */
export const servicesMax = 1000;

interface Counts {
  readonly anomalies: number;
  readonly sampled: number;
}

/** One service under one rule. */
interface Watch {
  /** By beginning of the slot; recent ones only. */
  readonly slots: ReadonlyMap<bigint, Counts>;
  readonly boost: { readonly rate: number; readonly startedAtNs: bigint } | undefined;
}

export function createBoostLedger(): BoostLedger {
  /** Rule name → service name → what is known. */
  const watches = new Map<string, Map<string, Watch>>();

  const takeIn = (report: SamplingBoostReport, rule: SamplingRule, nowNs: bigint): Refusal | undefined => {
    const services = watches.get(rule.ruleName) ?? new Map<string, Watch>();
    watches.set(rule.ruleName, services);
    if (!services.has(report.serviceName) && services.size >= servicesMax) {
      for (const [name, watch] of services) if (isForgettable(watch, rule, nowNs)) services.delete(name);
      if (services.size >= servicesMax) return tooManyServices;
    }
    const { slots, boost } = services.get(report.serviceName) ?? { slots: new Map(), boost: undefined };
    services.set(report.serviceName, { slots: addReport(slots, report, nowNs), boost });
    return undefined;
  };

  const boostOf = (serviceName: string, rule: SamplingRule, nowNs: bigint): SamplingBoost | undefined => {
    const services = watches.get(rule.ruleName);
    const watch = services?.get(serviceName);
    if (!services || !watch || !rule.rateBoost) return undefined;
    const boost = isOver(watch, rule, nowNs) ? startBoost(watch, rule, nowNs) : watch.boost;
    services.set(serviceName, { ...watch, boost: boost ?? watch.boost });
    if (!boost || !isRunning(boost.startedAtNs, nowNs)) return undefined;
    return {
      rate: Math.min(boost.rate, rule.rateBoost.maxRate),
      expiresAtNs: boost.startedAtNs + boostLifetimeNs,
    };
  };

  return {
    report({ reports, rules, nowNs }) {
      const byName = new Map(rules.map((rule) => [rule.ruleName, rule]));
      for (const ruleName of watches.keys()) if (!byName.get(ruleName)?.rateBoost) watches.delete(ruleName);
      const usable: { serviceName: string; rule: SamplingRule }[] = [];
      const unprocessed: UnprocessedReport[] = [];
      for (const report of reports) {
        const { ruleName, serviceName, timeNs } = report;
        const rule = byName.get(ruleName);
        const refusal = refuseReport(timeNs, rule, nowNs) ?? (rule?.rateBoost && takeIn(report, rule, nowNs));
        if (refusal) unprocessed.push({ ruleName, ...refusal });
        // A client may report under rules without a boost: nothing is wrong with that, and nothing follows.
        else if (rule?.rateBoost) usable.push({ serviceName, rule });
      }

      const boosts = new Map<string, SamplingBoost>();
      for (const { serviceName, rule } of usable) {
        const boost = boostOf(serviceName, rule, nowNs);
        if (boost && boost.rate > (boosts.get(rule.ruleName)?.rate ?? 0)) boosts.set(rule.ruleName, boost);
      }
      return { boosts, unprocessed };
    },
  };
}

const tooManyServices: Refusal = {
  errorCode: 'TooManyServices',
  message: `More than ${servicesMax} services report anomalies under this rule.`,
};

function addReport(slots: Watch['slots'], report: SamplingBoostReport, nowNs: bigint): Watch['slots'] {
  const recent = new Map([...slots].filter(([start]) => start <= nowNs && nowNs - start < recentNs));
  const start = nowNs - (nowNs % slotNs);
  const known = recent.get(start) ?? { anomalies: 0, sampled: 0 };
  return recent.set(start, {
    anomalies: known.anomalies + report.anomalyCount,
    sampled: known.sampled + report.sampledAnomalyCount,
  });
}

function startBoost({ slots }: Watch, { rateBoost, fixedRate }: SamplingRule, nowNs: bigint): Watch['boost'] {
  const counts = [...slots.values()];
  const anomalies = counts.reduce((sum, slot) => sum + slot.anomalies, 0);
  const sampled = counts.reduce((sum, slot) => sum + slot.sampled, 0);
  if (!rateBoost || anomalies === 0 || sampled >= sampledAnomaliesWanted) return undefined;
  const rate = Math.min(rateBoost.maxRate, sampledAnomaliesWanted / anomalies);
  return rate > fixedRate ? { rate, startedAtNs: nowNs } : undefined;
}

/** Whether the next boost may begin. A clock that jumped back must not put that off for ever. */
function isOver({ boost }: Watch, { rateBoost }: SamplingRule, nowNs: bigint): boolean {
  if (!boost || nowNs < boost.startedAtNs) return true;
  const cooldownNs = 60n * nanosecondsPerSecond * BigInt(rateBoost?.cooldownWindowMinutes ?? 0);
  return nowNs - boost.startedAtNs >= cooldownNs && !isRunning(boost.startedAtNs, nowNs);
}

function isRunning(startedAtNs: bigint, nowNs: bigint): boolean {
  return nowNs >= startedAtNs && nowNs - startedAtNs < boostLifetimeNs;
}

function isForgettable(watch: Watch, rule: SamplingRule, nowNs: bigint): boolean {
  const isSilent = [...watch.slots.keys()].every((start) => nowNs - start >= recentNs);
  return isSilent && isOver(watch, rule, nowNs);
}
