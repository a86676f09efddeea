import {
  backslash,
  closeBrace,
  closeBracket,
  colon,
  comma,
  letterE,
  letterF,
  letterN,
  letterT,
  letterU,
  minus,
  openBrace,
  openBracket,
  plus,
  point,
  quote,
  zero,
} from '../../codec/json-bytes.ts';
import { decodeText } from '../../codec/utf8.ts';
import { unusual } from './literals.ts';
import { envelopeMember, guessName, internName, isNameAt, member, nameLength } from './names.ts';
import { KnownValues } from './seen.ts';

/**
 * A flat index of one JSON value: where each value in it stands, of what kind it is and where the
 * next one beside it begins. It is made in one pass over the bytes and builds no object, so it
 * costs a few nanoseconds a byte and nothing for the garbage collector.
 *
 * It says no to whatever it would not index exactly as `codec/json.ts` reads it: text that is no
 * JSON, two members of one name, half of a surrogate pair, more depth or values than usual. The
 * caller then takes the slow path, which knows what to do and what to say.
 */

/** What stands at an entry of the index. An integer has neither point nor exponent. */
export const Kind = {
  object: 1,
  array: 2,
  text: 3,
  integer: 4,
  decimal: 5,
  true: 6,
  false: 7,
  null: 8,
  /** The envelope's resource, when it is one of `known`; it is not indexed any further. */
  known: 9,
} as const;

/** As deep as a document may be; see jsonDepthMax. */
const depthMax = 64;
/** The document, its metadata, the envelope. */
const envelopeDepth = 3;
/** A document of 64 KiB has some thousand values. */
const valuesMax = 65_536;

export class DocumentIndex {
  /**
   * The body, a zero, and behind it texts that do not stand in the body as they are: those that
   * were escaped there, which need no more room than the body, and those that the conversion makes.
   */
  bytes = new Uint8Array(0);
  /** Where the next such text goes. */
  textEnd = 0;

  /** One entry per value; an object's members follow it. Texts without their quotes, containers with their brackets. */
  kinds = new Uint8Array(1024);
  starts = new Int32Array(1024);
  ends = new Int32Array(1024);
  /** Entry of the value after this one and all inside it. */
  nexts = new Int32Array(1024);
  /** Of members the number of their name; of elements, and of the whole, -1. */
  names = new Int32Array(1024);
  /** Of members where their name stands in the body, with its quote. */
  places = new Int32Array(1024);
  count = 0;

  /**
   * Resources of envelopes that came before. Two thirds of the bytes of a subsegment are its
   * resource, and comparing them takes a tenth of the time that indexing does.
   */
  readonly known = new KnownValues();
  /** Which of them the document has. */
  knownNumber = -1;

  /** The same memory. */
  view = new DataView(this.bytes.buffer);
  private bodyEnd = 0;
  /** By name: the object in which it was seen last. */
  private readonly owners: Int32Array;
  private owner = 0;

  constructor(nameNumbersMax: number) {
    this.owners = new Int32Array(nameNumbersMax);
  }

  /** Takes a body in; it begins at 0. */
  load(body: Uint8Array): void {
    this.bodyEnd = body.length;
    const room = body.length + 2 * Math.min(body.length, documentBytesUsual) + textRoom;
    // A buffer that one large body needed is not kept for the small ones after it.
    if (this.bytes.length < room || this.bytes.length > 8 * room + roomKept) this.allocate(room);
    this.bytes.set(body);
    this.bytes[body.length] = 0;
    this.clear();
  }

  /** Forgets the values indexed so far. */
  clear(): void {
    this.count = 0;
    this.knownNumber = -1;
    this.textEnd = this.bodyEnd + 1;
  }

  /** Next byte from `at` on that is no white space. */
  skipSpace(at: number): number {
    const { bytes } = this;
    let i = at;
    while ((bytes[i] ?? 0) <= 0x20 && isSpace(bytes[i] ?? 0)) i += 1;
    return i;
  }

  /** Indexes the value at `at`, which is no white space. Returns the place behind it; -1 for what is not indexed. */
  read(at: number): number {
    return this.value(at, -1, 0);
  }

