import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toFlows } from './flows.ts';

const status = {
  listeners: [
    { component: 'otlp', protocol: 'OTLP HTTP', transport: 'tcp', address: '127.0.0.1:4318' },
    { component: 'health', protocol: 'health', transport: 'tcp', address: '127.0.0.1:2080' },
    { component: 'xray_api', protocol: 'X-Ray API', transport: 'tcp', address: '127.0.0.1:2080' },
  ],
  faults: [
    { component: 'traces>awsxray', reason: 'no credentials' },
    { component: 'queue', reason: 'the disk is full' },
  ],
  rejections: [
    { component: 'awsxray', atSeconds: 9, reason: 'no header', sample: '' },
    { component: 'otlp', atSeconds: 8, reason: 'expected an object', sample: '7' },
    { component: 'otlp', atSeconds: 7, reason: 'older', sample: '' },
  ],
} as const;

const series = [
  { name: 'raybridge_received_spans_total', labels: { receiver: 'otlp' }, value: 7 },
  { name: 'raybridge_rejected_total', labels: { receiver: 'otlp', reason: 'BAD_INPUT' }, value: 2 },
  { name: 'raybridge_rejected_total', labels: { receiver: 'otlp', reason: 'TOO_LARGE' }, value: 0 },
  { name: 'raybridge_udp_kernel_drops', labels: { receiver: 'otlp' }, value: 3 },
  { name: 'raybridge_delivered_spans_total', labels: { exporter: 'traces>awsxray' }, value: 5 },
  { name: 'raybridge_queue_records', labels: { exporter: 'traces>awsxray' }, value: 4 },
  { name: 'raybridge_digest_waiting_spans', labels: { store: 'clickhouse' }, value: 6 },
  { name: 'raybridge_api_requests_total', labels: { operation: 'GetGroups', outcome: 'ok' }, value: 8 },
  { name: 'raybridge_api_requests_total', labels: { operation: 'GetGroup', outcome: 'ok' }, value: 1 },
  { name: 'raybridge_api_requests_total', labels: { operation: 'GetGroup', outcome: 'abandoned' }, value: 1 },
  { name: 'raybridge_api_requests_total', labels: { operation: 'GetGroup', outcome: 'InvalidRequest' }, value: 2 },
  { name: 'raybridge_queue_bytes', labels: {}, value: 1 },
];

const still = { rate: undefined, bad: false };

describe('what flows', () => {
  it('is told of receivers with addresses, counts, reasons and the newest rejection', () => {
    assert.deepEqual(toFlows(status, series).receivers, [
      {
        id: 'otlp',
        addresses: ['OTLP HTTP, tcp 127.0.0.1:4318'],
        fault: undefined,
        facts: [
          { ...still, label: 'Received', value: 7 },
          { ...still, label: 'Accepted', value: 0 },
          { ...still, label: 'Rejected: BAD_INPUT', value: 2, bad: true },
          { ...still, label: 'Datagrams lost because too many came at once', value: 3, bad: true },
        ],
        lastRejection: status.rejections[1],
      },
    ]);
  });

  it('is told of exporters, with what waits and what is wrong', () => {
    assert.deepEqual(toFlows(status, series).exporters, [
      {
        id: 'traces>awsxray',
        addresses: [],
        fault: 'no credentials',
        facts: [
          { ...still, label: 'Delivered', value: 5 },
          { ...still, label: 'Batches waiting', value: 4 },
        ],
        lastRejection: undefined,
      },
    ]);
  });

  it('is told of stores, and of listeners that take nothing in', () => {
    const { stores, others } = toFlows(status, series);
    assert.deepEqual(
      [...stores, ...others].map(({ id, facts }) => [id, ...facts.map(({ label, value }) => `${label} ${value}`)]),
      [
        ['clickhouse', 'Spans not searchable yet 6'],
        ['health'],
        ['xray_api', 'Calls answered 9', 'Calls refused: InvalidRequest 2'],
      ],
    );
  });

  it('leaves no fault out', () => {
    assert.deepEqual(toFlows(status, series).otherFaults, [{ component: 'queue', reason: 'the disk is full' }]);
  });

  it('has rates once it is known what was counted before, but not over a restart', () => {
    const rateAfter = (value: number) => {
      const earlier = { series: [{ ...series[0], value } as (typeof series)[0]], secondsAgo: 2 };
      return toFlows(status, series, earlier).receivers[0]?.facts[0]?.rate;
    };
    assert.deepEqual([rateAfter(3), rateAfter(7), rateAfter(8)], [2, 0, undefined]);
  });
});
