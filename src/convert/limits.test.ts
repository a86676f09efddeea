import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { arbitrarySpan, arbitrarySpans } from '../../test/support/arbitraries.ts';
import { fuzzing } from '../../test/support/fuzz.ts';
import { testSpan } from '../../test/support/span.ts';
import { telemetrySpans } from '../../test/support/telemetry.ts';
import { jsonText as json, parseJson, printJson } from '../codec/json.ts';
import { RaybridgeError } from '../errors.ts';
import type { Attributes, AttributeValue, JsonValue, SegmentDocument, Span } from '../model/index.ts';
import { emptyResource, isJsonArray, isJsonObject, SpanKind, StatusCode } from '../model/index.ts';
import type { EnvelopeLevel } from './index.ts';
import { toSegments, toSpans, writeSegments } from './index.ts';

/** Documents within the size that X-Ray takes, and resources that one document carries for others. */

const documentBytesMax = 64_000;
const options = { json } as const;
/** For documents that are not to be cut, however long their texts. */
const unbounded = { json, documentBytesMax: Number.POSITIVE_INFINITY } as const;

function sent(documents: readonly SegmentDocument[]): readonly SegmentDocument[] {
  return documents.map((document) => {
    const value = parseJson(printJson(document));
    assert.ok(isJsonObject(value));
    return value;
  });
}

function bytesOf(document: SegmentDocument): number {
  return Buffer.byteLength(printJson(document));
}

function memberAt(document: JsonValue | undefined, ...path: readonly string[]): JsonValue | undefined {
  let value = document;
  for (const name of path)
    value = isJsonObject(value) ? value.get(name) : isJsonArray(value) ? value[Number(name)] : undefined;
  return value;
}

/** What no size may cost. */
function identityOf({ traceId, spanId, parentSpanId, startTimeNs, endTimeNs, kind }: Span): readonly unknown[] {
  return [traceId, spanId, parentSpanId, startTimeNs, endTimeNs, kind];
}

