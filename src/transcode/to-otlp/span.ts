import { writeEvent } from '../../codec/otlp-proto.ts';
import type { RangeWriter } from './range-writer.ts';
import type { SpanEvent } from '../../model/index.ts';
import type { EnvelopeReading } from './envelope.ts';
import { countAt, kindOf, textEntry, writeEvents } from './envelope.ts';
import type { DocumentIndex } from './document-index.ts';
import { Kind } from './document-index.ts';
import { isZero, unusual } from './literals.ts';
import { envelopeMember, member } from './names.ts';
import type { Reading } from './reading.ts';
import type { Placed } from './residual.ts';
import { writeAnyAttributes, writeJsonAttributes } from './values.ts';

/** A span as field `spans` of ScopeSpans, of what was read: `writeSpan` of `codec/otlp-proto.ts` without the span. */

/** Usual size of the length of a span. */
const spanLengthBytes = 2;

export function writeOwnSpan(writer: RangeWriter, reading: Reading, envelope: EnvelopeReading): void {
  const { index } = reading;
  const mark = writer.begin(0x12, spanLengthBytes);
  writeOwnIds(writer, reading, envelope);
  if (reading.nameEnd > reading.nameStart) writer.rangeField(0x2a, index.bytes, reading.nameStart, reading.nameEnd);
  const kind = kindOf(reading, envelope);
  if (kind !== 0) writer.int32Field(0x30, kind);
  if (!isZero(envelope.start)) writer.halvesField(0x39, envelope.start.high, envelope.start.low);
  if (!isZero(envelope.end)) writer.halvesField(0x41, envelope.end.high, envelope.end.low);
  reading.attributes.write(writer, 0x4a);

  const dropped = listAt(index, envelope.entry(envelopeMember.dropped));
  if (dropped >= 0 && index.size(dropped) !== 3) throw unusual;
  writeCount(writer, 0x50, index, dropped + 1, dropped);
  writeEvents(writer, reading, envelope);
  writeCount(writer, 0x60, index, dropped + 2, dropped);
  writeLinks(writer, reading, listAt(index, envelope.entry(envelopeMember.links)));
  writeCount(writer, 0x70, index, dropped + 3, dropped);
  writeStatus(writer, reading);
  const flags = countAt(index, envelope.entry(envelopeMember.flags));
  if (flags !== 0) writer.fixed32Field(0x85, flags);
  writer.end(mark, spanLengthBytes);
}

/** The span of a document of another program, whose attributes are complete. Links are not usual. */
export function writeForeignSpan(
  writer: RangeWriter,
  reading: Reading,
  { placed, events }: { readonly placed: Placed | undefined; readonly events: readonly SpanEvent[] },
): void {
  const { index, start, end, kind } = reading;
  if (reading.topEntry(member.links) >= 0) throw unusual;
  const mark = writer.begin(0x12, spanLengthBytes);
  writeTraceId(writer, index, reading.traceId);
  writeSpanId(writer, 0x12, index, reading.topEntry(member.id));
  const parent = placed ? placed.parentId : reading.topEntry(member.parentId);
  if (parent >= 0) writeSpanId(writer, 0x22, index, parent);
  if (reading.nameEnd > reading.nameStart) writer.rangeField(0x2a, index.bytes, reading.nameStart, reading.nameEnd);
  if (kind !== 0) writer.int32Field(0x30, kind);
  if (!isZero(start)) writer.halvesField(0x39, start.high, start.low);
  if (!isZero(end)) writer.halvesField(0x41, end.high, end.low);
  reading.attributes.write(writer, 0x4a);
  for (const event of events) writeEvent(writer, event);
  writeStatus(writer, reading);
  writer.end(mark, spanLengthBytes);
}

/** Whether the entry is a span id in its usual spelling, lower case. */
export function isSpanIdAt(index: DocumentIndex, entry: number): boolean {
  return isSpanId(index, entry) && isLowerCase(index, entry);
}

