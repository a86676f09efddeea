import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { createMemoryStore, type MemoryStore } from '../../test/support/memory-store.ts';
import { graphQuery } from '../../test/support/query.ts';
import { rootAt } from '../../test/support/span.ts';
import { type Span } from '../model/index.ts';
import { createTraceReader, type TraceReader } from './reader.ts';
import { answerTimeSeries, type PointAnswer, type TimeSeriesQuestion } from './time-series.ts';

const second = 1_000_000_000n;
const minute = 60n * second;
/** A multiple of a minute. */
const startNs = 1_700_000_040n * second;

describe('statistics over time', () => {
  let store: MemoryStore;
  let reader: TraceReader;
  let writes: bigint;

  beforeEach(() => {
    store = createMemoryStore();
    reader = createTraceReader(store);
    writes = 0n;
  });

  async function keep(spans: readonly Span[]): Promise<void> {
    writes += 1n;
    await store.write({ spans, receivedAtNs: startNs, version: writes, token: String(writes) });
  }

  async function points(
    wanted: Partial<TimeSeriesQuestion> & { readonly fromNs: bigint; readonly toNs: bigint },
  ): Promise<{ readonly points: readonly PointAnswer[]; readonly pages: number }> {
    const question: TimeSeriesQuestion = {
      ...graphQuery(),
      periodNs: minute,
      selectorExpression: 'service("shop")',
      forecast: false,
      nextToken: undefined,
      ...wanted,
    };
    const all: PointAnswer[] = [];
    let nextToken: string | undefined;
    for (let pages = 1; pages < 20; pages += 1) {
      const answer = await answerTimeSeries(reader, { ...question, nextToken });
      all.push(...answer.TimeSeriesServiceStatistics);
      nextToken = answer.NextToken;
      if (nextToken === undefined) return { points: all, pages };
    }
    assert.fail('the pages do not end');
  }

  const totals = (all: readonly PointAnswer[]): readonly (readonly [number, number | undefined])[] =>
    all.map(({ Timestamp, ServiceSummaryStatistics }) => [Timestamp, ServiceSummaryStatistics?.TotalCount]);

  it('has each trace of the range in one point, over as many pages as it takes', async () => {
    const minutes = [0, 1, 499, 500, 501, 1200];
    await keep(minutes.flatMap((at) => [rootAt(startNs + BigInt(at) * minute), rootAt(startNs + BigInt(at) * minute)]));
    const range = { fromNs: startNs, toNs: startNs + 1201n * minute };
    const { points: all, pages } = await points(range);
    assert.equal(pages, 3);
    assert.deepEqual(
      totals(all),
      minutes.map((at) => [1_700_000_040 + 60 * at, 2]),
    );
  });

  it('begins and ends where the range does, in windows that begin at multiples of the period', async () => {
    await keep([10, 20, 70, 130].map((at) => rootAt(startNs + BigInt(at) * second)));
    const range = { fromNs: startNs + 15n * second, toNs: startNs + 130n * second };
    assert.deepEqual(totals((await points(range)).points), [
      [1_700_000_040, 1],
      [1_700_000_100, 1],
    ]);
    assert.deepEqual(totals((await points({ ...range, periodNs: 5n * minute })).points), [
      [1_699_999_800, 1],
      [1_700_000_100, 1],
    ]);
  });

  it('forecasts each point from the periods before it, also those before the range', async () => {
    const faults = (count: number, at: number): readonly Span[] =>
      Array.from({ length: count }, () => rootAt(startNs + BigInt(at) * minute, { attributes: faulted }));
    await keep([...faults(4, 0), ...faults(8, 12), ...faults(1, 13)]);
    const range = { fromNs: startNs + 12n * minute, toNs: startNs + 14n * minute, forecast: true };
    const { points: all } = await points(range);
    assert.deepEqual(
      all.map(({ ServiceForecastStatistics }) => ServiceForecastStatistics),
      [
        // One of twelve periods had four faults, then one had eight.
        { FaultCountHigh: 3, FaultCountLow: 0 },
        { FaultCountHigh: 6, FaultCountLow: 0 },
      ],
    );
  });

  it('refuses the token of another question', async () => {
    const range = { ...graphQuery(), fromNs: startNs, toNs: startNs + 600n * minute };
    const question = { ...range, periodNs: minute, selectorExpression: undefined, forecast: false };
    const { NextToken } = await answerTimeSeries(reader, { ...question, nextToken: undefined });
    assert.ok(NextToken);
    const other = { ...question, periodNs: 2n * minute, nextToken: NextToken };
    await assert.rejects(answerTimeSeries(reader, other), { code: 'INVALID_REQUEST' });
    const notATime = { ...question, nextToken: 'x' };
    await assert.rejects(answerTimeSeries(reader, notATime), { code: 'INVALID_REQUEST' });
  });
});

const faulted = new Map([['http.response.status_code', 500n]]);
