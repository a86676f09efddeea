import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import * as fc from 'fast-check';
import { type Delivering, startDelivering } from '../../../test/support/delivering.ts';
import { type FakeOtlp, type HttpBehaviour, openFakeOtlpHttp, takesHttp } from '../../../test/support/fake-otlp.ts';
import { testSpan } from '../../../test/support/span.ts';
import { encodeTraces, encodeTracesJson } from '../../codec/index.ts';
import { encodeTracesResponse } from '../../codec/otlp-proto.ts';
import { joinSegments } from '../../codec/segment.ts';
import type { Span } from '../../model/index.ts';
import { otlpHttpExporter } from './index.ts';

let ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.toReversed()) await end();
  ends = [];
});

describe('the otlp_http exporter', () => {
  it('sends what came as protobuf as it came, several records in one request, gzipped', async () => {
    const { run, fake } = await start();
    await Promise.all([spans(0, 3), spans(3, 2)].map((some) => put(run, some)));
    await run.settled();
    assert.deepEqual(fake.taken.toSorted(), ids(0, 5));
    assert.equal(fake.headers[0]?.['content-encoding'], 'gzip');
    assert.equal(run.delivered(), 5);
  });

  it('sends JSON and segment documents as protobuf', async () => {
    const { run, fake } = await start();
    await run.put({ format: 'otlp_json', body: Buffer.from(encodeTracesJson(spans(0, 2))), items: 2 });
    const document = `{"trace_id":"1-6553f100-00f1e2d3c4b5a69788796a5b","id":"${idOf(2)}","name":"a","start_time":1,"end_time":2}`;
    await run.put({ format: 'xray_segments', body: joinSegments([Buffer.from(document)]), items: 1 });
    await run.settled();
    assert.deepEqual(fake.taken.toSorted(), ids(0, 3));
  });

  for (const compression of ['none', 'deflate', 'zlib', '']) {
    it(`sends JSON where that is wanted, compression ${JSON.stringify(compression)}, to a path of its own, with headers`, async () => {
      let path = '';
      const { run, fake } = await start((address) => ({
        endpoint: undefined,
        traces_endpoint: `http://${address}/custom?x=1`,
        encoding: 'json',
        compression,
        headers: [{ name: 'Api-Key', value: 'k' }],
      }));
      fake.answer((call, response) => {
        ({ path } = call);
        takesHttp(call, response);
      });
      await put(run, spans(0, 2));
      await run.settled();
      assert.deepEqual(fake.taken, ids(0, 2));
      assert.equal(path, '/custom?x=1');
      assert.equal(fake.headers[0]?.['api-key'], 'k');
    });
  }

  for (const status of [429, 502, 503, 504]) {
    it(`tries again after ${status}`, async () => {
      const { run, fake } = await start();
      fake.answer(answers(status), answers(status));
      await put(run, spans(0, 2));
      await run.settled();
      assert.deepEqual(fake.taken, ids(0, 2));
      assert.deepEqual([...run.deadLetters()], []);
    });
  }

  for (const [what, behaviour] of [
    ['a cut connection', (_, response) => void response.destroy()],
    ['no answer', () => {}],
    [
      'a cut answer',
      (_, response) => void response.writeHead(200, { 'content-length': 9 }).write('x', () => response.destroy()),
    ],
  ] as const satisfies readonly (readonly [string, HttpBehaviour])[]) {
    it(`tries again after ${what}`, async () => {
      const { run, fake } = await start(() => ({ timeout: '300ms' }));
      fake.answer(behaviour, behaviour);
      await put(run, spans(0, 2));
      await run.settled();
      assert.deepEqual(fake.taken, ids(0, 2));
    });
  }

  it('waits as Retry-After says in seconds or as a date, and as retry_on_failure says without', async () => {
    const { run, fake } = await start(() => ({ retry_on_failure: { initial_interval: '2s', multiplier: 3 } }));
    const inAWhile = new Date(Date.now() + 100_000).toUTCString();
    fake.answer(
      answers(503, { 'retry-after': '7' }),
      answers(503, { 'retry-after': inAWhile }),
      answers(503),
      answers(503),
    );
    await put(run, spans(0, 1));
    await run.settled();
    const [seconds, date, third, fourth] = run.pauses.filter((ms) => ms > 200);
    assert.equal(seconds, 7000);
    assert.ok(date && date > 90_000 && date <= 100_000, String(date));
    assert.deepEqual([third, fourth], [2000 * 9, 30_000]);
  });

  for (const status of [400, 404, 405, 408, 415, 500, 501, 505]) {
    it(`keeps as a dead letter what ${status} refuses, and only that`, async () => {
      const { run, fake } = await start();
      fake.otherwise((call, response) => (call.ids.includes(idOf(1)) ? answers(status) : takesHttp)(call, response));
      await Promise.all([0, 1, 2].map((number) => put(run, spans(number, 1))));
      await run.settled();
      assert.deepEqual(fake.taken.toSorted(), [idOf(0), idOf(2)]);
      assert.deepEqual([...run.deadLetters()], [['DESTINATION_REFUSED', 1]]);
      assert.equal(run.delivered(), 2);
    });
  }

  it('halves a request that is too large, down to the span to blame', async () => {
    const { run, fake } = await start();
    fake.otherwise((call, response) => (call.ids.includes(idOf(5)) ? answers(413) : takesHttp)(call, response));
    await put(run, spans(0, 8));
    await run.settled();
    assert.deepEqual(
      fake.taken.toSorted(),
      ids(0, 8).filter((id) => id !== idOf(5)),
    );
    assert.deepEqual([...run.deadLetters()], [['TOO_LARGE', 1]]);
    assert.equal(run.delivered(), 7);
  });

  it('does not send again the half that was taken when the other half fails', async () => {
    const { run, fake } = await start();
    fake.answer(answers(413), takesHttp, answers(503));
    await put(run, spans(0, 8));
    await run.settled();
    assert.deepEqual(fake.taken, ids(0, 8));
    assert.deepEqual([...run.deadLetters()], []);
    assert.equal(run.delivered(), 8);
  });

  it('keeps of a halved request only what is refused', async () => {
    const { run, fake } = await start();
    fake.answer(answers(413));
    fake.otherwise((call, response) => (call.ids.includes(idOf(5)) ? answers(400) : takesHttp)(call, response));
    await put(run, spans(0, 8));
    await run.settled();
    assert.deepEqual(
      fake.taken.toSorted(),
      ids(0, 8).filter((id) => id !== idOf(5)),
    );
    assert.deepEqual([...run.deadLetters()], [['DESTINATION_REFUSED', 1]]);
    assert.equal(run.delivered(), 7);
  });

  for (const status of [401, 403, 302, 307]) {
    it(`keeps the data after ${status}, and tells why until it is taken`, async () => {
      const { run, fake } = await start();
      const faults: string[] = [];
      fake.answer(answers(status, { location: 'http://127.0.0.1:1/' }), (call, response) => {
        faults.push(...run.setting.context.status.faults.values());
        takesHttp(call, response);
      });
      await put(run, spans(0, 1));
      await run.settled();
      assert.match(String(faults), new RegExp(`answered ${status}`));
      assert.deepEqual(fake.taken, ids(0, 1));
      assert.equal(run.setting.context.status.faults.size, 0);
    });
  }

  it('counts what the backend rejected of a request that it took, and does not send it again', async () => {
    const { run, fake } = await start();
    fake.answer(({ take }, response) => {
      take();
      response
        .writeHead(200, { 'content-type': 'application/x-protobuf' })
        .end(encodeTracesResponse({ rejected: 2, message: 'too old' }));
    });
    await put(run, spans(0, 5));
    await run.settled();
    assert.equal(fake.requests.length, 1);
    const labels = { exporter: 'traces>tested', reason: 'rejected_by_backend' };
    assert.equal(run.setting.value('raybridge_dropped_spans_total', labels), 2);
    assert.equal(run.delivered(), 3);
  });

  it('takes a 200 that cannot be read, or has no end, for a success', async () => {
    const { run, fake } = await start();
    fake.answer(
      ({ take }, response) => {
        take();
        response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end(Buffer.alloc(5 * 1024 * 1024, 7));
      },
      ({ take }, response) => {
        take();
        response.writeHead(200, { 'content-type': 'application/json' }).end('<html>');
      },
    );
    await put(run, spans(0, 1));
    await run.settled();
    await put(run, spans(1, 1));
    await run.settled();
    assert.deepEqual(fake.taken, ids(0, 2));
    assert.equal(fake.requests.length, 2);
  });

  it('loses, invents and repeats nothing but what a broken connection makes it repeat', async () => {
    const { run, fake } = await start();
    const trouble = fc.constantFrom<HttpBehaviour>(
      answers(503),
      answers(429),
      answers(403),
      (_, response) => void response.destroy(),
    );
    let number = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(trouble, { maxLength: 5 }),
        fc.integer({ min: 1, max: 40 }),
        async (troubles, count) => {
          fake.answer(...troubles);
          await put(run, spans(number, count));
          number += count;
          await run.settled();
        },
      ),
      { numRuns: 50 },
    );
    assert.deepEqual(fake.taken.toSorted(), ids(0, number));
    assert.equal(run.delivered(), number);
  });
});

async function start(
  more: (address: string) => object = () => ({}),
): Promise<{ readonly run: Delivering; readonly fake: FakeOtlp<HttpBehaviour> }> {
  const fake = await openFakeOtlpHttp();
  ends.push(fake.close);
  const run = await startDelivering(({ context }) => {
    const settings = { endpoint: `http://${fake.address}`, ...more(fake.address) };
    return otlpHttpExporter.create({ config: otlpHttpExporter.configSchema.parse(settings), context });
  });
  ends.push(run.stop);
  return { run, fake };
}

function answers(status: number, headers: Readonly<Record<string, string>> = {}): HttpBehaviour {
  return (_, response) => void response.writeHead(status, headers).end('made up');
}

function put(run: Delivering, some: readonly Span[]): Promise<void> {
  return run.put({ format: 'otlp_proto', body: encodeTraces(some), items: some.length });
}

function spans(from: number, count: number): readonly Span[] {
  return Array.from({ length: count }, (_, i) => testSpan({ spanId: idOf(from + i) }));
}

function ids(from: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => idOf(from + i));
}

function idOf(number: number): string {
  return (number + 1).toString(16).padStart(16, '0');
}
