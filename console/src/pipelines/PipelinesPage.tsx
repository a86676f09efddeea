import type { JSX } from 'react';
import type { PipelinesAnswer, StatusAnswer } from '../api/answers.ts';
import { nowSeconds, usePipelines, useStatus } from '../api/queries.ts';
import { formatBytes, formatCount } from '../format/count.ts';
import { formatAge } from '../format/time.ts';
import { EmptyState, Failure, Loading } from '../shell/EmptyState.tsx';
import { Page } from '../shell/Page.tsx';
import styles from './PipelinesPage.module.css';
import { toFlows } from './flows.ts';
import type { Flow } from './flows.ts';

/** Everything that takes data in and gives it out, with what became of it: why nothing arrives, and where it waits. */
export function PipelinesPage(): JSX.Element {
  const { data: status, error, refetch } = useStatus();
  const { data: pipelines } = usePipelines();
  return (
    <Page title="Pipelines" lead="what comes in, waits, and goes out">
      {error && !status ? <Failure error={error} onRetry={() => void refetch()} /> : undefined}
      {status && pipelines ? <Loaded status={status} pipelines={pipelines} /> : undefined}
      {!error && !(status && pipelines) ? <Loading what="the pipelines" /> : undefined}
    </Page>
  );
}

function Loaded({ status, pipelines }: { readonly status: StatusAnswer; readonly pipelines: PipelinesAnswer }) {
  const { receivers, exporters } = toFlows(status, pipelines.Series);
  const { bytes, bytesMax, deadLetters, durable } = status.queue;
  return (
    <>
      <Cards title="In" flows={receivers} />
      <section className={styles.section} aria-label="Queue">
        <h2>Queue</h2>
        <ul className={styles.cards}>
          <li className={styles.card}>
            <h3>{durable ? 'On disk' : 'In memory only'}</h3>
            <dl>
              <Fact label="Waiting">{`${formatBytes(bytes)} of ${formatBytes(bytesMax)}`}</Fact>
              <Fact label="Dead letters" bad={deadLetters > 0}>
                {formatCount(deadLetters)}
              </Fact>
            </dl>
            {durable ? undefined : <p className={styles.bad}>A crash loses what waits here.</p>}
            {deadLetters > 0 ? (
              <p>
                <code>raybridge dlq list</code> says what they are.
              </p>
            ) : undefined}
          </li>
        </ul>
      </section>
      <Cards title="Out" flows={exporters} />
      <Rejections rejections={status.rejections} />
    </>
  );
}

function Cards({ title, flows }: { readonly title: string; readonly flows: readonly Flow[] }): JSX.Element {
  return (
    <section className={styles.section} aria-label={title}>
      <h2>{title}</h2>
      <ul className={styles.cards}>
        {flows.map((flow) => (
          <li key={flow.id} className={styles.card} data-bad={flow.fault !== undefined}>
            <h3>{flow.id}</h3>
            {flow.addresses.map((address) => (
              <p key={address} className={styles.muted}>
                {address}
              </p>
            ))}
            {flow.fault ? <p className={styles.bad}>{flow.fault}</p> : undefined}
            <dl>
              {flow.facts.map(({ label, value, bad }) => (
                <Fact key={label} label={label} bad={bad}>
                  {formatCount(value)}
                </Fact>
              ))}
            </dl>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Fact(props: { readonly label: string; readonly bad?: boolean; readonly children: string }): JSX.Element {
  return (
    <div data-bad={props.bad}>
      <dt>{props.label}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

function Rejections({ rejections }: { readonly rejections: StatusAnswer['rejections'] }): JSX.Element {
  return (
    <section className={styles.section} aria-label="Last rejected">
      <h2>Last rejected</h2>
      {rejections.length === 0 ? (
        <EmptyState title="Nothing was rejected">
          <p>What cannot be read is shown here with the reason and its first bytes.</p>
        </EmptyState>
      ) : (
        <ul className={styles.rejections}>
          {rejections.toReversed().map(({ component, atSeconds, reason, sample }, place) => (
            <li key={place}>
              <strong>{component}</strong> <span className={styles.muted}>{formatAge(nowSeconds() - atSeconds)}</span>
              <p>{reason}</p>
              <code>{sample}</code>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
