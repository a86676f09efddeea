import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { arbitrarySpans } from '../../test/support/arbitraries.ts';
import { arbitraryDocument, telemetrySpan } from '../../test/support/arbitrary-documents.ts';
import { fuzzing } from '../../test/support/fuzz.ts';
import { jsonText as json } from '../codec/index.ts';
import { toSegments, toSpans } from '../convert/index.ts';
import type { Span, TraceDigest } from '../model/index.ts';
import { assembleTrace, digestTrace } from '../query/index.ts';
import { digestSpans } from './assemble.ts';

const traceId = '6650a1b200f1e2d3c4b5a69788796a5b';

describe('the digest of spans', () => {
  const cases: readonly (readonly [string, fc.Arbitrary<readonly Span[]>])[] = [
    ['any spans', arbitrarySpans],
    ['spans of instrumentations', fc.array(telemetrySpan, { maxLength: 6 })],
    ['spans of documents', fc.array(arbitraryDocument, { maxLength: 4 }).map((all) => toSpans(all, { json }).spans)],
  ];
  for (const [name, arbitrary] of cases)
    it(`is the one of their documents with all that these could show: ${name}`, () => {
      fc.assert(
        fc.property(arbitrary, (spans) => {
          assert.deepEqual(digestSpans(traceId, spans), digestOfWhole(spans));
        }),
        fuzzing(200),
      );
    });
});

function digestOfWhole(spans: readonly Span[]): TraceDigest {
  const whole = { json, envelope: 'off', documentBytesMax: Number.POSITIVE_INFINITY } as const;
  return digestTrace(assembleTrace(traceId, toSegments(spans, whole)), spans);
}
