import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toFlows } from './flows.ts';

test('Receivers and exporters are told with their addresses, counts and reasons', () => {
  const { receivers, exporters } = toFlows(
    {
      listeners: [
        { component: 'otlp', protocol: 'OTLP HTTP', transport: 'tcp', address: '127.0.0.1:4318' },
        { component: 'health', protocol: 'health', transport: 'tcp', address: '127.0.0.1:2080' },
      ],
      faults: [{ component: 'traces>awsxray', reason: 'no credentials' }],
    },
    [
      { name: 'raybridge_received_spans_total', labels: { receiver: 'otlp' }, value: 7 },
      { name: 'raybridge_rejected_total', labels: { receiver: 'otlp', reason: 'BAD_INPUT' }, value: 2 },
      { name: 'raybridge_rejected_total', labels: { receiver: 'otlp', reason: 'TOO_LARGE' }, value: 0 },
      { name: 'raybridge_delivered_spans_total', labels: { exporter: 'traces>awsxray' }, value: 5 },
      { name: 'raybridge_queue_bytes', labels: {}, value: 1 },
    ],
  );
  assert.deepEqual(receivers, [
    {
      id: 'otlp',
      addresses: ['OTLP HTTP, tcp 127.0.0.1:4318'],
      fault: undefined,
      facts: [
        { label: 'Received', value: 7, bad: false },
        { label: 'Accepted', value: 0, bad: false },
        { label: 'Rejected: BAD_INPUT', value: 2, bad: true },
      ],
    },
  ]);
  assert.deepEqual(exporters, [
    {
      id: 'traces>awsxray',
      addresses: [],
      fault: 'no credentials',
      facts: [{ label: 'Delivered', value: 5, bad: false }],
    },
  ]);
});
