/**
 * What certain bytes stand for, remembered. The part of a document that makes the resource is the
 * same bytes in every document of one service, so its meaning is found once, on the slow path, and
 * afterwards by comparing bytes. Nothing is taken on trust: a hash only says where to look.
 */

/** Several ranges of one buffer, collected to be looked up together. */
export class RangeKey {
  /** What the ranges are of. */
  kind = 0;
  count = 0;
  readonly starts = new Int32Array(rangesMax);
  readonly ends = new Int32Array(rangesMax);
  /** What each range is, so that equal bytes in another place are another key. */
  readonly parts = new Uint8Array(rangesMax);
  sizeBytes = 0;
  hash = 0;

  clear(kind: number): void {
    this.kind = kind;
    this.count = 0;
    this.sizeBytes = 0;
    this.hash = kind;
  }

  /** Adds `bytes[start, end)`; one that goes on from the last becomes one with it. False when there are too many. */
  add(part: number, bytes: Uint8Array, start: number, end: number): boolean {
    const last = this.count - 1;
    this.sizeBytes += end - start;
    const step = end - start > denseBytesMax ? sparseStep : 1;
    for (let i = start; i < end; i += step) this.hash = Math.imul(this.hash ^ (bytes[i] ?? 0), 0x01000193);
    if (last >= 0 && this.parts[last] === part && this.ends[last] === start) {
      this.ends[last] = end;
      return true;
    }
    if (this.count === rangesMax) return false;
    this.parts[this.count] = part;
    this.starts[this.count] = start;
    this.ends[this.count] = end;
    this.count += 1;
    return true;
  }
}

const rangesMax = 64;
/** Of longer ranges every fourth byte goes into the hash. */
const denseBytesMax = 256;
const sparseStep = 4;

/** How many are kept; a batch of a collector may come from so many services. */
const knownMax = 32;
const knownBytesMin = 64;

/**
 * Texts of whole JSON objects that came before, the last ones first. Such a text ends where it ends,
 * so that bytes that begin with it are the same value.
 */
export class KnownValues {
  private readonly views: DataView[] = [];
  private readonly numbers: number[] = [];
  private next = 0;

  /** The number of the text that stands at `at`; -1 when none does. */
  match(view: DataView, at: number): number {
    for (let i = 0; i < this.views.length; i++) {
      const candidate = this.views[i];
      if (candidate === undefined || !startsWith(view, at, candidate)) continue;
      const number = this.numbers[i] ?? -1;
      if (i > 0) this.moveToFront(i, candidate, number);
      return number;
    }
    return -1;
  }

  /** Bytes of the text that `match` has just found. */
  get lastLength(): number {
    return this.views[0]?.byteLength ?? 0;
  }

  /** Remembers a text and gives it a number, which no other text will ever have. */
  add(bytes: Uint8Array, start: number, end: number): number {
    const number = this.next++;
    if (end - start < knownBytesMin || end - start > keyBytesMax) return number;
    if (this.views.length === knownMax) {
      this.views.pop();
      this.numbers.pop();
    }
    this.views.unshift(new DataView(bytes.slice(start, end).buffer));
    this.numbers.unshift(number);
    return number;
  }

  private moveToFront(i: number, view: DataView, number: number): void {
    this.views.copyWithin(1, 0, i);
    this.numbers.copyWithin(1, 0, i);
    this.views[0] = view;
    this.numbers[0] = number;
  }
}

/** Eight bytes a step, the last step overlapping the one before. */
function startsWith(view: DataView, at: number, start: DataView): boolean {
  const last = start.byteLength - 8;
  if (at + start.byteLength > view.byteLength) return false;
  for (let i = 0; i < last; i += 8)
    if (view.getInt32(at + i) !== start.getInt32(i) || view.getInt32(at + i + 4) !== start.getInt32(i + 4))
      return false;
  return view.getInt32(at + last) === start.getInt32(last) && view.getInt32(at + last + 4) === start.getInt32(last + 4);
}

const sets = 256;
const setSize = 4;
/** Longer keys are not remembered, so that the memory has a bound: four million bytes in all. */
const keyBytesMax = 4096;

interface Seen<Value> {
  readonly kind: number;
  readonly hash: number;
  readonly parts: Uint8Array;
  readonly lengths: Int32Array;
  readonly bytes: Uint8Array;
  readonly value: Value;
}

/** Values by the hash of their keys, the last four of each set of hashes; so the table cannot grow or degrade. */
export class SeenValues<Value> {
  private readonly seen: (Seen<Value> | undefined)[] = Array.from({ length: sets * setSize }, () => undefined);

  get(key: RangeKey, bytes: Uint8Array): Value | undefined {
    const from = setOf(key);
    for (let i = from; i < from + setSize; i++) {
      const known = this.seen[i];
      if (known && isSame(known, key, bytes)) return known.value;
    }
    return undefined;
  }

  set(key: RangeKey, bytes: Uint8Array, value: Value): void {
    if (key.sizeBytes > keyBytesMax) return;
    const { kind, count, hash } = key;
    const copy = new Uint8Array(key.sizeBytes);
    const lengths = new Int32Array(count);
    let to = 0;
    for (let range = 0; range < count; range++) {
      const part = bytes.subarray(key.starts[range], key.ends[range]);
      copy.set(part, to);
      lengths[range] = part.length;
      to += part.length;
    }
    const from = setOf(key);
    this.seen.copyWithin(from + 1, from, from + setSize - 1);
    this.seen[from] = { kind, hash, parts: key.parts.slice(0, count), lengths, bytes: copy, value };
  }
}

/** Where the set of a key begins. */
function setOf({ hash, sizeBytes }: RangeKey): number {
  const mixed = Math.imul(hash ^ sizeBytes, 0x9e3779b1);
  return ((mixed >>> 16) & (sets - 1)) * setSize;
}

function isSame(known: Seen<unknown>, key: RangeKey, bytes: Uint8Array): boolean {
  if (known.kind !== key.kind || known.hash !== key.hash) return false;
  if (known.bytes.length !== key.sizeBytes || known.lengths.length !== key.count) return false;
  const stored = known.bytes;
  let at = 0;
  for (let range = 0; range < key.count; range++) {
    const start = key.starts[range] ?? 0;
    const end = key.ends[range] ?? 0;
    if (known.lengths[range] !== end - start || known.parts[range] !== key.parts[range]) return false;
    for (let i = start; i < end; i++) if (bytes[i] !== stored[at++]) return false;
  }
  return true;
}
