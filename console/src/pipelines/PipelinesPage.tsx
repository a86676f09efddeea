import type { JSX, ReactNode } from 'react';
import type { StatusAnswer } from '../api/answers.ts';
import { nowSeconds, usePipelines, useStatus } from '../api/queries.ts';
import { formatBytes, formatCount, formatRate } from '../format/count.ts';
import { formatAge } from '../format/time.ts';
import { EmptyState, Failure, Loading } from '../shell/EmptyState.tsx';
import { Page } from '../shell/Page.tsx';
import styles from './PipelinesPage.module.css';
import { toFlows } from './flows.ts';
import type { Flow, Flows } from './flows.ts';
import { useEarlier } from './useEarlier.ts';

/** Everything that takes data in and gives it out, with what became of it: why nothing arrives, and where it waits. */
export function PipelinesPage(): JSX.Element {
  const { data: status, error, refetch } = useStatus();
  const { data: pipelines, dataUpdatedAt } = usePipelines();
  const earlier = useEarlier(pipelines?.Series, dataUpdatedAt);
  return (
    <Page title="Pipelines" lead="what comes in, waits, and goes out">
      {error && !status ? <Failure error={error} onRetry={() => void refetch()} /> : undefined}
      {status && pipelines ? <Loaded status={status} flows={toFlows(status, pipelines.Series, earlier)} /> : undefined}
      {!error && !(status && pipelines) ? <Loading what="the pipelines" /> : undefined}
    </Page>
  );
}

function Loaded({ status, flows }: { readonly status: StatusAnswer; readonly flows: Flows }): JSX.Element {
  const { receivers, exporters, stores, others, otherFaults } = flows;
  const { bytes, bytesMax, deadLetters, durable } = status.queue;
  return (
    <>
      {otherFaults.map(({ component, reason }) => (
        <p key={component} role="alert" className={styles.bad}>
          {component}: {reason}
        </p>
      ))}
      {receivers.length === 0 ? (
        <EmptyState title="Nothing takes spans in">
          <p>The configuration has no receiver, and nobody has sent segments through the X-Ray API.</p>
        </EmptyState>
      ) : undefined}
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
      <Cards title="Store" flows={stores}>
        {stores.length === 1 ? (
          <>
            <Fact label="Spans">{formatCount(status.store.spans)}</Fact>
            <Fact label="Traces">{formatCount(status.store.traces)}</Fact>
            <Fact label="On disk">{formatBytes(status.store.bytesOnDisk)}</Fact>
          </>
        ) : undefined}
      </Cards>
      <Cards title="Other listeners" flows={others} />
      <Rejections rejections={status.rejections} />
    </>
  );
}

function Cards({
  title,
  flows,
  children,
}: {
  readonly title: string;
  readonly flows: readonly Flow[];
  /** More facts, of each of them. */
  readonly children?: ReactNode;
}): JSX.Element | undefined {
  if (flows.length === 0) return undefined;
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
              {flow.facts.map(({ label, value, rate, bad }) => (
                <Fact key={label} label={label} bad={bad}>
                  {rate === undefined ? formatCount(value) : `${formatCount(value)} (${formatRate(rate, 1)})`}
                </Fact>
              ))}
              {children}
            </dl>
            {flow.lastRejection ? (
              <p className={styles.bad}>
                {formatAge(nowSeconds() - flow.lastRejection.atSeconds)}: {flow.lastRejection.reason}
              </p>
            ) : undefined}
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
          {rejections.map(({ component, atSeconds, reason, sample }, place) => (
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
