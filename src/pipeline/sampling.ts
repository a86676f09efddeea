import type {
  GivenSamplingTarget,
  SamplingBoostReport,
  SamplingReport,
  SamplingRule,
  SamplingRuleRecord,
  SamplingStatistics,
  SamplingTarget,
  UnprocessedReport,
} from '../model/index.ts';
import type { SamplingRuleChanges } from '../sampling/index.ts';

/**
 * Sampling rules and targets, answered the same on the X-Ray API and on the daemon's TCP port.
 * One instance a process; reservoirs are shared out among all clients that report to it.
 */
export interface SamplingService {
  /** False when no store of this process keeps rules: then it is AWS that has them. */
  readonly isLocal: boolean;
  /**
   * By priority, then name; always holds the default rule, last.
   * @throws RaybridgeError STORE_UNAVAILABLE, STORE_FAILED when the rules were never read.
   */
  rules(): Promise<readonly SamplingRuleRecord[]>;
  /**
   * The same for those who sample and cannot wait: the default rule alone until the rules can be
   * read. The next targets then tell of a change.
   */
  rulesInForce(): Promise<readonly SamplingRuleRecord[]>;
  /** @throws RaybridgeError INVALID_REQUEST (the name is taken or reserved), RULE_LIMIT_EXCEEDED, STORE_UNAVAILABLE, STORE_FAILED. */
  createRule(rule: SamplingRule): Promise<SamplingRuleRecord>;
  /** The rule as it is now. @throws RaybridgeError INVALID_REQUEST (no such rule, or a fixed member of the default rule), STORE_UNAVAILABLE, STORE_FAILED. */
  updateRule(ruleName: string, changes: SamplingRuleChanges): Promise<SamplingRuleRecord>;
  /** The rule as it was. @throws RaybridgeError INVALID_REQUEST (no such rule, or the default rule), STORE_UNAVAILABLE, STORE_FAILED. */
  deleteRule(ruleName: string): Promise<SamplingRuleRecord>;
  targets(request: TargetsRequest): Promise<SamplingTargets>;
  /** What clients reported in the last minutes, by rule and 10-second window, oldest first. */
  statistics(): readonly SamplingStatistics[];
  /** Of each rule the last target that a client was given since the start of the process; a deleted rule goes with the next report. */
  lastTargets(): readonly GivenSamplingTarget[];
}

export interface TargetsRequest {
  readonly reports: readonly SamplingReport[];
  readonly boostReports: readonly SamplingBoostReport[];
}

export interface SamplingTargets {
  readonly targets: readonly SamplingTarget[];
  readonly unprocessed: readonly UnprocessedReport[];
  readonly unprocessedBoosts: readonly UnprocessedReport[];
  /** When any rule was created, changed or deleted last; 0n when none ever was. */
  readonly rulesModifiedAtNs: bigint;
}
