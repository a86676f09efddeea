import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { arbitrarySpan } from '../../../test/support/arbitraries.ts';
import { arbitraryDocument, envelopeLike, telemetrySpan } from '../../../test/support/arbitrary-documents.ts';
import { fuzzing } from '../../../test/support/fuzz.ts';
import { hostileInputs } from '../../../test/support/hostile.ts';
import { outcomeOf } from '../../../test/support/outcome.ts';
import { telemetrySpans } from '../../../test/support/telemetry.ts';
import { xrayDocuments } from '../../../test/support/xray-documents.ts';
import {
  decodeSegments,
  decodeTraces,
  encodeTraces,
  jsonText as json,
  parseJson,
  printJson,
} from '../../codec/index.ts';
import type { EnvelopeLevel } from '../../convert/index.ts';
import { toSegments, toSpans } from '../../convert/index.ts';
import type { JsonValue, SegmentDocument, Span } from '../../model/index.ts';
import { isJsonArray, isJsonObject } from '../../model/index.ts';
import { segmentsToOtlp } from './index.ts';

/** The fast path against the readable one, which is right by definition. */

function bodyOf(documents: readonly JsonValue[]): Uint8Array {
  return Buffer.from(`[${documents.map(printJson).join(',')}]`);
}

function assertAsOverSpans(body: Uint8Array): void {
  const { spans, problems } = toSpans(decodeSegments(body), { json });
  const wanted = encodeTraces(spans);
  // The second time resources and scopes are known.
  for (const round of ['first', 'second']) {
    const found = segmentsToOtlp(body);
    assert.equal(found.spans, spans.length, round);
    assert.deepEqual(found.problems, problems, round);
    if (Buffer.compare(found.bytes, wanted) !== 0) {
      assert.deepEqual(decodeTraces(found.bytes), decodeTraces(wanted), round);
      assert.fail(`the ${round} time, the same spans as other bytes`);
    }
  }
}

const levels = fc.constantFrom<EnvelopeLevel>('full', 'minimal', 'off');

