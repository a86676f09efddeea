import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { rootPath } from '../../../test/support/root.ts';
import type { TraceSegment } from '../api/answers.ts';
import { exactAnnotations, exactText } from './exact.ts';
import { exceptionsOf, frameRuns, guiltyNode, spellFrame } from './exceptions.ts';
import { annotationsOf, linksOf, metadataOf, openTelemetryOf, requestFields, resourceFields } from './fields.ts';
import { criticalPath, ownTime, totalOf } from './intervals.ts';
import { collapsible, nextProblem, reveal, spellRow, toRows } from './rows.ts';
import { toFlame } from './flame.ts';
import { toOperations } from './operations.ts';
import { pathOf, toTree } from './tree.ts';
import type { TraceNode, TraceTree } from './tree.ts';

const all = { collapsed: new Set<number>(), hideInferred: false };

describe('the tree of a trace', () => {
  it('joins the segments of all services under the calls that made them', () => {
    const tree = toTree(fixture('batchgettraces.json'));
    assert.deepEqual(outline(tree), [
      '1 Scorekeep',
      '2 Lambda',
      '3 random-name',
      '4 random-name',
      '5 Initialization',
      '5 annotations',
      '5 SNS',
      '6 SNS',
      '2 ## UserModel.saveUser',
      '3 DynamoDB',
      '4 DynamoDB',
    ]);
    assert.equal(tree.services.length, 5);
    assert.ok(Math.abs(tree.end - tree.start - 3.232) < 1e-6);
  });

  it('shows a document whose parent never came as a root of its own', () => {
    const tree = toTree([
      segment({ id: 'b', name: 'orphan', parent_id: 'gone', start_time: 1, end_time: 2, type: 'subsegment' }),
    ]);
    assert.deepEqual(outline(tree), ['1 orphan']);
    assert.equal(tree.nodes[0]?.subsegment, true);
  });

  it('shows every document of a trace whose parents run in a circle', () => {
    const tree = toTree([
      segment({ id: 'a', name: 'a', parent_id: 'b', start_time: 1, end_time: 2 }),
      segment({ id: 'b', name: 'b', parent_id: 'a', start_time: 1, end_time: 2 }),
      segment({ id: 'c', name: 'c', parent_id: 'c', start_time: 1, end_time: 2 }),
    ]);
    assert.equal(tree.nodes.length, 3);
  });

  it('leaves the inferred segment of a call out of the times, because it is the call itself', () => {
    const called = toTree([
      segment({ id: 'a', name: 'a', start_time: 1, end_time: 3 }),
      segment({ id: 'b', name: 'b', parent_id: 'a', start_time: 1, end_time: 3, inferred: true }),
    ]);
    assert.equal(totalOf(ownTime(node(called, 'a'), 0)), 2);
    assert.deepEqual([...criticalPath(called).keys()], [node(called, 'a').index]);
  });

  it('counts what is no document instead of failing', () => {
    const tree = toTree([
      { Id: 'x', Document: '{' },
      { Id: 'y', Document: '[]' },
      segment({ subsegments: 'no list', name: 7 }),
    ]);
    assert.equal(tree.unreadable, 2);
    assert.deepEqual(outline(tree), ['1 (no name)']);
  });

  it('takes a trace without any document', () => {
    const tree = toTree([]);
    assert.deepEqual([tree.start, tree.end, toRows(tree, all).length, criticalPath(tree).size], [0, 0, 0, 0]);
  });

  it('takes a document nested a thousand deep', () => {
    let document: object = { id: 'leaf', name: 'leaf', start_time: 1, end_time: 2 };
    for (let depth = 0; depth < 1000; depth += 1)
      document = { id: `n${depth}`, name: 'n', start_time: 1, end_time: 2, subsegments: [document] };
    assert.equal(toRows(toTree([segment(document)]), all).at(-1)?.level, 1001);
  });

  it('knows what is still running', () => {
    const tree = toTree([segment({ id: 'a', name: 'a', start_time: 10, in_progress: true })]);
    assert.equal(tree.inProgress, true);
    assert.equal(tree.nodes[0]?.end, undefined);
  });

  it('tells calls of one name apart', () => {
    const details = toTree([
      segment({ name: 'DynamoDB', start_time: 1, end_time: 2, aws: { operation: 'PutItem', table_name: 'carts' } }),
      segment({
        name: 'price',
        start_time: 2,
        end_time: 3,
        http: { request: { method: 'GET', url: 'https://price.example/v1?a=1' } },
      }),
      segment({ name: 'orders', start_time: 3, end_time: 4, metadata: { raybridge: { v: 1, n: 'process order' } } }),
      segment({ name: 'shop', start_time: 4, end_time: 5, origin: 'AWS::ECS::Container' }),
    ]).nodes.map(({ detail }) => detail);
    assert.deepEqual(details, ['PutItem carts', 'GET /v1?a=1', 'process order', 'ECS Container']);
  });

  it('shortens a URL to its path', () => {
    assert.equal(pathOf('https://shop.example'), '/');
    assert.equal(pathOf('/cart'), '/cart');
  });
});

