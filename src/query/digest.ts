import type {
  AttributeDigest,
  Attributes,
  AttributeValue,
  CallDigest,
  JsonObject,
  ReceiveDigest,
  SearchedValue,
  SegmentDigest,
  SegmentNode,
  SendDigest,
  Span,
  Trace,
  TraceDigest,
} from '../model/index.ts';
import { attributesMax, parseTraceId, searchedTextMax } from '../model/index.ts';
import { callsOf } from './calls.ts';
import { durationMilliseconds } from './durations.ts';
import { readObject, readText, readTime } from './members.ts';
import { parentLinksOf } from './service.ts';
import { annotationsOf, summarise } from './summary.ts';
import { eachNode } from './walk.ts';

/** The digest of a trace that was assembled from the documents of these spans. */
export function digestTrace(trace: Trace, spans: readonly Span[]): TraceDigest {
  const served = trace.segments.filter(({ service }) => service);
  return {
    traceId: trace.traceId,
    summary: summarise(trace),
    inferred: trace.segments.some(({ inferred }) => inferred),
    accountIds: [...new Set(trace.segments.flatMap(({ accountId }) => (accountId === undefined ? [] : [accountId])))],
    segments: served.flatMap((segment) => digestSegment(segment, trace)),
    calls: callsOf(trace).map(digestCall),
    sends: served.flatMap(digestSend),
    receives: served.flatMap(digestReceives),
    attributes: collectAttributes(trace, served, spans),
  };
}

function digestSegment(segment: SegmentNode, trace: Trace): readonly SegmentDigest[] {
  if (!segment.service) return [];
  return [
    {
      fault: segment.fault,
      error: segment.error,
      throttle: segment.throttle,
      startTimeNs: segment.startTimeNs,
      endTimeNs: segment.endTimeNs,
      service: segment.service,
      partial: hasUnfinished(segment),
      inferred: segment.inferred,
      root: segment === trace.root,
      durationMs: durationMilliseconds(segment),
    },
  ];
}

function hasUnfinished(segment: SegmentNode): boolean {
  return eachNode([segment]).some(({ endTimeNs }) => endTimeNs === undefined);
}

function digestCall({ from, to, client, measured }: ReturnType<typeof callsOf>[number]): CallDigest {
  return {
    fault: measured.fault,
    error: measured.error,
    throttle: measured.throttle,
    startTimeNs: measured.startTimeNs,
    endTimeNs: measured.endTimeNs,
    from,
    to,
    client,
    annotations: annotationsOf([measured]).map(([key, value]) => ({ key, value: searched(value) })),
  };
}

/** An inferred segment may be a queue that somebody else reads. */
function digestSend({ inferred, service, parentId, startTimeNs, endTimeNs }: SegmentNode): readonly SendDigest[] {
  if (!inferred || !service || parentId === undefined) return [];
  return [{ callId: parentId, service, sentAtNs: endTimeNs ?? startTimeNs }];
}

/** A segment with parent links did read from a queue. */
function digestReceives(segment: SegmentNode): readonly ReceiveDigest[] {
  const { service } = segment;
  if (!service) return [];
  return parentLinksOf(segment).flatMap((link) => {
    const traceId = parseTraceId(readText(link, 'trace_id') ?? '');
    const callId = readText(link, 'id');
    if (traceId === undefined || callId === undefined) return [];
    return [{ traceId, callId, segmentId: segment.id, service, receivedAtNs: receivedAt(link, segment) }];
  });
}

function receivedAt(link: JsonObject, consumer: SegmentNode): bigint {
  const attributes = readObject(link, 'attributes');
  return readTime(attributes, 'aws.xray.reserved.received_event_end_time') ?? consumer.startTimeNs;
}

/** Holds what a document has no word for: searching in it would find our own writing. */
const residualKey = 'raybridge.xray';

function collectAttributes(
  trace: Trace,
  served: readonly SegmentNode[],
  spans: readonly Span[],
): readonly AttributeDigest[] {
  const owners = new Map<string, number>();
  const gathering = createGathering();
  // What people annotate comes first, should a trace hold more than the bound.
  const indexes = new Map(served.map((segment, index) => [segment, index]));
  for (const segment of trace.segments) {
    const index = indexes.get(segment);
    if (index !== undefined) for (const { id } of eachNode([segment])) owners.set(id, index);
    for (const [key, value] of annotationsOf([segment])) gathering.add(key, value, index);
  }
  const resourceOwners = new Map<Attributes, Set<number | undefined>>();
  for (const span of spans) {
    const owner = owners.get(span.spanId);
    gathering.addAll(span.attributes, owner);
    const { attributes } = span.resource;
    const known = resourceOwners.get(attributes) ?? new Set();
    if (!known.has(owner)) gathering.addAll(attributes, owner);
    resourceOwners.set(attributes, known.add(owner));
  }
  return gathering.found;
}

interface Gathering {
  readonly found: readonly AttributeDigest[];
  add(key: string, value: SearchedValue, segment: number | undefined): void;
  addAll(attributes: Attributes, segment: number | undefined): void;
}

/** Each value of a key once a segment. */
function createGathering(): Gathering {
  const found: AttributeDigest[] = [];
  // A key seldom has a second value in one segment, so the first needs no set.
  const seen = new Map<number | undefined, Map<string, SearchedValue | Set<SearchedValue>>>();

  function isNew(key: string, value: SearchedValue, segment: number | undefined): boolean {
    let values = seen.get(segment);
    if (!values) seen.set(segment, (values = new Map()));
    const known = values.get(key);
    if (known === undefined) values.set(key, value);
    else if (!(known instanceof Set)) {
      if (known === value) return false;
      values.set(key, new Set([known, value]));
    } else if (known.has(value)) return false;
    else known.add(value);
    return true;
  }

  function add(key: string, value: SearchedValue, segment: number | undefined): void {
    if (found.length < attributesMax && isNew(key, value, segment))
      found.push({ key, value: searched(value), segment });
  }

  function addAll(attributes: Attributes, segment: number | undefined): void {
    for (const [key, value] of attributes) {
      if (key === residualKey) continue;
      if (typeof value === 'string') add(key, value, segment);
      else for (const one of searchedValues(value)) add(key, one, segment);
    }
  }

  return { found, add, addAll };
}

/** Elements of a list count one by one; bytes and maps are not searched. */
function searchedValues(value: AttributeValue): readonly SearchedValue[] {
  if (Array.isArray(value)) return value.flatMap((element: AttributeValue) => searchedScalar(element));
  return searchedScalar(value);
}

function searchedScalar(value: AttributeValue): readonly SearchedValue[] {
  if (typeof value === 'string' || typeof value === 'boolean') return [value];
  if (typeof value === 'number') return Number.isFinite(value) ? [value] : [];
  // Beyond 2^53 a double is not the number any more, but its digits are a text.
  if (typeof value === 'bigint') return [Number.isSafeInteger(Number(value)) ? Number(value) : String(value)];
  return [];
}

function searched<Value extends SearchedValue>(value: Value): Value | string {
  if (typeof value !== 'string' || value.length <= searchedTextMax) return value;
  return value.slice(0, searchedTextMax).replace(/[\uD800-\uDBFF]$/, '');
}
