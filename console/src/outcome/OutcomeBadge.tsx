import type { JSX } from 'react';
import { outcomes } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import styles from './OutcomeBadge.module.css';

/** Letter and colour of an outcome, with the HTTP status when there is one: `F 502`. */
export function OutcomeBadge({
  outcome,
  status,
}: {
  readonly outcome: Outcome;
  readonly status?: number | undefined;
}): JSX.Element {
  const { letter, label } = outcomes.find((candidate) => candidate.outcome === outcome) ?? { letter: '', label: '' };
  return (
    <span
      className={styles.badge}
      data-outcome={outcome}
      title={status === undefined ? label : `${label}, HTTP ${status}`}
    >
      <span aria-hidden="true">{letter}</span>
      <span className="visually-hidden">{label}</span>
      {status === undefined ? undefined : <span className={styles.status}>{status}</span>}
    </span>
  );
}
