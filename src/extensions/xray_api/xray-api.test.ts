import * as sdk from '@aws-sdk/client-xray';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { deflateSync, gzipSync } from 'node:zlib';
import {
  createTestContext,
  createTestIntake,
  type TestContext,
  type TestIntake,
} from '../../../test/support/context.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { type HttpAnswer, sendHttp } from '../../../test/support/http.ts';
import { createMemoryStore, type MemoryStore } from '../../../test/support/memory-store.ts';
import { readRecorded } from '../../../test/support/samples.ts';
import { createSignal } from '../../../test/support/signal.ts';
import { decodeSegments, jsonText, parseJson } from '../../codec/index.ts';
import { toSpans } from '../../convert/index.ts';
import { RaybridgeError } from '../../errors.ts';
import type { HttpMount } from '../../net/http.ts';
import type { SpanWrite, TraceQuery } from '../../pipeline/store.ts';
import type { ServiceGraphAnswer, SummariesAnswer, TimeSeriesAnswer, TraceAnswer } from '../../reader/index.ts';
import { xrayApi } from './index.ts';
import { operations } from './operations.ts';

const closeDeadlineMs = 2_000;
const labels = { receiver: 'xray_api' };
/** The clock of the test context, in epoch seconds. */
const now = 1_700_000_000;
const traceId = xrayTraceId(now, 1);

