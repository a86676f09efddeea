import { createHash } from 'node:crypto';

/** Numbers from 0 to below 1, the same ones for the same seed: mulberry32 over a hash of it. */
export function seededRandom(seed: string): () => number {
  let state = createHash('md5').update(seed).digest().readUInt32LE();
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
