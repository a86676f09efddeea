import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createTestContext, type TestContext } from '../../test/support/context.ts';
import { type HttpAnswer, sendHttp } from '../../test/support/http.ts';
import { createSignal } from '../../test/support/signal.ts';
import { RaybridgeError } from '../errors.ts';
import type { HttpMount } from './http.ts';

const closeDeadlineMs = 2_000;

describe('the HTTP host', () => {
  let test: TestContext;

  beforeEach(() => {
    test = createTestContext('test');
  });
  afterEach(() => test.http.close(closeDeadlineMs));

  function mount(path: string, handle: HttpMount['handle'], more: Partial<HttpMount> = {}): void {
    test.http.mount({
      component: 'test',
      protocol: path,
      endpoint: '127.0.0.1:0',
      access: 'open',
      matches: (request) => request.path === path,
      handle,
      ...more,
    });
  }

  async function get(path: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    return await sendHttp(address(), { path, headers });
  }

  function address(): string {
    return test.context.status.listeners[0]?.address ?? '';
  }

  it('serves all mounts of one endpoint on one listener, in order of mounting', async () => {
    mount('/a', async (_, response) => void response.end('first'));
    mount('/a', async (_, response) => void response.end('second'));
    mount('/b', async (_, response) => void response.end('b'));
    await test.http.listen();
    assert.equal(String((await get('/a')).body), 'first');
    assert.equal(String((await get('/b')).body), 'b');
    assert.equal(new Set(test.context.status.listeners.map((listener) => listener.address)).size, 1);
  });

  it('gives the decoded path and the query', async () => {
    mount('/a b', async ({ query }, response) => void response.end(query.get('q')));
    await test.http.listen();
    assert.equal(String((await get('/a%20b?q=1%2B1')).body), '1+1');
  });

  it('answers 404 in JSON where nothing is mounted', async () => {
    mount('/a', async (_, response) => void response.end());
    await test.http.listen();
    const { status, headers, body } = await get('/b');
    assert.equal(status, 404);
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(JSON.parse(String(body)).code, 'NOT_FOUND');
  });

  it('answers 400 to a path that is not percent-encoded UTF-8', async () => {
    mount('/a', async (_, response) => void response.end());
    await test.http.listen();
    assert.equal((await get('/%ff')).status, 400);
  });

  it('answers an error of ours with its status and when to come again', async () => {
    mount('/a', async () => {
      throw new RaybridgeError('STORE_UNAVAILABLE', 'starting', { retryAfterMs: 2500 });
    });
    await test.http.listen();
    const { status, headers, body } = await get('/a');
    assert.equal(status, 503);
    assert.equal(headers['retry-after'], '3');
    assert.deepEqual(JSON.parse(String(body)), { code: 'STORE_UNAVAILABLE', message: 'starting' });
  });

  it('answers 500 to a bug, logs it, and tells nothing of it', async () => {
    mount('/a', async () => {
      throw new Error('secret of /etc/passwd');
    });
    await test.http.listen();
    const { status, body } = await get('/a');
    assert.equal(status, 500);
    assert.deepEqual(JSON.parse(String(body)), { code: 'INTERNAL', message: 'internal error' });
    assert.ok(test.log.entries.some(({ level }) => level === 'error'));
  });

  it('cuts the connection when a bug strikes in the middle of an answer', async () => {
    mount('/a', async (_, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half');
      throw new Error('bug');
    });
    await test.http.listen();
    await assert.rejects(get('/a'), { code: 'ECONNRESET' });
  });

  describe('with access api', () => {
    beforeEach(async () => {
      mount('/a', async (_, response) => void response.end('mine'), { access: 'api' });
      await test.http.listen();
    });

    it('answers programs and its own pages', async () => {
      assert.equal((await get('/a')).status, 200);
      assert.equal((await get('/a', { host: 'localhost:2080' })).status, 200);
      assert.equal((await get('/a', { host: '[::1]:2080' })).status, 200);
      assert.equal((await get('/a', { origin: `http://${address()}` })).status, 200);
    });

    it('refuses pages of other origins', async () => {
      for (const origin of ['http://evil.example', 'null', 'http://localhost', `http://${address()}.evil.example`]) {
        assert.equal((await get('/a', { origin })).status, 403, origin);
      }
    });

    it('refuses a name that was rebound to this machine', async () => {
      assert.equal((await get('/a', { host: 'evil.example' })).status, 403);
      assert.equal((await get('/a', { host: 'localhost.evil.example:2080' })).status, 403);
    });
  });

  it('does not put an api where other machines reach it', () => {
    const refused = { code: 'CONFIG_INVALID', message: /^test\.endpoint: expected a loopback address .* got ":2080"/ };
    assert.throws(() => mount('/a', async () => {}, { access: 'api', endpoint: ':2080' }), refused);
  });

  it('puts what asks who is calling where other machines reach it, and keeps web pages away from it', async () => {
    mount('/a', async (_, response) => void response.end('mine'), { access: 'signed', endpoint: '0.0.0.0:0' });
    await test.http.listen();
    const open = address().replace('0.0.0.0', '127.0.0.1');
    assert.equal((await sendHttp(open, { path: '/a' })).status, 200);
    assert.equal((await sendHttp(open, { path: '/a', headers: { origin: 'http://evil.example' } })).status, 403);
  });

  it('names the program that holds the port', async () => {
    mount('/a', async (_, response) => void response.end());
    await test.http.listen();
    const other = createTestContext('other');
    other.http.mount({
      component: 'other',
      protocol: 'X-Ray API',
      endpoint: address(),
      access: 'open',
      matches: () => true,
      handle: async () => {},
    });
    await assert.rejects(other.http.listen(), {
      code: 'LISTEN_FAILED',
      message: new RegExp(`^other: cannot listen for X-Ray API on tcp ${address()}: (this process|another program)`),
    });
    await other.http.close(closeDeadlineMs);
  });

  it('refuses a request that has both Content-Length and Transfer-Encoding', async () => {
    mount('/a', async (_, response) => void response.end());
    await test.http.listen();
    const both =
      'POST /a HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n';
    assert.match(await sendRaw(address(), both), /^HTTP\/1\.1 400 /);
  });

  it('refuses more than 16 KiB of headers', async () => {
    mount('/a', async (_, response) => void response.end());
    await test.http.listen();
    const flood = `GET /a HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`;
    assert.match(await sendRaw(address(), flood), /^HTTP\/1\.1 431 /);
  });

  describe('when it closes', () => {
    it('lets a request under way finish and drops idle connections', async () => {
      const [entered, release] = [createSignal(), createSignal()];
      mount('/fast', async (_, response) => void response.end());
      mount('/slow', async (_, response) => {
        entered.raise();
        await release.raised;
        response.end('done');
      });
      await test.http.listen();
      const agent = new Agent({ keepAlive: true });
      await sendHttp(address(), { path: '/fast', agent });
      const idle = Object.values(agent.freeSockets).flat()[0];
      assert.ok(idle);

      const idleEnded = once(idle, 'close');
      const slow = get('/slow');
      await entered.raised;
      const closed = test.http.close(closeDeadlineMs);
      await idleEnded;
      release.raise();
      const { status, headers, body } = await slow;
      assert.deepEqual([status, String(body), headers.connection], [200, 'done', 'close']);
      await closed;
      await assert.rejects(get('/fast'), { code: 'ECONNREFUSED' });
      agent.destroy();
    });

    it('cuts what is left at the deadline', async () => {
      const entered = createSignal();
      mount('/never', () => {
        entered.raise();
        return new Promise(() => {});
      });
      await test.http.listen();
      const never = get('/never');
      const cut = assert.rejects(never, { code: 'ECONNRESET' });
      await entered.raised;
      await test.http.close(20);
      await cut;
    });
  });
});

async function sendRaw(address: string, text: string): Promise<string> {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  socket.end(text);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}
