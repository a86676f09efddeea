import type { JSX, ReactNode } from 'react';
import styles from './Form.module.css';

/** The last lines of a form that changes something: what went wrong, and the buttons. */
export function FormEnd(props: {
  readonly problem: string | undefined;
  /** What the button that sends it says. */
  readonly submit: string;
  readonly onCancel: () => void;
  /** Undefined where nothing can be deleted. */
  readonly onDelete: (() => void) | undefined;
  readonly children?: ReactNode;
}): JSX.Element {
  return (
    <>
      {props.problem ? (
        <p role="alert" className={styles.problem}>
          {props.problem}
        </p>
      ) : undefined}
      <div className={styles.actions}>
        <button type="submit" data-kind="primary">
          {props.submit}
        </button>
        <button type="button" onClick={props.onCancel}>
          Cancel
        </button>
        {props.onDelete ? (
          <button type="button" onClick={props.onDelete}>
            Delete
          </button>
        ) : undefined}
        {props.children}
      </div>
    </>
  );
}
