/**
 * What a store derives of each trace that is written: its digest, in traces of six spans. Spans per
 * second of CPU time, median of runs.
 *
 *   npm run bench -- derive [SECONDS_PER_CASE]
 */
import { cpus } from 'node:os';
import { jsonText as json } from '../src/codec/index.ts';
import { toSegments, toSpans } from '../src/convert/index.ts';
import type { SegmentDocument, Span } from '../src/model/index.ts';
import { assembleTrace, digestTrace } from '../src/query/index.ts';
import { digestSpans } from '../src/reader/index.ts';
import { telemetrySpans } from '../test/support/telemetry.ts';
import { xrayDocuments } from '../test/support/xray-documents.ts';

const secondsPerCase = Number(process.argv[3] ?? 3);
const runs = 5;
const spansAtOnce = 3000;

console.log(`${cpus().length} × ${cpus()[0]?.model}, Node.js ${process.version}`);
for (const [name, spans] of [
  ['OpenTelemetry', telemetrySpans(spansAtOnce)],
  ['X-Ray SDKs', toSpans(xrayDocuments(spansAtOnce / 5), { json }).spans],
] as const) {
  const traces = tracesOf(spans);
  const documents = traces.map(documentsOf);
  measure(`${name}: spans → documents`, spans.length, () => traces.map(documentsOf));
  measure(`${name}: documents → digests`, spans.length, () => {
    for (const [i, [traceId, all]] of traces.entries()) digestTrace(assembleTrace(traceId, documents[i] ?? []), all);
  });
  measure(`${name}: spans → digests`, spans.length, () => {
    for (const [traceId, all] of traces) digestSpans(traceId, all);
  });
}

type TraceSpans = readonly [traceId: string, spans: readonly Span[]];

function tracesOf(spans: readonly Span[]): readonly TraceSpans[] {
  const byId = new Map<string, Span[]>();
  for (const span of spans) {
    const known = byId.get(span.traceId);
    if (known) known.push(span);
    else byId.set(span.traceId, [span]);
  }
  return [...byId];
}

function documentsOf([, spans]: TraceSpans): readonly SegmentDocument[] {
  const documentBytesMax = Number.POSITIVE_INFINITY;
  return toSegments(spans, { json, envelope: 'off', omitsRest: true, marksParentLinks: true, documentBytesMax });
}

function measure(name: string, count: number, work: () => void): void {
  const rates: number[] = [];
  for (let run = -1; run < runs; run++) {
    const startedAt = cpuMicroseconds();
    let rounds = 0;
    let passed = 0;
    do {
      work();
      rounds++;
      passed = cpuMicroseconds() - startedAt;
    } while (passed < (secondsPerCase * 1e6) / (runs + 1));
    // The first run warms up.
    if (run >= 0) rates.push((rounds * count * 1e6) / passed);
  }
  const median = rates.toSorted((a, b) => a - b)[runs >> 1] ?? 0;
  console.log(`${name.padEnd(40)} ${(median / 1000).toFixed(1).padStart(7)} k spans/s`);
}

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
