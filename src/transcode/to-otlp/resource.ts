import { decodeText } from '../../codec/utf8.ts';
import type { JsonText } from '../../convert/index.ts';
import type { JsonObject, JsonValue } from '../../model/index.ts';
import { isJsonObject } from '../../model/index.ts';
import { Kind } from './document-index.ts';
import { unusual } from './literals.ts';
import { renamed } from './metadata.ts';
import { isOfResource, member, nameBytes, nameStarts } from './names.ts';
import type { Reading } from './reading.ts';
import { Mark } from './reading.ts';
import type { RangeKey } from './seen.ts';

/**
 * Which bytes of a document make its resource: all that `readServiceName`, `readOrigin` and
 * `readSurroundings` of `src/convert` read, and what annotations, metadata and envelope say of it.
 * Documents with the same bytes there have the same resource.
 */

/** What a range of the key is, see RangeKey. */
const Part = { top: 1, aws: 2, annotations: 3, renames: 4, metadata: 5 } as const;

/** Members of the document itself. */
const topMembers = [member.name, member.origin, member.resourceArn, member.service] as const;

/** Members of `aws` that are about a call, and different in every document. */
const callMembers: ReadonlySet<number> = new Set([
  member.operation,
  member.region,
  member.requestId,
  member.queueUrl,
  member.tableName,
  member.tableNames,
  member.topicArn,
  member.functionName,
  member.retries,
]);

/** For documents with an envelope, whose members `resource` and `renames` are given by their entries. */
export function collectOwnResource(
  key: RangeKey,
  reading: Reading,
  { resource, renames }: { readonly resource: number; readonly renames: number },
): void {
  const aws = reading.topEntry(member.aws);
  const number = resource < 0 ? -1 : knownNumber(reading, resource);
  key.clear(4 * (number + 1) + (reading.isSegment ? 1 : 0) + (aws >= 0 ? 2 : 0));
  if (reading.isSegment) {
    for (const name of topMembers) addMember(key, reading, Part.top, { object: 0, entry: reading.topEntry(name) });
    addSurroundings(key, reading, aws);
    addAnnotations(key, reading, renames);
    addMetadata(key, reading);
  }
}

/** The number of the text of the envelope's resource. */
function knownNumber({ index }: Reading, resource: number): number {
  if (index.kinds[resource] === Kind.known) return index.knownNumber;
  return index.known.add(index.bytes, index.starts[resource] ?? 0, index.ends[resource] ?? 0);
}

/** Of the document of another program: only what the sections themselves say, of a subsegment the name. */
export function collectForeignResource(key: RangeKey, reading: Reading): void {
  // An `aws` says something by being there.
  key.clear(-1 - (reading.isSegment ? 1 : 0) - (reading.topEntry(member.aws) < 0 ? 2 : 0));
  if (!reading.isSegment) return addMember(key, reading, Part.top, { object: 0, entry: reading.topEntry(member.name) });
  for (const name of topMembers) addMember(key, reading, Part.top, { object: 0, entry: reading.topEntry(name) });
  addSurroundings(key, reading, reading.topEntry(member.aws));
}

/** What of a segment's resource comes back. */
export interface ResourceMarks {
  /** Marks of the members that `collectForeignResource` has collected, in their order. */
  readonly marks: Uint8Array;
  /** Members `r` and `x` of the residual, each with its comma: values that come back otherwise, or without having been there. */
  readonly changes: Uint8Array;
}

/** From the residual of such a segment; undefined when it says more than can be told apart. */
export function marksFrom(
  reading: Reading,
  residual: JsonObject | undefined,
  json: JsonText,
): ResourceMarks | undefined {
  const changes = changesIn(residual, json);
  if (changes === undefined) return undefined;
  const other = residual?.get('o');
  const silent = residual?.get('z');
  const found: number[] = [];
  let isPlain = true;
  const visit = (entry: number, path: readonly string[]): void => {
    const { index } = reading;
    const names = [...path, textOfName(index.names[entry] ?? 0)];
    isPlain &&= !/[~/]/.test(names.at(-1) ?? '');
    const end = index.nexts[entry] ?? 0;
    if (index.kinds[entry] === Kind.object && end > entry + 1) {
      for (let inner = entry + 1; inner < end; inner = index.nexts[inner] ?? 0) visit(inner, names);
      return;
    }
    const isSilent = isJsonObject(silent) && silent.has(`/${names.join('/')}`);
    found.push(isSilent || holds(other, names) ? Mark.lost : Mark.kept);
  };
  for (const name of markedMembers) if (reading.topEntry(name) >= 0) visit(reading.topEntry(name), []);
  const aws = reading.topEntry(member.aws);
  if (aws >= 0)
    for (let entry = aws + 1; entry < (reading.index.nexts[aws] ?? 0); entry = reading.index.nexts[entry] ?? 0)
      if (!callMembers.has(reading.index.names[entry] ?? 0)) visit(entry, ['aws']);
  return isPlain ? { marks: Uint8Array.from(found), changes } : undefined;
}

