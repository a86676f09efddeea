import { useEffect, useRef, useSyncExternalStore } from 'react';

/** Keys by what `KeyboardEvent.key` gives; `g m` is one key after the other, `mod+k` works with ⌘ and Ctrl. */
export type Shortcuts = Readonly<Record<string, (event: KeyboardEvent) => void>>;

const sequenceMs = 1000;
const storageKey = 'raybridge.singleKeys';

/**
 * Binds keys for as long as the component is shown. Keys typed into a field are the field's own.
 * Keys without a modifier can be turned off, because speech input types letters (WCAG 2.2, 2.1.4).
 */
export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts);
  useEffect(() => {
    latest.current = shortcuts;
  });
  useEffect(() => {
    let first: { readonly key: string; readonly at: number } | undefined;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.altKey) return;
      const modified = event.metaKey || event.ctrlKey;
      if (!modified && (isTyping(event.target) || isDialogOpen() || !singleKeysOn())) return;
      const key = modified ? `mod+${event.key.toLowerCase()}` : event.key;
      const sequence = first && event.timeStamp - first.at < sequenceMs ? `${first.key} ${key}` : key;
      const action = latest.current[sequence] ?? latest.current[key];
      first = { key, at: event.timeStamp };
      if (!action) return;
      event.preventDefault();
      action(event);
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, []);
}

export function useSingleKeys(): readonly [boolean, (on: boolean) => void] {
  return [useSyncExternalStore(subscribe, singleKeysOn), setSingleKeys];
}

const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function singleKeysOn(): boolean {
  return localStorage.getItem(storageKey) !== 'off';
}

function setSingleKeys(on: boolean): void {
  if (on) localStorage.removeItem(storageKey);
  else localStorage.setItem(storageKey, 'off');
  for (const listener of listeners) listener();
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, select, textarea'));
}

function isDialogOpen(): boolean {
  return document.querySelector('dialog[open]') !== null;
}
