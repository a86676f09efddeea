import { Kind } from './to-otlp-index.ts';
import { unusual } from './to-otlp-literals.ts';
import { isOfResource, renamed } from './to-otlp-metadata.ts';
import { member } from './to-otlp-names.ts';
import type { Reading } from './to-otlp-reading.ts';
import type { RangeKey } from './to-otlp-seen.ts';

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
