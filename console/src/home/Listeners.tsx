import type { JSX } from 'react';
import type { StatusAnswer } from '../api/answers.ts';
import { countOf } from '../format/count.ts';
import styles from './Listeners.module.css';

/** One light for each component that listens: green once spans came through it, grey where none are to be expected. */
export function Listeners({ status }: { readonly status: StatusAnswer }): JSX.Element {
  const components = [...new Set(status.listeners.map(({ component }) => component))];
  return (
    <ul className={styles.listeners}>
      {components.map((component) => (
        <Component key={component} component={component} status={status} />
      ))}
    </ul>
  );
}

function Component({ component, status }: { readonly component: string; readonly status: StatusAnswer }): JSX.Element {
  const spans = status.received.find((counter) => counter.component === component)?.spans;
  const fault = status.faults.find((candidate) => candidate.component === component);
  const rejected = status.rejections.filter((rejection) => rejection.component === component).length;
  return (
    <li data-state={fault ? 'fault' : spans === undefined ? 'open' : spans > 0 ? 'ok' : 'waiting'}>
      <span className={styles.light} />
      <div>
        <ul>
          {status.listeners
            .filter((listener) => listener.component === component)
            .map(({ protocol, transport, address }) => (
              <li key={`${protocol}${address}`}>
                {protocol}{' '}
                <code>
                  {transport} {address}
                </code>
              </li>
            ))}
        </ul>
        {fault ? <p className={styles.fault}>{fault.reason}</p> : undefined}
        {rejected > 0 ? <p className={styles.fault}>{countOf(rejected, 'rejection')}, see below</p> : undefined}
      </div>
      {spans === undefined ? undefined : <span className={styles.count}>{countOf(spans, 'span')}</span>}
    </li>
  );
}