  /** The first member of that name of an object; -1 when there is none. */
  member(object: number, name: number): number {
    const end = this.nexts[object] ?? 0;
    for (let entry = object + 1; entry < end; entry = this.nexts[entry] ?? 0)
      if (this.names[entry] === name) return entry;
    return -1;
  }

  /** Members or elements of a container. */
  size(container: number): number {
    let size = 0;
    const end = this.nexts[container] ?? 0;
    for (let entry = container + 1; entry < end; entry = this.nexts[entry] ?? 0) size += 1;
    return size;
  }

  /** Adds to the text that is being made behind the body; it stands from the `textEnd` before to the one after. */
  append(source: Uint8Array, start: number, end: number): void {
    const { bytes } = this;
    let to = this.textEnd;
    if (to + (end - start) > bytes.length) throw unusual;
    for (let i = start; i < end; i++) bytes[to++] = source[i] ?? 0;
    this.textEnd = to;
  }

  appendByte(byte: number): void {
    if (this.textEnd === this.bytes.length) throw unusual;
    this.bytes[this.textEnd++] = byte;
  }

  appendString(text: string): void {
    if (this.textEnd + text.length * 3 > this.bytes.length) throw unusual;
    this.textEnd += encoder.encodeInto(text, this.bytes.subarray(this.textEnd)).written;
  }

  /** The text of an entry as a string. */
  textOf(entry: number): string {
    return decodeText(this.view, this.starts[entry] ?? 0, this.ends[entry] ?? 0);
  }

  private value(at: number, name: number, depth: number): number {
    if (this.count === valuesMax) return -1;
    if (this.count === this.kinds.length) this.grow();
    const entry = this.count++;
    this.names[entry] = name;
    const first = this.bytes[at] ?? 0;
    if (first === quote) {
      this.nexts[entry] = entry + 1;
      return this.text(at + 1, entry);
    }
    if (first === openBrace) return this.object(at, entry, depth + 1);
    if (first === openBracket) return this.array(at, entry, depth + 1);
    this.nexts[entry] = entry + 1;
    if (first === minus || isDigit(first)) return this.number(at, entry);
    if (first === letterT) return this.word(at, entry, trueWord);
    if (first === letterF) return this.word(at, entry, falseWord);
    return first === letterN ? this.word(at, entry, nullWord) : -1;
  }

  private object(start: number, entry: number, depth: number): number {
    const { bytes } = this;
    if (depth > depthMax) return -1;
    let at = this.skipSpace(start + 1);
    if (bytes[at] === closeBrace) return this.close(entry, Kind.object, start, at);
    const isEnvelope = depth === envelopeDepth && this.names[entry] === member.raybridge;
    let last = this.names[entry] ?? -1;
    for (;;) {
      if (bytes[at] !== quote) return -1;
      const place = at;
      let name = guessName(last);
      if (isNameAt(bytes, at + 1, name)) at += 2 + nameLength(name);
      else {
        // A name is text for a moment; its entry becomes that of its value.
        at = this.text(at + 1, this.count);
        if (at < 0) return -1;
        name = internName(bytes, this.starts[this.count] ?? 0, this.ends[this.count] ?? 0, last);
        if (name < 0) return -1;
      }
      last = name;
      if (bytes[at] !== colon) at = this.skipSpace(at);
      if (bytes[at] !== colon) return -1;
      at = this.skipSpace(at + 1);
      const entryOfMember = this.count;
      at =
        isEnvelope && name === envelopeMember.resource ? this.resource(at, name, depth) : this.value(at, name, depth);
      if (at < 0) return -1;
      this.places[entryOfMember] = place;
      at = this.skipSpace(at);
      if (bytes[at] !== comma) break;
      at = this.skipSpace(at + 1);
    }
    if (bytes[at] !== closeBrace || this.repeatsName(entry)) return -1;
    return this.close(entry, Kind.object, start, at);
  }

