import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  createTestContext,
  createTestIntake,
  type TestContext,
  type TestIntake,
} from '../../../test/support/context.ts';
import { type HttpAnswer, sendHttp } from '../../../test/support/http.ts';
import { toMessage } from '../../../test/support/http-message.ts';
import { createMemoryStore } from '../../../test/support/memory-store.ts';
import { sign } from '../../../test/support/sign.ts';
import { testSpan } from '../../../test/support/span.ts';
import { encodeTraces, encodeTracesJson } from '../../codec/index.ts';
import { decodeRpcStatus } from '../../codec/rpc-status.ts';
import { authSchema, createGate } from './authentication.ts';
import { xrayApi } from './index.ts';

const closeDeadlineMs = 2_000;
/** The clock of the test context. */
const nowMs = 1_700_000_000_000;
const secretOf = (role: string): string => `canary secret of ${role}`;
const auth = {
  keys: ['write', 'read', 'admin'].map((role) => ({
    access_key_id: `AKID${role}`,
    secret_access_key: secretOf(role),
    role,
  })),
  regions: ['us-east-1'],
};
const traceIds = { TraceIds: ['1-5759e988-bd862e3fe1be46a994272793'] };
const json = { 'content-type': 'application/json' };
const protobuf = { 'content-type': 'application/x-protobuf' };