describe('Segment documents become the same OTLP bytes as over spans', () => {
  for (const envelope of ['full', 'minimal', 'off'] as const) {
    test(`when Raybridge wrote them, envelope ${envelope}`, () => {
      assertAsOverSpans(bodyOf(toSegments(telemetrySpans(300, 7), { json, envelope })));
    });
  }

  test('when they are made of any spans', () => {
    fc.assert(
      fc.property(fc.array(arbitrarySpan, { maxLength: 4 }), levels, (spans, envelope) => {
        assertAsOverSpans(bodyOf(toSegments(spans, { json, envelope })));
      }),
      fuzzing(3000, { share: 0.1 }),
    );
  });

  test('when they are made of spans as instrumentations write them', () => {
    fc.assert(
      fc.property(fc.array(telemetrySpan, { maxLength: 4 }), levels, fc.boolean(), (spans, envelope, indexAll) => {
        assertAsOverSpans(bodyOf(toSegments(spans, { json, envelope, annotations: { indexAll } })));
      }),
      fuzzing(3000, { share: 0.2 }),
    );
  });

  test('when others wrote them, whatever they hold', () => {
    fc.assert(
      fc.property(fc.array(arbitraryDocument, { maxLength: 3 }), (documents) => {
        assertAsOverSpans(bodyOf(documents));
      }),
      fuzzing(3000, { share: 0.1 }),
    );
  });

  test('when their envelope is of wrong members', () => {
    fc.assert(
      fc.property(telemetrySpan, envelopeLike, (span, envelope) => {
        const documents = toSegments([span], { json }).map((document) => withEnvelope(document, envelope));
        assertAsOverSpans(bodyOf(documents));
      }),
      fuzzing(3000, { share: 0.1 }),
    );
  });

  test('when the X-Ray SDKs wrote them', () => {
    assertAsOverSpans(bodyOf(xrayDocuments(200, 5)));
  });

  test('when subsegments name the resource that their segment carries', () => {
    const documents = toSegments(inTraces(telemetrySpans(300, 7)), { json });
    assert.ok(documents.some((document) => printJson(document).includes('"r":{"h":"')));
    assertAsOverSpans(bodyOf(documents));
    assertAsOverSpans(bodyOf(documents.toReversed()));
    for (const document of documents.slice(0, 20)) assertAsOverSpans(bodyOf([document]));
    const many = Array.from({ length: 12 }, (_, seed) => telemetrySpans(30, seed + 1)).flat();
    assertAsOverSpans(bodyOf(toSegments(inTraces(many), { json })));
  });

  test('when they need or replace one another', () => {
    const [segment, other] = xrayDocuments(40, 5).filter((document) => document.has('subsegments'));
    const alone = xrayDocuments(40, 5).find((document) => document.has('type'));
    const [root] = telemetrySpans(40).filter((span) => span.kind === 3);
    assert.ok(segment && other && alone && root);
    const traceId = segment.get('trace_id') ?? null;
    const inside = arrayOf(segment.get('subsegments'))[0];
    assert.ok(isJsonObject(inside));
    const below = new Map(alone).set('trace_id', traceId).set('parent_id', segment.get('id') ?? null);
    const belowInside = new Map(below).set('parent_id', inside.get('id') ?? null);
    const twin = new Map(other).set('trace_id', traceId).set('id', inside.get('id') ?? null);
    const [service, call] = toSegments([{ ...root, parentSpanId: undefined }], { json });
    assert.ok(service && call);
    for (const documents of [
      [segment, below],
      [below, segment],
      [segment, belowInside],
      [alone, below],
      [segment, new Map(segment).set('end_time', { literal: '1764000009.5' })],
      [segment, twin],
      [twin, segment],
      [service, call],
      [call, service],
      [service],
      [call],
      [service, segment],
    ])
      assertAsOverSpans(bodyOf(documents));
  });

  test('when they were changed in any place after an SDK wrote them', () => {
    const documents = xrayDocuments(60, 9);
    fc.assert(
      fc.property(fc.constantFrom(...documents), fc.nat(), mutation, (document, place, change) => {
        assertAsOverSpans(bodyOf([mutate(document, place, change)]));
      }),
      fuzzing(3000, { share: 0.3 }),
    );
  });

  test('when they were changed in any place after Raybridge wrote them', () => {
    const documents = toSegments(inTraces(telemetrySpans(60, 3)), { json });
    fc.assert(
      fc.property(fc.constantFrom(...documents), fc.nat(), mutation, (document, place, change) => {
        assertAsOverSpans(bodyOf([...documents.slice(0, 12), mutate(document, place, change)]));
      }),
      fuzzing(3000, { share: 0.3 }),
    );
  });
});

test('A body that is no JSON is refused as it is over spans', () => {
  const body = bodyOf(toSegments(telemetrySpans(3), { json }));
  for (let end = 0; end < body.length; end += 1) {
    const cut = body.subarray(0, end);
    assert.throws(
      () => segmentsToOtlp(cut),
      messageOf(() => decodeSegments(cut)),
    );
  }
});

test('Input that was made to do harm is read or refused as it is over spans', () => {
  for (const { name, bytes } of hostileInputs(8 * 1024)) {
    const wanted = outcomeOf(() => Buffer.from(encodeTraces(toSpans(decodeSegments(bytes), { json }).spans)));
    assert.deepEqual(
      outcomeOf(() => Buffer.from(segmentsToOtlp(bytes).bytes)),
      wanted,
      name,
    );
  }
});

test('A body is one document, an array of them, or an empty one', () => {
  const [document] = toSegments(telemetrySpans(1), { json });
  assert.ok(document);
  for (const text of [printJson(document), `\n[ ${printJson(document)} ,\t${printJson(document)} ]\r\n`, '[]', ' [ ] '])
    assertAsOverSpans(Buffer.from(text));
});