describe('A document is never larger than it may be', () => {
  test('whatever its span holds, and the rest of it comes back', () => {
    fc.assert(
      fc.property(largeSpan, fc.constantFrom('full', 'minimal', 'off'), (span, envelope) => {
        const { documents, problems } = writeSegments([span], { json, envelope });
        for (const document of documents) assert.ok(bytesOf(document) <= documentBytesMax);
        const read = toSpans(sent(documents), options);
        const [again, ...others] = envelope === 'full' ? read.spans : [span];
        assert.ok(again && others.length === 0);
        assert.deepEqual(identityOf(again), identityOf(span));
        assertTold(
          span,
          again,
          // Of the last document: a span that was split is in that one.
          read.problems.map(({ pointer }) => pointer.replace(/^\/\d+/, '')),
        );
        const whole = toSegments([span], { ...unbounded, envelope });
        assert.equal(
          problems.length > 0,
          whole.some((document) => bytesOf(document) > documentBytesMax),
        );
        if (problems.length === 0 && envelope === 'full') assert.deepEqual(again, span);
      }),
      fuzzing(500),
    );
  });

  const plain = testSpan({ parentSpanId: '53995c3f42cd8ad9', kind: SpanKind.internal });
  const many = (count: number, value: (i: number) => AttributeValue): Attributes =>
    new Map(Array.from({ length: count }, (_, i) => [`key.${i}`, value(i)]));
  const hostile: Readonly<Record<string, Partial<Span>>> = {
    'an attribute of 1 MB': { attributes: new Map([['text', 'é"'.repeat(350_000)]]) },
    'bytes of 200 kB': { attributes: new Map([['bytes', new Uint8Array(200_000)]]) },
    '10,000 attributes': { attributes: many(10_000, BigInt) },
    '10,000 attributes of the resource': { resource: { ...emptyResource, attributes: many(10_000, String) } },
    'keys of 50,000 characters': {
      attributes: new Map(Array.from({ length: 5 }, (_, i) => [`${i}${'ключ'.repeat(12_500)}`, i])),
    },
    'names of any length': {
      name: '\u0001'.repeat(200_000),
      traceState: 'x'.repeat(200_000),
      status: { code: StatusCode.error, message: '\ud800'.repeat(200_000) },
    },
    'a list of 50,000': { attributes: new Map([['list', Array.from({ length: 50_000 }, (_, i) => BigInt(i))]]) },
    'URL, query and user of 200 kB': {
      kind: SpanKind.client,
      attributes: new Map([
        ['url.full', `https://h/${'x'.repeat(200_000)}`],
        ['db.system.name', 'mysql'],
        ['db.query.text', 'ж'.repeat(100_000)],
        ['enduser.id', 'u'.repeat(200_000)],
      ]),
    },
    '1,000 links with attributes': {
      links: Array.from({ length: 1000 }, () => ({
        traceId: plain.traceId,
        spanId: plain.spanId,
        traceState: 'a=b',
        flags: 1,
        attributes: many(5, String),
        droppedAttributesCount: 0,
      })),
    },
    '200 exceptions': { events: Array.from({ length: 200 }, (_, i) => exceptionOf(i, 30)) },
    'a namespace for each of 5,000 keys': {
      attributes: new Map(Array.from({ length: 5000 }, (_, i) => [`aws.xray.metadata.n${i}`, '{"a":1}'])),
    },
    'a residual of 1 MB': {
      attributes: new Map([['raybridge.xray', `{"v":1,"o":{"name":"x","q":"${'y'.repeat(1_000_000)}"}}`]]),
    },
    'members of a later envelope, 1 MB': {
      attributes: new Map([['raybridge.xray', `{"v":1,"e":{"Q":"${'y'.repeat(1_000_000)}"}}`]]),
    },
  };
  for (const [name, parts] of Object.entries(hostile))
    for (const envelope of ['full', 'minimal', 'off'] as const)
      test(`${name}, envelope ${envelope}`, () => {
        // A segment once and subsegments twice: they differ in what they show of the resource.
        const span = { ...plain, ...parts, ...(envelope === 'full' ? { parentSpanId: undefined } : {}) };
        assertFits(span, envelope);
      });

  test('100,000 attributes', () => {
    assertFits({ ...plain, attributes: many(100_000, BigInt) }, 'full');
  });

  function assertFits(span: Span, envelope: EnvelopeLevel): void {
    const { documents, problems } = writeSegments([span], { json, envelope });
    for (const document of documents) assert.ok(bytesOf(document) <= documentBytesMax);
    assert.ok(problems.length > 0 || envelope !== 'full');
    const read = toSpans(sent(documents), options).spans.at(-1);
    assert.deepEqual([read?.spanId, read?.startTimeNs], [span.spanId, span.startTimeNs]);
  }

  test('down to the smallest size', () => {
    const span = { ...plain, name: 'n'.repeat(50_000), attributes: many(2000, String) };
    for (const size of [20_000, 30_000.5])
      for (const document of toSegments([span], { json, documentBytesMax: size })) assert.ok(bytesOf(document) <= size);
  });

  test('under the policy of the Collector too, unless there is no envelope to tell what was cut', () => {
    const span = { ...plain, attributes: many(2000, (i) => 'x'.repeat(i % 100)) };
    const collector = { json, policy: 'collector' } as const;
    const { documents, problems } = writeSegments([span], collector);
    assert.ok(problems.length > 0 && documents.every((document) => bytesOf(document) <= documentBytesMax));
    const { spans } = toSpans(sent(documents), options);
    assert.deepEqual(spans.map(identityOf), [identityOf(span)]);
    const whole = writeSegments([span], { ...collector, envelope: 'off' });
    assert.deepEqual(whole.problems, []);
    assert.ok(whole.documents.some((document) => bytesOf(document) > documentBytesMax));
  });

  test('and a size that no document fits into is refused', () => {
    for (const size of [0, 19_999, Number.NaN, -1])
      assert.throws(
        () => toSegments([], { json, documentBytesMax: size }),
        (error) =>
          error instanceof RaybridgeError && error.message === `documentBytesMax: expected at least 20000, got ${size}`,
      );
  });
});

