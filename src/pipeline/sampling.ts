import type { SamplingReport, SamplingRuleRecord, SamplingTarget, UnprocessedReport } from '../model/index.ts';

/**
 * Sampling rules and targets, answered the same on the X-Ray API and on the daemon's TCP port.
 * One instance a process; reservoirs are shared out among all clients that report to it.
 */
export interface SamplingService {
  /** By priority, then name; always holds the default rule, last. */
  rules(): Promise<readonly SamplingRuleRecord[]>;
  targets(reports: readonly SamplingReport[]): Promise<SamplingTargets>;
}

export interface SamplingTargets {
  readonly targets: readonly SamplingTarget[];
  readonly unprocessed: readonly UnprocessedReport[];
  /** When any rule was changed last; 0n when none ever was. */
  readonly rulesModifiedAtNs: bigint;
}
