import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TracePoint } from '../api/answers.ts';
import { durationScale, heatmapOf, histogramOf, timeScale } from './bins.ts';
import { differences } from './difference.ts';
import { annotationFacet, facetsOf, printCondition, printExclusion } from './facets.ts';
import { groupPoints } from './groups.ts';
import { isSelected, parseSelection, printSelection } from './selection.ts';

function point(ResponseTime: number, members: Partial<TracePoint> = {}): TracePoint {
  const flags = { HasFault: false, HasError: false, HasThrottle: false };
  return { Id: '1-x', StartTime: 100, ResponseTime, ...flags, Service: 'shop', Users: [], Annotations: {}, ...members };
}

const tenant = (name: string) => ({ Annotations: { tenant: [name] } });

describe('charts', () => {
  it('have a bin for every response time, on a logarithmic scale', () => {
    const points = [0, 0.001, 0.01, 0.1, 1, 10].map((seconds) => point(seconds, { HasFault: seconds === 10 }));
    const bins = histogramOf(points, durationScale(points), 10);
    assert.equal(
      bins.reduce((sum, { total }) => sum + total, 0),
      points.length,
    );
    assert.equal(bins.at(-1)?.fault, 1);
    const scale = durationScale(points);
    for (const place of [0, 0.3, 1]) assert.ok(Math.abs(scale.place(scale.value(place)) - place) < 1e-9);
  });

  it('have cells where traces are', () => {
    const points = [
      point(1, { StartTime: 0 }),
      point(1, { StartTime: 1 }),
      point(1, { StartTime: 99, HasFault: true }),
    ];
    const scales = { time: timeScale({ from: 0, to: 100 }), duration: durationScale(points) };
    const cells = heatmapOf(points, scales, { columns: 10, rows: 4 });
    assert.deepEqual(
      cells.map(({ column, count, faults }) => [column, count, faults]),
      [
        [0, 2, 0],
        [9, 1, 1],
      ],
    );
  });

  it('draw one trace, and none', () => {
    assert.equal(histogramOf([], durationScale([]), 5).length, 5);
    assert.equal(
      histogramOf([point(0)], durationScale([point(0)]), 5).reduce((sum, { total }) => sum + total, 0),
      1,
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
