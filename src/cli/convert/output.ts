import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Stdout, written no faster than it is read. */
export interface Output {
  /** Resolves when more may be written. Does nothing once closed. */
  write(parts: readonly (string | Uint8Array)[]): Promise<void>;
  /** True when nobody reads any more, as behind `| head`, or it cannot be written. */
  readonly isClosed: boolean;
  /** Why it cannot be written; undefined when its reader merely went away. */
  readonly error: Error | undefined;
}

export function openOutput(stream: Writable): Output {
  let isClosed = false;
  let error: Error | undefined;
  const stopped = new AbortController();
  stream.on('error', (cause: NodeJS.ErrnoException) => {
    isClosed = true;
    if (cause.code !== 'EPIPE') error = cause;
    stopped.abort();
  });
  return {
    async write(parts) {
      if (isClosed || parts.length === 0) return;
      if (stream.write(join(parts))) return;
      await once(stream, 'drain', { signal: stopped.signal }).catch((reason: unknown) => {
        if (!isClosed) throw reason;
      });
    },
    get isClosed() {
      return isClosed;
    },
    get error() {
      return error;
    },
  };
}

/** One write for all: texts are lines, bytes are messages. */
function join(parts: readonly (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\n`) : part)));
}
