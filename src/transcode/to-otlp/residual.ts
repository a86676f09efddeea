import { closeBrace, closeBracket, colon, comma, openBrace } from '../../codec/json-bytes.ts';
import { Value } from './attributes.ts';
import type { DocumentIndex } from './document-index.ts';
import { Kind } from './document-index.ts';
import { unusual } from './literals.ts';
import { compareNames, key, member, nameBytes, nameStarts } from './names.ts';
import type { Reading } from './reading.ts';
import { Mark } from './reading.ts';
import { appendBytes, appendJson, appendName, appendQuoted } from './text.ts';

/**
 * The residual of a document that another program wrote, as `writeResidual` of
 * `convert/residual.ts` writes it, from the marks of its members: there is no second document to
 * compare with, because the sections have noted what comes back while they read.
 */

const encoder = new TextEncoder();
const opening = encoder.encode('{"v":1');
const otherOpening = encoder.encode(',"o":');
const silentOpening = encoder.encode(',"z":{');
const numbersOpening = encoder.encode(',"n":{');
const placeOpening = encoder.encode(',"b":[');

/** Where an element of `subsegments` stands: entry of its parent's id, and its place. */
export interface Placed {
  readonly parentId: number;
  readonly place: number;
}

interface ResidualParts {
  /** Those of the resource, see ResourceMarks. */
  readonly changes: Uint8Array;
  /** JSON text of the cause, when the events do not lead to it; else empty. */
  readonly cause: string;
  readonly placed: Placed | undefined;
}

/** Sets the attribute, unless there is nothing to say. */
export function setResidual(reading: Reading, { changes, cause, placed }: ResidualParts): void {
  const { index } = reading;
  const start = index.textEnd;
  pointers.count = 0;
  pathLength = 0;
  sortedEnd = 0;
  appendBytes(index, opening);
  const emptyLength = index.textEnd - start;
  const markOfOther = index.textEnd;
  appendBytes(index, otherOpening);
  if (!appendLost(reading, reading.document)) index.textEnd = markOfOther;
  appendPointers(index, Mark.lost, silentOpening);
  appendPointers(index, Mark.respelled, numbersOpening);
  appendBytes(index, changes);
  if (cause !== '') index.appendString(`,"g":${cause}`);
  if (placed) appendPlace(index, placed);
  if (index.textEnd - start === emptyLength) return;
  index.appendByte(closeBrace);
  reading.attributes.set(key.residual, Value.text, start, index.textEnd);
}

function appendPlace(index: DocumentIndex, { parentId, place }: Placed): void {
  appendBytes(index, placeOpening);
  appendQuoted(index, index.bytes, index.starts[parentId] ?? 0, index.ends[parentId] ?? 0);
  index.appendByte(comma);
  index.appendString(String(place));
  index.appendByte(closeBracket);
}

/** The members of an object that do not come back, by name; false, and nothing written, when all do. */
function appendLost(reading: Reading, object: number): boolean {
  const { index } = reading;
  const from = sortedEnd;
  sortMembers(reading, object);
  const start = index.textEnd;
  index.appendByte(openBrace);
  for (let i = from; i < sortedEnd; i++) {
    const entry = sorted[i] ?? 0;
    const before = index.textEnd;
    if (before > start + 1) index.appendByte(comma);
    if (!appendMember(reading, entry)) index.textEnd = before;
  }
  sortedEnd = from;
  if (index.textEnd === start + 1) {
    index.textEnd = start;
    return false;
  }
  index.appendByte(closeBrace);
  return true;
}

function appendMember(reading: Reading, entry: number): boolean {
  const { index, marks } = reading;
  const pathBefore = pathLength;
  const isPartial = index.kinds[entry] === Kind.object && keepsAny(reading, entry);
  let isWritten = true;
  if (isPartial) {
    pushPath(index.names[entry] ?? 0);
    appendName(index, index.names[entry] ?? 0);
    isWritten = appendLost(reading, entry);
    pathLength = pathBefore;
  } else if (marks[entry] === Mark.respelled || isSilent(index, entry)) {
    pushPath(index.names[entry] ?? 0);
    addPointer(entry, marks[entry] ?? 0);
    pathLength = pathBefore;
    isWritten = false;
  } else {
    appendName(index, index.names[entry] ?? 0);
    appendJson(index, entry);
  }
  return isWritten;
}

/** Whether writing the span again gives the object at all. */
function keepsAny({ index, marks }: Reading, object: number): boolean {
  const end = index.nexts[object] ?? 0;
  for (let entry = object + 1; entry < end; entry++) if (marks[entry] !== Mark.lost) return true;
  return false;
}

