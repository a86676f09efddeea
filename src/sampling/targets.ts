import type {
  SamplingReport,
  SamplingRule,
  SamplingStatistics,
  SamplingTarget,
  UnprocessedReport,
} from '../model/index.ts';
import { type Refusal, refuseReport } from './refusal.ts';

/**
 * Shares the reservoirs of sampling rules among the clients that report
 * (AWS X-Ray API reference: GetSamplingTargets, GetSamplingStatisticSummaries).
 *
 * Every 10 seconds a client says how many requests each rule matched. Its share of the rule's
 * reservoir is its share of all requests a second; whole requests are dealt out by the largest
 * remainder, so that the quotas of all clients together are exactly the reservoir.
 */
export interface TargetLedger {
  /** Takes the reports in and answers each; one bad report does not spoil the others. */
  report(request: {
    readonly reports: readonly SamplingReport[];
    readonly rules: readonly SamplingRule[];
    readonly nowNs: bigint;
  }): ReportAnswer;
  /** What clients reported in the last minutes, oldest window first. */
  statistics(nowNs: bigint): readonly SamplingStatistics[];
  /** Clients that reported under a rule and were not silent since. */
  clientCount(ruleName: string, nowNs: bigint): number;
}

/** What follows from the reservoir; a boost of the rate is added by whoever knows of one. */
type Target = Omit<SamplingTarget, 'boost'>;

export interface ReportAnswer {
  readonly targets: readonly Target[];
  readonly unprocessed: readonly UnprocessedReport[];
}

const nanosecondsPerSecond = 1_000_000_000n;
const intervalSeconds = 10;
const quotaLifetimeNs = 300n * nanosecondsPerSecond;
/** A client that was silent for three intervals is gone, and its share goes to the others. */
const silenceMaxNs = 3n * BigInt(intervalSeconds) * nanosecondsPerSecond;
const windowNs = 10n * nanosecondsPerSecond;
const windowsMax = 30;
/** Clients of one rule; more get the fixed rate and no quota. An answer looks at each once, about 20 µs at the bound. */
export const clientsMax = 2000;
/** Clients draw 24 hex digits; the bound only keeps a hostile name from filling the memory. */
const clientIdLengthMax = 64;
/** Requests a second above which a report is not believed; keeps sums finite. */
const requestRateMax = 1e9;

interface Client {
  readonly reportedAtNs: bigint;
  /** Requests a second. */
  readonly rate: number;
}

/** By client id, in the order of their last reports. */
type Clients = Map<string, Client>;
type Counts = Omit<SamplingStatistics, 'ruleName' | 'windowStartNs'>;

