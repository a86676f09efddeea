/** Made-up data that is the same for the same seed. */

/** Numbers from 0, all below the bound. */
export type Draw = (below: number) => number;

/** xorshift32. */
export function generator(seed: number): Draw {
  let state = seed * 2_654_435_761 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Hex digits without a zero, so that no id is one. */
export function hex(digits: number, draw: Draw): string {
  return Array.from({ length: digits }, () => (1 + draw(15)).toString(16)).join('');
}

export function pick<T>(list: readonly [T, ...T[]], draw: Draw): T {
  return list[draw(list.length)] ?? list[0];
}
