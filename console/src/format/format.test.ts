import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countOf, formatBytes, formatPercent, formatRate } from './count.ts';
import { formatDuration, spellDuration } from './duration.ts';
import { formatAge, fromLocalInput, toLocalInput } from './time.ts';

describe('durations', () => {
  it('are written in the unit that needs no exponent', () => {
    const cases: [number, string][] = [
      [0, '0 ms'],
      [0.000085, '85 µs'],
      [0.2124, '212 ms'],
      [0.9996, '1 s'],
      [1.2364, '1.24 s'],
      [182, '3 m 2 s'],
      [180, '3 m'],
      [3599.7, '1 h'],
      [7500, '2 h 5 m'],
      [187_200, '2 d 4 h'],
      [-0.015, '-15 ms'],
    ];
    for (const [seconds, text] of cases) assert.equal(formatDuration(seconds), text);
  });

  it('are spelled for a screen reader', () => {
    assert.equal(spellDuration(0.048), '48 milliseconds');
    assert.equal(spellDuration(182), '3 minutes 2 seconds');
  });
});

describe('counts', () => {
  it('agree with their noun', () => {
    assert.equal(countOf(1, 'trace'), '1 trace');
    assert.equal(countOf(18_204, 'trace'), '18,204 traces');
    assert.equal(countOf(2, 'query', 'queries'), '2 queries');
  });

  it('show a small share as more than nothing and a large one as less than all', () => {
    assert.equal(formatPercent(0), '0 %');
    assert.equal(formatPercent(0.0001), '<0.1 %');
    assert.equal(formatPercent(0.034), '3.4 %');
    assert.equal(formatPercent(0.9999), '>99.9 %');
    assert.equal(formatPercent(1), '100 %');
  });

  it('become rates in a readable unit', () => {
    assert.equal(formatRate(600, 60), '10/s');
    assert.equal(formatRate(12, 60), '12/min');
    assert.equal(formatRate(3, 3600), '3/h');
    assert.equal(formatRate(3, 0), '3');
  });

  it('of bytes stop at the largest unit', () => {
    assert.equal(formatBytes(512), '512 B');
    assert.equal(formatBytes(1_234_567), '1.23 MB');
    assert.equal(formatBytes(5e16), '50000 TB');
  });
});

describe('times', () => {
  it('survive the way through an input field, to the minute', () => {
    const seconds = 1_716_560_280;
    assert.equal(fromLocalInput(toLocalInput(seconds)), seconds);
    assert.equal(fromLocalInput('yesterday'), undefined);
  });

  it('are told as an age in one unit', () => {
    assert.equal(formatAge(0.4), 'just now');
    assert.equal(formatAge(40), '40 s ago');
    assert.equal(formatAge(10_800), '3 h ago');
    assert.equal(formatAge(259_200), '3 days ago');
  });
});
