import { decodeBase64, encodeBase64 } from '../../codec/base64.ts';
import type { RangeWriter } from './range-writer.ts';
import type { DocumentIndex } from './document-index.ts';
import { Kind } from './document-index.ts';
import { isInteger, putInt64, takeNumber, unusual } from './literals.ts';
import { knownName, nameBytes, nameStarts } from './names.ts';

/**
 * Values of a document as fields of an OTLP AnyValue: plain JSON, as `fromJson` of
 * `convert/values.ts` reads it, and OTLP/JSON, as its `fromAnyValue` does.
 */

export const anyNames = {
  stringValue: knownName('stringValue'),
  boolValue: knownName('boolValue'),
  intValue: knownName('intValue'),
  doubleValue: knownName('doubleValue'),
  bytesValue: knownName('bytesValue'),
  arrayValue: knownName('arrayValue'),
  kvlistValue: knownName('kvlistValue'),
  values: knownName('values'),
} as const;

/** The content of an AnyValue for a JSON value. */
export function writeJsonValue(writer: RangeWriter, index: DocumentIndex, entry: number): void {
  const start = index.starts[entry] ?? 0;
  const end = index.ends[entry] ?? 0;
  switch (index.kinds[entry]) {
    case Kind.text:
      return writer.rangeField(0x0a, index.bytes, start, end);
    case Kind.integer:
      if (!isInteger(index.bytes, start, end)) throw unusual;
      return putInt64(writer, index.bytes, start, end);
    case Kind.decimal:
      return writer.doubleField(0x21, takeNumber(index.bytes, start, end));
    case Kind.true:
      return writer.varintField(0x10, 1);
    case Kind.false:
      return writer.varintField(0x10, 0);
    case Kind.array:
      return writeJsonList(writer, index, entry);
    case Kind.object:
      return writeJsonMembers(writer, index, entry);
    case Kind.null:
      return;
    default:
      throw unusual;
  }
}

function writeJsonList(writer: RangeWriter, index: DocumentIndex, list: number): void {
  const mark = writer.begin(0x2a, 1);
  const end = index.nexts[list] ?? 0;
  for (let entry = list + 1; entry < end; entry = index.nexts[entry] ?? 0) {
    const element = writer.begin(0x0a, 1);
    writeJsonValue(writer, index, entry);
    writer.end(element, 1);
  }
  writer.end(mark, 1);
}

function writeJsonMembers(writer: RangeWriter, index: DocumentIndex, object: number): void {
  const mark = writer.begin(0x32, 1);
  writeJsonAttributes(writer, 0x0a, index, object);
  writer.end(mark, 1);
}

/** The members of an object as fields of that tag, each a KeyValue. */
export function writeJsonAttributes(writer: RangeWriter, tag: number, index: DocumentIndex, object: number): void {
  const end = index.nexts[object] ?? 0;
  for (let entry = object + 1; entry < end; entry = index.nexts[entry] ?? 0) {
    const name = index.names[entry] ?? 0;
    const member = writer.begin(tag, 1);
    writer.rangeField(0x0a, nameBytes, nameStarts[name] ?? 0, nameStarts[name + 1] ?? 0);
    const value = writer.begin(0x12, 1);
    writeJsonValue(writer, index, entry);
    writer.end(value, 1);
    writer.end(member, 1);
  }
}

