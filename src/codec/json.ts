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
} from './json-bytes.ts';
import { RaybridgeError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../model/index.ts';
import { isJsonArray, isJsonNumber, isJsonObject, jsonTextDepthMax } from '../model/index.ts';
import { decodeText, findInvalidUtf8, isAscii } from './utf8.ts';

/**
 * JSON (RFC 8259) that comes back as it was: numbers keep their text, objects are Maps.
 *
 * `JsonReader` is a cursor over the bytes; whoever knows what to expect asks it directly and builds
 * nothing else. `parseJson` builds the whole value. Where RFC 8259 leaves room: of members with the
 * same name the last one counts; a byte order mark is refused; an escape such as `\ud800` that
 * stands for half a character is kept as that half, because senders that cut texts in the middle
 * write it, and `printJson` escapes it again.
 */

/** Objects and arrays inside each other, the outermost counted. */
export const jsonDepthMax = 64;

/**
 * Values in one text for `parseJson`. Two bytes, `{}`, can become a hundred in memory; with this
 * bound a text costs at most some hundred megabytes, however large it is.
 */
export const jsonValuesMax = 1_000_000;

/**
 * The value of a JSON text.
 * @throws RaybridgeError BAD_INPUT with the byte (or, of a string, the character) and the JSON pointer
 *   of the place, what was expected and what was found.
 */
export function parseJson(source: Uint8Array | string, limits: { readonly depthMax?: number } = {}): JsonValue {
  const depthMax = limits.depthMax ?? jsonDepthMax;
  const reader = new JsonReader(source, { format: 'JSON', depthMax, containersMax: jsonValuesMax });
  const value = readJson(reader);
  reader.end();
  return value;
}

/** The value at the cursor. */
export function readJson(reader: JsonReader): JsonValue {
  return readValue(reader, { values: 0 });
}

/** JSON without white space. Number literals are printed as they are. */
export function printJson(value: JsonValue): string {
  // JSON.stringify escapes what must be escaped, halves of characters included.
  if (typeof value === 'string') return JSON.stringify(value);
  if (isJsonNumber(value)) return value.literal;
  if (isJsonObject(value)) return printObject(value);
  if (isJsonArray(value)) return `[${value.map(printJson).join(',')}]`;
  return String(value);
}

function printObject(members: JsonObject): string {
  let text = '{';
  for (const [name, value] of members) {
    text += `${text.length > 1 ? ',' : ''}${JSON.stringify(name)}:${printJson(value)}`;
  }
  return `${text}}`;
}

/**
 * JSON that stands as text in an attribute, as `convert` wants it read and printed. A text that
 * looks like JSON and is none, or nests too deep, is no error: it stays what it is, text.
 */
export const jsonText = {
  parse(text: string): JsonValue | undefined {
    try {
      return parseJson(text, { depthMax: jsonTextDepthMax });
    } catch (error) {
      if (error instanceof RaybridgeError) return undefined;
      throw error;
    }
  },
  print: printJson,
} as const;

const noMembers: JsonObject = new Map();
const noElements: readonly JsonValue[] = [];

function readValue(reader: JsonReader, made: { values: number }): JsonValue {
  made.values += 1;
  if (made.values > jsonValuesMax) reader.fail(`at most ${jsonValuesMax} values`, 'more');
  switch (reader.peek()) {
    case 'object':
      return readObject(reader, made);
    case 'array':
      return readArray(reader, made);
    case 'string':
      return reader.string();
    case 'number':
      return { literal: reader.number() };
    case 'boolean':
      return reader.boolean();
    case 'null':
      reader.null();
      return null;
    default:
      return reader.fail('a value');
  }
}

function readObject(reader: JsonReader, made: { values: number }): JsonObject {
  if (!reader.beginObject()) return noMembers;
  const members = new Map<string, JsonValue>();
  do members.set(reader.name(), readValue(reader, made));
  while (reader.nextMember());
  return members;
}

function readArray(reader: JsonReader, made: { values: number }): readonly JsonValue[] {
  if (!reader.beginArray()) return noElements;
  const elements: JsonValue[] = [];
  do elements.push(readValue(reader, made));
  while (reader.nextElement());
  return elements;
}

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null' | 'none';

interface JsonReaderOptions {
  /** What the text is, for error messages. */
  readonly format: string;
  /** Objects and arrays inside each other. */
  readonly depthMax: number;
  /** Objects and arrays in all. */
  readonly containersMax: number;
}

/**
 * A cursor. `peek` says what comes, the method of that name reads it; every method refuses what it
 * does not expect. Objects: `if (beginObject()) do { name(); …value… } while (nextMember())`.
 */
export class JsonReader {
  /** The text as UTF-8. */
  readonly bytes: Uint8Array;
  /** Next byte to read. */
  pos = 0;
  private readonly view: DataView;
  private readonly options: JsonReaderOptions;
  private readonly isText: boolean;
  private depth = 0;
  private containers = 0;

  /** @throws RaybridgeError BAD_INPUT when the source is not valid Unicode. */
  constructor(source: Uint8Array | string, options: JsonReaderOptions) {
    this.options = options;
    this.isText = typeof source === 'string';
    if (typeof source === 'string') {
      this.bytes = encoder.encode(source);
      this.view = viewOf(this.bytes);
      const half = halfCharacter.exec(source);
      if (half)
        this.refuse(encoder.encode(source.slice(0, half.index)).length, 'Unicode text', 'half of a surrogate pair');
      return;
    }
    this.bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    this.view = viewOf(source);
    const invalid = isAscii(this.view, 0, source.length) ? -1 : findInvalidUtf8(this.bytes, 0, source.length);
    if (invalid >= 0) this.refuse(invalid, 'UTF-8', `byte 0x${(this.bytes[invalid] ?? 0).toString(16)}`);
  }

  /** What the next value is, by its first byte; `none` at the end or before what starts no value. */
  peek(): JsonKind {
    return kindsByFirstByte[this.skipSpace()] ?? 'none';
  }

  /** False when the object is empty, and then it is read already. */
  beginObject(): boolean {
    return this.begin({ open: openBrace, close: closeBrace, wish: 'an object' });
  }

  /** The name of a member and its colon. */
  name(): string {
    if (this.skipSpace() !== quote) this.fail('a member name');
    const name = this.string();
    if (this.skipSpace() !== colon) this.fail('":"');
    this.pos += 1;
    return name;
  }

  /** After a member's value: is there another member? */
  nextMember(): boolean {
    return this.next(closeBrace, '"," or "}"');
  }

  /** False when the array is empty, and then it is read already. */
  beginArray(): boolean {
    return this.begin({ open: openBracket, close: closeBracket, wish: 'an array' });
  }

  /** After an element: is there another one? */
  nextElement(): boolean {
    return this.next(closeBracket, '"," or "]"');
  }

  string(): string {
    if (this.skipSpace() !== quote) this.fail('a string');
    const start = this.pos + 1;
    const end = this.plainEnd(start);
    if (this.bytes[end] !== quote) return this.escapedString(start, end);
    this.pos = end + 1;
    return decodeText(this.view, start, end);
  }

  /** The literal of a number, as it stands there. */
  number(): string {
    const first = this.skipSpace();
    if (first !== minus && !isDigit(first)) this.fail('a number');
    const start = this.pos;
    this.pos = this.numberEnd(start);
    return decodeText(this.view, start, this.pos);
  }

  boolean(): boolean {
    const first = this.skipSpace();
    if (first === letterT) return this.word('true', true);
    if (first === letterF) return this.word('false', false);
    return this.fail('true or false');
  }

  null(): void {
    if (this.skipSpace() !== letterN) this.fail('null');
    this.word('null', undefined);
  }

  /** Reads a value of any kind and makes nothing of it. */
  skip(): void {
    const kind = this.peek();
    if (kind === 'string') this.skipString();
    else if (kind === 'number') this.pos = this.numberEnd(this.pos);
    else if (kind === 'boolean') this.boolean();
    else if (kind === 'null') this.null();
    else if (kind === 'array') this.skipArray();
    else if (kind === 'object') this.skipObject();
    else this.fail('a value');
  }

  /** Refuses anything after the value. */
  end(): void {
    this.skipSpace();
    if (this.pos < this.bytes.length) this.fail('the end of the text');
  }

  /** Refuses what stands at the cursor, or at another place. */
  fail(wish: string, find?: string, at: number = this.pos): never {
    return this.refuse(at, wish, find ?? describe(this.bytes, at));
  }

  private refuse(at: number, wish: string, find: string): never {
    const unit = this.isText ? 'character' : 'byte';
    const offset = this.isText ? decodeText(this.view, 0, at).length : at;
    const pointer = pointerTo(this.bytes, at);
    const where = `${this.options.format}, ${unit} ${offset}${pointer === '' ? '' : `, at ${pointer}`}`;
    const complaint = `expected ${wish}, got ${find}`;
    throw new RaybridgeError('BAD_INPUT', `${where}: ${complaint}`, { place: { offset, pointer, complaint } });
  }

  private begin(container: { readonly open: number; readonly close: number; readonly wish: string }): boolean {
    if (this.skipSpace() !== container.open) this.fail(container.wish);
    const { depthMax, containersMax } = this.options;
    if (this.depth >= depthMax) this.fail(`at most ${depthMax} levels`, 'more');
    this.containers += 1;
    if (this.containers > containersMax) this.fail(`at most ${containersMax} objects and arrays`, 'more');
    this.pos += 1;
    if (this.skipSpace() === container.close) {
      this.pos += 1;
      return false;
    }
    this.depth += 1;
    return true;
  }

  private next(close: number, wish: string): boolean {
    const byte = this.skipSpace();
    if (byte !== comma && byte !== close) this.fail(wish);
    this.pos += 1;
    if (byte === comma) return true;
    this.depth -= 1;
    return false;
  }

  /** Moves to the next byte that is no white space and returns it; -1 at the end. */
  private skipSpace(): number {
    for (; this.pos < this.bytes.length; this.pos++) {
      const byte = this.bytes[this.pos] ?? 0;
      if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) return byte;
    }
    return -1;
  }

  /** Where the run of characters ends that stand for themselves: at a quote, a backslash or a control character. */
  private plainEnd(start: number): number {
    const { bytes } = this;
    let end = start;
    while (end < bytes.length && endsRun[bytes[end] ?? 0] === 0) end += 1;
    return end;
  }

  /** The rest of a string whose first run ends at `end`, without a quote. */
  private escapedString(start: number, end: number): string {
    let text = decodeText(this.view, start, end);
    this.pos = end;
    while (this.bytes[this.pos] === backslash) {
      text += this.escapes();
      const runEnd = this.plainEnd(this.pos);
      text += decodeText(this.view, this.pos, runEnd);
      this.pos = runEnd;
    }
    this.closeString();
    return text;
  }

  private skipString(): void {
    this.pos = this.plainEnd(this.pos + 1);
    while (this.bytes[this.pos] === backslash) {
      this.escape();
      this.pos = this.plainEnd(this.pos);
    }
    this.closeString();
  }

  private closeString(): void {
    if (this.bytes[this.pos] !== quote) this.fail('the closing quote, with control characters escaped');
    this.pos += 1;
  }

  /** What the escapes stand for that follow each other at the cursor: many at once, because each piece that a text is made of costs. */
  private escapes(): string {
    const first = this.escape();
    if (this.bytes[this.pos] !== backslash) return String.fromCharCode(first);
    const codes = [first];
    while (this.bytes[this.pos] === backslash && codes.length < escapesAtOnceMax) codes.push(this.escape());
    return String.fromCharCode(...codes);
  }

  /** The UTF-16 code unit that the escape at the cursor stands for. */
  private escape(): number {
    const letter = this.bytes[this.pos + 1] ?? 0;
    if (letter === letterU) return this.unicodeEscape();
    const code = escapeCodes.get(letter);
    if (code === undefined) return this.fail('an escape', undefined, this.pos + 1);
    this.pos += 2;
    return code;
  }

  private unicodeEscape(): number {
    let code = 0;
    for (let i = this.pos + 2; i < this.pos + 6; i++) {
      const digit = hexValue(this.bytes[i] ?? 0);
      if (digit < 0) this.fail('four hex digits', undefined, i);
      code = code * 16 + digit;
    }
    this.pos += 6;
    return code;
  }

  private numberEnd(start: number): number {
    const { bytes } = this;
    let i = bytes[start] === minus ? start + 1 : start;
    i = bytes[i] === zero ? i + 1 : this.digitsEnd(i);
    if (bytes[i] === point) i = this.digitsEnd(i + 1);
    if (((bytes[i] ?? 0) | 0x20) !== letterE) return i;
    const sign = bytes[i + 1];
    return this.digitsEnd(sign === minus || sign === plus ? i + 2 : i + 1);
  }

  /** Where the digits end; there must be one. */
  private digitsEnd(start: number): number {
    let i = start;
    while (isDigit(this.bytes[i] ?? 0)) i += 1;
    if (i === start) this.fail('a digit', undefined, start);
    return i;
  }

  private word<Value>(text: string, value: Value): Value {
    for (let i = 0; i < text.length; i++) {
      if (this.bytes[this.pos + i] !== text.charCodeAt(i)) this.fail(text);
    }
    this.pos += text.length;
    return value;
  }

  private skipArray(): void {
    if (!this.beginArray()) return;
    do this.skip();
    while (this.nextElement());
  }

  private skipObject(): void {
    if (!this.beginObject()) return;
    do {
      if (this.skipSpace() !== quote) this.fail('a member name');
      this.skipString();
      if (this.skipSpace() !== colon) this.fail('":"');
      this.pos += 1;
      this.skip();
    } while (this.nextMember());
  }
}