describe('who may call the X-Ray API', () => {
  let test: TestContext;
  let intake: TestIntake;

  beforeEach(() => {
    test = createTestContext('xray_api');
    intake = createTestIntake();
  });
  afterEach(() => test.http.close(closeDeadlineMs));

  async function start(config: object): Promise<void> {
    const extension = xrayApi.create({
      config: xrayApi.configSchema.parse(config),
      context: { ...test.context, store: createMemoryStore },
      intake,
    });
    await extension.start();
    await test.http.listen();
  }

  interface Call {
    readonly path?: string;
    readonly body?: Uint8Array | object;
    readonly headers?: Readonly<Record<string, string>>;
    /** Whose key signs; nobody's, if not given. */
    readonly role?: string;
    readonly accessKeyId?: string;
    readonly secretAccessKey?: string;
    readonly signedAtMs?: number;
  }

  async function call({
    path = '/Traces',
    body = traceIds,
    headers = json,
    role,
    ...signing
  }: Call): Promise<HttpAnswer> {
    const bytes = body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
    const port = test.address('X-Ray API').split(':')[1];
    const withHost = { host: `127.0.0.1:${port}`, ...headers };
    const key = { accessKeyId: `AKID${role}`, secretAccessKey: secretOf(role ?? ''), signedAtMs: nowMs, ...signing };
    const signed = role ? await sign({ method: 'POST', path, headers: withHost, body: bytes }, key) : withHost;
    return await sendHttp(`127.0.0.1:${port}`, { method: 'POST', path, headers: signed, body: bytes });
  }

  async function exception(answer: Promise<HttpAnswer>): Promise<readonly [number, unknown]> {
    const { status, headers } = await answer;
    return [status, headers['x-amzn-errortype']];
  }

  describe('off loopback', () => {
    it('is nobody without keys: the start is refused', () =>
      assert.rejects(start({ endpoint: '0.0.0.0:0' }), { code: 'CONFIG_INVALID', message: /auth\.keys/ }));

    describe('with keys', () => {
      beforeEach(() => start({ endpoint: '0.0.0.0:0', auth }));

      it('is who signs with one of them', async () => {
        assert.equal((await call({ role: 'read' })).status, 200);
        assert.equal((await call({ role: 'admin' })).status, 200);
      });

      for (const [what, given, status, name] of [
        ['nobody signed', {}, 403, 'MissingAuthenticationTokenException'],
        [
          'nothing stands in Authorization',
          { headers: { authorization: '' } },
          403,
          'MissingAuthenticationTokenException',
        ],
        [
          'something else stands in Authorization',
          { headers: { authorization: 'Bearer x' } },
          400,
          'IncompleteSignatureException',
        ],
        ['the key is not known', { role: 'read', accessKeyId: 'AKIDnobody' }, 403, 'UnrecognizedClientException'],
        ['the secret is wrong', { role: 'read', secretAccessKey: 'another secret' }, 403, 'InvalidSignatureException'],
        ['the clock is off', { role: 'read', signedAtMs: nowMs - 400_000 }, 403, 'InvalidSignatureException'],
        ['the role is too small', { role: 'write' }, 403, 'AccessDeniedException'],
        ['the operation is not known', { role: 'write', path: '/Nonsense' }, 404, 'UnknownOperationException'],
        [
          'nobody signed and the operation is not known',
          { path: '/Nonsense' },
          403,
          'MissingAuthenticationTokenException',
        ],
      ] as const) {
        it(`answers ${status} ${name} when ${what}`, async () => {
          assert.deepEqual(await exception(call(given)), [status, name]);
          assert.equal(
            test.value('raybridge_api_requests_total', {
              operation: given.path ? 'unknown' : 'BatchGetTraces',
              outcome: name,
            }),
            1,
          );
        });
      }

      it('makes nothing of a body that is not signed for', async () => {
        const given = { role: 'read', secretAccessKey: 'another secret', body: Buffer.from('{"') };
        assert.deepEqual(await exception(call(given)), [403, 'InvalidSignatureException']);
        const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024));
        const zipped = { ...given, body: bomb, headers: { ...json, 'content-encoding': 'gzip' } };
        assert.deepEqual(await exception(call(zipped)), [403, 'InvalidSignatureException']);
      });

      for (const [name, value, expected] of [
        ['Authorization', 'AWS4-HMAC-SHA256 Credential=x', 400],
        ['X-Amz-Date', '20231114T221320Z', 403],
        ['Content-Type', 'application/json', 403],
        ['x-amz-target', 'AWSXRay.DeleteGroup', 403],
        ['__proto__', 'x', 200],
      ] as const) {
        it(`answers ${expected} when ${name} was added on the way`, async () => {
          const port = test.address('X-Ray API').split(':')[1];
          const body = Buffer.from(JSON.stringify(traceIds));
          const headers = { host: `127.0.0.1:${port}`, ...json };
          const key = { accessKeyId: 'AKIDread', secretAccessKey: secretOf('read'), signedAtMs: nowMs };
          const signed = await sign({ method: 'POST', path: '/Traces', headers, body }, key);
          const sent = [...Object.entries(signed), [name, value], ['Content-Length', String(body.length)]].flat();
          const options = { method: 'POST', path: '/Traces', headers: sent, body };
          const { status } = await sendHttp(`127.0.0.1:${port}`, options);
          assert.equal(status, expected);
        });
      }

      it('hashes no body over the limit', async () => {
        const { status } = await call({ role: 'write', path: '/TraceSegments', body: Buffer.alloc(21 * 1024 * 1024) });
        assert.equal(status, 413);
      });

      it('tells a sender of a large body why it is refused', async () => {
        const body = Buffer.alloc(15 * 1024 * 1024);
        assert.deepEqual(await exception(call({ body })), [403, 'MissingAuthenticationTokenException']);
      });

      it('covers the bytes on the wire, compressed or not', async () => {
        const body = gzipSync(JSON.stringify(traceIds));
        assert.equal(
          (await call({ role: 'read', body, headers: { ...json, 'content-encoding': 'gzip' } })).status,
          200,
        );
      });

      it('keeps secrets out of answers and logs', async () => {
        const answers = await Promise.all([
          call({}),
          call({ role: 'read', signedAtMs: 0 }),
          call({ role: 'write' }),
          call({ role: 'admin', secretAccessKey: 'x' }),
        ]);
        assert.doesNotMatch(answers.map(({ body }) => body.toString()).join(), /canary/);
        assert.doesNotMatch(JSON.stringify(test.log.entries), /canary/);
      });
    });
  });

  describe('on loopback', () => {
    it('is anybody, with any credentials or none, also where there are keys', async () => {
      await start({ endpoint: '127.0.0.1:0', auth });
      assert.equal((await call({})).status, 200);
      assert.equal((await call({ role: 'write', secretAccessKey: 'wrong' })).status, 200);
      assert.ok(test.log.entries.some(({ level, message }) => level === 'warn' && /enforce_on_loopback/.test(message)));
    });

    it('is who has a key when the configuration says so', async () => {
      await start({ endpoint: '127.0.0.1:0', auth: { ...auth, enforce_on_loopback: true } });
      assert.deepEqual(await exception(call({})), [403, 'MissingAuthenticationTokenException']);
      assert.equal((await call({ role: 'read' })).status, 200);
    });
  });

  describe('with OTLP at /v1/traces', () => {
    const spans = encodeTraces([testSpan()]);

    it('is anybody on loopback, in protobuf, JSON and gzip', async () => {
      await start({ endpoint: '127.0.0.1:0' });
      for (const [body, headers, format] of [
        [spans, protobuf, 'otlp_proto'],
        [Buffer.from(encodeTracesJson([testSpan()])), json, 'otlp_json'],
        [gzipSync(spans), { ...protobuf, 'content-encoding': 'gzip' }, 'otlp_proto'],
      ] as const) {
        const answer = await call({ path: '/v1/traces', body, headers });
        assert.equal(answer.status, 200);
        assert.equal(answer.headers['content-type'], headers['content-type']);
        assert.equal(intake.batches.at(-1)?.format, format);
      }
      assert.equal(test.value('raybridge_accepted_spans_total', { receiver: 'xray_api' }), 3);
    });

    it('is who has a key to write', async () => {
      await start({ endpoint: '0.0.0.0:0', auth });
      const send = (given: Call): Promise<HttpAnswer> =>
        call({ path: '/v1/traces', body: spans, headers: protobuf, ...given });
      assert.equal((await send({ role: 'write' })).status, 200);
      assert.equal((await send({ role: 'admin' })).status, 200);
      assert.equal(intake.batches.length, 2);

      const missing = await send({});
      assert.equal(missing.status, 401);
      assert.equal(missing.headers['www-authenticate'], 'AWS4-HMAC-SHA256');
      assert.equal(missing.headers['content-type'], 'application/x-protobuf');
      assert.equal(decodeRpcStatus(missing.body).code, 16);
      assert.equal((await send({ role: 'write', secretAccessKey: 'wrong' })).status, 401);
      const tooSmall = await send({ role: 'read' });
      assert.equal(tooSmall.status, 403);
      assert.equal(decodeRpcStatus(tooSmall.body).code, 7);
      assert.equal(intake.batches.length, 2);
      assert.equal(test.value('raybridge_rejected_total', { receiver: 'xray_api', reason: 'CREDENTIALS_MISSING' }), 1);
    });

    it('sends at most 5 MiB and 10,000 spans in a request', async () => {
      await start({ endpoint: '127.0.0.1:0' });
      const send = (body: Uint8Array, headers: Readonly<Record<string, string>> = protobuf): Promise<HttpAnswer> =>
        call({ path: '/v1/traces', body, headers });
      const span = testSpan();
      assert.equal((await send(encodeTraces(Array.from({ length: 10_000 }, () => span)))).status, 200);
      assert.equal((await send(encodeTraces(Array.from({ length: 10_001 }, () => span)))).status, 413);
      const zipped = gzipSync(Buffer.alloc(5 * 1024 * 1024 + 1));
      assert.equal((await send(zipped, { ...protobuf, 'content-encoding': 'gzip' })).status, 413);
      assert.equal(intake.batches.length, 1);
    });

    it('is told to POST protobuf or JSON', async () => {
      await start({ endpoint: '127.0.0.1:0' });
      const got = await sendHttp(test.address('X-Ray API'), { path: '/v1/traces' });
      assert.deepEqual([got.status, got.headers.allow], [405, 'POST']);
      assert.equal((await call({ path: '/v1/traces', headers: { 'content-type': 'text/plain' } })).status, 415);
    });
  });
});