/** Whether the entry is a trace id in its usual spelling, `1-8-24` in lower case. */
export function isUsualTraceIdAt(index: DocumentIndex, entry: number): boolean {
  return (
    isTraceId(index, entry) && (index.ends[entry] ?? 0) - (index.starts[entry] ?? 0) === 35 && isLowerCase(index, entry)
  );
}

function writeOwnIds(writer: RangeWriter, reading: Reading, envelope: EnvelopeReading): void {
  const { index } = reading;
  writeTraceId(writer, index, reading.topEntry(member.traceId));
  writeSpanId(writer, 0x12, index, reading.topEntry(member.id));
  const state = textEntry(index, envelope, envelopeMember.traceState);
  if (state >= 0 && index.starts[state] !== index.ends[state])
    writer.rangeField(0x1a, index.bytes, index.starts[state] ?? 0, index.ends[state] ?? 0);
  const shown = reading.topEntry(member.parentId);
  if (shown >= 0 && !isSpanId(index, shown)) throw unusual;
  const parent = textEntry(index, envelope, envelopeMember.parent);
  if (parent < 0) {
    if (shown >= 0) writeSpanId(writer, 0x22, index, shown);
  } else if (isSpanId(index, parent) && isLowerCase(index, parent)) writeSpanId(writer, 0x22, index, parent);
}

/** `1-8-24` or 32 hex digits, in any case. */
export function isTraceId(index: DocumentIndex, entry: number): boolean {
  if (entry < 0 || index.kinds[entry] !== Kind.text) return false;
  const start = index.starts[entry] ?? 0;
  const length = (index.ends[entry] ?? 0) - start;
  const { bytes } = index;
  if (length === 32) return isId(bytes, start, 32);
  const isXray = length === 35 && bytes[start] === one && bytes[start + 1] === dash && bytes[start + 10] === dash;
  // Nobody's trace began in 1970, so that half an id of zeros alone is for the slow path too.
  return isXray && isId(bytes, start + 2, 8) && isId(bytes, start + 11, 24);
}

/** The bytes of trace id and id of a document in their usual spelling, one after the other and no fields. */
export function writeIds(writer: RangeWriter, reading: Reading): void {
  const { bytes } = reading.index;
  const traceId = reading.startOf(reading.topEntry(member.traceId));
  writer.hexDigits(bytes, traceId + 2, 8);
  writer.hexDigits(bytes, traceId + 11, 24);
  writer.hexDigits(bytes, reading.startOf(reading.topEntry(member.id)), 16);
}

function writeTraceId(writer: RangeWriter, index: DocumentIndex, entry: number): void {
  if (!isTraceId(index, entry)) throw unusual;
  const start = index.starts[entry] ?? 0;
  const isXray = (index.ends[entry] ?? 0) - start === 35;
  writer.varintField(0x0a, 16);
  writer.hexDigits(index.bytes, isXray ? start + 2 : start, 8);
  writer.hexDigits(index.bytes, isXray ? start + 11 : start + 8, 24);
}

const one = 0x31;
const dash = 0x2d;

function writeSpanId(writer: RangeWriter, tag: number, index: DocumentIndex, entry: number): void {
  if (!isSpanId(index, entry)) throw unusual;
  writer.varintField(tag, 8);
  writer.hexDigits(index.bytes, index.starts[entry] ?? 0, 16);
}

function isSpanId(index: DocumentIndex, entry: number): boolean {
  if (entry < 0 || index.kinds[entry] !== Kind.text) return false;
  const start = index.starts[entry] ?? 0;
  return (index.ends[entry] ?? 0) - start === 16 && isId(index.bytes, start, 16);
}

