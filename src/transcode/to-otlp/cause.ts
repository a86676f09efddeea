import { parseJson } from '../../codec/json.ts';
import { readCause, readEvents, readException, writeCause } from '../../convert/cause.ts';
import { sameJson } from '../../convert/equality.ts';
import type { JsonText } from '../../convert/index.ts';
import type { DocumentView, SpanView } from '../../convert/section.ts';
import { plainStyle } from '../../convert/style.ts';
import type { AttributeValue, JsonObject, JsonValue, Resource, SpanEvent } from '../../model/index.ts';
import { emptyScope } from '../../model/index.ts';
import type { Time } from './literals.ts';
import { isZero, unusual } from './literals.ts';
import { member } from './names.ts';
import type { Reading } from './reading.ts';
import { Mark } from './reading.ts';

/**
 * The exceptions of documents that other programs wrote. Their stack traces are printed as text, and
 * parsed again to see what comes back: work on strings, for one span in twenty, so the functions of
 * `convert/cause.ts` do it, on nothing but the cause.
 */
export interface CauseReading {
  readonly events: readonly SpanEvent[];
  /** The cause as it was, when the events do not lead back to it. */
  readonly kept: JsonValue | undefined;
}

/** To be called when kind, times and status are known. The ids are those that the span will have. */
export function readForeignCause(
  reading: Reading,
  { resource, spanId, json }: { readonly resource: Resource; readonly spanId: string; readonly json: JsonText },
): CauseReading {
  const { index, marks } = reading;
  const entry = reading.topEntry(member.cause);
  const cause = parseJson(index.bytes.subarray(index.starts[entry], index.ends[entry]));
  const view = viewOf(new Map([['cause', cause]]), reading, { resource, json });
  const exceptions = readCause(view);
  const all = exceptions.map((exception) => readException(view, exception));
  const timeNs = nanoseconds(isZero(reading.end) ? reading.start : reading.end);
  const events = reading.showsEvents ? readEvents(all, timeNs) : [];

  const message = reading.statusMessage < 0 ? '' : index.textOf(reading.statusMessage);
  const written = writeCause(spanViewOf(view, { events, message, spanId, reading, resource })).cause;
  marks.fill(Mark.kept, entry, index.nexts[entry]);
  return { events, kept: sameJson(cause, written) ? undefined : cause };
}

interface Owner {
  readonly resource: Resource;
  readonly json: JsonText;
}

function viewOf(
  document: JsonObject,
  { isSegment, kind, start, end }: Reading,
  { resource, json }: Owner,
): DocumentView {
  return {
    document,
    // Of subsegments these functions ask no more.
    form: isSegment ? 'segment' : 'embedded',
    ours: false,
    style: plainStyle,
    kind,
    startTimeNs: nanoseconds(start),
    endTimeNs: nanoseconds(end),
    attributes: new Map<string, AttributeValue>(),
    resource: new Map(resource.attributes),
    json,
    report: refuse,
  };
}

/** As much of the span as `writeCause` asks about. */
function spanViewOf(
  { attributes, form, json, startTimeNs, endTimeNs }: DocumentView,
  {
    events,
    message,
    spanId,
    reading,
    resource,
  }: {
    readonly events: readonly SpanEvent[];
    readonly message: string;
    readonly spanId: string;
    readonly reading: Reading;
    readonly resource: Resource;
  },
): SpanView {
  const span = {
    traceId: traceIdOf(reading),
    spanId,
    parentSpanId: undefined,
    traceState: '',
    flags: 0,
    name: '',
    kind: reading.kind,
    startTimeNs,
    endTimeNs,
    attributes,
    droppedAttributesCount: 0,
    events,
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    status: { code: reading.statusCode, message },
    resource,
    scope: emptyScope,
  };
  return { span, attributes, form, shown: new Set(), json };
}

/** Of an id in its usual spelling. */
function traceIdOf({ index, traceId }: Reading): string {
  return index.textOf(traceId).slice(2).replace('-', '');
}

function nanoseconds({ high, low }: Time): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** A problem has a pointer into the list of documents, of which nothing is known here. */
function refuse(): never {
  throw unusual;
}
