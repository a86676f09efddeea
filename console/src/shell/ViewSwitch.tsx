import type { JSX } from 'react';
import styles from './ViewSwitch.module.css';

export interface View {
  /** As it stands in the address; the view that a page opens with has none. */
  readonly name: string | undefined;
  readonly label: string;
  /** The shortcut that the page gives it. */
  readonly key?: string;
}

/** Joined buttons, of which one is pressed: the views of a page. */
export function ViewSwitch(props: {
  readonly views: readonly View[];
  readonly chosen: string | undefined;
  readonly onChoose: (name: string | undefined) => void;
}): JSX.Element {
  return (
    <div role="group" aria-label="View" className={styles.views}>
      {props.views.map(({ name, label, key }) => (
        <button
          key={label}
          type="button"
          aria-pressed={props.chosen === name}
          title={key ? `${label} (${key})` : undefined}
          onClick={() => props.onChoose(name)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}