const encoder = new TextEncoder();
/** With the flag `u`, whole pairs do not match. */
const halfCharacter = /\p{Surrogate}/u;

/** 1 for the bytes that do not stand for themselves in a string. */
const endsRun = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === quote || byte === backslash || byte < 0x20 ? 1 : 0,
);

/** A function takes so many arguments on every platform. */
const escapesAtOnceMax = 1000;

const escapeCodes: ReadonlyMap<number, number> = new Map(
  Array.from('"\\/bfnrt', (letter, i) => [letter.charCodeAt(0), '"\\/\b\f\n\r\t'.charCodeAt(i)]),
);

const kindsByFirstByte: readonly (JsonKind | undefined)[] = Array.from({ length: 128 }, (_, byte) => {
  if (byte === openBrace) return 'object';
  if (byte === openBracket) return 'array';
  if (byte === quote) return 'string';
  if (byte === minus || isDigit(byte)) return 'number';
  if (byte === letterT || byte === letterF) return 'boolean';
  return byte === letterN ? 'null' : undefined;
});

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** 0 to 15; -1 for what is no hex digit. */
function hexValue(byte: number): number {
  if (isDigit(byte)) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function describe(bytes: Uint8Array, at: number): string {
  const byte = bytes[at];
  if (byte === undefined) return 'the end of the text';
  const kind = kindsByFirstByte[byte];
  if (kind === 'object' || kind === 'array') return `an ${kind}`;
  if (kind === 'string' || kind === 'number') return `a ${kind}`;
  return byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : `byte 0x${byte.toString(16).padStart(2, '0')}`;
}

/** A pointer longer than this is cut: its names are the sender's. */
const pointerCharactersMax = 200;

/**
 * The JSON pointer (RFC 6901) of the value or member at an offset, found by reading the text again
 * up to there; so only errors pay for it. Text before the offset has been read without complaint.
 */
function pointerTo(bytes: Uint8Array, at: number): string {
  const view = viewOf(bytes);
  const path: { isArray: boolean; token: string; index: number; expectsName: boolean }[] = [];
  for (let i = 0; i < at; i++) {
    const byte = bytes[i] ?? 0;
    const top = path.at(-1);
    if (byte === openBrace) path.push({ isArray: false, token: '', index: 0, expectsName: true });
    else if (byte === openBracket) path.push({ isArray: true, token: '', index: 0, expectsName: false });
    else if (byte === closeBrace || byte === closeBracket) path.pop();
    else if (byte === comma && top) {
      top.index += 1;
      top.expectsName = !top.isArray;
    } else if (byte === quote) {
      const end = stringEnd(bytes, i + 1);
      if (end >= at) break;
      if (top?.expectsName) {
        top.token = decodeText(view, i + 1, end);
        top.expectsName = false;
      }
      i = end;
    }
  }
  const tokens = path
    .filter(({ expectsName }) => !expectsName)
    .map((step) => (step.isArray ? `${step.index}` : escapeToken(step.token)));
  return tokens
    .map((token) => `/${token}`)
    .join('')
    .slice(0, pointerCharactersMax);
}

/** Where the closing quote stands. */
function stringEnd(bytes: Uint8Array, start: number): number {
  let i = start;
  while (i < bytes.length && bytes[i] !== quote) i += bytes[i] === backslash ? 2 : 1;
  return i;
}

function escapeToken(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1');
}
