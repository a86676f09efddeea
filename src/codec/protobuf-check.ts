import { RaybridgeError } from '../errors.ts';
import { plainView } from './protobuf.ts';
import { findInvalidUtf8, isAscii } from './utf8.ts';

/**
 * Is this a protobuf message that we can read (protobuf.dev, "Encoding")? `checkMessage` walks the
 * bytes once against a table of shapes, and refuses whatever a reader could stumble over: lengths,
 * wire types, nesting, UTF-8. It makes no objects, so it is what a receiver runs before it
 * acknowledges; `ProtoReader` relies on it and has no checks of its own. All rules of refusal stand
 * in this file.
 *
 * Decisions where the format leaves room: fields that a shape does not name are skipped; a field
 * that it names must have the wire type it names; groups are refused (no OTLP message ever had one).
 */

/** What a field holds. `traceId` and `spanId` are bytes that ought to be 16 or 8 long and not all zero. */
type FieldKind = 'varint' | 'fixed32' | 'fixed64' | 'string' | 'bytes' | 'traceId' | 'spanId';

/** Number, name, and kind or the name of a message. */
type FieldRow = readonly [number: number, name: string, kind: string];

/** Levels of the nesting shape that a usual form may have. */
const usualNestingMax = 2;

/** How many messages a message is, itself counted; 0 when it has not the usual form. */
type UsualForm = (view: DataView, start: number, end: number) => number;

export interface Shape {
  readonly name: string;
  /** By field number: 0 for unknown, otherwise one of `kindCodes`. */
  readonly kinds: Uint8Array;
  readonly fieldNames: readonly (string | undefined)[];
  /** By field number, for fields of kind message. */
  readonly messages: readonly (Shape | undefined)[];
  /** Says of a message's usual form that it is right, faster than the walk can; the walk decides about the others. */
  readonly usual: UsualForm | undefined;
  /** True for messages that count towards the nesting limit. */
  readonly nests: boolean;
  /** Place of this shape in the tallies. */
  readonly index: number;
  /** Bits of the ids that a valid message has: 1 trace id, 2 span id. */
  readonly ids: number;
}

/** The messages with ids that a checked message holds, by `Shape.index`. */
export interface Tally {
  readonly messages: Uint32Array;
  /** Messages among them whose trace id or span id is missing, of a wrong length, or zero. */
  readonly unidentified: Uint32Array;
  /** Of the first such message, per shape: `trace_id of 15 bytes`. */
  readonly reasons: readonly (string | undefined)[];
}

const stringCode = 4;
const traceIdCode = 6;
const messageCode = 8;
const kindCodes: Readonly<Record<FieldKind, number>> = {
  varint: 1,
  fixed32: 2,
  fixed64: 3,
  string: stringCode,
  bytes: 5,
  traceId: traceIdCode,
  spanId: 7,
};
/** The wire type that each kind demands, by code. */
const wireTypes = Uint8Array.of(255, 0, 5, 1, 2, 2, 2, 2, 2);

/** What sets a message apart from the others of its table. */
interface Traits<Name> {
  /** The message that may contain itself, and so is bounded by `Check.nestingMax`. */
  readonly nests?: NoInfer<Name>;
  readonly usual?: { readonly [Key in NoInfer<Name> & string]?: UsualForm };
}

/** Shapes from tables of fields. */
export function defineShapes<Name extends string>(
  tables: Readonly<Record<Name, readonly FieldRow[]>>,
  traits: Traits<Name> = {},
): Readonly<Record<Name, Shape>> {
  const names = Object.keys(tables) as Name[]; // Object.keys forgets the keys' type.
  const drafts = names.map((name, index) => ({
    ...draftShape(tables[name]),
    name,
    index,
    nests: name === traits.nests,
    usual: traits.usual?.[name],
  }));
  const byName = new Map<string, Shape>(drafts.map((draft) => [draft.name, draft]));
  for (const draft of drafts) {
    for (const [number, , kind] of tables[draft.name]) draft.messages[number] = byName.get(kind);
  }
  return Object.fromEntries(byName) as Record<Name, Shape>; // One draft was made for each name.
}

function draftShape(rows: readonly FieldRow[]) {
  const size = Math.max(0, ...rows.map(([number]) => number)) + 1;
  const kinds = new Uint8Array(size);
  const fieldNames = Array.from({ length: size }, (): string | undefined => undefined);
  const messages = Array.from({ length: size }, (): Shape | undefined => undefined);
  let ids = 0;
  for (const [number, name, kind] of rows) {
    kinds[number] = isFieldKind(kind) ? kindCodes[kind] : messageCode;
    fieldNames[number] = name;
    if (kind === 'traceId') ids |= 1;
    if (kind === 'spanId') ids |= 2;
  }
  return { kinds, fieldNames, messages, ids };
}

function isFieldKind(kind: string): kind is FieldKind {
  return Object.hasOwn(kindCodes, kind);
}

/** What a check is about, and its bounds. */
export interface Check {
  readonly shape: Shape;
  /** What the bytes are, for error messages. */
  readonly format: string;
  /** Messages of the nesting shape inside each other. */
  readonly nestingMax: number;
  /** Messages in all. */
  readonly messagesMax: number;
}

/**
 * Walks a whole message.
 * @throws RaybridgeError BAD_INPUT, naming format, byte, field, wish and find.
 */
export function checkMessage(bytes: Uint8Array, check: Check): Tally {
  const checker = new Checker(bytes, check);
  checker.walk(check.shape, 0, bytes.length, 0);
  checker.checkCount(check.shape);
  return checker;
}

/** A table has at most this many shapes; the tallies are arrays of this length. */
const shapesMax = 16;

