import type { JSX } from 'react';
import { asRecord } from './read.ts';
import styles from './JsonTree.module.css';

/** Entries shown of one object or list, and how deep it goes; what is beyond is in the raw view. */
const entriesMax = 500;
const depthMax = 40;
const openLevels = 2;

/** A JSON value that folds, one member a line. */
export function JsonTree({
  name,
  value,
  depth = 0,
}: {
  readonly name: string;
  readonly value: unknown;
  readonly depth?: number;
}): JSX.Element {
  const entries = Array.isArray(value)
    ? value.map((entry, at) => [String(at), entry] as const)
    : Object.entries(asRecord(value) ?? {});
  if (typeof value !== 'object' || value === null || depth >= depthMax) {
    return (
      <div className={styles.leaf}>
        <span className={styles.key}>{name}</span> <span data-type={typeof value}>{leafText(value)}</span>
      </div>
    );
  }
  return (
    <details className={styles.branch} open={depth < openLevels}>
      <summary>
        <span className={styles.key}>{name}</span>{' '}
        <span className={styles.count}>{Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`}</span>
      </summary>
      {entries.slice(0, entriesMax).map(([key, entry]) => (
        <JsonTree key={key} name={key} value={entry} depth={depth + 1} />
      ))}
      {entries.length > entriesMax ? (
        <p className={styles.count}>{entries.length - entriesMax} more in the raw view</p>
      ) : undefined}
    </details>
  );
}

function leafText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
