import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTestContext } from '../../test/support/context.ts';
import { resourceOf, testSpan } from '../../test/support/span.ts';
import { type Span, SpanKind } from '../model/index.ts';
import { batchOfSpans } from '../pipeline/batches.ts';
import type { ConnectorFactory, Exporter } from '../pipeline/component.ts';
import { printMetrics } from '../pipeline/telemetry.ts';
import { servicegraphConnector } from './servicegraph/index.ts';
import { spanmetricsConnector } from './spanmetrics/index.ts';

const ms = 1_000_000n;

function start(factory: ConnectorFactory, config: object) {
  const setting = createTestContext('tested');
  const clock = { ns: 0n };
  const context = { ...setting.context, nowNs: () => clock.ns };
  const exporter = factory.create({ config: factory.configSchema.parse(config), context }) as Exporter;
  const started = exporter.start();
  return {
    setting,
    advance: (by: number) => void (clock.ns += BigInt(by) * ms),
    async take(...spans: readonly Span[]) {
      await started;
      const delivery = {
        batches: [batchOfSpans(spans, 0n)],
        token: '',
        sequence: 0n,
        signal: new AbortController().signal,
      };
      await exporter.export(delivery);
    },
    /** Lines of the metrics whose name begins so. */
    lines: (name: string) =>
      printMetrics(context.telemetry)
        .split('\n')
        .filter((line) => line.startsWith(name)),
  };
}

const lasting = (duration: number, more: Partial<Span> = {}) =>
  testSpan({ startTimeNs: 0n, endTimeNs: BigInt(duration) * ms, ...more });

describe('spanmetrics', () => {
  it('counts calls and their durations, by dimensions', async () => {
    const run = start(spanmetricsConnector, {
      dimensions: [{ name: 'http.route' }, { name: 'env', default: 'dev' }],
      histogram: { explicit: { buckets: ['10ms', '100ms'] } },
    });
    const resource = resourceOf('shop');
    const attributes = new Map([['http.route', '/a"b']]);
    await run.take(
      lasting(5, { resource, attributes }),
      lasting(50, { resource, attributes }),
      lasting(500, { resource, attributes }),
    );
    const labels =
      'service_name="shop",span_name="GET /",span_kind="SPAN_KIND_SERVER",status_code="STATUS_CODE_UNSET",http_route="/a\\"b",env="dev"';
    assert.deepEqual(run.lines('traces_span_metrics_calls_total'), [`traces_span_metrics_calls_total{${labels}} 3`]);
    assert.deepEqual(
      run.lines('traces_span_metrics_duration_milliseconds').map((line) => line.replace(labels, '')),
      [
        'traces_span_metrics_duration_milliseconds_bucket{,le="10"} 1',
        'traces_span_metrics_duration_milliseconds_bucket{,le="100"} 2',
        'traces_span_metrics_duration_milliseconds_bucket{,le="+Inf"} 3',
        'traces_span_metrics_duration_milliseconds_sum{} 555',
        'traces_span_metrics_duration_milliseconds_count{} 3',
      ],
    );
  });

  it('bounds its series, and forgets those that expire', async () => {
    const run = start(spanmetricsConnector, {
      aggregation_cardinality_limit: 2,
      metrics_expiration: '1m',
      histogram: { disable: true },
    });
    await run.take(...['a', 'b', 'c', 'd'].map((name) => lasting(1, { name })));
    const counts = run.lines('traces_span_metrics_calls_total');
    assert.equal(counts.length, 3);
    assert.equal(counts[2], 'traces_span_metrics_calls_total{otel_metric_overflow="true"} 2');
    run.advance(61_000);
    assert.deepEqual(run.lines('traces_span_metrics_calls_total'), []);
  });

  it('takes other units, names and less dimensions', async () => {
    const run = start(spanmetricsConnector, {
      namespace: '',
      exclude_dimensions: ['span.name', 'span.kind', 'status.code'],
      histogram: { unit: 's', explicit: { buckets: ['1s'] } },
    });
    await run.take(lasting(500, { resource: resourceOf('shop') }));
    assert.deepEqual(run.lines('calls_total'), ['calls_total{service_name="shop"} 1']);
    assert.ok(run.lines('duration_seconds').includes('duration_seconds_sum{service_name="shop"} 0.5'));
  });
});

describe('servicegraph', () => {
  const client = (spanId: string, more: Partial<Span> = {}) =>
    lasting(30, { spanId, kind: SpanKind.client, resource: resourceOf('shop'), ...more });
  const server = (parentSpanId: string, more: Partial<Span> = {}) =>
    lasting(20, { spanId: 'f'.repeat(16), parentSpanId, kind: SpanKind.server, resource: resourceOf('cart'), ...more });

  it('counts a call when both of its spans are there, whichever comes first', async () => {
    const run = start(servicegraphConnector, {});
    await run.take(client('1'.repeat(16)));
    assert.deepEqual(run.lines('traces_service_graph_request_total'), []);
    await run.take(
      server('1'.repeat(16)),
      server('2'.repeat(16), { status: { code: 2, message: '' } }),
      client('2'.repeat(16)),
    );
    const labels = '{client="shop",server="cart",connection_type=""}';
    assert.deepEqual(run.lines('traces_service_graph_request_total'), [
      `traces_service_graph_request_total${labels} 2`,
    ]);
    assert.deepEqual(run.lines('traces_service_graph_request_failed_total'), [
      `traces_service_graph_request_failed_total${labels} 1`,
    ]);
    assert.ok(
      run
        .lines('traces_service_graph_request_client_seconds_sum')
        .includes(`traces_service_graph_request_client_seconds_sum${labels} 0.06`),
    );
  });

  it('names a callee that reports nothing by its attributes, and counts what stays alone', async () => {
    const run = start(servicegraphConnector, { virtual_node_extra_label: true });
    await run.take(
      client('1'.repeat(16), { attributes: new Map([['db.name', 'orders']]) }),
      client('2'.repeat(16)),
      server('3'.repeat(16)),
    );
    run.advance(2_001);
    assert.deepEqual(run.lines('traces_service_graph_request_total'), [
      'traces_service_graph_request_total{client="shop",server="orders",connection_type="database",virtual_node="server"} 1',
      'traces_service_graph_request_total{client="user",server="cart",connection_type="virtual_node",virtual_node="client"} 1',
    ]);
    assert.equal(run.setting.value('raybridge_service_graph_unpaired_total', { connector: 'tested' }), 1);
  });
});
