import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { arbitrarySpans } from '../../../test/support/arbitraries.ts';
import { fuzzing } from '../../../test/support/fuzz.ts';
import { telemetrySpans } from '../../../test/support/telemetry.ts';
import { usualSpan } from '../../../test/support/usual-spans.ts';
import { decodeTraces, encodeTraces, jsonText as json, printSegment } from '../../codec/index.ts';
import { type SegmentOptions, writeSegments } from '../../convert/index.ts';
import type { Span } from '../../model/index.ts';
import { createSegmentTranscoder, type SegmentDocuments } from './index.ts';

const settings: Readonly<Record<string, Partial<SegmentOptions>>> = {
  'the whole envelope': {},
  'every resource in each document': { envelopeResource: 'always' },
  'a minimal envelope': { envelope: 'minimal' },
  'no envelope': { envelope: 'off' },
  'every attribute indexed': { annotations: { indexAll: true } },
  'some attributes indexed': {
    annotations: {
      indexed: ['app.total', 'http.request.method', 'user.id', 'app.na*', { from: 'db.names*', to: 'database' }],
      limit: 6,
    },
  },
  'attributes of resources indexed': {
    annotations: { indexed: ['app.tags', 'otel.resource.service.name', 'otel.resource.c*'] },
    namesNamespace: true,
    logGroups: ['shop'],
  },
};

function texts({ bytes, ends }: SegmentDocuments): readonly string[] {
  const decoder = new TextDecoder();
  return ends.map((end, i) => decoder.decode(bytes.subarray(ends[i - 1] ?? 0, end)));
}

describe('OTLP bytes become the documents that their spans become', () => {
  for (const [name, options] of Object.entries(settings)) {
    const transcode = createSegmentTranscoder(options);
    const check = (spans: readonly Span[]): SegmentDocuments => {
      const request = encodeTraces(spans);
      const found = transcode(request);
      const wanted = writeSegments(decodeTraces(request), { ...options, json });
      assert.deepEqual(texts(found), wanted.documents.map(printSegment));
      assert.deepEqual(found.problems, wanted.problems);
      return found;
    };

    it(`of whatever spans, with ${name}`, () => {
      fc.assert(fc.property(arbitrarySpans, (spans) => void check(spans)));
    });

    it(`of every combination of usual attributes, with ${name}`, () => {
      let spansChecked = 0;
      let slow = 0;
      fc.assert(
        fc.property(fc.array(usualSpan, { maxLength: 4 }), (spans) => {
          spansChecked += spans.length;
          slow += check(spans).slowSpans;
        }),
        fuzzing(1000),
      );
      // Odd values are among them, but what is compared must not be the oracle with itself.
      assert.ok(slow < 0.9 * spansChecked, `${slow} of ${spansChecked} spans were not usual`);
    });

    it(`of spans that are too large for X-Ray, with ${name}`, () => {
      const spans = telemetrySpans(12).map((span, i) => ({
        ...span,
        attributes: new Map([...span.attributes, ['app.body', 'x'.repeat(i % 4 === 0 ? 70_000 : 100)]]),
      }));
      const { problems } = check(spans);
      assert.ok(problems.length >= 3);
    });

    it(`of a service whose resource fills a document, with ${name}`, () => {
      const [first, ...rest] = telemetrySpans(6);
      assert.ok(first);
      for (const size of [20_000, 70_000]) {
        const resource = {
          ...first.resource,
          attributes: new Map([...first.resource.attributes, ['process.command_args', 'x'.repeat(size)]]),
        };
        check([first, ...rest].map((span) => ({ ...span, resource })));
      }
    });

    it(`of usual telemetry without taking the path over spans, with ${name}`, () => {
      for (const seed of [1, 2, 3]) assert.equal(check(telemetrySpans(300, seed)).slowSpans, 0);
    });
  }
});
