import type { JSX } from 'react';
import { CopyButton } from '../copy/CopyButton.tsx';
import { countOf } from '../format/count.ts';
import { NodeButton } from './NodeButton.tsx';
import styles from './Exceptions.module.css';
import { frameRuns, spellFrame, workingDirectoryOf } from './exceptions.ts';
import type { FrameRun, StackFrame, TraceException } from './exceptions.ts';
import type { TraceNode } from './tree.ts';

/** The exceptions of a node, outermost first, each with its stack. */
export function Exceptions(props: {
  readonly node: TraceNode;
  readonly exceptions: readonly TraceException[];
  readonly onChoose: (node: TraceNode) => void;
}): JSX.Element {
  const { node, exceptions, onChoose } = props;
  const directory = workingDirectoryOf(node);
  if (exceptions.length === 0) {
    return (
      <p className={styles.none}>
        {node.outcome === 'ok' ? 'No exception here.' : 'It is marked as failed, but no exception was recorded.'}
      </p>
    );
  }
  return (
    <>
      {directory ? (
        <p className={styles.none}>
          Working directory <code>{directory}</code>
        </p>
      ) : undefined}
      <ol className={styles.list}>
        {exceptions.map((exception, at) => (
          <li key={exception.id ?? at}>
            {at > 0 ? <p className={styles.none}>Caused by</p> : undefined}
            <Exception exception={exception} onChoose={onChoose} />
          </li>
        ))}
      </ol>
    </>
  );
}

function Exception({
  exception,
  onChoose,
}: {
  readonly exception: TraceException;
  readonly onChoose: (node: TraceNode) => void;
}): JSX.Element {
  const { type, message, remote, stack, truncated, recordedBy } = exception;
  return (
    <article className={styles.exception}>
      <header>
        <h3>{type ?? 'Exception'}</h3>
        {remote ? <span className={styles.remote}>remote</span> : undefined}
        <CopyButton
          text={[
            `${type ?? 'Exception'}: ${message ?? ''}`,
            ...stack.map((frame) => `    at ${spellFrame(frame)}`),
          ].join('\n')}
          label="Copy the exception"
        />
      </header>
      <p className={styles.message}>{message ?? '(no message)'}</p>
      {recordedBy ? (
        <p className={styles.none}>
          Recorded by <NodeButton node={recordedBy} onChoose={onChoose} />
        </p>
      ) : undefined}
      {stack.length > 0 ? (
        <ol className={styles.stack}>
          {frameRuns(stack).map((run, at) => (
            <li key={at}>{run.isLibrary && isFolded(run, stack) ? <Folded run={run} /> : <Frames run={run} />}</li>
          ))}
        </ol>
      ) : undefined}
      {truncated > 0 ? (
        <p className={styles.none}>{countOf(truncated, 'more frame')} left out by the sender</p>
      ) : undefined}
    </article>
  );
}

/** Frames of libraries are folded away beside those of the program; where there are no others they are all there is. */
function isFolded(run: FrameRun, stack: readonly StackFrame[]): boolean {
  return run.frames.length > 1 && run.frames.length < stack.length;
}

function Folded({ run }: { readonly run: FrameRun }): JSX.Element {
  return (
    <details>
      <summary>{countOf(run.frames.length, 'frame')} of libraries</summary>
      <Frames run={run} />
    </details>
  );
}

function Frames({ run }: { readonly run: FrameRun }): JSX.Element {
  return (
    <ol>
      {run.frames.map((frame, at) => (
        <li key={at}>{spellFrame(frame)}</li>
      ))}
    </ol>
  );
}
