import type { JsonValue } from '../model/index.ts';
import { isJsonArray, isJsonNumber } from '../model/index.ts';

/**
 * Bytes of a JSON value once it is printed without white space and encoded as UTF-8. X-Ray bounds
 * documents in bytes, and printing each one only to learn that it is small would cost as much again.
 */

/** A control character and half of a surrogate pair are printed as `\u001f`. */
const escapeBytes = 6;

/** At least the size: from the lengths of the texts alone, without looking at their characters. */
export function jsonBytesBound(value: JsonValue): number {
  return measure(value, (text) => text.length * escapeBytes + 2);
}

/** More than allowed when the size is, and not when it is not: only texts of large values are looked at. */
export function jsonBytesWithin(value: JsonValue, bytesMax: number): number {
  if (bytesMax === Number.POSITIVE_INFINITY) return 0;
  const bound = jsonBytesBound(value);
  return bound <= bytesMax ? bound : jsonBytes(value);
}

/** The size. */
export function jsonBytes(value: JsonValue): number {
  return measure(value, textBytes);
}

function measure(value: JsonValue, measureText: (text: string) => number): number {
  if (typeof value === 'string') return measureText(value);
  if (value === null || value === true) return 4;
  if (value === false) return 5;
  if (isJsonNumber(value)) return value.literal.length;
  // Brackets, and a comma after all elements but the last.
  let bytes = 1 + Math.max(isJsonArray(value) ? value.length : value.size, 1);
  if (isJsonArray(value)) for (const element of value) bytes += measure(element, measureText);
  else for (const [name, inner] of value) bytes += measureText(name) + 1 + measure(inner, measureText);
  return bytes;
}

function textBytes(text: string): number {
  let bytes = text.length + 2;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x20 && unit < 0x80) {
      if (unit === quote || unit === backslash) bytes += 1;
    } else if (unit < 0x20) bytes += shortEscapes.has(unit) ? 1 : escapeBytes - 1;
    else if (unit < 0x800) bytes += 1;
    else if (unit < 0xd800 || unit > 0xdfff) bytes += 2;
    else if (isPair(unit, text.charCodeAt(i + 1))) {
      // Two units, four bytes.
      bytes += 2;
      i += 1;
    } else bytes += escapeBytes - 1;
  }
  return bytes;
}

const quote = 0x22;
const backslash = 0x5c;
/** \b \t \n \f \r */
const shortEscapes: ReadonlySet<number> = new Set([0x08, 0x09, 0x0a, 0x0c, 0x0d]);

/** The code at the end of the text is NaN, which is no low half. */
function isPair(high: number, low: number): boolean {
  return high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff;
}
