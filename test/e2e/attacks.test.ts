import { Client, credentials, Metadata } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { encodeTraces } from '../../src/codec/index.ts';
import { eventually } from '../support/eventually.ts';
import { type Program, startProgram } from '../support/program.ts';
import { testSpan } from '../support/span.ts';
import { sendDatagrams } from '../support/udp.ts';

const body = Buffer.from(encodeTraces([testSpan({})]));
const segment =
  '{"format":"json","version":1}\n{"trace_id":"1-6553f100-00f1e2d3c4b5a69788796a5b","id":"1b07842d944e7141","name":"after the flood","start_time":1,"end_time":2}';

/** Specification: reliability 4.2, T-SEC-02, 03, 10, 11, 13, 14 and 15, in numbers that a test machine carries. */
describe('an agent under attack', () => {
  let folder: string;
  let program: Program;
  let http: string;
  let grpc: string;
  let udp: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'raybridge-attacks-'));
    const config = `
receivers:
  otlp: {protocols: {grpc: {endpoint: '127.0.0.1:0'}, http: {endpoint: '127.0.0.2:0'}}}
  awsxray: {endpoint: '127.0.0.1:0', proxy_server: {endpoint: '127.0.0.3:0'}}
exporters: {debug: {verbosity: normal}}
service: {pipelines: {traces: {receivers: [otlp, awsxray], exporters: [debug]}}}
`;
    program = startProgram(['serve', '--config', `yaml:${config}`, '--data-dir', join(folder, 'data')]);
    http = await listening('OTLP HTTP');
    grpc = await listening('OTLP gRPC');
    udp = await listening('X-Ray segments');
  });
  after(async () => {
    await program?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('answers others while hundreds of connections send their headers byte by byte', async () => {
    const sockets = await Promise.all(Array.from({ length: 300 }, () => open(http)));
    try {
      for (let round = 0; round < 5; round++) {
        for (const socket of sockets) socket.write('POST /v1/traces HTTP/1.1\r\n'[round] ?? 'x');
        await assertAlive();
      }
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  const smuggled: readonly (readonly [name: string, head: string])[] = [
    ['two lengths that differ', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n'],
    ['a length that is none', 'Content-Length: -1\r\n\r\n'],
    ['a chunk size that is none', 'Transfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ['an unknown transfer encoding', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['headers parted by a bare line feed', 'X-A: b\nX-B: c\r\n\r\n'],
    ['headers without end', `${'X-A: b\r\n'.repeat(20_000)}\r\n`],
  ];
  for (const [name, head] of smuggled) {
    it(`refuses ${name}, and closes the connection`, async () => {
      const answer = await exchange(http, `POST /v1/traces HTTP/1.1\r\nHost: ${http}\r\n${head}`);
      assert.match(answer, /^(?:HTTP\/1\.1 4\d\d |$)/, answer.slice(0, 200));
      assert.equal(answer.match(/HTTP\/1\.1 /g)?.length ?? 0, answer === '' ? 0 : 1, 'one answer at most');
      await assertAlive();
    });
  }

  it('goes on after thousands of streams that are reset at once', async () => {
    const session = connectHttp2(`http://${grpc}`);
    session.on('error', () => {});
    for (let round = 0; round < 50 && !session.destroyed; round++) {
      for (let at = 0; at < 100 && !session.destroyed; at++) {
        const stream = session.request({ ':method': 'POST', ':path': '/x' });
        stream.on('error', () => {});
        stream.close();
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    session.destroy();
    await assertAlive();
  });

  it('goes on after a connection that speaks anything but HTTP/2', async () => {
    for (let at = 0; at < 20; at++) await exchange(grpc, randomBytes(4_000));
    await assertAlive();
  });

  it('finds a segment among thousands of datagrams that are none', async () => {
    const noise = Array.from({ length: 5_000 }, (_, at) =>
      at % 2 === 0 ? randomBytes(50) : '{"format":"json","version":1}\n{"id":"x"}',
    );
    await sendDatagrams(udp, [...noise, '{"format":"json", "version":1}', segment, segment]);
    await program.logged('the segment', ({ name }) => name === 'after the flood');
    await assertAlive();
  });

  async function assertAlive(): Promise<void> {
    const headers = { 'content-type': 'application/x-protobuf' };
    const answer = await fetch(`http://${http}/v1/traces`, { method: 'POST', headers, body });
    assert.equal(answer.status, 200);
    const client = new Client(grpc, credentials.createInsecure());
    const asIs = (bytes: Buffer): Buffer => bytes;
    try {
      await new Promise<void>((resolve, reject) =>
        client.makeUnaryRequest(
          '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
          asIs,
          asIs,
          body,
          new Metadata(),
          (error) => (error ? reject(error) : resolve()),
        ),
      );
    } finally {
      client.close();
    }
  }

  async function listening(protocol: string): Promise<string> {
    const line = await program.logged(
      protocol,
      ({ msg, ...rest }) => msg === 'listening' && rest['protocol'] === protocol,
    );
    return String(line['address']);
  }
});

async function open(address: string): Promise<Socket> {
  const [host = '', port = ''] = address.split(':');
  const socket = connect(Number(port), host);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Sends the bytes and resolves with what came back, when the other side has closed or answered. */
async function exchange(address: string, bytes: string | Buffer): Promise<string> {
  const socket = await open(address);
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => void (answer += text));
  socket.write(bytes);
  await eventually('the end of the connection', async () => (socket.closed || socket.readableEnded ? true : undefined));
  socket.destroy();
  return answer;
}
