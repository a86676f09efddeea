import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { responseTimeBucket } from '../../../src/query/index.ts';
import type { ResponseTimeCell, TracePoint } from '../api/answers.ts';
import { countAll, countWithin, durationScale, heatmapOf, histogramOf } from './bins.ts';
import { differences } from './difference.ts';
import { annotationFacet, facetsOf, printCondition, printExclusion } from './facets.ts';
import { groupPoints } from './groups.ts';
import { isSelected, parseSelection, printSelection } from './selection.ts';

function point(ResponseTime: number, members: Partial<TracePoint> = {}): TracePoint {
  const flags = { HasFault: false, HasError: false, HasThrottle: false };
  return { Id: '1-x', StartTime: 100, ResponseTime, ...flags, Service: 'shop', Users: [], Annotations: {}, ...members };
}

const tenant = (name: string) => ({ Annotations: { tenant: [name] } });

function cell(seconds: number, members: Partial<ResponseTimeCell> = {}): ResponseTimeCell {
  const flags = { HasFault: false, HasError: false, HasThrottle: false };
  return { Column: 0, Bucket: responseTimeBucket(seconds), ...flags, Count: 1, ...members };
}

describe('charts', () => {
  it('have a bin for every response time, on a logarithmic scale', () => {
    const cells = [0, 0.001, 0.01, 0.1, 1, 10].map((seconds) => cell(seconds, { HasFault: seconds === 10, Count: 3 }));
    const scale = durationScale(cells, 10);
    const bins = histogramOf(cells, scale);
    assert.equal(
      bins.reduce((sum, { total }) => sum + total, 0),
      countAll(cells),
    );
    assert.equal(bins.length, 10);
    assert.equal(bins.at(-1)?.fault, 3);
    for (const place of [0, 0.3, 1]) assert.ok(Math.abs(scale.place(scale.value(place)) - place) < 1e-9);
    for (const seconds of [0.001, 0.01, 0.1, 1]) {
      assert.equal(scale.binOf(responseTimeBucket(seconds)), Math.floor(scale.place(seconds * 1.001) * bins.length));
    }
  });

  it('have cells where traces are', () => {
    const cells = [cell(1), cell(1.001), cell(1, { Column: 9, HasFault: true })];
    assert.deepEqual(
      heatmapOf(cells, durationScale(cells, 4)).map(({ column, count, faults }) => [column, count, faults]),
      [
        [0, 2, 0],
        [9, 1, 1],
      ],
    );
  });

  it('draw one trace, and none', () => {
    assert.equal(countAll([]), 0);
    assert.ok(histogramOf([], durationScale([], 5)).every(({ total }) => total === 0));
    const one = [cell(0)];
    assert.equal(
      histogramOf(one, durationScale(one, 5)).reduce((sum, { total }) => sum + total, 0),
      1,
    );
  });

  it('count what is chosen by the middle of its cell', () => {
    const cells = [cell(0.1, { Count: 5 }), cell(1, { Count: 7 }), cell(1, { Column: 3, Count: 11 })];
    const time = { from: 100, to: 140, columnCount: 4 };
    assert.equal(
      countWithin(cells, (one) => isSelected(one, { from: 0.5, to: 2 }), time),
      18,
    );
    assert.equal(
      countWithin(cells, (one) => isSelected(one, { from: 0, to: 2, since: 130, until: 140 }), time),
      11,
    );
  });
});

describe('a selection', () => {
  it('survives the address', () => {
    for (const text of ['0.1~0.5', '0.1~0.5~1716560000~1716563600'])
      assert.equal(printSelection(parseSelection(text) ?? { from: 0, to: 0 }), text);
    for (const text of [undefined, '', 'x~y', '2~1', '1', '1~2~3', '-1~2'])
      assert.equal(parseSelection(text), undefined);
  });

  it('holds what lies in it', () => {
    const selection = { from: 1, to: 2, since: 50, until: 150 };
    assert.ok(isSelected(point(1), selection) && isSelected(point(2), selection));
    assert.ok(!isSelected(point(2.1), selection) && !isSelected(point(1, { StartTime: 10 }), selection));
  });
});

describe('groups', () => {
  it('count, and tell how long, by any facet', () => {
    const points = [
      ...Array.from({ length: 99 }, (_, i) => point((i + 1) / 100, tenant('acme'))),
      point(5, { ...tenant('acme'), HasFault: true }),
      point(1, tenant('zeta')),
      point(2),
    ];
    const [acme, ...others] = groupPoints(points, annotationFacet('tenant'));
    assert.deepEqual(acme, { value: 'acme', count: 100, faults: 1, p50: 0.5, p90: 0.9, p99: 0.99 });
    assert.deepEqual(
      others.map(({ value, count }) => [value, count]),
      [
        ['zeta', 1],
        [undefined, 1],
      ],
    );
  });
});

describe('what is different', () => {
  it('names the value that only the slow ones have, and leaves out ids and what is alike', () => {
    const selected = Array.from({ length: 30 }, (_, i) =>
      point(5, { Method: 'GET', Url: `/item/${i}`, Annotations: { region: [i < 27 ? 'eu' : 'us'], id: [`s${i}`] } }),
    );
    const rest = Array.from({ length: 70 }, (_, i) =>
      point(0.1, { Method: 'GET', Url: `/item/${i}`, Annotations: { region: [i < 7 ? 'eu' : 'us'], id: [`r${i}`] } }),
    );
    const [first, ...more] = differences({ selected, rest }, facetsOf([...selected, ...rest]));
    assert.equal(first?.facet.id, 'annotation.region');
    assert.ok(Math.abs((first?.distance ?? 0) - 0.8) < 1e-9);
    const [eu] = first?.values ?? [];
    assert.ok(eu?.value === 'eu' && Math.abs(eu.selected - 0.9) < 1e-9 && Math.abs(eu.rest - 0.1) < 1e-9);
    assert.ok(!more.some(({ facet }) => ['annotation.id', 'method', 'url'].includes(facet.id)), 'nothing else');
    assert.deepEqual(differences({ selected, rest: [] }, facetsOf(selected)), []);
  });

  it('is put into the filter', () => {
    const [service, url] = facetsOf([]);
    assert.ok(service && url);
    assert.equal(printCondition(service, 'a "b"'), String.raw`service("a \"b\"")`);
    assert.equal(printExclusion(annotationFacet('tenant'), 'acme'), '!annotation.tenant = "acme"');
    assert.equal(printCondition(url, 'https://h/'), 'http.url = "https://h/"');
  });
});
