import { decodeText } from './utf8.ts';

/**
 * Reading and writing the protobuf wire format (protobuf.dev, "Encoding"), as much as OTLP and
 * google.rpc.Status need. A tag is a field number times 8 plus the wire type: 0 varint, 1 eight
 * bytes, 2 bytes with a length, 5 four bytes. Of a field that may stand once, the last one counts,
 * nested messages included, because a reader's last assignment wins.
 */

/**
 * The same memory as a plain Uint8Array: Node's Buffer is a subclass whose `slice` does not copy,
 * and a loop that sees both classes is slower.
 */
export function plainView(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A cursor over bytes that `checkMessage` has passed. Every method reads at `pos` and moves on. */
export class ProtoReader {
  readonly bytes: Uint8Array;
  pos = 0;
  private readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = plainView(bytes);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Field number times 8 plus wire type. */
  tag(): number {
    return this.varint();
  }

  /** End of the message whose length stands here. */
  messageEnd(): number {
    const length = this.varint();
    return this.pos + length;
  }

  /** Exact to 2^53: for tags, lengths and 32-bit fields. */
  varint(): number {
    const first = this.view.getUint8(this.pos++);
    if (first < 0x80) return first;
    let value = first & 0x7f;
    let scale = 128;
    for (;;) {
      const byte = this.view.getUint8(this.pos++);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  /** The low 32 bits of a varint, as the format asks of 32-bit fields. */
  uint32(): number {
    const start = this.pos;
    const value = this.varint();
    if (value <= 0xffff_ffff) return value;
    this.pos = start;
    return Number(BigInt.asUintN(32, this.int64()));
  }

  int32(): number {
    return this.uint32() | 0;
  }

  bool(): boolean {
    return this.int64() !== 0n;
  }

  int64(): bigint {
    const start = this.pos;
    const value = this.varint();
    if (this.pos - start < 8) return BigInt(value);
    this.pos = start;
    return this.longInt64();
  }

  /** A varint of eight or more bytes, as three numbers that a double holds exactly. */
  private longInt64(): bigint {
    const parts: [number, number, number] = [0, 0, 0];
    for (let group = 0; ; group++) {
      const byte = this.view.getUint8(this.pos++);
      const bits = (byte & 0x7f) << (7 * (group % 4));
      if (group < 4) parts[0] |= bits;
      else if (group < 8) parts[1] |= bits;
      else parts[2] |= bits;
      if (byte < 0x80) break;
    }
    return BigInt.asIntN(64, (BigInt(parts[2]) << 56n) | (BigInt(parts[1]) << 28n) | BigInt(parts[0]));
  }

  fixed32(): number {
    const value = this.view.getUint32(this.pos, true);
    this.pos += 4;
    return value;
  }

  fixed64(): bigint {
    const value = this.view.getBigUint64(this.pos, true);
    this.pos += 8;
    return value;
  }

  double(): number {
    const value = this.view.getFloat64(this.pos, true);
    this.pos += 8;
    return value;
  }

  text(): string {
    const end = this.messageEnd();
    const text = decodeText(this.view, this.pos, end);
    this.pos = end;
    return text;
  }

  /** 32 hex digits; undefined unless the field holds 16 bytes that are not all zero. */
  traceId(): string | undefined {
    const end = this.messageEnd();
    const at = this.pos;
    this.pos = end;
    if (end - at !== 16) return undefined;
    const id = hexOfEight(this.view, at) + hexOfEight(this.view, at + 8);
    return id === zeroTraceId ? undefined : id;
  }

  /** 16 hex digits; undefined unless the field holds 8 bytes that are not all zero. */
  spanId(): string | undefined {
    const end = this.messageEnd();
    const at = this.pos;
    this.pos = end;
    if (end - at !== 8) return undefined;
    const id = hexOfEight(this.view, at);
    return id === zeroSpanId ? undefined : id;
  }

  /** A copy, so that a kept value does not keep the whole request. */
  blob(): Uint8Array {
    const end = this.messageEnd();
    const blob = this.bytes.slice(this.pos, end);
    this.pos = end;
    return blob;
  }

  /** Skips the value of a field that the caller does not know. */
  skip(tag: number): void {
    const wireType = tag & 7;
    if (wireType === 0) this.varint();
    else if (wireType === 1) this.pos += 8;
    else if (wireType === 5) this.pos += 4;
    else this.pos = this.messageEnd();
  }
}

const zeroSpanId = '0'.repeat(16);
const zeroTraceId = '0'.repeat(32);
const hexDigits = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));

/** The hex digits of the 8 bytes at `at`. One call with all the codes takes 29 ns, half of any other way. */
function hexOfEight(view: DataView, at: number): string {
  const high = view.getUint32(at);
  const low = view.getUint32(at + 4);
  return String.fromCharCode(
    hexDigit(high >>> 28),
    hexDigit(high >>> 24),
    hexDigit(high >>> 20),
    hexDigit(high >>> 16),
    hexDigit(high >>> 12),
    hexDigit(high >>> 8),
    hexDigit(high >>> 4),
    hexDigit(high),
    hexDigit(low >>> 28),
    hexDigit(low >>> 24),
    hexDigit(low >>> 20),
    hexDigit(low >>> 16),
    hexDigit(low >>> 12),
    hexDigit(low >>> 8),
    hexDigit(low >>> 4),
    hexDigit(low),
  );
}

function hexDigit(bits: number): number {
  return hexDigits[bits & 15] ?? 0;
}

const smallestBuffer = 1024;

/** Texts up to this length are written character by character, longer ones by TextEncoder. */
const looseTextMax = 48;

const encoder = new TextEncoder();

/**
 * Writes one message into a buffer that doubles when full. The length of an inner message stands
 * before it and is known after it: `begin` leaves room for a guess, `end` moves the content when
 * the guess was wrong.
 */
export class ProtoWriter {
  protected bytes: Uint8Array<ArrayBuffer>;
  protected view: DataView;
  protected pos = 0;

  /** `sizeBytes` is what will be written, as far as it is known. */
  constructor(sizeBytes = smallestBuffer) {
    this.bytes = new Uint8Array(sizeBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  /** What was written. The writer must not be used after it. */
  finish(): Uint8Array {
    return this.bytes.subarray(0, this.pos);
  }

  /** Starts an inner message; `lengthBytes` is the usual size of its length. Returns a mark for `end`. */
  begin(tag: number, lengthBytes: number): number {
    this.varint(tag);
    this.reserve(lengthBytes);
    this.pos += lengthBytes;
    return this.pos;
  }

  end(mark: number, lengthBytes: number): void {
    const length = this.pos - mark;
    const needed = varintSize(length);
    if (needed !== lengthBytes) {
      this.reserve(needed);
      this.bytes.copyWithin(mark - lengthBytes + needed, mark, this.pos);
    }
    this.pos = mark - lengthBytes;
    this.varint(length);
    this.pos += length;
  }

  /** A varint of up to 53 bits. */
  varint(value: number): void {
    this.reserve(10);
    // Tags and most lengths are one byte or two; larger numbers may have more bits than the operators below.
    if (value < 0x80) {
      this.bytes[this.pos++] = value;
      return;
    }
    if (value < 0x4000) {
      this.bytes[this.pos++] = value | 0x80;
      this.bytes[this.pos++] = value >>> 7;
      return;
    }
    let rest = value;
    while (rest > 0x7f) {
      this.bytes[this.pos++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.pos++] = rest;
  }

  varintField(tag: number, value: number): void {
    this.varint(tag);
    this.varint(value);
  }

  /** An enum or int32: negative values take ten bytes, as the format wants. */
  int32Field(tag: number, value: number): void {
    if (value >= 0) this.varintField(tag, value);
    else this.int64Field(tag, BigInt(value));
  }

  /** Values outside int64 wrap. */
  int64Field(tag: number, value: bigint): void {
    this.varint(tag);
    if (value >= 0n && value <= 0x1f_ffff_ffff_ffffn) return this.varint(Number(value));
    let rest = BigInt.asUintN(64, value);
    this.reserve(10);
    while (rest > 0x7fn) {
      this.bytes[this.pos++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.bytes[this.pos++] = Number(rest);
  }

  fixed32Field(tag: number, value: number): void {
    this.varint(tag);
    this.reserve(4);
    this.view.setUint32(this.pos, value, true);
    this.pos += 4;
  }

  /** Values outside 64 bits wrap. */
  fixed64Field(tag: number, value: bigint): void {
    this.varint(tag);
    this.reserve(8);
    this.view.setBigUint64(this.pos, value, true);
    this.pos += 8;
  }

  doubleField(tag: number, value: number): void {
    this.varint(tag);
    this.reserve(8);
    this.view.setFloat64(this.pos, value, true);
    this.pos += 8;
  }

  blobField(tag: number, value: Uint8Array): void {
    this.varint(tag);
    this.varint(value.length);
    this.reserve(value.length);
    this.bytes.set(value, this.pos);
    this.pos += value.length;
  }

  /** Bytes given as hex digits, two a byte. */
  hexField(tag: number, digits: string): void {
    const length = digits.length >>> 1;
    this.varint(tag);
    this.varint(length);
    this.reserve(length);
    for (let i = 0; i < length; i++) {
      this.bytes[this.pos++] = (hexValue(digits.charCodeAt(2 * i)) << 4) | hexValue(digits.charCodeAt(2 * i + 1));
    }
  }

  /** UTF-8; a lone surrogate, which UTF-8 cannot hold, becomes U+FFFD. */
  textField(tag: number, value: string): void {
    this.varint(tag);
    if (value.length > looseTextMax || !this.asciiText(value)) this.encodedText(value);
  }

  /** Writes a short text that is all ASCII; otherwise leaves no trace and says no. */
  private asciiText(value: string): boolean {
    const length = value.length;
    this.reserve(length + 1);
    const { bytes, pos } = this;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return false;
      bytes[pos + 1 + i] = code;
    }
    bytes[pos] = length;
    this.pos = pos + 1 + length;
    return true;
  }

  private encodedText(value: string): void {
    const guess = varintSize(value.length);
    this.reserve(10 + value.length * 3);
    const mark = this.pos + guess;
    this.pos = mark + encoder.encodeInto(value, this.bytes.subarray(mark)).written;
    this.end(mark, guess);
  }

  protected reserve(count: number): void {
    const needed = this.pos + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

export function varintSize(value: number): number {
  if (value < 0x4000) return value < 0x80 ? 1 : 2;
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

/** 0 to 15 for a lower-case or upper-case hex digit. */
export function hexValue(code: number): number {
  return code <= 0x39 ? code - 0x30 : (code | 0x20) - 0x57;
}
