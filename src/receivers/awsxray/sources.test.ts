import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSourceGuard, isNetwork } from './sources.ts';

describe('who may send datagrams', () => {
  it('is anybody unless the configuration says otherwise', () => {
    const guard = createSourceGuard({ allowed: [], datagramsPerSecondMax: 0 }, () => 0);
    assert.equal(guard('203.0.113.9'), undefined);
  });

  it('is whoever has an allowed address, of either family', () => {
    const allowed = ['10.1.0.0/16', '192.0.2.7', 'fd00::/8'];
    const guard = createSourceGuard({ allowed, datagramsPerSecondMax: 0 }, () => 0);
    const verdicts = (addresses: readonly string[]) => addresses.map((address) => guard(address));
    const good = ['10.1.2.3', '192.0.2.7', 'fd12::1', '::ffff:10.1.2.3'];
    const bad = ['10.2.0.1', '192.0.2.8', 'fe80::1', '127.0.0.1', '::1'];
    // Twice, because a verdict is remembered.
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(
        verdicts(good),
        good.map(() => undefined),
      );
      assert.deepEqual(
        verdicts(bad),
        bad.map(() => 'SOURCE_NOT_ALLOWED'),
      );
    }
  });

  it('sends no more than it may, each address for itself', () => {
    let now = 0;
    const guard = createSourceGuard({ allowed: [], datagramsPerSecondMax: 10 }, () => now);
    const passed = (address: string, datagrams: number) =>
      Array.from({ length: datagrams }, () => guard(address)).filter((verdict) => verdict === undefined).length;
    assert.equal(passed('a', 25), 10);
    assert.equal(passed('b', 5), 5);
    now = 500;
    assert.equal(passed('a', 25), 5);
    now = 60_000;
    assert.equal(passed('a', 25), 10, 'a pause saves up no more than a second');
  });

  it('costs bounded memory, however many addresses are forged', () => {
    const guard = createSourceGuard({ allowed: [], datagramsPerSecondMax: 1 }, () => 0);
    assert.equal(guard('first'), undefined);
    assert.equal(guard('first'), 'SOURCE_RATE');
    for (let i = 0; i < 10_000; i++) guard(`forged ${i}`);
    assert.equal(guard('first'), undefined, 'the oldest is forgotten');
  });

  it('is named as an address or a network', () => {
    for (const text of ['10.0.0.0/8', '192.0.2.7', '::1', 'fd00::/8']) assert.ok(isNetwork(text), text);
    for (const text of ['', 'localhost', '10.0.0.0/33', '10.0.0/8', '10.0.0.0/', '::1/129', '10.0.0.0/8/8', '*'])
      assert.ok(!isNetwork(text), text);
  });
});
