import { decodeTraces, decodeTracesJson, encodeTraces } from '../codec/index.ts';
import { joinSegments, splitSegments } from '../codec/segment.ts';
import { segmentsToOtlp } from '../transcode/index.ts';
import type { Span } from '../model/index.ts';
import type { Batch } from './batch.ts';
import type { ReportProblems } from './conversion-problems.ts';

/** Largest body of one queue record, in bytes; a larger batch is split by spans or documents (a single larger one stays whole). */
export const recordBytesMax = 1024 * 1024;

/** A batch of bytes as received; its spans are decoded when somebody asks, and then `report` hears what is wrong. */
export function createBatch(received: Omit<Batch, 'spans'>, report?: ReportProblems): Batch {
  let decoded: readonly Span[] | undefined;
  return { ...received, spans: () => (decoded ??= decode(received, report)) };
}

/** A batch of spans that a processor made of another; its bytes are made when somebody asks. */
export function batchOfSpans(spans: readonly Span[], receivedAtNs: bigint): Batch {
  let body: Uint8Array | undefined;
  return {
    format: 'otlp_proto',
    get body() {
      return (body ??= encodeTraces(spans));
    },
    items: spans.length,
    receivedAtNs,
    spans: () => spans,
  };
}

/** The batch with each span changed; itself when none was, undefined when none is left. */
export function mapSpans(batch: Batch, change: (span: Span) => Span | undefined): Batch | undefined {
  const before = batch.spans();
  const after: Span[] = [];
  let isSame = true;
  for (const span of before) {
    const changed = change(span);
    isSame &&= changed === span;
    if (changed) after.push(changed);
  }
  if (isSame) return batch;
  return after.length === 0 ? undefined : batchOfSpans(after, batch.receivedAtNs);
}

/** The batch in pieces of at most `recordBytesMax`, or the batch itself when it is small enough. */
export function splitBatch(batch: Batch): readonly Batch[] {
  if (batch.body.length <= recordBytesMax) return [batch];
  if (batch.format === 'xray_segments') return splitDocuments(splitSegments(batch.body), batch.receivedAtNs);
  return splitSpans(batch.spans(), batch.receivedAtNs);
}

/** Documents stay the bytes of their sender: nothing is decoded. */
function splitDocuments(documents: readonly Uint8Array[], receivedAtNs: bigint): readonly Batch[] {
  const pieces: Uint8Array[][] = [];
  let pieceBytes = recordBytesMax;
  for (const document of documents) {
    const bytes = document.length + ','.length;
    if (pieceBytes + bytes > recordBytesMax) {
      pieces.push([]);
      pieceBytes = '[]'.length;
    }
    pieces.at(-1)?.push(document);
    pieceBytes += bytes;
  }
  return pieces.map((piece) =>
    createBatch({ format: 'xray_segments', body: joinSegments(piece), items: piece.length, receivedAtNs }),
  );
}

function decode({ format, body }: Omit<Batch, 'spans'>, report: ReportProblems | undefined): readonly Span[] {
  switch (format) {
    case 'otlp_proto':
      return decodeTraces(body);
    case 'otlp_json':
      return decodeTracesJson(body);
    case 'xray_segments': {
      // By way of OTLP's bytes it takes a fifth of the time of `toSpans`, and gives the same spans by resource.
      const { bytes, problems } = segmentsToOtlp(body);
      if (problems.length > 0) report?.(problems);
      return decodeTraces(bytes);
    }
  }
}

function splitSpans(spans: readonly Span[], receivedAtNs: bigint): readonly Batch[] {
  const body = encodeTraces(spans);
  if (body.length <= recordBytesMax || spans.length <= 1) {
    return [createBatch({ format: 'otlp_proto', body, items: spans.length, receivedAtNs })];
  }
  const middle = spans.length >> 1;
  return [...splitSpans(spans.slice(0, middle), receivedAtNs), ...splitSpans(spans.slice(middle), receivedAtNs)];
}