describe('What is cut', () => {
  const events = Array.from({ length: 200 }, (_, i) => exceptionOf(i, 12));
  const span = testSpan({ name: 'refund', events, attributes: new Map([['order', 'A-17']]) });

  test('of a span with 200 events: stack traces first, then attributes, then events', () => {
    const { documents, problems } = writeSegments([span], options);
    const [document] = documents;
    assert.ok(document && bytesOf(document) <= documentBytesMax);
    const pointers = problems.map(({ pointer }) => pointer);
    assert.deepEqual(pointers, ['/0/metadata/raybridge/e', '/0/cause']);
    assert.ok(problems.every(({ reason, lost }) => reason === 'cut to fit 64000 bytes' && lost === 'member'));
    assert.deepEqual(memberAt(document, 'metadata', 'raybridge', 'z'), ['/metadata/raybridge/e', '/cause']);
    assert.equal(memberAt(document, 'metadata', 'default', 'order'), 'A-17');
    assert.equal(memberAt(document, 'metadata', 'raybridge', 'n'), 'refund');
  });

  test('is told when the document is read', () => {
    const { spans, problems } = toSpans(sent(toSegments([span], options)), options);
    assert.deepEqual(problems, [
      { pointer: '/0/metadata/raybridge/e', reason: 'cut to fit the size of a document', lost: 'member' },
      { pointer: '/0/cause', reason: 'cut to fit the size of a document', lost: 'member' },
    ]);
    const [again] = spans;
    assert.ok(again);
    assert.deepEqual({ ...again, events: [] }, { ...span, events: [] });
  });

  test('of metadata leaves a mark for people, and is gone when the document is read', () => {
    const text = 'x'.repeat(70_000);
    const large = testSpan({
      attributes: new Map([
        ['small', 'y'],
        ['large', text],
      ]),
    });
    const documents = toSegments([large], options);
    assert.equal(memberAt(documents[0], 'metadata', 'default', 'large'), '…truncated');
    const { spans, problems } = toSpans(documents, options);
    assert.deepEqual(spans, [{ ...large, attributes: new Map([['small', 'y']]) }]);
    assert.deepEqual(problems, [
      { pointer: '/0/metadata/default/large', reason: 'cut to fit the size of a document', lost: 'member' },
    ]);
  });

  test('of a query is its end', () => {
    const query = `SELECT ${'1, '.repeat(30_000)}`;
    const large = testSpan({
      kind: SpanKind.client,
      parentSpanId: '53995c3f42cd8ad9',
      attributes: new Map([
        ['db.system.name', 'mysql'],
        ['db.query.text', query],
      ]),
    });
    const documents = toSegments([large], options);
    const shown = memberAt(documents[0], 'sql', 'sanitized_query');
    assert.ok(typeof shown === 'string' && shown.length > 50_000 && query.startsWith(shown.slice(0, -1)));
    assert.equal(toSpans(documents, options).spans[0]?.attributes.get('db.query.text'), shown);
  });
});