  private resource(at: number, name: number, depth: number): number {
    const known = this.known.match(this.view, at);
    if (known < 0 || this.count === this.kinds.length) return this.value(at, name, depth);
    const entry = this.count++;
    this.names[entry] = name;
    this.knownNumber = known;
    this.nexts[entry] = entry + 1;
    this.kinds[entry] = Kind.known;
    this.starts[entry] = at;
    this.ends[entry] = at + this.known.lastLength;
    return this.ends[entry] ?? 0;
  }

  private array(start: number, entry: number, depth: number): number {
    const { bytes } = this;
    if (depth > depthMax) return -1;
    let at = this.skipSpace(start + 1);
    if (bytes[at] === closeBracket) return this.close(entry, Kind.array, start, at);
    for (;;) {
      at = this.value(at, -1, depth);
      if (at < 0) return -1;
      at = this.skipSpace(at);
      if (bytes[at] !== comma) break;
      at = this.skipSpace(at + 1);
    }
    return bytes[at] === closeBracket ? this.close(entry, Kind.array, start, at) : -1;
  }

  private close(entry: number, kind: number, start: number, at: number): number {
    this.kinds[entry] = kind;
    this.starts[entry] = start;
    this.ends[entry] = at + 1;
    this.nexts[entry] = this.count;
    return at + 1;
  }

  private repeatsName(object: number): boolean {
    if (this.owner === 0x7fff_ffff) {
      this.owners.fill(0);
      this.owner = 0;
    }
    const owner = ++this.owner;
    for (let entry = object + 1; entry < this.count; entry = this.nexts[entry] ?? 0) {
      const name = this.names[entry] ?? 0;
      if (this.owners[name] === owner) return true;
      this.owners[name] = owner;
    }
    return false;
  }

  private text(start: number, entry: number): number {
    const { bytes } = this;
    if (entry === this.kinds.length) this.grow();
    let i = start;
    while (isPlain[bytes[i] ?? 0] === 1) i += 1;
    if (bytes[i] === backslash) return this.escapedText(start, i, entry);
    if (bytes[i] !== quote) return -1;
    this.kinds[entry] = Kind.text;
    this.starts[entry] = start;
    this.ends[entry] = i;
    return i + 1;
  }

  /** The text without its escapes goes behind the body: it is shorter than with them. */
  private escapedText(start: number, firstEscape: number, entry: number): number {
    const { bytes } = this;
    let to = this.textEnd;
    this.kinds[entry] = Kind.text;
    this.starts[entry] = to;
    for (let i = start; i < firstEscape; i++) bytes[to++] = bytes[i] ?? 0;
    let i = firstEscape;
    for (;;) {
      const byte = bytes[i] ?? 0;
      if (isPlain[byte] === 1) {
        bytes[to++] = byte;
        i += 1;
      } else if (byte === quote) {
        if (to > bytes.length) return -1;
        this.ends[entry] = to;
        this.textEnd = to;
        return i + 1;
      } else if (byte !== backslash) return -1;
      else if (bytes[i + 1] === letterU) {
        const code = this.codePointAt(i);
        if (code < 0) return -1;
        to = putUtf8(bytes, to, code);
        i += code > 0xffff ? 12 : 6;
      } else {
        const character = escapes[bytes[i + 1] ?? 0] ?? 0;
        if (character === 0) return -1;
        bytes[to++] = character;
        i += 2;
      }
    }
  }

  /** Of one escape, or of two that are a surrogate pair; -1 for half a pair and for what is no escape. */
  private codePointAt(at: number): number {
    const unit = this.codeUnitAt(at);
    if (unit < 0xd800 || unit > 0xdfff) return unit;
    if (unit > 0xdbff || this.bytes[at + 6] !== backslash || this.bytes[at + 7] !== letterU) return -1;
    const low = this.codeUnitAt(at + 6);
    return low < 0xdc00 || low > 0xdfff ? -1 : 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  }

  private codeUnitAt(at: number): number {
    let unit = 0;
    for (let i = at + 2; i < at + 6; i++) {
      const digit = hexDigits[this.bytes[i] ?? 0] ?? 0;
      if (digit === 0) return -1;
      unit = (unit << 4) | (digit - 1);
    }
    return unit;
  }

