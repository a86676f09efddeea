import { z } from 'zod';
import { duration, noEffect } from '../../config/schema.ts';
import { type Span, SpanKind, StatusCode } from '../../model/index.ts';
import type { ConnectorFactory, Exporter } from '../../pipeline/component.ts';
import { createSeries, toLabelName } from '../../transform/series.ts';
import { textOf } from '../../transform/text.ts';

const dimension = z.strictObject({ name: z.string(), default: z.string().optional() });
const defaultBucketsMs = [2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1_000, 1_400, 2_000, 5_000, 10_000, 15_000];
const sent = 'has no effect; the metrics are shown at /metrics and not sent';

const configSchema = z.strictObject({
  histogram: z
    .strictObject({
      disable: z.boolean().default(false),
      unit: z.enum(['ms', 's']).default('ms'),
      explicit: z.strictObject({ buckets: z.array(duration).default(defaultBucketsMs) }).prefault({}),
      exponential: noEffect(z.unknown().optional(), 'has no effect; the buckets are explicit ones'),
      dimensions: z.array(dimension).default([]),
    })
    .prefault({}),
  dimensions: z.array(dimension).default([]),
  calls_dimensions: z.array(dimension).default([]),
  exclude_dimensions: z.array(z.string()).default([]),
  namespace: z.string().default('traces.span.metrics'),
  /** Series that nothing was counted in for so long are forgotten; 0: never. */
  metrics_expiration: duration.default(0),
  aggregation_cardinality_limit: z.int().min(0).default(0),
  dimensions_cache_size: noEffect(z.int().optional()),
  aggregation_temporality: noEffect(z.string().optional(), sent),
  metrics_flush_interval: noEffect(duration.optional(), sent),
  exemplars: noEffect(z.unknown().optional(), sent),
  events: noEffect(z.unknown().optional(), 'has no effect; events are not counted'),
  resource_metrics_cache_size: noEffect(z.int().optional()),
  resource_metrics_key_attributes: noEffect(z.array(z.string()).optional()),
});

type SpanMetricsConfig = z.output<typeof configSchema>;
type Dimension = z.output<typeof dimension>;

const seriesMaxDefault = 10_000;
const kinds: ReadonlyMap<number, string> = new Map(
  Object.entries(SpanKind).map(([name, kind]) => [kind, `SPAN_KIND_${name.toUpperCase()}`]),
);
const codes: ReadonlyMap<number, string> = new Map(
  Object.entries(StatusCode).map(([name, code]) => [code, `STATUS_CODE_${name.toUpperCase()}`]),
);

const usual: readonly (readonly [name: string, read: (span: Span) => string])[] = [
  ['service.name', ({ resource }) => textOf(resource.attributes.get('service.name'))],
  ['span.name', ({ name }) => name],
  ['span.kind', ({ kind }) => kinds.get(kind) ?? ''],
  ['status.code', ({ status }) => codes.get(status.code) ?? ''],
];

/** Counts calls and how long they took, of every span, at `/metrics`. */
export const spanmetricsConnector: ConnectorFactory = {
  kind: 'connector',
  type: 'spanmetrics',
  endsPipelines: true,
  configSchema,
  create({ config, context }): Exporter {
    // The register has checked `config` with the schema above.
    const checked = config as SpanMetricsConfig;
    const { histogram, namespace, metrics_expiration: expiryMs } = checked;
    const prefix = namespace === '' ? '' : `${toLabelName(namespace)}_`;
    const seriesMax = checked.aggregation_cardinality_limit || seriesMaxDefault;
    const isSeconds = histogram.unit === 's';
    const calls = createSeries({
      name: `${prefix}calls_total`,
      help: 'Spans, by service, name, kind and status.',
      seriesMax,
    });
    const durations = createSeries({
      name: `${prefix}duration_${isSeconds ? 'seconds' : 'milliseconds'}`,
      help: 'How long spans took.',
      buckets: histogram.explicit.buckets.map((ms) => (isSeconds ? ms / 1000 : ms)),
      seriesMax,
    });
    const callLabels = labelsOf([...checked.dimensions, ...checked.calls_dimensions], checked.exclude_dimensions);
    const durationLabels = labelsOf([...checked.dimensions, ...histogram.dimensions], checked.exclude_dimensions);
    const nowMs = () => Number(context.nowNs() / 1_000_000n);

    return {
      gather: { bytesMax: 4 * 1024 * 1024, lingerMs: 0 },
      lanes: 1,
      async start() {
        context.telemetry.expose(() => {
          for (const table of [calls, durations]) if (expiryMs > 0) table.expire(nowMs() - expiryMs);
          return histogram.disable ? calls.print() : calls.print() + durations.print();
        });
      },
      async shutdown() {},
      async export({ batches }) {
        const now = nowMs();
        for (const span of batches.flatMap((batch) => batch.spans())) {
          calls.observe(callLabels(span), 0, now);
          if (histogram.disable || span.endTimeNs === 0n) continue;
          const ms = Number(span.endTimeNs - span.startTimeNs) / 1e6;
          durations.observe(durationLabels(span), isSeconds ? ms / 1000 : ms, now);
        }
      },
    };
  },
};

function labelsOf(
  more: readonly Dimension[],
  excluded: readonly string[],
): (span: Span) => Readonly<Record<string, string>> {
  const known = usual
    .filter(([name]) => !excluded.includes(name))
    .map(([name, read]) => [toLabelName(name), read] as const);
  const wanted = more
    .filter(({ name }) => !excluded.includes(name))
    .map((one) => [toLabelName(one.name), one] as const);
  return (span) => {
    const labels: Record<string, string> = {};
    for (const [label, read] of known) labels[label] = read(span);
    for (const [label, { name, default: fallback }] of wanted) {
      const value = span.attributes.get(name) ?? span.resource.attributes.get(name) ?? fallback;
      if (value !== undefined) labels[label] = textOf(value);
    }
    return labels;
  };
}
