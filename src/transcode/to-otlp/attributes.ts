import type { RangeWriter } from './range-writer.ts';
import type { DocumentIndex } from './document-index.ts';
import { Kind } from './document-index.ts';
import { isInteger, putInt64, takeNumber, unusual } from './literals.ts';
import { nameBytes, nameNumbersMax, nameStarts } from './names.ts';
import { anyNames, writeAnyValue, writeJsonValue } from './values.ts';

/**
 * The attributes of one span while its document is read: an ordered map like the one of
 * `convert/document.ts`, but of numbers. A key is the number of its name, a value says where in the
 * document it stands; bytes are copied once, when the span is written.
 */

/** What the two numbers of a value mean. */
export const Value = {
  /** A text in `bytes[a, b)`. */
  text: 0,
  /** The text of a name of the program's own, `a`. */
  name: 1,
  /** `a` is 0 or 1. */
  boolean: 2,
  /** An int, `a`. */
  int: 3,
  /** The literal of an int64 in `bytes[a, b)`. */
  intLiteral: 4,
  /** A number literal in `bytes[a, b)`, of a double. */
  doubleLiteral: 5,
  /** Entry `a` of the index, a JSON list or object. */
  json: 6,
  /** Entry `a` of the index, a list, map or bytes as OTLP/JSON AnyValue. */
  any: 7,
  /** A list of one text, `bytes[a, b)`. */
  listOfText: 8,
  /** The empty value. */
  empty: 9,
  /** A list of names, `a` of them, the first of `names`. */
  listOfNames: 10,
} as const;

/** A span of more attributes is rare, and the slow path takes any number. */
const attributesMax = 1024;

export class AttributeTable {
  private readonly index: DocumentIndex;
  /** Places taken so far, those of deleted attributes included. */
  count = 0;
  private readonly keys = new Int32Array(attributesMax);
  private readonly kinds = new Uint8Array(attributesMax);
  private readonly firsts = new Int32Array(attributesMax);
  private readonly seconds = new Int32Array(attributesMax);
  /** Of an int that is to be written as a double. */
  private readonly doubles = new Uint8Array(attributesMax);
  /** The one list of names that a span may have. */
  private readonly names = new Int32Array(64);
  /** By name: the place of the attribute plus `base`; below `base` it is absent. */
  private readonly places = new Int32Array(nameNumbersMax);
  private base = 1;

  constructor(index: DocumentIndex) {
    this.index = index;
  }

  clear(): void {
    this.base += this.count;
    this.count = 0;
    if (this.base < 0x7000_0000) return;
    this.places.fill(0);
    this.base = 1;
  }

  has(key: number): boolean {
    return (this.places[key] ?? 0) >= this.base;
  }

  /** A new key goes to the end, one that is there keeps its place. */
  set(key: number, kind: number, first: number, second = 0): void {
    let place = (this.places[key] ?? 0) - this.base;
    if (place < 0) {
      if (this.count === attributesMax) throw unusual;
      place = this.count++;
      this.places[key] = this.base + place;
    }
    this.keys[place] = key;
    this.kinds[place] = kind;
    this.firsts[place] = first;
    this.seconds[place] = second;
    this.doubles[place] = 0;
  }

  /** A text of the document; absent when there is no such entry. */
  setText(key: number, entry: number): void {
    if (entry >= 0) this.set(key, Value.text, this.index.starts[entry] ?? 0, this.index.ends[entry] ?? 0);
  }

  /** A whole number of the document; absent when there is no such entry. */
  setInteger(key: number, entry: number): void {
    if (entry >= 0) this.set(key, Value.intLiteral, this.index.starts[entry] ?? 0, this.index.ends[entry] ?? 0);
  }

  setNames(key: number, names: Int32Array, count: number): void {
    this.names.set(names.subarray(0, count));
    this.set(key, Value.listOfNames, count);
  }

