import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toTree } from '../trace/tree.ts';
import type { TraceTree } from '../trace/tree.ts';
import { durationDelta, merge, ownDelta } from './merge.ts';
import { toSamples, usual } from './sample.ts';

interface Call {
  readonly name: string;
  readonly took: number;
  readonly calls?: readonly Call[];
  readonly fault?: boolean;
}

/** A trace in which calls of one parent follow each other. */
function tree(root: Call): TraceTree {
  let ids = 0;
  const documentOf = ({ name, took, calls = [], fault }: Call, start: number): object => {
    let at = start;
    const subsegments = calls.map((call) => {
      const document = documentOf(call, at);
      at += call.took;
      return document;
    });
    return {
      id: `${ids++}`,
      name,
      start_time: start,
      end_time: start + took,
      ...(fault ? { fault } : {}),
      subsegments,
    };
  };
  return toTree([{ Id: 'x', Document: JSON.stringify(documentOf(root, 1)) }]);
}

const outline = (rows: ReturnType<typeof merge>) =>
  rows.map(({ level, name, a, b }) => `${level} ${name}${a ? '' : ' added'}${b ? '' : ' missing'}`);

describe('two traces', () => {
  it('are laid over each other: the same on one line, what is missing or added at its place', () => {
    const a = tree({
      name: 'shop',
      took: 4,
      calls: [
        { name: 'db', took: 1 },
        { name: 'cache', took: 1 },
      ],
    });
    const b = tree({
      name: 'shop',
      took: 9,
      calls: [
        { name: 'db', took: 5, calls: [{ name: 'lock', took: 2 }] },
        { name: 'db', took: 1 },
      ],
    });
    const rows = merge(toSamples([a]), toSamples([b]));
    assert.deepEqual(outline(rows), ['1 shop', '2 db', '3 lock added', '2 cache missing', '2 db added']);
    const [shop, db, lock, cache] = rows;
    assert.ok(shop && db && lock && cache);
    assert.deepEqual([durationDelta(shop), ownDelta(shop)], [5, 1]);
    assert.deepEqual([durationDelta(db), ownDelta(db)], [4, 2]);
    assert.deepEqual([durationDelta(lock), ownDelta(lock), ownDelta(cache)], [undefined, 2, -1]);
    assert.equal(new Set(rows.map(({ key }) => key)).size, rows.length);
  });

  it('match whatever ids stand in their names', () => {
    const a = tree({ name: 'GET /orders/17', took: 1 });
    const b = tree({ name: 'GET /orders/18', took: 1 });
    assert.deepEqual(outline(merge(toSamples([a]), toSamples([b]))), ['1 GET /orders/17']);
  });
});

describe('the normal of several traces', () => {
  it('has what half of them have, with the medians', () => {
    const one = (took: number, calls: readonly Call[]) => tree({ name: 'shop', took, calls });
    const trees = [
      one(1, [{ name: 'db', took: 0.5 }]),
      one(2, [{ name: 'db', took: 0.7, fault: true }]),
      one(9, [
        { name: 'db', took: 0.6 },
        { name: 'retry', took: 1 },
      ]),
    ];
    const [shop] = usual(toSamples(trees), trees.length);
    assert.deepEqual([shop?.duration, shop?.count, shop?.children.map(({ name }) => name)], [2, 3, ['db']]);
    const [db] = shop?.children ?? [];
    assert.ok(Math.abs((db?.duration ?? 0) - 0.6) < 1e-9);
    assert.equal(db?.failed, 1);
  });

  it('of none is nothing', () => assert.deepEqual(toSamples([]), []));
});