describe('the rows of the waterfall', () => {
  const tree = toTree(fixture('batchgettraces.json'));

  it('tell level, place and number of siblings', () => {
    const row = toRows(tree, all).find(({ node }) => node.name === 'SNS');
    assert.deepEqual([row?.level, row?.position, row?.siblings, row?.childCount], [5, 3, 3, 1]);
  });

  it('leave out what is below a collapsed one, and come back when it is revealed', () => {
    const collapsed = collapsible(tree);
    assert.deepEqual(
      toRows(tree, { ...all, collapsed }).map(({ node }) => node.name),
      ['Scorekeep'],
    );
    const deep = node(tree, 'Initialization');
    const rows = toRows(tree, { ...all, collapsed: reveal(collapsed, deep) });
    assert.ok(rows.some((row) => row.node === deep));
  });

  it('leave out inferred segments on demand', () => {
    const rows = toRows(tree, { ...all, hideInferred: true });
    assert.equal(rows.length, tree.nodes.length - 2);
    assert.equal(rows.find((row) => row.node.name === 'DynamoDB')?.childCount, 0);
  });

  it('are spelled for a screen reader', () => {
    const rows = toRows(tree, all);
    assert.equal(
      rows[0] && spellRow(rows[0], tree.start),
      'Scorekeep, POST /api/user, 3.23 seconds, starts at 0 milliseconds, level 1, 2 children',
    );
  });

  it('lead to the next problem, round the end', () => {
    const broken = toRows(
      toTree(
        [1, 2, 3].map((at) => segment({ id: `${at}`, name: 'n', start_time: at, end_time: at + 1, fault: at === 2 })),
      ),
      all,
    );
    assert.equal(nextProblem(broken, 0, 1), 1);
    assert.equal(nextProblem(broken, 1, 1), 1);
    assert.equal(nextProblem(broken, 2, -1), 1);
    assert.equal(nextProblem([], 0, 1), undefined);
  });
});

