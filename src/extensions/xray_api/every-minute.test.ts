import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createTestContext } from '../../../test/support/context.ts';
import { createSignal } from '../../../test/support/signal.ts';
import { RaybridgeError } from '../../errors.ts';
import { everyMinute } from './every-minute.ts';

/** A millisecond before the moment at which a minute is looked at. */
const justBeforeNs = (1_699_999_980n + 10n) * 1_000_000_000n - 1_000_000n;

describe('the look for insights', () => {
  // Its timer alone does not keep the process of this test running.
  let held: NodeJS.Timeout;
  before(() => void (held = setInterval(() => {}, 1000)));
  after(() => clearInterval(held));

  it('comes after each minute, goes on after trouble, and ends when it is told to', async () => {
    const test = createTestContext('xray_api');
    const stopping = new AbortController();
    const enough = createSignal();
    const troubles = [new RaybridgeError('STORE_UNAVAILABLE', 'the store is starting'), new Error('a bug')];
    let looks = 0;
    const watching = everyMinute(
      async () => {
        const trouble = troubles[looks];
        looks += 1;
        if (looks > troubles.length) enough.raise();
        if (trouble) throw trouble;
      },
      { context: { ...test.context, nowNs: () => justBeforeNs }, signal: stopping.signal },
    );
    await enough.raised;
    stopping.abort();
    await watching;

    const failures = (reason: string): number =>
      test.value('raybridge_insight_failures_total', { extension: 'xray_api', reason });
    assert.deepEqual([failures('STORE_UNAVAILABLE'), failures('bug')], [1, 1]);
    assert.deepEqual(
      test.log.entries.map(({ level }) => level),
      ['warn', 'error'],
    );
  });

  it('is not waited for when it is stopped in the middle', async () => {
    const test = createTestContext('xray_api');
    const stopping = new AbortController();
    await everyMinute(
      async (signal) => {
        stopping.abort(new Error('shutting down'));
        signal.throwIfAborted();
      },
      { context: { ...test.context, nowNs: () => justBeforeNs }, signal: stopping.signal },
    );
    assert.deepEqual(test.log.entries, []);
  });
});