describe('a request that was seen on the wire', () => {
  const gate = createGate({
    auth: authSchema.parse(auth),
    endpoint: '0.0.0.0:0',
    nowNs: () => BigInt(nowMs) * 1_000_000n,
  });

  async function send(action: string, headers: Readonly<Record<string, string>>): Promise<void> {
    const sent = { method: 'POST', target: '/CreateGroup', headers: Object.entries(headers), body: new Uint8Array() };
    const verify = await gate?.admit(toMessage(sent), action);
    verify?.(sent.body);
  }

  const signed = (attempt: number): Promise<Record<string, string>> =>
    sign(
      {
        method: 'POST',
        path: '/CreateGroup',
        headers: { host: 'raybridge', 'amz-sdk-request': `attempt=${attempt}` },
        body: new Uint8Array(),
      },
      { accessKeyId: 'AKIDadmin', secretAccessKey: secretOf('admin'), signedAtMs: nowMs },
    );

  it('works once where it changes something', async () => {
    const headers = await signed(1);
    await send('CreateGroup', headers);
    await assert.rejects(send('CreateGroup', headers), { code: 'SIGNATURE_INVALID', message: /used before/ });
  });

  it('is another one when an SDK tries again, in the same second too', async () => {
    await send('CreateGroup', await signed(2));
    await send('CreateGroup', await signed(3));
  });

  it('works again where it does no harm', async () => {
    const headers = await signed(4);
    for (const action of ['PutTraceSegments', 'PutTraceSegments', 'GetTraceSummaries', 'GetTraceSummaries']) {
      await send(action, headers);
    }
  });
});

describe('the configuration of keys', () => {
  const [key] = auth.keys;
  for (const [what, wrong, message] of [
    ['no keys', { ...auth, keys: [] }, /keys/],
    ['no regions', { ...auth, regions: [] }, /regions/],
    [
      'a secret that can be guessed',
      { ...auth, keys: [{ ...key, secret_access_key: 'canary' }] },
      /at least 16 characters/,
    ],
    ['one key id twice', { ...auth, keys: [key, { ...key, role: 'admin' }] }, /once/],
    ['a role that nobody has', { ...auth, keys: [{ ...key, role: 'owner' }] }, /role/],
    ['a key nobody reads', { ...auth, required: true }, /required/],
    ['a clock that is off by more than 15 minutes', { ...auth, clock_skew: '16m' }, /from 1s to 15m/],
  ] as const) {
    it(`refuses ${what}`, () => {
      const { error } = authSchema.safeParse(wrong);
      assert.match(error?.message ?? '', message);
      assert.doesNotMatch(error?.message ?? '', /canary/);
    });
  }
});
