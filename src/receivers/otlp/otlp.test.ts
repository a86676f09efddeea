import assert from 'node:assert/strict';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import {
  createTestContext,
  createTestIntake,
  type TestContext,
  type TestIntake,
} from '../../../test/support/context.ts';
import { callGrpc, grpcFailureOf, grpcStatusOf } from '../../../test/support/grpc.ts';
import { type HttpAnswer, sendHttp } from '../../../test/support/http.ts';
import { testSpan } from '../../../test/support/span.ts';
import { encodeTraces, encodeTracesJson } from '../../codec/index.ts';
import { decodeTracesResponseJson } from '../../codec/otlp-json.ts';
import { decodeTracesResponse } from '../../codec/otlp-proto.ts';
import { decodeRpcStatus } from '../../codec/rpc-status.ts';
import { RaybridgeError } from '../../errors.ts';
import type { Component } from '../../pipeline/component.ts';
import { configSchema } from './config.ts';
import { createOtlpReceiver } from './index.ts';

const labels = { receiver: 'otlp' };
const closeDeadlineMs = 2_000;

describe('the otlp receiver', () => {
  let test: TestContext;
  let intake: TestIntake;
  let receiver: Component;

  beforeEach(() => start({}));
  afterEach(stop);

  async function start(http: object, ignored: readonly string[] = []): Promise<void> {
    test = createTestContext('otlp');
    intake = createTestIntake();
    const protocols = { grpc: { endpoint: '127.0.0.1:0' }, http: { endpoint: '127.0.0.1:0', ...http } };
    const config = configSchema.parse({ protocols });
    receiver = createOtlpReceiver({ config, context: test.context, intake, ignored: new Set(ignored) });
    await receiver.start();
    await test.http.listen();
  }

  async function stop(): Promise<void> {
    await test.http.close(closeDeadlineMs);
    await receiver.shutdown(closeDeadlineMs);
  }

  async function restart(http: object, ignored: readonly string[] = []): Promise<void> {
    await stop();
    await start(http, ignored);
  }

  describe('over HTTP', () => {
    async function send(
      body: Uint8Array | string,
      { method = 'POST', path = '/v1/traces', headers = {} } = {},
    ): Promise<HttpAnswer> {
      return await sendHttp(test.address('OTLP HTTP'), { method, path, headers: { ...protobuf, ...headers }, body });
    }

    it('takes protobuf and answers in protobuf, with partial_success unset', async () => {
      const body = encodeTraces([testSpan()]);
      const answer = await send(body);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-type'], 'application/x-protobuf');
      assert.equal(answer.body.length, 0);
      assert.deepEqual(
        intake.batches.map(({ format, items }) => [format, items]),
        [['otlp_proto', 1]],
      );
      assert.deepEqual(Buffer.from(intake.batches[0]?.body ?? []), Buffer.from(body));
      assert.equal(test.value('raybridge_received_spans_total', labels), 1);
      assert.equal(test.value('raybridge_accepted_spans_total', labels), 1);
    });

    it('takes JSON and answers in JSON', async () => {
      const answer = await send(encodeTracesJson([testSpan(), testSpan()]), {
        headers: { 'content-type': 'application/json; charset=utf-8' },
      });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-type'], 'application/json');
      assert.deepEqual(JSON.parse(answer.body.toString()), {});
      assert.deepEqual(
        intake.batches.map(({ format, items }) => [format, items]),
        [['otlp_json', 2]],
      );
    });

    for (const [encoding, compress] of [
      ['gzip', gzipSync],
      ['deflate', deflateSync],
    ] as const) {
      it(`takes ${encoding} and keeps the bytes that were inside`, async () => {
        const body = encodeTraces([testSpan()]);
        assert.equal((await send(compress(body), { headers: { 'content-encoding': encoding } })).status, 200);
        assert.deepEqual(Buffer.from(intake.batches[0]?.body ?? []), Buffer.from(body));
      });
    }

    it('accepts an empty request without a batch', async () => {
      assert.equal((await send('')).status, 200);
      assert.equal((await send('{}', { headers: json })).status, 200);
      assert.equal(intake.batches.length, 0);
    });

    it('answers only after the batch is durable', async () => {
      let durable = false;
      intake.consume = async () => {
        await new Promise(setImmediate);
        durable = true;
      };
      await send(encodeTraces([testSpan()]));
      assert.equal(durable, true);
    });

    it('names rejected spans in partial_success and keeps the others', async () => {
      const bad = encodeTracesJson([testSpan(), testSpan({ spanId: '0000000000000000' })]);
      const answer = await send(bad, { headers: json });
      assert.equal(answer.status, 200);
      const { rejected, message } = decodeTracesResponseJson(answer.body);
      assert.equal(rejected, 1);
      assert.notEqual(message, '');
      assert.equal(intake.batches[0]?.items, 1);
      assert.equal(test.value('raybridge_rejected_total', { ...labels, reason: 'BAD_INPUT' }), 1);
      assert.equal(test.context.status.rejections.length, 1);
    });

    it('makes no batch when every span is rejected', async () => {
      const answer = await send(encodeTraces([testSpan({ traceId: '0'.repeat(32) })]));
      assert.equal(decodeTracesResponse(answer.body).rejected, 1);
      assert.equal(intake.batches.length, 0);
    });

    it('answers 400 and Status to a truncated message, in protobuf', async () => {
      const body = encodeTraces([testSpan()]);
      const answer = await send(body.subarray(0, body.length - 3));
      assert.equal(answer.status, 400);
      assert.equal(answer.headers['content-type'], 'application/x-protobuf');
      const { code, message } = decodeRpcStatus(answer.body);
      assert.equal(code, 3);
      assert.notEqual(message, '');
      assert.equal(intake.batches.length, 0);
      assert.equal(test.value('raybridge_rejected_total', { ...labels, reason: 'BAD_INPUT' }), 1);
    });

    it('answers 400 and Status to half a JSON text, in JSON', async () => {
      const answer = await send(encodeTracesJson([testSpan()]).slice(0, 50), { headers: json });
      assert.equal(answer.status, 400);
      assert.equal(answer.headers['content-type'], 'application/json');
      assert.equal(JSON.parse(answer.body.toString()).code, 3);
    });

    it('answers 413 to 10 MiB against a limit of 1 MiB and takes the next request', async () => {
      await restart({ max_request_body_size: 1024 * 1024 });
      const answer = await send(Buffer.alloc(10 * 1024 * 1024));
      assert.equal(answer.status, 413);
      assert.equal(decodeRpcStatus(answer.body).code, 8);
      assert.equal((await send(encodeTraces([testSpan()]))).status, 200);
    });

    it('answers 413 to a gzip bomb with little memory', async () => {
      const bomb = gzipSync(Buffer.alloc(512 * 1024 * 1024));
      const before = process.memoryUsage.rss();
      assert.equal((await send(bomb, { headers: { 'content-encoding': 'gzip' } })).status, 413);
      assert.ok(process.memoryUsage.rss() - before < 96 * 1024 * 1024);
    });

    for (const type of ['text/plain', 'application/protobuf', 'application/grpc', '']) {
      it(`answers 415 to content-type "${type}"`, async () => {
        const answer = await send(encodeTraces([testSpan()]), { headers: { 'content-type': type } });
        assert.equal(answer.status, 415);
        assert.equal(typeof JSON.parse(answer.body.toString()).message, 'string');
      });
    }

    it('answers 415 to an unknown content-encoding and says what it takes', async () => {
      const answer = await send('x', { headers: { 'content-encoding': 'br' } });
      assert.equal(answer.status, 415);
      assert.match(answer.headers['accept-encoding'] ?? '', /gzip/);
    });

    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
      it(`answers 405 to ${method}`, async () => {
        const answer = await send('', { method });
        assert.equal(answer.status, 405);
        assert.equal(answer.headers.allow, 'POST');
      });
    }

    for (const path of ['/v1/metrics', '/v1/logs', '/v1development/profiles', '/v1/traces/', '/']) {
      it(`answers 404 on ${path}`, async () => {
        assert.equal((await send('', { path })).status, 404);
      });
    }

    it('takes traces on another path if the configuration says so', async () => {
      await restart({ traces_url_path: 'in/traces' });
      assert.equal((await send(encodeTraces([testSpan()]), { path: '/in/traces' })).status, 200);
      assert.equal((await send(encodeTraces([testSpan()]))).status, 404);
    });

    for (const code of ['QUEUE_FULL', 'DISK_LOW', 'QUEUE_WRITE_FAILED', 'SHUTTING_DOWN'] as const) {
      it(`answers 503 and Retry-After when the intake says ${code}`, async () => {
        intake.refuseWith(new RaybridgeError(code, 'come again', { retryAfterMs: 4_200 }));
        const answer = await send(encodeTraces([testSpan()]));
        assert.equal(answer.status, 503);
        assert.equal(answer.headers['retry-after'], '5');
        assert.equal(answer.headers.connection, code === 'SHUTTING_DOWN' ? 'close' : 'keep-alive');
        assert.deepEqual(decodeRpcStatus(answer.body), { code: 14, message: 'come again', retryAfterMs: 4_200 });
        assert.equal(test.value('raybridge_refused_requests_total', { ...labels, reason: code }), 1);
        assert.equal(test.value('raybridge_accepted_spans_total', labels), 0);
      });
    }

    it('answers 503 to a bug of ours, so that the sender keeps its data', async () => {
      intake.refuseWith(new TypeError('secret'));
      const answer = await send(encodeTraces([testSpan()]), { headers: protobuf });
      assert.equal(answer.status, 503);
      assert.doesNotMatch(answer.body.toString('latin1'), /secret/);
      assert.ok(test.log.entries.some(({ level }) => level === 'error'));
    });

    it('answers success to signals of ignored pipelines, drops them, counts them, warns once', async () => {
      await restart({}, ['metrics', 'logs']);
      for (let i = 0; i < 2; i++) {
        const answer = await send('whatever it is', { path: '/v1/metrics' });
        assert.deepEqual([answer.status, answer.body.length], [200, 0]);
      }
      assert.equal((await send('{}', { path: '/v1/logs', headers: json })).body.toString(), '{}');
      assert.equal(test.value('raybridge_ignored_items_total', { signal: 'metrics' }), 2);
      assert.equal(test.log.entries.filter(({ level }) => level === 'warn').length, 2);
    });

    it('sets the configured response headers', async () => {
      await restart({ response_headers: { 'x-from': 'raybridge' } });
      assert.equal((await send('')).headers['x-from'], 'raybridge');
    });

    describe('with CORS', () => {
      const origin = 'https://app.example.com';
      const preflight = {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,x-trace',
      };

      it('says nothing to browsers unless configured', async () => {
        const answer = await send(encodeTraces([testSpan()]), { headers: { origin } });
        assert.equal(answer.headers['access-control-allow-origin'], undefined);
      });

      it('answers the preflight of an allowed origin', async () => {
        await restart({
          cors: { allowed_origins: ['https://*.example.com'], allowed_headers: ['X-Trace'], max_age: 60 },
        });
        const { status, headers } = await send('', { method: 'OPTIONS', headers: preflight });
        assert.equal(status, 204);
        assert.equal(headers['access-control-allow-origin'], origin);
        assert.equal(headers['access-control-allow-methods'], 'POST');
        assert.equal(headers['access-control-allow-headers'], 'content-type, x-trace');
        assert.equal(headers['access-control-max-age'], '60');
      });

      it('lets an allowed origin read the answer', async () => {
        await restart({ cors: { allowed_origins: [origin], exposed_headers: ['X-A'] } });
        const { headers } = await send(encodeTraces([testSpan()]), { headers: { origin } });
        assert.equal(headers['access-control-allow-origin'], origin);
        assert.equal(headers['access-control-expose-headers'], 'X-A');
      });

      it('allows no other origin and no other header', async () => {
        await restart({ cors: { allowed_origins: ['https://*.example.com', 'https://a.com'] } });
        const others = ['https://example.com', 'https://evil.com', 'https://app.example.com.evil.com', 'http://a.com'];
        for (const other of others) {
          const { headers } = await send(encodeTraces([testSpan()]), { headers: { origin: other } });
          assert.equal(headers['access-control-allow-origin'], undefined, other);
        }
        const { headers } = await send('', { method: 'OPTIONS', headers: preflight });
        assert.equal(headers['access-control-allow-origin'], undefined);
      });
    });
  });

  describe('over gRPC', () => {
    let client: Client;

    beforeEach(() => {
      client = new Client(test.address('OTLP gRPC'), credentials.createInsecure());
    });
    afterEach(() => client.close());

    async function call(body: Uint8Array, path = tracesPath): Promise<Buffer> {
      return await callGrpc(client, path, body);
    }

    async function failureOf(body: Uint8Array, path = tracesPath): Promise<ServiceError> {
      return await grpcFailureOf(client, path, body);
    }

    it('takes a request and answers with partial_success unset', async () => {
      assert.equal((await call(encodeTraces([testSpan()]))).length, 0);
      assert.deepEqual(
        intake.batches.map(({ format, items }) => [format, items]),
        [['otlp_proto', 1]],
      );
    });

    it('accepts an empty request', async () => {
      assert.equal((await call(Buffer.alloc(0))).length, 0);
      assert.equal(intake.batches.length, 0);
    });

    it('names rejected spans in partial_success', async () => {
      const answer = await call(encodeTraces([testSpan(), testSpan({ spanId: '0'.repeat(16) })]));
      assert.equal(decodeTracesResponse(answer).rejected, 1);
    });

    it('answers INVALID_ARGUMENT to a truncated message', async () => {
      const body = encodeTraces([testSpan()]);
      assert.equal((await failureOf(body.subarray(0, body.length - 3))).code, 3);
      assert.equal(test.value('raybridge_rejected_total', { ...labels, reason: 'BAD_INPUT' }), 1);
    });

    it('answers RESOURCE_EXHAUSTED without RetryInfo to more than 4 MiB', async () => {
      const error = await failureOf(Buffer.alloc(4 * 1024 * 1024 + 1));
      assert.equal(error.code, 8);
      assert.deepEqual(error.metadata.get('grpc-status-details-bin'), []);
    });

    it('answers UNAVAILABLE with RetryInfo when the intake refuses', async () => {
      intake.refuseWith(new RaybridgeError('QUEUE_FULL', 'full'));
      const error = await failureOf(encodeTraces([testSpan()]));
      assert.equal(error.code, 14);
      assert.deepEqual(grpcStatusOf(error), { code: 14, message: 'full', retryAfterMs: 1000 });
      assert.equal(test.value('raybridge_refused_requests_total', { ...labels, reason: 'QUEUE_FULL' }), 1);
    });

    it('answers UNIMPLEMENTED to metrics and logs, unless their pipelines are ignored', async () => {
      const metrics = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
      assert.equal((await failureOf(Buffer.alloc(0), metrics)).code, 12);
      client.close();
      await restart({}, ['metrics']);
      client = new Client(test.address('OTLP gRPC'), credentials.createInsecure());
      assert.equal((await call(Buffer.from('whatever'), metrics)).length, 0);
      assert.equal(test.value('raybridge_ignored_items_total', { signal: 'metrics' }), 1);
    });
  });
});

describe('the configuration of the otlp receiver', () => {
  it('serves only the protocol whose key is there, with the defaults', () => {
    const { protocols } = configSchema.parse({ protocols: { http: {} } });
    assert.equal(protocols.grpc, undefined);
    assert.equal(protocols.http?.endpoint, 'localhost:4318');
    assert.equal(protocols.http?.max_request_body_size, 20 * 1024 * 1024);
  });

  it('needs at least one protocol', () => {
    assert.throws(() => configSchema.parse({ protocols: {} }), /must specify at least one protocol/);
  });

  it('refuses keys it does not know and paths that are none', () => {
    for (const http of [{ endpont: 'localhost:1' }, { traces_url_path: '/v1/traces?x' }]) {
      assert.throws(() => configSchema.parse({ protocols: { http } }));
    }
  });
});

const tracesPath = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const protobuf = { 'content-type': 'application/x-protobuf' };
const json = { 'content-type': 'application/json' };
