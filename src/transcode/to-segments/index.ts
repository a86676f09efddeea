import {
  decodeIndexedResource,
  decodeIndexedScope,
  decodeIndexedSpan,
  decodeTraces,
  indexTraces,
  jsonText,
  printSegment,
  type TracesIndex,
} from '../../codec/index.ts';
import { residualAttribute } from '../../convert/document.ts';
import { type SegmentOptions, toSegments } from '../../convert/index.ts';
import type { Resource, Scope, Span } from '../../model/index.ts';
import { isCoveredIndex } from './annotations.ts';
import { DocumentWriter } from './document.ts';
import { KnownMessages } from './known-messages.ts';
import { resourceParts, scopeParts } from './surroundings.ts';

export interface SegmentDocuments {
  /** The documents, one after the other, with nothing between them. */
  readonly bytes: Uint8Array;
  /** Where each document ends. */
  readonly ends: readonly number[];
  /** Spans that took the path over spans, because something about them is not usual. */
  readonly slowSpans: number;
}

export type TranscodeOptions = Partial<SegmentOptions>;

/**
 * OTLP protobuf to segment documents, bytes to bytes: the documents that `printSegment` gives of
 * `toSegments(decodeTraces(request))`. It keeps its memory and what it knows of resources between
 * requests, so that each should have many.
 *
 * The function returned throws RaybridgeError BAD_INPUT as `decodeTraces` does.
 */
export function createSegmentTranscoder(options: TranscodeOptions = {}): (request: Uint8Array) => SegmentDocuments {
  const { envelope = 'full', annotations = {} } = options;
  const writer = new DocumentWriter(envelope, annotations);
  const resources = new KnownMessages((resource: Resource) => resourceParts(resource, options), decodeIndexedResource);
  const scopes = new KnownMessages((scope: Scope) => scopeParts(scope), decodeIndexedScope);
  return (request) => {
    const index = indexTraces(request);
    const found = isCovered(options) ? transcode({ request, index, writer, resources, scopes, options }) : undefined;
    return found ?? overSpans(request, options);
  };
}

/** Other policies and rules than ours are for the path over spans. */
function isCovered({ policy = 'auto', annotations = {}, marksParentLinks }: TranscodeOptions): boolean {
  return policy === 'auto' && isCoveredIndex(annotations) && !marksParentLinks;
}

interface Work {
  readonly request: Uint8Array;
  readonly index: TracesIndex;
  readonly writer: DocumentWriter;
  readonly resources: KnownMessages<Resource, ReturnType<typeof resourceParts>>;
  readonly scopes: KnownMessages<Scope, ReturnType<typeof scopeParts>>;
  readonly options: TranscodeOptions;
}

/** Undefined when a span holds a residual: such spans may belong into each other's documents. */
function transcode({ request, index, writer, resources, scopes, options }: Work): SegmentDocuments | undefined {
  const { page } = writer.draft;
  page.open(request);
  resources.open(request, index.resources);
  scopes.open(request, index.scopes);
  const ends: number[] = [];
  let slowSpans = 0;
  // One closure for all spans: the span that it decodes is the one that is being written.
  let at = 0;
  let scope = 0;
  const decode = (): Span | undefined => {
    const resource = resources.message(index.scopes[scope]?.resource ?? 0);
    return decodeIndexedSpan(request, at, { resource, scope: scopes.message(scope) });
  };
  for (let i = 0; i < 3 * index.spanCount; i += 3) {
    at = index.spans[i] ?? 0;
    scope = index.spans[i + 2] ?? 0;
    const resource = resources.parts(index.scopes[scope]?.resource ?? 0);
    if (writer.write(page.requestStart + at, resource, scopes.parts(scope), decode)) {
      ends.push(page.length);
      continue;
    }
    const slow = decode();
    if (!slow) continue;
    if (slow.attributes.has(residualAttribute)) return undefined;
    slowSpans++;
    for (const document of toSegments([slow], { ...options, json: jsonText })) {
      page.putText(printSegment(document));
      ends.push(page.length);
    }
  }
  return { bytes: page.finish(), ends, slowSpans };
}

function overSpans(request: Uint8Array, options: TranscodeOptions): SegmentDocuments {
  const spans = decodeTraces(request);
  const documents = toSegments(spans, { ...options, json: jsonText }).map((document) =>
    encoder.encode(printSegment(document)),
  );
  const bytes = new Uint8Array(documents.reduce((sum, document) => sum + document.length, 0));
  const ends: number[] = [];
  let end = 0;
  for (const document of documents) {
    bytes.set(document, end);
    end += document.length;
    ends.push(end);
  }
  return { bytes, ends, slowSpans: spans.length };
}

const encoder = new TextEncoder();
