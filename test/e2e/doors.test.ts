import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { encodeTraces } from '../../src/codec/index.ts';
import { type Program, startProgram } from '../support/program.ts';
import { rootPath } from '../support/root.ts';
import { testSpan } from '../support/span.ts';

const body = Buffer.from(encodeTraces([testSpan({})]));
const tlsFile = (name: string) => rootPath('test', 'fixtures', 'tls', name);
const pem = (name: string) => readFileSync(tlsFile(name));

/** Each case of who sends, and whether the listeners with that authenticator let it in. */
const cases = [
  ['bearertokenauth', 'nobody', {}, false],
  ['bearertokenauth', 'an empty token', { authorization: '' }, false],
  ['bearertokenauth', 'a wrong token', { authorization: 'Bearer wrong' }, false],
  ['bearertokenauth', 'the token without its scheme', { authorization: 'right' }, false],
  ['bearertokenauth', 'the token', { authorization: 'Bearer right' }, true],
  ['basicauth', 'nobody', {}, false],
  ['basicauth', 'a stranger', { authorization: basic('eve:plain') }, false],
  ['basicauth', 'a wrong password', { authorization: basic('ann:wrong') }, false],
  ['basicauth', 'what is no Basic', { authorization: 'Bearer x' }, false],
  ['basicauth', 'a plain password', { authorization: basic('ann:plain') }, true],
  ['basicauth', 'a password kept as SHA', { authorization: basic('bob:secret') }, true],
  ['basicauth', 'a password kept as bcrypt', { authorization: basic('cat:secret') }, true],
] as const;

describe('a listener', () => {
  let folder: string;
  const programs = new Map<string, { readonly program: Program; readonly http: string; readonly grpc: string }>();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'raybridge-doors-'));
    const tls = `tls: {cert_file: ${tlsFile('server.crt')}, key_file: ${tlsFile('server.key')}, client_ca_file: ${tlsFile('ca.crt')}}`;
    await Promise.all([
      start('bearertokenauth', 'auth: {authenticator: bearertokenauth}'),
      start('basicauth', 'auth: {authenticator: basicauth}'),
      start('tls', tls),
    ]);
  });
  after(async () => {
    for (const { program } of programs.values()) await program.stop();
    await rm(folder, { recursive: true, force: true });
  });

  for (const [door, who, headers, isLetIn] of cases) {
    it(`with ${door} ${isLetIn ? 'lets in' : 'refuses'} ${who}, over both protocols`, async () => {
      const { http, grpc } = found(door);
      const answer = await fetch(`http://${http}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf', ...headers },
        body,
      });
      assert.equal(answer.status, isLetIn ? 200 : 401, await answer.text());
      assert.equal(
        await call(grpc, credentials.createInsecure(), headers),
        isLetIn ? status.OK : status.UNAUTHENTICATED,
      );
    });
  }

  it('with client_ca_file lets in who shows a certificate of it, and nobody else', async () => {
    const { http, grpc } = found('tls');
    const [ca, cert, key] = [pem('ca.crt'), pem('client.crt'), pem('client.key')];
    assert.equal(await post(http, { ca, cert, key }), 200);
    await assert.rejects(post(http, { ca }));
    await assert.rejects(fetch(`http://${http}/v1/traces`, { method: 'POST', body }));
    assert.equal(await call(grpc, credentials.createSsl(ca, key, cert), {}), status.OK);
    assert.equal(await call(grpc, credentials.createSsl(ca), {}), status.UNAVAILABLE);
    assert.equal(await call(grpc, credentials.createInsecure(), {}), status.UNAVAILABLE);
  });

  async function start(name: string, members: string): Promise<void> {
    const config = `
receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:0', ${members}}, grpc: {endpoint: '127.0.0.1:0', ${members}}}}}
exporters: {nop: }
extensions:
  bearertokenauth: {token: right}
  basicauth:
    htpasswd:
      inline: |
        ann:plain
        bob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=
        cat:$$2b$$04$$vAraoW.RVf1DsDg1.s4CEefS.AHXAxk9jT.KN3u9pjHUTWhQE/G5G
service:
  extensions: [bearertokenauth, basicauth]
  pipelines: {traces: {receivers: [otlp], exporters: [nop]}}
`;
    const program = startProgram([
      'serve',
      '--config',
      `yaml:${config}`,
      '--data-dir',
      join(folder, name),
      '--log-level',
      'info',
    ]);
    const address = async (protocol: string) =>
      String(
        (
          await program.logged(
            `the ${protocol} listener`,
            (line) => line.msg === 'listening' && line['protocol'] === protocol,
          )
        )['address'],
      );
    programs.set(name, { program, grpc: await address('OTLP gRPC'), http: await address('OTLP HTTP') });
  }

  function found(door: string) {
    const started = programs.get(door);
    assert.ok(started);
    return started;
  }
});

function basic(text: string): string {
  return `Basic ${Buffer.from(text).toString('base64')}`;
}

async function post(address: string, tls: object): Promise<number | undefined> {
  const sent = request(`https://${address}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    ...tls,
  });
  sent.end(body);
  const [answer] = await once(sent, 'response');
  answer.resume();
  return answer.statusCode;
}

async function call(
  address: string,
  channel: ReturnType<typeof credentials.createInsecure>,
  headers: Readonly<Record<string, string>>,
): Promise<status> {
  const client = new Client(address, channel, { 'grpc.ssl_target_name_override': 'localhost' });
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const asIs = (bytes: Buffer): Buffer => bytes;
  const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
  try {
    return await new Promise<status>((resolve) => {
      const deadline = Date.now() + 10_000;
      client.makeUnaryRequest(path, asIs, asIs, body, metadata, { deadline }, (error: ServiceError | null) =>
        resolve(error ? error.code : status.OK),
      );
    });
  } finally {
    client.close();
  }
}
