import { useId } from 'react';
import type { JSX, KeyboardEvent, ReactNode } from 'react';
import styles from './Tabs.module.css';

export interface Tab {
  readonly id: string;
  readonly label: string;
  /** How many things the panel holds; shown beside the label when there are any. */
  readonly count?: number;
  readonly content: () => ReactNode;
}

/**
 * Tabs above one panel, by the pattern of the ARIA Authoring Practices: one tab stop, left and right
 * arrow walk round and choose as they go. Which one is chosen belongs to the caller; the first is
 * when none has that id.
 */
export function Tabs(props: {
  readonly label: string;
  readonly tabs: readonly Tab[];
  readonly chosen: string | undefined;
  readonly onChoose: (id: string) => void;
}): JSX.Element {
  const { label, tabs, onChoose } = props;
  const id = useId();
  const at = Math.max(
    0,
    tabs.findIndex((tab) => tab.id === props.chosen),
  );
  const active = tabs[at];
  const walk = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const next = tabs[(at + step + tabs.length) % tabs.length];
    if (step === 0 || !next) return;
    onChoose(next.id);
    document.getElementById(`${id}-${next.id}`)?.focus();
  };
  return (
    <div className={styles.tabs}>
      <div role="tablist" aria-label={label} className={styles.list} onKeyDown={walk}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            id={`${id}-${tab.id}`}
            type="button"
            role="tab"
            data-kind="quiet"
            aria-selected={tab === active}
            aria-controls={`${id}-panel`}
            tabIndex={tab === active ? 0 : -1}
            onClick={() => onChoose(tab.id)}
          >
            {tab.label}
            {tab.count ? <span className={styles.count}>{tab.count}</span> : undefined}
          </button>
        ))}
      </div>
      <div
        role="tabpanel"
        id={`${id}-panel`}
        aria-labelledby={`${id}-${active?.id}`}
        tabIndex={0}
        className={styles.panel}
      >
        {active?.content()}
      </div>
    </div>
  );
}
