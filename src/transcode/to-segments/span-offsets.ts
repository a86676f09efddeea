import { SpanKind, StatusCode } from '../../model/index.ts';
import type { AttributeKey } from './attribute-keys.ts';
import { findKey, keyCount, keyNumber } from './attribute-keys.ts';
import type { Page } from './page.ts';

/**
 * Where the parts of one OTLP span stand (opentelemetry-proto 1.x, trace/v1), of spans in the usual
 * form: every attribute once, values that plain JSON restores, keys that no unusual rule is about.
 * `read` says of any other span that it is not usual, and the caller takes the path over spans.
 * The bytes have passed `indexTraces`, so lengths and wire types are right.
 */

export const textType = 1;
export const boolType = 2;
export const intType = 3;
export const doubleType = 4;
export const listType = 5;

/** What a key demands of its value: nothing, a text, a whole number, or the path over spans. */
const anyRole = 0;
const textRole = 1;
const intRole = 2;
const oracleRole = 3;

const roles = new Uint8Array(keyCount).fill(textRole);
for (const key of [
  'http.response.status_code',
  'http.status_code',
  'http.response.body.size',
  'http.response_content_length',
  'net.host.port',
  'net.peer.port',
  'network.peer.port',
  'rpc.grpc.status_code',
  'server.port',
] satisfies readonly AttributeKey[])
  roles[keyNumber(key)] = intRole;
for (const key of [
  'aws.dynamodb.table_names',
  'aws.xray.annotations',
  'exception.type',
] satisfies readonly AttributeKey[])
  roles[keyNumber(key)] = anyRole;
for (const key of [
  'aws.account_id',
  'aws.apigateway.id',
  'aws.apigateway.stage',
  'aws.function_arn',
  'aws.kinesis.stream_name',
  'aws.lambda.invoked_arn',
  'aws.secretsmanager.secret.arn',
  'aws.step_functions.state_machine.arn',
  'aws.xray.cause',
  'aws.xray.error',
  'aws.xray.fault',
  'aws.xray.sql.user',
  'aws.xray.throttle',
  'aws.xray.x_forwarded_for',
  'db.connection_string',
  'faas.invoked_name',
  'http.response.header.content-length',
  'http.server_name',
  'http.status_text',
  'message.type',
  'rpc.response.status_code',
] satisfies readonly AttributeKey[])
  roles[keyNumber(key)] = oracleRole;

/** Both parent-is-remote bits of the flags: known, and true. */
export const parentIsRemote = 0x300;

/** Larger spans take the path over spans; so room for one is bounded, and the arrays are. */
export const spanBytesMax = 32_768;
export const attributesMax = 128;
/** Attributes of one event or link; they take the places behind those of the span. */
const itemAttributesMax = 32;
const places = attributesMax + itemAttributesMax;
const listMax = 64;
/** A power of two, and twice as many as there can be attributes. */
const seenSlots = 256;

interface Item {
  time: number;
  nameStart: number;
  nameEnd: number;
  traceId: number;
  spanId: number;
  stateStart: number;
  stateEnd: number;
  flags: number;
  dropped: number;
  /** Behind the place of the last attribute. */
  attributeEnd: number;
}

/** Tags of the fields of an event and of a link; -1 for those it does not have. */
interface ItemTags {
  readonly time: number;
  readonly name: number;
  readonly traceId: number;
  readonly spanId: number;
  readonly state: number;
  readonly attribute: number;
  readonly dropped: number;
  readonly flags: number;
}

const eventTags: ItemTags = {
  time: 0x09,
  name: 0x12,
  attribute: 0x1a,
  dropped: 0x20,
  traceId: -1,
  spanId: -1,
  state: -1,
  flags: -1,
};

const linkTags: ItemTags = {
  traceId: 0x0a,
  spanId: 0x12,
  state: 0x1a,
  attribute: 0x22,
  dropped: 0x28,
  flags: 0x35,
  time: -1,
  name: -1,
};

const uint32Max = 0xffff_ffff;

export class SpanOffsets {
  /** In bytes. */
  length = 0;
  traceId = 0;
  spanId = 0;
  /** -1 for none. */
  parentId = -1;
  startTime = 0;
  endTime = 0;
  kind = 0;
  flags = 0;
  nameStart = 0;
  nameEnd = 0;
  stateStart = 0;
  stateEnd = 0;
  statusCode = 0;
  messageStart = 0;
  messageEnd = 0;
  droppedAttributes = 0;
  droppedEvents = 0;
  droppedLinks = 0;

