import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pan, place, ticks, zoom } from './axis.ts';

describe('the time axis', () => {
  it('has ticks at round times', () => {
    assert.deepEqual(
      ticks({ from: 0, to: 0.32 }, 4).map(({ label }) => label),
      ['0 ms', '100 ms', '200 ms', '300 ms'],
    );
    assert.deepEqual(
      ticks({ from: 1.15, to: 1.25 }, 2).map(({ label }) => label),
      ['1.15 s', '1.2 s', '1.25 s'],
    );
  });

  it('has one for a trace of no length', () => {
    assert.deepEqual(ticks({ from: 0, to: 0 }, 4), [{ at: 0, label: '0 ms' }]);
  });

  it('keeps the centre where it is when it zooms', () => {
    assert.deepEqual(zoom({ from: 0, to: 8 }, { factor: 0.5, centre: 2, whole: 8 }), { from: 1, to: 5 });
    assert.deepEqual(zoom({ from: 1, to: 5 }, { factor: 100, centre: 2, whole: 8 }), { from: 0, to: 8 });
  });

  it('does not move past the ends', () => {
    assert.deepEqual(pan({ from: 0, to: 2 }, { share: -0.5, whole: 8 }), { from: 0, to: 2 });
    assert.deepEqual(pan({ from: 5, to: 7 }, { share: 1, whole: 8 }), { from: 6, to: 8 });
  });

  it('places what overlaps the view, and nothing else', () => {
    assert.deepEqual(place({ from: 1, to: 3 }, { from: 0, to: 4 }), { left: 25, width: 50 });
    assert.deepEqual(place({ from: -1, to: 9 }, { from: 0, to: 4 }), { left: 0, width: 100 });
    assert.deepEqual(place({ from: 2, to: 2 }, { from: 0, to: 4 }), { left: 50, width: 0 });
    assert.equal(place({ from: 5, to: 6 }, { from: 0, to: 4 }), undefined);
  });
});
