import type { JSX, ReactNode } from 'react';
import styles from './EmptyState.module.css';

/** What was looked for, why it may be missing, and what to do next. */
export function EmptyState(props: {
  readonly title: string;
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
}): JSX.Element {
  return (
    <div className={styles.empty}>
      <h2>{props.title}</h2>
      {props.children ? <div className={styles.why}>{props.children}</div> : undefined}
      {props.actions ? <div className={styles.actions}>{props.actions}</div> : undefined}
    </div>
  );
}

/** A question that was answered with an error. */
export function Failure({ error, onRetry }: { readonly error: Error; readonly onRetry: () => void }): JSX.Element {
  return (
    <div role="alert">
      <EmptyState
        title="That did not work"
        actions={
          <button type="button" onClick={onRetry}>
            Try again
          </button>
        }
      >
        <p>{error.message}</p>
      </EmptyState>
    </div>
  );
}

export function Loading({ what }: { readonly what: string }): JSX.Element {
  return (
    <p className={styles.loading} role="status">
      Loading {what} …
    </p>
  );
}
