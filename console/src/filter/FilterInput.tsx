import { useId, useState } from 'react';
import type { JSX, KeyboardEvent, Ref } from 'react';
import { flushSync } from 'react-dom';
import { useCompletions } from '../api/queries.ts';
import { formatCount } from '../format/count.ts';
import { printText } from '../../../src/query/index.ts';
import styles from './FilterInput.module.css';
import { apply, completingAt, wordsFor } from './complete.ts';
import type { Completing, Suggestion } from './complete.ts';

const shownMax = 12;

/** A filter expression to type, with words of the language and what the store holds to complete it (WAI-ARIA, combobox). */
export function FilterInput(props: {
  readonly input: Ref<HTMLInputElement>;
  readonly text: string;
  readonly onText: (text: string) => void;
  /** Id of the text that says what is wrong; undefined when nothing is. */
  readonly problem: string | undefined;
  readonly placeholder: string;
}): JSX.Element {
  const { text, onText, problem } = props;
  const list = useId();
  const [cursor, setCursor] = useState<number | undefined>();
  const [active, setActive] = useState<number | undefined>();
  const completing = cursor === undefined ? undefined : completingAt(text, cursor);
  const suggestions = useSuggestions(completing);
  const open = suggestions.length > 0;
  const close = () => {
    setCursor(undefined);
    setActive(undefined);
  };
  const take = (suggestion: Suggestion | undefined, input: HTMLInputElement) => {
    if (!suggestion || !completing || cursor === undefined) return;
    const next = apply(text, { completing, suggestion, cursor });
    // At once, so that what is typed next comes behind it.
    flushSync(() => onText(next.text));
    input.setSelectionRange(next.cursor, next.cursor);
    setCursor(next.cursor);
    setActive(undefined);
  };
  const press = (event: KeyboardEvent<HTMLInputElement>) => {
    const input = event.currentTarget;
    if (event.key === 'Escape') {
      if (open) close();
      else input.blur();
      return;
    }
    if (!open) return;
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) setActive(nextOf(active, step, suggestions.length));
    else if (event.key === 'Tab' && !event.shiftKey) take(suggestions[active ?? 0], input);
    else if (event.key === 'Enter' && active !== undefined) take(suggestions[active], input);
    else {
      if (event.key === 'Enter') close();
      return;
    }
    event.preventDefault();
  };
  return (
    <span className={styles.frame}>
      <input
        ref={props.input}
        role="combobox"
        aria-label="Filter expression"
        aria-expanded={open}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={active === undefined ? undefined : `${list}-${active}`}
        aria-describedby={problem}
        aria-invalid={problem !== undefined}
        placeholder={props.placeholder}
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="off"
        value={text}
        onChange={(event) => {
          onText(event.target.value);
          setCursor(event.target.selectionStart ?? undefined);
          setActive(undefined);
        }}
        onKeyDown={press}
        onBlur={close}
      />
      <ul id={list} role="listbox" aria-label="Completions" className={styles.list} hidden={!open}>
        {suggestions.map((suggestion, place) => (
          <li
            key={suggestion.label}
            id={`${list}-${place}`}
            role="option"
            aria-selected={place === active}
            onMouseDown={(event) => {
              event.preventDefault();
              const input = event.currentTarget.closest('span')?.querySelector('input');
              if (input) take(suggestion, input);
            }}
          >
            <code>{suggestion.label}</code>
            <span>{suggestion.note}</span>
          </li>
        ))}
      </ul>
    </span>
  );
}

function useSuggestions(completing: Completing | undefined): readonly Suggestion[] {
  const { data } = useCompletions(completing && completing.kind !== 'word' ? completing : undefined);
  if (completing?.kind === 'word') return wordsFor(completing.prefix).slice(0, shownMax);
  if (!completing || !data) return [];
  return data.Completions.filter(({ text }) => text !== completing.prefix)
    .slice(0, shownMax)
    .map(({ text, traces }) => ({
      label: text,
      text: completing.kind === 'value' ? printText(text) : text,
      note: `${formatCount(traces)} ${traces === 1 ? 'trace' : 'traces'}`,
    }));
}

/** Round the ends, by way of none. */
function nextOf(active: number | undefined, step: number, count: number): number | undefined {
  const next = (active ?? (step === 1 ? -1 : count)) + step;
  return next < 0 || next >= count ? undefined : next;
}
