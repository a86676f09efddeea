import type { JSX } from 'react';
import { outcomes } from '../outcome/outcome.ts';
import styles from './Legend.module.css';

const means = { ok: 'OK', error: 'Error 4xx', throttle: 'Throttle 429', fault: 'Fault 5xx' } as const;

export function Legend(): JSX.Element {
  return (
    <ul className={styles.legend} aria-label="Colours">
      {outcomes.map(({ outcome, letter }) => (
        <li key={outcome}>
          <span className={styles.mark} data-outcome={outcome} aria-hidden="true">
            {letter}
          </span>
          {means[outcome]}
        </li>
      ))}
      <li>
        <svg width="22" height="8" aria-hidden="true">
          <path d="M0 4h22" className={styles.dashed} />
        </svg>
        Link
      </li>
    </ul>
  );
}
