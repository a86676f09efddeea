import { keyCount } from './attribute-keys.ts';

/**
 * The attributes that a reader of the document would get from it, by number of their key: what the
 * envelope need not hold, and what it must take back. Values are ranges of the page or numbers.
 */

export const restoredText = 1;
export const restoredInt = 2;
/** The value of the attribute of that key, whatever it is. */
export const restoredSame = 3;
/** A value that no attribute has: the span does not have the key. */
export const restoredOther = 4;

export class Restored {
  readonly kind = new Uint8Array(keyCount);
  readonly start = new Int32Array(keyCount);
  readonly end = new Int32Array(keyCount);
  readonly number = new Float64Array(keyCount);
  count = 0;
  readonly keys = new Int16Array(keyCount);

  clear(): void {
    for (let i = 0; i < this.count; i++) this.kind[this.keys[i] ?? 0] = 0;
    this.count = 0;
  }

  text(key: number, start: number, end: number): void {
    this.add(key, restoredText);
    this.start[key] = start;
    this.end[key] = end;
  }

  integer(key: number, value: number): void {
    this.add(key, restoredInt);
    this.number[key] = value;
  }

  same(key: number): void {
    this.add(key, restoredSame);
  }

  other(key: number): void {
    this.add(key, restoredOther);
  }

  has(key: number): boolean {
    return this.kind[key] !== 0;
  }

  private add(key: number, kind: number): void {
    if (this.kind[key] === 0) this.keys[this.count++] = key;
    this.kind[key] = kind;
  }
}
