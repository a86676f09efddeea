/**
 * What the command says on stderr: a line for everything that is lost, the first warnings, and, at
 * a terminal, how far the work is and what came of it.
 */
export interface Report {
  /** Something is not in the output. */
  lost(message: string, count: number): void;
  /** Something is in the output, but not whole. */
  warn(message: () => string): void;
  /** After each piece; `converted` more spans or documents, `bytes` read since the start. */
  progress(work: { readonly converted: number; readonly bytes: number }): void;
  /** Totals. True when nothing was lost. */
  finish(): boolean;
}

interface Terminal {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  readonly nowMs: () => number;
}

/** Warnings that are told one by one; the rest is a number. */
const warningsShownMax = 20;

/** Work that ends sooner needs no progress. */
const patienceMs = 1000;
const progressEveryMs = 250;

export function createReport({ write, isTerminal, nowMs }: Terminal): Report {
  const startMs = nowMs();
  let nextProgressMs = startMs + patienceMs;
  let isLineOpen = false;
  let converted = 0;
  let bytes = 0;
  let lost = 0;
  let warnings = 0;

  const writeLine = (line: string): void => {
    write(`${isLineOpen ? eraseLine : ''}${line}\n`);
    isLineOpen = false;
  };
  const summary = (): string => {
    const seconds = ((nowMs() - startMs) / 1000).toFixed(1);
    return `${(bytes / 1e6).toFixed(1)} MB read, ${converted} converted, ${lost} lost, ${warnings} warnings, ${seconds} s`;
  };

  return {
    lost(message, count) {
      lost += count;
      writeLine(`error: ${printable(message)}`);
    },
    warn(message) {
      warnings += 1;
      if (warnings <= warningsShownMax) writeLine(`warning: ${printable(message())}`);
    },
    progress(work) {
      converted += work.converted;
      bytes = work.bytes;
      const now = nowMs();
      if (!isTerminal || now < nextProgressMs) return;
      write(`${eraseLine}${summary()}`);
      isLineOpen = true;
      nextProgressMs = now + progressEveryMs;
    },
    finish() {
      if (warnings > warningsShownMax) writeLine(`warning: ${warnings - warningsShownMax} more, ${warnings} in all`);
      if (isTerminal) writeLine(summary());
      return lost === 0;
    },
  };
}

const eraseLine = '\r\u001b[K';

/** Messages quote the input, which must not write to the terminal. */
function printable(message: string): string {
  // oxlint-disable-next-line no-control-regex -- Control characters are what is looked for.
  return message.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '·');
}