describe('the X-Ray API', () => {
  let test: TestContext;
  let store: MemoryStore;
  let intake: TestIntake;
  /** Called when a client is gone before its answer. */
  let onAbort: () => void;

  beforeEach(() => start({}));
  afterEach(() => test.http.close(closeDeadlineMs));

  async function start(config: object): Promise<void> {
    test = createTestContext('xray_api');
    store = createMemoryStore();
    intake = createTestIntake();
    onAbort = () => {};
    const extension = xrayApi.create({
      config: xrayApi.configSchema.parse({ endpoint: '127.0.0.1:0', ...config }),
      context: { ...test.context, store: () => store, http: { mount: (mount) => test.http.mount(watched(mount)) } },
      intake,
    });
    await extension.start();
    await test.http.listen();
  }

  function watched(mount: HttpMount): HttpMount {
    return {
      ...mount,
      handle(request, response) {
        request.signal.addEventListener('abort', () => onAbort());
        return mount.handle(request, response);
      },
    };
  }

  async function restart(config: object): Promise<void> {
    await test.http.close(closeDeadlineMs);
    await start(config);
  }

  /** POSTs JSON, or bytes as they are. */
  async function call(path: string, request: object | Uint8Array | string, headers = {}): Promise<Answer> {
    const body = typeof request === 'string' || request instanceof Uint8Array ? request : JSON.stringify(request);
    return await send({ method: 'POST', path, headers, body });
  }

  async function send(options: { method: string; path: string } & Sent): Promise<Answer> {
    const { body, ...answer } = await sendHttp(test.address('X-Ray API'), options);
    const text = body.toString();
    return { ...answer, text, body: JSON.parse(text) };
  }

  /** PutTraceSegments, and what the pipeline behind the intake would do. */
  async function put(...documents: readonly (object | string)[]): Promise<Answer> {
    const answer = await call('/TraceSegments', { TraceSegmentDocuments: documents.map(textOf) });
    const [batch] = intake.batches.slice(-1);
    assert.ok(batch);
    const version = BigInt(intake.batches.length);
    await store.write({ spans: batch.spans(), receivedAtNs: batch.receivedAtNs, version, token: String(version) });
    return answer;
  }

  /** One trace for each second before now, newest first; the ids in the same order. */
  async function putTraces(count: number): Promise<readonly string[]> {
    const seconds = Array.from({ length: count }, (_, i) => now - 1 - i);
    const documents = seconds.map((second) => segment({ trace_id: xrayTraceId(second, 0), start_time: second }));
    for (let start = 0; start < count; start += 50) await put(...documents.slice(start, start + 50));
    return documents.map(({ trace_id }) => trace_id);
  }

  /** Every page to the end; fails when it does not end. */
  async function pages(request: object): Promise<readonly Body[]> {
    const all: Body[] = [];
    for (let token: string | undefined; all.length < 100;) {
      const { status, body, text } = await call('/TraceSummaries', {
        ...request,
        ...(token ? { NextToken: token } : {}),
      });
      assert.equal(status, 200, text);
      all.push(body);
      token = body.NextToken;
      if (!token) return all;
    }
    assert.fail('the pages do not end');
  }

  describe('every error', () => {
    const good = { TraceSegmentDocuments: [JSON.stringify(segment({}))] };
    const errors: readonly ErrorCase[] = [
      {
        what: 'a body that is not JSON',
        send: () => call('/TraceSummaries', '{"StartTime":'),
        status: 400,
        name: 'InvalidRequestException',
      },
      {
        what: 'a body that is no object',
        send: () => call('/Traces', '["1"]'),
        status: 400,
        name: 'InvalidRequestException',
        text: 'the request body: expected a JSON object, got another JSON value',
      },
      {
        what: 'a body nested too deep',
        send: () => call('/Traces', `${'['.repeat(100_000)}`),
        status: 400,
        name: 'InvalidRequestException',
      },
      {
        what: 'a member that is missing',
        send: () => call('/Traces', {}),
        status: 400,
        name: 'InvalidRequestException',
        text: 'TraceIds: expected a list of strings, got nothing',
      },
      {
        what: 'a body that is not what its encoding says',
        send: () => call('/TraceSegments', good, { 'content-encoding': 'gzip' }),
        status: 400,
        name: 'InvalidRequestException',
      },
      {
        what: 'an encoding nobody knows',
        send: () => call('/TraceSegments', good, { 'content-encoding': 'br' }),
        status: 415,
        name: 'UnsupportedMediaType',
      },
      {
        what: 'an operation that nobody knows',
        send: () => call('/Nonsense', {}),
        status: 404,
        name: 'UnknownOperationException',
        text: 'the X-Ray API has no operation at this path',
      },
      {
        what: 'a path that only looks like an operation',
        send: () => call('/__proto__', {}),
        status: 404,
        name: 'UnknownOperationException',
      },
      {
        what: 'a write while the queue is full',
        before: () => intake.refuseWith(new RaybridgeError('QUEUE_FULL', 'the queue is full', { retryAfterMs: 2_500 })),
        send: () => call('/TraceSegments', good),
        status: 429,
        name: 'ThrottledException',
        text: 'the queue is full',
        retryAfter: '3',
      },
      {
        what: 'a write while the process stops',
        before: () => intake.refuseWith(new RaybridgeError('SHUTTING_DOWN', 'the process is stopping')),
        send: () => call('/TraceSegments', good),
        status: 429,
        name: 'ThrottledException',
        text: 'the process is stopping',
        retryAfter: '1',
      },
      {
        what: 'a read while the store starts',
        before: () => store.failWith(new RaybridgeError('STORE_UNAVAILABLE', 'the store is starting')),
        send: () => call('/TraceSummaries', { StartTime: now - 60, EndTime: now }),
        status: 503,
        name: 'ServiceUnavailable',
        text: 'the store is starting',
        retryAfter: '1',
      },
      {
        what: 'a read that the store fails',
        before: () => store.failWith(new RaybridgeError('STORE_FAILED', 'the store answered an error')),
        send: () => call('/Traces', { TraceIds: [traceId] }),
        status: 503,
        name: 'ServiceUnavailable',
        retryAfter: '1',
      },
      {
        what: 'a bug',
        before: () => store.failWith(new TypeError('secret of the inside')),
        send: () => call('/Traces', { TraceIds: [traceId] }),
        status: 500,
        name: 'InternalFailure',
        text: 'an internal error occurred; the log has the details',
      },
    ];

    for (const { what, before, send, status, name, text, retryAfter } of errors) {
      it(`is told to every SDK: ${what} is ${status} ${name}`, async () => {
        before?.();
        const answer = await send();
        assert.equal(answer.status, status);
        assert.equal(answer.headers['x-amzn-errortype'], name);
        assert.equal(answer.headers['content-type'], 'application/json');
        assert.match(String(answer.headers['x-amzn-requestid']), /^[0-9a-f-]{36}$/);
        assert.equal(answer.headers['retry-after'], retryAfter);
        assert.deepEqual(Object.keys(answer.body), ['__type', 'Message', 'message']);
        assert.equal(answer.body.__type, name);
        assert.ok(answer.body.message);
        assert.equal(answer.body.Message, answer.body.message);
        if (text !== undefined) assert.equal(answer.body.message, text);
      });
    }

    for (const { what, bug, outcome, logged } of [
      { what: 'whose work is given up is counted as abandoned', bug: undefined, outcome: 'abandoned', logged: 0 },
      { what: 'meets a bug as any other does', bug: new TypeError('a bug'), outcome: 'InternalFailure', logged: 1 },
    ]) {
      it(`of a client that is gone ${what}`, async () => {
        await put(segment({}));
        const [asked, gone] = [createSignal(), createSignal()];
        const { findTraces } = store;
        Object.assign(store, {
          async findTraces(query: TraceQuery) {
            asked.raise();
            await gone.raised;
            if (bug) throw bug;
            return await findTraces(query);
          },
        });
        onAbort = gone.raise;
        const client = new AbortController();
        const body = JSON.stringify({ StartTime: now - 10, EndTime: now + 10 });
        const url = `http://${test.address('X-Ray API')}/TraceSummaries`;
        const question = fetch(url, { method: 'POST', body, signal: client.signal });
        await asked.raised;
        client.abort();
        await assert.rejects(question, { name: 'AbortError' });
        const counted = { operation: 'GetTraceSummaries', outcome };
        await eventually(`the outcome ${outcome}`, async () =>
          test.value('raybridge_api_requests_total', counted) === 1 ? true : undefined,
        );
        assert.equal(test.log.entries.filter(({ level }) => level === 'error').length, logged);
      });
    }

    it('is counted by operation and name', async () => {
      await call('/Traces', {});
      await call('/Nonsense', {});
      await call('/TelemetryRecords', { TelemetryRecords: [] });
      const value = (operation: string, outcome: string) =>
        test.value('raybridge_api_requests_total', { operation, outcome });
      assert.equal(value('BatchGetTraces', 'InvalidRequestException'), 1);
      assert.equal(value('unknown', 'UnknownOperationException'), 1);
      assert.equal(value('PutTelemetryRecords', 'ok'), 1);
    });

    it('that is a bug is logged in full and told without its text', async () => {
      store.failWith(new TypeError('secret of the inside'));
      const { text } = await call('/TraceGraph', { TraceIds: [traceId] });
      assert.doesNotMatch(text, /secret|TypeError|\.ts|\.js/);
      const [entry] = test.log.entries.filter(({ level }) => level === 'error');
      assert.match(inspect(entry?.fields), /secret of the inside/);
    });
  });

  describe('the door', () => {
    it('takes a missing body for {}', async () => {
      assert.equal((await send({ method: 'POST', path: '/GetSamplingRules' })).status, 200);
      assert.equal((await call('/GetSamplingRules', '')).status, 200);
    });

    it('takes any content type and a compressed body', async () => {
      const text = JSON.stringify({ TraceSegmentDocuments: [JSON.stringify(segment({}))] });
      const bodies = [
        [gzipSync(text), { 'content-encoding': 'gzip', 'content-type': 'application/x-amz-json-1.1' }],
        [deflateSync(text), { 'content-encoding': 'deflate' }],
      ] as const;
      for (const [body, headers] of bodies) assert.equal((await call('/TraceSegments', body, headers)).status, 200);
      assert.equal(intake.batches.length, bodies.length);
    });

    it('answers 413 to more than the limit, on the wire and after decompression, and takes the next request', async () => {
      await restart({ max_request_body_size: 1024 });
      const large = ' '.repeat(100_000);
      for (const [body, headers] of [
        [large, {}],
        [gzipSync(large), { 'content-encoding': 'gzip' }],
      ] as const) {
        const answer = await call('/GetSamplingRules', body, headers);
        assert.equal(answer.status, 413);
        assert.equal(answer.body.__type, 'RequestEntityTooLarge');
      }
      assert.equal((await call('/GetSamplingRules', '{}')).status, 200);
    });

    it('ignores members that nobody knows', async () => {
      assert.equal((await call('/Traces', { TraceIds: [traceId], Wish: 'x', __proto__x: 1 })).status, 200);
    });

    it('answers POST only, and leaves /api/ to the console', async () => {
      assert.equal((await send({ method: 'GET', path: '/TraceSummaries' })).status, 404);
      assert.equal((await call('/api/status', {})).headers['x-amzn-errortype'], undefined);
    });

    it('refuses requests of other web pages, and those that name a foreign host', async () => {
      const body = JSON.stringify({ TraceSegmentDocuments: [JSON.stringify(segment({}))] });
      for (const headers of [
        { origin: 'https://evil.example' },
        { origin: 'null' },
        { host: 'evil.example' },
        { host: 'evil.example:2080', origin: 'http://evil.example:2080' },
      ]) {
        const answer = await send({ method: 'POST', path: '/TraceSegments', headers, body });
        assert.equal(answer.status, 403);
        assert.notEqual(answer.body.message, '');
      }
      assert.equal(intake.batches.length, 0);
    });

    it('takes requests of a page of its own', async () => {
      const origin = `http://${test.address('X-Ray API')}`;
      assert.equal((await call('/GetSamplingRules', {}, { origin })).status, 200);
    });

    it('answers every operation of the AWS SDK, or says what the request lacks', async () => {
      const client = new sdk.XRayClient({
        endpoint: `http://${test.address('X-Ray API')}`,
        region: 'us-east-1',
        credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
        maxAttempts: 1,
      });
      assert.equal(sdkOperations.size, operations.size);
      for (const [name, Command] of sdkOperations) {
        const error = await client.send(new Command({})).catch((error: unknown) => error);
        if (error instanceof sdk.XRayServiceException)
          assert.deepEqual([name, error.name], [name, 'InvalidRequestException']);
      }
    });
  });

  describe('PutTraceSegments', () => {
    it('answers with an empty list when every document is durable', async () => {
      const answer = await put(segment({}), segment({ id: '2'.repeat(16) }));
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.body, { UnprocessedTraceSegments: [] });
      assert.deepEqual(
        intake.batches.map(({ format, items }) => [format, items]),
        [['xray_segments', 2]],
      );
      assert.equal(test.value('raybridge_received_spans_total', labels), 2);
      assert.equal(test.value('raybridge_accepted_spans_total', labels), 2);
    });

    it('answers only after the batch is durable', async () => {
      let durable = false;
      intake.consume = async () => {
        await new Promise(setImmediate);
        durable = true;
      };
      await call('/TraceSegments', { TraceSegmentDocuments: [JSON.stringify(segment({}))] });
      assert.equal(durable, true);
    });

    it('says nothing of success when the intake refuses, and counts that', async () => {
      intake.refuseWith(new RaybridgeError('DISK_LOW', 'the volume is full'));
      const answer = await call('/TraceSegments', { TraceSegmentDocuments: [JSON.stringify(segment({}))] });
      assert.equal(answer.status, 429);
      assert.equal(answer.body.UnprocessedTraceSegments, undefined);
      assert.equal(test.value('raybridge_accepted_spans_total', labels), 0);
      assert.equal(test.value('raybridge_refused_requests_total', { ...labels, reason: 'DISK_LOW' }), 1);
    });

    it('takes 50 documents and refuses 51 with the text of AWS', async () => {
      const documents = (count: number) => Array.from({ length: count }, (_, i) => segment({ id: spanId(i) }));
      assert.equal((await put(...documents(50))).status, 200);
      const answer = await call('/TraceSegments', { TraceSegmentDocuments: documents(51).map(textOf) });
      assert.equal(answer.status, 400);
      assert.equal(answer.body.Message, 'Exceeding maximum segment count: 50');
      assert.equal(intake.batches.length, 1);
    });

    it('takes an array of very many, as many as a body can hold', async () => {
      const count = 130_000;
      const text = `[${Array.from({ length: count }, () => JSON.stringify(segment({}))).join(',')}]`;
      const { status, body } = await call('/TraceSegments', { TraceSegmentDocuments: [text] });
      assert.deepEqual([status, body], [200, { UnprocessedTraceSegments: [] }]);
      assert.equal(intake.batches.at(-1)?.items, count);
    });

    it('takes a document that is an array for several', async () => {
      const answer = await put(JSON.stringify([segment({}), segment({ id: '2'.repeat(16) })]));
      assert.deepEqual(answer.body.UnprocessedTraceSegments, []);
      assert.equal(intake.batches[0]?.items, 2);
    });

    it('takes an empty list', async () => {
      const answer = await call('/TraceSegments', { TraceSegmentDocuments: [] });
      assert.deepEqual(answer.body, { UnprocessedTraceSegments: [] });
      assert.equal(intake.batches.length, 0);
    });

    it('gives back what it could not process, with id and code, and keeps the rest', async () => {
      const id = '3'.repeat(16);
      const { end_time: _, ...unfinished } = segment({ id });
      const answer = await put(
        segment({}),
        '{"id": ',
        segment({ id, trace_id: '1-5' }),
        segment({ id: undefined }),
        unfinished,
        segment({ id, subsegments: [{ id: 'x', name: 'inner', start_time: now, end_time: now }] }),
      );
      assert.equal(answer.status, 200);
      assert.deepEqual(
        answer.body.UnprocessedTraceSegments?.map(({ Id, ErrorCode }) => [Id, ErrorCode]),
        [
          [undefined, 'InvalidSegment'],
          [id, 'InvalidTraceId'],
          [undefined, 'MissingId'],
          [id, 'MissingEndTime'],
          [id, 'InvalidId'],
        ],
      );
      for (const { ErrorCode, Message } of answer.body.UnprocessedTraceSegments ?? [])
        assert.match(Message, new RegExp(`^Invalid (sub)?segment. ErrorCode: ${ErrorCode}`));
      assert.equal(intake.batches[0]?.items, 1);
      assert.equal(test.value('raybridge_rejected_total', { ...labels, reason: 'MissingEndTime' }), 1);
      assert.equal(test.context.status.rejections.length, 5);
    });

    it('succeeds when every document is bad, and makes no batch', async () => {
      const answer = await call('/TraceSegments', { TraceSegmentDocuments: ['', 'null', '1'] });
      assert.equal(answer.status, 200);
      assert.equal(answer.body.UnprocessedTraceSegments?.length, 3);
      assert.equal(intake.batches.length, 0);
    });

    for (const [what, documents, find] of [
      ['no list', undefined, 'TraceSegmentDocuments: expected a list of strings, got nothing'],
      ['null', null, 'TraceSegmentDocuments: expected a list of strings, got null'],
      ['a text', '{}', 'TraceSegmentDocuments: expected a list of strings, got "{}"'],
      ['documents that are no texts', ['{}', {}], 'TraceSegmentDocuments[1]: expected a string, got an object'],
    ] as const) {
      it(`refuses ${what}`, async () => {
        const answer = await call('/TraceSegments', { TraceSegmentDocuments: documents });
        assert.equal(answer.status, 400);
        assert.equal(answer.body.message, find);
      });
    }
  });

  describe('PutTelemetryRecords', () => {
    it('is answered with {}', async () => {
      const answer = await call('/TelemetryRecords', {
        Hostname: 'host',
        TelemetryRecords: [{ Timestamp: now, SegmentsReceivedCount: 1, BackendConnectionErrors: {} }],
      });
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.body, {});
    });

    for (const [request, find] of [
      [{}, 'TelemetryRecords: expected a list of objects, got nothing'],
      [{ TelemetryRecords: {} }, 'TelemetryRecords: expected a list of objects, got an object'],
      [{ TelemetryRecords: [{}, 1] }, 'TelemetryRecords[1]: expected an object, got 1'],
      [{ TelemetryRecords: [{}] }, 'Timestamp: expected a time in epoch seconds, got nothing'],
      [
        { TelemetryRecords: [{ Timestamp: now, SegmentsSentCount: 1.5 }] },
        'SegmentsSentCount: expected a whole number from -2147483648 to 2147483647, got 1.5',
      ],
      [
        { TelemetryRecords: [{ Timestamp: now, BackendConnectionErrors: [] }] },
        'BackendConnectionErrors: expected an object, got a list',
      ],
      [
        { TelemetryRecords: [{ Timestamp: now, BackendConnectionErrors: { OtherCount: 'many' } }] },
        'OtherCount: expected a number, got "many"',
      ],
      [{ TelemetryRecords: [], Hostname: true }, 'Hostname: expected a string, got true'],
      [
        { TelemetryRecords: [], EC2InstanceId: 'i'.repeat(21) },
        'EC2InstanceId: expected at most 20 characters, got 21',
      ],
    ] as const) {
      it(`refuses ${JSON.stringify(request)}`, async () => {
        const answer = await call('/TelemetryRecords', request);
        assert.equal(answer.status, 400);
        assert.equal(answer.body.message, find);
      });
    }
  });

  describe('GetTraceSummaries', () => {
    it('lists what was put, with every member a client counts on', async () => {
      await put(
        segment({
          start_time: now - 10,
          end_time: now - 9.68,
          origin: 'AWS::ECS::Container',
          fault: true,
          annotations: { items: 3 },
          http: { request: { method: 'GET', url: 'https://shop.example/cart' }, response: { status: 500 } },
        }),
      );
      const { body } = await call('/TraceSummaries', { StartTime: now - 60, EndTime: now + 1 });
      const [summary] = body.TraceSummaries ?? [];
      const service = { Name: 'shop', Names: ['shop'], Type: 'AWS::ECS::Container' };
      assert.equal(body.TraceSummaries?.length, 1);
      assert.equal(body.TracesProcessedCount, 1);
      assert.equal(body.NextToken, undefined);
      assert.equal(body.ApproximateTime, now - 60);
      assert.equal(summary?.Id, traceId);
      assert.equal(summary?.StartTime, now - 10);
      assert.equal(summary?.Duration, 0.32);
      assert.equal(summary?.HasFault, true);
      assert.equal(summary?.Revision, 1);
      assert.equal(summary?.MatchedEventTime, undefined);
      assert.deepEqual(summary?.EntryPoint, service);
      assert.deepEqual(summary?.Http, { HttpURL: 'https://shop.example/cart', HttpStatus: 500, HttpMethod: 'GET' });
      assert.deepEqual(summary?.Annotations, {
        items: [{ AnnotationValue: { NumberValue: 3 }, ServiceIds: [service] }],
      });
    });

    it('takes times as numbers, as texts of numbers, and in ISO 8601', async () => {
      await put(segment({ trace_id: xrayTraceId(now, 1), start_time: now }));
      const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
      for (const [StartTime, EndTime] of [
        [now, now + 1],
        [now - 0.5, now + 0.5],
        [`${now}`, `${now}.5`],
        ['1.7E9', `${now + 1}`],
        [iso(now), iso(now + 1)],
        ['2023-11-14T22:13:20Z', '2023-11-14T23:13:21+01:00'],
        ['2023-11-14T22:13:20', '2023-11-14T22:13:21.123456789'],
        ['2023-11-14', '2023-11-15'],
      ]) {
        const { body } = await call('/TraceSummaries', { StartTime, EndTime });
        assert.equal(body.TraceSummaries?.length, 1, `${StartTime} to ${EndTime}`);
      }
    });

    it('takes a range for half open', async () => {
      await put(segment({ trace_id: xrayTraceId(now, 1), start_time: now }));
      const count = async (StartTime: number, EndTime: number) =>
        (await call('/TraceSummaries', { StartTime, EndTime })).body.TraceSummaries?.length;
      assert.equal(await count(now, now + 1), 1);
      assert.equal(await count(now - 1, now), 0);
      assert.equal(await count(now, now), 0);
    });

    for (const [what, range, find] of [
      ['no start', { EndTime: now }, 'StartTime: expected a time in epoch seconds, got nothing'],
      ['a list', { StartTime: [], EndTime: now }, 'StartTime: expected a time in epoch seconds, got a list'],
      ['any text', { StartTime: now, EndTime: 'x' }, 'EndTime: expected a time in epoch seconds, got "x"'],
      // The date parser of the language would take this one for the year 2001.
      ['a half text', { StartTime: 'foo 1', EndTime: now }, 'StartTime: expected a time in epoch seconds, got "foo 1"'],
      [
        'a day that does not exist',
        { StartTime: '2023-13-45T00:00:00Z', EndTime: now },
        'StartTime: expected a time in epoch seconds, got "2023-13-45T00:00:00Z"',
      ],
      ['too large a number', { StartTime: 0, EndTime: 1e40 }, 'EndTime: expected a time in epoch seconds, got 1e+40'],
      [
        'an end before the start',
        { StartTime: now, EndTime: now - 1 },
        'EndTime: expected a time not before StartTime',
      ],
      [
        'an unknown kind of time',
        { StartTime: now, EndTime: now, TimeRangeType: 'traceid' },
        'TimeRangeType: expected TraceId, Event or Service, got "traceid"',
      ],
      [
        'a text for a flag',
        { StartTime: now, EndTime: now, Sampling: 'yes' },
        'Sampling: expected true or false, got "yes"',
      ],
      [
        'a share above 1',
        { StartTime: now, EndTime: now, Sampling: true, SamplingStrategy: { Name: 'FixedRate', Value: 1.5 } },
        'SamplingStrategy.Value: expected a number from 0 to 1, got 1.5',
      ],
      [
        'a strategy that is no object',
        { StartTime: now, EndTime: now, Sampling: true, SamplingStrategy: 'FixedRate' },
        'SamplingStrategy: expected an object, got "FixedRate"',
      ],
    ] as const) {
      it(`refuses ${what}`, async () => {
        const { status, body } = await call('/TraceSummaries', range);
        assert.equal(status, 400);
        assert.equal(body.message, find);
      });
    }

    it('refuses a filter that cannot be read, and names the position', async () => {
      const range = { StartTime: now - 60, EndTime: now };
      const { status, body } = await call('/TraceSummaries', { ...range, FilterExpression: 'responsetime > "fast"' });
      assert.equal(status, 400);
      assert.match(body.message ?? '', /^Invalid filter expression: .* at position \d+$/);
    });

    it('finds by the time of start, of the last end, and of the last update', async () => {
      const began = now - 7200;
      await put(segment({ trace_id: xrayTraceId(began, 1), start_time: began, end_time: now - 3600 }));
      const found = async (TimeRangeType: string | undefined, around: number) => {
        const range = { StartTime: around - 60, EndTime: around + 60, TimeRangeType };
        return (await call('/TraceSummaries', range)).body.TraceSummaries ?? [];
      };
      for (const [type, around] of [
        [undefined, began],
        ['TraceId', began],
        ['Service', now - 3600],
        ['Event', now],
      ] as const) {
        for (const other of [began, now - 3600, now]) {
          assert.equal((await found(type, other)).length, other === around ? 1 : 0, `${type} at ${other}`);
        }
      }
      assert.equal((await found('Event', now))[0]?.MatchedEventTime, now);
    });

    it('counts the updates of a trace in its revision', async () => {
      await put(segment({ start_time: now - 1 }));
      await put(segment({ id: '2'.repeat(16), start_time: now - 1 }));
      const { body } = await call('/TraceSummaries', { StartTime: now - 60, EndTime: now + 1 });
      assert.deepEqual(
        body.TraceSummaries?.map(({ Revision }) => Revision),
        [2],
      );
    });

    it('gives every trace once, newest first, over as many pages as it takes', async () => {
      const put = await putTraces(250);
      for (const [TimeRangeType, count] of [
        ['TraceId', 250],
        ['Service', 250],
        ['Event', 250],
      ] as const) {
        const all = await pages({ StartTime: now - 1000, EndTime: now + 10, TimeRangeType });
        const ids = all.flatMap(({ TraceSummaries = [] }) => TraceSummaries.map(({ Id }) => Id));
        assert.equal(new Set(ids).size, count, TimeRangeType);
        // By update all have one time, and stand by id, which here begins with the second of the start.
        assert.deepEqual(ids, put, TimeRangeType);
        assert.deepEqual(
          all.map(({ TraceSummaries }) => TraceSummaries?.length),
          [100, 100, 50],
        );
      }
    });

    it('tells how far back a page has come', async () => {
      await putTraces(150);
      const [first, second] = await pages({ StartTime: now - 1000, EndTime: now });
      assert.equal(first?.ApproximateTime, now - 100);
      assert.equal(second?.ApproximateTime, now - 1000);
    });

    it('applies the filter on every page', async () => {
      await putTraces(120);
      await put(segment({ trace_id: xrayTraceId(now - 500, 0), start_time: now - 500, name: 'other' }));
      const all = await pages({ StartTime: now - 1000, EndTime: now, FilterExpression: 'service("other")' });
      assert.deepEqual(
        all.flatMap(({ TraceSummaries = [] }) => TraceSummaries.map(({ Id }) => Id)),
        [xrayTraceId(now - 500, 0)],
      );
      assert.equal(all[0]?.TracesProcessedCount, 121);
    });

    it('refuses the token of another request, and one that it never gave', async () => {
      await putTraces(110);
      const request = { StartTime: now - 1000, EndTime: now };
      const { body } = await call('/TraceSummaries', request);
      const token = body.NextToken ?? '';
      for (const other of [
        { ...request, EndTime: now - 1, NextToken: token },
        { ...request, FilterExpression: 'fault', NextToken: token },
        { ...request, TimeRangeType: 'Service', NextToken: token },
        { ...request, NextToken: `${token}A` },
        { ...request, NextToken: 'x' },
      ]) {
        const answer = await call('/TraceSummaries', other);
        assert.equal(answer.status, 400);
        assert.match(answer.body.message ?? '', /^NextToken /);
      }
      const sameInOtherWords = { StartTime: `${now - 1000}.0`, EndTime: now, NextToken: token };
      assert.equal((await call('/TraceSummaries', sameInOtherWords)).body.TraceSummaries?.length, 10);
    });

    it('takes an empty token for the first page', async () => {
      await putTraces(1);
      const { body } = await call('/TraceSummaries', { StartTime: now - 60, EndTime: now, NextToken: '' });
      assert.equal(body.TraceSummaries?.length, 1);
    });

    it('gives the share of the traces that FixedRate asks for, the same ones each time', async () => {
      const range = { StartTime: now - 1000, EndTime: now };
      const half = { ...range, Sampling: true, SamplingStrategy: { Name: 'FixedRate', Value: 0.5 } };
      const ids = Array.from({ length: 200 }, (_, i) => xrayTraceId(now - 10, (i * 2 ** 32) / 200));
      for (let i = 0; i < ids.length; i += 50)
        await put(...ids.slice(i, i + 50).map((trace_id) => segment({ trace_id, start_time: now - 10 })));

      const idsOf = (all: readonly Body[]) =>
        all.flatMap(({ TraceSummaries = [] }) => TraceSummaries).map(({ Id }) => Id);
      const chosen = idsOf(await pages(half));
      assert.equal(chosen.length, 100);
      assert.deepEqual(idsOf(await pages(half)), chosen);
      const count = async (more: object) => idsOf(await pages({ ...range, ...more })).length;
      assert.equal(await count({ Sampling: true, SamplingStrategy: { Name: 'FixedRate', Value: 0 } }), 0);
      assert.equal(await count({ Sampling: true, SamplingStrategy: { Name: 'FixedRate', Value: 1 } }), 200);
      assert.equal(await count({ Sampling: false, SamplingStrategy: { Name: 'FixedRate', Value: 0 } }), 200);
      assert.equal(await count({ Sampling: true, SamplingStrategy: { Name: 'PartialScan', Value: 0 } }), 200);
      assert.equal(await count({ Sampling: true }), 200);
      const { status, body } = await call('/TraceSummaries', {
        StartTime: now - 1,
        EndTime: now,
        Sampling: true,
        SamplingStrategy: { Name: 'Half' },
      });
      assert.equal(status, 400);
      assert.equal(body.message, 'SamplingStrategy.Name: expected PartialScan or FixedRate, got "Half"');
    });
  });

  describe('BatchGetTraces', () => {
    it('gives documents back as they were put, number by number', async () => {
      const document = `{
        "id": "1fb07842d944e714", "name": "Scorekeep", "trace_id": "${traceId}",
        "start_time": 1.499473411677E9, "end_time": 1499473414.572000,
        "annotations": {"price": 1.50, "big": 9007199254740993, "__proto__": "ours"},
        "metadata": {"default": {"exact": 0.1000, "deep": [{"a": [1e2, null, {}]}], "ü€😀": ""}},
        "subsegments": [{"id": "0c544c1b1bbff948", "name": "inner", "start_time": 1.499473411678E9, "end_time": 1.5E9}]
      }`;
      await put(document);
      const { body } = await call('/Traces', { TraceIds: [traceId] });
      const [trace] = body.Traces ?? [];
      assert.equal(trace?.Id, traceId);
      assert.equal(trace?.LimitExceeded, false);
      assert.deepEqual(
        trace?.Segments.map(({ Id }) => Id),
        ['1fb07842d944e714'],
      );
      const text = trace?.Segments[0]?.Document ?? '';
      assert.deepEqual(parseJson(text), parseJson(document));
      assert.match(text, /1\.499473411677E9/);
    });

    it('gives the segments of a real trace back as AWS gave them', async () => {
      const [trace] = readRecorded('batchgettraces');
      assert.ok(trace);
      const real = trace.documents.filter((document) => !document.includes('"inferred":true'));
      await put(...real);
      const { body } = await call('/Traces', { TraceIds: [trace.id] });
      const given = new Map(body.Traces?.[0]?.Segments.map(({ Id, Document }) => [Id, parseJson(Document)]));
      for (const document of real) assert.deepEqual(given.get(JSON.parse(document).id), parseJson(document));
    });

    it('puts a subsegment sent by itself into its segment', async () => {
      await put(
        segment({ start_time: now - 1 }),
        segment({ id: '2'.repeat(16), parent_id: '1'.repeat(16), type: 'subsegment', name: 'inner' }),
      );
      const { body } = await call('/Traces', { TraceIds: [traceId] });
      const documents = body.Traces?.[0]?.Segments.map(({ Document }) => JSON.parse(Document)) ?? [];
      assert.equal(documents.length, 1);
      assert.equal(documents[0].subsegments[0].name, 'inner');
    });

    it('takes ids in both forms, and names those that are not here', async () => {
      await put(segment({}));
      const unknown = xrayTraceId(now, 2);
      const { status, body } = await call('/Traces', { TraceIds: [traceId.slice(2).replaceAll('-', ''), unknown] });
      assert.equal(status, 200);
      assert.deepEqual(
        body.Traces?.map(({ Id }) => Id),
        [traceId],
      );
      assert.deepEqual(body.UnprocessedTraceIds, [unknown]);
    });

    it('gives traces of many megabytes on pages of their own, each once', async () => {
      const ids = Array.from({ length: 3 }, (_, i) => xrayTraceId(now, i));
      const metadata = { default: { filling: 'x'.repeat(4_500_000) } };
      for (const trace_id of ids) await store.write(spansOf(segment({ trace_id, metadata }), trace_id));
      const TraceIds = [...ids, ids[0], xrayTraceId(now, 9)];
      const all: Body[] = [];
      for (let NextToken: string | undefined; all.length < 10; NextToken = all.at(-1)?.NextToken) {
        all.push((await call('/Traces', { TraceIds, ...(NextToken ? { NextToken } : {}) })).body);
        if (!all.at(-1)?.NextToken) break;
      }
      assert.deepEqual(
        all.map(({ Traces }) => Traces?.map(({ Id }) => Id)),
        ids.map((id) => [id]),
      );
      assert.deepEqual(
        all.flatMap(({ UnprocessedTraceIds }) => UnprocessedTraceIds),
        [xrayTraceId(now, 9)],
      );
      const other = { TraceIds: ids, NextToken: all[0]?.NextToken };
      assert.equal((await call('/Traces', other)).body.__type, 'InvalidRequestException');
    });

    it('leaves out what is over the limit of a trace, and says so', async () => {
      const many = Array.from({ length: 40 }, (_, i) => ({
        id: spanId(i + 100),
        name: `part ${i}`,
        start_time: now,
        end_time: now + 0.1,
        metadata: { default: { filling: 'x'.repeat(300_000) } },
      }));
      await store.write(spansOf(segment({ subsegments: many }), 'large'));
      const { body, text } = await call('/Traces', { TraceIds: [traceId] });
      assert.equal(body.Traces?.[0]?.LimitExceeded, true);
      assert.ok(text.length < 9_000_000);
      const document = JSON.parse(body.Traces[0].Segments[0]?.Document ?? '');
      assert.deepEqual(
        document.subsegments.map(({ name }: { name: string }) => name),
        Array.from({ length: 26 }, (_, i) => `part ${i}`),
      );
    });

    for (const [what, ids, find] of [
      [
        'six ids',
        Array.from({ length: 6 }, (_, i) => xrayTraceId(now, i)),
        'TraceIds: expected at most 5 entries, got 6',
      ],
      ['no ids', [], 'TraceIds: expected at least one trace id, got none'],
      [
        'an id that is none',
        [traceId, "1-5'; DROP TABLE spans"],
        `TraceIds[1]: expected a trace id such as 1-5759e988-bd862e3fe1be46a994272793, got "1-5'; DROP TABLE spans"`,
      ],
      ['an id that is no text', [1], 'TraceIds[0]: expected a string, got 1'],
      [
        'an id that is all zero',
        ['0'.repeat(32)],
        `TraceIds[0]: expected a trace id such as 1-5759e988-bd862e3fe1be46a994272793, got "${'0'.repeat(32)}"`,
      ],
    ] as const) {
      it(`refuses ${what}`, async () => {
        const { status, body } = await call('/Traces', { TraceIds: ids });
        assert.equal(status, 400);
        assert.equal(body.message, find);
      });
    }
  });

  describe('graphs', () => {
    const front = segment({
      origin: 'AWS::ECS::Container',
      start_time: now - 1,
      end_time: now,
      subsegments: [
        {
          id: '4'.repeat(16),
          name: 'price.example',
          namespace: 'remote',
          start_time: now - 0.9,
          end_time: now - 0.5,
          http: { request: { method: 'GET', url: 'https://price.example/' }, response: { status: 200 } },
        },
      ],
    });

    for (const [operation, path, request] of [
      ['GetTraceGraph', '/TraceGraph', { TraceIds: [traceId, xrayTraceId(now, 9)] }],
      ['GetServiceGraph', '/ServiceGraph', { StartTime: now - 60, EndTime: now + 1 }],
    ] as const) {
      it(`of ${operation} have the client, the service and what it calls, joined by edges`, async () => {
        await put(front);
        const { status, body } = await call(path, request);
        assert.equal(status, 200);
        const nodes = new Map(body.Services?.map((node) => [`${node.Name} ${node.Type}`, node]));
        assert.deepEqual([...nodes.keys()].sort(), ['price.example remote', 'shop AWS::ECS::Container', 'shop client']);
        const shop = nodes.get('shop AWS::ECS::Container');
        assert.equal(shop?.Root, true);
        assert.equal(shop?.SummaryStatistics?.TotalCount, 1);
        assert.deepEqual(
          shop?.Edges.map(({ ReferenceId }) => ReferenceId),
          [nodes.get('price.example remote')?.ReferenceId],
        );
      });
    }

    it('of GetServiceGraph cover the traces of the range only', async () => {
      await put(front);
      const { body } = await call('/ServiceGraph', { StartTime: now - 7200, EndTime: now - 3600 });
      assert.deepEqual(body, {
        StartTime: now - 7200,
        EndTime: now - 3600,
        Services: [],
        ContainsOldGroupVersions: false,
      });
    });

    it('of GetServiceGraph are of whole seconds', async () => {
      await put(front);
      const { body } = await call('/ServiceGraph', { StartTime: now + 0.25, EndTime: now + 0.5 });
      assert.deepEqual([body.StartTime, body.EndTime, body.Services?.length], [now, now + 1, 3]);
    });

    it('of GetServiceGraph are those of a group that there is', async () => {
      const range = { StartTime: now - 60, EndTime: now };
      const arn = 'arn:aws:xray:us-east-1:123456789012:group/Default';
      for (const group of [{ GroupName: 'Default' }, { GroupARN: arn }])
        assert.equal((await call('/ServiceGraph', { ...range, ...group })).status, 200);
      const { status, body } = await call('/ServiceGraph', { ...range, GroupName: 'mine' });
      assert.equal(status, 400);
      assert.equal(body.message, 'GroupName: there is no group "mine"');
    });

    it('of GetServiceGraph need a range that is one', async () => {
      assert.equal((await call('/ServiceGraph', {})).status, 400);
      assert.equal((await call('/ServiceGraph', { StartTime: now, EndTime: now - 1 })).status, 400);
    });

    it('of GetTraceGraph take at most 100 ids', async () => {
      const ids = Array.from({ length: 101 }, (_, i) => xrayTraceId(now, i));
      assert.equal((await call('/TraceGraph', { TraceIds: ids.slice(1) })).status, 200);
      const { status, body } = await call('/TraceGraph', { TraceIds: ids });
      assert.equal(status, 400);
      assert.equal(body.message, 'TraceIds: expected at most 100 entries, got 101');
    });
  });

  describe('GetTimeSeriesServiceStatistics', () => {
    const path = '/TimeSeriesServiceStatistics';
    const range = { StartTime: now - 200, EndTime: now };
    /** The start of the minute of a time. */
    const minute = (second: number): number => second - (second % 60);

    beforeEach(async () => {
      for (const [i, second] of [now - 190, now - 100, now - 99].entries())
        await put(
          segment({
            trace_id: xrayTraceId(second, i),
            id: spanId(i),
            origin: 'AWS::ECS::Container',
            start_time: second,
            end_time: second + 0.5,
            fault: i === 1,
            subsegments: [
              {
                id: spanId(i + 50),
                name: 'price.example',
                namespace: 'remote',
                start_time: second,
                end_time: second + 0.2,
              },
            ],
          }),
        );
    });

    it('counts all edges where nothing is selected, for each minute in which there was a trace', async () => {
      const { body } = await call(path, range);
      assert.deepEqual(
        body.TimeSeriesServiceStatistics?.map(({ Timestamp }) => Timestamp),
        [minute(now - 190), minute(now - 100)],
      );
      // Each trace has an edge from its client and one to the price service.
      assert.deepEqual(body.TimeSeriesServiceStatistics?.[1], {
        Timestamp: minute(now - 100),
        EdgeSummaryStatistics: {
          OkCount: 3,
          ErrorStatistics: { ThrottleCount: 0, OtherCount: 0, TotalCount: 0 },
          FaultStatistics: { OtherCount: 1, TotalCount: 1 },
          TotalCount: 4,
          TotalResponseTime: 1.4,
        },
        ResponseTimeHistogram: [
          { Value: 0.2, Count: 2 },
          { Value: 0.5, Count: 2 },
        ],
      });
      assert.equal(body.ContainsOldGroupVersions, false);
      assert.equal(body.NextToken, undefined);
    });

    it('counts the selected service or edge over the period that was asked for', async () => {
      for (const [selector, member, total, time] of [
        ['service(id(name: "shop", type: "AWS::ECS::Container"))', 'ServiceSummaryStatistics', 3, 1.5],
        ['id(name: "price.example")', 'ServiceSummaryStatistics', 3, 0.6],
        ['service("price.example")', 'ServiceSummaryStatistics', 3, 0.6],
        ['edge("shop", "price.example")', 'EdgeSummaryStatistics', 3, 0.6],
      ] as const) {
        const request = { ...range, EntitySelectorExpression: selector, Period: 300, GroupName: 'Default' };
        const points = (await call(path, request)).body.TimeSeriesServiceStatistics ?? [];
        const statistics = points.map((point) => point[member]);
        assert.equal(
          statistics.reduce((sum, one) => sum + (one?.TotalCount ?? 0), 0),
          total,
          selector,
        );
        assert.equal(
          Math.round(statistics.reduce((sum, one) => sum + (one?.TotalResponseTime ?? 0), 0) * 10) / 10,
          time,
        );
        assert.ok(points.every(({ Timestamp }) => Timestamp % 300 === 0));
      }
      const nobody = { ...range, EntitySelectorExpression: 'service("nobody")' };
      assert.deepEqual((await call(path, nobody)).body.TimeSeriesServiceStatistics, []);
    });

    it('forecasts the faults of a service', async () => {
      const request = { ...range, EntitySelectorExpression: 'service(id(name: "shop", type: "AWS::ECS::Container"))' };
      const { body } = await call(path, { ...request, ForecastStatistics: true });
      // Nothing is known of the time before the first point.
      assert.deepEqual(
        body.TimeSeriesServiceStatistics?.map(({ ServiceForecastStatistics }) => ServiceForecastStatistics),
        [undefined, { FaultCountHigh: 0, FaultCountLow: 0 }],
      );
    });

    for (const [what, members, find] of [
      ['an empty selector', { EntitySelectorExpression: '' }, /the expression is empty/],
      ['an annotation as selector', { EntitySelectorExpression: 'annotation.a = 1' }, /one service\(...\), edge/],
      ['a condition in a selector', { EntitySelectorExpression: 'service("a") { fault }' }, /no condition in braces/],
      ['two selectors', { EntitySelectorExpression: 'service("a") OR service("b")' }, /the end of the selector/],
      ['a long selector', { EntitySelectorExpression: `service("${'a'.repeat(500)}")` }, /more than 500 characters/],
      ['a period under a minute', { Period: 30 }, /^Period: expected a multiple of 60 seconds, at most 86400, got 30$/],
      ['a period of no whole minutes', { Period: 90 }, /^Period/],
      ['a forecast of nothing', { ForecastStatistics: true }, /^ForecastStatistics: expected/],
      ['a group that is not here', { GroupName: 'mine' }, /^GroupName/],
      ['an end before its start', { StartTime: now, EndTime: now - 1 }, /^EndTime/],
    ] as const) {
      it(`refuses ${what}`, async () => {
        const { status, body } = await call(path, { ...range, ...members });
        assert.equal(status, 400);
        assert.equal(body.__type, 'InvalidRequestException');
        assert.match(body.message ?? '', find);
      });
    }
  });
});

