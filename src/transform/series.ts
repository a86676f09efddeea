/**
 * Counters and histograms by labels whose values come from spans, as Prometheus text. Anybody who may
 * send spans chooses the values, so their number is bounded: what is beyond counts under one series.
 */
export interface SeriesTable {
  /** `value` is what a histogram takes; counters ignore it. */
  observe(labels: Readonly<Record<string, string>>, value: number, nowMs: number): void;
  /** Forgets series that nothing was observed of since then. */
  expire(beforeMs: number): void;
  print(): string;
}

export interface SeriesOptions {
  readonly name: string;
  readonly help: string;
  /** Upper bounds, rising; without them it is a counter. */
  readonly buckets?: readonly number[];
  readonly seriesMax: number;
}

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  count: number;
  sum: number;
  /** One for each bucket, each value in one. */
  readonly buckets: Float64Array;
  seenAtMs: number;
}

/** As the OpenTelemetry SDKs mark it. */
const overflow = { otel_metric_overflow: 'true' };
const valueCharactersMax = 200;

export function createSeries({ name, help, buckets, seriesMax }: SeriesOptions): SeriesTable {
  const all = new Map<string, Series>();
  const bounds = buckets ?? [];

  const seriesOf = (labels: Readonly<Record<string, string>>): Series => {
    const key = Object.values(labels).join('\u0000');
    const known = all.get(key);
    if (known) return known;
    const isFull = all.size >= seriesMax;
    if (isFull && labels !== overflow) return seriesOf(overflow);
    const made: Series = { labels, count: 0, sum: 0, buckets: new Float64Array(bounds.length), seenAtMs: 0 };
    all.set(key, made);
    return made;
  };

  const printSeries = ({ labels, count, sum, buckets: counts }: Series): readonly string[] => {
    if (!buckets) return [`${name}${printLabels(labels)} ${count}`];
    let below = 0;
    const lines = bounds.map((bound, i) => {
      below += counts[i] ?? 0;
      return `${name}_bucket${printLabels({ ...labels, le: String(bound) })} ${below}`;
    });
    return [
      ...lines,
      `${name}_bucket${printLabels({ ...labels, le: '+Inf' })} ${count}`,
      `${name}_sum${printLabels(labels)} ${sum}`,
      `${name}_count${printLabels(labels)} ${count}`,
    ];
  };

  return {
    observe(labels, value, nowMs) {
      const series = seriesOf(labels);
      series.count++;
      series.seenAtMs = nowMs;
      if (!buckets) return;
      series.sum += value;
      const at = bounds.findIndex((bound) => value <= bound);
      if (at >= 0) series.buckets[at] = (series.buckets[at] ?? 0) + 1;
    },
    expire(beforeMs) {
      for (const [key, { seenAtMs }] of all) if (seenAtMs < beforeMs) all.delete(key);
    },
    print() {
      const lines = [...all.values()].flatMap(printSeries);
      return [`# HELP ${name} ${help}`, `# TYPE ${name} ${buckets ? 'histogram' : 'counter'}`, ...lines, ''].join('\n');
    },
  };
}

/** Names as Prometheus has them: `http.route` is `http_route`. */
export function toLabelName(key: string): string {
  return key.replaceAll(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d)/, '_');
}

function printLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escape(value.slice(0, valueCharactersMax))}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
