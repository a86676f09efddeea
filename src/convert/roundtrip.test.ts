import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { arbitraryAttributeValue, arbitrarySpan } from '../../test/support/arbitraries.ts';
import {
  anyJson,
  arbitraryDocument,
  corruptEnvelope,
  envelopeLike,
  objectOfAny,
  residualLike,
  telemetrySpan,
} from '../../test/support/arbitrary-documents.ts';
import { fuzzing } from '../../test/support/fuzz.ts';
import { assertSegmentDocument } from '../../test/support/segment-members.ts';
import { readRecorded, readSample, recordedNames, sampleNames } from '../../test/support/samples.ts';
import { jsonText as json, parseJson, printJson } from '../codec/json.ts';
import type { AttributeValue, JsonObject, JsonValue, SegmentDocument, Span } from '../model/index.ts';
import { attributeDepthMax, isJsonArray, isJsonNumber, isJsonObject } from '../model/index.ts';
import { collectorPolicy } from './collector/index.ts';
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

/** Cases of each property in `npm test`. */
const casesMin = 10_000;
/** What happens to documents that are too large is tested in limits.test.ts. */
const options = { json, documentBytesMax: Number.POSITIVE_INFINITY } as const;

/**
 * What holds of every span, on one case because making it costs most: it comes back; the documents
 * are the same bytes each time; they have the members, types and bounds that readers of X-Ray rely
 * on; and a detour through the Collector leaves the span to be restored.
 */
function assertSpanProperties(span: Span): void {
  const documents = toSegments([span], options);
  const texts = documents.map(printJson);
  assert.deepEqual(toSpans(texts.map(parsed), options), { spans: [span], problems: [] });
  assert.deepEqual(toSegments([structuredClone(span)], options).map(printJson), texts);
  // A residual leads back to a foreign document, whatever that held.
  if (!span.attributes.has('raybridge.xray')) for (const document of documents) assertSegmentDocument(document);
  if ([...span.attributes].every(isPlainForCollector))
    assert.deepEqual(toSpans(texts.map(parsed).map(throughCollector), options).spans, [span]);
}

/** The same of every document: it comes back, and its spans come again as they were. */
function assertDocumentProperties(document: SegmentDocument): void {
  const { spans } = toSpans([document], options);
  const again = toSegments(spans, options);
  assertSameDocuments(again, [document]);
  assert.deepEqual(toSpans(sent(again), options).spans, spans);
}

describe('OTLP → X-Ray → OTLP gives every span as it was', () => {
  test('whatever it holds and whatever instrumentations write', () => {
    fc.assert(fc.property(fc.oneof(arbitrarySpan, telemetrySpan), assertSpanProperties), fuzzing(casesMin));
  });

  test('under the policy of the Collector and with every attribute indexed', () => {
    const all = {
      ...options,
      policy: collectorPolicy,
      annotations: { indexAll: true, indexed: ['otel.resource.service.name'] },
    } as const;
    fc.assert(
      fc.property(telemetrySpan, (span) => {
        assert.deepEqual(toSpans(sent(toSegments([span], all)), all).spans, [span]);
      }),
      fuzzing(casesMin, { share: 0.05 }),
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
      fuzzing(casesMin, { share: 0.05 }),
    );
  });

  test('under the policy of the Collector, whatever it holds', () => {
    const all = {
      json,
      policy: collectorPolicy,
      annotations: { indexed: ['http.request.method', 'custom@1'] },
    } as const;
    fc.assert(
      fc.property(fc.oneof(arbitrarySpan, telemetrySpan), (span) => {
        // There may be problems: that exporter writes members that say nothing.
        assert.deepEqual(toSpans(sent(toSegments([span], all)), all).spans, [span]);
      }),
      { numRuns: 1000 },
    );
  });

  test('when a residual that nobody wrote for it comes with it', () => {
    fc.assert(
      fc.property(telemetrySpan, residualLike, (plain, residual) => {
        const attributes = new Map(plain.attributes).set('raybridge.xray', printJson(residual));
        const span = { ...plain, attributes };
        assert.deepEqual(toSpans(sent(toSegments([span], options)), options).spans, [span]);
      }),
      fuzzing(casesMin, { share: 0.05 }),
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
      fuzzing(casesMin, { share: 0.05 }),
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
      fuzzing(casesMin, { share: 0.05 }),
    );
  });
});

