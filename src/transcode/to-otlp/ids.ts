/**
 * The trace and span ids of a body, to notice that two of its spans have the same: which of them
 * counts is then for `toSpans` to say. A hash table of the 24 bytes themselves, six words each.
 */
export class SpanIds {
  private words = new Int32Array(6 * 1024);
  private count = 0;
  /** Place of an entry plus one, by hash. */
  private table = new Int32Array(4096);

  clear(): void {
    this.count = 0;
    this.table.fill(0);
  }

  /** Adds the id of the 16 bytes at one place and the 8 at another; false when it is there already. */
  add(view: DataView, traceId: number, spanId: number): boolean {
    const slot = this.find(view, traceId, spanId);
    if (this.table[slot] !== 0) return false;
    this.count += 1;
    this.table[slot] = this.count;
    return true;
  }

  has(view: DataView, traceId: number, spanId: number): boolean {
    return this.table[this.find(view, traceId, spanId)] !== 0;
  }

  /** Puts the ids behind those that are there, and finds their slot. */
  private find(view: DataView, traceId: number, spanId: number): number {
    if (6 * (this.count + 1) > this.words.length) this.grow();
    const { words } = this;
    const at = 6 * this.count;
    for (let i = 0; i < 4; i++) words[at + i] = view.getInt32(traceId + 4 * i);
    words[at + 4] = view.getInt32(spanId);
    words[at + 5] = view.getInt32(spanId + 4);
    return this.slotOf(at);
  }

  /** The slot that holds the words at `at`, or the empty one where they belong. */
  private slotOf(at: number): number {
    const { words, table } = this;
    let hash = 0;
    for (let i = 0; i < 6; i++) hash = Math.imul(hash ^ (words[at + i] ?? 0), 0x9e3779b1) ^ (hash >>> 15);
    let slot = (hash ^ (hash >>> 16)) & (table.length - 1);
    for (;;) {
      const found = table[slot] ?? 0;
      if (found === 0 || this.isSame(6 * (found - 1), at)) return slot;
      slot = (slot + 1) & (table.length - 1);
    }
  }

  private isSame(a: number, b: number): boolean {
    const { words } = this;
    for (let i = 0; i < 6; i++) if (words[a + i] !== words[b + i]) return false;
    return true;
  }

  private grow(): void {
    const words = new Int32Array(this.words.length * 2);
    words.set(this.words);
    this.words = words;
    this.table = new Int32Array(this.table.length * 2);
    for (let entry = 0; entry < this.count; entry++) this.table[this.slotOf(6 * entry)] = entry + 1;
  }
}
