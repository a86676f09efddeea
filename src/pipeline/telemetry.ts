/**
 * Raybridge's own counters and gauges, in memory, shown at `/metrics` in the Prometheus text format
 * (version 0.0.4). A series is one name with one set of labels; labels come from our own words
 * only, never from a sender's text, so their number stays bounded.
 */
export interface Telemetry {
  /** Adds to a counter; names end in `_total`. */
  count(name: CounterName, labels: Labels, by?: number): void;
  /** A gauge that is asked when somebody reads. */
  gauge(name: string, labels: Labels, read: () => number): void;
  /** All series, counters and gauges. */
  series(): readonly Series[];
  /** Text in the Prometheus format that a component prints itself, asked for when somebody reads. */
  expose(print: () => string): void;
  /** What components print themselves. */
  exposed(): string;
}

export type Labels = Readonly<Record<string, string>>;

export interface Series {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

/** Every counter, with the sentence that `/metrics` gives as HELP. */
export const counters = {
  raybridge_received_spans_total: 'Spans (or segment documents) that arrived and could be read, by receiver.',
  raybridge_accepted_spans_total: 'Spans made durable in the intake queue, by receiver.',
  raybridge_refused_requests_total: 'Requests answered with "come again", by receiver and reason.',
  raybridge_rejected_total: 'Spans, documents or datagrams rejected for good, by receiver and reason.',
  raybridge_delivered_spans_total: 'Spans a destination has taken, by exporter.',
  raybridge_delivery_failures_total: 'Failed attempts to deliver, by exporter and reason.',
  raybridge_dropped_spans_total: 'Spans lost after they were accepted, by exporter and reason.',
  raybridge_redacted_values_total: 'Values in which a secret was hidden before they were written to disk.',
  raybridge_conversion_problems_total:
    'Segment documents, or members of them, that no span shows as they were, by exporter and what was lost.',
  raybridge_dead_letters_total: 'Dead letters written, by exporter and reason.',
  raybridge_dead_lettered_spans_total: 'Spans (or segment documents) in dead letters written, by exporter and reason.',
  raybridge_ignored_items_total: 'Requests of other signals answered with success and dropped, by signal.',
  raybridge_traces_decided_early_total: 'Traces decided before their time because too many waited, by exporter.',
  raybridge_service_graph_unpaired_total: 'Calls of which one side alone was seen, by connector.',
  raybridge_sampling_verdicts_total: 'What sampling policies said of traces, by processor, policy and decision.',
  raybridge_engine_restarts_total: 'Restarts of the embedded engine.',
  raybridge_digest_failures_total: 'Traces that could not be made searchable, by store.',
  raybridge_insight_events_total:
    'Notable changes of insights, by change: opened, spread, cause_found, doubled, closed.',
  raybridge_insight_failures_total: 'Minutes in which insights could not be looked for, by extension and reason.',
  raybridge_api_requests_total: 'Calls of the X-Ray API, by operation and outcome.',
} as const;

export type CounterName = keyof typeof counters;

/** With `process`, counters are the process's and go on over configurations; gauges are this one's own. */
export function createTelemetry(process?: Telemetry): Telemetry {
  const counted = new Map<string, { name: string; labels: Labels; value: number }>();
  const prints: (() => string)[] = [];
  const gauges: { name: string; labels: Labels; read: () => number }[] = [];

  return {
    count(name, labels, by = 1) {
      if (process) {
        process.count(name, labels, by);
        return;
      }
      const key = seriesText(name, labels);
      const series = counted.get(key);
      if (series) series.value += by;
      else counted.set(key, { name, labels, value: by });
    },
    gauge(name, labels, read) {
      gauges.push({ name, labels, read });
    },
    expose: (print) => void prints.push(print),
    exposed: () => prints.map((print) => print()).join(''),
    series() {
      return [
        ...(process?.series() ?? counted.values()),
        ...gauges.map(({ name, labels, read }) => ({ name, labels, value: read() })),
      ];
    },
  };
}

/** The Prometheus text of all series, grouped by name. */
export function printMetrics(telemetry: Telemetry): string {
  const byName = groupByName(telemetry.series());
  const lines: string[] = [];
  for (const [name, all] of [...byName].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const help = Object.hasOwn(counters, name) ? counters[name as CounterName] : undefined;
    if (help) lines.push(`# HELP ${name} ${help}`);
    lines.push(`# TYPE ${name} ${help ? 'counter' : 'gauge'}`);
    for (const { labels, value } of all) lines.push(`${seriesText(name, labels)} ${value}`);
  }
  return `${lines.join('\n')}\n${telemetry.exposed()}`;
}

function seriesText(name: string, labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function groupByName(all: readonly Series[]): ReadonlyMap<string, Series[]> {
  const byName = new Map<string, Series[]>();
  for (const series of all) {
    const known = byName.get(series.name);
    if (known) known.push(series);
    else byName.set(series.name, [series]);
  }
  return byName;
}
