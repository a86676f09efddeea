/**
 * 64 bits of a text as 16 hex digits: two lanes in the manner of FNV-1a over UTF-16 code units, with
 * different primes, each finished with the mixer of MurmurHash3. The same text gives the same digits in every process and version.
 * It spreads well and keeps nothing secret; never use it where somebody may gain by a collision.
 */
export function hashText(text: string): string {
  let high = 0x811c9dc5;
  let low = 0x5bd1e995;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 0x01000193);
    low = Math.imul(low ^ unit, 0x9e3779b1);
  }
  return `${hex(mix(high))}${hex(mix(low ^ high))}`;
}

function mix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}
