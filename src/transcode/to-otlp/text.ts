import {
  backslash,
  closeBrace,
  closeBracket,
  colon,
  comma,
  letterU,
  openBrace,
  openBracket,
  quote,
  zero,
} from '../../codec/json-bytes.ts';
import type { DocumentIndex } from './document-index.ts';
import { Kind } from './document-index.ts';
import { unusual } from './literals.ts';
import { nameBytes, nameStarts } from './names.ts';

/** JSON text of values of a document, made behind the body, as `printJson` of `codec/json.ts` prints them. */

/** The value of an entry, without white space. */
export function appendJson(index: DocumentIndex, entry: number): void {
  const start = index.starts[entry] ?? 0;
  const end = index.ends[entry] ?? 0;
  switch (index.kinds[entry]) {
    case Kind.object:
      return appendObject(index, entry);
    case Kind.array:
      return appendArray(index, entry);
    case Kind.text:
      return appendQuoted(index, index.bytes, start, end);
    case Kind.known:
      throw unusual;
    default:
      return index.append(index.bytes, start, end);
  }
}

export function appendBytes(index: DocumentIndex, bytes: Uint8Array): void {
  index.append(bytes, 0, bytes.length);
}

function appendObject(index: DocumentIndex, object: number): void {
  index.appendByte(openBrace);
  const end = index.nexts[object] ?? 0;
  for (let entry = object + 1; entry < end; entry = index.nexts[entry] ?? 0) {
    if (entry > object + 1) index.appendByte(comma);
    appendName(index, index.names[entry] ?? 0);
    appendJson(index, entry);
  }
  index.appendByte(closeBrace);
}

/** A member name and its colon. */
export function appendName(index: DocumentIndex, name: number): void {
  appendQuoted(index, nameBytes, nameStarts[name] ?? 0, nameStarts[name + 1] ?? 0);
  index.appendByte(colon);
}

function appendArray(index: DocumentIndex, array: number): void {
  index.appendByte(openBracket);
  const end = index.nexts[array] ?? 0;
  for (let entry = array + 1; entry < end; entry = index.nexts[entry] ?? 0) {
    if (entry > array + 1) index.appendByte(comma);
    appendJson(index, entry);
  }
  index.appendByte(closeBracket);
}

/** A text in quotes, with the escapes that `JSON.stringify` writes. */
export function appendQuoted(index: DocumentIndex, source: Uint8Array, start: number, end: number): void {
  index.appendByte(quote);
  let from = start;
  for (let i = start; i < end; i++) {
    const byte = source[i] ?? 0;
    if (byte >= 0x20 && byte !== quote && byte !== backslash) continue;
    index.append(source, from, i);
    appendEscape(index, byte);
    from = i + 1;
  }
  index.append(source, from, end);
  index.appendByte(quote);
}

function appendEscape(index: DocumentIndex, byte: number): void {
  index.appendByte(backslash);
  const letter = letters[byte] ?? 0;
  if (letter !== 0) return index.appendByte(letter);
  index.appendByte(letterU);
  index.appendByte(zero);
  index.appendByte(zero);
  index.appendByte(zero + (byte >> 4));
  index.appendByte((byte & 15) < 10 ? zero + (byte & 15) : letterA + (byte & 15) - 10);
}

const letterA = 0x61;

/** The letter of a short escape, by the character it stands for; 0 where there is none. */
const letters = new Uint8Array(0x60);
for (const [character, letter] of ['""', '\\\\', '\bb', '\ff', '\nn', '\rr', '\tt'].map(
  (pair) => [pair.charCodeAt(0), pair.charCodeAt(1)] as const,
))
  letters[character] = letter;
