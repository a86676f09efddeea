import type { JSX } from 'react';
import styles from './CopyBlock.module.css';
import { CopyButton } from './CopyButton.tsx';

/** A text as it is, to read and to copy. `label` names what is copied. */
export function CopyBlock({ text, label }: { readonly text: string; readonly label: string }): JSX.Element {
  return (
    <div className={styles.block}>
      <pre>{text}</pre>
      <CopyButton text={text} label={label} />
    </div>
  );
}
