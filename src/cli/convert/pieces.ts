import { Readable, pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';

/**
 * The bytes of a file taken apart into pieces that are converted one by one, in bounded memory
 * however large the file is.
 *
 * A piece of JSON is a line, as in NDJSON. A line that leaves brackets open goes on in the lines
 * after it, as pretty-printed JSON does. Brackets and strings are all that is looked at here, so a
 * bad line costs itself and not its neighbours.
 */
export type Piece =
  | { readonly kind: 'json'; readonly bytes: Uint8Array; readonly line: number }
  | { readonly kind: 'proto'; readonly bytes: Uint8Array }
  /** More than `pieceBytesMax`; it was skipped. The line is that of its start, undefined in protobuf. */
  | { readonly kind: 'too large'; readonly line: number | undefined };

/** What is held in memory of a file, and converted at once. */
export const pieceBytesMax = 64 * 1024 * 1024;

/** Unpacks gzip and tells protobuf from JSON by the first bytes. */
export async function* readPieces(file: AsyncIterable<Uint8Array>): AsyncGenerator<Piece> {
  const stored = await peek(file, gzipMark.length);
  const plain = await peek(isGzip(stored.head) ? unpack(stored.chunks) : stored.chunks, decisiveBytes);
  if (isBinary(plain.head)) yield await readWhole(plain.chunks);
  else yield* splitTexts(plain.chunks);
}

const gzipMark = [0x1f, 0x8b] as const;

function isGzip(head: Uint8Array): boolean {
  return gzipMark.every((byte, i) => head[i] === byte);
}

function unpack(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const gunzip = createGunzip();
  // Whoever reads from it is told of an error of either stream.
  pipeline(Readable.from(chunks), gunzip, () => {});
  return gunzip;
}

/** Enough for the first attribute of a resource, behind which protobuf has a control character. */
const decisiveBytes = 256;

/**
 * JSON holds no control characters but white space. OTLP in protobuf always does: the tag of
 * `scope_spans` and of every attribute's value is 0x12, the length of a trace id 0x10.
 */
function isBinary(head: Uint8Array): boolean {
  return head.some((byte) => byte < 0x20 && byte !== tab && byte !== newline && byte !== carriageReturn);
}

interface Peeked {
  /** At least as many bytes as asked for, unless there are no more. */
  readonly head: Uint8Array;
  /** All of them, the head included. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

async function peek(source: AsyncIterable<Uint8Array>, bytes: number): Promise<Peeked> {
  const rest = source[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  for (let length = 0; length < bytes;) {
    const next = await rest.next();
    if (next.done) break;
    first.push(next.value);
    length += next.value.length;
  }
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield* first;
    yield* { [Symbol.asyncIterator]: () => rest };
  }
  return { head: Buffer.concat(first), chunks: chunks() };
}

async function readWhole(chunks: AsyncIterable<Uint8Array>): Promise<Piece> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.length;
    if (length > pieceBytesMax) return { kind: 'too large', line: undefined };
  }
  return { kind: 'proto', bytes: Buffer.concat(parts) };
}

async function* splitTexts(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Piece> {
  const splitter = new TextSplitter();
  for await (const chunk of chunks) yield* splitter.take(chunk);
  yield* splitter.finish();
}

/** A cursor over chunks. It looks at each byte once, and copies a piece only when it came in several chunks. */
class TextSplitter {
  private parts: Uint8Array[] = [];
  private length = 0;
  private line = 1;
  private startLine = 1;
  private depth = 0;
  private isInString = false;
  private isEscaped = false;
  private isLineStart = true;
  /** Bytes of the first line of the piece that are no white space: 0, 1, or 2 for more. */
  private openingBytes = 0;
  private startsWithBrace = false;

  *take(chunk: Uint8Array): Generator<Piece> {
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] ?? 0;
      if (this.isInString && byte !== newline) {
        this.passInString(byte);
        continue;
      }
      if (byte === newline) {
        // A string cannot hold a newline, so the piece is broken and ends here.
        const isEnd = this.depth <= 0 || this.isInString;
        this.line += 1;
        this.isLineStart = true;
        if (!isEnd) continue;
        yield* this.cut(chunk.subarray(start, i));
        start = i + 1;
        continue;
      }
      if (this.isLineStart && byte === openBrace && this.isCutOff()) {
        yield* this.cut(chunk.subarray(start, i));
        start = i;
      }
      this.isLineStart = false;
      this.pass(byte);
    }
    this.keep(chunk.subarray(start));
  }

  *finish(): Generator<Piece> {
    yield* this.cut(new Uint8Array());
  }

  /**
   * True when an object at the start of a line cannot belong to the piece before it: a line of
   * NDJSON that was cut off. A pretty-printed object, by contrast, has its brace in a line alone.
   */
  private isCutOff(): boolean {
    return this.depth > 0 && this.startsWithBrace && this.openingBytes > 1;
  }

  private passInString(byte: number): void {
    if (this.isEscaped) this.isEscaped = false;
    else if (byte === backslash) this.isEscaped = true;
    else if (byte === quote) this.isInString = false;
  }

  private pass(byte: number): void {
    if (byte <= 0x20) return;
    if (this.openingBytes === 0) this.startsWithBrace = byte === openBrace;
    if (this.openingBytes < 2 && this.line === this.startLine) this.openingBytes += 1;
    if (byte === quote) this.isInString = true;
    else if (byte === openBrace || byte === openBracket) this.depth += 1;
    else if (byte === closeBrace || byte === closeBracket) this.depth -= 1;
  }

  private keep(part: Uint8Array): void {
    this.length += part.length;
    if (this.length > pieceBytesMax) this.parts = [];
    else this.parts.push(part);
  }

  /** Gives out what was kept and the last part of it, unless all of it is white space; starts anew. */
  private *cut(last: Uint8Array): Generator<Piece> {
    this.keep(last);
    if (this.length > pieceBytesMax) yield { kind: 'too large', line: this.startLine };
    else if (this.openingBytes > 0) yield { kind: 'json', bytes: trimEnd(joined(this.parts)), line: this.startLine };
    this.parts = [];
    this.length = 0;
    this.depth = 0;
    this.isInString = false;
    this.isEscaped = false;
    this.openingBytes = 0;
    this.startLine = this.line;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only, ...more] = parts;
  return only && more.length === 0 ? only : Buffer.concat(parts);
}

/** Without the white space at its end, so that the end of a broken piece is in its own last line. */
function trimEnd(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] ?? 0) <= 0x20) end -= 1;
  return bytes.subarray(0, end);
}

const tab = 0x09;
const newline = 0x0a;
const carriageReturn = 0x0d;
const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
