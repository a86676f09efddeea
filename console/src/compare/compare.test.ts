import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseJson, printJson } from '../../../src/codec/index.ts';
import { isJsonObject } from '../../../src/model/index.ts';
import { assembleTrace, compileDocument, outlineOf } from '../../../src/query/index.ts';
import { toTree } from '../trace/tree.ts';
import type { TraceTree } from '../trace/tree.ts';
import { durationDelta, merge, ownDelta, withoutUnusual } from './merge.ts';
import { fromNormal, toSamples } from './sample.ts';

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
    const rows = merge(toSamples(a), toSamples(b));
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
    assert.deepEqual(outline(merge(toSamples(a), toSamples(b))), ['1 GET /orders/18']);
  });
});

describe('a trace and what is normal', () => {
  const place = (name: string, members: object = {}) => ({
    Kind: `subsegment  ${name}     `,
    Name: name,
    Detail: '',
    TraceCount: 10,
    FailedCount: 0,
    Duration: 1,
    SelfTime: 1,
    Places: [],
    ...members,
  });
  const normal = [
    place('shop', {
      Kind: 'segment  shop     ',
      Places: [place('db'), place('retry', { TraceCount: 3 }), place('mail')],
    }),
  ];

  it('match by the kind that the server makes', () => {
    const one = tree({
      name: 'shop',
      took: 4,
      calls: [
        { name: 'db', took: 3 },
        { name: 'cache', took: 1 },
      ],
    });
    const rows = merge(fromNormal(normal), toSamples(one));
    assert.deepEqual(outline(rows), ['1 shop', '2 db', '2 retry missing', '2 mail missing', '2 cache added']);
    assert.deepEqual(
      outline(withoutUnusual(rows, 10)),
      ['1 shop', '2 db', '2 mail missing', '2 cache added'],
      'what few traces do is not missing',
    );
    const [, db] = rows;
    assert.deepEqual([db?.a?.count, db?.a?.duration, db?.b?.duration], [10, 1, 3]);
  });

  it('of which nothing is known is added', () => {
    const one = tree({ name: 'shop', took: 4 });
    assert.deepEqual(outline(merge(fromNormal([]), toSamples(one))), ['1 shop added']);
  });
});

describe('the same trace', () => {
  it('is the same to the server and to the page', () => {
    const call = (id: string, members: object) => ({ id, start_time: 1.25, end_time: 1.5, ...members });
    const documents = [
      {
        id: 'a',
        name: 'shop',
        origin: 'AWS::ECS::Container',
        start_time: 1,
        end_time: 2,
        http: { request: { method: 'GET', url: 'https://shop.example/orders/17?x=1' } },
        subsegments: [
          call('b', { name: 'DynamoDB', namespace: 'aws', aws: { operation: 'PutItem', table_name: 'carts' } }),
          call('c', {
            name: 'SQS',
            namespace: 'aws',
            aws: { operation: 'SendMessage', queue_url: 'https://q/1/jobs' },
          }),
          call('d', { name: 'db', namespace: 'remote', sql: { sanitized_query: 'SELECT 1' } }),
          call('e', { name: 'plain', namespace: '', aws: { operation: '', table_name: '', bucket_name: 'b' } }),
          call('f', { name: 'price', namespace: 'remote', http: { request: { method: 'GET', url: '' } } }),
        ],
      },
      { id: 'g', name: 'price', origin: '', parent_id: 'f', start_time: 1.3, end_time: 1.4, fault: true },
    ].map((document) => JSON.stringify(document));
    const server = assembleTrace(
      '0'.repeat(32),
      documents.map((text) => {
        const document = parseJson(text);
        assert.ok(isJsonObject(document));
        return document;
      }),
    );
    const page = toTree(server.segments.map((node) => ({ Id: node.id, Document: printJson(compileDocument(node)) })));
    const flat = (outlines: readonly Both[]): readonly object[] =>
      outlines.flatMap(({ kind, name, duration, own, children }) => [
        { kind, name, duration: duration?.toFixed(6), own: own.toFixed(6) },
        ...flat(children),
      ]);
    const rows = flat(outlineOf(server));
    assert.equal(rows.length, 7);
    assert.deepEqual(flat(toSamples(page)), rows);
  });
});

interface Both {
  readonly kind: string;
  readonly name: string;
  readonly duration: number | undefined;
  readonly own: number;
  readonly children: readonly Both[];
}
