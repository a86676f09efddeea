import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readSample } from '../../test/support/samples.ts';
import { printJson } from '../codec/json.ts';
import type { SegmentDocument, SegmentNode, Trace } from '../model/index.ts';
import { compileDocument } from './document.ts';
import { brokenShop, documentOf, parseDocument, startTime, timed, traceId, traceOf } from './shop.fixture.test.ts';
import { assembleTrace, subsegmentDepthMax } from './trace.ts';

const segment = timed(0, 1, { id: 'a000000000000001', name: 'api' });

/** Names as a tree: `api(db(row) cache)`. */
function outline(nodes: readonly SegmentNode[]): string {
  return nodes
    .map(({ name, subsegments }) => (subsegments.length > 0 ? `${name}(${outline(subsegments)})` : name))
    .join(' ');
}

function independent(id: string, parentId: string, members: Readonly<Record<string, unknown>> = {}): object {
  return timed(0.1, 0.2, { id, name: id, type: 'subsegment', parent_id: parentId, trace_id: 'x', ...members });
}

describe('assembly', () => {
  test('hangs subsegments that came alone below their parents, in whatever order they came', () => {
    const documents = [
      independent('c', 'b', { start_time: startTime + 0.3 }),
      independent('b', 'a000000000000001', { start_time: startTime + 0.2 }),
      segment,
      independent('d', 'a000000000000001'),
    ];
    assert.equal(outline(traceOf(documents.map((members) => ({ ...members }))).segments), 'api(d b(c))');
  });

  test('keeps the order of embedded subsegments and puts those that came alone after them', () => {
    const children = [timed(0.5, 0.1, { id: 'y', name: 'y' }), timed(0.2, 0.1, { id: 'x', name: 'x' })];
    const trace = traceOf([{ ...independent('z', 'a000000000000001') }, { ...segment, subsegments: children }]);
    assert.equal(outline(trace.segments), 'api(y x z)');
  });

  test('lets a complete document replace one in progress, whichever came first', () => {
    const running = { id: 'a000000000000001', name: 'running', start_time: startTime, in_progress: true, user: 'u' };
    for (const documents of [
      [running, segment],
      [segment, running],
    ]) {
      const trace = traceOf(documents);
      assert.equal(outline(trace.segments), 'api');
      assert.equal(trace.root?.document.get('user'), undefined, 'nothing is merged');
      assert.equal(trace.partial, false);
    }
    assert.equal(traceOf([running]).partial, true);
  });

  test('takes the later of two complete documents', () => {
    assert.equal(outline(traceOf([segment, { ...segment, name: 'again' }]).segments), 'again');
  });

  test('shows a subsegment once that came alone and embedded', () => {
    const child = timed(0.1, 0.1, { id: 'b', name: 'b' });
    assert.equal(
      outline(traceOf([{ ...independent('b', 'a000000000000001') }, { ...segment, subsegments: [child] }]).segments),
      'api(b)',
    );
  });

  test('counts a document with an end as complete, even if it also says in_progress', () => {
    assert.equal(traceOf([{ ...segment, in_progress: true }]).partial, false);
  });

  test('keeps an orphaned subsegment as an entry of its own, with its type and parent', () => {
    const trace = traceOf([segment, { ...independent('lost', 'unknown') }]);
    assert.equal(outline(trace.segments), 'api lost');
    const document = trace.segments[1]?.document;
    assert.equal(document?.get('type'), 'subsegment');
    assert.equal(document?.get('parent_id'), 'unknown');
    assert.equal(trace.root?.name, 'api');
  });

  test('survives documents that name each other as parent', () => {
    const trace = traceOf([{ ...independent('a', 'b') }, { ...independent('b', 'a') }, { ...independent('c', 'c') }]);
    assert.equal(outline(trace.segments), 'a(b) c');
    assert.equal(trace.root, undefined);
  });

  test('cuts a chain that is too deep and loses nothing of it', () => {
    const length = 3 * subsegmentDepthMax;
    const chain = Array.from({ length }, (_, index) => ({
      ...independent(`n${index}`, index === 0 ? 'a000000000000001' : `n${index - 1}`),
    }));
    const trace = traceOf([segment, ...chain.toReversed()]);
    let count = 0;
    const visit = (node: SegmentNode, depth: number): void => {
      assert.ok(depth <= subsegmentDepthMax);
      count += 1;
      for (const child of node.subsegments) visit(child, depth + 1);
    };
    for (const node of trace.segments) visit(node, 0);
    assert.equal(count, length + 1);
  });

  test('leaves out documents without id or start, and ignores members of a wrong type', () => {
    const bad = {
      ...segment,
      id: 'x',
      name: 5,
      origin: [],
      http: 'no',
      aws: 1,
      fault: 'yes',
      links: {},
      annotations: [],
    };
    const trace = traceOf([
      { name: 'no id', start_time: 1 },
      { id: 'y', start_time: 'noon' },
      { ...bad, subsegments: [1, null, {}] },
    ]);
    assert.equal(trace.segments.length, 1);
    assert.deepEqual(trace.root?.service, { name: '', type: undefined, accountId: undefined });
    assert.equal(trace.root?.fault, false);
  });

  test('is an empty trace without documents', () => {
    assert.deepEqual(assembleTrace(traceId, []), {
      traceId,
      segments: [],
      root: undefined,
      startTimeNs: 0n,
      endTimeNs: 0n,
      partial: false,
    });
  });

  test('reads times exactly, in plain and in exponent form', () => {
    const trace = assembleTrace(traceId, [
      parseDocument('{"id":"a","name":"n","start_time":1.499473411677E9,"end_time":1499473411.677000001}'),
    ]);
    assert.equal(trace.startTimeNs, 1499473411677000000n);
    assert.equal(trace.endTimeNs, 1499473411677000001n);
  });
});

