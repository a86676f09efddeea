import assert from 'node:assert/strict';
import { test } from 'node:test';
import { badInput } from '../../test/support/bad-input.ts';
import { toBytes } from '../../test/support/bytes.ts';
import { readRecorded, readSample, recordedNames, sampleNames } from '../../test/support/samples.ts';
import { parseJson } from './json.ts';
import type { SegmentErrorCode } from './segment.ts';
import { decodeSegments, inspectSegment, joinSegments, printSegment, splitSegments } from './segment.ts';

test('real documents are taken, decoded, and printed with the same members and number texts', () => {
  for (const text of realDocuments()) {
    assert.deepEqual(inspectSegment(text, { rules: 'datagram' }), { ok: true, documents: [toBytes(text.trim())] });
    const [document] = decodeSegments(toBytes(text));
    assert.ok(document);
    assert.deepEqual(parseJson(printSegment(document)), parseJson(text));
    assert.deepEqual(JSON.parse(printSegment(document)), JSON.parse(text));
  }
});

test('documents joined to one body come out of it byte for byte', () => {
  const documents = realDocuments().map(toBytes);
  const body = joinSegments(documents);
  assert.deepEqual(
    splitSegments(body).map(toText),
    documents.map((document) => toText(document).trim()),
  );
  assert.deepEqual(
    decodeSegments(body),
    documents.flatMap((document) => decodeSegments(document)),
  );
  assert.equal(toText(joinSegments([])), '[]');
  assert.deepEqual(decodeSegments(joinSegments([])), []);
});

test('a body that is no array is one document', () => {
  assert.deepEqual(splitSegments(toBytes(' {"a":1}\n')).map(toText), ['{"a":1}']);
});

test('a body that holds anything but objects is refused', () => {
  for (const text of ['', '5', '[5]', '[{}', '[{},]', '{} {}', 'null']) {
    assert.throws(() => decodeSegments(toBytes(text)), badInput(/./), text);
  }
});

test('a complete segment, one in progress and an independent subsegment are taken', () => {
  for (const text of [
    segment({}),
    segment({ end_time: undefined, in_progress: true }),
    segment({ end_time: undefined, in_progress: undefined, subsegments: undefined }, ',"end_time":1.49E9'),
    segment({ type: 'subsegment', parent_id: 'bda182a644eee9b3' }),
    segment({ trace_id: '5F1872536a106696d56b1f4ef9eba2ed', id: '5CC4A447F5D4D696' }),
    segment({ parent_id: null }),
    segment({ parent_id: '' }),
    segment({ subsegments: [child({}), child({ end_time: undefined, in_progress: true })] }),
    segment({ metadata: { deep: { er: [1, 2, { '"': '\\' }] } } }),
  ]) {
    assert.deepEqual(inspectSegment(text), { ok: true, documents: [toBytes(text)] }, text);
  }
});

test('what X-Ray would not take is refused with its error code and the id', () => {
  const id = '5cc4a447f5d4d696';
  const cases: readonly (readonly [text: string, errorCode: SegmentErrorCode, id: string | undefined])[] = [
    ['', 'InvalidSegment', undefined],
    ['nonsense', 'InvalidSegment', undefined],
    ['{"id":', 'InvalidSegment', undefined],
    ['5', 'InvalidSegment', undefined],
    [`${segment({})} x`, 'InvalidSegment', undefined],
    ['"\ud800"', 'InvalidSegment', undefined],
    ['{}', 'MissingId', undefined],
    [segment({ id: null }), 'MissingId', undefined],
    [segment({ id: 'x' }), 'InvalidId', 'x'],
    [segment({ id: '0000000000000000' }), 'InvalidId', '0000000000000000'],
    [segment({ trace_id: undefined }), 'MissingTraceId', id],
    [segment({ trace_id: '1-5f187253-6a10' }), 'InvalidTraceId', id],
    [segment({ trace_id: '1-00000000-000000000000000000000000' }), 'InvalidTraceId', id],
    [segment({ name: undefined }), 'MissingName', id],
    [segment({ name: '' }), 'MissingName', id],
    [segment({ name: 5 }), 'MissingName', id],
    [segment({ start_time: undefined }), 'MissingStartTime', id],
    [segment({ start_time: '1595437651' }), 'MissingStartTime', id],
    [segment({ end_time: undefined }), 'MissingEndTime', id],
    [segment({ end_time: undefined, in_progress: false }), 'MissingEndTime', id],
    [segment({ type: 'subsegment' }), 'MissingParentId', id],
    [segment({ parent_id: 'xyz' }), 'InvalidParentId', id],
    [segment({ subsegments: [child({}), child({ id: undefined })] }), 'MissingId', id],
    [segment({ subsegments: [child({ subsegments: [child({ name: undefined })] })] }), 'MissingName', id],
    [segment({ metadata: 'x'.repeat(64 * 1024) }), 'SegmentTooLarge', id],
  ];
  for (const [text, errorCode, expectedId] of cases) {
    const inspection = inspectSegment(text);
    assert.ok(!inspection.ok, text.slice(0, 200));
    assert.deepEqual([inspection.errorCode, inspection.id], [errorCode, expectedId], text.slice(0, 200));
    assert.match(
      inspection.message,
      new RegExp(`^Invalid (sub)?segment\\. ErrorCode: ${errorCode}, Cause: (expected|segment document,)`),
    );
  }
});

