/** Versions of rows that replace one another: the time in nanoseconds, but always above those before. */
export interface Versions {
  next(): bigint;
  /** The next is above this one: what is stored already, should the clock have been set back since. */
  exceed(version: bigint): void;
}

export function createVersions(nowNs: () => bigint): Versions {
  let last = 0n;
  return {
    next() {
      const now = nowNs();
      last = now > last ? now : last + 1n;
      return last;
    },
    exceed(version) {
      if (version > last) last = version;
    },
  };
}