describe('A document with subsegments that is too large', () => {
  const child = (i: number, size: number): JsonValue =>
    new Map<string, JsonValue>([
      ['id', `${i}`.padStart(16, 'a')],
      ['name', `call ${i}`],
      ['start_time', { literal: '1700000000' }],
      ['end_time', { literal: '1700000001' }],
      ['metadata', new Map([['debug', new Map([['text', 'x'.repeat(size)]])]])],
    ]);
  const family = (children: readonly JsonValue[]): SegmentDocument =>
    new Map<string, JsonValue>([
      ['id', '53995c3f42cd8ad8'],
      ['trace_id', '1-5759e988-bd862e3fe1be46a994272793'],
      ['name', 'shop'],
      ['start_time', { literal: '1700000000' }],
      ['end_time', { literal: '1700000001' }],
      ['origin', 'AWS::Lambda'],
      ['subsegments', children],
    ]);

  test('loses the last of them, which are sent alone, and nothing is lost', () => {
    const sizes = [10_000, 30_000, 25_000, 9000];
    const document = family(sizes.map((size, i) => child(i, size)));
    const { spans } = toSpans([document], options);
    const { documents, problems } = writeSegments(spans, options);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      documents.map((sentDocument) => memberAt(sentDocument, 'name')),
      ['shop', 'call 2', 'call 3'],
    );
    for (const alone of documents.slice(1)) {
      assert.equal(memberAt(alone, 'type'), 'subsegment');
      assert.equal(memberAt(alone, 'parent_id'), '53995c3f42cd8ad8');
    }
    assert.deepEqual(byId(toSpans(sent(documents), options).spans), byId(spans));
  });

  test('at any depth, as often as it takes', () => {
    let chain = child(0, 30_000);
    for (let i = 1; i < 25; i++) {
      const outer = child(i, 9000);
      assert.ok(isJsonObject(outer));
      chain = new Map(outer).set('subsegments', [chain, child(100 + i, 5000)]);
    }
    const { spans } = toSpans([family([chain, 'stray'])], options);
    const { documents, problems } = writeSegments(spans, options);
    assert.deepEqual(problems, []);
    assert.ok(documents.length > 5 && documents.length < 20, `${documents.length} documents`);
    for (const document of documents) assert.ok(bytesOf(document) <= documentBytesMax);
    assert.deepEqual(byId(toSpans(sent(documents), options).spans), byId(spans));
    assert.deepEqual(toSegments(spans, options).map(printJson), documents.map(printJson));
  });

  test('is left whole when the reader takes any size', () => {
    const document = family([child(1, 50_000), child(2, 50_000)]);
    assert.equal(toSegments(toSpans([document], options).spans, unbounded).length, 1);
  });
});

describe('OTLP → X-Ray → OTLP gives every batch as it was, in whatever order its documents come', () => {
  for (const envelopeResource of ['segment', 'always'] as const)
    test(`resource policy ${envelopeResource}`, () => {
      fc.assert(
        fc.property(batch, fc.infiniteStream(fc.nat()), (spans, order) => {
          const documents = sent(toSegments(spans, { ...unbounded, envelopeResource }));
          const shuffled = documents
            .map((document) => ({ document, place: order.next().value }))
            .sort((a, b) => a.place - b.place)
            .map(({ document }) => document);
          const { spans: again, problems } = toSpans(shuffled, options);
          assert.deepEqual(problems, []);
          assert.deepEqual(byId(again), byId(spans));
        }),
        fuzzing(250),
      );
    });

  test('and each document alone, when each carries its resource', () => {
    fc.assert(
      fc.property(batch, (spans) => {
        const documents = toSegments(spans, { ...unbounded, envelopeResource: 'always' });
        const again = documents.flatMap((document) => toSpans([document], options).spans);
        assert.deepEqual(again, spans);
      }),
      fuzzing(200),
    );
  });
});

