import { useNavigate } from '@tanstack/react-router';
import { useId, useState } from 'react';
import type { JSX, KeyboardEvent } from 'react';
import { findTraceId } from '../deepLink.ts';
import { keepQuestion } from '../search.ts';
import { Dialog } from './Dialog.tsx';
import { Icon } from './Icon.tsx';
import type { IconName } from './Icon.tsx';
import styles from './Palette.module.css';
import { pages } from './pages.ts';

interface Target {
  readonly label: string;
  readonly icon: IconName;
  readonly go: () => void;
}

/** Finds pages by name, and a trace by an id in either form, also inside a pasted log line. */
export function Palette({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }): JSX.Element {
  return (
    <Dialog open={open} label="Go to" className={styles.dialog} onClose={onClose}>
      <Finder onClose={onClose} />
    </Dialog>
  );
}

function Finder({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const list = useId();
  const targets = useTargets(text);
  const at = Math.min(active, targets.length - 1);
  const choose = (target: Target | undefined) => {
    if (!target) return;
    onClose();
    target.go();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setActive(Math.min(at + 1, targets.length - 1));
    else if (event.key === 'ArrowUp') setActive(Math.max(at - 1, 0));
    else if (event.key === 'Enter') choose(targets[at]);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <input
        className={styles.input}
        role="combobox"
        aria-label="Page, or trace id"
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={at >= 0 ? `${list}-${at}` : undefined}
        placeholder="Page name, trace id, or a log line with one"
        autoFocus
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id={list} role="listbox" aria-label="Found" className={styles.list}>
        {targets.map((target, index) => (
          <li
            key={target.label}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === at}
            onClick={() => choose(target)}
            onPointerMove={() => setActive(index)}
          >
            <Icon name={target.icon} />
            {target.label}
          </li>
        ))}
      </ul>
      {targets.length === 0 ? <p className={styles.none}>No page of that name, and no trace id in it.</p> : undefined}
    </>
  );
}

function useTargets(text: string): readonly Target[] {
  const navigate = useNavigate();
  const id = findTraceId(text);
  if (id)
    return [
      {
        label: `Trace ${id}`,
        icon: 'traces',
        go: () => void navigate({ to: '/traces/$id', params: { id }, search: keepQuestion }),
      },
    ];
  return pages
    .filter(({ label }) => label.toLowerCase().includes(text.trim().toLowerCase()))
    .map(({ to, label, icon }) => ({ label, icon, go: () => void navigate({ to, search: keepQuestion }) }));
}
