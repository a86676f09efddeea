import type { JSX } from 'react';
import type { TraceSummaryAnswer } from '../api/answers.ts';
import { OutcomeBadge } from '../outcome/OutcomeBadge.tsx';
import styles from './TraceBadge.module.css';
import { outcomeOfSummary } from './summary.ts';

/** How a trace ended, or that it has not. */
export function TraceBadge({ summary }: { readonly summary: TraceSummaryAnswer }): JSX.Element {
  const outcome = outcomeOfSummary(summary);
  if (outcome === 'ok' && summary.ResponseTime === undefined) return <span className={styles.running}>running</span>;
  return <OutcomeBadge outcome={outcome} status={summary.Http.HttpStatus} />;
}