/** The cursor lives in local variables; the fields hold what survives a message. */
class Checker implements Tally {
  readonly messages = new Uint32Array(shapesMax);
  readonly unidentified = new Uint32Array(shapesMax);
  readonly reasons: (string | undefined)[] = Array.from({ length: shapesMax }, () => undefined);
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly limits: Check;
  private walked = 0;
  /** Where the varint ended that `varint` read last. */
  private next = 0;

  constructor(bytes: Uint8Array, limits: Check) {
    this.bytes = plainView(bytes);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.limits = limits;
  }

  walk(shape: Shape, start: number, end: number, outerDepth: number): void {
    const { bytes, view } = this;
    const kinds = shape.kinds;
    const depth = shape.nests ? outerDepth + 1 : outerDepth;
    if (depth > this.limits.nestingMax) {
      this.fail(start, shape, 0, `at most ${this.limits.nestingMax} inside each other`, `${depth}`);
    }
    this.walked += 1;
    const isShallow = depth + usualNestingMax <= this.limits.nestingMax;

    let ids = 0;
    let pos = start;
    while (pos < end) {
      const at = pos;
      let tag = bytes[pos++] ?? 0;
      if (tag > 0x7f) {
        tag = this.varint(at, end, shape, 0);
        pos = this.next;
      }
      const field = tag >>> 3;
      const wireType = tag & 7;
      if (field === 0 || tag > 0xffff_ffff) this.fail(at, shape, 0, 'a field number from 1 to 536870911', 'another');
      const kind = field < kinds.length ? (kinds[field] ?? 0) : 0;
      if (kind !== 0 && wireType !== wireTypes[kind]) {
        this.fail(at, shape, field, `wire type ${wireTypes[kind]}`, `${wireType}`);
      }

      if (wireType === 2) {
        let length = pos < end ? (bytes[pos] ?? 0) : 0x80;
        if (length < 0x80) pos += 1;
        else {
          length = this.varint(pos, end, shape, field);
          pos = this.next;
        }
        const stop = pos + length;
        if (stop > end) this.fail(at, shape, field, `at most ${end - pos} bytes`, `a length of ${length}`);
        if (kind === messageCode) {
          const inner = shape.messages[field];
          const usual = inner?.usual !== undefined && isShallow ? inner.usual(view, pos, stop) : 0;
          if (usual > 0) this.walked += usual;
          else if (inner !== undefined) this.walk(inner, pos, stop, depth);
        } else if (kind === stringCode) {
          const invalid = isAscii(view, pos, stop) ? -1 : findInvalidUtf8(bytes, pos, stop);
          if (invalid >= 0) this.fail(invalid, shape, field, 'UTF-8 text', `byte 0x${hexByte(bytes[invalid] ?? 0)}`);
        } else if (kind >= traceIdCode) {
          ids = this.checkId({ shape, field, start: pos, length, bit: kind === traceIdCode ? 1 : 2, ids });
        }
        pos = stop;
      } else if (wireType === 0) {
        this.varint(pos, end, shape, field);
        pos = this.next;
      } else {
        if (wireType !== 1 && wireType !== 5) this.fail(at, shape, field, 'a wire type of 0, 1, 2 or 5', `${wireType}`);
        pos += wireType === 1 ? 8 : 4;
        if (pos > end) this.fail(at, shape, field, `${wireType === 1 ? 8 : 4} bytes`, `${end - at - 1}`);
      }
    }

    if (shape.ids === 0) return;
    this.messages[shape.index] = (this.messages[shape.index] ?? 0) + 1;
    if (ids !== shape.ids) this.reject(shape, ids);
  }

  /** Once at the end is enough: the walk keeps nothing of the messages it counts. */
  checkCount(shape: Shape): void {
    const { messagesMax } = this.limits;
    if (this.walked > messagesMax) this.fail(0, shape, 0, `at most ${messagesMax} messages in all`, `${this.walked}`);
  }

  /** The value of a varint at `start`, inexact above 2^53, with its end in `next`. */
  private varint(start: number, end: number, shape: Shape, field: number): number {
    const bytes = this.bytes;
    let value = 0;
    let scale = 1;
    for (let pos = start; pos < end; pos++) {
      const byte = bytes[pos] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (pos - start === 9 && byte > 1) break;
        this.next = pos + 1;
        return value;
      }
      if (pos - start === 9) break;
      scale *= 128;
    }
    const isCut = end - start < 10;
    return this.fail(
      start,
      shape,
      field,
      'a varint of at most 64 bits',
      isCut ? 'the end of the message' : 'a longer one',
    );
  }

  /** `ids` with the bit set or cleared: of a repeated field the last one counts. */
  private checkId(id: {
    readonly shape: Shape;
    readonly field: number;
    readonly start: number;
    readonly length: number;
    readonly bit: number;
    readonly ids: number;
  }): number {
    const isRight = id.length === (id.bit === 1 ? 16 : 8);
    if (isRight && !isZero(this.bytes, id.start, id.start + id.length)) return id.ids | id.bit;
    this.reasons[id.shape.index] ??=
      `${id.shape.fieldNames[id.field]} of ${id.length} ${isRight ? 'zero bytes' : 'bytes'}`;
    return id.ids & ~id.bit;
  }

  private reject(shape: Shape, ids: number): void {
    this.unidentified[shape.index] = (this.unidentified[shape.index] ?? 0) + 1;
    this.reasons[shape.index] ??= (ids & 1) === 0 ? 'trace_id missing' : 'span_id missing';
  }

  private fail(at: number, shape: Shape, field: number, wish: string, find: string): never {
    const name = field === 0 ? '' : `.${shape.fieldNames[field] ?? field}`;
    throw new RaybridgeError(
      'BAD_INPUT',
      `${this.limits.format}, byte ${at}, ${shape.name}${name}: expected ${wish}, got ${find}`,
    );
  }
}

function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
