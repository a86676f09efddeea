import { encodeTraces } from '../../codec/index.ts';
import { splitSegments } from '../../codec/segment.ts';
import type { Batch } from '../../pipeline/batch.ts';
import { createSegmentTranscoder } from '../../transcode/index.ts';
import type { AwsxrayConfig } from './config.ts';

/** Documents of a batch: those of segments are their sender's bytes, others are made of the spans. */
export type ToDocuments = (batch: Batch) => readonly Uint8Array[];

export function createDocuments(
  config: Pick<AwsxrayConfig, 'indexed_attributes' | 'index_all_attributes' | 'aws_log_groups'>,
): ToDocuments {
  const transcode = createSegmentTranscoder({
    annotations: { indexAll: config.index_all_attributes, indexed: config.indexed_attributes },
    logGroups: config.aws_log_groups,
    // Whoever reads them from AWS gets them one at a time.
    envelopeResource: 'always',
  });
  return (batch) => {
    if (batch.format === 'xray_segments') return splitSegments(batch.body);
    const { bytes, ends } = transcode(batch.format === 'otlp_proto' ? batch.body : encodeTraces(batch.spans()));
    // The transcoder uses its memory again.
    const own = Uint8Array.from(bytes);
    return ends.map((end, i) => own.subarray(ends[i - 1] ?? 0, end));
  };
}

/** Documents of one call of PutTraceSegments (X-Ray API reference; observed limit of 50). */
const pageDocumentsMax = 50;
/** Of documents in one call; AWS names no limit, and calls of this size went through. */
const pageBytesMax = 1024 * 1024;

/** Documents that go in one call. */
export type Page = readonly Uint8Array[];

export function toPages(documents: readonly Uint8Array[]): readonly Page[] {
  const pages: Uint8Array[][] = [];
  let bytes = pageBytesMax;
  for (const document of documents) {
    const last = pages.at(-1);
    if (last && last.length < pageDocumentsMax && bytes + document.length <= pageBytesMax) last.push(document);
    else {
      pages.push([document]);
      bytes = 0;
    }
    bytes += document.length;
  }
  return pages;
}

const decoder = new TextDecoder();

/** The body of a call: each document as a JSON string. */
export function printPage(page: Page): Uint8Array {
  return Buffer.from(
    `{"TraceSegmentDocuments":[${page.map((document) => JSON.stringify(decoder.decode(document))).join(',')}]}`,
  );
}

/** The id by which an answer names a document. */
export function idOf(document: Uint8Array): string | undefined {
  const { id } = JSON.parse(decoder.decode(document));
  return typeof id === 'string' ? id : undefined;
}