  /** Any JSON value, as `fromJson` of `convert/values.ts` reads it. */
  setJson(key: number, entry: number): void {
    const { index } = this;
    const start = index.starts[entry] ?? 0;
    const end = index.ends[entry] ?? 0;
    switch (index.kinds[entry]) {
      case Kind.text:
        return this.set(key, Value.text, start, end);
      case Kind.integer:
        // Twenty characters may be an int64 and may be more; hardly anybody sends such numbers.
        if (end - start > 18) throw unusual;
        return this.set(key, Value.intLiteral, start, end);
      case Kind.decimal:
        return this.set(key, Value.doubleLiteral, start, end);
      case Kind.true:
        return this.set(key, Value.boolean, 1);
      case Kind.false:
        return this.set(key, Value.boolean, 0);
      case Kind.null:
        return this.set(key, Value.empty, 0);
      default:
        return this.set(key, Value.json, entry);
    }
  }

  /** An AnyValue in OTLP/JSON, as `fromAnyValue` of `convert/values.ts` reads it. */
  setAny(key: number, entry: number): void {
    const { index } = this;
    const value = entry + 1;
    if (index.kinds[entry] !== Kind.object) throw unusual;
    if (index.nexts[entry] === value) return this.set(key, Value.empty, 0);
    if (index.nexts[entry] !== index.nexts[value]) throw unusual;
    const start = index.starts[value] ?? 0;
    const end = index.ends[value] ?? 0;
    const kind = index.kinds[value] ?? 0;
    switch (index.names[value]) {
      case anyNames.stringValue:
        if (kind !== Kind.text) throw unusual;
        return this.set(key, Value.text, start, end);
      case anyNames.boolValue:
        if (kind !== Kind.true && kind !== Kind.false) throw unusual;
        return this.set(key, Value.boolean, kind === Kind.true ? 1 : 0);
      case anyNames.intValue:
        if (kind !== Kind.text || !isInteger(index.bytes, start, end)) throw unusual;
        return this.set(key, Value.intLiteral, start, end);
      case anyNames.doubleValue:
        if (kind !== Kind.integer && kind !== Kind.decimal) throw unusual;
        return this.set(key, Value.doubleLiteral, start, end);
      default:
        return this.set(key, Value.any, entry);
    }
  }

  /** The value that another key has. */
  setCopy(key: number, from: number): void {
    const place = this.placeOf(from);
    this.set(key, this.kinds[place] ?? 0, this.firsts[place] ?? 0, this.seconds[place] ?? 0);
  }

  /** An int becomes a double, if it has one of the first `places`; any other value stays. */
  makeDouble(key: number, places: number): void {
    const place = this.placeOf(key);
    const kind = this.kinds[place];
    if (place >= 0 && place < places && (kind === Value.int || kind === Value.intLiteral)) this.doubles[place] = 1;
  }

  delete(key: number): void {
    const place = this.placeOf(key);
    if (place < 0) return;
    this.keys[place] = -1;
    this.places[key] = 0;
  }

  /** Place of a non-empty text; -1 for any other value and for none. */
  textPlace(key: number): number {
    const place = this.placeOf(key);
    if (place < 0) return -1;
    const kind = this.kinds[place];
    if (kind === Value.name) return place;
    return kind === Value.text && this.firsts[place] !== this.seconds[place] ? place : -1;
  }

  textStart(place: number): number {
    const first = this.firsts[place] ?? 0;
    return this.kinds[place] === Value.name ? (nameStarts[first] ?? 0) : first;
  }

  textEnd(place: number): number {
    const name = this.firsts[place] ?? 0;
    return this.kinds[place] === Value.name ? (nameStarts[name + 1] ?? 0) : (this.seconds[place] ?? 0);
  }

  /** The bytes that the text at a place stands in. */
  textBytes(place: number): Uint8Array {
    return this.kinds[place] === Value.name ? nameBytes : this.index.bytes;
  }

  /** -1 when it is no boolean. */
  booleanOf(key: number): number {
    const place = this.placeOf(key);
    return place >= 0 && this.kinds[place] === Value.boolean ? (this.firsts[place] ?? 0) : -1;
  }

