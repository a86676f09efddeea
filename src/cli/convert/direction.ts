import {
  decodeSegments,
  decodeTraces,
  decodeTracesJson,
  encodeTraces,
  encodeTracesJson,
  inspectTraces,
  inspectTracesJson,
  jsonText,
  printSegment,
} from '../../codec/index.ts';
import { joinSegments } from '../../codec/segment.ts';
import { type ConversionProblem, type SegmentOptions, toSpans, writeSegments } from '../../convert/index.ts';
import { RaybridgeError } from '../../errors.ts';
import type { SegmentDocument, Span } from '../../model/index.ts';
import { createSegmentTranscoder, type SegmentDocuments, segmentsToOtlp } from '../../transcode/index.ts';
import { printReadable } from './readable.ts';
import { type Bad, badOf, type Document, type Place, type Request } from './recognise.ts';

/** What comes out; `otlp proto` is bytes without line ends, the others are lines. */
export type Target = 'otlp json' | 'otlp proto' | 'xray' | 'spans';

export interface Converted {
  /** Lines without their ends, or messages: the concatenation of two protobuf requests is a request with both. */
  readonly output: readonly (string | Uint8Array)[];
  /** Spans that were read; of segments that stay segments, documents. */
  readonly count: number;
  /** What is not in the output. */
  readonly lost: readonly Lost[];
  /** What is in it, but not whole. */
  readonly warnings: readonly Complaint[];
}

export interface Complaint {
  readonly place: Place;
  readonly complaint: string;
}

interface Lost extends Complaint {
  readonly count: number;
}

/** One OTLP request. */
export function convertRequest(request: Request, target: Target, options: Partial<SegmentOptions>): Converted {
  const { bytes, encoding, place } = request;
  try {
    const { rejected, reason, droppedLinks, spans } =
      encoding === 'proto' ? inspectTraces(bytes) : inspectTracesJson(bytes);
    const { output, problems } = requestTo(target, request, options);
    return {
      output,
      count: spans - rejected,
      lost:
        rejected === 0
          ? []
          : [{ place, complaint: `${counted(rejected, 'span')} left out: ${reason}`, count: rejected }],
      warnings: [
        ...(droppedLinks === 0
          ? []
          : [{ place, complaint: `${counted(droppedLinks, 'link')} left out: ids that are none` }]),
        // The pointer leads into what comes out.
        ...problems.map(({ pointer, reason }) => ({ place, complaint: `${reason}: document ${pointer}` })),
      ],
    };
  } catch (error) {
    return nothing([badOf(error, place)]);
  }
}

/** Segment documents that stand together; to OTLP they become one request. */
export function convertDocuments(documents: readonly Document[], target: Target): Converted {
  const transcoded = target === 'otlp proto' ? transcode(documents) : undefined;
  if (transcoded) return transcoded;
  const decoded = documents.map(decode);
  const good = decoded.filter((document) => 'members' in document);
  const bad = decoded.filter((document) => 'kind' in document);
  if (good.length === 0) return nothing(bad);
  const { output, problems, count } = documentsTo(
    target,
    good.map(({ members }) => members),
  );
  const { lost, warnings } = told(problems, good);
  return { output, count, lost: [...bad.map((complaint) => ({ ...complaint, count: 1 })), ...lost], warnings };
}

/** Problems with the places of the documents they are about. */
function told(
  problems: readonly ConversionProblem[],
  documents: readonly { readonly place: Place }[],
): Pick<Converted, 'lost' | 'warnings'> {
  const placed = (problem: ConversionProblem): Complaint => placeProblem(problem, documents);
  return {
    lost: problems.filter(({ lost }) => lost === 'document').map((problem) => ({ ...placed(problem), count: 1 })),
    warnings: problems.filter(({ lost }) => lost === 'member').map(placed),
  };
}

type Problems = { readonly problems: readonly ConversionProblem[] };

/** The direction out of OTLP. The bytes have been inspected. */
function requestTo(
  target: Target,
  { bytes, encoding }: Request,
  options: Partial<SegmentOptions>,
): Pick<Converted, 'output'> & Problems {
  if (target === 'xray' && encoding === 'proto') return splitDocuments(createSegmentTranscoder(options)(bytes));
  const spans = encoding === 'proto' ? decodeTraces(bytes) : decodeTracesJson(bytes);
  if (target !== 'xray') return { output: printSpans(spans, target), problems: [] };
  const { documents, problems } = writeSegments(spans, { ...options, json: jsonText });
  return { output: documents.map(printSegment), problems };
}

function splitDocuments({ bytes, ends, problems }: SegmentDocuments): Pick<Converted, 'output'> & Problems {
  return { output: ends.map((end, i) => decoder.decode(bytes.subarray(ends[i - 1] ?? 0, end))), problems };
}

const decoder = new TextDecoder();

/** The direction out of X-Ray. */
function documentsTo(
  target: Target,
  documents: readonly SegmentDocument[],
): Pick<Converted, 'output' | 'count'> & Problems {
  if (target === 'xray') return { output: documents.map(printSegment), count: documents.length, problems: [] };
  const { spans, problems } = toSpans(documents, { json: jsonText });
  return { output: spans.length === 0 ? [] : printSpans(spans, target), count: spans.length, problems };
}

function printSpans(spans: readonly Span[], target: Exclude<Target, 'xray'>): Converted['output'] {
  if (target === 'spans') return spans.map(printReadable);
  return [target === 'otlp proto' ? encodeTraces(spans) : encodeTracesJson(spans)];
}

interface Decoded {
  readonly members: SegmentDocument;
  readonly place: Place;
}

function decode({ bytes, place }: Document): Decoded | Bad {
  try {
    const [members] = decodeSegments(bytes);
    return { members: members ?? new Map(), place };
  } catch (error) {
    return badOf(error, place);
  }
}

/** From bytes to bytes; undefined when a document is none, which the way over documents tells. */
function transcode(documents: readonly Document[]): Converted | undefined {
  try {
    const { bytes, spans, problems } = segmentsToOtlp(joinSegments(documents.map((document) => document.bytes)));
    return { output: spans === 0 ? [] : [bytes], count: spans, ...told(problems, documents) };
  } catch (error) {
    if (!(error instanceof RaybridgeError)) throw error;
    return undefined;
  }
}

/** A problem's pointer starts with the place of its document among those given. */
function placeProblem(
  { pointer, reason }: ConversionProblem,
  documents: readonly { readonly place: Place }[],
): Complaint {
  const [, index = '', rest = ''] = /^\/(\d+)(.*)$/s.exec(pointer) ?? [];
  const { offset = 0, pointer: start = '' } = documents[Number(index)]?.place ?? {};
  return { place: { offset, pointer: `${start}${rest}` }, complaint: reason };
}

function nothing(bad: readonly Bad[]): Converted {
  return { output: [], count: 0, lost: bad.map((complaint) => ({ ...complaint, count: 1 })), warnings: [] };
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
