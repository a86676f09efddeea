import { PutTraceSegmentsCommand } from '@aws-sdk/client-xray';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { encodeTraces, encodeTracesJson } from '../../src/codec/index.ts';
import { startRaybridge } from '../support/raybridge.ts';
import { testSpan } from '../support/span.ts';
import { sendDatagrams } from '../support/udp.ts';
import { openXrayClient, readDocuments } from '../support/xray-client.ts';

const canary = 'CANARYqK7w';
/** Of what is sent by each way. */
const ways = ['protobuf', 'JSON', 'UDP', 'PutTraceSegments'] as const;

describe('a secret in a span', () => {
  let folder: string;
  before(async () => void (folder = await mkdtemp(join(tmpdir(), 'raybridge-redaction-'))));
  after(() => rm(folder, { recursive: true, force: true }));

  it('reaches neither the queue nor the store, by whatever way it comes; it does when redaction is off', async () => {
    assert.deepEqual(await filesWithCanary('on', []), []);
    const plain = await filesWithCanary('off', ['--set', 'service.redaction.enabled=false']);
    assert.ok(
      plain.some((file) => file.includes('queue')) && plain.some((file) => !file.includes('queue')),
      `${plain}`,
    );
  });

  /** After spans have come by each way and can be read from the store. */
  async function filesWithCanary(name: string, extra: readonly string[]): Promise<readonly string[]> {
    const dataDir = join(folder, name);
    const raybridge = await startRaybridge(dataDir, extra);
    const client = openXrayClient(raybridge.addresses.api);
    try {
      const now = Math.floor(Date.now() / 1000);
      const traceIds = new Map(ways.map((way, i) => [way, `${now.toString(16)}${`${i + 1}`.repeat(24)}`]));
      const xrayId = (way: (typeof ways)[number]) =>
        `1-${traceIds.get(way)?.slice(0, 8)}-${traceIds.get(way)?.slice(8)}`;
      const spans = (way: (typeof ways)[number]) => [
        testSpan({
          traceId: traceIds.get(way) ?? '',
          startTimeNs: BigInt(now) * 1_000_000_000n,
          endTimeNs: BigInt(now) * 1_000_000_000n + 5n,
          attributes: new Map([['http.request.header.authorization', [`Bearer ${canary}`]]]),
        }),
      ];
      const document = (way: (typeof ways)[number]) =>
        JSON.stringify({
          trace_id: xrayId(way),
          id: '1'.repeat(16),
          name: 'shop',
          start_time: now,
          end_time: now + 1,
          annotations: { api_key: canary },
          sql: { sanitized_query: `SET password = '${canary}'` },
        });
      const post = async (type: string, body: string | Uint8Array): Promise<void> => {
        const headers = { 'content-type': type };
        const answer = await fetch(`http://${raybridge.addresses.otlpHttp}/v1/traces`, {
          method: 'POST',
          headers,
          body,
        });
        assert.equal(answer.status, 200);
      };
      await post('application/x-protobuf', encodeTraces(spans('protobuf')));
      await post('application/json', encodeTracesJson(spans('JSON')));
      await sendDatagrams(raybridge.addresses.udp, [`{"format":"json","version":1}\n${document('UDP')}`]);
      await client.send(new PutTraceSegmentsCommand({ TraceSegmentDocuments: [document('PutTraceSegments')] }));
      for (const way of ways) await readDocuments(client, xrayId(way));
    } finally {
      client.destroy();
      await raybridge.kill('SIGTERM');
    }
    return readdirSync(dataDir, { recursive: true, encoding: 'utf8' })
      .filter((file) => statSync(join(dataDir, file)).isFile())
      .filter((file) => readFileSync(join(dataDir, file)).includes(canary));
  }
});
