import { Link } from '@tanstack/react-router';
import type { JSX, ReactNode } from 'react';
import type { TraceAnswer } from '../api/answers.ts';
import { nowSeconds, useStatus } from '../api/queries.ts';
import { CompareLink } from '../compare/CompareLink.tsx';
import { CopyButton, copyText } from '../copy/CopyButton.tsx';
import { batchGetTracesCommand } from '../copy/awsCommand.ts';
import { countOf } from '../format/count.ts';
import { formatDuration } from '../format/duration.ts';
import { formatAge, formatDateTime } from '../format/time.ts';
import { keepQuestion } from '../search.ts';
import { Icon } from '../shell/Icon.tsx';
import { ViewSwitch } from '../shell/ViewSwitch.tsx';
import type { View } from '../shell/ViewSwitch.tsx';
import { useShortcuts } from '../shell/shortcuts.ts';
import { TraceBadge } from '../traces/TraceBadge.tsx';
import { nameOf } from '../traces/summary.ts';
import styles from './TraceHeader.module.css';
import type { TraceTree } from './tree.ts';

const views: readonly View[] = [
  { name: undefined, label: 'Waterfall', key: '1' },
  { name: 'map', label: 'Map', key: '2' },
  { name: 'flame', label: 'Flame', key: '3' },
  { name: 'table', label: 'Table', key: '4' },
  { name: 'raw', label: 'Raw', key: '6' },
];

/** What the trace is, how it went, and its id in both forms. */
export function TraceHeader(props: {
  readonly answer: TraceAnswer;
  readonly tree: TraceTree;
  readonly view: string | undefined;
  readonly onView: (name: string | undefined) => void;
}): JSX.Element {
  const { Summary, Trace } = props.answer;
  const { data: status } = useStatus();
  useShortcuts({ y: () => void copyText(Trace.Id) });
  return (
    <header className={styles.header}>
      <div className={styles.title}>
        <Link
          to="/traces"
          search={keepQuestion}
          className={styles.back}
          aria-label="Back to the traces"
          title="Back to the traces"
        >
          <Icon name="chevron" />
        </Link>
        <TraceBadge summary={Summary} />
        <h1 title={Summary.Http.HttpURL}>{nameOf(Summary)}</h1>
        <ViewSwitch views={views} chosen={props.view} onChoose={props.onView} />
        <CompareLink id={Trace.Id} className={styles.compare} />
        <CopyButton
          text={batchGetTracesCommand({ endpoint: status?.environment.AWS_ENDPOINT_URL_XRAY, traceId: Trace.Id })}
          label="Copy as AWS CLI"
          shown="Copy as AWS CLI"
        />
      </div>
      <dl className={styles.facts}>
        <Fact label="Response">
          {Summary.ResponseTime === undefined ? 'in progress' : formatDuration(Summary.ResponseTime)}
        </Fact>
        <Fact label="Duration">{formatDuration(Trace.Duration)}</Fact>
        <Fact label="Started">
          {formatDateTime(Summary.StartTime)}{' '}
          <span className={styles.muted}>{formatAge(nowSeconds() - Summary.StartTime)}</span>
        </Fact>
        <Fact label="Holds">{spellSize(props.tree)}</Fact>
        {Summary.Users[0]?.UserName ? (
          <Fact label="User">{Summary.Users.map(({ UserName }) => UserName).join(', ')}</Fact>
        ) : undefined}
        <Fact label="Trace id">
          <code>{Trace.Id}</code>
          <CopyButton text={Trace.Id} label="Copy the trace id" />
          <CopyButton text={Trace.Id.replace(/^1-|-/g, '')} label="Copy the trace id as 32 hex digits" shown="W3C" />
        </Fact>
      </dl>
      <Flags tree={props.tree} />
    </header>
  );
}

function Fact({ label, children }: { readonly label: string; readonly children: ReactNode }): JSX.Element {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** What a reader must know before believing the picture, beside what the doctor found. */
function Flags({ tree }: { readonly tree: TraceTree }): JSX.Element | undefined {
  const flags = [
    tree.unreadable > 0 ? `${countOf(tree.unreadable, 'document')} could not be read; the raw view has the text.` : '',
  ].filter(Boolean);
  if (flags.length === 0) return undefined;
  return (
    <ul className={styles.flags} aria-label="Notes">
      {flags.map((flag) => (
        <li key={flag}>{flag}</li>
      ))}
    </ul>
  );
}

function spellSize(tree: TraceTree): string {
  const segments = tree.nodes.filter(({ subsegment }) => !subsegment).length;
  return [
    countOf(segments, 'segment'),
    countOf(tree.nodes.length - segments, 'subsegment'),
    countOf(tree.services.length, 'service'),
  ].join(', ');
}