describe('A subsegment', () => {
  const resource = { ...emptyResource, attributes: new Map([['service.name', 'shop']]) };
  const server = testSpan({ resource });
  const work = testSpan({ spanId: '53995c3f42cd8ad9', parentSpanId: server.spanId, kind: SpanKind.internal, resource });

  test('carries a hash of its resource when a segment of its trace carries that', () => {
    const [, document] = toSegments([server, work], options);
    const named = memberAt(document, 'metadata', 'raybridge', 'r');
    assert.ok(isJsonObject(named));
    assert.deepEqual([...named.keys()], ['h']);
    assert.match(String(named.get('h')), /^[0-9a-f]{16}$/);
  });

  test('carries its resource whole when no segment of its trace does', () => {
    const other = { ...server, traceId: '5759e988bd862e3fe1be46a994272794' };
    const changed = { ...server, resource: { ...resource, schemaUrl: 'x' } };
    for (const spans of [[work], [other, work], [changed, work]]) {
      assert.deepEqual(toSpans(toSegments(spans, options).slice(-1), options), { spans: [work], problems: [] });
    }
  });

  test('carries its resource whole when that of the segment is cut', () => {
    const attributes = new Map<string, AttributeValue>([['text', 'x'.repeat(100_000)]]);
    const [, document] = toSegments([{ ...server, attributes }, work], options);
    assert.ok(document);
    assert.deepEqual(toSpans([document], options), { spans: [work], problems: [] });
  });

  test('takes the resource of its ancestor when no document has the hash, and that is told', () => {
    const [, document] = toSegments([server, work], options);
    const [changed] = toSegments([{ ...server, resource: { ...resource, schemaUrl: 'x' } }], options);
    assert.ok(document && changed);
    const { spans, problems } = toSpans([document, changed], options);
    assert.deepEqual(spans[0]?.resource, { ...resource, schemaUrl: 'x' });
    const hash = String(memberAt(document, 'metadata', 'raybridge', 'r', 'h'));
    assert.deepEqual(problems, [
      {
        pointer: '/0/metadata/raybridge/r/h',
        reason: `resource ${hash} is not among these documents`,
        lost: 'member',
      },
    ]);
  });

  test('has what its document shows when there is no ancestor either', () => {
    const [, document] = toSegments([server, work], options);
    assert.ok(document);
    const { spans, problems } = toSpans([document], options);
    assert.deepEqual(spans, [{ ...work, resource: emptyResource }]);
    assert.equal(problems.length, 1);
  });

  test('takes the resource with the hash from another trace rather than that of its ancestor', () => {
    const [, document] = toSegments([server, work], options);
    const elsewhere = toSegments([{ ...server, traceId: '5759e988bd862e3fe1be46a994272794' }], options);
    assert.ok(document);
    assert.deepEqual(toSpans([document, ...elsewhere], options).spans[0], work);
  });
});

function byId(spans: readonly Span[]): readonly Span[] {
  return spans.toSorted((a, b) => (a.traceId + a.spanId < b.traceId + b.spanId ? -1 : 1));
}

function exceptionOf(i: number, frames: number): Span['events'][number] {
  const lines = Array.from(
    { length: frames },
    (_, line) => `\tat com.shop.Refund.step${line}(Refund.java:${line + 1})`,
  );
  return {
    timeNs: 1_700_000_000_000_000_000n + BigInt(i),
    name: 'exception',
    attributes: new Map<string, AttributeValue>([
      ['exception.type', 'com.shop.RefundError'],
      ['exception.message', `refund ${i} refused`],
      ['exception.stacktrace', `com.shop.RefundError: refund ${i} refused\n${lines.join('\n')}\n`],
      ['attempt', BigInt(i)],
    ]),
    droppedAttributesCount: 0,
  };
}

/** What differs is named. */
function assertTold(span: Span, again: Span, cut: readonly string[]): void {
  const isCut = (...members: readonly string[]): boolean =>
    cut.some((pointer) => pointer === '' || members.some((member) => pointer.startsWith(member)));
  const wrong = [...again.attributes].filter(([key, value]) => {
    const wanted = span.attributes.get(key);
    const isBeginning =
      typeof value === 'string' && typeof wanted === 'string' && wanted.startsWith(value.replace(/…$/, ''));
    const isPart = key.startsWith('aws.xray.metadata.') && isCut('/metadata/');
    return !span.attributes.has(key) || !(isBeginning || isPart || isDeepStrictEqual(value, wanted));
  });
  assert.deepEqual(wrong, []);
  if (cut.length === 0) return;
  if (!isCut('/metadata/raybridge/n')) assert.equal(again.name, span.name);
  if (!isCut('/metadata/raybridge/s')) assert.deepEqual(again.status, span.status);
  if (!isCut('/metadata/raybridge/e', '/cause')) assert.deepEqual(again.events, span.events);
  if (!isCut('/metadata/raybridge/c')) assert.deepEqual(again.scope, span.scope);
  if (!isCut('/metadata/raybridge/l', '/links')) assert.deepEqual(again.links, span.links);
  for (const [key, value] of span.attributes)
    if (!again.attributes.has(key))
      assert.ok(
        isCut('/metadata', '/http', '/aws', '/sql', '/user', '/annotations', '/cause'),
        `${key} ${String(value)}`,
      );
}

