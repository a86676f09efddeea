import assert from 'node:assert/strict';
import { ServerCredentials, status } from '@grpc/grpc-js';
import { readFileSync } from 'node:fs';
import { afterEach, describe, it } from 'node:test';
import { type Delivering, startDelivering } from '../../../test/support/delivering.ts';
import { type FakeOtlp, type GrpcBehaviour, openFakeOtlpGrpc } from '../../../test/support/fake-otlp.ts';
import { rootPath } from '../../../test/support/root.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { testSpan } from '../../../test/support/span.ts';
import { encodeTraces } from '../../codec/index.ts';
import { encodeTracesResponse } from '../../codec/otlp-proto.ts';
import { otlpGrpcExporter } from './index.ts';

let ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.toReversed()) await end();
  ends = [];
});

describe('the otlp_grpc exporter', () => {
  it('sends what came as it came, with headers', async () => {
    const { run, fake } = await start({ headers: { 'X-Api-Key': 'k' }, user_agent: 'mine' });
    await put(run, 0, 3);
    await run.settled();
    assert.deepEqual(fake.taken, ids(0, 3));
    assert.equal(fake.headers[0]?.['x-api-key'], 'k');
    assert.match(String(fake.headers[0]?.['user-agent']), /^mine /);
    assert.equal(run.delivered(), 3);
  });

  for (const name of [
    'CANCELLED',
    'DEADLINE_EXCEEDED',
    'ABORTED',
    'OUT_OF_RANGE',
    'UNAVAILABLE',
    'DATA_LOSS',
  ] as const) {
    it(`tries again after ${name}`, async () => {
      const { run, fake } = await start();
      fake.answer({ code: status[name] }, { code: status[name] });
      await put(run, 0, 2);
      await run.settled();
      assert.deepEqual(fake.taken, ids(0, 2));
      assert.deepEqual([...run.deadLetters()], []);
    });
  }

  it('waits as long as RetryInfo says, after RESOURCE_EXHAUSTED too', async () => {
    const { run, fake } = await start();
    const quota = { code: status.RESOURCE_EXHAUSTED, retryAfterMs: 7000 };
    fake.answer(quota, { code: status.UNAVAILABLE, retryAfterMs: 9000 });
    await put(run, 0, 1);
    await run.settled();
    assert.deepEqual(
      run.pauses.filter((ms) => ms > 200),
      [7000, 9000],
    );
    assert.deepEqual(fake.taken, ids(0, 1));
  });

  for (const name of [
    'UNKNOWN',
    'INVALID_ARGUMENT',
    'NOT_FOUND',
    'ALREADY_EXISTS',
    'FAILED_PRECONDITION',
    'UNIMPLEMENTED',
    'INTERNAL',
    'RESOURCE_EXHAUSTED',
  ] as const) {
    it(`keeps as a dead letter what ${name} refuses`, async () => {
      const { run, fake } = await start();
      fake.answer({ code: status[name] });
      await put(run, 0, 1);
      await run.settled();
      assert.deepEqual([...run.deadLetters()], [['DESTINATION_REFUSED', 1]]);
      assert.equal(fake.requests.length, 1);
    });
  }

  for (const name of ['UNAUTHENTICATED', 'PERMISSION_DENIED'] as const) {
    it(`keeps the data after ${name}, and tells why`, async () => {
      const { run, fake } = await start();
      fake.answer({ code: status[name], details: 'no key' });
      await put(run, 0, 1);
      await run.settled();
      assert.deepEqual(fake.taken, ids(0, 1));
      assert.ok(run.pauses.includes(60_000));
      assert.ok(run.setting.log.entries.some(({ fields }) => JSON.stringify(fields).includes(`${name}: no key`)));
    });
  }

  it('halves a request that is larger than the backend takes', async () => {
    const { run, fake } = await start();
    const tooLarge = { code: status.RESOURCE_EXHAUSTED, details: 'grpc: received message larger than max (5 vs. 4)' };
    fake.answer(tooLarge, tooLarge);
    await put(run, 0, 4);
    await run.settled();
    assert.deepEqual(
      fake.requests.map((request) => request.length),
      [4, 2, 1, 1, 2],
    );
    assert.deepEqual(fake.taken, ids(0, 4));
  });

  it('counts what the backend rejected of a request that it took', async () => {
    const { run, fake } = await start();
    fake.answer(encodeTracesResponse({ rejected: 2, message: 'too old' }));
    await put(run, 0, 5);
    await run.settled();
    const labels = { exporter: 'traces>tested', reason: 'rejected_by_backend' };
    assert.equal(run.setting.value('raybridge_dropped_spans_total', labels), 2);
    assert.equal(run.delivered(), 3);
    assert.equal(fake.requests.length, 1);
  });

  it('takes data again from a backend that was away', async () => {
    const { run, fake } = await start();
    await fake.close();
    await put(run, 0, 1);
    const again = await openFakeOtlpGrpc();
    ends.push(again.close);
    const other = await start({ endpoint: `http://${again.address}` });
    await put(other.run, 1, 1);
    await other.run.settled();
    assert.deepEqual(again.taken, ids(1, 1));
    assert.deepEqual([...run.deadLetters()], []);
    assert.equal(run.delivered(), 0);
  });

  it('shows its certificate over TLS, and sends nothing to whom it does not know', async () => {
    const file = (name: string) => rootPath('test', 'fixtures', 'tls', name);
    const pem = (name: string) => readFileSync(file(name));
    const keys = [{ private_key: pem('server.key'), cert_chain: pem('server.crt') }];
    const fake = await openFakeOtlpGrpc(ServerCredentials.createSsl(pem('ca.crt'), keys, true));
    ends.push(fake.close);
    const endpoint = `https://${fake.address}`;
    const client = { cert_file: file('client.crt'), key_file: file('client.key') };
    const { run } = await start({ endpoint, tls: { ca_file: file('ca.crt'), ...client } });
    await put(run, 0, 2);
    await run.settled();
    assert.deepEqual(fake.taken, ids(0, 2));

    for (const tls of [{ ca_file: file('ca.crt') }, client]) {
      const stranger = await start({ endpoint, tls });
      await put(stranger.run, 2, 1);
      await eventually('some failures', async () => stranger.run.pauses.length > 2 || undefined);
      assert.deepEqual([...stranger.run.deadLetters()], [], 'what a certificate can mend is kept');
    }
    assert.deepEqual(fake.taken, ids(0, 2));
  });

  it('refuses endpoints that are none', () => {
    for (const endpoint of ['', 'host', 'host:x', 'https://host', 'host:99999']) {
      assert.equal(otlpGrpcExporter.configSchema.safeParse({ endpoint }).success, false, endpoint);
    }
    for (const endpoint of ['host:1', 'https://host:1', 'dns:///host:1', 'unix:///p', '[::1]:1']) {
      assert.equal(otlpGrpcExporter.configSchema.safeParse({ endpoint }).success, true, endpoint);
    }
  });
});

async function start(
  settings: object = {},
): Promise<{ readonly run: Delivering; readonly fake: FakeOtlp<GrpcBehaviour> }> {
  const fake = await openFakeOtlpGrpc();
  ends.push(fake.close);
  const run = await startDelivering(({ context }) => {
    const config = otlpGrpcExporter.configSchema.parse({ endpoint: `http://${fake.address}`, ...settings });
    return otlpGrpcExporter.create({ config, context });
  });
  ends.push(run.stop);
  return { run, fake };
}

function put(run: Delivering, from: number, count: number): Promise<void> {
  const spans = ids(from, count).map((spanId) => testSpan({ spanId }));
  return run.put({ format: 'otlp_proto', body: encodeTraces(spans), items: count });
}

function ids(from: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => (from + i + 1).toString(16).padStart(16, '0'));
}
