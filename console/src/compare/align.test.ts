import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { align } from './align.ts';

/** `a-` only in the first, `+b` only in the second. */
function aligned(a: string, b: string): string {
  const pairs = align([...a], [...b], (letter) => letter.toLowerCase());
  return pairs
    .map((pair) => (pair.b === undefined ? `${pair.a}-` : pair.a === undefined ? `+${pair.b}` : pair.a))
    .join(' ');
}

describe('two lists of children', () => {
  it('are one list when they are equal', () => {
    assert.equal(aligned('', ''), '');
    assert.equal(aligned('abc', 'ABC'), 'a b c');
  });

  it('show what only one has at its place', () => {
    assert.equal(aligned('abd', 'abcd'), 'a b +c d');
    assert.equal(aligned('abcd', 'abd'), 'a b c- d');
    assert.equal(aligned('', 'ab'), '+a +b');
    assert.equal(aligned('ab', ''), 'a- b-');
    assert.equal(aligned('axb', 'ayb'), 'a x- +y b');
  });

  it('keep equal calls in their order', () => {
    assert.equal(aligned('aab', 'aaab'), 'a a +a b');
    assert.equal(aligned('caab', 'aabc'), 'c a a b', 'what moved is paired where the first has it');
  });

  it('pair calls at the same time, which come in any order', () => {
    assert.equal(aligned('abc', 'cba'), 'a b c');
    const pairs = align(['a', 'b'], ['b', 'a'], (letter) => letter);
    assert.deepEqual(
      pairs.map(({ a, b }) => `${a}${b}`),
      ['aa', 'bb'],
    );
  });

  it('lose nothing, whatever they are', () => {
    let seed = 7;
    const next = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let round = 0; round < 300; round += 1) {
      const [a, b] = [0, 1].map(() => Array.from({ length: next(12) }, (_, at) => ({ at, kind: next(4) })));
      assert.ok(a && b);
      const pairs = align(a, b, ({ kind }) => String(kind));
      const places = (side: 'a' | 'b'): readonly number[] => pairs.flatMap((pair) => pair[side]?.at ?? []);
      assert.deepEqual(
        places('a'),
        a.map(({ at }) => at),
        `round ${round}`,
      );
      assert.deepEqual(
        places('b').toSorted((x, y) => x - y),
        b.map(({ at }) => at),
        `round ${round}`,
      );
      assert.ok(pairs.every((pair) => !pair.a || !pair.b || pair.a.kind === pair.b.kind));
      const common = [0, 1, 2, 3].map((kind) =>
        Math.min(...[a, b].map((side) => side.filter((one) => one.kind === kind).length)),
      );
      assert.equal(
        pairs.filter((pair) => pair.a && pair.b).length,
        common.reduce((sum, count) => sum + count, 0),
      );
    }
  });

  it('of thousands that differ are paired without the table', () => {
    const long = Array.from({ length: 20_000 }, (_, at) => `call ${at}`);
    const pairs = align(long, long.toReversed(), (kind) => kind);
    assert.equal(pairs.length, long.length);
    assert.ok(pairs.every(({ a, b }) => a === b));
  });
});
