import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { normalOf } from './normal.ts';
import { outlineDepthMax, outlineOf } from './outline.ts';
import type { Outline } from './outline.ts';
import { timed, traceOf } from './shop.fixture.test.ts';

type Members = Readonly<Record<string, unknown>>;

let ids = 0;
const nextId = (): string => `${(ids += 1)}`.padStart(16, '0');

const call = (at: number, took: number, members: Members = {}): Members =>
  timed(at, took, { id: nextId(), name: 'db', namespace: 'remote', ...members });
const shop = (took: number, subsegments: readonly Members[]): Members =>
  timed(0, took, { id: nextId(), name: 'shop', subsegments });

const near = (seconds: number | undefined): number => Number((seconds ?? -1).toFixed(6));

describe('the outline of a trace', () => {
  it('has callees below their calls, in the order in which they began, and own times', () => {
    const trace = traceOf([
      shop(1, [call(0.5, 0.2, { name: 'mail' }), call(0.1, 0.3, { id: 'c1', name: 'price' })]),
      timed(0.15, 0.1, { id: 'p1', name: 'price', parent_id: 'c1', fault: true }),
    ]);
    const [root] = outlineOf(trace);
    assert.deepEqual(
      root?.children.map(({ name }) => name),
      ['price', 'mail'],
    );
    assert.deepEqual([near(root?.duration), near(root?.own)], [1, 0.5]);
    const [price] = root?.children ?? [];
    assert.deepEqual([near(price?.own), price?.children.length], [0.2, 1]);
    assert.deepEqual(price?.children[0]?.failed, true);
  });

  it('has who receives from what X-Ray infers below the call', () => {
    const sent = traceOf([
      shop(1, [
        call(0.1, 0.1, { name: 'SQS', namespace: 'aws', aws: { operation: 'SendMessage', queue_url: 'https://q/1' } }),
      ]),
    ]);
    const queue = sent.segments.find(({ inferred }) => inferred);
    assert.ok(queue);
    const received = timed(0.5, 0.1, { id: 'w', name: 'worker' });
    const [worker] = traceOf([received]).segments;
    assert.ok(worker);
    const [root] = outlineOf({ ...sent, segments: [...sent.segments, { ...worker, parentId: queue.id }] });
    assert.deepEqual(
      root?.children[0]?.children.map(({ name }) => name),
      ['worker'],
    );
  });

  it('has one kind for the same work, whatever its values, its host and its query', () => {
    const kindOf = (members: Members): string | undefined =>
      outlineOf(traceOf([timed(0, 1, { id: 'a', name: 'shop', ...members })]))[0]?.kind;
    const get = (url: string): Members => ({ http: { request: { method: 'GET', url } } });
    assert.equal(kindOf(get('https://a.example/orders/17?x=1')), kindOf(get('http://b.example:80/orders/99')));
    assert.notEqual(kindOf(get('https://a.example/orders/17')), kindOf(get('https://a.example/carts/17')));
    const aws = (operation: string): Members => ({ aws: { operation, table_name: 'carts' } });
    assert.notEqual(kindOf(aws('GetItem')), kindOf(aws('PutItem')));
    assert.notEqual(kindOf({ origin: 'AWS::ECS::Container' }), kindOf({}));
  });

  it('ends at a depth, and takes what is in progress as it is', () => {
    const chain = Array.from({ length: 2 * outlineDepthMax }, (_, index) =>
      timed(0, 1, { id: `s${index}`, name: 'worker', ...(index === 0 ? {} : { parent_id: `s${index - 1}` }) }),
    );
    let depth = 0;
    for (let at: readonly Outline[] = outlineOf(traceOf(chain)); at[0]; at = at[0].children) depth += 1;
    assert.equal(depth, outlineDepthMax);
    const { end_time, ...open } = timed(0, 1, { id: 'a', name: 'shop', in_progress: true });
    assert.equal(outlineOf(traceOf([open]))[0]?.duration, undefined, String(end_time));
  });

  it('of segments that call each other in a circle is empty', () => {
    const circle = [
      timed(0, 1, { id: 'a', name: 'a', parent_id: 'b' }),
      timed(0, 1, { id: 'b', name: 'b', parent_id: 'a' }),
    ];
    assert.deepEqual(outlineOf(traceOf(circle)), []);
  });
});

describe('the normal of traces', () => {
  it('has medians, and in how many traces each place occurs', () => {
    const traces = [
      shop(1, [call(0, 0.5)]),
      shop(2, [call(0, 0.7, { fault: true })]),
      shop(9, [call(0, 0.6), call(1, 1, { name: 'retry' })]),
    ].map((document) => outlineOf(traceOf([document])));
    const [root] = normalOf(traces);
    assert.deepEqual([root?.count, near(root?.duration), near(root?.own)], [3, 2, 1.3]);
    assert.deepEqual(
      root?.children.map(({ name, count, failed, duration }) => [name, count, failed, near(duration)]),
      [
        ['db', 3, 1, 0.6],
        ['retry', 1, 0, 1],
      ],
    );
  });

  it('keeps equal calls apart by their turn, and leaves out what is chance', () => {
    const twice = shop(1, [call(0, 0.1), call(0.2, 0.3)]);
    const traces = Array.from({ length: 20 }, (_, index) =>
      outlineOf(traceOf([index === 0 ? shop(1, [call(0, 0.1, { name: 'rare' })]) : twice])),
    );
    const [root] = normalOf(traces);
    assert.deepEqual(
      root?.children.map(({ name, count, duration }) => [name, count, near(duration)]),
      [
        ['db', 19, 0.1],
        ['db', 19, 0.3],
      ],
    );
  });

  it('of none is nothing', () => assert.deepEqual(normalOf([]), []));
});
