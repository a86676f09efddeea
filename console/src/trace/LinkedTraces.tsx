import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { JSX } from 'react';
import type { LinkAnswer, LinkedAnswer, TraceSummaryAnswer } from '../api/answers.ts';
import { countOf } from '../format/count.ts';
import { formatDuration } from '../format/duration.ts';
import { keepQuestion } from '../search.ts';
import { TraceBadge } from '../traces/TraceBadge.tsx';
import { nameOf } from '../traces/summary.ts';
import styles from './LinkedTraces.module.css';

/** Until somebody wants to see all of them. */
const shownMax = 4;

/** The traces that this one comes from, above its waterfall, or leads to, below it. */
export function LinkedTraces(props: {
  readonly side: 'from' | 'to';
  readonly linked: LinkedAnswer | undefined;
  /** When this trace starts; epoch seconds. */
  readonly start: number;
}): JSX.Element | undefined {
  const { side, linked, start } = props;
  const [isOpen, setOpen] = useState(false);
  const links = (side === 'from' ? linked?.From : linked?.To) ?? [];
  if (!linked || links.length === 0) return undefined;
  const ids = new Map(links.map((link) => [link.LinkedTraceId, link]));
  const here = linked.TraceSummaries.filter(({ Id }) => ids.has(Id));
  const shown = isOpen ? here : here.slice(0, shownMax);
  const title = side === 'from' ? 'Comes from' : 'Leads to';
  return (
    <section className={styles.linked} aria-label={title} data-side={side}>
      <h2>{title}</h2>
      <ul>
        {shown.map((summary) => (
          <li key={summary.Id}>
            <Box summary={summary} link={ids.get(summary.Id)} start={start} />
          </li>
        ))}
      </ul>
      {here.length > shown.length ? (
        <button type="button" data-kind="quiet" onClick={() => setOpen(true)}>
          Show {here.length - shown.length} more
        </button>
      ) : undefined}
      {ids.size > here.length ? (
        <span className={styles.muted}>{countOf(ids.size - here.length, 'trace')} not here</span>
      ) : undefined}
    </section>
  );
}

function Box(props: {
  readonly summary: TraceSummaryAnswer;
  readonly link: LinkAnswer | undefined;
  readonly start: number;
}): JSX.Element {
  const { summary, link, start } = props;
  const apart = summary.StartTime - start;
  const name = nameOf(summary);
  const service = summary.EntryPoint?.Name ?? '';
  return (
    <Link
      to="/traces/$id"
      params={{ id: summary.Id }}
      search={(before) => ({ ...keepQuestion(before), span: link?.LinkedId })}
      className={styles.box}
    >
      <TraceBadge summary={summary} />
      <strong>{name}</strong>
      {service && service !== name ? <span>{service}</span> : undefined}
      <span>{formatDuration(summary.ResponseTime ?? summary.Duration)}</span>
      <span className={styles.muted}>
        starts {formatDuration(Math.abs(apart))} {apart < 0 ? 'before' : 'after'}
      </span>
    </Link>
  );
}
