import type {
  AttributeValueDigest,
  CallDigest,
  ReceiveDigest,
  RequestDigest,
  RootCause,
  ServiceName,
  TraceDigest,
  TraceSummary,
} from '../../model/index.ts';
import { keywordKey } from '../../model/index.ts';
import { searchedNumber, toRootCauseAnswers, toTraceSummaryAnswer } from '../../query/index.ts';
import { ArrayEnds, ByteWriter, encodeBlock } from './native.ts';

/**
 * Digests of traces as rows of the table `digests`. Each list of a digest is several arrays of equal
 * length, one for each member; a member that may be missing is an array of none or one, an empty
 * text, or NaN.
 */
export interface DigestRow {
  readonly traceId: string;
  /** Rises with every row of a trace; the highest counts. */
  readonly version: bigint;
  /** Takes the row of this minute and trace away: the trace is now listed under another. */
  readonly removed: boolean;
  /** The time by which the trace is listed; its minute is where the row stands. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly receivedNs: bigint;
  readonly revision: number;
  readonly digest: TraceDigest;
  readonly links: readonly LinkDigest[];
}

/** A send and the receive that belongs to it, each of another trace. */
export interface LinkDigest {
  readonly from: ServiceName;
  readonly to: ServiceName;
  readonly sentAtNs: bigint;
  readonly receivedAtNs: bigint;
}

export const nanosecondsPerMinute = 60_000_000_000n;

/** Bits of `segment_flags` and `call_flags`. */
export const digestFlags = { fault: 1, error: 2, throttle: 4, partial: 8, inferred: 16, root: 32, client: 64 } as const;

/** In `attribute_segment`: the attribute belongs to no segment, or to one beyond what two bytes can number. */
const noSegment = 0xffff;

/** A Native block of these rows. */
export function encodeDigests(rows: readonly DigestRow[]): Buffer {
  const columns = digestColumns.map(({ name, type, write }) => ({ name, type, parts: write(rows) }));
  return encodeBlock(columns, rows.length);
}

interface DigestColumn {
  readonly name: string;
  readonly type: string;
  write(rows: readonly DigestRow[]): readonly ByteWriter[];
}

/** A type of the engine, and how a value of it is written. */
interface ValueType<Value> {
  readonly name: string;
  write(writer: ByteWriter, value: Value): void;
}

const text: ValueType<string> = { name: 'String', write: (writer, value) => writer.text(value) };
const double: ValueType<number> = { name: 'Float64', write: (writer, value) => writer.double(value) };
const flag: ValueType<boolean> = { name: 'UInt8', write: (writer, value) => writer.uint8(value ? 1 : 0) };
const uint8: ValueType<number> = { name: 'UInt8', write: (writer, value) => writer.uint8(value) };
const uint16: ValueType<number> = { name: 'UInt16', write: (writer, value) => writer.uint16(value) };
const uint32: ValueType<number> = { name: 'UInt32', write: (writer, value) => writer.int32(value) };
const uint64: ValueType<bigint> = { name: 'UInt64', write: (writer, value) => writer.int64(value) };
const count: ValueType<number> = { name: 'UInt64', write: (writer, value) => writer.count(value) };
const traceId: ValueType<string> = { name: 'FixedString(16)', write: (writer, value) => writer.hex(value) };

function scalar<Value>(name: string, type: ValueType<Value>, read: (row: DigestRow) => Value): DigestColumn {
  return {
    name,
    type: type.name,
    write(rows) {
      const writer = new ByteWriter();
      for (const row of rows) type.write(writer, read(row));
      return [writer];
    },
  };
}

/** One column for a member of the entries of a list. */
function member<Entry, Value>(
  name: string,
  type: ValueType<Value>,
  entriesOf: (row: DigestRow) => readonly Entry[],
  read: (entry: Entry) => Value,
): DigestColumn {
  return {
    name,
    type: `Array(${type.name})`,
    write(rows) {
      const ends = new ArrayEnds();
      const values = new ByteWriter();
      for (const row of rows) {
        const entries = entriesOf(row);
        for (const entry of entries) type.write(values, read(entry));
        ends.endRow(entries.length);
      }
      return [ends.ends, values];
    },
  };
}

function list<Value>(
  name: string,
  type: ValueType<Value>,
  valuesOf: (row: DigestRow) => readonly Value[],
): DigestColumn {
  return member(name, type, valuesOf, (value) => value);
}

/** A member that may be missing. */
function optional<Value>(
  name: string,
  type: ValueType<Value>,
  read: (summary: TraceSummary) => Value | undefined,
): DigestColumn {
  return list(name, type, ({ digest }) => {
    const value = read(digest.summary);
    return value === undefined ? [] : [value];
  });
}

function serviceMembers<Entry>(
  prefix: string,
  entriesOf: (row: DigestRow) => readonly Entry[],
  serviceOf: (entry: Entry) => ServiceName,
): readonly DigestColumn[] {
  return [
    member(`${prefix}_name`, text, entriesOf, (entry) => serviceOf(entry).name),
    member(`${prefix}_type`, text, entriesOf, (entry) => serviceOf(entry).type ?? ''),
    member(`${prefix}_account`, text, entriesOf, (entry) => serviceOf(entry).accountId ?? ''),
  ];
}

function valueMembers<Entry extends AttributeValueDigest>(
  prefix: string,
  entriesOf: (row: DigestRow) => readonly Entry[],
): readonly DigestColumn[] {
  return [
    member(`${prefix}_key`, text, entriesOf, ({ key }) => key),
    member(`${prefix}_keyword`, text, entriesOf, ({ key }) => knownKeyword(key)),
    member(`${prefix}_text`, text, entriesOf, ({ value }) => String(value)),
    member(`${prefix}_number`, double, entriesOf, ({ value }) => searchedNumber(value)),
    member(`${prefix}_false`, flag, entriesOf, ({ value }) => value === false),
  ];
}

/** Keys repeat, and making a keyword of one takes a regular expression. */
const keywords = new Map<string, string>();
const keywordsMax = 10_000;

function knownKeyword(key: string): string {
  const known = keywords.get(key);
  if (known !== undefined) return known;
  if (keywords.size === keywordsMax) keywords.clear();
  const keyword = keywordKey(key);
  keywords.set(key, keyword);
  return keyword;
}

const callAnnotations = onceForEach(toCallAnnotations);
const causeElements = onceForEach(toCauseElements);

const digestColumns: readonly DigestColumn[] = [
  scalar('trace_id', traceId, (row) => row.traceId),
  scalar('minute', uint32, ({ startNs }) => Number(startNs / nanosecondsPerMinute)),
  scalar('version', uint64, ({ version }) => version),
  scalar('removed', flag, ({ removed }) => removed),
  scalar('start_ns', uint64, ({ startNs }) => startNs),
  scalar('end_ns', uint64, ({ endNs }) => endNs),
  scalar('received_ns', uint64, ({ receivedNs }) => receivedNs),
  scalar('revision', uint32, ({ revision }) => revision),
  scalar('summary', text, ({ digest }) => JSON.stringify(toTraceSummaryAnswer(digest.summary))),
  scalar('fault', flag, ({ digest }) => digest.summary.fault),
  scalar('error', flag, ({ digest }) => digest.summary.error),
  scalar('throttle', flag, ({ digest }) => digest.summary.throttle),
  scalar('partial', flag, ({ digest }) => digest.summary.partial),
  scalar('inferred', flag, ({ digest }) => digest.inferred),
  scalar('duration', double, ({ digest }) => digest.summary.duration),
  optional('response_time', double, ({ responseTime }) => responseTime),
  optional('http_status', double, ({ http }) => http.status),
  optional('http_url', text, ({ http }) => http.url),
  optional('http_method', text, ({ http }) => http.method),
  optional('http_user_agent', text, ({ http }) => http.userAgent),
  optional('http_client_ip', text, ({ http }) => http.clientIp),
  list('users', text, ({ digest }) => digest.summary.users.map(({ user }) => user)),
  list('availability_zones', text, ({ digest }) => digest.summary.availabilityZones),
  list('instance_ids', text, ({ digest }) => digest.summary.instanceIds),
  list('resource_arns', text, ({ digest }) => digest.summary.resourceArns),
  list('account_ids', text, ({ digest }) => digest.accountIds),

  ...serviceMembers(
    'service',
    ({ digest }) => digest.summary.services,
    (service) => service,
  ),

  ...serviceMembers(
    'segment',
    ({ digest }) => digest.segments,
    ({ service }) => service,
  ),
  ...requestMembers(
    'segment',
    ({ digest }) => digest.segments,
    (segment) => {
      const { partial, inferred, root } = segment;
      return (
        requestFlags(segment) |
        (partial ? digestFlags.partial : 0) |
        (inferred ? digestFlags.inferred : 0) |
        (root ? digestFlags.root : 0)
      );
    },
  ),
  member(
    'segment_duration_ms',
    count,
    ({ digest }) => digest.segments,
    ({ durationMs }) => durationMs,
  ),

  ...serviceMembers('call_from', callsOf, ({ from }) => from),
  ...serviceMembers('call_to', callsOf, ({ to }) => to),
  ...requestMembers('call', callsOf, (call) => requestFlags(call) | (call.client ? digestFlags.client : 0)),
  member('call_annotation_call', uint16, callAnnotations, ({ call }) => call),
  ...valueMembers('call_annotation', callAnnotations),

  member(
    'attribute_segment',
    uint16,
    ({ digest }) => digest.attributes,
    ({ segment = noSegment }) => Math.min(segment, noSegment),
  ),
  ...valueMembers('attribute', ({ digest }) => digest.attributes),

  member('cause_kind', uint8, causeElements, ({ kind }) => kind),
  member('cause_index', uint16, causeElements, ({ index }) => Math.min(index, noSegment)),
  member('cause_last', flag, causeElements, ({ last }) => last),
  member('cause_name', text, causeElements, ({ name }) => name),
  member('cause_type', text, causeElements, ({ type }) => type ?? ''),
  member('cause_message', text, causeElements, ({ message }) => message ?? ''),
  member('cause_remote', flag, causeElements, ({ remote }) => remote === true),
  member('cause_inferred', flag, causeElements, ({ inferred }) => inferred === true),
  member('cause_coverage', double, causeElements, ({ coverage }) => coverage ?? Number.NaN),
  member('causes', text, rootCausesOf, engineJson),

  member(
    'send_call',
    text,
    ({ digest }) => digest.sends,
    ({ callId }) => callId,
  ),
  ...serviceMembers(
    'send',
    ({ digest }) => digest.sends,
    ({ service }) => service,
  ),
  member(
    'send_ns',
    uint64,
    ({ digest }) => digest.sends,
    ({ sentAtNs }) => sentAtNs,
  ),

  member('receive_trace', traceId, receivesOf, (receive) => receive.traceId),
  member('receive_call', text, receivesOf, ({ callId }) => callId),
  member('receive_segment', text, receivesOf, ({ segmentId }) => segmentId),
  ...serviceMembers('receive', receivesOf, ({ service }) => service),
  member('receive_ns', uint64, receivesOf, ({ receivedAtNs }) => receivedAtNs),

  ...serviceMembers(
    'link_from',
    ({ links }) => links,
    ({ from }) => from,
  ),
  ...serviceMembers(
    'link_to',
    ({ links }) => links,
    ({ to }) => to,
  ),
  member(
    'link_sent_ns',
    uint64,
    ({ links }) => links,
    ({ sentAtNs }) => sentAtNs,
  ),
  member(
    'link_received_ns',
    uint64,
    ({ links }) => links,
    ({ receivedAtNs }) => receivedAtNs,
  ),
];

const digestColumnList = digestColumns.map(({ name }) => name).join(', ');

/** For blocks of `encodeDigests`. */
export const insertDigests = `INSERT INTO digests (${digestColumnList}) FORMAT Native`;

function receivesOf({ digest }: DigestRow): readonly ReceiveDigest[] {
  return digest.receives;
}

function callsOf({ digest }: DigestRow): readonly CallDigest[] {
  return digest.calls;
}

function requestMembers<Entry extends RequestDigest>(
  prefix: string,
  entriesOf: (row: DigestRow) => readonly Entry[],
  flagsOf: (entry: Entry) => number,
): readonly DigestColumn[] {
  return [
    member(`${prefix}_flags`, uint8, entriesOf, flagsOf),
    member(`${prefix}_start_ns`, uint64, entriesOf, ({ startTimeNs }) => startTimeNs),
    // 0 while in progress.
    member(`${prefix}_end_ns`, uint64, entriesOf, ({ endTimeNs }) => endTimeNs ?? 0n),
  ];
}

function requestFlags({ fault, error, throttle }: RequestDigest): number {
  return (fault ? digestFlags.fault : 0) | (error ? digestFlags.error : 0) | (throttle ? digestFlags.throttle : 0);
}

/** For lists that are made, not read: each of their columns asks for the same one. */
function onceForEach<Entry>(make: (digest: TraceDigest) => readonly Entry[]): (row: DigestRow) => readonly Entry[] {
  const known = new WeakMap<TraceDigest, readonly Entry[]>();
  return ({ digest }) => {
    const made = known.get(digest) ?? make(digest);
    known.set(digest, made);
    return made;
  };
}

function toCallAnnotations({ calls }: TraceDigest): readonly (AttributeValueDigest & { readonly call: number })[] {
  return calls
    .slice(0, noSegment)
    .flatMap(({ annotations }, call) => annotations.map((annotation) => ({ ...annotation, call })));
}

/** One element of a path; what its kind has no word for is undefined. */
interface CauseElement {
  /** `3 * cause + element`, in the order of `causes` and of service, entity, exception. */
  readonly kind: number;
  readonly index: number;
  readonly last: boolean;
  readonly name: string;
  readonly type?: string | undefined;
  readonly message?: string;
  readonly remote?: boolean;
  readonly inferred?: boolean;
  readonly coverage?: number | undefined;
}

function toCauseElements({ summary }: TraceDigest): readonly CauseElement[] {
  const { faultRootCauses, errorRootCauses, responseTimeRootCauses } = summary;
  return [faultRootCauses, errorRootCauses, responseTimeRootCauses].flatMap((causes, cause) =>
    causes.flatMap((path) => pathElements(path, 3 * cause)),
  );
}

function pathElements({ services }: RootCause, kind: number): readonly CauseElement[] {
  const entities = services.flatMap((service) => service.entities);
  const exceptions = entities.flatMap((entity) => entity.exceptions);
  return [
    ...services.map(({ service, inferred }, index) => ({
      ...place(kind, index, services),
      name: service.name,
      type: service.type,
      inferred,
    })),
    ...entities.map(({ name, remote, coverage }, index) => ({
      ...place(kind + 1, index, entities),
      name,
      remote,
      coverage,
    })),
    ...exceptions.map(({ name, message }, index) => ({ ...place(kind + 2, index, exceptions), name, message })),
  ];
}

/** What a JSON root cause in a filter is held against. */
function rootCausesOf({ digest }: DigestRow): readonly unknown[] {
  return Object.values(toRootCauseAnswers(digest.summary)).flat();
}

/** The engine refuses JSON with half of a surrogate pair; as UTF-8 it is this character in all other columns. */
function engineJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'string' ? member.replaceAll(/\p{Surrogate}/gu, '\uFFFD') : member,
  );
}

function place(
  kind: number,
  index: number,
  { length }: readonly unknown[],
): Pick<CauseElement, 'kind' | 'index' | 'last'> {
  return { kind, index, last: index === length - 1 };
}
