import type { JSX, ReactNode } from 'react';
import styles from './Page.module.css';
import { useTitle } from './title.ts';

/** A page of plain content under its heading; what stands beside the heading concerns all of it. */
export function Page(props: {
  readonly title: string;
  readonly lead?: ReactNode;
  readonly beside?: ReactNode;
  readonly children: ReactNode;
}): JSX.Element {
  useTitle(props.title);
  return (
    // It scrolls, so it must be reached by keyboard even where nothing in it can be.
    <div className={styles.page} role="region" aria-label={props.title} tabIndex={0}>
      <header className={styles.bar}>
        <h1>{props.title}</h1>
        {props.lead ? <p className={styles.lead}>{props.lead}</p> : undefined}
        <span className={styles.spring} />
        {props.beside}
      </header>
      {props.children}
    </div>
  );
}
