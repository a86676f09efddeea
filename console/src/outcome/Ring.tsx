import type { JSX } from 'react';
import { ringArcs } from './outcome.ts';
import type { OutcomeCounts } from './outcome.ts';
import styles from './Ring.module.css';

/** The share of each outcome as a ring; an empty one is drawn in the colour of lines. It is decoration: whoever shows it says the same in words. */
export function Ring({
  counts,
  size,
  stroke,
}: {
  readonly counts: OutcomeCounts;
  readonly size: number;
  readonly stroke: number;
}): JSX.Element {
  const radius = (size - stroke) / 2;
  const around = 2 * Math.PI * radius;
  return (
    <svg className={styles.ring} width={size} height={size} viewBox={`0 0 ${size} ${size}`} aria-hidden="true">
      <circle cx={size / 2} cy={size / 2} r={radius} strokeWidth={stroke} />
      {ringArcs(counts).map(({ outcome, start, share }) => (
        <circle
          key={outcome}
          data-outcome={outcome}
          cx={size / 2}
          cy={size / 2}
          r={radius}
          strokeWidth={stroke}
          strokeDasharray={`${share * around} ${around}`}
          strokeDashoffset={-start * around}
        />
      ))}
    </svg>
  );
}
