import type { EdgeAnswer } from '../api/answers.ts';

/** How a request ended, in X-Ray's words: 2xx and 3xx, 4xx, 429, 5xx. */
export type Outcome = 'ok' | 'error' | 'throttle' | 'fault';

/** In the order in which a ring shows them. The letter stands beside the colour wherever there is one. */
export const outcomes: readonly { readonly outcome: Outcome; readonly letter: string; readonly label: string }[] = [
  { outcome: 'ok', letter: '✓', label: 'OK' },
  { outcome: 'error', letter: 'E', label: 'Error' },
  { outcome: 'throttle', letter: 'T', label: 'Throttle' },
  { outcome: 'fault', letter: 'F', label: 'Fault' },
];

export interface OutcomeFlags {
  readonly fault: boolean;
  readonly throttle: boolean;
  readonly error: boolean;
}

/** The most severe of the flags: fault before throttle before error. */
export function outcomeOf({ fault, throttle, error }: OutcomeFlags): Outcome {
  if (fault) return 'fault';
  if (throttle) return 'throttle';
  return error ? 'error' : 'ok';
}

/** Requests by outcome; each counts once. */
export type OutcomeCounts = Readonly<Record<Outcome | 'total', number>>;

export const noCounts: OutcomeCounts = { ok: 0, error: 0, throttle: 0, fault: 0, total: 0 };

/** Clients have no statistics, and links have empty ones. */
export function countOutcomes(statistics: EdgeAnswer['SummaryStatistics'] | undefined): OutcomeCounts {
  if (!statistics || !('OkCount' in statistics)) return noCounts;
  const { OkCount, ErrorStatistics, FaultStatistics, TotalCount } = statistics;
  return {
    ok: OkCount,
    error: ErrorStatistics.OtherCount,
    throttle: ErrorStatistics.ThrottleCount,
    fault: FaultStatistics.TotalCount,
    total: TotalCount,
  };
}

/** The worst outcome that more than one request in a hundred had; `ok` when none was worse. */
export function worstOutcome(counts: OutcomeCounts): Outcome {
  const matters = (count: number) => count > 0 && count >= counts.total / 100;
  if (matters(counts.fault)) return 'fault';
  if (matters(counts.throttle)) return 'throttle';
  return matters(counts.error) ? 'error' : 'ok';
}

/** `82 % OK, 18 % faults` for a screen reader and as the tooltip of a ring. */
export function spellOutcomes(counts: OutcomeCounts): string {
  if (counts.total === 0) return 'no requests';
  return outcomes
    .filter(({ outcome }) => counts[outcome] > 0)
    .map(({ outcome, label }) => `${Math.round((counts[outcome] / counts.total) * 100)} % ${label.toLowerCase()}`)
    .join(', ');
}

/** The arcs of a ring: for each outcome that occurred where it starts and how long it is, as shares of the circle. */
export function ringArcs(
  counts: OutcomeCounts,
): readonly { readonly outcome: Outcome; readonly start: number; readonly share: number }[] {
  const whole = counts.ok + counts.error + counts.throttle + counts.fault;
  let start = 0;
  return outcomes
    .map(({ outcome }) => ({ outcome, share: whole === 0 ? 0 : counts[outcome] / whole }))
    .filter(({ share }) => share > 0)
    .map(({ outcome, share }) => {
      const arc = { outcome, start, share };
      start += share;
      return arc;
    });
}
