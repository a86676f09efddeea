import { minus, zero } from '../../codec/json-bytes.ts';
import { Value } from './attributes.ts';
import type { DocumentIndex } from './document-index.ts';
import { Kind } from './document-index.ts';
import { takeNumber, unusual } from './literals.ts';
import { compareNames, internName, isOfResource, key as keys, member, nameBytes, nameStarts } from './names.ts';
import type { Reading } from './reading.ts';
import { Mark } from './reading.ts';
import { appendJson } from './text.ts';

/**
 * Annotations and metadata of documents that Raybridge wrote, as `convert/annotations.ts` and
 * `convert/metadata.ts` read them. What belongs to the resource is left out.
 */

const encoder = new TextEncoder();
const namespacePrefixBytes = encoder.encode('aws.xray.metadata.');

/** Namespaces as attributes of JSON text, but `default` and the envelope. */
export function readNamespaces(reading: Reading, metadata: number): void {
  const { attributes, index } = reading;
  const end = index.nexts[metadata] ?? 0;
  for (let entry = metadata + 1; entry < end; entry = index.nexts[entry] ?? 0) {
    const namespace = index.names[entry] ?? 0;
    if (reading.isOurs) {
      if (namespace === member.raybridge) continue;
      if (namespace === member.default && index.kinds[entry] === Kind.object) continue;
    } else {
      // An envelope of another version, or a namespace that could not take the rest of the attributes.
      if (namespace === member.raybridge || (namespace === member.default && index.kinds[entry] !== Kind.object))
        throw unusual;
      reading.marks[entry] = Mark.kept;
    }
    const start = index.textEnd;
    index.append(namespacePrefixBytes, 0, namespacePrefixBytes.length);
    index.append(nameBytes, nameStarts[namespace] ?? 0, nameStarts[namespace + 1] ?? 0);
    const key = internName(index.bytes, start, index.textEnd);
    if (key < 0) throw unusual;
    const textStart = index.textEnd;
    appendJson(index, entry);
    attributes.set(key, Value.text, textStart, index.textEnd);
  }
}

/** `renames` is the entry of the envelope's object of annotation keys and attribute keys. */
export function readAnnotations(reading: Reading, renames: number): void {
  const annotations = reading.asObject(reading.topEntry(member.annotations));
  if (annotations < 0) return;
  const { attributes, index } = reading;
  const end = index.nexts[annotations] ?? 0;
  for (let entry = annotations + 1; entry < end; entry = index.nexts[entry] ?? 0) {
    checkAnnotation(reading, entry);
    const key = renamed(reading, renames, index.names[entry] ?? 0);
    if (!isOfResource(key) && !attributes.has(key)) attributes.setJson(key, entry);
  }
}

function checkAnnotation({ index }: Reading, entry: number): void {
  const kind = index.kinds[entry];
  if (kind === Kind.object || kind === Kind.array || kind === Kind.null) throw unusual;
  if (kind !== Kind.decimal) return;
  // A number that a double cannot hold is not used.
  if (!Number.isFinite(takeNumber(index.bytes, index.starts[entry] ?? 0, index.ends[entry] ?? 0))) throw unusual;
}

/** Annotations of documents of others: those that are attributes of their own name, and come back as they are. */
export function readForeignAnnotations(reading: Reading): void {
  const annotations = reading.asObject(reading.topEntry(member.annotations));
  if (annotations < 0) return;
  const { attributes, index } = reading;
  const end = index.nexts[annotations] ?? 0;
  let count = 0;
  for (let entry = annotations + 1; entry < end; entry = index.nexts[entry] ?? 0) {
    const name = index.names[entry] ?? 0;
    checkAnnotation(reading, entry);
    if (!isSimpleName(name) || !comesBack(index, entry) || attributes.has(name)) throw unusual;
    attributes.setJson(name, entry);
    reading.marks[entry] = Mark.kept;
    insertSorted(count, name);
    count += 1;
  }
  if (count > 0) attributes.setNames(keys.annotations, sortedNames, count);
}

const annotationsMax = 50;
const annotationBytesMax = 1000;
/** Names of the annotations of one document, in alphabetical order. */
const sortedNames = new Int32Array(annotationsMax);

/** Letters, digits and `_`: no attribute that means something to the conversion has such a name. */
function isSimpleName(name: number): boolean {
  const start = nameStarts[name] ?? 0;
  const end = nameStarts[name + 1] ?? 0;
  for (let i = start; i < end; i++) if (isWordByte[nameBytes[i] ?? 0] === 0) return false;
  return end > start;
}

const isWordByte = Uint8Array.from({ length: 256 }, (_, byte) => (/\w/.test(String.fromCharCode(byte)) ? 1 : 0));

/** Whether the annotation of the attribute of this annotation is this annotation. */
function comesBack({ bytes, kinds, starts, ends }: DocumentIndex, entry: number): boolean {
  const start = starts[entry] ?? 0;
  const end = ends[entry] ?? 0;
  if (kinds[entry] === Kind.text) return end - start <= annotationBytesMax;
  if (kinds[entry] === Kind.integer) return end - start < 16 && !(bytes[start] === minus && bytes[start + 1] === zero);
  if (kinds[entry] !== Kind.decimal) return true;
  const value = takeNumber(bytes, start, end);
  const text = Number.isInteger(value) ? '' : String(value);
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}

function insertSorted(count: number, name: number): void {
  if (count === annotationsMax) throw unusual;
  let at = count;
  for (; at > 0 && compareNames(sortedNames[at - 1] ?? 0, name) > 0; at--) sortedNames[at] = sortedNames[at - 1] ?? 0;
  sortedNames[at] = name;
}

/** The number of the attribute key of an annotation. */
export function renamed({ index }: Reading, renames: number, name: number): number {
  const entry = renames < 0 ? -1 : index.member(renames, name);
  if (entry < 0 || index.kinds[entry] !== Kind.text) return name;
  const key = internName(index.bytes, index.starts[entry] ?? 0, index.ends[entry] ?? 0);
  if (key < 0) throw unusual;
  return key;
}

/** The members of namespace `default`. */
export function readRest(reading: Reading, metadata: number): void {
  const { attributes, index, isSegment } = reading;
  const rest = metadata < 0 ? -1 : index.member(metadata, member.default);
  if (rest < 0 || index.kinds[rest] !== Kind.object) return;
  const end = index.nexts[rest] ?? 0;
  for (let entry = rest + 1; entry < end; entry = index.nexts[entry] ?? 0) {
    const name = index.names[entry] ?? 0;
    if (isSegment && isOfResource(name)) continue;
    if (!attributes.has(name)) attributes.setJson(name, entry);
  }
}
