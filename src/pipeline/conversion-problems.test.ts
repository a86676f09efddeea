import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestContext } from '../../test/support/context.ts';
import { createBatch } from './batches.ts';
import { createProblemReport } from './conversion-problems.ts';

test('members of documents that no span shows are counted, and the first is told with its place', () => {
  const { context, log, value } = createTestContext('store');
  const report = createProblemReport({ ...context, destination: 'traces>store' });
  const documents = ['200', '"soon"', '404', '"later"'].map(
    (status, i) =>
      `{"id":"53995c3f42cd8ad${i}","trace_id":"1-5759e988-bd862e3fe1be46a994272793","name":"shop","start_time":1,"end_time":2,"http":{"response":{"status":${status}}}}`,
  );
  const body = Buffer.from(`[${documents.join(',')}]`);
  const batch = createBatch({ format: 'xray_segments', body, items: 4, receivedAtNs: 1n }, report);

  assert.equal(batch.spans().length, 4);
  assert.equal(batch.spans().length, 4);
  const labels = { exporter: 'traces>store', lost: 'member' };
  assert.equal(value('raybridge_conversion_problems_total', labels), 2);
  const [first, second] = log.entries.map(({ level, fields }) => ({ level, fields }));
  assert.deepEqual(first, {
    level: 'warn',
    fields: {
      pointer: '/1/http/response/status',
      reason: 'expected a whole number',
      lost: 'member',
      destination: 'traces>store',
    },
  });
  assert.equal(second?.level, 'debug');
});
