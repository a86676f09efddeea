import type { JSX } from 'react';
import { Dialog } from './Dialog.tsx';
import styles from './HelpDialog.module.css';
import { Icon } from './Icon.tsx';
import { useSingleKeys } from './shortcuts.ts';

const sections: readonly { readonly title: string; readonly keys: readonly (readonly [string, string])[] }[] = [
  {
    title: 'Everywhere',
    keys: [
      ['⌘K or Ctrl K', 'Go to a page or a trace id'],
      ['G then H, M, T', 'Home, trace map, traces'],
      ['G then V, X, I', 'Services, exceptions, insights'],
      ['G then S, G, P', 'Sampling, groups, pipelines'],
      ['/', 'To the filter'],
      ['L', 'Live on or off'],
      ['?', 'This help'],
    ],
  },
  {
    title: 'Trace list',
    keys: [
      ['J K or ↓ ↑', 'Next, previous trace'],
      ['Enter', 'Open the trace'],
    ],
  },
  {
    title: 'Trace',
    keys: [
      ['J K or ↓ ↑', 'Next, previous row'],
      ['→ ←', 'Expand or first child; collapse or parent'],
      ['[ ]', 'Collapse, expand all'],
      ['E, Shift E', 'Next, previous problem'],
      ['N, Shift N', 'Next, previous match'],
      ['C', 'Critical path on or off'],
      ['+ − and A D', 'Zoom, and move in time'],
      ['.', 'Whole time again'],
      ['1 2 3 4 6', 'Waterfall, map, flame graph, table, raw'],
      ['!', 'What the doctor found'],
      ['Shift X', 'Compare'],
      ['Y', 'Copy the trace id'],
    ],
  },
  {
    title: 'Trace map',
    keys: [
      ['Tab', 'From node to node'],
      ['Arrows', 'Along the calls, and to neighbours'],
      ['Enter', 'Details of the node or call'],
      ['.', 'Fit the picture'],
    ],
  },
];

export function HelpDialog({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }): JSX.Element {
  const [on, setOn] = useSingleKeys();
  return (
    <Dialog open={open} label="Keyboard shortcuts" className={styles.dialog} onClose={onClose}>
      <header>
        <h2>Keyboard shortcuts</h2>
        <button type="button" data-kind="icon" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div className={styles.sections}>
        {sections.map(({ title, keys }) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {keys.map(([key, does]) => (
                <div key={key}>
                  <dt>
                    <kbd>{key}</kbd>
                  </dt>
                  <dd>{does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <label className={styles.switch}>
        <input type="checkbox" checked={on} onChange={(event) => setOn(event.target.checked)} />
        Keys without ⌘ or Ctrl work
      </label>
    </Dialog>
  );
}
