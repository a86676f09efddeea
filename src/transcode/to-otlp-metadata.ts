import { resourcePrefix } from '../convert/annotations.ts';
import { Value } from './to-otlp-attributes.ts';
import { Kind } from './to-otlp-index.ts';
import { takeNumber, unusual } from './to-otlp-literals.ts';
import { internName, member, nameBytes, nameStarts } from './to-otlp-names.ts';
import type { Reading } from './to-otlp-reading.ts';
import { appendJson } from './to-otlp-text.ts';

/**
 * Annotations and metadata of documents that Raybridge wrote, as `convert/annotations.ts` and
 * `convert/metadata.ts` read them. What belongs to the resource is left out.
 */

const encoder = new TextEncoder();
const resourcePrefixBytes = encoder.encode(resourcePrefix);
const namespacePrefixBytes = encoder.encode('aws.xray.metadata.');

/** Whether an attribute of that name is one of the resource, on a segment. */
export function isOfResource(name: number): boolean {
  const start = nameStarts[name] ?? 0;
  if ((nameStarts[name + 1] ?? 0) - start < resourcePrefixBytes.length) return false;
  for (let i = 0; i < resourcePrefixBytes.length; i++)
    if (nameBytes[start + i] !== resourcePrefixBytes[i]) return false;
  return true;
}

/** Namespaces as attributes of JSON text, but `default` and the envelope. */
export function readNamespaces(reading: Reading, metadata: number): void {
  const { attributes, index } = reading;
  const end = index.nexts[metadata] ?? 0;
  for (let entry = metadata + 1; entry < end; entry = index.nexts[entry] ?? 0) {
    const namespace = index.names[entry] ?? 0;
    if (namespace === member.raybridge) continue;
    if (namespace === member.default && index.kinds[entry] === Kind.object) continue;
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
