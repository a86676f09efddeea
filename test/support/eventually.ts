import { setTimeout as wait } from 'node:timers/promises';

const deadlineMs = 30_000;
const pauseMs = 50;

/** Asks until there is an answer: waits for the thing itself when nothing announces it. */
export async function eventually<Value>(what: string, ask: () => Promise<Value | undefined>): Promise<Value> {
  const endsAt = Date.now() + deadlineMs;
  for (;;) {
    const value = await ask();
    if (value !== undefined) return value;
    if (Date.now() > endsAt) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await wait(pauseMs);
  }
}
