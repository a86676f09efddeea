import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { arbitrarySpans } from '../../../test/support/arbitraries.ts';
import { fuzzing } from '../../../test/support/fuzz.ts';
import { telemetrySpans } from '../../../test/support/telemetry.ts';
import { usualSpan } from '../../../test/support/usual-spans.ts';
import { decodeTraces, encodeTraces, jsonText as json, printSegment } from '../../codec/index.ts';
import { type EnvelopeLevel, toSegments } from '../../convert/index.ts';
import type { Span } from '../../model/index.ts';
import { createSegmentTranscoder, type SegmentDocuments } from './index.ts';

const levels: readonly EnvelopeLevel[] = ['full', 'minimal', 'off'];

function texts({ bytes, ends }: SegmentDocuments): readonly string[] {
  const decoder = new TextDecoder();
  return ends.map((end, i) => decoder.decode(bytes.subarray(ends[i - 1] ?? 0, end)));
}

describe('OTLP bytes become the documents that their spans become', () => {
  for (const envelope of levels) {
    const transcode = createSegmentTranscoder({ envelope });
    const check = (spans: readonly Span[]): SegmentDocuments => {
      const request = encodeTraces(spans);
      const found = transcode(request);
      assert.deepEqual(texts(found), toSegments(decodeTraces(request), { envelope, json }).map(printSegment));
      return found;
    };

    it(`of whatever spans, envelope ${envelope}`, () => {
      fc.assert(fc.property(arbitrarySpans, (spans) => void check(spans)));
    });

    it(`of every combination of usual attributes, envelope ${envelope}`, () => {
      fc.assert(
        fc.property(fc.array(usualSpan, { maxLength: 4 }), (spans) => void check(spans)),
        fuzzing(3000),
      );
    });

    it(`of usual telemetry without taking the path over spans, envelope ${envelope}`, () => {
      for (const seed of [1, 2, 3]) assert.equal(check(telemetrySpans(300, seed)).slowSpans, 0);
    });
  }
});