test('Of documents that the X-Ray SDKs wrote hardly any goes the slow way', () => {
  const body = bodyOf(xrayDocuments(1000, 13));
  segmentsToOtlp(body);
  assert.ok(segmentsToOtlp(body).slowDocuments < 20, `${segmentsToOtlp(body).slowDocuments} of 1000`);
});

test('Of documents that Raybridge wrote hardly any goes the slow way', () => {
  for (const envelope of ['full', 'minimal'] as const) {
    for (const spans of [telemetrySpans(2000, 11), inTraces(telemetrySpans(2000, 11))]) {
      const body = bodyOf(toSegments(spans, { json, envelope }));
      segmentsToOtlp(body);
      assert.ok(segmentsToOtlp(body).slowDocuments < 40, `${segmentsToOtlp(body).slowDocuments} of 2000`);
    }
  }
});

/** The same spans, ten each in a trace. */
function inTraces(spans: readonly Span[]): readonly Span[] {
  return spans.map((span, i) => ({ ...span, traceId: spans[i - (i % 10)]?.traceId ?? span.traceId }));
}

function withEnvelope(document: SegmentDocument, envelope: JsonValue): SegmentDocument {
  const metadata = document.get('metadata');
  const namespaces = isJsonObject(metadata) ? metadata : new Map<string, JsonValue>();
  return new Map(document).set('metadata', new Map(namespaces).set('raybridge', envelope));
}

function messageOf(work: () => unknown): object {
  try {
    work();
  } catch (error) {
    if (error instanceof Error) return { message: error.message };
  }
  return assert.fail('expected an error');
}

type Change = (value: JsonValue) => JsonValue | undefined;

const replacements = [
  'null',
  'true',
  'false',
  '""',
  '"x"',
  '0',
  '-0',
  '1.0',
  '5e2',
  '1e400',
  '[]',
  '{}',
  '["a"]',
  '{"a":1}',
  '"\\u0041\\n\\"\\ud83d\\ude00"',
  '"\\ud83d"',
  '18446744073709551616',
  '9007199254740993',
  '1.5e-7',
  '"443"',
  '"aws"',
  '"remote"',
  '"Ab/c?d#e@f"',
  '"http://u:p@h/"',
  '"HTTP://H"',
  '["", 1, 2]',
  '[["a",{"intValue":"1"}],["a",{"intValue":"2"}]]',
  '{"stringValue":"x"}',
  '503',
  '1764000687.5',
  '"ü"',
] as const;

const mutation: fc.Arbitrary<Change> = fc.oneof(
  fc.constant<Change>(() => undefined),
  fc.constantFrom(...replacements).map(replaceBy),
  fc.constant<Change>((value) => (typeof value === 'string' ? `${value}x` : [value])),
  fc.constant<Change>((value) => (typeof value === 'string' ? value.toUpperCase() : value)),
);

function replaceBy(text: string): Change {
  return () => parseJson(text);
}

/** The value with one of its values changed, or taken away: the one of that number in the order of the text. */
function mutate(document: SegmentDocument, place: number, change: Change): SegmentDocument {
  let left = place % count(document);
  const walk = (value: JsonValue): JsonValue | undefined => {
    if (left-- === 0) return change(value);
    if (isJsonArray(value)) return value.map(walk).filter((element) => element !== undefined);
    if (!isJsonObject(value)) return value;
    const members = new Map<string, JsonValue>();
    for (const [name, inner] of value) {
      const changed = walk(inner);
      if (changed !== undefined) members.set(name, changed);
    }
    return members;
  };
  const changed = walk(document);
  return changed !== undefined && isJsonObject(changed) ? changed : new Map();
}

function arrayOf(value: JsonValue | undefined): readonly JsonValue[] {
  return isJsonArray(value) ? value : [];
}

function count(value: JsonValue): number {
  const inner = isJsonObject(value) ? [...value.values()] : isJsonArray(value) ? value : [];
  return inner.reduce<number>((sum, element) => sum + count(element), 1);
}
