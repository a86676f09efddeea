import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRange, resolveRange, spellRange, widerRange } from './range.ts';

describe('a time range', () => {
  it('is the last hour when the address does not say', () => {
    assert.deepEqual(parseRange({}), { kind: 'last', seconds: 3600 });
  });

  it('is read from a relative word', () => {
    assert.deepEqual(parseRange({ from: '-15m' }), { kind: 'last', seconds: 900 });
    assert.deepEqual(parseRange({ from: '-7d' }), { kind: 'last', seconds: 604_800 });
  });

  it('is read from two instants, and ends now without the second', () => {
    assert.deepEqual(parseRange({ from: '100', to: '200.5' }), { kind: 'between', from: 100, to: 200.5 });
    assert.deepEqual(resolveRange(parseRange({ from: '100' }), 1000), { from: 100, to: 1005 });
  });

  it('falls back to the last hour for words that make no sense', () => {
    for (const words of [{ from: 'yesterday' }, { from: '-5y' }, { from: '200', to: '100' }, { from: '1e99' }]) {
      assert.deepEqual(parseRange(words), { kind: 'last', seconds: 3600 });
    }
  });

  it('takes a sender whose clock is a little ahead', () => {
    assert.deepEqual(resolveRange({ kind: 'last', seconds: 60 }, 1000), { from: 940, to: 1005 });
  });

  it('has a wider one beside it until the widest', () => {
    assert.equal(widerRange({ kind: 'last', seconds: 3600 }), '-3h');
    assert.equal(widerRange({ kind: 'last', seconds: 604_800 }), undefined);
    assert.equal(widerRange({ kind: 'between', from: 1, to: 2 }), undefined);
  });

  it('is spelled in a sentence', () => {
    assert.equal(spellRange({}), 'the last hour');
    assert.equal(spellRange({ from: '-45m' }), 'the last 45m');
    assert.equal(spellRange({ from: '1', to: '2' }), 'the chosen time');
  });
});
