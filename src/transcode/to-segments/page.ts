/**
 * One block of memory that holds the request, a scratch area and the documents made of it, so that
 * text moves from one to the other without an object in between: every text is a range of offsets.
 *
 * Whoever writes reserves room first, for all that one span can become; the writing methods do not
 * check. They are flat loops on purpose: at a few bytes a call they cost less than any copy
 * function of the platform (a `subarray` and `set` take 60 ns, as much as 50 bytes of the loop).
 */

const encoder = new TextEncoder();

/** ASCII text as bytes, for `put`. */
export function literal(text: string): Uint8Array {
  return encoder.encode(text);
}

/** 0 for bytes that stand for themselves in a JSON string, else the letter of the escape; `u` for `\u00..`. */
const escapes = new Uint8Array(256);
for (let code = 0; code < 0x20; code++) escapes[code] = 0x75;
for (const [character, letter] of ['""', '\\\\', '\bb', '\ff', '\nn', '\rr', '\tt'])
  escapes[(character ?? '').charCodeAt(0)] = (letter ?? '').charCodeAt(0);

const hexDigits = literal('0123456789abcdef');

/** Texts longer than this are copied by the platform when nothing in them is escaped. */
const loopBytesMax = 64;

/** Constant texts that restored attributes refer to; they stand at the start of every page. */
const constants = literal('aws-apiaws.dynamodbaws_sqsaws_sns');
export const awsApi = { start: 0, end: 7 } as const;
export const awsDynamoDb = { start: 7, end: 19 } as const;
export const awsSqs = { start: 19, end: 26 } as const;
export const awsSns = { start: 26, end: 33 } as const;

/** Memory that one large request needed is not kept for the small ones after it. */
const bytesKept = 16 * 1024 * 1024;

/** For names and URLs put together; a longer one is not usual. */
const scratchBytes = 8192;

export class Page {
  bytes = new Uint8Array(1 << 16);
  view = new DataView(this.bytes.buffer);
  /** Where the next byte of a document goes. */
  pos = 0;
  /** Where the next byte of the scratch area goes. */
  scratch = 0;
  scratchEnd = 0;
  /** Where the request begins. */
  readonly requestStart = constants.length;
  private scratchStart = 0;

  /** Takes in a request; what was on the page is gone. */
  open(request: Uint8Array): void {
    this.scratchStart = this.requestStart + request.length;
    this.scratchEnd = this.scratchStart + scratchBytes;
    this.pos = this.scratchEnd;
    const needed = this.pos + 4 * request.length;
    const isTooLarge = this.bytes.length > Math.max(needed, bytesKept);
    if (this.bytes.length < needed || isTooLarge) this.replace(new Uint8Array(needed));
    this.bytes.set(constants);
    this.bytes.set(request, this.requestStart);
  }

  /** A copy of the ranges, one behind the other: pairs of start and end. */
  gatherRanges(ranges: readonly number[]): Uint8Array {
    let length = 0;
    for (let i = 0; i < ranges.length; i += 2) length += (ranges[i + 1] ?? 0) - (ranges[i] ?? 0);
    const gathered = new Uint8Array(length);
    let end = 0;
    for (let i = 0; i < ranges.length;) {
      const start = ranges[i] ?? 0;
      let stop = ranges[i + 1] ?? 0;
      // Neighbours are one copy.
      for (i += 2; ranges[i] === stop; i += 2) stop = ranges[i + 1] ?? 0;
      gathered.set(this.bytes.subarray(start, stop), end);
      end += stop - start;
    }
    return gathered;
  }

  clearScratch(): void {
    this.scratch = this.scratchStart;
  }

