import assert from 'node:assert/strict';
import { jsonText as json, parseJson, printJson } from '../../src/codec/index.ts';
import { toSegments, toSpans } from '../../src/convert/index.ts';
import type { JsonValue, SegmentDocument, Span } from '../../src/model/index.ts';
import { isJsonArray, isJsonObject } from '../../src/model/index.ts';

/** Documents that are too large are cut, and that has tests of its own. */
const options = { json, documentBytesMax: Number.POSITIVE_INFINITY } as const;

/** Spans become documents, which are printed and read, and the documents become the same spans, on the second trip too. */
export function assertTrips(spans: readonly Span[]): void {
  const once = throughDocuments(spans);
  // Credentials are the one thing that a conversion loses on purpose.
  if (!mayHoldCredentials(spans)) assert.deepEqual(once, spans);
  assert.deepEqual(throughDocuments(once), once);
}

function throughDocuments(spans: readonly Span[]): readonly Span[] {
  return toSpans(sent(toSegments(spans, options)), { json }).spans;
}

/** Documents become spans, and these become the same documents, on the second trip too. */
export function assertDocumentTrips(documents: readonly SegmentDocument[]): void {
  const { spans, problems } = toSpans(documents, { json });
  const lost = new Set(problems.filter((problem) => problem.lost === 'document').map(({ pointer }) => pointer));
  const kept = documents.filter((_, i) => !lost.has(`/${i}`));
  const once = toSegments(spans, options);
  const again = toSpans(sent(once), { json }).spans;
  const text = kept.map(printJson).join();
  // What says that Raybridge wrote it, and is wrong, becomes what Raybridge writes.
  if (text.includes('"raybridge"') || mayBeCompleted(kept)) return;
  if (!/@|password|pwd/i.test(text)) assertSame(once, kept);
  assert.deepEqual(again, spans);
  assertSame(toSegments(again, options), once);
}

/** True when one id stands twice, and once perhaps in progress: the complete document then stands for both. */
function mayBeCompleted(documents: readonly SegmentDocument[]): boolean {
  const ids = documents.flatMap(idsIn);
  return new Set(ids).size < ids.length;
}

function idsIn(document: JsonValue): readonly string[] {
  if (!isJsonObject(document)) return [];
  const id = document.get('id');
  const children = document.get('subsegments');
  const below = isJsonArray(children) ? children.flatMap(idsIn) : [];
  return typeof id === 'string' ? [id.toLowerCase(), ...below] : below;
}

function sent(documents: readonly SegmentDocument[]): readonly SegmentDocument[] {
  return documents.map((document) => {
    const read = parseJson(printJson(document));
    assert.ok(isJsonObject(read));
    return read;
  });
}

function assertSame(found: readonly SegmentDocument[], wanted: readonly SegmentDocument[]): void {
  assert.deepEqual(found.map(withSortedMembers), wanted.map(withSortedMembers));
}

/** Members of an object have no order. */
function withSortedMembers(value: JsonValue): unknown {
  if (isJsonArray(value)) return value.map(withSortedMembers);
  if (!isJsonObject(value)) return value;
  return [...value]
    .map(([name, inner]): [string, unknown] => [name, withSortedMembers(inner)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** True for texts that could be one of those that a conversion takes the credentials out of. */
function mayHoldCredentials(spans: readonly Span[]): boolean {
  return spans.some(({ attributes }) =>
    credentialKeys.some((key) => /@|password|pwd/i.test(String(attributes.get(key) ?? ''))),
  );
}

const credentialKeys = [
  'url.full',
  'http.url',
  'db.connection_string',
  'aws.xray.sql.connection_string',
  'aws.xray.sql.url',
] as const;