describe('the time of a node', () => {
  const tree = toTree([
    segment({
      id: 'a',
      name: 'a',
      start_time: 100,
      end_time: 110,
      subsegments: [
        { id: 'b', name: 'b', start_time: 101, end_time: 104 },
        { id: 'c', name: 'c', start_time: 103, end_time: 106 },
        { id: 'd', name: 'd', start_time: 108, end_time: 112 },
      ],
    }),
  ]);

  it('is its own where no child runs', () => {
    assert.deepEqual(ownTime(node(tree, 'a'), 0), [
      { from: 100, to: 101 },
      { from: 106, to: 108 },
    ]);
    assert.equal(totalOf(ownTime(node(tree, 'd'), 0)), 4);
  });

  it('is critical where the end of the trace waits for it', () => {
    const path = criticalPath(tree);
    assert.deepEqual(path.get(node(tree, 'd').index), [{ from: 108, to: 110 }]);
    assert.deepEqual(path.get(node(tree, 'c').index), [{ from: 103, to: 106 }]);
    assert.deepEqual(path.get(node(tree, 'b').index), [{ from: 101, to: 103 }]);
    assert.deepEqual(path.get(node(tree, 'a').index), [
      { from: 106, to: 108 },
      { from: 100, to: 101 },
    ]);
  });

  it('grows while it runs', () => {
    const running = toTree([segment({ id: 'a', name: 'a', start_time: 100, in_progress: true })]);
    assert.equal(totalOf(ownTime(node(running, 'a'), 107)), 7);
  });
});

describe('the exceptions of a node', () => {
  const exceptions = [
    {
      id: 'e1',
      type: 'HttpError',
      message: 'bad gateway',
      remote: true,
      truncated: 2,
      stack: [{ path: 'src/price.ts', line: '41', label: 'fetchPrice' }],
    },
    { id: 'e2', message: 'socket closed' },
  ];
  const tree = toTree([
    segment({
      id: 'a',
      name: 'a',
      start_time: 1,
      end_time: 2,
      cause: 'e1',
      subsegments: [
        { id: 'b', name: 'b', start_time: 1, end_time: 2, cause: { exceptions } },
        { id: 'c', name: 'c', start_time: 1, end_time: 2, cause: { id: 'b', exceptions: [] } },
        { id: 'd', name: 'd', start_time: 1, end_time: 2, cause: 'nobody' },
        { id: 'e', name: 'e', start_time: 1, end_time: 2, cause: [1, null] },
      ],
    }),
  ]);

  it('are read with their stack', () => {
    const [first] = exceptionsOf(node(tree, 'b'), tree);
    assert.deepEqual(
      [first?.type, first?.message, first?.remote, first?.truncated],
      ['HttpError', 'bad gateway', true, 2],
    );
    assert.equal(first?.stack[0] && spellFrame(first.stack[0]), 'fetchPrice (src/price.ts:41)');
  });

  it('are found by the id of an exception or of a document, and say who recorded them', () => {
    for (const name of ['a', 'c']) {
      const found = exceptionsOf(node(tree, name), tree);
      assert.deepEqual(
        found.map(({ message, recordedBy }) => [message, recordedBy?.name]),
        [
          ['bad gateway', 'b'],
          ['socket closed', 'b'],
        ],
      );
    }
  });

  it('are none when the cause leads nowhere', () => {
    assert.deepEqual(exceptionsOf(node(tree, 'd'), tree), []);
    assert.deepEqual(exceptionsOf(node(tree, 'e'), tree), []);
  });
});

describe('the exact text of a node', () => {
  const text =
    '{"name":"a","start_time":1.499473411677E9,"subsegments":[{"name":"b"},{"name":"c","annotations":{"order":9007199254740993,"ok":true}}]}';
  const tree = toTree([{ Id: 'a', Document: text }]);

  it('keeps the digits that a double does not have', () => {
    assert.match(exactText(node(tree, 'a')), /"start_time": 1.499473411677E9/);
    assert.equal(
      exactText(node(tree, 'c')),
      '{\n  "name": "c",\n  "annotations": {\n    "order": 9007199254740993,\n    "ok": true\n  }\n}',
    );
  });

  it('shows annotations as they were written', () => {
    assert.deepEqual(
      exactAnnotations(node(tree, 'c')).map(({ key, text }) => `${key}=${text}`),
      ['order=9007199254740993', 'ok=true'],
    );
    assert.deepEqual(exactAnnotations(node(tree, 'b')), []);
  });
});

