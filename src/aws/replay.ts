import { RaybridgeError } from '../errors.ts';
import type { Claim } from './verify.ts';

/** Remembers signatures for as long as they are valid, so that a request seen on the wire works once. */
export interface ReplayCache {
  /** @throws RaybridgeError SIGNATURE_INVALID: the signature was used before, or may have been. */
  use(claim: Pick<Claim, 'signature' | 'signedAtMs'>, nowMs: number): void;
}

/** About 2 MB. */
const signaturesMaxDefault = 10_000;

/**
 * A signature is forgotten when its time is over, or to make room, oldest first. Nothing as old as
 * what was forgotten is taken any more: not when there was no room, and not when the clock of this
 * machine steps back and old signatures seem fresh again.
 */
export function createReplayCache({
  clockSkewMs,
  signaturesMax = signaturesMaxDefault,
}: {
  readonly clockSkewMs: number;
  readonly signaturesMax?: number;
}): ReplayCache {
  const used = new Map<string, number>();
  let forgottenMs = -Infinity;

  const forget = (isDue: (signedAtMs: number) => boolean): void => {
    for (const [signature, signedAtMs] of used) {
      if (!isDue(signedAtMs)) continue;
      used.delete(signature);
      forgottenMs = Math.max(forgottenMs, signedAtMs);
    }
  };

  return {
    use({ signature, signedAtMs }, nowMs) {
      forget((usedMs) => usedMs < nowMs - clockSkewMs);
      if (used.has(signature) || signedAtMs <= forgottenMs) {
        throw new RaybridgeError('SIGNATURE_INVALID', 'the signature was used before: sign each request anew');
      }
      if (used.size >= signaturesMax) {
        const oldestMs = Math.min(...used.values());
        forget((usedMs) => usedMs <= oldestMs);
      }
      used.set(signature, signedAtMs);
    },
  };
}