export function createTargetLedger(): TargetLedger {
  const clientsByRule = new Map<string, Clients>();
  /** Window start → rule name → counts; in rising order. */
  const windows = new Map<bigint, Map<string, Counts>>();

  const takeIn = (report: SamplingReport, nowNs: bigint): void => {
    const clients = clientsByRule.get(report.ruleName) ?? new Map<string, Client>();
    clientsByRule.set(report.ruleName, clients);
    forgetSilent(clients, nowNs);
    addCounts(report, nowNs);
    const before = clients.get(report.clientId);
    if (!before && clients.size >= clientsMax) return;
    // Again at the end, so that the map stays in the order of the reports.
    clients.delete(report.clientId);
    clients.set(report.clientId, { reportedAtNs: nowNs, rate: requestRate(report, before, nowNs) });
  };

  const addCounts = (report: SamplingReport, nowNs: bigint): void => {
    const start = nowNs - (nowNs % windowNs);
    const byRule = windows.get(start) ?? new Map<string, Counts>();
    windows.set(start, byRule);
    const known = byRule.get(report.ruleName);
    byRule.set(report.ruleName, {
      requestCount: (known?.requestCount ?? 0) + report.requestCount,
      sampledCount: (known?.sampledCount ?? 0) + report.sampledCount,
      borrowCount: (known?.borrowCount ?? 0) + report.borrowCount,
    });
    forgetOldWindows(windows, nowNs);
  };

  const toTarget = (report: SamplingReport, rule: SamplingRule, nowNs: bigint): Target => ({
    ruleName: rule.ruleName,
    fixedRate: rule.fixedRate,
    reservoirQuota: quotaOf(report.clientId, clientsByRule.get(rule.ruleName) ?? new Map(), rule.reservoirSize),
    reservoirQuotaExpiresAtNs: nowNs + quotaLifetimeNs,
    intervalSeconds,
  });

  return {
    report({ reports, rules, nowNs }) {
      const byName = new Map(rules.map((rule) => [rule.ruleName, rule]));
      for (const ruleName of clientsByRule.keys()) if (!byName.has(ruleName)) clientsByRule.delete(ruleName);
      // So that rules which come and go cannot fill the windows.
      for (const byRule of windows.values())
        for (const ruleName of byRule.keys()) if (!byName.has(ruleName)) byRule.delete(ruleName);
      const usable: { report: SamplingReport; rule: SamplingRule }[] = [];
      const unprocessed: UnprocessedReport[] = [];
      for (const report of reports) {
        const rule = byName.get(report.ruleName);
        const refusal = refuse(report, rule, nowNs);
        if (refusal) unprocessed.push({ ruleName: report.ruleName, ...refusal });
        else if (rule) usable.push({ report, rule });
      }
      for (const { report } of usable) takeIn(report, nowNs);
      return { targets: usable.map(({ report, rule }) => toTarget(report, rule, nowNs)), unprocessed };
    },
    statistics(nowNs) {
      forgetOldWindows(windows, nowNs);
      return [...windows].flatMap(([windowStartNs, byRule]) =>
        [...byRule].map(([ruleName, counts]) => ({ ruleName, windowStartNs, ...counts })),
      );
    },
    clientCount(ruleName, nowNs) {
      const clients = clientsByRule.get(ruleName);
      if (clients) forgetSilent(clients, nowNs);
      return clients?.size ?? 0;
    },
  };
}

function refuse(report: SamplingReport, rule: SamplingRule | undefined, nowNs: bigint): Refusal | undefined {
  if (report.clientId.length > clientIdLengthMax) {
    return { errorCode: 'InvalidClientId', message: `ClientID is longer than ${clientIdLengthMax} characters.` };
  }
  return refuseReport(report.timeNs, rule, nowNs);
}

/** Those that reported longest ago come first. A report of the future is from before the clock was set back. */
function forgetSilent(clients: Clients, nowNs: bigint): void {
  for (const [id, { reportedAtNs }] of clients) {
    const ageNs = nowNs - reportedAtNs;
    if (ageNs >= 0n && ageNs <= silenceMaxNs) return;
    clients.delete(id);
  }
}

function forgetOldWindows(windows: Map<bigint, unknown>, nowNs: bigint): void {
  const oldestNs = nowNs - BigInt(windowsMax) * windowNs;
  for (const start of windows.keys()) if (start < oldestNs) windows.delete(start);
  // A clock that jumped back leaves windows of the future behind.
  while (windows.size > windowsMax + 1) windows.delete([...windows.keys()][0] ?? 0n);
}

/** Over the time since the client's report before; of a first report nobody knows it, so one interval is assumed. */
function requestRate(report: SamplingReport, before: Client | undefined, nowNs: bigint): number {
  const elapsed = before ? Number(nowNs - before.reportedAtNs) / Number(nanosecondsPerSecond) : intervalSeconds;
  const rate = report.requestCount / Math.max(1, elapsed);
  return Math.min(Math.max(0, rate), requestRateMax);
}

/**
 * One client's part of the reservoir. Each client gets the whole number below its exact share; what
 * is left over goes, one each, to the largest remainders, ties by client id.
 */
function quotaOf(clientId: string, clients: Clients, reservoirSize: number): number {
  const client = clients.get(clientId);
  if (!client) return 0;
  let total = 0;
  for (const { rate } of clients.values()) total += rate;
  const share = ({ rate }: Client): number =>
    total === 0 ? reservoirSize / clients.size : (reservoirSize * rate) / total;

  const own = share(client);
  const ownRest = own - Math.floor(own);
  let left = reservoirSize;
  let ahead = 0;
  for (const [otherId, other] of clients) {
    const theirs = share(other);
    const rest = theirs - Math.floor(theirs);
    left -= Math.floor(theirs);
    if (rest > ownRest || (rest === ownRest && otherId < clientId)) ahead++;
  }
  return Math.floor(own) + (ahead < left ? 1 : 0);
}
