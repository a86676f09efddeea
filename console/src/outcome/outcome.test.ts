import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countOutcomes, noCounts, outcomeOf, ringArcs, spellOutcomes, worstOutcome } from './outcome.ts';

describe('outcomes', () => {
  it('are the most severe flag', () => {
    assert.equal(outcomeOf({ fault: true, throttle: true, error: true }), 'fault');
    assert.equal(outcomeOf({ fault: false, throttle: true, error: true }), 'throttle');
    assert.equal(outcomeOf({ fault: false, throttle: false, error: true }), 'error');
    assert.equal(outcomeOf({ fault: false, throttle: false, error: false }), 'ok');
  });

  it('count a throttle once, not among the errors too', () => {
    const counts = countOutcomes({
      OkCount: 6,
      ErrorStatistics: { ThrottleCount: 1, OtherCount: 2, TotalCount: 3 },
      FaultStatistics: { OtherCount: 1, TotalCount: 1 },
      TotalCount: 10,
      TotalResponseTime: 1,
    });
    assert.deepEqual(counts, { ok: 6, error: 2, throttle: 1, fault: 1, total: 10 });
  });

  it('are nothing for a client or a link, which have no statistics', () => {
    assert.deepEqual(countOutcomes(undefined), noCounts);
    assert.deepEqual(countOutcomes({}), noCounts);
    assert.equal(spellOutcomes(noCounts), 'no requests');
    assert.deepEqual(ringArcs(noCounts), []);
  });

  it('fill a ring exactly once', () => {
    const arcs = ringArcs({ ok: 2, error: 1, throttle: 0, fault: 1, total: 4 });
    assert.deepEqual(arcs, [
      { outcome: 'ok', start: 0, share: 0.5 },
      { outcome: 'error', start: 0.5, share: 0.25 },
      { outcome: 'fault', start: 0.75, share: 0.25 },
    ]);
  });

  it('colour an edge by the worst that happens in more than one request of a hundred', () => {
    assert.equal(worstOutcome({ ...noCounts, ok: 500, fault: 1, total: 501 }), 'ok');
    assert.equal(worstOutcome({ ...noCounts, ok: 50, fault: 1, total: 51 }), 'fault');
    assert.equal(worstOutcome({ ...noCounts, ok: 5, error: 5, total: 10 }), 'error');
  });
});