describe('X-Ray → OTLP → X-Ray gives every document as it was', () => {
  test('whatever its members hold', () => {
    fc.assert(fc.property(arbitraryDocument, assertDocumentProperties), fuzzing(casesMin));
  });

  test('under any policy and index', () => {
    const all = { ...options, policy: collectorPolicy, annotations: { indexAll: true } } as const;
    fc.assert(
      fc.property(arbitraryDocument, (document) => {
        assertSameDocuments(toSegments(toSpans([document], all).spans, all), [document]);
      }),
      fuzzing(casesMin, { share: 0.05 }),
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
      fuzzing(casesMin, { share: 0.05 }),
    );
  });

  test('when it is one that Raybridge wrote', () => {
    fc.assert(
      fc.property(telemetrySpan, (span) => {
        const documents = toSegments([span], options);
        assertSameDocuments(toSegments(toSpans(documents, options).spans, options), documents);
      }),
      fuzzing(casesMin, { share: 0.05 }),
    );
  });

  test('when its spans are written beside those of another of the same id, read before it was complete', () => {
    const documents = [
      '"in_progress":true,"subsegments":[{"name":"a"}]',
      '"end_time":2,"subsegments":[{"name":"a"},{"name":"b"}]',
    ].map((rest) =>
      parsed(
        `{"id":"53995c3f42cd8ad8","trace_id":"1-5759e988-bd862e3fe1be46a994272793","name":"n","start_time":1,${rest}}`,
      ),
    );
    const spans = documents.flatMap((document) => toSpans([document], options).spans);
    assertSameDocuments(toSegments(spans, options), documents);
  });

  test('and the same spans from them, whatever order the members stand in', () => {
    const [one, other] = ['"raybridge":{},"default":null', '"default":null,"raybridge":{}'].map((metadata) =>
      parsed(
        `{"id":"53995c3f42cd8ad8","trace_id":"1-5759e988-bd862e3fe1be46a994272793","start_time":1,"metadata":{${metadata}}}`,
      ),
    );
    assert.ok(one && other);
    assert.deepEqual(toSpans([one], options).spans, toSpans([other], options).spans);
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

test('The check of members refuses what readers would trip over', () => {
  const [good] = toSegments(toSpans([parsed(readSample('indepSubsegment'))], options).spans, options);
  assert.ok(good);
  assertSegmentDocument(good);
  const wrong: readonly [string, JsonValue][] = [
    ['user', null],
    ['user', ''],
    ['name', '<x>'],
    ['name', 'a'.repeat(201)],
    ['in_progress', true],
    ['annotations', new Map([['a b', 'x']])],
    ['http', new Map([['response', new Map([['status', '200']])]])],
    ['surprise', 'x'],
  ];
  for (const [name, value] of wrong)
    assert.throws(() => assertSegmentDocument(new Map(good).set(name, value)), { name: 'AssertionError' }, name);
});

test('The envelope goes on top of the document of the Collector and changes nothing in it', () => {
  const all = { json, policy: collectorPolicy, annotations: { indexed: ['custom@1'] } } as const;
  fc.assert(
    fc.property(telemetrySpan, (span) => {
      // A span with a residual leads to the document that it came from.
      fc.pre(span.scope.name !== '' && !span.attributes.has('raybridge.xray'));
      const plain = toSegments([span], { ...all, envelope: 'off' });
      const full = toSegments([span], all).map((document) => {
        const metadata = document.get('metadata');
        assert.ok(isJsonObject(metadata));
        const namespaces = [...metadata].filter(([namespace]) => namespace !== 'raybridge');
        const rest = new Map(document);
        if (namespaces.length > 0) rest.set('metadata', new Map(namespaces));
        else rest.delete('metadata');
        return rest;
      });
      assertSameDocuments(full, plain);
    }),
    { numRuns: 500 },
  );
});

test('A document without its envelope, or with one that is corrupt, is read as any other', () => {
  fc.assert(
    fc.property(telemetrySpan, fc.oneof(corruptEnvelope, fc.constant(undefined)), (span, corrupt) => {
      for (const document of toSegments([span], options)) {
        const other = withEnvelope(document, corrupt);
        const { spans, problems } = toSpans([other], options);
        assert.equal(spans.length, 1);
        assert.equal(spans[0]?.traceId, span.traceId);
        assert.equal(spans[0]?.startTimeNs, span.startTimeNs);
        const isTold = problems.some(({ pointer }) => pointer === '/0/metadata/raybridge');
        assert.equal(isTold, corrupt !== undefined);
        if (corrupt) assert.equal(spans[0]?.attributes.get('aws.xray.metadata.raybridge'), printJson(corrupt));
        assertSameDocuments(toSegments(spans, options), [other]);
      }
    }),
    fuzzing(casesMin),
  );
});

test('An envelope of wrong members gives a span all the same', () => {
  fc.assert(
    fc.property(telemetrySpan, envelopeLike, (span, envelope) => {
      for (const document of toSegments([span], options)) {
        const { spans, problems } = toSpans([withEnvelope(document, envelope)], options);
        const isForeign = problems.some(({ pointer }) => pointer === '/0/metadata/raybridge');
        assert.equal(spans.length, envelope.get('j') === 'svc' && !isForeign ? 0 : 1);
      }
    }),
    fuzzing(casesMin, { share: 0.05 }),
  );
});

test('Members of the envelope that only a later version knows stay in the document', () => {
  fc.assert(
    fc.property(telemetrySpan, objectOfAny(fc.constantFrom('A', 'zz', '__proto__', ''), anyJson), (span, later) => {
      fc.pre(!span.attributes.has('raybridge.xray') && isJsonObject(later));
      const documents = toSegments([span], options).map((document) => {
        const envelope = envelopeOf(document);
        return envelope && envelope.get('j') !== 'svc'
          ? withEnvelope(document, new Map([...envelope, ...later]))
          : document;
      });
      const { spans, problems } = toSpans(documents, options);
      assert.deepEqual(problems, []);
      assertSameDocuments(toSegments(spans, options), documents);
      assert.deepEqual(toSpans(sent(toSegments(spans, options)), options).spans, spans);
    }),
    fuzzing(casesMin, { share: 0.05 }),
  );
});

function envelopeOf(document: SegmentDocument): JsonObject | undefined {
  const metadata = document.get('metadata');
  const envelope = isJsonObject(metadata) ? metadata.get('raybridge') : undefined;
  return isJsonObject(envelope) ? envelope : undefined;
}

function withEnvelope(document: SegmentDocument, envelope: JsonValue | undefined): SegmentDocument {
  const metadata = document.get('metadata');
  const namespaces = new Map(isJsonObject(metadata) ? metadata : []);
  if (envelope === undefined) namespaces.delete('raybridge');
  else namespaces.set('raybridge', envelope);
  return new Map(document).set('metadata', namespaces);
}

/**
 * Annotations and metadata as the Collector hands them on: the receiver makes attributes of them,
 * each namespace as JSON text, and the exporter documents of those. Numbers are doubles between,
 * members are sorted, and a namespace that is no object becomes a member of `default`.
 */
function throughCollector(document: SegmentDocument): SegmentDocument {
  const changed = new Map(document);
  const annotations = document.get('annotations');
  if (annotations !== undefined) changed.set('annotations', withDoubles(annotations));
  const metadata = document.get('metadata');
  if (!isJsonObject(metadata)) return changed;
  const namespaces = new Map<string, JsonValue>();
  const rest = metadata.get('default');
  const inDefault = new Map<string, JsonValue>(isJsonObject(rest) ? rest : []);
  for (const [namespace, content] of metadata) {
    if (namespace === 'default') continue;
    if (isJsonObject(content)) namespaces.set(namespace, withDoubles(content));
    else inDefault.set(`aws.xray.metadata.${namespace}`, printJson(withDoubles(content)));
  }
  if (inDefault.size > 0) namespaces.set('default', withDoubles(inDefault));
  return changed.set('metadata', namespaces);
}

function withDoubles(value: JsonValue): JsonValue {
  if (isJsonNumber(value)) {
    const double = Number(value.literal);
    return { literal: Object.is(double, -0) ? '-0' : String(double) };
  }
  if (isJsonArray(value)) return value.map(withDoubles);
  if (!isJsonObject(value)) return value;
  const entries = [...value].map(([name, inner]): [string, JsonValue] => [name, withDoubles(inner)]);
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The JSON text of a span's own namespace is written anew on the way: other white space and numbers are lost. */
function isPlainForCollector([key, value]: readonly [string, AttributeValue]): boolean {
  if (!key.startsWith('aws.xray.metadata.') || typeof value !== 'string') return true;
  const content = json.parse(value);
  return content === undefined || printJson(withDoubles(content)) === value;
}
