import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import * as fc from 'fast-check';
import { cuts, type FakeXray, fails, hangs, openFakeXray, takes } from '../../../test/support/fake-xray.ts';
import { type Delivering, startDelivering } from '../../../test/support/delivering.ts';
import { testSpan } from '../../../test/support/span.ts';
import { encodeTraces } from '../../codec/index.ts';
import { joinSegments } from '../../codec/segment.ts';
import { awsxrayExporter } from './index.ts';

const credentials = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'eu-west-1' };
const saved = new Map(Object.keys(credentials).map((name) => [name, process.env[name]]));
before(() => Object.assign(process.env, credentials));
after(() => {
  for (const [name, value] of saved) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

let fake: FakeXray;
let run: Delivering;

beforeEach(async () => {
  fake = await openFakeXray();
  run = await startDelivering(({ context }) => {
    const config = awsxrayExporter.configSchema.parse({ endpoint: fake.endpoint, request_timeout_seconds: 0.5 });
    return awsxrayExporter.create({ config, context });
  });
});
afterEach(async () => {
  await run.stop();
  await fake.close();
});

describe('the awsxray exporter', () => {
  it('sends documents as they came, at most 50 a call, signed', async () => {
    let authorization = '';
    fake.answer((call, response) => {
      authorization = String(call.message.headers.authorization);
      takes()(call, response);
    });
    const documents = Array.from({ length: 120 }, (_, i) => documentOf(i));
    await put(documents);
    await run.settled();
    assert.match(authorization, /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/xray\/aws4_request, /);
    assert.deepEqual(fake.taken.toSorted(), documents.toSorted());
    assert.deepEqual(
      fake.calls.map((call) => call.length).toSorted((a, b) => a - b),
      [20, 50, 50],
    );
    assert.equal(run.delivered(), 120);
  });

  it('makes documents of spans', async () => {
    const spans = [testSpan({ name: 'GET /cart' })];
    await run.put({ format: 'otlp_proto', body: encodeTraces(spans), items: 1 });
    await run.settled();
    const [document = ''] = fake.taken;
    assert.equal(JSON.parse(document).id, spans[0]?.spanId);
    assert.equal(run.delivered(), 1);
  });

  it('keeps what AWS names as unprocessed, with its code, and sends none of the others again', async () => {
    fake.otherwise(takes((document) => (idOf(document) === idOf(documentOf(1)) ? named(document) : undefined)));
    await put([documentOf(0), documentOf(1), documentOf(2)]);
    await run.settled();
    assert.deepEqual([...run.deadLetters()], [['InvalidSegment', 1]]);
    assert.deepEqual(fake.taken, [documentOf(0), documentOf(2)]);
    assert.equal(run.delivered(), 2);
  });

  it('sends the documents of a page alone when the answer names none', async () => {
    const isBad = (document: string) => idOf(document) === idOf(documentOf(1));
    fake.answer(({ message, documents }, response) =>
      takes((document) => (isBad(document) ? { Id: null } : undefined))({ message, documents, take() {} }, response),
    );
    fake.otherwise(takes((document) => (isBad(document) ? { Id: null, ErrorCode: 'MissingId' } : undefined)));
    await put([documentOf(0), documentOf(1), documentOf(2)]);
    await run.settled();
    assert.deepEqual([...run.deadLetters()], [['MissingId', 1]]);
    assert.deepEqual(fake.taken.toSorted(), [documentOf(0), documentOf(2)].toSorted());
  });

  it('tries a document with a code of their trouble once more', async () => {
    const throttled = takes((document) => ({ Id: idOf(document), ErrorCode: 'ThrottledException' }));
    fake.answer(throttled);
    await put([documentOf(0)]);
    await run.settled();
    assert.deepEqual(fake.taken, [documentOf(0)]);
    fake.answer(throttled, throttled);
    await put([documentOf(1)]);
    await run.settled();
    assert.deepEqual([...run.deadLetters()], [['ThrottledException', 1]]);
  });

  for (const [what, behaviour] of [
    ['429', fails(429, 'ThrottledException')],
    ['400 with a code of throttling', fails(400, 'ThrottlingException')],
    ['408', fails(408, 'RequestTimeoutException')],
    ['500', fails(500, 'InternalFailure')],
    ['502', fails(502, '')],
    ['503', fails(503, 'ServiceUnavailable')],
    ['504', fails(504, '')],
    ['a connection that is cut', cuts()],
    ['an answer that is cut', cuts({ afterHeaders: true })],
    ['no answer', hangs],
    ['403 AccessDeniedException', fails(403, 'AccessDeniedException')],
    ['a redirect', fails(302, '', { location: 'http://127.0.0.1:1/' })],
    ['404 from another server', fails(404, '')],
  ] as const) {
    it(`tries again after ${what}, and loses nothing`, async () => {
      fake.answer(behaviour, behaviour, behaviour);
      await put([documentOf(0), documentOf(1)]);
      await run.settled();
      assert.deepEqual(fake.taken, [documentOf(0), documentOf(1)]);
      assert.deepEqual([...run.deadLetters()], []);
      assert.equal(fake.calls.length, 4);
      assert.equal(run.setting.context.status.faults.size, 0);
    });
  }

  it('waits as long as Retry-After says', async () => {
    fake.answer(fails(429, 'ThrottledException', { 'retry-after': '7' }));
    await put([documentOf(0)]);
    await run.settled();
    assert.ok(run.pauses.includes(7000), String(run.pauses));
  });

  it('tells why AWS takes nothing, until it does', async () => {
    const faults: string[] = [];
    fake.answer(fails(403, 'AccessDeniedException'), (call, response) => {
      faults.push(...run.setting.context.status.faults.values());
      takes()(call, response);
    });
    await put([documentOf(0)]);
    await run.settled();
    assert.match(String(faults), /answered 403 AccessDeniedException made up: AccessDeniedException/);
    assert.ok(run.pauses.includes(60_000));
  });

  it('sets its clock by the Date of a refusal and tries at once', async () => {
    const signed: string[] = [];
    const date = new Date('2031-02-03T04:05:06Z');
    fake.answer(fails(403, 'InvalidSignatureException', { date: date.toUTCString() }), (call, response) => {
      signed.push(String(call.message.headers['x-amz-date']));
      takes()(call, response);
    });
    await put([documentOf(0)]);
    await run.settled();
    assert.match(String(signed), /^20310203T0405\d\dZ$/);
    assert.deepEqual(
      run.pauses.filter((ms) => ms > 200),
      [],
    );
  });

  it('takes its credentials anew when they are out of date', async () => {
    const keys: string[] = [];
    fake.answer(
      (call, response) => {
        process.env['AWS_ACCESS_KEY_ID'] = 'AKIDRENEWED';
        fails(403, 'ExpiredTokenException')(call, response);
      },
      (call, response) => {
        keys.push(String(call.message.headers.authorization));
        takes()(call, response);
      },
    );
    await put([documentOf(0)]);
    await run.settled();
    process.env['AWS_ACCESS_KEY_ID'] = credentials.AWS_ACCESS_KEY_ID;
    assert.match(String(keys), /Credential=AKIDRENEWED\//);
  });

  for (const [status, type] of [
    [400, 'InvalidRequestException'],
    [413, ''],
  ] as const) {
    it(`finds the document for which ${status} refuses a page`, async () => {
      const poison = documentOf(33);
      fake.otherwise((call, response) =>
        (call.documents.includes(poison) ? fails(status, type) : takes())(call, response),
      );
      const documents = Array.from({ length: 50 }, (_, i) => documentOf(i));
      await put(documents);
      await run.settled();
      assert.deepEqual(fake.taken.toSorted(), documents.filter((document) => document !== poison).toSorted());
      assert.deepEqual([...run.deadLetters()], [[type || 'HTTP_413', 1]]);
      assert.equal(run.delivered(), 49);
    });
  }

  it('keeps a document that AWS is known to refuse for its size, and sends its page', async () => {
    await put([documentOf(0), documentOf(1, 'x'.repeat(70_000))]);
    await run.settled();
    assert.deepEqual(fake.taken, [documentOf(0)]);
    assert.deepEqual([...run.deadLetters()], [['TOO_LARGE', 1]]);
  });

  it('does not send a page again when another one of the same delivery failed', async () => {
    const seen: number[] = [];
    fake.otherwise((call, response) => {
      const isFirstTry = !seen.includes(call.documents.length);
      seen.push(call.documents.length);
      (call.documents.length === 30 && isFirstTry ? fails(503, 'ServiceUnavailable') : takes())(call, response);
    });
    await put(Array.from({ length: 80 }, (_, i) => documentOf(i)));
    await run.settled();
    assert.deepEqual(
      seen.toSorted((a, b) => a - b),
      [30, 30, 50],
    );
    assert.equal(fake.taken.length, 80);
  });

  it('sends none of a page again that was taken alone when another one of it fails', async () => {
    fake.answer(
      ({ message, documents }, response) => takes(() => ({ Id: null }))({ message, documents, take() {} }, response),
      takes(),
      fails(503, 'ServiceUnavailable'),
    );
    const documents = [documentOf(0), documentOf(1), documentOf(2)];
    await put(documents);
    await run.settled();
    assert.deepEqual(fake.taken, documents);
    assert.equal(run.delivered(), 3);
  });

  it('sends no half again that was taken when the other one fails', async () => {
    fake.answer(fails(413, ''), takes(), fails(503, 'ServiceUnavailable'));
    const documents = [0, 1, 2, 3].map((number) => documentOf(number));
    await put(documents);
    await run.settled();
    assert.deepEqual(fake.taken, documents);
    assert.equal(run.delivered(), 4);
  });

  it('loses, invents and changes nothing, whatever AWS answers', async () => {
    const isPoison = (document: string) => JSON.parse(document).start_time % 13 === 0;
    const trouble = fc.constantFrom(
      fails(429, 'ThrottledException'),
      fails(503, 'ServiceUnavailable'),
      fails(403, 'ExpiredTokenException'),
      fails(403, 'RequestTimeTooSkewed'),
      cuts(),
      cuts({ afterHeaders: true }),
      cuts({ afterTaking: (document) => !isPoison(document) }),
    );
    fake.otherwise(takes((document) => (isPoison(document) ? named(document) : undefined)));
    let number = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(trouble, { maxLength: 6 }),
        fc.integer({ min: 1, max: 130 }),
        async (troubles, count) => {
          const documents = Array.from({ length: count }, () => documentOf(number++));
          fake.answer(...troubles);
          await put(documents);
          await run.settled();
        },
      ),
      { numRuns: 60 },
    );
    const all = Array.from({ length: number }, (_, i) => documentOf(i));
    assert.deepEqual([...new Set(fake.taken)].toSorted(), all.filter((document) => !isPoison(document)).toSorted());
    assert.deepEqual([...run.deadLetters()], [['InvalidSegment', all.filter(isPoison).length]]);
    assert.equal(run.delivered(), all.length - all.filter(isPoison).length);
  });
});

function put(documents: readonly string[]): Promise<void> {
  const body = joinSegments(documents.map((document) => Buffer.from(document)));
  return run.put({ format: 'xray_segments', body, items: documents.length });
}

function documentOf(number: number, name = 'shop'): string {
  const id = (number + 1).toString(16).padStart(16, '0');
  return `{"trace_id":"1-6553f100-00f1e2d3c4b5a69788796a5b","id":"${id}", "name":"${name}","start_time":${number},"end_time":2E9}`;
}

function idOf(document: string): string {
  return JSON.parse(document).id;
}

function named(document: string) {
  return { Id: idOf(document), ErrorCode: 'InvalidSegment', Message: 'Invalid segment. ErrorCode: InvalidSegment' };
}
