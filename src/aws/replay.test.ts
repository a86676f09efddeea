import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createReplayCache } from './replay.ts';

const clockSkewMs = 300_000;
const nowMs = 1_700_000_000_000;
const usedBefore = { code: 'SIGNATURE_INVALID', message: /used before/ };

describe('the replay cache', () => {
  it('takes a signature once, for as long as it is valid', () => {
    const replays = createReplayCache({ clockSkewMs });
    const claim = { signature: 'a', signedAtMs: nowMs };
    replays.use(claim, nowMs);
    replays.use({ signature: 'b', signedAtMs: nowMs }, nowMs);
    assert.throws(() => replays.use(claim, nowMs), usedBefore);
    assert.throws(() => replays.use(claim, nowMs + clockSkewMs), usedBefore);
  });

  it('takes none again when the clock of the machine steps back', () => {
    const replays = createReplayCache({ clockSkewMs });
    const claim = { signature: 'a', signedAtMs: nowMs };
    replays.use(claim, nowMs);
    const laterMs = nowMs + 2 * clockSkewMs;
    replays.use({ signature: 'b', signedAtMs: laterMs }, laterMs);
    assert.throws(() => replays.use(claim, nowMs), usedBefore);
    replays.use({ signature: 'c', signedAtMs: nowMs + 1_000 }, nowMs + 1_000);
  });

  it('makes room by forgetting the oldest, and takes nothing as old as that any more', () => {
    const replays = createReplayCache({ clockSkewMs, signaturesMax: 3 });
    for (const [signature, age] of [
      ['a', 2_000],
      ['b', 3_000],
      ['c', 1_000],
    ] as const) {
      replays.use({ signature, signedAtMs: nowMs - age }, nowMs);
    }
    replays.use({ signature: 'd', signedAtMs: nowMs }, nowMs);
    for (const [signature, age] of [
      ['b', 3_000],
      ['e', 3_000],
      ['a', 2_000],
    ] as const) {
      assert.throws(() => replays.use({ signature, signedAtMs: nowMs - age }, nowMs), usedBefore);
    }
  });
});
