import { PutTraceSegmentsCommand } from '@aws-sdk/client-xray';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createTestContext } from '../../../test/support/context.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { withRaybridge } from '../../../test/support/raybridge.ts';
import { openXrayClient, readDocuments } from '../../../test/support/xray-client.ts';
import type { Batch } from '../../pipeline/batch.ts';
import { splitSegments } from '../../codec/segment.ts';
import { openCheckpoint } from './checkpoint.ts';
import { awsxrayPollerReceiver } from './index.ts';

describe('the awsxray_poller receiver', () => {
  it('brings what is in an X-Ray and what comes later, each document once, and goes on where it was', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'raybridge-poller-'));
    await withRaybridge(async ({ addresses }) => {
      const client = openXrayClient(addresses.api);
      const now = Math.floor(Date.now() / 1000);
      const traceId = `1-${now.toString(16)}-${'ab'.repeat(12)}`;
      const put = async (id: string) => {
        const document = JSON.stringify({ trace_id: traceId, id, name: 'shop', start_time: now, end_time: now + 0.5 });
        await client.send(new PutTraceSegmentsCommand({ TraceSegmentDocuments: [document] }));
        return document;
      };
      const first = await put('1'.repeat(16));
      await readDocuments(client, traceId);

      const taken: string[] = [];
      const { context } = createTestContext('awsxray_poller');
      const config = awsxrayPollerReceiver.configSchema.parse({
        endpoint: `http://${addresses.api}`,
        region: 'us-east-1',
        access_key_id: 'any',
        secret_access_key: 'any',
        interval: '1s',
      });
      const receiver = awsxrayPollerReceiver.create({
        config,
        context: { ...context, dataDir, nowNs: () => BigInt(Date.now()) * 1_000_000n },
        intake: {
          async consume({ body }: Batch) {
            taken.push(...splitSegments(body).map((bytes) => Buffer.from(bytes).toString()));
          },
        },
        ignoredSignals: new Set(),
      });
      await receiver.start();
      await eventually('the first', async () => (taken.length > 0 ? true : undefined));
      const second = await put('2'.repeat(16));
      await eventually('the second', async () => (taken.length > 1 ? true : undefined));
      assert.deepEqual(
        taken.map((text) => JSON.parse(text)),
        [first, second].map((text) => JSON.parse(text)),
      );
      await receiver.shutdown(0);
      const kept = (await openCheckpoint(dataDir, 'awsxray_poller')).readMs() ?? 0;
      assert.ok(Math.abs(Date.now() - kept) < 60_000, String(kept));
    });
    await rm(dataDir, { recursive: true, force: true });
  });
});
