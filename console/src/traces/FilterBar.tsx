import { useEffect, useId, useRef, useState } from 'react';
import type { JSX, ReactNode } from 'react';
import { FilterInput } from '../filter/FilterInput.tsx';
import { both } from '../filter/expression.ts';
import { Icon } from '../shell/Icon.tsx';
import { useShortcuts } from '../shell/shortcuts.ts';
import styles from './FilterBar.module.css';

const examples: readonly { readonly label: string; readonly text: string }[] = [
  { label: 'Faults', text: 'fault' },
  { label: 'Errors', text: 'error' },
  { label: 'Throttled', text: 'throttle' },
  { label: 'Slower than 1 s', text: 'responsetime > 1' },
  { label: 'A fault anywhere', text: 'service() { fault }' },
  { label: 'Incomplete', text: 'partial' },
];

/** The filter expression. Enter runs it; what is wrong with it stands below in words, with its place marked. */
export function FilterBar(props: {
  /** The expression that the page shows. */
  readonly filter: string;
  readonly invalid: string | undefined;
  readonly onRun: (text: string) => void;
  /** What stands beside the examples. */
  readonly children: ReactNode;
}): JSX.Element {
  const { filter, invalid, onRun, children } = props;
  const [text, setText] = useState(filter);
  useEffect(() => setText(filter), [filter]);
  const input = useRef<HTMLInputElement>(null);
  const help = useId();
  useShortcuts({ '/': () => input.current?.focus() });
  return (
    <div className={styles.filter}>
      <form
        role="search"
        className={styles.line}
        data-invalid={invalid !== undefined}
        onSubmit={(event) => {
          event.preventDefault();
          onRun(text);
        }}
      >
        <Icon name="search" />
        <FilterInput
          input={input}
          text={text}
          onText={setText}
          problem={invalid ? help : undefined}
          placeholder='fault AND annotation.tenant = "acme"   — or a trace id'
        />
        {text || filter ? (
          <button type="button" data-kind="icon" aria-label="Remove the filter" onClick={() => onRun('')}>
            <Icon name="close" />
          </button>
        ) : (
          <kbd>/</kbd>
        )}
        <button type="submit" data-kind="primary">
          Run
        </button>
      </form>
      {invalid ? <Mistake id={help} filter={filter} message={invalid} /> : undefined}
      <div className={styles.below}>
        <ul className={styles.examples} aria-label="Add to the filter">
          {examples.map((example) => (
            <li key={example.text}>
              <button
                type="button"
                title={example.text}
                disabled={filter.includes(example.text)}
                onClick={() => onRun(both(invalid ? '' : filter, example.text))}
              >
                {example.label}
              </button>
            </li>
          ))}
        </ul>
        {children}
      </div>
    </div>
  );
}

/** The server's sentence, and the expression with the character that it names, counted from 1. */
function Mistake({
  id,
  filter,
  message,
}: {
  readonly id: string;
  readonly filter: string;
  readonly message: string;
}): JSX.Element {
  const place = Number(/ at position (\d+)$/.exec(message)?.[1] ?? Number.NaN) - 1;
  return (
    <div id={id} role="alert" className={styles.mistake}>
      <p>{message}</p>
      {place >= 0 ? (
        <code>
          {filter.slice(0, place)}
          <mark>{filter.slice(place, place + 1) || ' '}</mark>
          {filter.slice(place + 1)}
        </code>
      ) : undefined}
    </div>
  );
}
