import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as sendRequest, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { RaybridgeError } from '../errors.ts';
import { readBody } from './body.ts';

const bytesMax = 1024 * 1024;

describe('readBody', () => {
  const server = createServer((message, response) => {
    readBody(message, { bytesMax, verify: (wire) => verify(wire) }).then(
      (body) => {
        outcomes.push(body);
        response.end();
      },
      (error: unknown) => {
        outcomes.push(error);
        response.writeHead(500, { connection: 'close' }).end();
      },
    );
  });
  let outcomes: unknown[] = [];
  let verify: (wire: Uint8Array) => void = () => {};
  let port = 0;

  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port; // A listening TCP server has an AddressInfo.
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  /** Sends a body and resolves with what readBody made of it. */
  async function outcomeOf(body: Uint8Array | string, headers: Record<string, string> = {}): Promise<unknown> {
    outcomes = [];
    const request = sendRequest({ port, host: '127.0.0.1', method: 'POST', headers });
    request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage]; // As the event is documented.
    response.resume();
    await once(response, 'close');
    return outcomes[0];
  }

  it('shows the bytes on the wire before it makes anything of them', async () => {
    const notGzip = Buffer.from('not gzip');
    verify = (wire) => {
      assert.deepEqual(Buffer.from(wire), notGzip);
      throw new RaybridgeError('SIGNATURE_INVALID', 'not signed');
    };
    const outcome = await outcomeOf(notGzip, { 'content-encoding': 'gzip' });
    verify = () => {};
    assert.ok(outcome instanceof RaybridgeError);
    assert.equal(outcome.code, 'SIGNATURE_INVALID');
  });

  const text = 'trace '.repeat(1000);
  const encodings: readonly (readonly [string, Uint8Array])[] = [
    ['gzip', gzipSync(text)],
    ['GZIP', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['zlib', deflateSync(text)],
    ['identity', Buffer.from(text)],
  ];
  for (const [encoding, body] of encodings) {
    it(`reads content-encoding ${encoding}`, async () => {
      const outcome = await outcomeOf(body, { 'content-encoding': encoding });
      assert.equal(Buffer.from(outcome as Uint8Array).toString(), text); // An error would fail the comparison.
    });
  }

  it('reads a body without length, sent in chunks', async () => {
    const outcome = await outcomeOf(text, { 'transfer-encoding': 'chunked' });
    assert.equal(Buffer.from(outcome as Uint8Array).toString(), text); // As above.
  });

  it('reads no body as no bytes, whatever its encoding is said to be', async () => {
    assert.deepEqual(await outcomeOf('', { 'content-encoding': 'gzip' }), Buffer.alloc(0));
  });

  it('takes a body of exactly the limit', async () => {
    assert.equal(((await outcomeOf(Buffer.alloc(bytesMax))) as Uint8Array).length, bytesMax); // As above.
  });

  it('refuses 10 MiB against 1 MiB, and the client gets to see the answer', async () => {
    assertError(await outcomeOf(Buffer.alloc(10 * bytesMax)), 'TOO_LARGE');
  });

  it('refuses a body that grows past the limit without having named its length', async () => {
    assertError(await outcomeOf(Buffer.alloc(10 * bytesMax), { 'transfer-encoding': 'chunked' }), 'TOO_LARGE');
  });

  it('refuses a gzip bomb without unpacking it', async () => {
    const bomb = gzipSync(Buffer.alloc(512 * 1024 * 1024));
    const before = process.memoryUsage.rss();
    assertError(await outcomeOf(bomb, { 'content-encoding': 'gzip' }), 'TOO_LARGE');
    assert.ok(process.memoryUsage.rss() - before < 64 * 1024 * 1024);
  });

  it('refuses gzip that is none, is cut off, or is something else inside', async () => {
    const gzip = gzipSync(text);
    for (const body of [Buffer.from(text), gzip.subarray(0, gzip.length - 9), deflateSync(text)]) {
      assertError(await outcomeOf(body, { 'content-encoding': 'gzip' }), 'BAD_INPUT');
    }
  });

  for (const encoding of ['br', 'zstd', 'gzip, gzip', '__proto__']) {
    it(`refuses content-encoding ${encoding}`, async () => {
      assertError(await outcomeOf(text, { 'content-encoding': encoding }), 'UNSUPPORTED_MEDIA_TYPE');
    });
  }

  it('fails when the client goes away before it sent what it promised', async () => {
    outcomes = [];
    const socket = connect(port, '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf');
    const [message] = (await once(server, 'request')) as [IncomingMessage]; // As the event is documented.
    socket.destroy();
    await new Promise((resolve) => message.once('close', resolve));
    await new Promise(setImmediate);
    assertError(outcomes[0], 'BAD_INPUT');
  });

  it('reads no further than Content-Length; what follows is no part of the body', async () => {
    outcomes = [];
    const socket = connect(port, '127.0.0.1');
    socket.end('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nhalfrest');
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    assert.match(answer, /HTTP\/1\.1 400 /);
    for (const body of outcomes) assert.equal(String(body), 'half');
  });
});

function assertError(error: unknown, code: string): void {
  assert.ok(error instanceof RaybridgeError, String(error));
  assert.equal(error.code, code);
}