  /** As `toInteger` of `convert/section.ts`; NaN when it is none. Exact as far as codes of any kind go. */
  integerOf(key: number): number {
    const place = this.placeOf(key);
    if (place < 0) return Number.NaN;
    const start = this.firsts[place] ?? 0;
    const end = this.seconds[place] ?? 0;
    const isDouble = this.doubles[place] === 1;
    switch (this.kinds[place]) {
      case Value.int:
        return start;
      case Value.intLiteral: {
        const value = takeNumber(this.index.bytes, start, end);
        return isDouble && !Number.isSafeInteger(value) ? Number.NaN : value;
      }
      case Value.doubleLiteral: {
        const value = takeNumber(this.index.bytes, start, end);
        return Number.isSafeInteger(value) ? value : Number.NaN;
      }
      case Value.text:
        if (!isInteger(this.index.bytes, start, end)) return Number.NaN;
        return takeNumber(this.index.bytes, start, end);
      default:
        return Number.NaN;
    }
  }

  /** All attributes, each as one field of that tag. */
  write(writer: RangeWriter, tag: number): void {
    for (let place = 0; place < this.count; place++) {
      const key = this.keys[place] ?? 0;
      if (key >= 0) this.writeOne(writer, tag, place, key);
    }
  }

  private placeOf(key: number): number {
    const place = (this.places[key] ?? 0) - this.base;
    return place < 0 ? -1 : place;
  }

  private writeOne(writer: RangeWriter, tag: number, place: number, key: number): void {
    const first = this.firsts[place] ?? 0;
    const second = this.seconds[place] ?? 0;
    const { bytes } = this.index;
    const keyStart = nameStarts[key] ?? 0;
    const keyEnd = nameStarts[key + 1] ?? 0;
    switch (this.kinds[place]) {
      case Value.text:
        return writer.textPairField(tag, nameBytes, keyStart, keyEnd, bytes, first, second);
      case Value.name: {
        const start = nameStarts[first] ?? 0;
        return writer.textPairField(tag, nameBytes, keyStart, keyEnd, nameBytes, start, nameStarts[first + 1] ?? 0);
      }
      default: {
        const mark = writer.begin(tag, 1);
        writer.rangeField(0x0a, nameBytes, keyStart, keyEnd);
        const valueMark = writer.begin(0x12, 1);
        this.writeValue(writer, place);
        writer.end(valueMark, 1);
        writer.end(mark, 1);
      }
    }
  }

  private writeValue(writer: RangeWriter, place: number): void {
    const first = this.firsts[place] ?? 0;
    const second = this.seconds[place] ?? 0;
    const { bytes } = this.index;
    switch (this.kinds[place]) {
      case Value.boolean:
        return writer.varintField(0x10, first);
      case Value.int:
        return this.doubles[place] === 1 ? writer.doubleField(0x21, first) : writer.int32Field(0x18, first);
      case Value.intLiteral:
        // An int has no negative zero.
        if (this.doubles[place] === 1) return writer.doubleField(0x21, takeNumber(bytes, first, second) + 0);
        return putInt64(writer, bytes, first, second);
      case Value.doubleLiteral:
        return writer.doubleField(0x21, takeNumber(bytes, first, second));
      case Value.json:
        return writeJsonValue(writer, this.index, first);
      case Value.any:
        return writeAnyValue(writer, this.index, first);
      case Value.listOfText: {
        const list = writer.begin(0x2a, 1);
        const element = writer.begin(0x0a, 1);
        writer.rangeField(0x0a, bytes, first, second);
        writer.end(element, 1);
        return writer.end(list, 1);
      }
      case Value.listOfNames: {
        const list = writer.begin(0x2a, 1);
        for (let i = 0; i < first; i++) {
          const name = this.names[i] ?? 0;
          const element = writer.begin(0x0a, 1);
          writer.rangeField(0x0a, nameBytes, nameStarts[name] ?? 0, nameStarts[name + 1] ?? 0);
          writer.end(element, 1);
        }
        return writer.end(list, 1);
      }
    }
  }
}
