import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { digestTrace } from './digest.ts';
import { parseSelector } from './filter/parse.ts';
import { createGraphBuilder } from './graph.ts';
import { brokenShop, traceOf } from './shop.fixture.test.ts';
import { forecastFaults, type PeriodStatistics, selectStatistics } from './time-series.ts';

const builder = createGraphBuilder();
builder.add(digestTrace(traceOf([brokenShop]), []));
const graph = builder.build();

function select(selector: string | undefined): PeriodStatistics | undefined {
  return selectStatistics(graph, selector === undefined ? undefined : parseSelector(selector));
}

/** Faults, throttles and seconds. */
function counts(selected: PeriodStatistics | undefined): readonly (number | undefined)[] {
  return [selected?.statistics.faultCount, selected?.statistics.throttleCount, selected?.statistics.totalResponseTime];
}

describe('statistics of a period', () => {
  test('are those of the selected nodes or edges, or of all edges', () => {
    assert.deepEqual(counts(select(undefined)), [2, 1, 0.59], 'client to shop, shop to table and price');
    assert.deepEqual(counts(select('service("shop.example")')), [1, 0, 0.32], 'a client has no statistics');
    assert.deepEqual(counts(select('service()')), [2, 1, 0.59]);
    assert.deepEqual(counts(select('ID(name: "carts", type: "AWS::DynamoDB::Table")')), [0, 1, 0.07]);
    assert.deepEqual(counts(select('edge("shop.example", "carts")')), [0, 1, 0.07]);
    assert.deepEqual(counts(select('edge(, "price.example")')), [1, 0, 0.2]);
    assert.deepEqual(counts(select('edge(id(name: "shop.example", type: "client"),)')), [1, 0, 0.32]);
  });

  test('are none where the graph has nothing of what is selected', () => {
    assert.equal(select('service("nobody")'), undefined);
    assert.equal(select('edge("carts", "shop.example")'), undefined);
    assert.equal(selectStatistics({ nodes: [] }, undefined), undefined);
  });

  test('have one histogram', () => {
    assert.deepEqual(select(undefined)?.responseTimeHistogram, [
      { value: 0.07, count: 1 },
      { value: 0.2, count: 1 },
      { value: 0.32, count: 1 },
    ]);
  });
});

describe('a selector', () => {
  for (const text of [
    '',
    ' ',
    'fault',
    'service("a") AND fault',
    '(service("a"))x',
    'id("a")',
    'edge("a")',
    '!service("a")',
  ])
    test(`is not ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseSelector(text), { code: 'FILTER_INVALID' });
    });
});

describe('the forecast of faults', () => {
  test('is mean and two deviations of the periods before, in whole faults', () => {
    assert.deepEqual(forecastFaults([0, 0, 0]), { faultCountHigh: 0, faultCountLow: 0 });
    assert.deepEqual(forecastFaults([10, 10, 10]), { faultCountHigh: 10, faultCountLow: 10 });
    assert.deepEqual(forecastFaults([9, 11]), { faultCountHigh: 12, faultCountLow: 8 });
    assert.deepEqual(forecastFaults([0, 10]), { faultCountHigh: 15, faultCountLow: 0 });
  });

  test('is none of nothing', () => {
    assert.equal(forecastFaults([]), undefined);
  });
});
