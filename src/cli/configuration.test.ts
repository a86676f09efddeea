import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { runProgram } from '../../test/support/program.ts';
import { rootPath } from '../../test/support/root.ts';

const tls = (name: string) => rootPath('test', 'fixtures', 'tls', name);
const config = `
receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:0'}}}}
exporters: {debug: {}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}
`;

let servers: Server[] = [];
afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
  servers = [];
});

describe('a configuration on the web', () => {
  it('is fetched over HTTP, and laid over others as a file is', async () => {
    const asked: string[] = [];
    const url = await serve((message, response) => {
      asked.push(`${message.method} ${message.url} ${message.headers.authorization}`);
      response.end(config);
    });
    const own = `http://user:p%40ss@${url.host}/otel.yaml?token=secret`;
    const result = await runProgram(['print-config', own, '--set', 'exporters.debug.verbosity=detailed']);
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stdout, /verbosity: detailed/);
    assert.deepEqual(asked, [`GET /otel.yaml?token=secret Basic ${Buffer.from('user:p@ss').toString('base64')}`]);
  });

  it('is fetched over HTTPS from whoever the roots vouch for', async () => {
    const options = { cert: readFileSync(tls('server.crt')), key: readFileSync(tls('server.key')) };
    const { port } = await listen(createTlsServer(options, (_, response) => response.end(config)));
    const words = ['validate', `https://localhost:${port}/otel.yaml`];
    const trusted = await runProgram(words, { SSL_CERT_FILE: tls('ca.crt') });
    assert.equal(trusted.code, 0, trusted.stderr);
    const untrusted = await runProgram(words, { SSL_CERT_FILE: undefined });
    assert.equal(untrusted.code, 1);
    assert.match(untrusted.stderr, /cannot fetch https:\/\/localhost:\d+\/otel\.yaml: .*certificate/i);
  });

  it('is fetched for a value', async () => {
    const url = await serve((_, response) => response.end('verbosity: detailed'));
    const text = config.replace('debug: {}', `debug: '\${${url.href}debug.yaml}'`);
    const { code, stdout, stderr } = await runProgram(['print-config', `yaml:${text}`]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /verbosity: detailed/);
  });

  it('is a place in messages, without what may be a secret in its address', async () => {
    const url = await serve((_, response) => response.end(config.replace('debug: {}', 'debug: {verbositi: basic}')));
    const { code, stderr } = await runProgram(['validate', `http://user:hidden@${url.host}/otel.yaml?token=hidden`]);
    assert.equal(code, 1);
    assert.ok(stderr.includes(`http://${url.host}/otel.yaml:3:21: exporters.debug.verbositi`), stderr);
    assert.doesNotMatch(stderr, /hidden/);
  });

  for (const [what, answer, told] of [
    [
      'another status than 200',
      (response: ServerResponse) => response.writeHead(404).end(),
      /expected status 200, got 404/,
    ],
    [
      'a redirect, which is not followed',
      (response: ServerResponse) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      /expected status 200, got 302/,
    ],
    [
      'more than any configuration holds',
      (response: ServerResponse) => response.end(Buffer.alloc(5 * 1024 * 1024, '#')),
      /expected less than 4194304 bytes/,
    ],
    ['no text', (response: ServerResponse) => response.end(Buffer.from([0xff, 0xfe, 0xfd])), /not valid/],
    ['a cut connection', (response: ServerResponse) => response.destroy(), /cannot fetch/],
  ] as const) {
    it(`is refused with its address after ${what}`, async () => {
      const url = await serve((_, response) => void answer(response));
      const { code, stderr } = await runProgram(['validate', `${url.href}otel.yaml`]);
      assert.equal(code, 1);
      assert.match(stderr, told);
      assert.ok(stderr.includes(`cannot fetch ${url.href}otel.yaml`), stderr);
    });
  }

  it('the Collector stood in for reads it too, with feature gates', async () => {
    const url = await serve((_, response) => response.end(config));
    const gates = '--feature-gates=+confmap.enableMergeAppendOption,-no.such.gate';
    const { code, stderr } = await runProgram(['otelcol', 'validate', `--config=${url.href}otel.yaml`, gates]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^warn\t.*--feature-gates -no\.such\.gate is not known here and has no effect$/m);
  });
});

async function serve(listener: (message: IncomingMessage, response: ServerResponse) => void): Promise<URL> {
  const { port } = await listen(createServer(listener));
  return new URL(`http://127.0.0.1:${port}/`);
}

async function listen(server: Server): Promise<AddressInfo> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address() as AddressInfo;
}
