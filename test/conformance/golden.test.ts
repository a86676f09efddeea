import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeTracesJson, encodeTracesJson, parseJson, printJson } from '../../src/codec/index.ts';
import type { IndexEntry, SegmentOptions } from '../../src/convert/index.ts';
import { toSegments, toSpans } from '../../src/convert/index.ts';
import type { JsonObject, JsonValue, SegmentDocument, Span } from '../../src/model/index.ts';
import { isJsonArray, isJsonNumber, isJsonObject } from '../../src/model/index.ts';
import { jsonText as json } from '../../src/codec/json.ts';
import { assertGolden, printPretty, readGoldens, sorted } from '../support/golden.ts';

/** What the conversion makes of known spans and documents, to the letter; see test/fixtures/golden/README.md. */

describe('Spans become these documents', () => {
  const folder = 'otlp-to-xray';
  for (const golden of readGoldens(folder)) {
    test(golden.name, () => {
      const spans = spansOf(golden.members.get('spans'));
      const options = optionsOf(golden.members.get('options'));
      assertGolden(folder, golden, new Map([['documents', toSegments(spans, { json, ...options })]]));
    });

    test(`${golden.name}, and the spans again`, () => {
      const spans = spansOf(golden.members.get('spans'));
      const options = { json, ...optionsOf(golden.members.get('options')), envelope: 'full' } as const;
      const documents = toSegments(spans, options).map((document) => reparsed(document));
      assert.deepEqual(toSpans(documents, { json }).spans, spans);
    });
  }
});

describe('Documents become these spans', () => {
  const folder = 'xray-to-otlp';
  for (const golden of readGoldens(folder)) {
    test(golden.name, () => {
      const { spans, problems } = toSpans(documentsOf(golden.members.get('documents')), { json });
      const found = new Map<string, JsonValue>([
        ['spans', parseJson(encodeTracesJson(spans))],
        ['problems', problems.map(({ pointer, reason, lost }) => [pointer, reason, lost])],
      ]);
      assertGolden(folder, golden, found);
    });

    test(`${golden.name}, and the documents again`, () => {
      const documents = documentsOf(golden.members.get('documents'));
      const again = toSegments(toSpans(documents, { json }).spans, { json });
      assert.equal(printPretty(sorted(again)), printPretty(sorted(kept(documents, golden.members))));
    });
  }
});

/** Documents that others replaced do not come back. */
function kept(documents: readonly SegmentDocument[], members: JsonObject): readonly SegmentDocument[] {
  const replaced = members.get('replaced');
  const places = isJsonArray(replaced)
    ? replaced.map((place) => (isJsonNumber(place) ? Number(place.literal) : -1))
    : [];
  return documents.filter((_, i) => !places.includes(i));
}

function spansOf(value: JsonValue | undefined): readonly Span[] {
  assert.ok(value !== undefined);
  return decodeTracesJson(new TextEncoder().encode(printJson(value)));
}

function documentsOf(value: JsonValue | undefined): readonly SegmentDocument[] {
  assert.ok(isJsonArray(value));
  return value.map((document) => {
    assert.ok(isJsonObject(document));
    return document;
  });
}

function reparsed(document: SegmentDocument): SegmentDocument {
  const value = parseJson(printJson(document));
  assert.ok(isJsonObject(value));
  return value;
}

/** The options of a golden, which are few. */
function optionsOf(value: JsonValue | undefined): Partial<SegmentOptions> {
  const members = isJsonObject(value) ? value : new Map<string, JsonValue>();
  const texts = (name: string): readonly string[] => {
    const list = members.get(name);
    return isJsonArray(list) ? list.filter((text) => typeof text === 'string') : [];
  };
  const indexed: readonly IndexEntry[] = texts('indexed');
  return {
    envelope: members.get('envelope') === 'off' ? 'off' : 'full',
    annotations: { indexed, indexAll: members.get('indexAll') === true },
    logGroups: texts('logGroups'),
  };
}