describe('flags', () => {
  const flagsOf = (members: Readonly<Record<string, unknown>>): string => {
    const root = traceOf([{ ...segment, ...members }]).root;
    return (['fault', 'error', 'throttle'] as const).filter((flag) => root?.[flag]).join(' ');
  };

  test('come from the document when it states any', () => {
    assert.equal(flagsOf({ fault: true, http: { response: { status: 404 } } }), 'fault');
    assert.equal(flagsOf({ error: false, http: { response: { status: 500 } } }), '');
  });

  test('follow from the status otherwise', () => {
    const byStatus = [200, 302, 404, 429, 503].map((status) => flagsOf({ http: { response: { status } } }));
    assert.deepEqual(byStatus, ['', '', 'error', 'error throttle', 'fault']);
  });
});

describe('the root', () => {
  test('is the earliest segment that nobody called', () => {
    const called = timed(0, 1, { id: 'b', name: 'called', parent_id: 'a000000000000001' });
    const late = timed(5, 1, { id: 'c', name: 'late', parent_id: 'unknown' });
    assert.equal(traceOf([late, called, segment]).root?.name, 'api');
  });

  test('is a real segment rather than an earlier inferred one', () => {
    const inferred = timed(-1, 1, { id: 'b', name: 'inferred', inferred: true });
    assert.equal(traceOf([inferred, segment]).root?.name, 'api');
  });

  test('is the earliest segment when orphaned subsegments called all of them', () => {
    const called = timed(0, 1, { id: 'b', name: 'called', parent_id: 'orphan' });
    assert.equal(traceOf([{ ...independent('orphan', 'gone') }, called]).root?.name, 'called');
  });
});

