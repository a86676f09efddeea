import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryStore } from '../../../test/support/memory-store.ts';
import { createTraceReader } from '../../reader/index.ts';
import { seenTraffic } from './sampling.ts';

const second = 1_000_000_000n;

test('traffic is read again after half a minute, also for the same range, and after a read that failed', async () => {
  const reader = createTraceReader(createMemoryStore());
  const question = { fromNs: 0n, toNs: 3600n * second, filterExpression: undefined };
  let reads = 0;
  const readsAfter = async (seconds: bigint, fails = false): Promise<number> => {
    const read = async () => {
      reads += 1;
      if (fails) throw new Error('away');
      return { summaries: [], isWhole: true };
    };
    await seenTraffic(reader, { question, nowNs: () => 100n * second + seconds * second, read }).catch(() => undefined);
    return reads;
  };
  assert.equal(await readsAfter(0n, true), 1);
  assert.equal(await readsAfter(0n), 2);
  assert.equal(await readsAfter(30n), 2);
  assert.equal(await readsAfter(31n), 3);
  assert.equal(await readsAfter(0n), 4, 'the clock was set back');
});