/** Spans, many of which are too large: some texts are repeated until they are long. */
const largeSpan: fc.Arbitrary<Span> = fc
  .tuple(
    arbitrarySpan,
    fc.integer({ min: 1, max: 400 }),
    fc.subarray(['attributes', 'events', 'resource', 'scope', 'name', 'status', 'exceptions', 'known'] as const, {
      minLength: 1,
    }),
  )
  .map(([span, times, parts]) => {
    const long = (value: AttributeValue): AttributeValue => (typeof value === 'string' ? value.repeat(times) : value);
    const longer = (attributes: Attributes): Attributes =>
      new Map([...attributes].map(([key, value]) => [key, long(value)]));
    const has = (part: (typeof parts)[number]): boolean => parts.includes(part);
    const known = new Map<string, AttributeValue>([
      ...span.attributes,
      ['http.request.method', 'GET'],
      ['url.full', `https://shop.example/${'cart/'.repeat(times)}`],
      ['db.system', 'mysql'],
      ['db.statement', 'SELECT 1'.repeat(times)],
      ['aws.xray.metadata.debug', `{"a":"${'b'.repeat(times * 10)}","c":1}`],
    ]);
    const attributes = has('known') ? known : span.attributes;
    const exceptions = Array.from({ length: Math.ceil(times / 20) }, (_, i) => exceptionOf(i, times % 60));
    return {
      ...span,
      name: has('name') ? span.name.repeat(times) : span.name,
      status: has('status') ? { ...span.status, message: span.status.message.repeat(times) } : span.status,
      attributes: has('attributes') ? longer(attributes) : attributes,
      resource: has('resource') ? { ...span.resource, attributes: longer(span.resource.attributes) } : span.resource,
      scope: has('scope') ? { ...span.scope, attributes: longer(span.scope.attributes) } : span.scope,
      events: has('exceptions')
        ? [...span.events, ...exceptions]
        : has('events')
          ? span.events.map((event) => ({ ...event, attributes: longer(event.attributes) }))
          : span.events,
    };
  });

/** Spans of few traces with few resources, parents among them, no two of the same id. */
const batch: fc.Arbitrary<readonly Span[]> = fc
  .tuple(
    arbitrarySpans,
    fc.array(fc.record({ trace: fc.nat(), parent: fc.nat(), kind: fc.nat({ max: 5 }) }), {
      minLength: 9,
      maxLength: 9,
    }),
  )
  .map(([generated, choices]) => {
    const telemetry = telemetrySpans(6).map((span, i) => ({ ...span, spanId: `b${i}`.padStart(16, '0') }));
    return [...generated, ...telemetry].map((span, i): Span => {
      const { trace, parent, kind } = choices[i % choices.length] ?? { trace: 0, parent: 0, kind: 0 };
      const isRoot = parent % 4 === 0;
      return {
        ...span,
        traceId: `${(trace % 2) + 1}`.padStart(32, '0'),
        spanId: `${i + 1}`.padStart(16, '0'),
        parentSpanId: isRoot ? undefined : `${(parent % 12) + 1}`.padStart(16, '0'),
        kind,
        flags: 0,
      };
    });
  });
