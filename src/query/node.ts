import type { SegmentDocument, SegmentNode } from '../model/index.ts';
import { readFlag, readNumber, readObject, readText, readTime } from './members.ts';
import { serviceOf } from './service.ts';

/** One document with the two members without which it has no place in a trace, and its end. */
export interface Entry {
  readonly id: string;
  readonly startTimeNs: bigint;
  /** Undefined while in progress. */
  readonly endTimeNs: bigint | undefined;
  readonly document: SegmentDocument;
}

/** Undefined when the document has no id or no start time: it cannot be placed and is left out. */
export function readEntry(document: SegmentDocument): Entry | undefined {
  const id = readText(document, 'id');
  const startTimeNs = readTime(document, 'start_time');
  if (id === undefined || startTimeNs === undefined) return undefined;
  return { id, startTimeNs, endTimeNs: readTime(document, 'end_time'), document };
}

/** True for a document sent apart from its parent. */
export function isIndependentSubsegment(document: SegmentDocument): boolean {
  return readText(document, 'type')?.toLowerCase() === 'subsegment';
}

interface Place {
  readonly parentId: string | undefined;
  readonly subsegment: boolean;
  readonly subsegments: readonly SegmentNode[];
}

/** Member by member: a node that is spread has no fixed shape for the engine, and is slow to make and to read. */
export function toSegmentNode({ id, startTimeNs, endTimeNs, document }: Entry, place: Place): SegmentNode {
  const segment = !place.subsegment;
  const { fault, error, throttle } = readFlags(document);
  return {
    id,
    parentId: place.parentId,
    name: readText(document, 'name') ?? '',
    origin: segment ? readText(document, 'origin') : undefined,
    namespace: place.subsegment ? callNamespace(document) : undefined,
    accountId: readText(readObject(document, 'aws'), 'account_id'),
    startTimeNs,
    endTimeNs,
    fault,
    error,
    throttle,
    inferred: segment && readFlag(document, 'inferred') === true,
    subsegment: place.subsegment,
    service: segment ? serviceOf(document) : undefined,
    document,
    subsegments: place.subsegments,
  };
}

/** `aws` and `remote` mark a call. The Collector also writes `local`, which means none. */
function callNamespace(document: SegmentDocument): string | undefined {
  const namespace = readText(document, 'namespace');
  return namespace === 'aws' || namespace === 'remote' ? namespace : undefined;
}

/**
 * The flags a document states; when it states none, those its HTTP status implies: 429 is error and
 * throttle, another 4xx error, 5xx fault.
 */
function readFlags(document: SegmentDocument): Pick<SegmentNode, 'fault' | 'error' | 'throttle'> {
  const fault = readFlag(document, 'fault');
  const error = readFlag(document, 'error');
  const throttle = readFlag(document, 'throttle');
  if (fault !== undefined || error !== undefined || throttle !== undefined) {
    return { fault: fault === true, error: error === true, throttle: throttle === true };
  }
  const status = readNumber(readObject(readObject(document, 'http'), 'response'), 'status') ?? 0;
  return {
    fault: status >= 500 && status <= 599,
    error: status >= 400 && status <= 499,
    throttle: status === 429,
  };
}
