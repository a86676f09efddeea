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
import { cutProblems } from '../../convert/conversion.ts';
import { residualAttribute } from '../../convert/document.ts';
import { type SegmentSettings, settingsOf, writeDocuments } from '../../convert/families.ts';
import { type ConversionProblem, type SegmentOptions, writeSegments } from '../../convert/index.ts';
import type { Resource, Scope, Span } from '../../model/index.ts';
import { isCoveredIndex } from './annotations.ts';
import { CarriedHashes } from './carried.ts';
import { DocumentWriter } from './document.ts';
import { KnownMessages } from './known-messages.ts';
import { type ResourceParts, resourceParts, type ScopeParts, scopeParts } from './surroundings.ts';

export interface SegmentDocuments {
  /** The documents, one after the other, with nothing between them. */
  readonly bytes: Uint8Array;
  /** Where each document ends. */
  readonly ends: readonly number[];
  /** What had to be cut from them. */
  readonly problems: readonly ConversionProblem[];
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
 * @throws RaybridgeError CONFIG_INVALID as `toSegments` does.
 */
export function createSegmentTranscoder(options: TranscodeOptions = {}): (request: Uint8Array) => SegmentDocuments {
  const settings = settingsOf({ ...options, json: jsonText });
  const transcoder = isCovered(options) ? new Transcoder(settings, options) : undefined;
  return (request) => transcoder?.run(request) ?? overSpans(request, options);
}

/** Other policies and rules than ours are for the path over spans. */
function isCovered({ policy = 'auto', annotations = {}, marksParentLinks }: TranscodeOptions): boolean {
  return policy === 'auto' && isCoveredIndex(annotations) && !marksParentLinks;
}

const noIndex: TracesIndex = { resources: [], scopes: [], spanCount: 0, spans: new Int32Array() };

/** A class because one request after another uses its memory; the fields are those of the request under way. */
class Transcoder {
  private readonly settings: SegmentSettings;
  private readonly writer: DocumentWriter;
  private readonly resources: KnownMessages<Resource, ResourceParts>;
  private readonly scopes: KnownMessages<Scope, ScopeParts>;
  private readonly carried: CarriedHashes;
  /** A subsegment may name a resource that a segment carries, so segments are written first. */
  private readonly isCarrying: boolean;
  private request: Uint8Array = new Uint8Array();
  private index = noIndex;
  /** By place of the span: its documents, as pairs of start and end on the page. */
  private ranges: (readonly number[] | undefined)[] = [];
  /** By place of the span: what was cut from each of its documents. */
  private cuts = new Map<number, readonly (readonly string[])[]>();
  private hasResidual = false;
  private slowSpans = 0;

  constructor(settings: SegmentSettings, options: TranscodeOptions) {
    this.settings = settings;
    this.isCarrying = settings.envelope === 'full' && settings.envelopeResource === 'segment';
    this.resources = new KnownMessages((resource: Resource) => resourceParts(resource, options), decodeIndexedResource);
    this.scopes = new KnownMessages(scopeParts, decodeIndexedScope);
    this.carried = new CarriedHashes(({ resource }) => this.resources.partsOf(resource).hash);
    this.writer = new DocumentWriter(settings, options.annotations ?? {}, this.isCarrying ? this.carried : undefined);
  }

  /** Undefined when a span holds a residual: such spans may belong into each other's documents. */
  run(request: Uint8Array): SegmentDocuments | undefined {
    const index = indexTraces(request);
    this.open(request, index);
    const { page, span } = this.writer.draft;
    const waiting: number[] = [];
    for (let i = 0; i < index.spanCount; i++) {
      if (this.isCarrying && !span.opensService(page.requestStart + this.startOf(i))) waiting.push(i);
      else this.write(i);
    }
    for (const i of waiting) this.write(i);
    return this.hasResidual ? undefined : this.finish();
  }

  private open(request: Uint8Array, index: TracesIndex): void {
    this.writer.draft.page.open(request);
    this.resources.open(request, index.resources);
    this.scopes.open(request, index.scopes);
    this.carried.clear();
    this.request = request;
    this.index = index;
    this.ranges = Array.from({ length: index.spanCount });
    this.cuts = new Map();
    this.hasResidual = false;
    this.slowSpans = 0;
  }

  private startOf(span: number): number {
    return this.index.spans[3 * span] ?? 0;
  }

  private write(place: number): void {
    const { writer, index, carried } = this;
    const { page, span } = writer.draft;
    const scope = index.spans[3 * place + 2] ?? 0;
    const resource = this.resources.parts(index.scopes[scope]?.resource ?? 0);
    const start = page.pos;
    const at = page.requestStart + this.startOf(place);
    if (!writer.write(at, resource, this.scopes.parts(scope), () => this.decode(place))) {
      this.writeSlowly(place);
      return;
    }
    this.ranges[place] = [start, page.pos];
    if (this.isCarrying && writer.draft.isSegment) carried.addAt(page, span.traceId, resource.hash);
  }

  private decode(place: number): Span | undefined {
    const scope = this.index.spans[3 * place + 2] ?? 0;
    return decodeIndexedSpan(this.request, this.startOf(place), {
      resource: this.resources.message(this.index.scopes[scope]?.resource ?? 0),
      scope: this.scopes.message(scope),
    });
  }

  private writeSlowly(place: number): void {
    const { page } = this.writer.draft;
    const span = this.decode(place);
    if (!span) return;
    if (span.attributes.has(residualAttribute)) this.hasResidual = true;
    this.slowSpans++;
    const ranges: number[] = [];
    const written = writeDocuments([span], this.settings, this.carried);
    for (const { document } of written) {
      ranges.push(page.pos);
      page.putText(printSegment(document));
      ranges.push(page.pos);
    }
    this.ranges[place] = ranges;
    if (written.some(({ cut }) => cut.length > 0))
      this.cuts.set(
        place,
        written.map(({ cut }) => cut),
      );
  }

  /** In the order of the spans. */
  private finish(): SegmentDocuments {
    const all: number[] = [];
    const ends: number[] = [];
    const problems: ConversionProblem[] = [];
    let end = 0;
    for (const [place, ranges = []] of this.ranges.entries()) {
      const cuts = this.cuts.get(place);
      for (let i = 0; i < ranges.length; i += 2) {
        const start = ranges[i] ?? 0;
        const stop = ranges[i + 1] ?? 0;
        problems.push(...cutProblems(ends.length, cuts?.[i >> 1] ?? [], this.settings.documentBytesMax));
        all.push(start, stop);
        end += stop - start;
        ends.push(end);
      }
    }
    return { bytes: this.writer.draft.page.gatherRanges(all), ends, problems, slowSpans: this.slowSpans };
  }
}

function overSpans(request: Uint8Array, options: TranscodeOptions): SegmentDocuments {
  const spans = decodeTraces(request);
  const { documents, problems } = writeSegments(spans, { ...options, json: jsonText });
  const texts = documents.map((document) => encoder.encode(printSegment(document)));
  const bytes = new Uint8Array(texts.reduce((sum, text) => sum + text.length, 0));
  const ends: number[] = [];
  let end = 0;
  for (const text of texts) {
    bytes.set(text, end);
    end += text.length;
    ends.push(end);
  }
  return { bytes, ends, problems, slowSpans: spans.length };
}

const encoder = new TextEncoder();