  attributeCount = 0;
  readonly keyStart = new Int32Array(places);
  readonly keyEnd = new Int32Array(places);
  /** -1 when there is no rule for it. */
  readonly key = new Int16Array(places);
  readonly type = new Uint8Array(places);
  readonly valueStart = new Int32Array(places);
  readonly valueEnd = new Int32Array(places);
  /** Of ints up to 2^49 and doubles. A larger int is NaN. */
  readonly number = new Float64Array(places);
  /** Place of the attribute by number of its key; -1 for none. */
  readonly place = new Int16Array(keyCount).fill(-1);

  eventCount = 0;
  readonly eventStart = new Int32Array(listMax);
  readonly eventEnd = new Int32Array(listMax);
  linkCount = 0;
  readonly linkStart = new Int32Array(listMax);
  readonly linkEnd = new Int32Array(listMax);

  /** Of the event or link that `readItem` read last. */
  readonly item: Item = {
    time: 0,
    nameStart: 0,
    nameEnd: 0,
    traceId: 0,
    spanId: 0,
    stateStart: 0,
    stateEnd: 0,
    flags: 0,
    dropped: 0,
    attributeEnd: attributesMax,
  };

  private readonly page: Page;
  /** Where the value ended that `varint` read last. */
  private next = 0;
  private readonly seen = new Int16Array(seenSlots);
  private readonly seenBy = new Int32Array(seenSlots);
  private spansSeen = 0;

  constructor(page: Page) {
    this.page = page;
  }

  /** Reads the span whose length stands at `at`; false when it is not usual. */
  read(at: number): boolean {
    const { page } = this;
    const { bytes, view } = page;
    this.clear();
    this.length = this.varint(at);
    if (this.length > spanBytesMax) return false;
    let pos = this.next;
    const end = pos + this.length;
    while (pos < end) {
      const tag = bytes[pos++] ?? 0;
      if (tag === 0x39) {
        this.startTime = pos;
        pos += 8;
      } else if (tag === 0x41) {
        this.endTime = pos;
        pos += 8;
      } else if (tag === 0x30 || tag === 0x50 || tag === 0x60 || tag === 0x70) {
        const value = this.varint(pos);
        pos = this.next;
        if (tag === 0x30) this.kind = value;
        else if (tag === 0x50) this.droppedAttributes = value;
        else if (tag === 0x60) this.droppedEvents = value;
        else this.droppedLinks = value;
      } else if (tag === 0x85 && bytes[pos] === 1) {
        this.flags = view.getUint32(pos + 1, true);
        pos += 5;
      } else if ((tag & 7) === 2) {
        const size = this.varint(pos);
        pos = this.next;
        if (!this.field(tag, pos, pos + size)) return false;
        pos += size;
      } else return false;
    }
    return this.traceId > 0 && this.spanId > 0 && this.startTime > 0 && this.endTime > 0 && this.hasUsualNumbers();
  }

  /**
   * Whether the span whose length stands at `at` becomes a segment, alone or beside its call: a
   * quick look, which says the same as `formOf` of the conversion for every span.
   */
  opensService(at: number): boolean {
    const { bytes, view } = this.page;
    const length = this.varint(at);
    let pos = this.next;
    const end = pos + length;
    let kind = 0;
    let flags = 0;
    let hasParent = false;
    let isLocalRoot = false;
    while (pos < end) {
      const tag = this.varint(pos);
      pos = this.next;
      if ((tag & 7) === 2) {
        const size = this.varint(pos);
        pos = this.next;
        if (tag === 0x22) hasParent = size === 8 && !this.isZero(pos, pos + 8);
        else if (tag === 0x4a && startsWith(bytes, pos, pos + size, spanKind))
          isLocalRoot = startsWith(bytes, pos, pos + size, localRoot) && size === localRoot.length;
        pos += size;
      } else if ((tag & 7) === 0) {
        const value = this.varint(pos);
        pos = this.next;
        if (tag === 0x30) kind = value;
      } else {
        if (tag === 0x85) flags = view.getUint32(pos, true);
        pos += (tag & 7) === 1 ? 8 : 4;
      }
    }
    const isService = kind === SpanKind.server || kind === SpanKind.consumer;
    return isService || isLocalRoot || !hasParent || (flags & parentIsRemote) === parentIsRemote;
  }

