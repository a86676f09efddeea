import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createTestContext, createTestIntake, type TestContext } from '../../../test/support/context.ts';
import { health } from './index.ts';

const closeDeadlineMs = 2_000;

describe('the health extension', () => {
  let test: TestContext;

  beforeEach(async () => {
    test = createTestContext('health');
    const config = health.configSchema.parse({ endpoint: '127.0.0.1:0' });
    await health.create({ config, context: test.context, intake: createTestIntake() }).start();
    await test.http.listen();
  });
  afterEach(() => test.http.close(closeDeadlineMs));

  const get = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`http://${test.address('health and metrics')}${path}`, init);

  it('says at /healthz that the process lives, whatever is in fault', async () => {
    test.context.status.fault('clickhouse', 'the engine has crashed');
    const answer = await get('/healthz');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'application/json');
    assert.deepEqual(await answer.json(), { status: 'alive' });
  });

  it('is ready at /readyz until a component is in fault, and again when it works', async () => {
    const { status } = test.context;
    assert.deepEqual(await (await get('/readyz')).json(), { status: 'ready' });

    status.fault('clickhouse', 'the engine has crashed');
    status.fault('traces>store', 'the destination does not answer');
    const red = await get('/readyz');
    assert.equal(red.status, 503);
    assert.deepEqual(await red.json(), {
      status: 'not ready',
      faults: { clickhouse: 'the engine has crashed', 'traces>store': 'the destination does not answer' },
    });

    status.fault('clickhouse', undefined);
    assert.equal((await get('/readyz')).status, 503);
    status.fault('traces>store', undefined);
    assert.equal((await get('/readyz')).status, 200);
  });

  it('gives at /metrics what Prometheus reads', async () => {
    const { telemetry } = test.context;
    telemetry.count('raybridge_received_spans_total', { receiver: 'otlp' }, 3);
    telemetry.gauge('raybridge_queue_bytes', {}, () => 42);
    const answer = await get('/metrics');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    const text = await answer.text();
    assert.match(text, /^raybridge_received_spans_total\{receiver="otlp"\} 3$/m);
    assert.match(text, /^raybridge_queue_bytes 42$/m);
  });

  it('answers HEAD without a body, and nothing else', async () => {
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      const head = await get(path, { method: 'HEAD' });
      assert.equal(head.status, 200);
      assert.equal(await head.text(), '');
      assert.equal((await get(path, { method: 'POST' })).status, 404);
    }
    for (const path of ['/', '/healthz/', '/metrics.txt', '/__proto__'])
      assert.equal((await get(path)).status, 404, path);
  });

  it('answers anybody who reaches it: a load balancer names hosts that we cannot know', async () => {
    assert.equal((await get('/healthz', { headers: { origin: 'http://balancer.example' } })).status, 200);
  });
});
