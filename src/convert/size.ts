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

/** Short texts are mostly plain; of others the engine is faster at both steps than a loop over the characters. */
function textBytes(text: string): number {
  if (text.length < 100 && plainPattern.test(text)) return text.length + 2;
  return encoder.encode(JSON.stringify(text)).length;
}

/** One byte each, printed as they are. */
const plainPattern = /^[ !#-[\]-~]*$/;
const encoder = new TextEncoder();