/** The name of the segment is marked like that of any document. */
const markedMembers = [member.origin, member.resourceArn, member.service] as const;

const encoder = new TextEncoder();

/** Undefined when changes of the resource and of other members stand in one list, or a number is spelled otherwise. */
function changesIn(residual: JsonObject | undefined, json: JsonText): Uint8Array | undefined {
  let text = '';
  for (const [name, pointers] of residual ?? []) {
    if (!'nrx'.includes(name) || !isJsonObject(pointers)) continue;
    const count = [...pointers.keys()].filter((pointer) => resourcePointer.test(pointer)).length;
    // What of the resource would go into the metadata is told by what the document has there.
    if ([...pointers.keys()].some((pointer) => pointer.startsWith('/metadata'))) return undefined;
    if (count > 0 && (name === 'n' || count < pointers.size)) return undefined;
    if (count > 0) text += `,"${name}":${json.print(pointers)}`;
  }
  return encoder.encode(text);
}

const resourcePointer = /^\/(?:name|origin|resource_arn|service|aws)(?:\/|$)/;

function holds(value: JsonValue | undefined, path: readonly string[]): boolean {
  let inner = value;
  for (const name of path) inner = isJsonObject(inner) ? inner.get(name) : undefined;
  return inner !== undefined;
}

const nameView = new DataView(nameBytes.buffer);

function textOfName(name: number): string {
  return decodeText(nameView, nameStarts[name] ?? 0, nameStarts[name + 1] ?? 0);
}

/** Puts the marks of `marksFrom` where the same members stand in this document. */
export function applyMarks(reading: Reading, marks: Uint8Array): void {
  const { index } = reading;
  let next = 0;
  for (const name of markedMembers) next = markAll(reading, marks, next, reading.topEntry(name));
  const aws = reading.topEntry(member.aws);
  const end = aws < 0 ? 0 : (index.nexts[aws] ?? 0);
  for (let entry = aws + 1; entry < end; entry = index.nexts[entry] ?? 0)
    if (!callMembers.has(index.names[entry] ?? 0)) next = markAll(reading, marks, next, entry);
}

function markAll(reading: Reading, marks: Uint8Array, from: number, entry: number): number {
  if (entry < 0) return from;
  const { index } = reading;
  const end = index.nexts[entry] ?? 0;
  let next = from;
  if (index.kinds[entry] === Kind.object && end > entry + 1) {
    for (let inner = entry + 1; inner < end; inner = index.nexts[inner] ?? 0)
      next = markAll(reading, marks, next, inner);
    return next;
  }
  reading.marks[entry] = marks[next] ?? Mark.lost;
  return next + 1;
}

function addSurroundings(key: RangeKey, reading: Reading, aws: number): void {
  const { index } = reading;
  if (aws < 0 || index.kinds[aws] !== Kind.object) return;
  const end = index.nexts[aws] ?? 0;
  for (let entry = aws + 1; entry < end; entry = index.nexts[entry] ?? 0)
    if (!callMembers.has(index.names[entry] ?? 0)) addMember(key, reading, Part.aws, { object: aws, entry });
}

function addAnnotations(key: RangeKey, reading: Reading, renames: number): void {
  const { index } = reading;
  const annotations = reading.asObject(reading.topEntry(member.annotations));
  const end = annotations < 0 ? 0 : (index.nexts[annotations] ?? 0);
  for (let entry = annotations + 1; entry < end; entry = index.nexts[entry] ?? 0) {
    if (!isOfResource(renamed(reading, renames, index.names[entry] ?? 0))) continue;
    addMember(key, reading, Part.annotations, { object: annotations, entry });
    const rename = renames < 0 ? -1 : index.member(renames, index.names[entry] ?? 0);
    addMember(key, reading, Part.renames, { object: renames, entry: rename });
  }
}

function addMetadata(key: RangeKey, reading: Reading): void {
  const { index } = reading;
  const metadata = reading.asObject(reading.topEntry(member.metadata));
  const rest = metadata < 0 ? -1 : index.member(metadata, member.default);
  if (rest < 0 || index.kinds[rest] !== Kind.object) return;
  const end = index.nexts[rest] ?? 0;
  for (let entry = rest + 1; entry < end; entry = index.nexts[entry] ?? 0)
    if (isOfResource(index.names[entry] ?? 0)) addMember(key, reading, Part.metadata, { object: rest, entry });
}

/** A member with its name, up to where the next one begins or the object ends. */
function addMember(
  key: RangeKey,
  reading: Reading,
  part: number,
  { object, entry }: { readonly object: number; readonly entry: number },
): void {
  if (entry < 0) return;
  const { index } = reading;
  const next = index.nexts[entry] ?? 0;
  const end = next < (index.nexts[object] ?? 0) ? (index.places[next] ?? 0) : (index.ends[object] ?? 0) - 1;
  add(key, reading, part, index.places[entry] ?? 0, end);
}

function add(key: RangeKey, reading: Reading, part: number, start: number, end: number): void {
  if (!key.add(part, reading.index.bytes, start, end)) throw unusual;
}