  private hasUsualNumbers(): boolean {
    const { kind, statusCode, droppedAttributes, droppedEvents, droppedLinks } = this;
    return (
      kind <= SpanKind.consumer &&
      statusCode <= StatusCode.error &&
      droppedAttributes <= uint32Max &&
      droppedEvents <= uint32Max &&
      droppedLinks <= uint32Max
    );
  }

  private clear(): void {
    for (let i = 0; i < this.attributeCount; i++) {
      const key = this.key[i] ?? -1;
      if (key >= 0) this.place[key] = -1;
    }
    this.attributeCount = this.eventCount = this.linkCount = 0;
    this.traceId = this.spanId = this.startTime = this.endTime = 0;
    this.parentId = -1;
    this.kind = this.flags = this.statusCode = 0;
    this.nameStart = this.nameEnd = this.stateStart = this.stateEnd = this.messageStart = this.messageEnd = 0;
    this.droppedAttributes = this.droppedEvents = this.droppedLinks = 0;
    this.spansSeen += 1;
  }

  private field(tag: number, start: number, end: number): boolean {
    switch (tag) {
      case 0x4a:
        return this.attribute(start, end);
      case 0x0a:
        this.traceId = start;
        return end - start === 16 && !this.isZero(start, end);
      case 0x12:
        this.spanId = start;
        return end - start === 8 && !this.isZero(start, end);
      case 0x22:
        this.parentId = end - start === 8 && !this.isZero(start, end) ? start : -1;
        return true;
      case 0x2a:
        this.nameStart = start;
        this.nameEnd = end;
        return true;
      case 0x1a:
        this.stateStart = start;
        this.stateEnd = end;
        return true;
      case 0x5a:
        if (this.eventCount === listMax) return false;
        this.eventStart[this.eventCount] = start;
        this.eventEnd[this.eventCount++] = end;
        return true;
      case 0x6a:
        if (this.linkCount === listMax) return false;
        this.linkStart[this.linkCount] = start;
        this.linkEnd[this.linkCount++] = end;
        return true;
      case 0x7a:
        return this.status(start, end);
      default:
        return false;
    }
  }

  private status(start: number, end: number): boolean {
    const { bytes } = this.page;
    this.messageStart = this.messageEnd = this.statusCode = 0;
    let pos = start;
    while (pos < end) {
      const tag = bytes[pos++];
      const value = this.varint(pos);
      pos = this.next;
      if (tag === 0x18) this.statusCode = value;
      else if (tag === 0x12) {
        this.messageStart = pos;
        this.messageEnd = pos += value;
      } else return false;
    }
    return true;
  }

  private attribute(start: number, end: number): boolean {
    const i = this.attributeCount;
    if (i === attributesMax || !this.keyValue(i, start, end)) return false;
    const keyStart = this.keyStart[i] ?? 0;
    const keyEnd = this.keyEnd[i] ?? 0;
    const key = findKey(this.page.bytes, keyStart, keyEnd);
    this.key[i] = key;
    // Counted before any refusal, so that `clear` finds the place that is set here.
    this.attributeCount = i + 1;
    if (key < 0) return !this.isReserved(keyStart, keyEnd) && this.isNew(i, keyStart, keyEnd);
    if ((this.place[key] ?? 0) >= 0) return false;
    this.place[key] = i;
    const role = roles[key];
    if (role === anyRole) return true;
    if (role === textRole) return this.type[i] === textType && (this.valueEnd[i] ?? 0) > (this.valueStart[i] ?? 0);
    return role === intRole && this.type[i] === intType && (this.number[i] ?? Number.NaN) >= 0;
  }

  /** Reads an event or a link, whose attributes begin at place `attributesMax`; false when it is not usual. */
  readItem(start: number, end: number, kind: 'event' | 'link'): boolean {
    const { item, page } = this;
    const { bytes, view } = page;
    const tags = kind === 'event' ? eventTags : linkTags;
    item.time = item.nameStart = item.nameEnd = item.traceId = item.spanId = 0;
    item.stateStart = item.stateEnd = item.flags = item.dropped = 0;
    item.attributeEnd = attributesMax;
    let pos = start;
    while (pos < end) {
      const tag = bytes[pos++] ?? 0;
      if (tag === tags.time) {
        item.time = pos;
        pos += 8;
      } else if (tag === tags.flags) {
        item.flags = view.getUint32(pos, true);
        pos += 4;
      } else {
        const value = this.varint(pos);
        pos = this.next;
        if (tag === tags.dropped) item.dropped = value;
        else if ((tag & 7) !== 2 || !this.itemField(tag, pos, pos + value, tags)) return false;
        else pos += value;
      }
    }
    return item.dropped <= uint32Max && (kind === 'event' ? item.time > 0 : item.traceId > 0 && item.spanId > 0);
  }