describe('inferred segments', () => {
  const call = (members: Readonly<Record<string, unknown>>): Trace =>
    traceOf([{ ...segment, subsegments: [timed(0.1, 0.2, { id: 'b', ...members })] }]);

  test('stand for callees that never reported, the same each time', () => {
    const trace = traceOf([brokenShop]);
    const [, table, price] = trace.segments;
    assert.deepEqual(table?.service, { name: 'carts', type: 'AWS::DynamoDB::Table', accountId: undefined });
    assert.deepEqual(price?.service, { name: 'price.example', type: 'remote', accountId: undefined });
    assert.equal(table?.name, 'DynamoDB', 'the document keeps the name of the call');
    assert.equal(table?.throttle, true);
    assert.match(table?.id ?? '', /^[0-9a-f]{16}$/);
    assert.deepEqual(
      traceOf([brokenShop]).segments.map(({ id }) => id),
      trace.segments.map(({ id }) => id),
    );
    assert.equal(
      printJson(table?.document ?? new Map()),
      `{"id":"${table?.id}","name":"DynamoDB","start_time":1716560306.12,"end_time":1716560306.19,` +
        '"trace_id":"1-6650a1b2-00f1e2d3c4b5a69788796a5b","parent_id":"7711223344556677","inferred":true,' +
        '"http":{"request":{},"response":{"status":400}},"aws":{"operation":"Query","table_name":"carts"},' +
        '"error":true,"throttle":true,"origin":"AWS::DynamoDB::Table"}',
    );
  });

  test('are typed by what the call tells', () => {
    const typed: readonly (readonly [Readonly<Record<string, unknown>>, string])[] = [
      [{ name: 'DynamoDB', namespace: 'aws', aws: { table_names: ['t'] } }, 't AWS::DynamoDB::Table'],
      [{ name: 'DynamoDB', namespace: 'aws', aws: { table_names: ['t', 'u'] } }, 'DynamoDB AWS::DynamoDB'],
      [{ name: 'SQS', namespace: 'aws', aws: { queue_url: 'https://q/1/o' } }, 'https://q/1/o AWS::SQS::Queue'],
      [{ name: 'SNS', namespace: 'aws', aws: { topic_arn: 'arn:t' } }, 'SNS AWS::SNS'],
      [{ name: 'S3', namespace: 'aws' }, 'S3 AWS::S3'],
      [{ name: 'S3', namespace: 'aws', aws: { bucket_name: 'b' } }, 'b AWS::S3::Bucket'],
      [{ name: 'Lambda', namespace: 'aws', aws: { function_name: 'f' } }, 'f AWS::Lambda'],
      [{ name: 'SecretsManager', namespace: 'aws' }, 'SecretsManager AWS::SecretsManager'],
      [{ name: 'orders@db', namespace: 'remote', sql: { url: 'x' } }, 'orders@db Database::SQL'],
      [{ name: 'host', namespace: 'remote' }, 'host remote'],
    ];
    for (const [members, expected] of typed) {
      const service = call(members).segments[1]?.service;
      assert.equal(`${service?.name} ${service?.type}`, expected);
    }
  });

  test('of a queue that was sent to hold the time in it, as long as the call', () => {
    const sent = (operation: string): Trace =>
      call({ name: 'SQS', namespace: 'aws', aws: { operation, queue_url: 'https://q/1/o' } });
    const queue = sent('SendMessage').segments[1];
    const [queueTime] = queue?.subsegments ?? [];
    assert.equal(queueTime?.name, 'QueueTime');
    assert.match(queueTime.id, /^[0-9a-f]{16}$/);
    assert.equal(
      printJson(compileDocument(queue ?? assert.fail()).get('subsegments') ?? null),
      `[{"id":"${queueTime.id}","name":"QueueTime","start_time":1716560306.1,"end_time":1716560306.3}]`,
    );
    assert.equal(sent('SendMessageBatch').segments[1]?.subsegments.length, 1);
    assert.equal(sent('ReceiveMessage').segments[1]?.subsegments.length, 0);
  });

  test('are in progress as long as the call is', () => {
    const running = { id: 'b', name: 'SQS', namespace: 'aws', start_time: startTime, in_progress: true };
    const aws = { operation: 'SendMessage', queue_url: 'https://q/1/o' };
    const queue = traceOf([{ ...segment, subsegments: [{ ...running, aws }] }]).segments[1];
    for (const node of [queue, queue?.subsegments[0]]) {
      assert.equal(node?.endTimeNs, undefined);
      assert.equal(node?.document.get('in_progress'), true);
    }
  });

  test('are not made for local work', () => {
    assert.equal(call({ name: 'parse' }).segments.length, 1);
    assert.equal(call({ name: 'parse', namespace: 'local' }).segments.length, 1);
  });

  test('make room for the segment of the callee, even if X-Ray itself had inferred one', () => {
    const caller = { ...segment, subsegments: [timed(0.1, 0.2, { id: 'b', name: 'host', namespace: 'remote' })] };
    const arrived = timed(0.1, 0.2, { id: 'i', name: 'host', parent_id: 'b', inferred: true });
    const callee = timed(0.15, 0.1, { id: 'c', name: 'callee', parent_id: 'b' });
    assert.equal(outline(traceOf([caller, arrived]).segments), 'api(host) host');
    assert.equal(outline(traceOf([caller, arrived, callee]).segments), 'api(host) callee');
  });

  test('leave a trace partial whose callee should have reported', () => {
    const traced = { name: 'host', namespace: 'remote', traced: true };
    const tracedRequest = { name: 'host', namespace: 'remote', http: { request: { traced: true } } };
    assert.deepEqual(
      [call(traced).partial, call(tracedRequest).partial, call({ name: 'host', namespace: 'remote' }).partial],
      [true, true, false],
    );
    const callee = timed(0.15, 0.1, { id: 'c', name: 'callee', parent_id: 'b' });
    assert.equal(
      traceOf([{ ...segment, subsegments: [timed(0.1, 0.2, { id: 'b', ...traced })] }, callee]).partial,
      false,
    );
  });
});

describe('a compiled document', () => {
  test('is equal to the document that was put, texts of numbers included', () => {
    for (const name of [
      'awsValidAwsFields',
      'minInProgress',
      'minCauseIsExceptionId',
      'segmentWithParentId',
      'indepSubsegment',
    ] as const) {
      const document = parseDocument(readSample(name));
      assert.deepEqual(compileOne(assembleTrace(traceId, [document])), document, name);
    }
  });

  test('has its embedded subsegments where they were', () => {
    const document = documentOf({
      ...brokenShop,
      subsegments: [...subsegmentsOf(brokenShop), timed(0.3, 0.1, { id: 'e', name: 'e', subsegments: [] })],
    });
    assert.equal(printJson(compileOne(assembleTrace(traceId, [document]))), printJson(document));
  });

  test('embeds subsegments that came alone, without what their place tells', () => {
    const compiled = compileOne(
      traceOf([segment, { ...independent('b', 'a000000000000001', { in_progress: false }) }]),
    );
    assert.equal(
      printJson(compiled.get('subsegments') ?? null),
      '[{"start_time":1716560306.1,"end_time":1716560306.3,"id":"b","name":"b","in_progress":false}]',
    );
  });
});

function compileOne(trace: Trace): SegmentDocument {
  const [first] = trace.segments;
  assert.ok(first);
  return compileDocument(first);
}

function subsegmentsOf(members: Readonly<Record<string, unknown>>): readonly unknown[] {
  assert.ok(Array.isArray(members['subsegments']));
  return members['subsegments'];
}
