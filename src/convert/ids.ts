/**
 * Ids that nobody sent, made from what was sent, so that a repeated conversion makes the same ones
 * and a retry duplicates nothing. The hash is 64-bit FNV-1a over UTF-16 code units: pure, small,
 * and wide enough to be unique within a trace; it protects against nothing else.
 */

/** 16 lower-case hex digits, never all zero. */
export function derivedId(...parts: readonly string[]): string {
  const id = fingerprint(parts.join('\n'));
  return id === '0000000000000000' ? '0000000000000001' : id;
}

/** 16 lower-case hex digits of any text; tells whether a value is still the one it was. */
export function fingerprint(text: string): string {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (let i = 0; i < text.length; i++) {
    low = (low ^ text.charCodeAt(i)) >>> 0;
    // Times the FNV prime 2^40 + 0x1b3, modulo 2^64, in two halves: no product passes 2^53.
    const product = low * 0x1b3;
    high = (Math.imul(high, 0x1b3) + Math.floor(product / 0x1_0000_0000) + (low << 8)) >>> 0;
    low = product >>> 0;
  }
  return hex(high) + hex(low);
}

function hex(half: number): string {
  return half.toString(16).padStart(8, '0');
}