  private itemField(tag: number, start: number, end: number, tags: ItemTags): boolean {
    const { item } = this;
    if (tag === tags.attribute) return this.itemAttribute(start, end);
    if (tag === tags.name) {
      item.nameStart = start;
      item.nameEnd = end;
    } else if (tag === tags.state) {
      item.stateStart = start;
      item.stateEnd = end;
    } else if (tag === tags.traceId) {
      item.traceId = start;
      return end - start === 16 && !this.isZero(start, end);
    } else if (tag === tags.spanId) {
      item.spanId = start;
      return end - start === 8 && !this.isZero(start, end);
    } else return false;
    return true;
  }

  private itemAttribute(start: number, end: number): boolean {
    const { item } = this;
    const i = item.attributeEnd;
    if (i === places || !this.keyValue(i, start, end)) return false;
    this.key[i] = -1;
    for (let other = attributesMax; other < i; other++)
      if (
        this.page.same(this.keyStart[i] ?? 0, this.keyEnd[i] ?? 0, this.keyStart[other] ?? 0, this.keyEnd[other] ?? 0)
      )
        return false;
    item.attributeEnd = i + 1;
    return true;
  }

  /** Reads a KeyValue of one key and one value into the place `i`; false for any other. */
  private keyValue(i: number, start: number, end: number): boolean {
    const { bytes } = this.page;
    if (bytes[start] !== 0x0a) return false;
    const keyLength = this.varint(start + 1);
    const keyStart = this.next;
    const keyEnd = keyStart + keyLength;
    if (bytes[keyEnd] !== 0x12 || keyEnd >= end) return false;
    const valueLength = this.varint(keyEnd + 1);
    if (this.next + valueLength !== end) return false;
    this.keyStart[i] = keyStart;
    this.keyEnd[i] = keyEnd;
    return this.value(i, this.next, end);
  }

  /** Reads an AnyValue of one value. Bytes, maps, the empty value, and numbers that JSON or a double would change are not usual. */
  private value(i: number, start: number, end: number): boolean {
    const { bytes, view } = this.page;
    if (start >= end) return false;
    const tag = bytes[start];
    if (tag === 0x0a) {
      const length = this.varint(start + 1);
      this.type[i] = textType;
      this.valueStart[i] = this.next;
      this.valueEnd[i] = end;
      return this.next + length === end;
    }
    this.valueStart[i] = start + 1;
    this.valueEnd[i] = end;
    if (tag === 0x18) {
      this.type[i] = intType;
      this.number[i] = end - start > 8 ? Number.NaN : this.varint(start + 1);
      return isVarint(bytes, start + 1, end) && (end - start <= 8 || isSafe(longInt(bytes, start + 1, end)));
    }
    if (tag === 0x10) {
      this.type[i] = boolType;
      this.number[i] = bytes[start + 1] ?? 0;
      return end - start === 2 && (bytes[start + 1] ?? 0) < 2;
    }
    if (tag === 0x21) {
      if (end - start !== 9) return false;
      this.type[i] = doubleType;
      this.number[i] = view.getFloat64(start + 1, true);
      return Number.isFinite(this.number[i]) && !Object.is(this.number[i], -0);
    }
    if (tag !== 0x2a) return false;
    const length = this.varint(start + 1);
    this.type[i] = listType;
    this.valueStart[i] = this.next;
    return this.next + length === end && this.isPlainList(this.next, end);
  }

  /** Of the list that `readOnlyText` was asked about. */
  elementStart = 0;
  elementEnd = 0;

  /** Reads the text of a list of one; false for any other value. */
  readOnlyText(place: number): boolean {
    const { bytes } = this.page;
    const start = this.valueStart[place] ?? 0;
    const end = this.valueEnd[place] ?? 0;
    if (this.type[place] !== listType || start === end) return false;
    const length = this.varint(start + 1);
    const elementStart = this.next;
    if (elementStart + length !== end || bytes[elementStart] !== 0x0a) return false;
    this.varint(elementStart + 1);
    this.elementStart = this.next;
    this.elementEnd = end;
    return true;
  }

