import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createGroupRegistry, createInsightWatcher, openInsightDocuments } from '../../src/reader/index.ts';
import { openTestStore, withDirectory } from '../../src/stores/clickhouse/opened.test.support.ts';
import { eventually } from '../support/eventually.ts';
import { orderAt } from '../support/orders.ts';
import { graphQuery } from '../support/query.ts';

const second = 1_000_000_000n;
const orderedEverySeconds = 10;
/** A full minute an hour ago, so that all of the orders are in the past. */
const start = Math.floor(Date.now() / 60_000) * 60 - 3600;
const [brokenFrom, brokenTo, end] = [start + 20 * 60, start + 25 * 60, start + 40 * 60];

it('a fault in the traffic of the shop opens an insight, and its end closes it, over a real store', async () => {
  await withDirectory(async (directory) => {
    const { store, context } = await openTestStore(directory);
    try {
      const times = Array.from(
        { length: (end - start) / orderedEverySeconds },
        (_, i) => start + i * orderedEverySeconds,
      );
      const spans = times.flatMap((at) => orderAt(at, at >= brokenFrom && at < brokenTo ? 'table' : 'nothing'));
      await store.write({ spans, receivedAtNs: BigInt(Date.now()) * 1_000_000n, version: 1n, token: 'orders' });
      await eventually('the orders to be counted', async () => {
        const [whole] = await store.graphs(graphQuery({ fromNs: BigInt(start) * second, toNs: BigInt(end) * second }));
        return whole?.graph.nodes.some(({ statistics }) => statistics?.okCount === times.length) || undefined;
      });

      let now = brokenTo;
      const nowNs = () => BigInt(now + 10) * second;
      const insights = openInsightDocuments({ store, nowNs });
      const groups = createGroupRegistry({ store, nowNs });
      const watcher = createInsightWatcher({ ...context, store, nowNs, insights, groups });
      const found = async () => {
        await watcher.evaluate(new AbortController().signal);
        return (await insights.list()).map(({ rootCause, endMinute, rootCauseRequests }) => ({
          cause: rootCause.name,
          end: endMinute && endMinute * 60,
          faults: rootCauseRequests.faultCount,
        }));
      };
      assert.deepEqual(await found(), [{ cause: 'prices', end: undefined, faults: 30 }]);
      now = end;
      assert.deepEqual(await found(), [{ cause: 'prices', end: brokenTo, faults: 30 }]);
    } finally {
      await store.shutdown(1000);
    }
  });
});
