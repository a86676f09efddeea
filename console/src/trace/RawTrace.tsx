import { useMemo } from 'react';
import type { JSX } from 'react';
import type { Trace } from '../api/answers.ts';
import { CopyButton } from '../copy/CopyButton.tsx';
import { formatBytes } from '../format/count.ts';
import { indentJson } from '../json/indent.ts';
import { Icon } from '../shell/Icon.tsx';
import styles from './RawTrace.module.css';

/** More text than this makes the page slow; the download has all of it. */
const shownCharactersMax = 1_000_000;

/** The trace as BatchGetTraces answers it: documents are JSON texts inside the JSON. */
export function RawTrace({ trace }: { readonly trace: Trace }): JSX.Element {
  const text = useMemo(() => JSON.stringify({ Traces: [trace], UnprocessedTraceIds: [] }, undefined, 2), [trace]);
  const documents = useMemo(
    () => trace.Segments.map(({ Id, Document }) => ({ id: Id, text: indentJson(Document) })),
    [trace],
  );
  const shown = text.length > shownCharactersMax ? documents.slice(0, 20) : documents;
  return (
    <div className={styles.raw} tabIndex={0} role="region" aria-label="Raw data">
      <p className={styles.bar}>
        <span>BatchGetTraces answer, {formatBytes(text.length)}</span>
        <CopyButton text={text} label="Copy all" shown="Copy all" />
        <button type="button" onClick={() => download(text, `${trace.Id}.json`)}>
          <Icon name="download" size={13} /> Download
        </button>
      </p>
      <pre tabIndex={0}>
        {text.length > shownCharactersMax
          ? `${text.slice(0, shownCharactersMax)}\n… the rest is in the download`
          : text}
      </pre>
      <h2>Documents</h2>
      {shown.map((document) => (
        <details key={document.id}>
          <summary>
            <code>{document.id}</code>
          </summary>
          <pre tabIndex={0}>{document.text}</pre>
        </details>
      ))}
    </div>
  );
}

function download(text: string, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
