import type { JSX, ReactNode } from 'react';
import styles from './FieldTable.module.css';

/** Names and values; `none` is said, if anything, when there are none. */
export function FieldTable({
  fields,
  none,
}: {
  readonly fields: readonly { readonly label: string; readonly value: ReactNode }[];
  readonly none?: string;
}): JSX.Element | undefined {
  if (fields.length === 0) return none ? <p className={styles.none}>{none}</p> : undefined;
  return (
    <dl className={styles.fields}>
      {fields.map(({ label, value }, at) => (
        <div key={`${label}-${at}`}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
