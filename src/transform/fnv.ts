/** Fowler-Noll-Vo hashes, variant 1a (draft-eastlake-fnv), as the Collector's samplers use them. */

const prime32 = 0x0100_0193;

/** 32 bits of the bytes, unsigned. */
export function fnv32a(...parts: readonly Uint8Array[]): number {
  let hash = 0x811c_9dc5;
  for (const bytes of parts) for (const byte of bytes) hash = Math.imul(hash ^ byte, prime32);
  return hash >>> 0;
}

const prime64 = 0x0000_0100_0000_01b3n;

/** 64 bits of the bytes, unsigned. */
export function fnv64a(...parts: readonly Uint8Array[]): bigint {
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (const bytes of parts) for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * prime64);
  return hash;
}
