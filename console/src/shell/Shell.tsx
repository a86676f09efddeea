import { Link, Outlet, useMatchRoute, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { JSX } from 'react';
import { useStatus } from '../api/queries.ts';
import { formatCount } from '../format/count.ts';
import { RangePicker } from '../range/RangePicker.tsx';
import { keepQuestion, usePageSearch } from '../search.ts';
import { HelpDialog } from './HelpDialog.tsx';
import { Icon } from './Icon.tsx';
import { LiveSwitch } from './LiveSwitch.tsx';
import { Palette } from './Palette.tsx';
import { pages } from './pages.ts';
import styles from './Shell.module.css';
import { ThemeButton } from './ThemeButton.tsx';
import { useShortcuts } from './shortcuts.ts';

/** The frame of every page: navigation at the left, what concerns all pages at the top. */
export function Shell(): JSX.Element {
  const [help, setHelp] = useState(false);
  const [palette, setPalette] = useState(false);
  const navigate = useNavigate();
  const question = keepQuestion(usePageSearch());
  useShortcuts({
    '?': () => setHelp(true),
    'mod+k': () => setPalette(true),
    ...Object.fromEntries(pages.map(({ to, key }) => [key, () => void navigate({ to, search: question })])),
  });
  const onTrace = useMatchRoute()({ to: '/traces/$id' }) !== false;
  return (
    <div className={styles.shell}>
      <a className={styles.skip} href="#main" onClick={focusMain}>
        Skip to the page
      </a>
      <Rail />
      <header className={styles.top}>
        <button type="button" className={styles.find} onClick={() => setPalette(true)}>
          <Icon name="search" />
          <span>Go to a page or a trace id</span>
          <kbd>{isApple() ? '⌘K' : 'Ctrl K'}</kbd>
        </button>
        <span className={styles.spring} />
        {onTrace ? undefined : (
          <>
            <RangePicker />
            <LiveSwitch />
          </>
        )}
        <ThemeButton />
        <button
          type="button"
          data-kind="icon"
          aria-label="Keyboard shortcuts"
          title="Keyboard shortcuts (?)"
          onClick={() => setHelp(true)}
        >
          <Icon name="help" />
        </button>
      </header>
      <main id="main" className={styles.main} tabIndex={-1}>
        <Outlet />
      </main>
      <HelpDialog open={help} onClose={() => setHelp(false)} />
      <Palette open={palette} onClose={() => setPalette(false)} />
    </div>
  );
}

const railKey = 'raybridge.rail';

function Rail(): JSX.Element {
  const [narrow, setNarrow] = useState(() => localStorage.getItem(railKey) === 'narrow');
  const toggle = () => {
    localStorage.setItem(railKey, narrow ? 'wide' : 'narrow');
    setNarrow(!narrow);
  };
  return (
    <nav className={styles.rail} data-narrow={narrow} aria-label="Pages">
      <div className={styles.brand}>
        <img src="/favicon.svg" alt="" width="22" height="22" />
        {narrow ? undefined : <span>Raybridge</span>}
      </div>
      <ul>
        {pages.map(({ to, label, icon }) => (
          <li key={to}>
            <Link
              to={to}
              search={keepQuestion}
              className={styles.page}
              activeOptions={{ exact: to === '/', includeSearch: false }}
              title={label}
            >
              <Icon name={icon} />
              <span className={narrow ? 'visually-hidden' : undefined}>{label}</span>
            </Link>
          </li>
        ))}
      </ul>
      <span className={styles.spring} />
      <Health narrow={narrow} />
      <button type="button" data-kind="quiet" className={styles.fold} onClick={toggle} aria-expanded={!narrow}>
        <Icon name="rail" />
        <span className={narrow ? 'visually-hidden' : undefined}>{narrow ? 'Widen' : 'Narrow'}</span>
      </button>
    </nav>
  );
}

/** Whether the process answers and works, in one line at the foot of the rail. */
function Health({ narrow }: { readonly narrow: boolean }): JSX.Element {
  const { data, error } = useStatus();
  const [state, words] = error
    ? ['fault', 'No connection']
    : !data
      ? ['wait', 'Connecting']
      : data.faults[0]
        ? ['fault', `${data.faults[0].component}: ${data.faults[0].reason}`]
        : data.ready
          ? ['ok', 'Ready']
          : ['wait', 'Starting'];
  const version = data ? `Raybridge ${data.version}` : '';
  return (
    <div className={styles.health} role="status" title={`${words}. ${version}`}>
      <p>
        <span className={styles.light} data-state={state} />
        <span className={narrow ? 'visually-hidden' : styles.words}>{words}</span>
      </p>
      {narrow || !data ? undefined : (
        <p className={styles.version}>
          {formatCount(data.store.traces)} traces · v{data.version}
        </p>
      )}
    </div>
  );
}

function focusMain(event: { preventDefault(): void }): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function isApple(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.userAgent);
}