describe('the details of a node', () => {
  const [detailed] = toTree([
    segment({
      name: 'a',
      start_time: 1,
      end_time: 2,
      origin: 'AWS::ECS::Container',
      http: { request: { method: 'GET', x_forwarded_for: true }, response: { status: 500 } },
      aws: { ecs: { container: 'web-1' }, resource_names: ['x', 'y'] },
      annotations: { tenant: 'acme', items: 3, bad: {}, __proto__x: true },
      metadata: {
        default: { a: 1 },
        raybridge: {
          v: 1,
          n: 'GET /cart',
          k: 2,
          s: [2, 'boom'],
          c: { n: 'http', v: '1.2' },
          a: [
            ['retries', { intValue: '3' }],
            ['tags', { arrayValue: { values: [{ stringValue: 'a' }] } }],
          ],
          e: [['1000', 'cache miss', [['key', { stringValue: 'k' }]], 0]],
        },
      },
      links: [
        {
          trace_id: '1-6650a1b2-00f1e2d3c4b5a69788796a5b',
          id: 'f',
          attributes: { 'aws.xray.reserved.reference_type': 'parent' },
        },
        'bad',
      ],
    }),
  ]).nodes;
  assert.ok(detailed);

  it('are fields with the path that the document gives them', () => {
    assert.deepEqual(resourceFields(detailed), [
      { label: 'origin', value: 'AWS::ECS::Container' },
      { label: 'ecs.container', value: 'web-1' },
      { label: 'resource_names', value: 'x, y' },
    ]);
    assert.deepEqual(requestFields(detailed).request, [
      { label: 'method', value: 'GET' },
      { label: 'x_forwarded_for', value: 'true' },
    ]);
  });

  it('have the annotations that X-Ray would index', () => {
    assert.deepEqual(
      annotationsOf(detailed).map(({ key }) => key),
      ['tenant', 'items', '__proto__x'],
    );
  });

  it('keep Raybridge’s own metadata for the OpenTelemetry section', () => {
    assert.deepEqual(metadataOf(detailed), [['default', { a: 1 }]]);
    const facts = openTelemetryOf(detailed);
    assert.deepEqual(
      facts?.span.map(({ label, value }) => `${label}=${value}`),
      ['span name=GET /cart', 'kind=server', 'status=error', 'status message=boom', 'scope=http', 'scope version=1.2'],
    );
    assert.deepEqual(facts?.attributes, [
      { label: 'retries', value: '3' },
      { label: 'tags', value: '[a]' },
    ]);
    assert.deepEqual(facts?.events, [
      { timeNs: '1000', name: 'cache miss', attributes: [{ label: 'key', value: 'k' }] },
    ]);
  });

  it('lead to linked traces', () => {
    assert.deepEqual(
      linksOf(detailed).map(({ traceId, id }) => [traceId, id]),
      [['1-6650a1b2-00f1e2d3c4b5a69788796a5b', 'f']],
    );
  });
});

function fixture(name: string): readonly TraceSegment[] {
  const answer: { Traces: { Segments: TraceSegment[] }[] } = JSON.parse(
    readFileSync(rootPath('test', 'fixtures', 'xray-segments', name), 'utf8'),
  );
  return answer.Traces[0]?.Segments ?? [];
}

function segment(document: object): TraceSegment {
  return { Id: 'segment', Document: JSON.stringify(document) };
}

function outline(tree: TraceTree): readonly string[] {
  return toRows(tree, all).map(({ level, node }) => `${level} ${node.name}`);
}

function node(tree: TraceTree, name: string): TraceNode {
  const found = tree.nodes.find((candidate) => candidate.name === name);
  assert.ok(found);
  return found;
}

