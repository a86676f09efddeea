import { minus, point, zero } from '../../codec/json-bytes.ts';
import type { RangeWriter } from './range-writer.ts';
import { decodeText } from '../../codec/utf8.ts';

/** Literals of a document as numbers, read where they stand: no string, no bigint. */

/** Thrown for a document that the fast path has no rule for; whoever catches it takes the slow one. */
export const unusual = new Error('a document that the fast path has no rule for');

/** `-?\d{1,18}`: such a number always fits int64. */
export function isInteger(bytes: Uint8Array, start: number, end: number): boolean {
  const digits = bytes[start] === minus ? start + 1 : start;
  return end - digits <= 18 && areDigits(bytes, digits, end);
}

/** True for at least one digit and nothing else. */
export function areDigits(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (!isDigit(bytes[i] ?? 0)) return false;
  return end > start;
}

/** Powers of ten that a double holds exactly. */
const powersOfTen = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);
const exactMax = Number.MAX_SAFE_INTEGER;

/**
 * The double nearest to a JSON number literal. Up to 2^53 in digits and 22 in decimals one division
 * of two exact doubles gives it; the rest is for the platform.
 */
export function takeNumber(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start] === minus ? start + 1 : start;
  let digits = 0;
  let decimals = -1;
  for (let i = first; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (isDigit(byte)) {
      digits = digits * 10 + (byte - zero);
      if (digits > exactMax) return Number(textOf(bytes, start, end));
      if (decimals >= 0) decimals += 1;
    } else if (byte === point) decimals = 0;
    else return Number(textOf(bytes, start, end));
  }
  if (decimals > 22) return Number(textOf(bytes, start, end));
  const magnitude = decimals > 0 ? digits / (powersOfTen[decimals] ?? 1) : digits;
  return first > start ? -magnitude : magnitude;
}

/** Hardly any number comes here, so that a view of its own may be made for it. */
function textOf(bytes: Uint8Array, start: number, end: number): string {
  return decodeText(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), start, end);
}

/** Field int_value of AnyValue, of a literal that `isInteger` has passed. */
export function putInt64(writer: RangeWriter, bytes: Uint8Array, start: number, end: number): void {
  if (end - start > 15 || bytes[start] === minus) writer.int64Field(0x18, BigInt(textOf(bytes, start, end)));
  else writer.varintField(0x18, takeNumber(bytes, start, end));
}

/** Nanoseconds since 1970 in two halves, because a double holds no more than 53 bits; filled by the functions below. */
export interface Time {
  high: number;
  low: number;
}

/** Copies a time; a time is a place to write to, not a value. */
export function setTime(target: Time, source: Time): void {
  target.high = source.high;
  target.low = source.low;
}

export function isZero(time: Time): boolean {
  return time.high === 0 && time.low === 0;
}

/** Nanoseconds from one time to the other; exact when they are close, and large when they are not. */
export function distance(a: Time, b: Time): number {
  return Math.abs((a.high - b.high) * 0x1_0000_0000 + (a.low - b.low));
}

/** Seconds in ten digits reach the year 2286; more may pass 64 bits. */
const secondsDigitsMax = 10;

/**
 * The time that a literal of epoch seconds stands for: plain, or as Java prints it, `1.4994E9`.
 * @throws unusual for any other literal: signs, more than nine decimals, which must be rounded.
 */
export function takeSeconds(time: Time, bytes: Uint8Array, start: number, end: number): void {
  let seconds = 0;
  let i = start;
  for (; i < end && isDigit(bytes[i] ?? 0); i++) seconds = seconds * 10 + ((bytes[i] ?? 0) - zero);
  if (i === start || i - start > secondsDigitsMax) throw unusual;
  let nanoseconds = 0;
  let decimals = 0;
  if (bytes[i] === point && i < end) {
    if (end - i > 1 && isJavaExponent(bytes, start, end)) return takeJavaSeconds(time, bytes, start, end);
    for (i += 1; i < end && isDigit(bytes[i] ?? 0); i++, decimals++)
      nanoseconds = nanoseconds * 10 + ((bytes[i] ?? 0) - zero);
  }
  if (i !== end || decimals > 9) throw unusual;
  fromSeconds(time, seconds, nanoseconds * (powersOfTen[9 - decimals] ?? 1));
}

/** `d.ddddE9`, all that Java prints for times of these decades. */
function isJavaExponent(bytes: Uint8Array, start: number, end: number): boolean {
  return bytes[end - 1] === zero + 9 && bytes[end - 2] === 0x45 && bytes[start + 1] === point;
}

function takeJavaSeconds(time: Time, bytes: Uint8Array, start: number, end: number): void {
  let seconds = (bytes[start] ?? 0) - zero;
  let nanoseconds = 0;
  const decimals = end - 2 - (start + 2);
  if (decimals > 18 || !areDigits(bytes, start + 2, end - 2)) throw unusual;
  for (let k = 0; k < 9; k++) seconds = seconds * 10 + (k < decimals ? (bytes[start + 2 + k] ?? 0) - zero : 0);
  for (let k = 9; k < 18; k++) nanoseconds = nanoseconds * 10 + (k < decimals ? (bytes[start + 2 + k] ?? 0) - zero : 0);
  fromSeconds(time, seconds, nanoseconds);
}

/**
 * The time that a text of nanoseconds stands for.
 * @throws unusual for a text of anything but 1 to 19 digits.
 */
export function takeNanoseconds(time: Time, bytes: Uint8Array, start: number, end: number): void {
  if (end - start > 19 || !areDigits(bytes, start, end)) throw unusual;
  const split = Math.max(start, end - 9);
  let seconds = 0;
  let nanoseconds = 0;
  for (let i = start; i < split; i++) seconds = seconds * 10 + ((bytes[i] ?? 0) - zero);
  for (let i = split; i < end; i++) nanoseconds = nanoseconds * 10 + ((bytes[i] ?? 0) - zero);
  fromSeconds(time, seconds, nanoseconds);
}

/** No product here passes 2^53: seconds have 34 bits, a thousand million has 30. */
function fromSeconds(time: Time, seconds: number, nanoseconds: number): void {
  const upper = Math.floor(seconds / 0x1_0000) * 1_000_000_000;
  const lower = (seconds % 0x1_0000) * 1_000_000_000 + nanoseconds;
  const sum = (upper % 0x1_0000) * 0x1_0000 + lower;
  time.high = Math.floor(upper / 0x1_0000) + Math.floor(sum / 0x1_0000_0000);
  time.low = sum % 0x1_0000_0000;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
