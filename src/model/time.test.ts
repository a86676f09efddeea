import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseSeconds, parseTime, secondsText, toSeconds } from './time.ts';

describe('epoch seconds', () => {
  it('are written as the shortest exact decimal and read back to the nanosecond', () => {
    assert.equal(secondsText(1_700_493_644_983_389_600n), '1700493644.9833896');
    assert.equal(secondsText(-500_000_000n), '-0.5');
    assert.equal(secondsText(0n), '0');
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (timeNs) => {
        assert.equal(parseSeconds(secondsText(timeNs)), timeNs);
      }),
    );
  });

  it('are read in exponent form, and rounded half to even past the nanosecond', () => {
    assert.equal(parseSeconds('1.499473411677E9'), 1_499_473_411_677_000_000n);
    assert.equal(parseSeconds('17e8'), 1_700_000_000_000_000_000n);
    assert.equal(parseSeconds('0.0000000005'), 0n);
    assert.equal(parseSeconds('0.0000000015'), 2n);
    assert.equal(parseSeconds('1e-30'), 0n);
  });

  it('are undefined where 64 bits end, and for what is no number', () => {
    assert.equal(parseSeconds('18446744073.709551615'), 2n ** 64n - 1n);
    assert.equal(parseSeconds('18446744073.709551616'), undefined);
    assert.equal(parseSeconds('-9223372036.854775808'), -(2n ** 63n));
    assert.equal(parseSeconds('-9223372036.854775809'), undefined);
    for (const text of ['', 'now', '1e400', '0x10', '1,5', ' 1', '1e30'])
      assert.equal(parseSeconds(text), undefined, text);
  });

  it('of a span or document are not before 1970', () => {
    assert.equal(parseTime('1700000000.5'), 1_700_000_000_500_000_000n);
    assert.equal(parseTime('-0'), 0n);
    assert.equal(parseTime('-0.5'), undefined);
  });

  it('go through a double for arithmetic, as exact as that is', () => {
    assert.equal(toSeconds(1_500_000n), 0.0015);
  });
});
