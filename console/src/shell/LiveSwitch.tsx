import type { JSX } from 'react';
import { parseRange } from '../range/range.ts';
import { useChangeSearch, usePageSearch } from '../search.ts';
import type { PageSearch } from '../search.ts';
import styles from './LiveSwitch.module.css';
import { useShortcuts } from './shortcuts.ts';

/** Whether the page refreshes itself: unless told not to, and unless its time range has an end. */
export function isLive(search: PageSearch): boolean {
  const range = parseRange(search);
  return search.live !== 'off' && (range.kind === 'last' || range.to === undefined);
}

export function LiveSwitch(): JSX.Element {
  const search = usePageSearch();
  const change = useChangeSearch();
  const live = isLive(search);
  const ended = search.live !== 'off' && !live;
  const toggle = () => change({ live: search.live === 'off' ? undefined : 'off' }, { replace: true });
  useShortcuts({ l: toggle });
  return (
    <button
      type="button"
      className={styles.live}
      aria-pressed={live}
      disabled={ended}
      onClick={toggle}
      title={ended ? 'The chosen time has an end, so nothing new can come' : 'Refresh the page by itself (L)'}
    >
      <span className={styles.dot} />
      Live
    </button>
  );
}
