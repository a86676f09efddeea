import { minus, zero } from '../../codec/json-bytes.ts';
import { AttributeTable } from './attributes.ts';
import { DocumentIndex, Kind } from './document-index.ts';
import type { Time } from './literals.ts';
import { isInteger, unusual } from './literals.ts';
import { findName, memberCount, nameNumbersMax } from './names.ts';

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
  /** Entry of the trace id of the whole document. */
  traceId = -1;
  /** The document holds an envelope. */
  isOurs = false;
  /** Entry of the document itself: 0, or that of a subsegment. */
  document = 0;
  /** By entry, what the span leads back to; see `Mark`. Only documents of others ask. */
  marks = new Uint8Array(1024);
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

  /** Forgets the document before. */
  clearMarks(): void {
    if (this.marks.length < this.index.count) this.marks = new Uint8Array(this.index.kinds.length);
    this.marks.fill(Mark.lost, 0, this.index.count);
  }

  /** Notes the members of the document, or of one of its subsegments. */
  open(document: number): void {
    const { index, top } = this;
    this.document = document;
    top.fill(-1);
    const end = index.nexts[document] ?? 0;
    for (let entry = document + 1; entry < end; entry = index.nexts[entry] ?? 0) {
      const name = index.names[entry] ?? 0;
      if (name < memberCount) top[name] = entry;
    }
    this.attributes.clear();
    this.statusMessage = -1;
    this.exceptions = -1;
    this.exceptionCount = 0;
  }

  /** Marks an entry, if there is one, as one that comes back. */
  keep(entry: number): void {
    if (entry >= 0) this.marks[entry] = Mark.kept;
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
    if (kind === Kind.null) return -1;
    if (kind !== Kind.text) throw unusual;
    if (index.starts[entry] === index.ends[entry]) return -1;
    this.marks[entry] = Mark.kept;
    return entry;
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
    if (end === list + 1) return -1;
    this.marks[list] = Mark.kept;
    return list;
  }

  asTrue(entry: number): boolean {
    if (entry < 0) return false;
    const kind = this.index.kinds[entry];
    if (kind === Kind.true) {
      this.marks[entry] = Mark.kept;
      return true;
    }
    if (kind === Kind.false || kind === Kind.null) return false;
    throw unusual;
  }

  asInteger(entry: number): number {
    if (entry < 0 || this.index.kinds[entry] === Kind.null) return -1;
    const { index } = this;
    const isUsual =
      index.kinds[entry] === Kind.integer && isInteger(index.bytes, index.starts[entry] ?? 0, index.ends[entry] ?? 0);
    // A negative zero comes back as zero.
    if (
      !isUsual ||
      (index.bytes[index.starts[entry] ?? 0] === minus && index.bytes[(index.starts[entry] ?? 0) + 1] === zero)
    )
      throw unusual;
    this.marks[entry] = Mark.kept;
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

/**
 * Whether writing the span again gives a member: not at all, as it is, or as a number of another
 * spelling. An object is kept as far as its members are.
 */
export const Mark = { lost: 0, kept: 1, respelled: 2 } as const;

/** Bits of `flags`. */
export const Flag = { fault: 1, error: 2, throttle: 4 } as const;
