import type { JSX } from 'react';
import type { TraceFinding } from '../api/answers.ts';
import { countOf } from '../format/count.ts';
import { useChangeSearch, usePageSearch } from '../search.ts';
import { Icon } from '../shell/Icon.tsx';
import { useShortcuts } from '../shell/shortcuts.ts';
import styles from './Doctor.module.css';

/** Why the trace is not what it should be: a strip with the worst of it, and everything below when it is opened. */
export function Doctor({ findings }: { readonly findings: readonly TraceFinding[] }): JSX.Element | undefined {
  const { doctor } = usePageSearch();
  const change = useChangeSearch();
  const open = doctor === 'open';
  const toggle = () => change({ doctor: open ? undefined : 'open' }, { replace: true });
  useShortcuts({ '!': toggle });
  const [worst] = findings;
  if (!worst) return undefined;
  return (
    <section className={styles.doctor} data-severity={worst.severity} aria-label="Doctor">
      <button type="button" className={styles.strip} aria-expanded={open} onClick={toggle} title="Doctor (!)">
        <Icon name="chevron" />
        <strong>Doctor: {countOf(findings.length, 'finding')}</strong>
        <span>{open ? '' : worst.title}</span>
      </button>
      {open ? (
        <ol className={styles.findings}>
          {findings.map((finding, index) => (
            <FindingItem key={index} finding={finding} />
          ))}
        </ol>
      ) : undefined}
    </section>
  );
}

function FindingItem({ finding }: { readonly finding: TraceFinding }): JSX.Element {
  const change = useChangeSearch();
  const [id] = finding.ids;
  return (
    <li data-severity={finding.severity}>
      <h2>{finding.title}</h2>
      <p>{finding.evidence}</p>
      <p className={styles.fix}>
        <strong>What to do:</strong> {finding.fix}
      </p>
      {id === undefined ? undefined : (
        <button type="button" data-kind="quiet" onClick={() => change({ span: id, view: undefined })}>
          Show in the waterfall
        </button>
      )}
    </li>
  );
}
