import { useState } from 'react';
import type { JSX } from 'react';
import { nowSeconds } from '../api/queries.ts';
import { fromLocalInput, toLocalInput } from '../format/time.ts';
import { useChangeSearch, usePageSearch } from '../search.ts';
import { defaultFrom, parseRange, relativeRanges, resolveRange } from './range.ts';
import styles from './RangePicker.module.css';

const custom = 'custom';

/** The page's time: one of the usual spans up to now, or two instants. */
export function RangePicker(): JSX.Element {
  const { from, to } = usePageSearch();
  const change = useChangeSearch();
  const between = parseRange({ from, to }).kind === 'between';
  const words = between ? custom : (from ?? defaultFrom);
  const choose = (value: string) => {
    if (value !== custom) {
      change({ from: value === defaultFrom ? undefined : value, to: undefined });
      return;
    }
    const now = resolveRange(parseRange({ from, to }), nowSeconds());
    change({ from: String(Math.floor(now.from)), to: String(Math.ceil(now.to)) });
  };
  return (
    <div className={styles.picker} role="group" aria-label="Time range">
      {between ? <Instants key={`${from}~${to}`} /> : undefined}
      <select aria-label="Time range" value={words} onChange={(event) => choose(event.target.value)}>
        {relativeRanges.map((range) => (
          <option key={range.words} value={range.words}>
            {range.label}
          </option>
        ))}
        {relativeRanges.some((range) => range.words === words) || between ? undefined : (
          <option value={words}>Last {words.slice(1)}</option>
        )}
        <option value={custom}>From … to …</option>
      </select>
    </div>
  );
}

function Instants(): JSX.Element {
  const { from, to } = usePageSearch();
  const change = useChangeSearch();
  const now = resolveRange(parseRange({ from, to }), nowSeconds());
  const [first, setFirst] = useState(toLocalInput(now.from));
  const [last, setLast] = useState(toLocalInput(now.to));
  const [start, end] = [fromLocalInput(first), fromLocalInput(last)];
  const valid = start !== undefined && end !== undefined && start < end;
  const apply = () => {
    if (valid) change({ from: String(start), to: String(end) });
  };
  return (
    <form
      className={styles.picker}
      onSubmit={(event) => {
        event.preventDefault();
        apply();
      }}
    >
      <input type="datetime-local" aria-label="From" value={first} onChange={(event) => setFirst(event.target.value)} />
      <span aria-hidden="true">–</span>
      <input
        type="datetime-local"
        aria-label="To"
        value={last}
        aria-invalid={!valid}
        onChange={(event) => setLast(event.target.value)}
      />
      <button type="submit" disabled={!valid}>
        Set
      </button>
    </form>
  );
}
