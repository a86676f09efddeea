import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { BatchGetTracesCommand, type XRayClient } from '@aws-sdk/client-xray';
import { encodeTraces } from '../../src/codec/index.ts';
import { emptyResource, type Span, SpanKind, toXrayTraceId } from '../../src/model/index.ts';
import { eventually } from '../support/eventually.ts';
import { type RunningRaybridge, startRaybridge } from '../support/raybridge.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { testSpan } from '../support/span.ts';
import { openXrayClient } from '../support/xray-client.ts';

const kills = 10;
const senders = 4;
const spansPerTrace = 20;

it(`has every acknowledged span exactly once after ${kills} kill -9 during ingest`, { timeout: 200_000 }, async (t) => {
  const seed = process.env['RAYBRIDGE_SEED'] ?? randomBytes(4).toString('hex');
  t.diagnostic(`seed ${seed}: RAYBRIDGE_SEED=${seed} repeats this run`);
  const random = seededRandom(seed);
  const dataDir = await mkdtemp(join(tmpdir(), 'raybridge-kill-'));
  const acknowledged: string[] = [];
  try {
    for (let round = 0; round < kills; round++) {
      const raybridge = await startRaybridge(dataDir);
      const sending = Promise.all(
        Array.from({ length: senders }, (_, sender) => send(raybridge, `${seed}-${round}-${sender}`, acknowledged)),
      );
      await wait(200 + 1300 * random());
      await raybridge.kill('SIGKILL');
      await sending;
    }
    assert.ok(acknowledged.length > kills, 'the test sends something');
    t.diagnostic(`${acknowledged.length * spansPerTrace} spans were acknowledged`);

    const raybridge = await startRaybridge(dataDir);
    const client = openXrayClient(raybridge.addresses.api);
    try {
      for (let at = 0; at < acknowledged.length; at += 5)
        await assertStoredOnce(client, acknowledged.slice(at, at + 5));
    } finally {
      client.destroy();
      await raybridge.kill('SIGTERM');
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

/** Sends traces one after the other until the process is gone; those answered with 200 are noted. */
async function send(raybridge: RunningRaybridge, name: string, acknowledged: string[]): Promise<void> {
  for (let number = 0; ; number++) {
    const traceId = createHash('md5').update(`${name}-${number}`).digest('hex');
    try {
      const response = await fetch(`http://${raybridge.addresses.otlpHttp}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body: encodeTraces(traceOf(traceId)),
      });
      if (response.status === 200) acknowledged.push(traceId);
      await response.arrayBuffer();
    } catch {
      // The process was killed; what it had not acknowledged may or may not be stored.
      return;
    }
  }
}

async function assertStoredOnce(client: XRayClient, traceIds: readonly string[]): Promise<void> {
  const expected = new Map(traceIds.map((traceId) => [toXrayTraceId(traceId), spanIdsOf(traceId)]));
  await eventually(`traces ${traceIds.join(', ')} in full`, async () => {
    const { Traces = [] } = await client.send(new BatchGetTracesCommand({ TraceIds: [...expected.keys()] }));
    const found = Traces.map(({ Id = '', Segments = [] }) => {
      const ids = Segments.flatMap(({ Document = '{}' }) => idsOf(JSON.parse(Document)));
      assert.equal(new Set(ids).size, ids.length, `trace ${Id} holds a span twice: ${ids.join(' ')}`);
      return [Id, ids.toSorted()] as const;
    });
    const complete =
      found.length === expected.size && found.every(([id, ids]) => ids.join() === expected.get(id)?.join());
    return complete ? true : undefined;
  });
}

function traceOf(traceId: string): readonly Span[] {
  const startTimeNs = BigInt(Date.now()) * 1_000_000n;
  const resource = { ...emptyResource, attributes: new Map([['service.name', 'ledger']]) };
  return spanIdsOf(traceId).map((spanId, index, all) =>
    testSpan({
      traceId,
      spanId,
      parentSpanId: index === 0 ? undefined : all[0],
      name: `step ${index}`,
      kind: index === 0 ? SpanKind.server : SpanKind.internal,
      startTimeNs,
      endTimeNs: startTimeNs + 1_000_000n,
      attributes: new Map([['index', BigInt(index)]]),
      resource,
    }),
  );
}

/** Sorted; the first is the root. */
function spanIdsOf(traceId: string): readonly string[] {
  return Array.from({ length: spansPerTrace }, (_, index) =>
    createHash('md5').update(`${traceId}-${index}`).digest('hex').slice(0, 16),
  ).toSorted();
}

function idsOf(document: { id: string; subsegments?: readonly [] }): readonly string[] {
  return [document.id, ...(document.subsegments ?? []).flatMap(idsOf)];
}
