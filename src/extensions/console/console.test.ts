import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createTestContext, type TestContext } from '../../../test/support/context.ts';
import { type HttpAnswer, sendHttp } from '../../../test/support/http.ts';
import { createMemoryStore, type MemoryStore } from '../../../test/support/memory-store.ts';
import { parseJson } from '../../codec/index.ts';
import { RaybridgeError } from '../../errors.ts';
import type { Insight } from '../../model/index.ts';
import { createBatch } from '../../pipeline/batches.ts';
import type { LinkedAnswer } from '../../reader/index.ts';
import { openInsightDocuments } from '../../reader/index.ts';
import { consoleExtension, createConsole } from './index.ts';

const closeDeadlineMs = 2_000;
/** The clock of the test context, in epoch seconds. */
const now = 1_700_000_000;
const nanosecondsPerSecond = 1_000_000_000n;
const traceId = '6553f0f600f1e2d3c4b5a69788796a5b';
const xrayTraceId = '1-6553f0f6-00f1e2d3c4b5a69788796a5b';

const indexHtml = '<!doctype html><title>console</title>';
const script = `console.log(${'"raybridge";'.repeat(100)})`;

describe('the console', () => {
  let test: TestContext;
  let store: MemoryStore;
  let parent: string;
  let writes = 0n;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'raybridge-console-'));
    await mkdir(join(parent, 'pages', 'assets'), { recursive: true });
    await writeFile(join(parent, 'package.json'), '"secret"');
    await writeFile(join(parent, 'secret.html'), 'secret');
    await writeFile(join(parent, 'pages', 'index.html'), indexHtml);
    await writeFile(join(parent, 'pages', 'assets', 'app-1a2b.js'), script);
    await writeFile(join(parent, 'pages', 'notes.md'), 'secret');
    await start('pages');
  });
  afterEach(async () => {
    await test.http.close(closeDeadlineMs);
    await rm(parent, { recursive: true });
  });

  async function start(folder: string): Promise<void> {
    test = createTestContext('console');
    store = createMemoryStore();
    const extension = createConsole({
      config: { endpoint: '127.0.0.1:0', store: 'clickhouse' },
      context: { ...test.context, store: () => store },
      folder: join(parent, folder),
    });
    await extension.start();
    await test.http.listen();
  }

  async function get(
    path: string,
    headers: Readonly<Record<string, string>> = {},
    method = 'GET',
  ): Promise<HttpAnswer> {
    return await sendHttp(test.address('console'), { method, path, headers });
  }

  /** What the store holds of a segment document. */
  async function keep(members: object = {}): Promise<string> {
    const text = JSON.stringify({
      trace_id: xrayTraceId,
      id: '1'.repeat(16),
      name: 'shop',
      start_time: now - 10,
      end_time: now - 9.5,
      ...members,
    });
    const receivedAtNs = BigInt(now) * nanosecondsPerSecond;
    const batch = createBatch({ format: 'xray_segments', body: Buffer.from(text), items: 1, receivedAtNs });
    writes += 1n;
    await store.write({ spans: batch.spans(), receivedAtNs, version: writes, token: String(writes) });
    return text;
  }

  describe('as a page', () => {
    for (const path of [
      '/',
      '/index.html',
      '/map',
      '/traces',
      '/traces/1-6553f0f6-00f1e2d3c4b5a69788796a5b',
      '/sampling',
      '/compare',
      '/insights/x',
      '/services',
      '/services/https%3A%2F%2Fsqs.eu-west-1.amazonaws.com%2F1%2Fmails',
      '/pipelines',
    ]) {
      it(`is index.html at ${path}`, async () => {
        const answer = await get(path);
        assert.equal(answer.status, 200);
        assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
        assert.equal(answer.headers['cache-control'], 'no-cache');
        assert.equal(answer.body.toString(), indexHtml);
      });
    }

    it('describes its API, and each path that it describes is answered', async () => {
      const answer = await get('/openapi.json');
      assert.equal(answer.headers['content-type'], 'application/json');
      const { openapi, paths } = JSON.parse(answer.body.toString());
      assert.equal(openapi, '3.1.0');
      await keep();
      const query = `from=${now - 60}&to=${now + 60}&id=${traceId}&name=shop`;
      for (const [path, { get: operation }] of Object.entries<{ get: { operationId: string } }>(paths)) {
        const asked = path.replace('/traces/{id}', `/traces/${traceId}`);
        const { status, body } = await get(`${asked}?${query}`);
        // Of insights there are none.
        assert.equal(status, path.includes('insights/{id}') ? 404 : 200, `${path}: ${body.toString()}`);
        assert.match(operation.operationId, /^get[A-Z]/);
      }
    });

    it('serves files whose names hold a hash, to be kept for ever', async () => {
      const answer = await get('/assets/app-1a2b.js');
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-type'], 'text/javascript; charset=utf-8');
      assert.equal(answer.headers['cache-control'], 'public, max-age=31536000, immutable');
      assert.equal(answer.body.toString(), script);
    });

    it('compresses for those who take gzip, and only for them', async () => {
      for (const encodings of ['gzip', 'br, gzip;q=0.5', 'deflate,gzip']) {
        const { headers, body } = await get('/assets/app-1a2b.js', { 'accept-encoding': encodings });
        assert.equal(headers['content-encoding'], 'gzip', encodings);
        assert.equal(headers.vary, 'accept-encoding');
        assert.equal(headers['content-length'], String(body.length));
        assert.equal(gunzipSync(body).toString(), script);
      }
      for (const encodings of ['', 'br', 'gzip;q=0', 'gzip; q=0.0, br', 'identity']) {
        const { headers, body } = await get('/assets/app-1a2b.js', { 'accept-encoding': encodings });
        assert.equal(headers['content-encoding'], undefined, encodings);
        assert.equal(body.toString(), script);
      }
    });

    it('answers 304 to those who have it already', async () => {
      const { headers } = await get('/');
      const etag = headers.etag ?? '';
      assert.match(etag, /^"[\w-]+"$/);
      const answer = await get('/traces', { 'if-none-match': etag });
      assert.equal(answer.status, 304);
      assert.equal(answer.headers.etag, etag);
      assert.equal(answer.body.length, 0);
      assert.equal((await get('/', { 'if-none-match': '"other"' })).status, 200);
      assert.notEqual((await get('/assets/app-1a2b.js')).headers.etag, etag);
    });

    it('answers HEAD with the same headers and no body', async () => {
      for (const path of ['/', '/assets/app-1a2b.js']) {
        const [whole, head] = [await get(path), await get(path, {}, 'HEAD')];
        assert.equal(head.status, 200);
        assert.equal(head.body.length, 0);
        for (const name of ['content-length', 'content-type', 'etag', 'content-security-policy'])
          assert.equal(head.headers[name], whole.headers[name], name);
      }
      const status = await get('/api/status', {}, 'HEAD');
      assert.equal(status.status, 200);
      assert.equal(status.body.length, 0);
    });

    it('leaves other paths and methods to others', async () => {
      for (const path of ['/nothing', '/traces/a/b', '/assets', '/assets/', '/notes.md', '/api', '/index.htm'])
        assert.equal((await get(path)).status, 404, path);
      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
        for (const path of ['/', '/api/status']) assert.equal((await get(path, {}, method)).status, 404, method);
    });

    it('shows nothing outside of its folder, however the path is written', async () => {
      const ways = [
        '..',
        '%2e%2e',
        '.%2e',
        '..%2f..',
        '%2e%2e%2f%2e%2e',
        '..\\..',
        '..%5c..',
        '....//',
        '%c0%ae%c0%ae',
      ];
      const places = ['', '/assets', '/traces', '/map', '/api', '/api/traces', '//', '/index.html'];
      for (const place of places) {
        for (const way of ways) {
          for (const name of ['package.json', 'secret.html', 'pages/notes.md']) {
            const { status, body } = await get(`${place}/${way}/${name}`);
            assert.ok(status === 404 || status === 400, `${place}/${way}/${name}: ${status}`);
            assert.doesNotMatch(body.toString(), /secret/);
          }
        }
      }
      const absolute = join(parent, 'secret.html');
      for (const path of [absolute, `/${absolute}`, '/index.html%00.md', '/secret.html%00', `/file://${absolute}`])
        assert.notEqual((await get(path)).body.toString(), 'secret', path);
    });

    it('says so when it was not built', async () => {
      await test.http.close(closeDeadlineMs);
      await start('nothing');
      const answer = await get('/');
      assert.equal(answer.status, 404);
      assert.match(answer.body.toString(), /was not built: npm run build/);
      assert.equal((await get('/api/status')).status, 200);
    });
  });

  describe('for safety', () => {
    it('forbids foreign scripts, frames and sniffing in every answer', async () => {
      const { headers } = await get('/');
      const answers = [
        ...(await Promise.all(
          [
            '/',
            '/map',
            '/traces/x',
            '/assets/app-1a2b.js',
            '/api/status',
            '/api/none',
            '/api/traces',
            '/api/traces?from=1&to=2',
            `/api/traces/${traceId}`,
            '/api/map',
          ].map((path) => get(path)),
        )),
        await get('/', { 'if-none-match': headers.etag ?? '' }),
        await get('/', {}, 'HEAD'),
      ];
      for (const { headers } of answers) {
        const policy = new Map(
          String(headers['content-security-policy'])
            .split('; ')
            .map((directive) => [directive.replace(/ .*/, ''), directive.replace(/^\S+ /, '')]),
        );
        for (const name of ['default-src', 'script-src', 'style-src', 'form-action'])
          assert.equal(policy.get(name), "'self'");
        for (const name of ['object-src', 'base-uri', 'frame-ancestors']) assert.equal(policy.get(name), "'none'");
        assert.equal(headers['x-content-type-options'], 'nosniff');
        assert.equal(headers['referrer-policy'], 'no-referrer');
        assert.equal(headers['access-control-allow-origin'], undefined);
      }
    });

    it('answers no other web page, and nobody who names a foreign host', async () => {
      for (const path of ['/', '/api/status'])
        for (const headers of [{ origin: 'https://evil.example' }, { host: 'evil.example:2080' }])
          assert.equal((await get(path, headers)).status, 403);
    });

    it('lets nobody keep an answer of the API', async () => {
      for (const path of ['/api/status', '/api/none'])
        assert.equal((await get(path)).headers['cache-control'], 'no-store');
    });
  });

  describe('at /api/status', () => {
    it('tells listeners, counts, rejections, store and queue', async () => {
      const { status, telemetry } = test.context;
      status.listening({ component: 'otlp', protocol: 'OTLP HTTP', transport: 'tcp', address: '0.0.0.0:4318' });
      status.reject({ component: 'otlp', atNs: 1_500_000_000n, reason: 'half a span', sample: 'a\u0007b' });
      telemetry.count('raybridge_received_spans_total', { receiver: 'otlp' }, 3);
      telemetry.count('raybridge_received_spans_total', { receiver: 'awsxray/udp' }, 0);
      for (const [name, value] of Object.entries({ bytes: 5, bytes_max: 9, dead_letters: 2, durable: 1 }))
        telemetry.gauge(`raybridge_queue_${name}`, {}, () => value);
      await keep();
      await keep({ id: '2'.repeat(16) });

      const answer = await get('/api/status');
      assert.equal(answer.headers['content-type'], 'application/json');
      assert.deepEqual(json(answer), {
        version: '0.0.0-test',
        nowSeconds: now,
        listeners: [
          { component: 'console', protocol: 'console', transport: 'tcp', address: test.address('console') },
          { component: 'otlp', protocol: 'OTLP HTTP', transport: 'tcp', address: '0.0.0.0:4318' },
        ],
        environment: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' },
        ready: true,
        faults: [],
        received: [
          { component: 'otlp', spans: 3 },
          { component: 'awsxray/udp', spans: 0 },
        ],
        rejections: [{ component: 'otlp', reason: 'half a span', sample: 'a·b', atSeconds: 1.5 }],
        store: { spans: 2, traces: 1, bytesOnDisk: 0 },
        queue: { bytes: 5, bytesMax: 9, deadLetters: 2, durable: true },
      });
    });

    it('is not ready while a component is in fault, and names it', async () => {
      test.context.status.fault('traces>store', 'the disk is full');
      const { ready, faults } = json(await get('/api/status'));
      assert.equal(ready, false);
      assert.deepEqual(faults, [{ component: 'traces>store', reason: 'the disk is full' }]);
    });

    it('answers while the store is starting', async () => {
      store.failWith(new RaybridgeError('STORE_UNAVAILABLE', 'the store is starting'));
      const answer = await get('/api/status');
      assert.equal(answer.status, 200);
      assert.equal(json(answer)['ready'], false);
      assert.deepEqual(json(answer)['store'], { spans: 0, traces: 0, bytesOnDisk: 0 });
    });
  });

  describe('at /api/traces', () => {
    const range = `from=${now - 60}&to=${now}`;

    async function keepMany(count: number): Promise<readonly string[]> {
      const ids = Array.from({ length: count }, (_, i) => `1-${(now - 1 - i).toString(16)}-${'0'.repeat(23)}1`);
      for (const [i, trace_id] of ids.entries()) await keep({ trace_id, start_time: now - 1 - i, end_time: now });
      return ids;
    }

    it('lists the traces of the range as GetTraceSummaries does, newest first', async () => {
      const ids = await keepMany(3);
      const { TraceSummaries, TracesProcessedCount, NextToken } = json(await get(`/api/traces?${range}`));
      assert.deepEqual(idsOf(TraceSummaries), ids);
      assert.equal(TracesProcessedCount, 3);
      assert.equal(NextToken, undefined);
    });

    for (const limit of [1, 2, 7, 10, 25, 26, 1000]) {
      it(`gives every trace once, page by page of ${limit}`, async () => {
        const ids = await keepMany(25);
        const listed: unknown[] = [];
        for (let next = '', page = 0; page < 30; page++) {
          const answer = await get(`/api/traces?${range}&limit=${limit}&next=${next}`);
          assert.equal(answer.status, 200);
          const { TraceSummaries, NextToken } = json(answer);
          assert.ok(idsOf(TraceSummaries).length <= limit);
          listed.push(...idsOf(TraceSummaries));
          if (NextToken === undefined) break;
          next = encodeURIComponent(String(NextToken));
        }
        assert.deepEqual(listed, ids);
      });
    }

    it('applies the filter', async () => {
      await keep({ fault: true });
      const count = async (filter: string) =>
        idsOf(json(await get(`/api/traces?${range}&filter=${encodeURIComponent(filter)}`))['TraceSummaries']).length;
      assert.equal(await count('fault'), 1);
      assert.equal(await count('!fault'), 0);
      assert.equal(await count(''), 1);
    });

    for (const [query, code, message] of [
      ['', 'INVALID_REQUEST', 'from: expected epoch seconds, got ""'],
      [`from=${now}`, 'INVALID_REQUEST', 'to: expected epoch seconds, got ""'],
      [`from=yesterday&to=${now}`, 'INVALID_REQUEST', 'from: expected epoch seconds, got "yesterday"'],
      [`${range}&limit=0`, 'INVALID_REQUEST', 'limit: expected a whole number from 1 to 1000, got "0"'],
      [`${range}&limit=1001`, 'INVALID_REQUEST', 'limit: expected a whole number from 1 to 1000, got "1001"'],
      [`${range}&limit=1.5`, 'INVALID_REQUEST', 'limit: expected a whole number from 1 to 1000, got "1.5"'],
      [`${range}&limit=`, 'INVALID_REQUEST', 'limit: expected a whole number from 1 to 1000, got ""'],
      [`${range}&next=x`, 'INVALID_REQUEST', /^NextToken /],
      [`${range}&filter=responsetime+%3E+%22fast%22`, 'FILTER_INVALID', /at position \d+$/],
    ] as const) {
      it(`answers 400 to "${query}"`, async () => {
        const answer = await get(`/api/traces?${query}`);
        assert.equal(answer.status, 400);
        const { code: found, message: text } = json(answer);
        assert.equal(found, code);
        if (typeof message === 'string') assert.equal(text, message);
        else assert.match(String(text), message);
      });
    }

    it('repeats no more than the beginning of what was wrong', async () => {
      const { message } = json(await get(`/api/traces?from=${'<script>'.repeat(200)}&to=1`));
      assert.ok(String(message).length < 100);
    });

    it('answers 503 while the store is away', async () => {
      store.failWith(new RaybridgeError('STORE_UNAVAILABLE', 'the store is starting'));
      for (const path of [`/api/traces?${range}`, `/api/traces/${traceId}`, `/api/map?${range}`]) {
        const answer = await get(path);
        assert.equal(answer.status, 503);
        assert.deepEqual(json(answer), { code: 'STORE_UNAVAILABLE', message: 'the store is starting' });
      }
    });

    it('answers 500 to a bug, without its text, which the log has', async () => {
      store.failWith(new TypeError('secret of the inside'));
      const answer = await get(`/api/traces?${range}`);
      assert.equal(answer.status, 500);
      assert.equal(json(answer)['code'], 'INTERNAL');
      assert.doesNotMatch(answer.body.toString(), /secret/);
      assert.equal(test.log.entries.filter(({ level }) => level === 'error').length, 1);
    });
  });

  describe('at /api/traces/{id}', () => {
    it('gives the trace, its summary and its graph, by the id in either form', async () => {
      const document = await keep({ fault: true });
      for (const id of [traceId, xrayTraceId, traceId.toUpperCase(), encodeURIComponent(xrayTraceId)]) {
        const answer = await get(`/api/traces/${id}`);
        assert.equal(answer.status, 200);
        // The answer is plain JSON of our own making.
        const { Trace, Summary, Services } = json(answer) as unknown as TraceJson;
        assert.equal(Trace.Id, xrayTraceId);
        assert.deepEqual(
          Trace.Segments.map(({ Document }) => parseJson(Document)),
          [parseJson(document)],
        );
        assert.equal(Summary.HasFault, true);
        assert.deepEqual(Services.map(({ Type }) => Type ?? '').sort(), ['', 'client']);
      }
    });

    it('has what the doctor finds, and what only the process knows', async () => {
      const codes = async (): Promise<readonly string[]> =>
        // Findings, as in the documentation.
        (json(await get(`/api/traces/${traceId}`))['Findings'] as readonly { code: string }[]).map(({ code }) => code);
      await keep();
      assert.deepEqual(await codes(), []);
      await keep({ id: '2'.repeat(16), parent_id: '3'.repeat(16) });
      assert.deepEqual(await codes(), ['PARENT_MISSING']);
      const subsegments = Array.from({ length: 40 }, (_, index) => ({
        id: String(100 + index).padStart(16, '0'),
        name: `part ${index}`,
        start_time: now - 10,
        end_time: now - 9.9,
        metadata: { default: { filling: 'x'.repeat(300_000) } },
      }));
      await keep({ subsegments });
      assert.deepEqual(await codes(), ['TOO_LARGE', 'PARENT_MISSING']);
    });

    it('answers 404 to a trace that is not here, and says why that may be', async () => {
      const answer = await get(`/api/traces/${traceId}`);
      assert.equal(answer.status, 404);
      assert.equal(json(answer)['code'], 'NOT_FOUND');
      assert.match(String(json(answer)['message']), /unsampled, older than the retention, or elsewhere/);
    });

    for (const id of [
      'x',
      '0'.repeat(32),
      `${traceId}0`,
      traceId.slice(1),
      '-'.repeat(35),
      `${traceId}%00`,
      `${traceId}/`,
    ]) {
      it(`answers 404 to "${id}"`, async () => {
        const answer = await get(`/api/traces/${id}`);
        assert.equal(answer.status, 404);
        assert.equal(json(answer)['code'], 'NOT_FOUND');
      });
    }
  });

  describe('at /api/normal', () => {
    const idOf = (index: number): string => `1-${(now - 10).toString(16)}-${String(index).padStart(24, '0')}`;
    const asked = (path: string): object => ({ http: { request: { method: 'GET', url: `http://shop/${path}` } } });

    async function keepCall(index: number, took: number, path = `orders/${index}`): Promise<void> {
      const db = {
        id: '4'.repeat(16),
        name: 'db',
        namespace: 'remote',
        start_time: now - 10,
        end_time: now - 10 + took,
      };
      await keep({ trace_id: idOf(index), end_time: now - 9, ...asked(path), subsegments: [db] });
    }

    it('gives the medians of the other traces of the entry point, and how many have each place', async () => {
      await keepCall(1, 0.9);
      await keepCall(2, 0.125);
      await keepCall(3, 0.25);
      await keepCall(4, 0.5);
      await keepCall(5, 0.9, 'carts/1');
      await keep({ trace_id: idOf(6), end_time: now - 8, ...asked('orders/6') });
      await keep({ trace_id: idOf(7), end_time: undefined, in_progress: true, ...asked('orders/7') });
      const answer = await get(`/api/normal?id=${idOf(1)}`);
      assert.equal(answer.status, 200);
      const place = { Duration: 0.25, FailedCount: 0, SelfTime: 0.25, Places: [] };
      assert.deepEqual(json(answer), {
        TraceCount: 4,
        Places: [
          {
            Kind: 'segment  shop   GET /orders/0 ',
            Name: 'shop',
            Detail: 'GET /orders/…',
            TraceCount: 4,
            FailedCount: 0,
            Duration: 1,
            SelfTime: 0.8125,
            Places: [{ Kind: 'subsegment remote db     ', Name: 'db', Detail: '', TraceCount: 3, ...place }],
          },
        ],
      });
    });

    it('has no place when no other trace is alike', async () => {
      await keep();
      assert.deepEqual(json(await get(`/api/normal?id=${traceId}`)), { TraceCount: 0, Places: [] });
    });

    it('answers 404 to a trace that is not here, and 400 to an id that is none', async () => {
      assert.equal((await get(`/api/normal?id=${traceId}`)).status, 404);
      const answer = await get('/api/normal?id=x');
      assert.equal(answer.status, 400);
      assert.equal(json(answer)['message'], 'id: expected a trace id, got "x"');
    });
  });

  describe('at /api/linked', () => {
    it('gives the traces that a trace comes from, and those that come from it', async () => {
      const [first, last] = [
        `1-${(now - 10).toString(16)}-${'a'.repeat(24)}`,
        `1-${(now - 10).toString(16)}-${'b'.repeat(24)}`,
      ];
      const ids = { first: '7'.repeat(16), middle: '8'.repeat(16), last: '9'.repeat(16) };
      await keep({ trace_id: first, id: ids.first });
      await keep({ id: ids.middle, links: [{ trace_id: first, id: ids.first }] });
      await keep({ trace_id: last, id: ids.last, links: [{ trace_id: traceId, id: ids.middle }] });
      const { From, To, TraceSummaries } = json(await get(`/api/linked?id=${traceId}`)) as unknown as LinkedAnswer;
      assert.deepEqual(From, [{ Id: ids.middle, LinkedTraceId: first, LinkedId: ids.first }]);
      assert.deepEqual(To, [{ Id: ids.middle, LinkedTraceId: last, LinkedId: ids.last }]);
      assert.deepEqual(TraceSummaries.map(({ Id }) => Id).toSorted(), [first, last]);
    });

    it('gives links whose other end is not here', async () => {
      const gone = `1-${(now - 10).toString(16)}-${'a'.repeat(24)}`;
      await keep({ links: [{ trace_id: gone, id: '7'.repeat(16) }] });
      const { From, TraceSummaries } = json(await get(`/api/linked?id=${traceId}`)) as unknown as LinkedAnswer;
      assert.equal(From[0]?.LinkedTraceId, gone);
      assert.deepEqual(TraceSummaries, []);
    });

    it('answers 404 to a trace that is not here', async () => {
      assert.equal((await get(`/api/linked?id=${traceId}`)).status, 404);
    });
  });

  describe('at /api/sampling', () => {
    const draft = {
      RuleName: 'orders',
      Priority: 10,
      ReservoirSize: 0,
      FixedRate: 0.25,
      ServiceName: '*',
      ServiceType: '*',
      Host: '*',
      HTTPMethod: '*',
      URLPath: '/orders/*',
      ResourceARN: '*',
      Version: 1,
    };
    const preview = async (words: Readonly<Record<string, string>> = {}) =>
      await get(`/api/sampling/preview?${new URLSearchParams({ from: `${now - 60}`, to: `${now}`, ...words })}`);

    it('tells the rules, and the last target that a client was given', async () => {
      const clientId = '0f1e2d3c4b5a69788796a5b4';
      const counts = { requestCount: 9, sampledCount: 2, borrowCount: 1 };
      const timeNs = BigInt(now) * nanosecondsPerSecond;
      const reports = [{ ruleName: 'Default', clientId, timeNs, ...counts }];
      await test.context.sampling.targets({ reports, boostReports: [] });
      const { SamplingRuleRecords, SamplingStatisticSummaries, LastTargets } = json(await get('/api/sampling'));
      assert.equal((SamplingRuleRecords as readonly unknown[]).length, 1); // A list, as in the documentation.
      assert.equal((SamplingStatisticSummaries as readonly unknown[]).length, 1);
      const target = { FixedRate: 0.05, ReservoirQuota: 1, ReservoirQuotaTTL: now + 300, Interval: 10 };
      assert.deepEqual(LastTargets, [{ RuleName: 'Default', ...target, GivenAt: now, ClientCount: 1 }]);
    });

    it('previews a draft on the traces of the range, by service and by rule', async () => {
      const url = 'http://shop.example/orders/1';
      await keep({ fault: true, http: { request: { method: 'GET', url } } });
      await keep({ trace_id: `1-${(now - 10).toString(16)}-${'a'.repeat(24)}`, id: '2'.repeat(16) });
      const answer = await preview({ draft: JSON.stringify(draft) });
      assert.equal(answer.status, 200, answer.body.toString());
      const nothing = { MatchedCount: 0, KeptCount: 0, ReservoirCount: 0 };
      assert.deepEqual(json(answer), {
        TraceCount: 2,
        IsWhole: true,
        Seconds: 60,
        Services: [
          {
            Name: 'shop',
            SeenCount: 2,
            ErrorCount: 0,
            FaultCount: 1,
            Before: { KeptCount: 1.05, ErrorsLostCount: 0, FaultsLostCount: 0.475 },
            After: { KeptCount: 1.25, ErrorsLostCount: 0, FaultsLostCount: 0.75 },
          },
        ],
        Rules: [
          { RuleName: 'orders', After: { MatchedCount: 1, KeptCount: 0.25, ReservoirCount: 0 } },
          {
            RuleName: 'Default',
            Before: { MatchedCount: 2, KeptCount: 1.05, ReservoirCount: 1 },
            After: { MatchedCount: 1, KeptCount: 1, ReservoirCount: 1 },
          },
        ],
      });
      assert.deepEqual(json(await preview({ filter: 'ok', draft: JSON.stringify(draft) }))['TraceCount'], 1);
      const unused = json(await preview({ filter: 'error' }));
      assert.deepEqual(unused['Rules'], [{ RuleName: 'Default', Before: nothing, After: nothing }]);
    });

    it('reads the traffic once while a draft is changed, and again for another question', async () => {
      await keep();
      assert.equal(json(await preview())['TraceCount'], 1);
      store.failWith(new RaybridgeError('STORE_FAILED', 'away'));
      const moved = { from: `${now - 50}`, to: `${now + 10}` };
      assert.equal(json(await preview({ ...moved, draft: JSON.stringify(draft) }))['TraceCount'], 1);
      for (const other of [{ filter: 'fault' }, { from: `${now - 91}` }, { to: `${now + 31}` }])
        assert.notEqual((await preview(other)).status, 200);
    });

    it('previews a change of the default rule', async () => {
      await keep();
      const answer = await preview({
        rule: 'Default',
        draft: '{"RuleName":"Default","ReservoirSize":0,"FixedRate":0}',
      });
      const [service] = json(answer)['Services'] as readonly Record<string, unknown>[]; // As above.
      assert.deepEqual(
        [service?.['Before'], service?.['After']],
        [
          { KeptCount: 1, ErrorsLostCount: 0, FaultsLostCount: 0 },
          { KeptCount: 0, ErrorsLostCount: 0, FaultsLostCount: 0 },
        ],
      );
    });

    it('refuses a draft with the words of the X-Ray API', async () => {
      for (const [words, message] of [
        [
          { draft: JSON.stringify({ ...draft, Priority: 0 }) },
          'Priority: expected a whole number from 1 to 9999, got 0',
        ],
        [{ draft: JSON.stringify({ ...draft, FixedRate: 'x' }) }, 'FixedRate: expected a number, got "x"'],
        [{ draft: JSON.stringify({ ...draft, RuleName: 'Default' }) }, 'RuleName: "Default" is reserved'],
        [{ draft: JSON.stringify(draft), rule: 'nobody' }, 'RuleName: there is no sampling rule "nobody"'],
        [{ draft: '[]' }, 'draft: expected a JSON object, got another JSON value'],
      ] as const) {
        const answer = await preview(words);
        assert.deepEqual([answer.status, json(answer)['message']], [400, message]);
      }
      assert.equal((await preview({ draft: '{' })).status, 400);
      assert.equal((await get('/api/sampling/preview')).status, 400);
    });
  });

  describe('at /api/insights/{id}', () => {
    it('gives the insight, who calls its services, and its root cause minute by minute', async () => {
      const startMinute = Math.floor(now / 60) - 2;
      const requests = { okCount: 0, faultCount: 1, totalCount: 1 };
      const stock = { name: 'stock', type: 'remote', accountId: undefined };
      const insight: Insight = {
        id: '00000000-0000-4000-8000-000000000001',
        groupName: 'Default',
        groupArn: 'arn:aws:xray:us-east-1:000000000000:group/Default',
        rootCause: stock,
        expectedRate: 0.05,
        services: [stock],
        startMinute,
        updatedMinute: startMinute + 1,
        summary: 'stock fails',
        clientRequests: requests,
        rootCauseRequests: requests,
        events: [],
      };
      const nowNs = () => BigInt(now) * nanosecondsPerSecond;
      await openInsightDocuments({ store, nowNs }).put([insight]);
      const at = (startMinute + 1) * 60 + 5;
      const call = { id: '4'.repeat(16), name: 'stock', namespace: 'remote', start_time: at, end_time: at + 1 };
      // The time in the id is that by which a store lists it.
      const trace_id = `1-${at.toString(16)}-${'a'.repeat(24)}`;
      await keep({ trace_id, start_time: at, end_time: at + 1, subsegments: [{ ...call, fault: true }] });
      const answer = json(await get(`/api/insights/${insight.id}`));
      assert.deepEqual(answer['ExpectedFaultRate'], 0.05);
      const services = answer['ImpactServices'] as readonly { Name: string; Type?: string; Edges: object[] }[]; // As there.
      assert.deepEqual(
        services.map(({ Name, Type, Edges }) => [Name, Type, Edges.length]),
        [
          ['shop', 'client', 1],
          ['shop', undefined, 1],
          ['stock', 'remote', 0],
        ],
      );
      const minutes = answer['Minutes'] as readonly Record<string, unknown>[]; // As there.
      assert.deepEqual(
        minutes.map(({ Timestamp }) => Timestamp),
        [(startMinute + 1) * 60],
      );
      assert.equal((await get('/api/insights/x')).status, 404);
    });
  });

  describe('at /api/attributes', () => {
    it('gives keys, and the values of one, that begin as wanted', async () => {
      await keep();
      const range = `from=${now - 60.5}&to=${now}`;
      const texts = async (question: string): Promise<readonly unknown[]> =>
        // A list, as in the documentation.
        (json(await get(`/api/attributes?${range}${question}`))['Completions'] as readonly { text: unknown }[]).map(
          ({ text }) => text,
        );
      assert.ok((await texts('')).includes('service.name'));
      assert.deepEqual(await texts('&prefix=service.n'), ['service.name']);
      assert.deepEqual(await texts('&key=service_name'), await texts('&key=service.name'));
      assert.equal((await texts('&key=service.name')).length, 1);
      assert.deepEqual(await texts('&key=service.name&prefix=nobody'), []);
      assert.equal((await get('/api/attributes')).status, 400);
    });
  });

  describe('at /api/map', () => {
    it('gives the service graph of the range', async () => {
      await keep();
      const { StartTime, EndTime, Services } = json(await get(`/api/map?from=${now - 60.5}&to=${now}`));
      assert.deepEqual([StartTime, EndTime], [now - 60.5, now]);
      assert.equal((Services as readonly unknown[]).length, 2); // A list, as in the documentation.
      assert.deepEqual(json(await get(`/api/map?from=1&to=2`))['Services'], []);
    });

    it('answers 400 without a range', async () => {
      assert.equal((await get('/api/map')).status, 400);
    });
  });

  it('is configured with the address of the X-Ray API and the embedded store unless told otherwise', () => {
    assert.deepEqual(consoleExtension.configSchema.parse({}), { endpoint: '127.0.0.1:2080', store: 'clickhouse' });
    assert.throws(() => consoleExtension.configSchema.parse({ port: 1 }));
  });
});

interface TraceJson {
  readonly Trace: { readonly Id: string; readonly Segments: readonly { readonly Document: string }[] };
  readonly Summary: { readonly HasFault: boolean };
  readonly Services: readonly { readonly Type?: string }[];
}

function json({ body }: HttpAnswer): Readonly<Record<string, unknown>> {
  return JSON.parse(body.toString());
}

function idsOf(summaries: unknown): readonly string[] {
  return (summaries as readonly { readonly Id: string }[]).map(({ Id }) => Id); // As GetTraceSummaries gives them.
}
