import { setTimeout as delay } from 'node:timers/promises';
import { RaybridgeError } from '../../errors.ts';
import type { Context } from '../../pipeline/component.ts';
import { lateMs } from '../../reader/index.ts';

const minuteMs = 60_000;

/**
 * Looks for insights after each minute, as soon as late spans may be thought to have come. Resolves
 * when the signal has aborted and nothing runs any more. A minute that fails is counted, logged and
 * left to the next one.
 */
export async function everyMinute(
  evaluate: (signal: AbortSignal) => Promise<void>,
  { context, signal }: { readonly context: Context; readonly signal: AbortSignal },
): Promise<void> {
  for (;;) {
    const nowMs = Number(context.nowNs() / 1_000_000n);
    const waitMs = minuteMs - ((nowMs - lateMs) % minuteMs);
    // It does not keep a process running that has nothing else to do.
    await delay(waitMs, undefined, { signal, ref: false }).catch(() => {});
    if (signal.aborted) return;
    await evaluate(signal).catch((error: unknown) => {
      if (!signal.aborted) report(context, error);
    });
  }
}

function report({ id, log, telemetry }: Context, error: unknown): void {
  const expected = error instanceof RaybridgeError;
  const reason = expected ? error.code : 'bug';
  telemetry.count('raybridge_insight_failures_total', { extension: id, reason });
  if (expected) log.warn({ err: error }, 'insights could not be looked for; the next minute makes up for it');
  else log.error({ err: error }, 'insights could not be looked for because of a bug');
}
