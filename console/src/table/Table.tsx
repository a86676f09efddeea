import { useState } from 'react';
import type { JSX, ReactNode } from 'react';
import styles from './Table.module.css';

export interface Column<Row> {
  readonly id: string;
  readonly label: string;
  /** Stands at the right, largest first. */
  readonly number?: boolean;
  /** What it is sorted by; absent when it cannot be. */
  readonly key?: (row: Row) => string | number;
  readonly show: (row: Row) => ReactNode;
}

/** A plain table whose columns sort; the first one names the row. */
export function Table<Row>(props: {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  /** Id of the column that it opens with; the rows as they come when absent. */
  readonly sortedBy?: string;
  readonly selected?: string | undefined;
}): JSX.Element {
  const { columns, rowKey } = props;
  const [sort, setSort] = useState<{ readonly id: string | undefined; readonly down: boolean }>({
    id: props.sortedBy,
    down: true,
  });
  const by = columns.find(({ id }) => id === sort.id)?.key;
  const rows = by ? props.rows.toSorted((a, b) => compare(by(a), by(b)) * (sort.down ? -1 : 1)) : props.rows;
  const choose = ({ id, number = false }: Column<Row>) => setSort({ id, down: sort.id === id ? !sort.down : number });
  return (
    <div className={styles.frame} role="region" aria-label={props.label} tabIndex={0}>
      <table className={styles.table} aria-label={props.label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column.id}
                scope="col"
                data-number={column.number}
                aria-sort={sort.id === column.id ? (sort.down ? 'descending' : 'ascending') : undefined}
              >
                {column.key ? (
                  <button type="button" data-kind="quiet" onClick={() => choose(column)}>
                    {column.label}
                    <span aria-hidden="true">{sort.id === column.id ? (sort.down ? ' ↓' : ' ↑') : ''}</span>
                  </button>
                ) : (
                  <span>{column.label}</span>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)} data-selected={rowKey(row) === props.selected}>
              {columns.map(({ id, number, show }, place) =>
                place === 0 ? (
                  <th key={id} scope="row">
                    {show(row)}
                  </th>
                ) : (
                  <td key={id} data-number={number}>
                    {show(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function compare(left: string | number, right: string | number): number {
  return typeof left === 'number' && typeof right === 'number'
    ? left - right
    : String(left).localeCompare(String(right));
}
