import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { eventually } from './eventually.ts';

/**
 * Clients that poll, without the waiting: their intervals run when a test says so. Everything else
 * of them is as it is, their HTTP calls above all.
 */
export interface HeldIntervals {
  /** Runs every interval of this length, in ms: from <= length < to. Intervals begun meanwhile wait for the next time. */
  run(lengths: { readonly from: number; readonly to: number }): void;
  /** From now on, intervals are real again; those that were held never run. */
  release(): void;
}

interface Held {
  readonly ms: number;
  run(): void;
}

/** Every interval that anybody in this process begins from now on. */
export function holdIntervals(): HeldIntervals {
  const { setInterval: begin, clearInterval: end } = globalThis;
  const held = new Map<object, Held>();
  const hold = (callback: (...given: readonly unknown[]) => void, ms = 0, ...given: readonly unknown[]): object => {
    const handle = { ref: () => handle, unref: () => handle, hasRef: () => false };
    held.set(handle, { ms, run: () => callback(...given) });
    return handle;
  };
  // Held intervals are never looked into; whoever began one only unrefs and ends it.
  globalThis.setInterval = hold as unknown as typeof setInterval;
  globalThis.clearInterval = ((handle: object) => void held.delete(handle)) as typeof clearInterval;
  return {
    run({ from, to }) {
      const due = [...held.values()].filter(({ ms }) => ms >= from && ms < to);
      for (const interval of due) interval.run();
    },
    release() {
      globalThis.setInterval = begin;
      globalThis.clearInterval = end;
    },
  };
}

/** Resolves when every HTTP call of this process has its whole answer, and its caller has dealt with it. */
export async function callsAnswered(): Promise<void> {
  // A call that was just made is announced when it has its socket, which is before this.
  await setImmediate();
  await eventually('the answers to HTTP calls', async () => (callsUnderWay === 0 ? true : undefined));
}

let callsUnderWay = 0;

subscribe('http.client.request.start', () => void callsUnderWay++);
subscribe('http.client.response.finish', (message) => {
  const { response } = message as { response: IncomingMessage }; // As the channel is documented.
  // The listeners of the caller run after this one.
  response.once('end', () => void setImmediate().then(() => callsUnderWay--));
});
