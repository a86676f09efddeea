import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { fuzzing } from '../../../test/support/fuzz.ts';
import { chanceOf, expectedRate } from './expectation.ts';

const nothing = { requests: 0, faults: 0 };

describe('the chance of faults', () => {
  it('is that of the beta-binomial distribution', () => {
    // Every one of n faults: 1/20 · 2/21 · 3/22 …
    for (const [count, chance] of [
      [1, 1 / 20],
      [2, 2 / (20 * 21)],
      [3, 6 / (20 * 21 * 22)],
      [5, 120 / (20 * 21 * 22 * 23 * 24)],
    ] as const) {
      assert.ok(Math.abs(chanceOf({ requests: count, faults: count }, nothing) / chance - 1) < 1e-9);
    }
  });

  it('is 1 for what is expected', () => {
    assert.equal(chanceOf(nothing, nothing), 1);
    assert.equal(chanceOf({ requests: 100, faults: 0 }, nothing), 1);
    assert.equal(chanceOf({ requests: 100, faults: 10 }, { requests: 900, faults: 100 }), 1);
  });

  it('takes the past for no more than it is worth', () => {
    assert.equal(expectedRate(nothing), 0.05);
    const vast = { requests: 1e9, faults: 0 };
    assert.ok(Math.abs(expectedRate(vast) - 1 / 1020) < 1e-12);
    assert.equal(
      chanceOf({ requests: 600, faults: 5 }, vast),
      chanceOf({ requests: 600, faults: 5 }, { requests: 1000, faults: 0 }),
    );
  });

  it('is from 0 to 1 and falls as faults rise, for any traffic', () => {
    const counts = fc
      .integer({ min: 0, max: 10 ** 9 })
      .chain((requests) =>
        fc.record({ requests: fc.constant(requests), faults: fc.integer({ min: 0, max: requests }) }),
      );
    fc.assert(
      fc.property(counts, counts, (observed, past) => {
        const chance = chanceOf(observed, past);
        assert.ok(chance >= 0 && chance <= 1);
        assert.ok(expectedRate(past) > 0 && expectedRate(past) < 1);
        const fewer = { ...observed, faults: Math.floor(observed.faults / 2) };
        assert.ok(chanceOf(fewer, past) >= chance * (1 - 1e-6));
      }),
      fuzzing(300),
    );
  });
});
