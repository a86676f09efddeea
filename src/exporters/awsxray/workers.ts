import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * How many calls are under way at once. AWS throttles by account and region, so a throttled call
 * halves the number for all of this exporter, and time without one lets it grow again (reliability 3.5).
 */
export interface Workers {
  /** Runs the work when there is room for it. */
  run<Result>(work: () => Promise<Result>): Promise<Result>;
  throttled(): void;
}

const growthMs = 10_000;

export function createWorkers(most: number, nowMs: () => number): Workers {
  const waiting: (() => void)[] = [];
  let limit = most;
  let changedAtMs = nowMs();
  let busy = 0;

  const grow = (): void => {
    const steps = Math.floor((nowMs() - changedAtMs) / growthMs);
    if (limit === most || steps === 0) return;
    limit = Math.min(most, limit + steps);
    changedAtMs += steps * growthMs;
  };

  const next = (): void => {
    grow();
    while (busy < limit && waiting.length > 0) {
      busy++;
      waiting.shift()?.();
    }
  };

  return {
    async run(work) {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        next();
      });
      try {
        // Between two pages receivers may answer.
        await nextTurn();
        return await work();
      } finally {
        busy--;
        next();
      }
    },
    throttled() {
      limit = Math.max(1, limit >> 1);
      changedAtMs = nowMs();
    },
  };
}