/** The write of a document that is larger than those that X-Ray takes, as spans may be. */
function spansOf(document: object, token: string): SpanWrite {
  const [parsed] = decodeSegments(Buffer.from(`[${JSON.stringify(document)}]`));
  assert.ok(parsed);
  return { spans: toSpans([parsed], { json: jsonText }).spans, receivedAtNs: 0n, version: 1n, token };
}

interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

interface Answer extends Omit<HttpAnswer, 'body'> {
  readonly text: string;
  readonly body: Body;
}

/** The members of all answers. */
type Body = Partial<
  SummariesAnswer &
    ServiceGraphAnswer &
    TimeSeriesAnswer & {
      readonly Traces: readonly TraceAnswer[];
      readonly UnprocessedTraceIds: readonly string[];
      readonly UnprocessedTraceSegments: readonly {
        readonly Id?: string;
        readonly ErrorCode: string;
        readonly Message: string;
      }[];
      readonly __type: string;
      readonly Message: string;
      readonly message: string;
    }
>;

interface ErrorCase {
  readonly what: string;
  readonly before?: () => void;
  readonly send: () => Promise<Answer>;
  readonly status: number;
  readonly name: string;
  readonly text?: string;
  readonly retryAfter?: string;
}

type SdkCommand = new (input: object) => sdk.BatchGetTracesCommand;

/** Every operation of the AWS SDK by name. */
const sdkOperations: ReadonlyMap<string, SdkCommand> = new Map(
  Object.entries(sdk).flatMap(([name, value]) =>
    // The SDK names its classes of operations so, and each takes the members of its request.
    /^[A-Z]\w*Command$/.test(name) ? [[name.replace(/Command$/, ''), value as unknown as SdkCommand]] : [],
  ),
);

function segment<Members extends object>(members: Members) {
  const document = { trace_id: traceId, id: '1'.repeat(16), name: 'shop', start_time: now, end_time: now + 0.5 };
  return { ...document, ...members };
}

function textOf(document: object | string): string {
  return typeof document === 'string' ? document : JSON.stringify(document);
}

/** An X-Ray trace id of the second; `tail` tells ids of one second apart. */
function xrayTraceId(second: number, tail: number): string {
  return `1-${second.toString(16)}-${Math.floor(tail).toString(16).padStart(24, '0')}`;
}

function spanId(number: number): string {
  return (number + 1).toString(16).padStart(16, '0');
}