/** The content of an AnyValue for one in OTLP/JSON. */
export function writeAnyValue(writer: RangeWriter, index: DocumentIndex, any: number): void {
  const value = any + 1;
  if (index.kinds[any] !== Kind.object) throw unusual;
  if (index.nexts[any] === value) return;
  if (index.nexts[any] !== index.nexts[value]) throw unusual;
  const kind = index.kinds[value] ?? 0;
  const start = index.starts[value] ?? 0;
  const end = index.ends[value] ?? 0;
  switch (index.names[value]) {
    case anyNames.stringValue:
      if (kind !== Kind.text) throw unusual;
      return writer.rangeField(0x0a, index.bytes, start, end);
    case anyNames.boolValue:
      if (kind !== Kind.true && kind !== Kind.false) throw unusual;
      return writer.varintField(0x10, kind === Kind.true ? 1 : 0);
    case anyNames.intValue:
      if (kind !== Kind.text || !isInteger(index.bytes, start, end)) throw unusual;
      return putInt64(writer, index.bytes, start, end);
    case anyNames.doubleValue:
      if (kind !== Kind.integer && kind !== Kind.decimal) throw unusual;
      return writer.doubleField(0x21, takeNumber(index.bytes, start, end));
    case anyNames.bytesValue:
      return writer.blobField(0x3a, bytesOf(index, value));
    case anyNames.arrayValue:
      return writeAnyList(writer, index, valuesOf(index, value));
    case anyNames.kvlistValue: {
      const mark = writer.begin(0x32, 1);
      writeAnyAttributes(writer, 0x0a, index, valuesOf(index, value));
      return writer.end(mark, 1);
    }
    default:
      throw unusual;
  }
}

function bytesOf(index: DocumentIndex, entry: number): Uint8Array {
  const text = index.kinds[entry] === Kind.text ? index.textOf(entry) : '';
  const bytes = decodeBase64(text);
  // Other readers of base64 differ in what else they take.
  if (!bytes || encodeBase64(bytes) !== text) throw unusual;
  return bytes;
}

function valuesOf(index: DocumentIndex, object: number): number {
  const list = index.kinds[object] === Kind.object ? index.member(object, anyNames.values) : -1;
  if (list < 0 || index.kinds[list] !== Kind.array) throw unusual;
  return list;
}

function writeAnyList(writer: RangeWriter, index: DocumentIndex, list: number): void {
  const mark = writer.begin(0x2a, 1);
  const end = index.nexts[list] ?? 0;
  for (let entry = list + 1; entry < end; entry = index.nexts[entry] ?? 0) {
    const element = writer.begin(0x0a, 1);
    writeAnyValue(writer, index, entry);
    writer.end(element, 1);
  }
  writer.end(mark, 1);
}

/** Each key is compared with all before it, so that there must not be many. */
const pairsMax = 128;

/** `[[key, AnyValue], …]` as fields of that tag, each a KeyValue. */
export function writeAnyAttributes(writer: RangeWriter, tag: number, index: DocumentIndex, list: number): void {
  const end = index.nexts[list] ?? 0;
  if (index.size(list) > pairsMax) throw unusual;
  for (let pair = list + 1; pair < end; pair = index.nexts[pair] ?? 0) {
    const key = pairKey(index, pair);
    if (repeatsKey(index, list, pair)) throw unusual;
    const member = writer.begin(tag, 1);
    writer.rangeField(0x0a, index.bytes, index.starts[key] ?? 0, index.ends[key] ?? 0);
    const value = writer.begin(0x12, 1);
    writeAnyValue(writer, index, key + 1);
    writer.end(value, 1);
    writer.end(member, 1);
  }
}

/** The entry of the key of a pair `[key, AnyValue]`; the value's is the next one. */
export function pairKey(index: DocumentIndex, pair: number): number {
  const key = pair + 1;
  const isPair = index.kinds[pair] === Kind.array && index.kinds[key] === Kind.text && index.size(pair) === 2;
  if (!isPair) throw unusual;
  return key;
}

/** Of keys that are the same the last one counts; nobody writes such a list, so that it is only noticed. */
function repeatsKey(index: DocumentIndex, list: number, pair: number): boolean {
  const start = index.starts[pair + 1] ?? 0;
  const length = (index.ends[pair + 1] ?? 0) - start;
  for (let other = list + 1; other < pair; other = index.nexts[other] ?? 0) {
    const at = index.starts[other + 1] ?? 0;
    if ((index.ends[other + 1] ?? 0) - at !== length) continue;
    let i = 0;
    while (i < length && index.bytes[at + i] === index.bytes[start + i]) i += 1;
    if (i === length) return true;
  }
  return false;
}
