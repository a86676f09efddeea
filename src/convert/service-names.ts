/**
 * Which service each X-Ray document belongs to. A subsegment that is sent alone names what it
 * called, never who called it; that is the name of the segment above it, which came earlier or comes
 * with it. The caller owns the memory, so that it lives as long as its stream of documents.
 */
export interface ServiceNames {
  /** The service of the segment or subsegment, when it was seen recently. */
  get(traceId: string, spanId: string): string | undefined;
  set(traceId: string, spanId: string, name: string): void;
}

/** A memory of the last `entriesMax` documents; what was neither set nor asked for longest is forgotten. */
export function createServiceNames({ entriesMax = 10_000 }: { readonly entriesMax?: number } = {}): ServiceNames {
  // A Map remembers the order of insertion: the first key is the oldest.
  const names = new Map<string, string>();
  const touch = (key: string, name: string): void => {
    names.delete(key);
    names.set(key, name);
  };
  return {
    get(traceId, spanId) {
      const key = traceId + spanId;
      const name = names.get(key);
      if (name !== undefined) touch(key, name);
      return name;
    },
    set(traceId, spanId, name) {
      touch(traceId + spanId, name);
      if (names.size <= entriesMax) return;
      const [oldest] = names.keys();
      if (oldest !== undefined) names.delete(oldest);
    },
  };
}