test('a wrong subsegment inside is told apart in the message', () => {
  const inspection = inspectSegment(segment({ subsegments: [child({ start_time: undefined })] }));
  assert.ok(!inspection.ok);
  assert.equal(
    inspection.message,
    'Invalid subsegment. ErrorCode: MissingStartTime, Cause: expected start_time in epoch seconds, got none',
  );
});

test('over UDP a document without an end, or with a wrong subsegment inside, is kept', () => {
  for (const text of [segment({ end_time: undefined }), segment({ subsegments: [child({ id: undefined })] })]) {
    assert.equal(inspectSegment(text).ok, false);
    assert.equal(inspectSegment(text, { rules: 'datagram' }).ok, true);
  }
  const nameless = inspectSegment(segment({ name: undefined }), { rules: 'datagram' });
  assert.equal(nameless.ok, false);
});

test('an array of documents is taken as several, and refused when one of them is wrong', () => {
  const good = [segment({}), segment({ name: 'other' })];
  assert.deepEqual(inspectSegment(`[${good.join(' , ')}]`), { ok: true, documents: good.map(toBytes) });
  const inspection = inspectSegment(`[${segment({})},${segment({ id: 'x' })}]`);
  assert.ok(!inspection.ok);
  assert.deepEqual([inspection.errorCode, inspection.id], ['InvalidId', 'x']);
});

test('a document nested too deep is refused, and one that is taken can be decoded from a joined body', () => {
  const nested = (depth: number) => segment({}, `,"metadata":${'['.repeat(depth)}${']'.repeat(depth)}`);
  assert.equal(inspectSegment(nested(64)).ok, false);
  assert.equal(inspectSegment(nested(100_000)).ok, false);
  const inspection = inspectSegment(nested(63));
  assert.ok(inspection.ok);
  assert.equal(decodeSegments(joinSegments(inspection.documents)).length, 1);
});

test('a document that is cut anywhere is refused', () => {
  const bytes = toBytes(segment({ subsegments: [child({ name: 'é' })] }));
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(inspectSegment(bytes.subarray(0, length)).ok, false);
  }
});

/** The repository's sample documents: single ones, and those inside BatchGetTraces answers. */
function realDocuments(): readonly string[] {
  const recorded = recordedNames.flatMap((name) => readRecorded(name).flatMap(({ documents }) => documents));
  assert.ok(recorded.length > 5);
  return [...sampleNames.map(readSample), ...recorded];
}

/** A good segment with some members changed; `undefined` leaves one out. */
function segment(changes: Record<string, unknown>, more = ''): string {
  const members = {
    trace_id: '1-5f187253-6a106696d56b1f4ef9eba2ed',
    id: '5cc4a447f5d4d696',
    name: 'segment',
    start_time: 1595437651.680097,
    end_time: 1595437652.197392,
    ...changes,
  };
  return JSON.stringify(members).replace(/\}$/, `${more}}`);
}

function child(changes: Record<string, unknown>): object {
  return { id: '5cc4a447f5d4d697', name: 'child', start_time: 1, end_time: 2, ...changes };
}

function toText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