  reserve(count: number): void {
    const needed = this.pos + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.pos));
    this.replace(grown);
  }

  private replace(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  byte(code: number): void {
    this.bytes[this.pos++] = code;
  }

  put(text: Uint8Array): void {
    const { bytes, pos } = this;
    if (text.length > loopBytesMax) bytes.set(text, pos);
    else for (let i = 0; i < text.length; i++) bytes[pos + i] = text[i] ?? 0;
    this.pos = pos + text.length;
  }

  /** A text of any characters, unescaped. Reserves for itself. */
  putText(text: string): void {
    this.reserve(text.length * 3);
    this.pos += encoder.encodeInto(text, this.bytes.subarray(this.pos)).written;
  }

  /** ASCII only. */
  ascii(text: string): void {
    const { bytes } = this;
    for (let i = 0; i < text.length; i++) bytes[this.pos++] = text.charCodeAt(i);
  }

  /** The range as a JSON string (RFC 8259, section 7), escaped as `JSON.stringify` does. */
  text(start: number, end: number): void {
    this.bytes[this.pos++] = 0x22;
    this.escaped(start, end);
    this.bytes[this.pos++] = 0x22;
  }

  private escaped(start: number, end: number): void {
    const { bytes } = this;
    let from = start;
    if (end - start > loopBytesMax) {
      while (from < end && escapes[bytes[from] ?? 0] === 0) from++;
      bytes.copyWithin(this.pos, start, from);
      this.pos += from - start;
    }
    let pos = this.pos;
    for (let i = from; i < end; i++) {
      const code = bytes[i] ?? 0;
      const letter = escapes[code] ?? 0;
      if (letter === 0) bytes[pos++] = code;
      else {
        bytes[pos++] = 0x5c;
        bytes[pos++] = letter;
        if (letter === 0x75) {
          bytes[pos++] = 0x30;
          bytes[pos++] = 0x30;
          bytes[pos++] = hexDigits[code >>> 4] ?? 0;
          bytes[pos++] = hexDigits[code & 15] ?? 0;
        }
      }
    }
    this.pos = pos;
  }

  /** Two lower-case digits for each byte of the range. */
  hex(start: number, end: number): void {
    const { bytes } = this;
    let { pos } = this;
    for (let i = start; i < end; i++) {
      const code = bytes[i] ?? 0;
      bytes[pos++] = hexDigits[code >>> 4] ?? 0;
      bytes[pos++] = hexDigits[code & 15] ?? 0;
    }
    this.pos = pos;
  }

  /** A whole number up to 2^53. */
  integer(value: number): void {
    if (value < 10) {
      this.bytes[this.pos++] = 0x30 + value;
      return;
    }
    let size = 1;
    for (let bound = 10; bound <= value; bound *= 10) size++;
    this.digits(value, size);
  }

  /** The last digits of a whole number, with leading zeros. */
  digits(value: number, size: number): void {
    const { bytes, pos } = this;
    let rest = value;
    for (let i = pos + size - 1; i >= pos; i--) {
      const next = Math.floor(rest / 10);
      bytes[i] = 0x30 + (rest - next * 10);
      rest = next;
    }
    this.pos = pos + size;
  }

  /** Copies a range to the scratch area; false when there is no room. */
  gather(start: number, end: number): boolean {
    if (this.scratch + end - start > this.scratchEnd) return false;
    const { bytes } = this;
    for (let i = start; i < end; i++) bytes[this.scratch++] = bytes[i] ?? 0;
    return true;
  }

  /** The same for ASCII: constants and numbers. */
  gatherAscii(text: string): boolean {
    if (this.scratch + text.length > this.scratchEnd) return false;
    for (let i = 0; i < text.length; i++) this.bytes[this.scratch++] = text.charCodeAt(i);
    return true;
  }

  /** The same for a text of any characters. */
  gatherText(text: string): boolean {
    if (this.scratch + text.length * 3 > this.scratchEnd) return false;
    this.scratch += encoder.encodeInto(text, this.bytes.subarray(this.scratch, this.scratchEnd)).written;
    return true;
  }

  same(start: number, end: number, otherStart: number, otherEnd: number): boolean {
    if (end - start !== otherEnd - otherStart) return false;
    const { bytes } = this;
    const shift = otherStart - start;
    for (let i = start; i < end; i++) if (bytes[i] !== bytes[i + shift]) return false;
    return true;
  }
}
