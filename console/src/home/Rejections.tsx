import type { JSX } from 'react';
import type { Rejection } from '../api/answers.ts';
import { countOf } from '../format/count.ts';
import { formatAge } from '../format/time.ts';
import styles from './Rejections.module.css';

const shownMax = 10;

/** The newest things that were not taken, and why: what makes a datagram listener debuggable. */
export function Rejections({
  rejections,
  nowSeconds,
}: {
  readonly rejections: readonly Rejection[];
  readonly nowSeconds: number;
}): JSX.Element {
  return (
    <section className={styles.rejections} aria-label="Rejected">
      <h2>{countOf(rejections.length, 'rejection')}</h2>
      <ul>
        {rejections.slice(0, shownMax).map((rejection, at) => (
          <li key={`${rejection.atSeconds}-${at}`}>
            <p>
              <strong>{rejection.component}</strong> {rejection.reason}{' '}
              <span className={styles.age}>{formatAge(nowSeconds - rejection.atSeconds)}</span>
            </p>
            {rejection.sample ? <code>{rejection.sample}</code> : undefined}
          </li>
        ))}
      </ul>
      {rejections.length > shownMax ? (
        <p className={styles.age}>{rejections.length - shownMax} older ones</p>
      ) : undefined}
    </section>
  );
}
