import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeSegments } from '../../src/codec/index.ts';
import { arbitrarySpans } from '../support/arbitraries.ts';
import { toBytes } from '../support/bytes.ts';
import { fuzzing } from '../support/fuzz.ts';
import { arbitrarySegmentText } from '../support/segment-texts.ts';
import { assertDocumentTrips, assertTrips } from '../support/trips.ts';

test('Spans go to X-Ray and back, twice, and are the same each time', () => {
  fc.assert(fc.property(arbitrarySpans, assertTrips), fuzzing(200));
});

test('Documents go to OTLP and back, twice, and are the same each time', () => {
  fc.assert(
    fc.property(fc.array(arbitrarySegmentText, { minLength: 1, maxLength: 3 }), (texts) => {
      assertDocumentTrips(decodeSegments(toBytes(`[${texts.join(',')}]`)));
    }),
    fuzzing(200),
  );
});