  /** True for a list of texts, numbers and booleans. */
  private isPlainList(start: number, end: number): boolean {
    const { bytes } = this.page;
    let pos = start;
    while (pos < end) {
      if (bytes[pos] !== 0x0a) return false;
      const length = this.varint(pos + 1);
      const valueStart = this.next;
      const valueEnd = valueStart + length;
      if (length === 0 || !this.isPlain(valueStart, valueEnd)) return false;
      pos = valueEnd;
    }
    return true;
  }

  private isPlain(start: number, end: number): boolean {
    const { bytes, view } = this.page;
    const tag = bytes[start];
    if (tag === 0x0a) return this.varint(start + 1) + this.next === end;
    if (tag === 0x18) return end - start <= 8 && isVarint(bytes, start + 1, end);
    if (tag === 0x10) return end - start === 2 && (bytes[start + 1] ?? 0) < 2;
    return tag === 0x21 && end - start === 9 && isFraction(view.getFloat64(start + 1, true));
  }

  /** Keys that steer the conversion or belong to a resource. */
  private isReserved(start: number, end: number): boolean {
    const { bytes } = this.page;
    const first = bytes[start];
    if (first === 0x61) return startsWith(bytes, start, end, awsXray);
    if (first === 0x6f) return startsWith(bytes, start, end, otelResource);
    return first === 0x72 && startsWith(bytes, start, end, ours);
  }

  /** False when an attribute before it has the same key. */
  private isNew(i: number, start: number, end: number): boolean {
    const { bytes } = this.page;
    let hash = end - start;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
    let slot = (hash ^ (hash >>> 15)) & (seenSlots - 1);
    while (this.seenBy[slot] === this.spansSeen) {
      const other = this.seen[slot] ?? 0;
      if (this.page.same(start, end, this.keyStart[other] ?? 0, this.keyEnd[other] ?? 0)) return false;
      slot = (slot + 1) & (seenSlots - 1);
    }
    this.seenBy[slot] = this.spansSeen;
    this.seen[slot] = i;
    return true;
  }

  private isZero(start: number, end: number): boolean {
    const { bytes } = this.page;
    for (let i = start; i < end; i++) if (bytes[i] !== 0) return false;
    return true;
  }

  /** Exact to 2^53; the end goes to `next`. */
  varint(at: number): number {
    const { bytes } = this.page;
    const first = bytes[at] ?? 0;
    this.next = at + 1;
    if (first < 0x80) return first;
    let value = first & 0x7f;
    let scale = 128;
    for (let pos = at + 1; ; pos++) {
      const code = bytes[pos] ?? 0;
      value += (code & 0x7f) * scale;
      if (code < 0x80) {
        this.next = pos + 1;
        return value;
      }
      scale *= 128;
    }
  }

  /** Where the varint ended that was read last. */
  get end(): number {
    return this.next;
  }
}

/** A KeyValue of that key, and one with that value too. */
const spanKind = new TextEncoder().encode('\n\raws.span.kind');
const localRoot = new TextEncoder().encode('\n\raws.span.kind\x12\f\n\nLOCAL_ROOT');
const awsXray = new TextEncoder().encode('aws.xray.');
const otelResource = new TextEncoder().encode('otel.resource.');
const ours = new TextEncoder().encode('raybridge.');

function startsWith(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  if (end - start < text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false;
  return true;
}

/** The int64 of a varint of any length. */
export function longInt(bytes: Uint8Array, start: number, end: number): bigint {
  let value = 0n;
  for (let i = end - 1; i >= start; i--) value = (value << 7n) | BigInt((bytes[i] ?? 0) & 0x7f);
  return BigInt.asIntN(64, value);
}

function isSafe(value: bigint): boolean {
  return Number.isSafeInteger(Number(value));
}

/** Whole doubles inside lists, like ints beyond 2^53 anywhere, have marks of their own in the envelope. */
function isFraction(value: number): boolean {
  return Number.isFinite(value) && !Number.isInteger(value);
}

/** True when the range is one varint. */
function isVarint(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end - 1; i++) if ((bytes[i] ?? 0) < 0x80) return false;
  return end > start && (bytes[end - 1] ?? 0) < 0x80;
}
