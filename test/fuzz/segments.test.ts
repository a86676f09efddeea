import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeSegments, jsonText as json } from '../../src/codec/index.ts';
import { inspectSegment, joinSegments } from '../../src/codec/segment.ts';
import { toSpans } from '../../src/convert/index.ts';
import { toBytes } from '../support/bytes.ts';
import { fuzzing } from '../support/fuzz.ts';
import { arbitraryMutations, mutateText } from '../support/mutate.ts';
import { outcomeOf } from '../support/outcome.ts';
import { readRecorded, readSample, recordedNames, sampleNames } from '../support/samples.ts';
import { arbitrarySegmentText } from '../support/segment-texts.ts';
import { assertDocumentTrips } from '../support/trips.ts';

const corpus = [
  ...sampleNames.map(readSample),
  ...recordedNames.flatMap((name) => readRecorded(name).flatMap(({ documents }) => documents)),
].map(toBytes);

test('A segment document of confused types is refused, or becomes spans that lead back to it', () => {
  fc.assert(
    fc.property(arbitrarySegmentText, (text) => assertFit(toBytes(text))),
    fuzzing(700),
  );
});

test('A changed segment document is refused, or becomes spans that lead back to it', () => {
  fc.assert(
    fc.property(fc.constantFrom(...corpus), fc.constantFrom(...corpus), arbitraryMutations, (bytes, donor, mutations) =>
      assertFit(mutateText(bytes, donor, mutations)),
    ),
    fuzzing(700),
  );
});

function assertFit(bytes: Uint8Array): void {
  const strict = inspectSegment(bytes);
  const loose = inspectSegment(bytes, { rules: 'datagram' });
  assert.ok(!strict.ok || loose.ok, 'what the API takes, a datagram may bring');
  const decoded = outcomeOf(() => decodeSegments(bytes));
  assert.deepEqual(Object.keys(Object.prototype), []);
  if (loose.ok) {
    const documents = decodeSegments(joinSegments(loose.documents));
    assert.deepEqual(documents, decoded.value);
    const { problems } = toSpans(documents, { json });
    assert.deepEqual(
      problems.filter(({ lost }) => lost === 'document'),
      [],
    );
  }
  if (decoded.value) assertDocumentTrips(decoded.value);
}