/** So many hex digits that are not all zero. */
function isId(bytes: Uint8Array, start: number, digits: number): boolean {
  let any = 0;
  for (let i = start; i < start + digits; i++) {
    const value = hexValues[bytes[i] ?? 0] ?? 255;
    if (value === 255) return false;
    any |= value;
  }
  return any !== 0;
}

const hexValues = Uint8Array.from({ length: 256 }, (_, byte) => {
  const value = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? 255 : value;
});

function isLowerCase(index: DocumentIndex, entry: number): boolean {
  for (let i = index.starts[entry] ?? 0; i < (index.ends[entry] ?? 0); i++) {
    const byte = index.bytes[i] ?? 0;
    if (byte >= 0x41 && byte <= 0x46) return false;
  }
  return true;
}

function writeCount(writer: RangeWriter, tag: number, index: DocumentIndex, entry: number, list: number): void {
  const count = list < 0 ? 0 : countAt(index, entry);
  if (count !== 0) writer.varintField(tag, count);
}

function listAt(index: DocumentIndex, entry: number): number {
  if (entry >= 0 && index.kinds[entry] !== Kind.array) throw unusual;
  return entry;
}

/** The document's links, with what the envelope's entries, one for each, say besides. */
function writeLinks(writer: RangeWriter, reading: Reading, entries: number): void {
  const { index } = reading;
  const links = reading.asList(reading.topEntry(member.links));
  if (links < 0 && entries < 0) return;
  // Links that the document does not show are only known to the envelope.
  const count = links < 0 ? 0 : index.size(links);
  if (entries >= 0 && index.size(entries) !== count) throw unusual;
  let entry = entries + 1;
  let link = links + 1;
  for (let i = 0; i < count; i++) {
    writeLink(writer, reading, link, entries < 0 ? -1 : entry);
    link = index.nexts[link] ?? 0;
    entry = index.nexts[entry] ?? 0;
  }
}

function writeLink(writer: RangeWriter, reading: Reading, link: number, entry: number): void {
  const { index } = reading;
  if (index.kinds[link] !== Kind.object) throw unusual;
  const mark = writer.begin(0x6a, 1);
  writeTraceId(writer, index, index.member(link, member.traceId));
  writeSpanId(writer, 0x12, index, index.member(link, member.id));
  const shown = reading.asObject(index.member(link, member.attributes));
  if (entry < 0) {
    if (shown >= 0) writeJsonAttributes(writer, 0x22, index, shown);
  } else writeLinkEntry(writer, index, entry);
  writer.end(mark, 1);
}

/** `[trace state, flags, dropped, attributes]`. */
function writeLinkEntry(writer: RangeWriter, index: DocumentIndex, entry: number): void {
  const isUsual =
    index.kinds[entry] === Kind.array &&
    index.size(entry) === 4 &&
    index.kinds[entry + 1] === Kind.text &&
    index.kinds[entry + 4] === Kind.array;
  if (!isUsual) throw unusual;
  const state = entry + 1;
  if (index.starts[state] !== index.ends[state])
    writer.rangeField(0x1a, index.bytes, index.starts[state] ?? 0, index.ends[state] ?? 0);
  const flags = countAt(index, entry + 2);
  const dropped = countAt(index, entry + 3);
  writeAnyAttributes(writer, 0x22, index, entry + 4);
  if (dropped !== 0) writer.varintField(0x28, dropped);
  if (flags !== 0) writer.fixed32Field(0x35, flags);
}

function writeStatus(writer: RangeWriter, { index, statusCode, statusMessage }: Reading): void {
  const start = statusMessage < 0 ? 0 : (index.starts[statusMessage] ?? 0);
  const end = statusMessage < 0 ? 0 : (index.ends[statusMessage] ?? 0);
  if (statusCode === 0 && start === end) return;
  const mark = writer.begin(0x7a, 1);
  if (start !== end) writer.rangeField(0x12, index.bytes, start, end);
  if (statusCode !== 0) writer.int32Field(0x18, statusCode);
  writer.end(mark, 1);
}
