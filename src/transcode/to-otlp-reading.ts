import { AttributeTable } from './to-otlp-attributes.ts';
import { DocumentIndex, Kind } from './to-otlp-index.ts';
import type { Time } from './to-otlp-literals.ts';
import { isInteger, unusual } from './to-otlp-literals.ts';
import { findName, memberCount, nameNumbersMax } from './to-otlp-names.ts';

/**
 * One document while its span is made: what `convert/section.ts` calls a view, in numbers. There is
 * one for all documents, filled anew for each.
 *
 * Its methods read a member as the functions of that file do, `asText` like `textAt`; where those
 * would report a member as wrong, these throw `unusual`. An entry is a place in the index, -1 stands
 * for a member that is absent.
 */
export class Reading {
  readonly index = new DocumentIndex(nameNumbersMax);
  readonly attributes = new AttributeTable(this.index);
  /** Of one event at a time. */
  readonly eventAttributes = new AttributeTable(this.index);
  /** Entries of the document's members, by name. */
  readonly top = new Int32Array(memberCount);

  isSegment = false;
  /** In which stack traces are printed; see `printStack` of `convert/stack.ts`. */
  language: string | undefined;
  kind = 0;
  readonly start: Time = { high: 0, low: 0 };
  /** Zero while the document is in progress. */
  readonly end: Time = { high: 0, low: 0 };
  /** What the document calls itself. */
  name = -1;
  /** The span's name, in `index.bytes`. */
  nameStart = 0;
  nameEnd = 0;

  /** Bits of `Flag` that the document shows. */
  flags = 0;
  /** The list of exceptions, and how many it has. */
  exceptions = -1;
  exceptionCount = 0;
  statusCode = 0;
  /** Entry of the status message. */
  statusMessage = -1;
  /** The exceptions are events, not the message of the status. */
  showsEvents = false;

  /** Notes the members of the document, which is the entry 0 of the index. */
  open(): void {
    const { index, top } = this;
    top.fill(-1);
    const end = index.nexts[0] ?? 0;
    for (let entry = 1; entry < end; entry = index.nexts[entry] ?? 0) {
      const name = index.names[entry] ?? 0;
      if (name < memberCount) top[name] = entry;
    }
    this.attributes.clear();
    this.statusMessage = -1;
    this.exceptions = -1;
    this.exceptionCount = 0;
  }

  /** A member of the document, of any kind. */
  topEntry(name: number): number {
    return this.top[name] ?? -1;
  }

  /** A member of an object of the document, of any kind. */
  entryAt(object: number, name: number): number {
    return object < 0 ? -1 : this.index.member(object, name);
  }

  asText(entry: number): number {
    if (entry < 0) return -1;
    const { index } = this;
    const kind = index.kinds[entry];
    if (kind === Kind.text) return index.starts[entry] === index.ends[entry] ? -1 : entry;
    if (kind === Kind.null) return -1;
    throw unusual;
  }

  asObject(entry: number): number {
    return this.asContainer(entry, Kind.object);
  }

  asList(entry: number): number {
    return this.asContainer(entry, Kind.array);
  }

  /** A list of texts; -1 when it is empty. */
  asTexts(entry: number): number {
    const list = this.asList(entry);
    if (list < 0) return -1;
    const { index } = this;
    const end = index.nexts[list] ?? 0;
    for (let i = list + 1; i < end; i++) if (index.kinds[i] !== Kind.text) throw unusual;
    return end === list + 1 ? -1 : list;
  }

  asTrue(entry: number): boolean {
    if (entry < 0) return false;
    const kind = this.index.kinds[entry];
    if (kind === Kind.true) return true;
    if (kind === Kind.false || kind === Kind.null) return false;
    throw unusual;
  }

  asInteger(entry: number): number {
    if (entry < 0 || this.index.kinds[entry] === Kind.null) return -1;
    const { index } = this;
    const isUsual =
      index.kinds[entry] === Kind.integer && isInteger(index.bytes, index.starts[entry] ?? 0, index.ends[entry] ?? 0);
    if (!isUsual) throw unusual;
    return entry;
  }

  /** Whether an entry is the text of a name that is known. */
  isText(entry: number, name: number): boolean {
    const { index } = this;
    if (entry < 0 || index.kinds[entry] !== Kind.text) return false;
    return findName(index.bytes, index.starts[entry] ?? 0, index.ends[entry] ?? 0) === name;
  }

  startOf(entry: number): number {
    return this.index.starts[entry] ?? 0;
  }

  endOf(entry: number): number {
    return this.index.ends[entry] ?? 0;
  }

  private asContainer(entry: number, kind: number): number {
    if (entry < 0 || this.index.kinds[entry] === Kind.null) return -1;
    if (this.index.kinds[entry] !== kind) throw unusual;
    return entry;
  }
}

/** Bits of `flags`. */
export const Flag = { fault: 1, error: 2, throttle: 4 } as const;
