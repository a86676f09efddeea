import { useEffect, useState } from 'react';
import type { JSX } from 'react';
import { Icon } from '../shell/Icon.tsx';

const confirmedMs = 1500;

/** Copies a text and says so. `label` names what is copied: "Copy the trace id"; `shown` stands on the button instead of a picture. */
export function CopyButton(props: {
  readonly text: string;
  readonly label: string;
  readonly shown?: string;
}): JSX.Element {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), confirmedMs);
    return () => clearTimeout(timer);
  }, [copied]);
  const onClick = () => {
    void copyText(props.text).then(setCopied);
  };
  return (
    <button
      type="button"
      data-kind={props.shown ? undefined : 'icon'}
      aria-label={copied ? 'Copied' : props.label}
      title={props.label}
      onClick={onClick}
    >
      {props.shown ? copied ? 'Copied' : props.shown : <Icon name={copied ? 'check' : 'copy'} />}
    </button>
  );
}

/** True when the text is in the clipboard. Browsers give the clipboard to pages of https and of this machine only. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** The old way, for a console that is served by plain http to another machine. */
function copyBySelection(text: string): boolean {
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'visually-hidden';
  document.body.append(field);
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  return copied;
}
