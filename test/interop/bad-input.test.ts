import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type RunningRaybridge, startRaybridge } from '../support/raybridge.ts';
import { eventually } from '../support/eventually.ts';
import { sendDatagrams } from '../support/udp.ts';
import { openXrayClient, readDocuments } from '../support/xray-client.ts';

/** Each kind of bad input gets a clear answer, and what comes with or after it is not lost. */
describe('bad input', () => {
  let raybridge: RunningRaybridge;
  let number = 0;

  before(async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'raybridge-bad-'));
    const oneMebibyte = String(1024 * 1024);
    raybridge = await startRaybridge(dataDir, [
      '--set',
      `receivers.otlp.protocols.http.max_request_body_size=${oneMebibyte}`,
    ]);
  });
  after(async () => {
    await raybridge.kill('SIGTERM');
    await rm(raybridge.dataDir, { recursive: true, force: true });
  });

  it('truncated protobuf is 400 with a google.rpc.Status', async () => {
    const { status, contentType, text } = await post(
      '/v1/traces',
      'application/x-protobuf',
      Buffer.from([0x0a, 0x7f, 0x01]),
    );
    assert.equal(status, 400);
    assert.equal(contentType, 'application/x-protobuf');
    assert.match(text, /byte|offset|length/i);
  });

  it('half JSON is 400 and names the place', async () => {
    const { status, text } = await post('/v1/traces', 'application/json', Buffer.from('{"resourceSpans":[{"scopeSp'));
    assert.equal(status, 400);
    assert.match(JSON.parse(text).message, /27|end/);
  });

  it('a content type that is not OTLP is 415', async () => {
    assert.equal((await post('/v1/traces', 'text/csv', Buffer.from('a,b'))).status, 415);
  });

  it('a gzip bomb is 413 and costs little memory', async () => {
    const bomb = gzipSync(Buffer.alloc(256 * 1024 * 1024));
    assert.equal(
      (await post('/v1/traces', 'application/x-protobuf', bomb, { 'content-encoding': 'gzip' })).status,
      413,
    );
  });

  it('10 MiB to a limit of 1 MiB is 413', async () => {
    assert.equal((await post('/v1/traces', 'application/x-protobuf', Buffer.alloc(10 * 1024 * 1024))).status, 413);
  });

  it('a datagram with a bad header is counted and shown with its reason', async () => {
    await sendDatagram(`{"format": "xml", "version": 1}\n${segment('never').text}`);
    const rejection = await eventually('the rejection on the status page', async () => {
      const status = JSON.parse(await (await fetch(`http://${raybridge.addresses.api}/api/status`)).text());
      return status.rejections.find(({ component }: { component: string }) => component === 'awsxray');
    });
    assert.match(rejection.reason, /header/i);
    assert.match(rejection.sample, /xml/);
  });

  it('a segment without a name is refused by its code, and its neighbour is kept', async () => {
    const good = segment('kept');
    const { status, text } = await api('/TraceSegments', {
      TraceSegmentDocuments: [
        good.text,
        good.text.replace('"name":"kept",', '').replace(good.id, 'aaaaaaaaaaaaaaaa'),
        '{"half":',
      ],
    });
    assert.equal(status, 200);
    const [noName, half] = JSON.parse(text).UnprocessedTraceSegments;
    assert.equal(noName.Id, 'aaaaaaaaaaaaaaaa');
    assert.equal(noName.ErrorCode, 'MissingName');
    assert.equal(half.Id, undefined);
    assert.equal(half.ErrorCode, 'InvalidSegment');
    await assertStored(good.traceId);
  });

  it('an unknown API path is 404 UnknownOperationException in JSON', async () => {
    const { status, errorType, text } = await api('/NoSuchThing', {});
    assert.equal(status, 404);
    assert.equal(errorType, 'UnknownOperationException');
    assert.equal(JSON.parse(text).__type, 'UnknownOperationException');
  });

  it('a wrong page token is InvalidRequestException', async () => {
    const { status, errorType, text } = await api('/TraceSummaries', { StartTime: 1, EndTime: 2, NextToken: 'bogus' });
    assert.equal(status, 400);
    assert.equal(errorType, 'InvalidRequestException');
    assert.match(JSON.parse(text).Message, /NextToken/);
  });

  it('a bad filter expression names the position', async () => {
    const { status, text } = await api('/TraceSummaries', {
      StartTime: 1,
      EndTime: 2,
      FilterExpression: 'responsetime > fast',
    });
    assert.equal(status, 400);
    assert.match(JSON.parse(text).Message, /Invalid filter expression: .* at position 16/);
  });

  it('none of it keeps the next trace from being stored', async () => {
    const good = segment('after all that');
    await sendDatagram(`{"format": "json", "version": 1}\n${good.text}`);
    await assertStored(good.traceId);
  });

  function segment(name: string): { readonly text: string; readonly traceId: string; readonly id: string } {
    const id = (++number).toString(16).padStart(16, '0');
    const traceId = `1-${Math.floor(Date.now() / 1000).toString(16)}-${id.padStart(24, 'b')}`;
    const times = { start_time: Date.now() / 1000, end_time: Date.now() / 1000 };
    return { text: JSON.stringify({ name, id, trace_id: traceId, ...times }), traceId, id };
  }

  async function assertStored(traceId: string): Promise<void> {
    const client = openXrayClient(raybridge.addresses.api);
    assert.equal((await readDocuments(client, traceId)).length, 1);
    client.destroy();
  }

  async function post(
    path: string,
    type: string,
    body: Buffer,
    headers: Record<string, string> = {},
  ): Promise<Answered> {
    return await answered(`http://${raybridge.addresses.otlpHttp}${path}`, { 'content-type': type, ...headers }, body);
  }

  async function api(path: string, body: object): Promise<Answered> {
    return await answered(
      `http://${raybridge.addresses.api}${path}`,
      { 'content-type': 'application/json' },
      JSON.stringify(body),
    );
  }

  async function sendDatagram(text: string): Promise<void> {
    await sendDatagrams(raybridge.addresses.udp, [text]);
  }
});

interface Answered {
  readonly status: number;
  readonly contentType: string | null;
  readonly errorType: string | null;
  readonly text: string;
}

async function answered(url: string, headers: Record<string, string>, body: Buffer | string): Promise<Answered> {
  const response = await fetch(url, { method: 'POST', headers, body });
  const { headers: given, status } = response;
  return {
    status,
    contentType: given.get('content-type'),
    errorType: given.get('x-amzn-errortype'),
    text: await response.text(),
  };
}
