import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { arbitraryAttributeValue, arbitrarySpan } from '../../test/support/arbitraries.ts';
import {
  arbitraryDocument,
  envelopeLike,
  residualLike,
  telemetrySpan,
} from '../../test/support/arbitrary-documents.ts';
import { readRecorded, readSample, recordedNames, sampleNames } from '../../test/support/samples.ts';
import { parseJson, printJson } from '../codec/json.ts';
import { attributeDepthMax } from '../codec/otlp.ts';
import type { AttributeValue, JsonValue, SegmentDocument } from '../model/index.ts';
import { isJsonArray, isJsonObject } from '../model/index.ts';
import { jsonText as json } from '../pipeline/batches.ts';
import { toSegments, toSpans } from './index.ts';

/** The two properties that hold the conversion together, over the whole of both models. */

/** Through the wire: printed, and read with the bounds of a receiver. */
function sent(documents: readonly SegmentDocument[]): readonly SegmentDocument[] {
  return documents.map((document) => parsed(printJson(document)));
}

function parsed(text: string | Uint8Array): SegmentDocument {
  const value = parseJson(text);
  assert.ok(isJsonObject(value));
  return value;
}

/** Members by name, so that documents compare without order. */
function sorted(value: JsonValue): unknown {
  if (isJsonArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  return [...value]
    .map(([name, inner]): [string, unknown] => [name, sorted(inner)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function assertSameDocuments(found: readonly SegmentDocument[], wanted: readonly SegmentDocument[]): void {
  assert.deepEqual(found.map(sorted), wanted.map(sorted));
}

const options = { json } as const;

describe('OTLP → X-Ray → OTLP gives every span as it was', () => {
  test('whatever it holds', () => {
    fc.assert(
      fc.property(arbitrarySpan, (span) => {
        assert.deepEqual(toSpans(sent(toSegments([span], options)), options), { spans: [span], problems: [] });
      }),
      { numRuns: 1500 },
    );
  });

  test('when it holds what instrumentations write', () => {
    fc.assert(
      fc.property(telemetrySpan, (span) => {
        assert.deepEqual(toSpans(sent(toSegments([span], options)), options), { spans: [span], problems: [] });
      }),
      { numRuns: 1500 },
    );
  });

  test('under the policy of the Collector and with every attribute indexed', () => {
    const all = {
      json,
      policy: 'collector',
      annotations: { indexAll: true, indexed: ['otel.resource.service.name'] },
    } as const;
    fc.assert(
      fc.property(telemetrySpan, (span) => {
        assert.deepEqual(toSpans(sent(toSegments([span], all)), all).spans, [span]);
      }),
      { numRuns: 500 },
    );
  });

  test('whatever rules its documents are made by', () => {
    const ruled = {
      json,
      marksParentLinks: true,
      namesNamespace: true,
      annotations: {
        indexed: ['custom*', 'aws.*', { from: 'http.*', to: 'web' }, { from: 'db.name', to: 'custom_1' }],
      },
    } as const;
    fc.assert(
      fc.property(telemetrySpan, (span) => {
        assert.deepEqual(toSpans(sent(toSegments([span], ruled)), options).spans, [span]);
      }),
      { numRuns: 500 },
    );
  });

  test('when a residual that nobody wrote for it comes with it', () => {
    fc.assert(
      fc.property(telemetrySpan, residualLike, (plain, residual) => {
        const attributes = new Map(plain.attributes).set('raybridge.xray', printJson(residual));
        const span = { ...plain, attributes };
        assert.deepEqual(toSpans(sent(toSegments([span], options)), options).spans, [span]);
      }),
      { numRuns: 500 },
    );
  });

  test('when its values are as deep as OTLP takes them', () => {
    let list: AttributeValue = Uint8Array.of(1, 255);
    let map: AttributeValue = Number.NaN;
    for (let i = 1; i < attributeDepthMax; i++) [list, map] = [[list], new Map([['k', map]])];
    const [plain] = fc.sample(arbitrarySpan, { numRuns: 1, seed: 1 });
    assert.ok(plain);
    const span = {
      ...plain,
      attributes: new Map<string, AttributeValue>([
        ['list', list],
        ['map', map],
      ]),
    };
    assert.deepEqual(toSpans(sent(toSegments([span], options)), options).spans, [span]);
  });

  test('when it came from a document and was changed on the way', () => {
    fc.assert(
      fc.property(arbitraryDocument, fc.string(), arbitraryAttributeValue, (document, key, value) => {
        const spans = toSpans([document], options).spans.map((span) => ({
          ...span,
          attributes: new Map(span.attributes).set(key, value),
        }));
        const again = toSpans(sent(toSegments(spans, options)), options).spans;
        assert.deepEqual(again, spans);
      }),
      { numRuns: 500 },
    );
  });

  test('when it came out of a document and goes on alone', () => {
    fc.assert(
      fc.property(arbitraryDocument, (document) => {
        // What is no subsegment moves up when the subsegments before it are elsewhere.
        const { spans, problems } = toSpans([document], options);
        fc.pre(problems.every((problem) => !/\/subsegments\/\d+$/.test(problem.pointer)));
        for (const span of spans) assert.deepEqual(toSpans(sent(toSegments([span], options)), options).spans, [span]);
      }),
      { numRuns: 500 },
    );
  });
});

describe('X-Ray → OTLP → X-Ray gives every document as it was', () => {
  test('whatever its members hold', () => {
    fc.assert(
      fc.property(arbitraryDocument, (document) => {
        assertSameDocuments(toSegments(toSpans([document], options).spans, options), [document]);
      }),
      { numRuns: 1500 },
    );
  });

  test('under any policy and index', () => {
    const all = { json, policy: 'collector', annotations: { indexAll: true } } as const;
    fc.assert(
      fc.property(arbitraryDocument, (document) => {
        assertSameDocuments(toSegments(toSpans([document], all).spans, all), [document]);
      }),
      { numRuns: 500 },
    );
  });

  test('however the spans are worded', () => {
    const wording = fc.record(
      {
        nameStyle: fc.constantFrom('operation', 'segment'),
        semconv: fc.constantFrom('stable', 'legacy', 'both'),
        showsTraceContext: fc.boolean(),
        defaultServiceName: fc.constantFrom(undefined, 'shop'),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(arbitraryDocument, wording, (document, wording) => {
        assertSameDocuments(toSegments(toSpans([document], { json, ...wording }).spans, options), [document]);
      }),
      { numRuns: 1000 },
    );
  });

  test('when it is one that Raybridge wrote', () => {
    fc.assert(
      fc.property(telemetrySpan, (span) => {
        const documents = toSegments([span], options);
        assertSameDocuments(toSegments(toSpans(documents, options).spans, options), documents);
      }),
      { numRuns: 500 },
    );
  });

  for (const name of sampleNames) {
    test(`the sample ${name}`, () => {
      const document = parsed(readSample(name));
      assertSameDocuments(toSegments(toSpans([document], options).spans, options), [document]);
    });
  }

  for (const name of recordedNames) {
    test(`the traces of ${name}`, () => {
      const documents = readRecorded(name).flatMap((trace) => trace.documents.map(parsed));
      assertSameDocuments(toSegments(toSpans(documents, options).spans, options), documents);
    });
  }
});

test('The same spans make the same documents, to the byte', () => {
  fc.assert(
    fc.property(telemetrySpan, (span) => {
      const print = (): readonly string[] => toSegments([structuredClone(span)], options).map(printJson);
      assert.deepEqual(print(), print());
    }),
    { numRuns: 300 },
  );
});

test('A document without its envelope, or with one that is corrupt, is read as any other', () => {
  fc.assert(
    fc.property(telemetrySpan, fc.constantFrom('{"v":99}', '{}', '[]', '"x"', '{"v":"1"}'), (span, corrupt) => {
      for (const document of toSegments([span], options)) {
        const metadata = document.get('metadata');
        assert.ok(isJsonObject(metadata));
        const other = new Map(document).set('metadata', new Map(metadata).set('raybridge', parseJson(corrupt)));
        const { spans } = toSpans([other], options);
        assert.equal(spans.length, 1);
        assert.equal(spans[0]?.traceId, span.traceId);
        assert.equal(spans[0]?.startTimeNs, span.startTimeNs);
        assertSameDocuments(toSegments(spans, options), [other]);
      }
    }),
    { numRuns: 300 },
  );
});

test('An envelope of wrong members gives a span all the same', () => {
  fc.assert(
    fc.property(telemetrySpan, envelopeLike, (span, envelope) => {
      for (const document of toSegments([span], options)) {
        const other = new Map(document).set('metadata', new Map([['raybridge', envelope]]));
        assert.equal(toSpans([other], options).spans.length, envelope.get('j') === 'svc' ? 0 : 1);
      }
    }),
    { numRuns: 500 },
  );
});