  private number(start: number, entry: number): number {
    const { bytes } = this;
    let i = bytes[start] === minus ? start + 1 : start;
    const digits = i;
    while (isDigit(bytes[i] ?? 0)) i += 1;
    if (i === digits || (bytes[digits] === zero && i > digits + 1)) return -1;
    this.kinds[entry] = Kind.integer;
    if (bytes[i] === point) {
      this.kinds[entry] = Kind.decimal;
      const fraction = ++i;
      while (isDigit(bytes[i] ?? 0)) i += 1;
      if (i === fraction) return -1;
    }
    if (((bytes[i] ?? 0) | 0x20) === letterE) {
      this.kinds[entry] = Kind.decimal;
      i += bytes[i + 1] === minus || bytes[i + 1] === plus ? 2 : 1;
      const exponent = i;
      while (isDigit(bytes[i] ?? 0)) i += 1;
      if (i === exponent) return -1;
    }
    this.starts[entry] = start;
    this.ends[entry] = i;
    return i;
  }

  private word(start: number, entry: number, word: Word): number {
    const end = start + word.letters.length;
    for (let i = start; i < end; i++) if (this.bytes[i] !== word.letters[i - start]) return -1;
    this.kinds[entry] = word.kind;
    this.starts[entry] = start;
    this.ends[entry] = end;
    return end;
  }

  private allocate(sizeBytes: number): void {
    this.bytes = new Uint8Array(sizeBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  private grow(): void {
    const { kinds } = this;
    this.kinds = new Uint8Array(kinds.length * 2);
    this.kinds.set(kinds);
    this.starts = doubled(this.starts);
    this.ends = doubled(this.ends);
    this.nexts = doubled(this.nexts);
    this.names = doubled(this.names);
    this.places = doubled(this.places);
  }
}

/** Texts that were escaped, and texts that the conversion makes of them, take no more than a document each. */
const documentBytesUsual = 1024 * 1024;
/** What the conversion says itself besides. */
const textRoom = 65_536;
const roomKept = 4 * 1024 * 1024;

interface Word {
  readonly letters: Uint8Array;
  readonly kind: number;
}

const encoder = new TextEncoder();
const trueWord: Word = { letters: encoder.encode('true'), kind: Kind.true };
const falseWord: Word = { letters: encoder.encode('false'), kind: Kind.false };
const nullWord: Word = { letters: encoder.encode('null'), kind: Kind.null };

/** 1 for bytes that stand for themselves in a text. */
const isPlain = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte !== quote && byte !== backslash ? 1 : 0,
);

/** The character of an escape of one letter; 0 for what is none. */
const escapes = new Uint8Array(256);
for (const [i, letter] of Array.from('"\\/bfnrt').entries())
  escapes[letter.charCodeAt(0)] = '"\\/\b\f\n\r\t'.charCodeAt(i);

/** The value of a hex digit plus one; 0 for what is none. */
const hexDigits = Uint8Array.from({ length: 256 }, (_, byte) => {
  const value = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? 0 : value + 1;
});

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function putUtf8(bytes: Uint8Array, at: number, code: number): number {
  let to = at;
  if (code < 0x80) bytes[to++] = code;
  else if (code < 0x800) {
    bytes[to++] = 0xc0 | (code >> 6);
    bytes[to++] = 0x80 | (code & 0x3f);
  } else if (code < 0x10000) {
    bytes[to++] = 0xe0 | (code >> 12);
    bytes[to++] = 0x80 | ((code >> 6) & 0x3f);
    bytes[to++] = 0x80 | (code & 0x3f);
  } else {
    bytes[to++] = 0xf0 | (code >> 18);
    bytes[to++] = 0x80 | ((code >> 12) & 0x3f);
    bytes[to++] = 0x80 | ((code >> 6) & 0x3f);
    bytes[to++] = 0x80 | (code & 0x3f);
  }
  return to;
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(array.length * 2);
  grown.set(array);
  return grown;
}
