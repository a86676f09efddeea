import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTelemetry, printMetrics } from './telemetry.ts';

describe('telemetry', () => {
  it('adds up a counter for each set of labels', () => {
    const telemetry = createTelemetry();
    telemetry.count('raybridge_dropped_spans_total', { exporter: 'a', reason: 'x' });
    telemetry.count('raybridge_dropped_spans_total', { exporter: 'a', reason: 'x' }, 4);
    telemetry.count('raybridge_dropped_spans_total', { exporter: 'a', reason: 'y' }, 2);
    assert.deepEqual(telemetry.series(), [
      { name: 'raybridge_dropped_spans_total', labels: { exporter: 'a', reason: 'x' }, value: 5 },
      { name: 'raybridge_dropped_spans_total', labels: { exporter: 'a', reason: 'y' }, value: 2 },
    ]);
  });

  it('shows a counter that was touched with zero', () => {
    const telemetry = createTelemetry();
    telemetry.count('raybridge_received_spans_total', { receiver: 'otlp' }, 0);
    assert.match(printMetrics(telemetry), /^raybridge_received_spans_total\{receiver="otlp"\} 0$/m);
  });

  it('asks a gauge when somebody reads', () => {
    const telemetry = createTelemetry();
    let bytes = 1;
    telemetry.gauge('raybridge_queue_bytes', {}, () => bytes);
    bytes = 2;
    assert.deepEqual(telemetry.series(), [{ name: 'raybridge_queue_bytes', labels: {}, value: 2 }]);
  });
});

describe('the Prometheus text', () => {
  it('groups series under their name, with type and help, by name', () => {
    const telemetry = createTelemetry();
    telemetry.gauge('raybridge_queue_bytes', {}, () => 1.5);
    telemetry.count('raybridge_received_spans_total', { receiver: 'otlp' }, 3);
    telemetry.count('raybridge_accepted_spans_total', { receiver: 'otlp' });
    telemetry.count('raybridge_received_spans_total', { receiver: 'awsxray' }, 1e21);
    assert.equal(
      printMetrics(telemetry),
      `# HELP raybridge_accepted_spans_total Spans made durable in the intake queue, by receiver.
# TYPE raybridge_accepted_spans_total counter
raybridge_accepted_spans_total{receiver="otlp"} 1
# TYPE raybridge_queue_bytes gauge
raybridge_queue_bytes 1.5
# HELP raybridge_received_spans_total Spans (or segment documents) that arrived and could be read, by receiver.
# TYPE raybridge_received_spans_total counter
raybridge_received_spans_total{receiver="otlp"} 3
raybridge_received_spans_total{receiver="awsxray"} 1e+21
`,
    );
  });

  it('escapes what would end a label or a line', () => {
    const telemetry = createTelemetry();
    const hostile = 'a"} 1\nfake_total 9 \\';
    telemetry.count('raybridge_dead_letters_total', { exporter: hostile, reason: 'x' });
    const samples = printMetrics(telemetry)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    assert.equal(samples.length, 1);
    const [, label = ''] =
      /^raybridge_dead_letters_total\{exporter="((?:[^"\\\n]|\\[\\"n])*)",reason="x"\} 1$/.exec(samples[0] ?? '') ?? [];
    const unescaped = label.replaceAll(/\\([\\"n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
    assert.equal(unescaped, hostile);
  });
});
