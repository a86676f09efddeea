import assert from 'node:assert/strict';
import { Client, credentials } from '@grpc/grpc-js';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createTestContext } from '../../test/support/context.ts';
import { callGrpc, grpcFailureOf, grpcStatusOf } from '../../test/support/grpc.ts';
import { createSignal } from '../../test/support/signal.ts';
import { RaybridgeError } from '../errors.ts';
import { openGrpc, type GrpcServer } from './grpc.ts';

const requestBytesMax = 1024 * 1024;
const closeDeadlineMs = 2_000;

describe('openGrpc', () => {
  const { context, log } = createTestContext('test');
  let server: GrpcServer;
  let client: Client;

  function open(endpoint: string): Promise<GrpcServer> {
    return openGrpc({
      component: 'test',
      protocol: 'OTLP gRPC',
      endpoint,
      methods: new Map([
        ['/test.Service/Echo', async (request: Uint8Array) => request],
        ['/test.Service/Full', () => Promise.reject(new RaybridgeError('QUEUE_FULL', 'full', { retryAfterMs: 1500 }))],
        ['/test.Service/Bad', () => Promise.reject(new RaybridgeError('BAD_INPUT', 'byte 7: expected a tag'))],
        ['/test.Service/Bug', () => Promise.reject(new Error('secret'))],
      ]),
      requestBytesMax,
      streamsMax: 100,
      status: context.status,
      log,
    });
  }

  before(async () => {
    server = await open('127.0.0.1:0');
    client = new Client(server.address, credentials.createInsecure());
  });
  after(async () => {
    client.close();
    await server.close(closeDeadlineMs);
  });

  it('gives the method the bytes and the client its answer', async () => {
    const request = Buffer.from('0a03666f6f', 'hex');
    assert.deepEqual(await callGrpc(client, '/test.Service/Echo', request), request);
  });

  it('takes an empty message', async () => {
    assert.deepEqual(await callGrpc(client, '/test.Service/Echo', Buffer.alloc(0)), Buffer.alloc(0));
  });

  it('takes gzip', async () => {
    const zipping = new Client(server.address, credentials.createInsecure(), {
      'grpc.default_compression_algorithm': 2,
    });
    const request = Buffer.alloc(100_000, 'a');
    assert.deepEqual(await callGrpc(zipping, '/test.Service/Echo', request), request);
    zipping.close();
  });

  it('asks a client to come again with UNAVAILABLE and RetryInfo', async () => {
    const error = await grpcFailureOf(client, '/test.Service/Full', Buffer.alloc(0));
    assert.equal(error.code, 14);
    assert.equal(error.details, 'full');
    assert.deepEqual(grpcStatusOf(error), { code: 14, message: 'full', retryAfterMs: 1500 });
  });

  it('refuses bad data with INVALID_ARGUMENT and without RetryInfo', async () => {
    const error = await grpcFailureOf(client, '/test.Service/Bad', Buffer.alloc(0));
    assert.equal(error.code, 3);
    assert.deepEqual(grpcStatusOf(error), { code: 3, message: 'byte 7: expected a tag', retryAfterMs: undefined });
  });

  it('lets the client keep its data when the fault is ours, and tells nothing of it', async () => {
    const error = await grpcFailureOf(client, '/test.Service/Bug', Buffer.alloc(0));
    assert.equal(error.code, 14);
    assert.doesNotMatch(error.message, /secret/);
  });

  it('refuses a message over the limit with RESOURCE_EXHAUSTED and no RetryInfo', async () => {
    const error = await grpcFailureOf(client, '/test.Service/Echo', Buffer.alloc(requestBytesMax + 1));
    assert.equal(error.code, 8);
    assert.equal(error.metadata.get('grpc-status-details-bin').length, 0);
  });

  it('refuses a gzip bomb with RESOURCE_EXHAUSTED', async () => {
    const zipping = new Client(server.address, credentials.createInsecure(), {
      'grpc.default_compression_algorithm': 2,
      'grpc.max_send_message_length': -1,
    });
    const bomb = Buffer.alloc(128 * 1024 * 1024);
    const before = process.memoryUsage.rss();
    assert.equal((await grpcFailureOf(zipping, '/test.Service/Echo', bomb)).code, 8);
    assert.ok(process.memoryUsage.rss() - before < 64 * 1024 * 1024);
    zipping.close();
  });

  it('answers UNIMPLEMENTED to a method it does not have', async () => {
    assert.equal((await grpcFailureOf(client, '/test.Service/Nothing', Buffer.alloc(0))).code, 12);
  });

  it('permits 100 calls at one time on one connection', async () => {
    const session = connectHttp2(`http://${server.address}`);
    const [settings] = await once(session, 'remoteSettings');
    assert.equal(settings.maxConcurrentStreams, 100);
    session.destroy();
  });

  it('survives a client that speaks no HTTP/2, and one that resets', async () => {
    const [host, port] = server.address.split(':');
    for (const leave of ['end', 'resetAndDestroy'] as const) {
      const socket = connect(Number(port), host);
      await once(socket, 'connect');
      socket.on('error', () => {}).resume();
      socket.write('GET / HTTP/1.1\r\n\r\n');
      socket[leave]();
      await new Promise((resolve) => socket.once('close', resolve));
    }
    assert.deepEqual(await callGrpc(client, '/test.Service/Echo', Buffer.from('a')), Buffer.from('a'));
  });

  it('names the endpoint that is taken', async () => {
    await assert.rejects(open(server.address), {
      code: 'LISTEN_FAILED',
      message: new RegExp(
        `^test: cannot listen for OTLP gRPC on tcp ${server.address}: (this process|another program)`,
      ),
    });
  });

  it('lets calls under way finish when it closes', async () => {
    const [entered, release] = [createSignal(), createSignal()];
    const slow = await openGrpc({
      component: 'test',
      protocol: 'OTLP gRPC',
      endpoint: '127.0.0.1:0',
      methods: new Map([
        [
          '/test.Service/Echo',
          async (request: Uint8Array) => {
            entered.raise();
            await release.raised;
            return request;
          },
        ],
      ]),
      requestBytesMax,
      streamsMax: 100,
      status: context.status,
      log,
    });
    const caller = new Client(slow.address, credentials.createInsecure());
    const answer = callGrpc(caller, '/test.Service/Echo', Buffer.from('late'));
    await entered.raised;
    const closed = slow.close(closeDeadlineMs);
    release.raise();
    assert.deepEqual(await answer, Buffer.from('late'));
    await closed;
    caller.close();
  });
});