describe('the flame graph', () => {
  it('puts callers above what they call, and calls at the same time in rows of their own', () => {
    const tree = toTree([
      segment({
        id: 'a',
        name: 'a',
        start_time: 10,
        end_time: 20,
        subsegments: [
          { id: 'b', name: 'b', start_time: 10, end_time: 16 },
          { id: 'c', name: 'c', start_time: 12, end_time: 18 },
          { id: 'd', name: 'd', start_time: 18, end_time: 20 },
          { id: 'e', name: 'e', start_time: 19, end_time: 19.001 },
        ],
      }),
    ]);
    const { boxes, rows } = toFlame(tree, { now: 20 });
    assert.deepEqual(
      boxes.map(({ node, depth, from, to }) => [node.name, depth, from, to]),
      [
        ['a', 0, 0, 1],
        ['b', 1, 0, 0.6],
        ['c', 2, 0.2, 0.8],
        ['d', 1, 0.8, 1],
      ],
    );
    assert.equal(rows, 3);
    const [whole] = toFlame(tree, { now: 20, within: node(tree, 'c') }).boxes;
    assert.deepEqual([whole?.node.name, whole?.from, whole?.to], ['c', 0, 1]);
  });
});

describe('the table of operations', () => {
  it('sums up what differs in nothing but values, most own time first', () => {
    const tree = toTree([
      segment({
        id: 'a',
        name: 'a',
        start_time: 0,
        end_time: 10,
        subsegments: [
          { id: 'b', name: 'item 17', start_time: 1, end_time: 4 },
          { id: 'c', name: 'item 18', start_time: 4, end_time: 9, fault: true },
        ],
      }),
    ]);
    assert.deepEqual(
      toOperations(tree, 10).map(({ name, service, count, total, longest, own, problems }) => [
        name,
        service,
        count,
        total,
        longest,
        own,
        problems,
      ]),
      [
        ['item …', 'a', 2, 8, 5, 8, 1],
        ['a', 'a', 1, 10, 10, 2, 0],
      ],
    );
  });
});

describe('a trace that failed', () => {
  const cause = { exceptions: [{ id: 'e', type: 'E', message: 'm' }] };
  const call = (id: string, members: object) => ({ id, name: id, start_time: 1, end_time: 2, ...members });

  it('opens where it began: the deepest that failed and says why', () => {
    const tree = toTree([
      segment({
        ...call('shop', { fault: true, cause }),
        subsegments: [
          call('retried', { error: true, cause }),
          call('stock', {
            fault: true,
            cause,
            subsegments: [call('db', { fault: true, cause }), call('log', { fault: true })],
          }),
        ],
      }),
    ]);
    assert.equal(guiltyNode(tree)?.id, 'db');
  });

  it('opens at its root when nobody says why, or when what failed was made good', () => {
    assert.equal(guiltyNode(toTree([segment(call('a', { fault: true }))])), undefined);
    const made = toTree([segment({ ...call('a', {}), subsegments: [call('b', { fault: true, cause })] })]);
    assert.equal(guiltyNode(made), undefined);
  });
});

describe('a stack', () => {
  it('tells frames of the program from those of libraries, in every language', () => {
    const frame = (label: string | undefined, path: string | undefined) => ({ label, path, line: 1 });
    const own = [
      frame('handler', '/app/src/index.js'),
      frame('com.acme.Shop.order', 'Shop.java'),
      frame('view', '/srv/app/views.py'),
      frame('main.run', '/src/main.go'),
      frame('Acme.Shop.Order', '/src/Shop.cs'),
    ];
    const library = [
      frame('next', '/app/node_modules/express/lib/router.js'),
      frame('processTicksAndRejections', 'node:internal/process/task_queues'),
      frame('org.springframework.web.Dispatcher.run', 'Dispatcher.java'),
      frame('get', '/usr/lib/python3/dist-packages/requests/api.py'),
      frame('ServeHTTP', '/root/go/pkg/mod/github.com/x/y.go'),
      frame('System.Threading.Task.Run', undefined),
    ];
    assert.deepEqual(
      frameRuns([...own, ...library, ...own]).map(({ isLibrary, frames }) => [isLibrary, frames.length]),
      [
        [false, 5],
        [true, 6],
        [false, 5],
      ],
    );
  });
});
