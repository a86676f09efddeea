/**
 * Conversion on one core: spans and bytes per second of CPU time, median of runs, of batches of 512
 * spans. CPU time, because the machine is shared: what others use of it must not count.
 *
 *   npm run bench -- convert [SECONDS_PER_CASE]
 *
 * The last line of each table is a plain program for comparison, measured in the same run: decode
 * with `protobufjs`, build objects, `JSON.stringify`.
 */
import { cpus } from 'node:os';
import {
  decodeSegments,
  decodeTraces,
  decodeTracesJson,
  encodeTraces,
  encodeTracesJson,
  inspectTraces,
  jsonText as json,
  printSegment,
} from '../src/codec/index.ts';
import { toSegments, toSpans } from '../src/convert/index.ts';
import { createSegmentTranscoder, segmentsToOtlp } from '../src/transcode/index.ts';
import { otlpMessages } from '../test/support/otlp-messages.ts';
import { telemetrySpans } from '../test/support/telemetry.ts';
import { entitiesIn, xrayDocuments } from '../test/support/xray-documents.ts';

const secondsPerCase = Number(process.argv[3] ?? 3);
const runs = 5;
const spansPerBatch = 512;

const tracesData = otlpMessages.lookupType('TracesData');
const spans = telemetrySpans(spansPerBatch);
const proto = encodeTraces(spans);
const otlpJson = Buffer.from(encodeTracesJson(spans));
const segments = Buffer.from(`[${toSegments(spans, { json }).map(printSegment).join(',')}]`);

console.log(`${cpus().length} × ${cpus()[0]?.model}, Node.js ${process.version}, ${spansPerBatch} spans a batch`);
console.log(
  `bytes per span: OTLP protobuf ${perSpan(proto)}, OTLP JSON ${perSpan(otlpJson)}, segments ${perSpan(segments)}`,
);

measure('validation only', proto, () => inspectTraces(proto));
measure('OTLP protobuf → spans', proto, () => decodeTraces(proto));
measure('OTLP JSON → spans', otlpJson, () => decodeTracesJson(otlpJson));
for (const envelope of ['off', 'minimal', 'full'] as const)
  measure(`OTLP protobuf → segments over spans, ${envelope}`, proto, () =>
    toSegments(decodeTraces(proto), { json, envelope }).map(printSegment),
  );
const transcoded = (['off', 'minimal', 'full'] as const).map((envelope) => {
  const transcode = createSegmentTranscoder({ envelope });
  const name = `OTLP protobuf → segments, ${envelope}`;
  return { name, rate: measure(name, proto, () => transcode(proto)) };
});
for (const { name, body, count } of segmentBodies()) {
  measure(
    `segments of ${name} → OTLP protobuf over spans`,
    body,
    () => encodeTraces(toSpans(decodeSegments(body), { json }).spans),
    count,
  );
  measure(`segments of ${name} → OTLP protobuf`, body, () => segmentsToOtlp(body), count);
}

measure('baseline: protobufjs, decode only', proto, () => tracesData.decode(proto));
const baseline = measure('baseline: protobufjs, objects, JSON.stringify', proto, () => plainProgram(proto));
for (const { name, rate } of transcoded) compare(name, rate, baseline);

/** Documents of Raybridge's own, and those of X-Ray's SDKs, which have four calls inside. */
function segmentBodies(): readonly { name: string; body: Uint8Array; count: number }[] {
  const documents = xrayDocuments(spansPerBatch / 5);
  const count = documents.reduce((sum, document) => sum + entitiesIn(document), 0);
  return [
    { name: 'ours', body: segments, count: spansPerBatch },
    { name: 'SDKs', body: Buffer.from(`[${documents.map(printSegment).join(',')}]`), count },
  ];
}

function perSpan(bytes: Uint8Array): number {
  return Math.round(bytes.length / spansPerBatch);
}

interface PlainValue {
  stringValue?: string;
  intValue?: { toString(): string };
  doubleValue?: number;
  boolValue?: boolean;
  arrayValue?: { values: readonly PlainValue[] };
}

interface PlainSpan {
  traceId: Buffer;
  spanId: Buffer;
  parentSpanId: Buffer;
  name: string;
  startTimeUnixNano: { toString(): string };
  endTimeUnixNano: { toString(): string };
  attributes: readonly { key: string; value: PlainValue }[];
}

/** What a straightforward program does: no envelope, no rules but the outline of a document. */
function plainProgram(bytes: Uint8Array): readonly string[] {
  const message = tracesData.decode(bytes) as unknown as {
    resourceSpans: readonly { scopeSpans: readonly { spans: readonly PlainSpan[] }[] }[];
  };
  return message.resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map((span) => JSON.stringify(plainDocument(span)))),
  );
}

function plainDocument(span: PlainSpan): object {
  const traceId = span.traceId.toString('hex');
  const attributes: Record<string, unknown> = {};
  for (const { key, value } of span.attributes) attributes[key] = plainValue(value);
  return {
    name: span.name,
    id: span.spanId.toString('hex'),
    parent_id: span.parentSpanId.toString('hex'),
    trace_id: `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`,
    start_time: Number(span.startTimeUnixNano.toString()) / 1e9,
    end_time: Number(span.endTimeUnixNano.toString()) / 1e9,
    http: {
      request: { method: attributes['http.request.method'], url: attributes['url.full'] },
      response: { status: attributes['http.response.status_code'] },
    },
    metadata: { default: attributes },
  };
}

function plainValue(value: PlainValue): unknown {
  if (value.arrayValue) return value.arrayValue.values.map(plainValue);
  if (value.intValue) return Number(value.intValue.toString());
  return value.stringValue ?? value.boolValue ?? value.doubleValue;
}

/** Prints the median of the runs, each of which lasts its share of the time, and returns it: spans per second. */
function measure(name: string, input: Uint8Array, work: () => unknown, count = spansPerBatch): number {
  const rates: number[] = [];
  for (let run = -1; run < runs; run++) {
    const share = (secondsPerCase * 1e6) / (runs + 1);
    const startedAt = cpuMicroseconds();
    let batches = 0;
    let passed = 0;
    do {
      work();
      batches++;
      passed = cpuMicroseconds() - startedAt;
    } while (passed < share);
    // The first run warms up.
    if (run >= 0) rates.push((batches * 1e6) / passed);
  }
  const median = rates.toSorted((a, b) => a - b)[runs >> 1] ?? 0;
  const spansPerSecond = median * count;
  const megabytesPerSecond = (median * input.length) / 1e6;
  console.log(
    `${name.padEnd(48)} ${thousands(spansPerSecond)} k spans/s ${megabytesPerSecond.toFixed(0).padStart(5)} MB/s`,
  );
  return spansPerSecond;
}

function thousands(rate: number): string {
  return Math.round(rate / 1000)
    .toString()
    .padStart(5);
}

/** Several times as fast as what anybody would write first. */
function compare(name: string, rate: number, baseline: number): void {
  console.log(`${name.padEnd(48)} ${(rate / baseline).toFixed(1).padStart(5)} times the baseline`);
}

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
