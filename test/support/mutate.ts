import * as fc from 'fast-check';

/**
 * Changes bytes as transport, bugs and enemies do. `mutateProto` knows the structure: it changes
 * fields inside their messages and writes the lengths anew, so that most of what it makes is read
 * further than the first wrong length. `mutateText` changes any text.
 */

export interface Mutation {
  readonly kind: 'flip' | 'boundary' | 'truncate' | 'delete' | 'repeat' | 'splice' | 'lengthen';
  /** Which field or byte, modulo their number. */
  readonly at: number;
  /** What to put there: a bit, a byte, another field. */
  readonly other: number;
}

export const arbitraryMutations: fc.Arbitrary<readonly Mutation[]> = fc.array(
  fc.record(
    {
      kind: fc.constantFrom('flip', 'boundary', 'truncate', 'delete', 'repeat', 'splice', 'lengthen'),
      at: fc.nat(),
      other: fc.nat(),
    },
    { noNullPrototype: true },
  ),
  { minLength: 1, maxLength: 4 },
);

const boundaryBytes = [0x00, 0x01, 0x7f, 0x80, 0xc0, 0xed, 0xf4, 0xff];

/** A copy with the changes; what is spliced in comes from the donor. */
export function mutateText(bytes: Uint8Array, donor: Uint8Array, mutations: readonly Mutation[]): Uint8Array {
  return mutations.reduce((text, mutation) => changeBytes(text, donor, mutation), bytes);
}

function changeBytes(bytes: Uint8Array, donor: Uint8Array, { kind, at, other }: Mutation): Uint8Array {
  const start = at % (bytes.length + 1);
  const length = other % 16;
  const changed = Buffer.from(bytes);
  switch (kind) {
    case 'flip':
      changed[start] = (bytes[start] ?? 0) ^ (1 << (other % 8));
      return changed;
    case 'boundary':
      changed[start] = boundaryBytes[other % boundaryBytes.length] ?? 0;
      return changed;
    case 'truncate':
      return changed.subarray(0, start);
    case 'delete':
      return Buffer.concat([changed.subarray(0, start), changed.subarray(start + length)]);
    case 'repeat':
      return Buffer.concat([changed.subarray(0, start + length), changed.subarray(start)]);
    case 'splice': {
      const from = other % (donor.length + 1);
      return Buffer.concat([changed.subarray(0, start), donor.subarray(from, from + 40), changed.subarray(start)]);
    }
    case 'lengthen':
      return Buffer.concat([changed.subarray(0, start), varint(BigInt(other) << 32n), changed.subarray(start + 1)]);
  }
}

/** A field of a message: what stands in it as bytes, or as fields when it can be read as a message. */
interface Field {
  readonly tag: bigint;
  readonly content: Uint8Array | readonly Field[];
}

/** As `mutateText`, of a protobuf message; truncation and wrong lengths come last, on the bytes. */
export function mutateProto(bytes: Uint8Array, donor: Uint8Array, mutations: readonly Mutation[]): Uint8Array {
  const isRaw = ({ kind }: Mutation): boolean => kind === 'truncate' || kind === 'lengthen';
  const donated = fieldsWithin(treeOf(donor));
  const fields = mutations
    .filter((mutation) => !isRaw(mutation))
    .reduce(
      (tree, mutation) => {
        const target = mutation.at % Math.max(1, fieldsWithin(tree).length);
        return changeFields(tree, { target, seen: 0 }, donated, mutation);
      },
      parseFields(bytes) ?? [],
    );
  // One raw change in four: nearly all of them end the reading early.
  return mutateText(
    printFields(fields),
    donor,
    mutations.filter((mutation) => isRaw(mutation) && mutation.at % 4 === 0),
  );
}

function changeFields(
  fields: readonly Field[],
  walk: { readonly target: number; seen: number },
  donated: readonly Field[],
  mutation: Mutation,
): readonly Field[] {
  return fields.flatMap((field) => {
    const isTarget = walk.seen++ === walk.target;
    const inner = isBytes(field.content) ? field.content : changeFields(field.content, walk, donated, mutation);
    const changed = inner === field.content ? field : { tag: field.tag, content: inner };
    if (!isTarget) return [changed];
    if (mutation.kind === 'delete') return [];
    if (mutation.kind === 'repeat') return [changed, changed];
    if (mutation.kind === 'splice')
      return [changed, ...donated.slice(mutation.other % (donated.length + 1)).slice(0, 1)];
    const content = isBytes(inner) ? inner : printFields(inner);
    return [{ tag: field.tag, content: changeBytes(content, content, { ...mutation, at: mutation.other >>> 3 }) }];
  });
}

function fieldsWithin(fields: readonly Field[]): readonly Field[] {
  return fields.flatMap((field) => (isBytes(field.content) ? [field] : [field, ...fieldsWithin(field.content)]));
}

/** The same few requests are changed again and again. */
const trees = new WeakMap<Uint8Array, readonly Field[]>();

function treeOf(bytes: Uint8Array): readonly Field[] {
  const tree = trees.get(bytes) ?? parseFields(bytes) ?? [];
  trees.set(bytes, tree);
  return tree;
}

/** Undefined when the bytes are no fields from end to end. */
function parseFields(bytes: Uint8Array): readonly Field[] | undefined {
  const fields: Field[] = [];
  for (let pos = 0; pos < bytes.length;) {
    const tag = readVarint(bytes, pos);
    const value = readVarint(bytes, tag.end);
    const wireType = Number(tag.value & 7n);
    const start = wireType === 2 ? value.end : tag.end;
    const sizes: Readonly<Record<number, number>> = { 0: value.end - tag.end, 1: 8, 2: Number(value.value), 5: 4 };
    const size = sizes[wireType];
    if (size === undefined || tag.value < 8n || start + size > bytes.length) return undefined;
    const content = bytes.subarray(start, start + size);
    const inner = wireType === 2 && size > 1 ? parseFields(content) : undefined;
    fields.push({ tag: tag.value, content: inner ?? content });
    pos = start + size;
  }
  return fields;
}

function printFields(fields: readonly Field[]): Uint8Array {
  return Buffer.concat(
    fields.map(({ tag, content }) => {
      const bytes = isBytes(content) ? content : printFields(content);
      const length = (tag & 7n) === 2n ? varint(BigInt(bytes.length)) : new Uint8Array();
      return Buffer.concat([varint(tag), length, bytes]);
    }),
  );
}

function isBytes(content: Field['content']): content is Uint8Array {
  return content instanceof Uint8Array;
}

function readVarint(bytes: Uint8Array, start: number): { readonly value: bigint; readonly end: number } {
  let value = 0n;
  let pos = start;
  for (let shift = 0n; shift < 64n; shift += 7n) {
    const byte = bytes[pos++] ?? 0;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return { value, end: pos };
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    if (rest <= 0x7fn) return Uint8Array.from(bytes);
  }
}