function isSilent({ kinds, starts, ends, nexts }: DocumentIndex, entry: number): boolean {
  switch (kinds[entry]) {
    case Kind.false:
    case Kind.null:
      return true;
    case Kind.text:
      return starts[entry] === ends[entry];
    case Kind.object:
    case Kind.array:
      return nexts[entry] === entry + 1;
    default:
      return false;
  }
}

/** Members of the objects that are being written, outer ones first; each object's by name. */
const sorted = new Int32Array(512);
let sortedEnd = 0;

/** Adds the members that have something to say. Subsegments have spans of their own. */
function sortMembers({ index, marks, document }: Reading, object: number): void {
  const from = sortedEnd;
  const end = index.nexts[object] ?? 0;
  for (let entry = object + 1; entry < end; entry = index.nexts[entry] ?? 0) {
    if (marks[entry] === Mark.kept) continue;
    const name = index.names[entry] ?? 0;
    if (object === document && name === member.subsegments && index.nexts[entry] !== entry + 1) continue;
    if (sortedEnd === sorted.length || !sortsAsText(name)) throw unusual;
    let at = sortedEnd++;
    for (; at > from && compareNames(index.names[sorted[at - 1] ?? 0] ?? 0, name) > 0; at--)
      sorted[at] = sorted[at - 1] ?? 0;
    sorted[at] = entry;
  }
}

/** Bytes of UTF-8 and units of UTF-16 sort alike up to U+D7FF. */
function sortsAsText(name: number): boolean {
  for (let i = nameStarts[name] ?? 0; i < (nameStarts[name + 1] ?? 0); i++)
    if ((nameBytes[i] ?? 0) > 0xed) return false;
  return true;
}

const pathBytesMax = 1024;
const path = new Uint8Array(pathBytesMax);
let pathLength = 0;

/** Goes on the pointer to a member. Names that a pointer escapes, or that sort otherwise as UTF-16, are not usual. */
function pushPath(name: number): void {
  const start = nameStarts[name] ?? 0;
  const end = nameStarts[name + 1] ?? 0;
  if (pathLength + 1 + end - start > pathBytesMax) throw unusual;
  path[pathLength++] = slash;
  for (let i = start; i < end; i++) {
    const byte = nameBytes[i] ?? 0;
    if (byte === slash || byte === tilde || byte >= 0x80) throw unusual;
    path[pathLength++] = byte;
  }
}

const pointersMax = 128;

/** Pointers to members, in order of their text. */
const pointers = {
  count: 0,
  order: new Int32Array(pointersMax),
  starts: new Int32Array(pointersMax),
  ends: new Int32Array(pointersMax),
  entries: new Int32Array(pointersMax),
  marks: new Uint8Array(pointersMax),
  bytes: new Uint8Array(8192),
};

function addPointer(entry: number, mark: number): void {
  const { count, order, starts, ends, bytes } = pointers;
  const start = count === 0 ? 0 : (ends[count - 1] ?? 0);
  if (count === pointersMax || start + pathLength > bytes.length) throw unusual;
  bytes.set(path.subarray(0, pathLength), start);
  starts[count] = start;
  ends[count] = start + pathLength;
  pointers.entries[count] = entry;
  pointers.marks[count] = mark;
  let at = count;
  for (; at > 0 && comparePointers(order[at - 1] ?? 0, count) > 0; at--) order[at] = order[at - 1] ?? 0;
  order[at] = count;
  pointers.count = count + 1;
}

function comparePointers(a: number, b: number): number {
  const { bytes, starts, ends } = pointers;
  let i = starts[a] ?? 0;
  let k = starts[b] ?? 0;
  for (; i < (ends[a] ?? 0) && k < (ends[b] ?? 0); i++, k++) {
    const difference = (bytes[i] ?? 0) - (bytes[k] ?? 0);
    if (difference !== 0) return difference;
  }
  return (ends[a] ?? 0) - i - ((ends[b] ?? 0) - k);
}

/** `{pointer: value}` of silent members, `{pointer: literal as text}` of numbers. */
function appendPointers(index: DocumentIndex, mark: number, opening: Uint8Array): void {
  let isFirst = true;
  for (let i = 0; i < pointers.count; i++) {
    const pointer = pointers.order[i] ?? 0;
    if (pointers.marks[pointer] !== mark) continue;
    if (isFirst) appendBytes(index, opening);
    else index.appendByte(comma);
    isFirst = false;
    appendQuoted(index, pointers.bytes, pointers.starts[pointer] ?? 0, pointers.ends[pointer] ?? 0);
    index.appendByte(colon);
    const entry = pointers.entries[pointer] ?? 0;
    if (mark === Mark.lost) appendJson(index, entry);
    else appendQuoted(index, index.bytes, index.starts[entry] ?? 0, index.ends[entry] ?? 0);
  }
  if (!isFirst) index.appendByte(closeBrace);
}

const slash = 0x2f;
const tilde = 0x7e;
