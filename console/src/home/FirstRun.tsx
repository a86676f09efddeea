import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import type { JSX } from 'react';
import type { StatusAnswer } from '../api/answers.ts';
import { useNewestTraces } from '../api/queries.ts';
import { CopyBlock } from '../copy/CopyBlock.tsx';
import { formatDuration } from '../format/duration.ts';
import { Tabs } from '../shell/Tabs.tsx';
import { TraceBadge } from '../traces/TraceBadge.tsx';
import { nameOf } from '../traces/summary.ts';
import styles from './FirstRun.module.css';
import { Listeners } from './Listeners.tsx';
import { Rejections } from './Rejections.tsx';
import { snippetTabs } from './snippets.ts';
import type { Snippet, SnippetTab } from './snippets.ts';

/** What one sees in the first seconds: that it listens, what to set, and that something arrived or why not. */
export function FirstRun({
  status,
  onDone,
}: {
  readonly status: StatusAnswer;
  readonly onDone: () => void;
}): JSX.Element {
  return (
    <div className={styles.page}>
      <FirstTrace arrived={status.store.traces > 0} onDone={onDone} />
      <section className={styles.columns}>
        <div className={styles.ways}>
          <Ways status={status} />
        </div>
        <div className={styles.side}>
          <h2>Listening</h2>
          <Listeners status={status} />
          <p className={styles.demo}>
            Nothing at hand that sends traces? <code>npx raybridge demo</code> sends a small shop with a fault and a
            slow call.
          </p>
        </div>
      </section>
      {status.rejections.length > 0 ? (
        <Rejections rejections={status.rejections} nowSeconds={status.nowSeconds} />
      ) : undefined}
    </div>
  );
}

function FirstTrace({ arrived, onDone }: { readonly arrived: boolean; readonly onDone: () => void }): JSX.Element {
  const { data } = useNewestTraces({ limit: 1, enabled: arrived });
  const trace = data?.TraceSummaries[0];
  return (
    <div className={styles.hello} role="status" data-arrived={trace !== undefined}>
      {trace ? (
        <>
          <div>
            <h1>
              First trace: {nameOf(trace)},{' '}
              {trace.ResponseTime === undefined ? 'in progress' : formatDuration(trace.ResponseTime)}
            </h1>
            <p>
              <TraceBadge summary={trace} /> It works. More will show as they come.
            </p>
          </div>
          <div className={styles.actions}>
            <Link to="/traces/$id" params={{ id: trace.Id }} className={styles.open}>
              Open
            </Link>
            <button type="button" onClick={onDone}>
              Show all
            </button>
          </div>
        </>
      ) : (
        <div>
          <h1>{arrived ? 'The first trace is here' : 'Waiting for the first trace'}</h1>
          <p>
            <span className={styles.pulse} /> Set one of these where your program runs, and use the program. This page
            notices by itself.
          </p>
        </div>
      )}
    </div>
  );
}

function Ways({ status }: { readonly status: StatusAnswer }): JSX.Element {
  const ways = snippetTabs(status.environment);
  const [chosen, setChosen] = useState<string | undefined>();
  const seen = useFirstSeen(status, ways);
  const tabs = ways.map(({ id, label, snippets, missing }) => ({
    id,
    label,
    content: () =>
      snippets.length > 0 ? (
        snippets.map((snippet) => <Lines key={snippet.title} snippet={snippet} />)
      ) : (
        <p>{missing}</p>
      ),
  }));
  return (
    <Tabs
      label="Ways to send traces"
      tabs={tabs}
      chosen={chosen ?? seen ?? ways.find(({ snippets }) => snippets.length > 0)?.id}
      onChoose={setChosen}
    />
  );
}

/** The tab of whatever sent first; it does not change again when something else sends too. */
function useFirstSeen(status: StatusAnswer, tabs: readonly SnippetTab[]): SnippetTab['id'] | undefined {
  const [seen, setSeen] = useState<SnippetTab['id'] | undefined>();
  const sender = status.received.find(({ spans }) => spans > 0)?.component.split('/')[0];
  const tab = tabs.find(({ chosenBy }) => chosenBy !== undefined && chosenBy === sender)?.id;
  useEffect(() => {
    if (tab) setSeen((before) => before ?? tab);
  }, [tab]);
  return seen;
}

function Lines({ snippet }: { readonly snippet: Snippet }): JSX.Element {
  return (
    <div className={styles.snippet}>
      <p>{snippet.title}</p>
      <CopyBlock text={snippet.text} label={`Copy: ${snippet.title}`} />
    </div>
  );
}
