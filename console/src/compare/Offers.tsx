import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { JSX } from 'react';
import type { TraceSummaryAnswer } from '../api/answers.ts';
import { useAlike } from '../api/queries.ts';
import { formatDuration } from '../format/duration.ts';
import { formatDateTime } from '../format/time.ts';
import { Failure, Loading } from '../shell/EmptyState.tsx';
import { TraceBadge } from '../traces/TraceBadge.tsx';
import { nameOf } from '../traces/summary.ts';
import styles from './ComparePage.module.css';

/** Other traces of the entry point to hold this one against, looked for when they are wanted. */
export function Offers({
  summary,
  chosen,
}: {
  readonly summary: TraceSummaryAnswer;
  /** Id of the one that it is compared with. */
  readonly chosen: string | undefined;
}): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <details className={styles.offers} open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Another trace of this entry point</summary>
      {open ? <OfferList summary={summary} chosen={chosen} /> : undefined}
    </details>
  );
}

function OfferList({ summary, chosen }: Parameters<typeof Offers>[0]): JSX.Element {
  const { data, error, refetch } = useAlike(summary);
  if (error) return <Failure error={error} onRetry={() => void refetch()} />;
  if (!data) return <Loading what="the traces" />;
  return (
    <ul aria-label="Other traces of this entry point">
      {chosen === undefined ? undefined : (
        <li>
          <Link to="." search={(search) => ({ ...search, b: 'normal' })}>
            What is normal
          </Link>
        </li>
      )}
      {data.map((one) => (
        <li key={one.Id}>
          <TraceBadge summary={one} />
          <Link
            to="."
            search={(search) => ({ ...search, b: one.Id })}
            aria-current={one.Id === chosen ? 'true' : undefined}
          >
            {nameOf(one)}
          </Link>
          <span>{formatDuration(one.ResponseTime ?? one.Duration)}</span>
          <span className={styles.muted}>{formatDateTime(one.StartTime)}</span>
        </li>
      ))}
      {data.length === 0 ? <li>No other was found in the day before it, or since.</li> : undefined}
    </ul>
  );
}
