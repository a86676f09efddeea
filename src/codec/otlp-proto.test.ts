import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import protobuf from 'protobufjs';
import { arbitrarySpan, arbitrarySpans } from '../../test/support/arbitraries.ts';
import { badInput } from '../../test/support/bad-input.ts';
import { otlpMessages as root } from '../../test/support/otlp-messages.ts';
import { testSpan } from '../../test/support/span.ts';
import type { Attributes, AttributeValue, Span } from '../model/index.ts';
import { emptyResource } from '../model/index.ts';
import { decodeTraces, decodeTracesResponse, encodeTraces, encodeTracesResponse, inspectTraces } from './otlp-proto.ts';
import { groupSpans } from './otlp.ts';

const TracesData = root.lookupType('TracesData');
const KeyValue = root.lookupType('KeyValue');
const Response = root.lookupType('ExportTraceServiceResponse');

test('encoded spans are decoded to the same spans', () => {
  fc.assert(
    fc.property(arbitrarySpans, (spans) => {
      const bytes = encodeTraces(spans);
      assert.deepEqual(decodeTraces(bytes), spans);
      assert.deepEqual(inspectTraces(bytes), {
        spans: spans.length,
        rejected: 0,
        reason: undefined,
        droppedLinks: 0,
      });
    }),
  );
});

test('decoded spans are encoded to the same bytes', () => {
  fc.assert(
    fc.property(arbitrarySpans, (spans) => {
      const bytes = encodeTraces(spans);
      assert.deepEqual(encodeTraces(decodeTraces(bytes)), bytes);
    }),
  );
});

test('another implementation reads our bytes as the same message', () => {
  fc.assert(
    fc.property(arbitrarySpans, (spans) => {
      const theirs = TracesData.encode(toMessage(spans)).finish();
      assert.deepEqual(readByOther(encodeTraces(spans)), readByOther(theirs));
    }),
  );
});

test('the bytes of another implementation are decoded to the same spans', () => {
  fc.assert(
    fc.property(arbitrarySpans, (spans) => {
      assert.deepEqual(decodeTraces(TracesData.encode(toMessage(spans)).finish()), spans);
    }),
  );
});

test('spans of one ResourceSpans share the resource, those of one ScopeSpans the scope', () => {
  const spans = decodeTraces(encodeTraces([testSpan({ name: 'a' }), testSpan({ name: 'b' })]));
  assert.equal(spans.length, 2);
  assert.equal(spans[0]?.resource, spans[1]?.resource);
  assert.equal(spans[0]?.scope, spans[1]?.scope);
});

test('spans that stand apart are brought together by resource and scope', () => {
  const other = { ...emptyResource, schemaUrl: 'other' };
  const spans = [testSpan({ name: 'a' }), testSpan({ name: 'b', resource: other }), testSpan({ name: 'c' })];
  assert.deepEqual(
    decodeTraces(encodeTraces(spans)).map(({ name }) => name),
    ['a', 'c', 'b'],
  );
});

test('a span whose ids are not valid is rejected, with a reason, and the others are not', () => {
  const cases: readonly (readonly [changes: object, reason: string])[] = [
    [{ traceId: new Uint8Array(15).fill(1) }, 'Span.trace_id of 15 bytes'],
    [{ traceId: new Uint8Array(16) }, 'Span.trace_id of 16 zero bytes'],
    [{ traceId: undefined }, 'Span.trace_id missing'],
    [{ spanId: new Uint8Array(9).fill(1) }, 'Span.span_id of 9 bytes'],
    [{ spanId: new Uint8Array(8) }, 'Span.span_id of 8 zero bytes'],
    [{ spanId: undefined }, 'Span.span_id missing'],
  ];
  for (const [changes, reason] of cases) {
    const bytes = requestOf({ ...validSpan, ...changes }, { ...validSpan, name: 'good' });
    assert.deepEqual(inspectTraces(bytes), { spans: 2, rejected: 1, reason, droppedLinks: 0 });
    assert.deepEqual(
      decodeTraces(bytes).map(({ name }) => name),
      ['good'],
    );
  }
});

test('a parent span id that is not 8 bytes, or is zero, is no parent', () => {
  for (const parentSpanId of [new Uint8Array(7).fill(1), new Uint8Array(8), new Uint8Array()]) {
    const bytes = requestOf({ ...validSpan, parentSpanId });
    assert.equal(inspectTraces(bytes).rejected, 0);
    assert.equal(decodeTraces(bytes)[0]?.parentSpanId, undefined);
  }
});

test('a link whose ids are not valid is left out and counted as dropped', () => {
  const good = { traceId: validSpan.traceId, spanId: validSpan.spanId };
  const bytes = requestOf({
    ...validSpan,
    links: [good, { ...good, spanId: new Uint8Array(8) }, { traceId: new Uint8Array(3), spanId: good.spanId }],
    droppedLinksCount: 5,
  });
  assert.deepEqual(inspectTraces(bytes), { spans: 1, rejected: 0, reason: undefined, droppedLinks: 2 });
  const [decoded] = decodeTraces(bytes);
  assert.equal(decoded?.links.length, 1);
  assert.equal(decoded?.droppedLinksCount, 7);
});

test('unknown fields are skipped, the deprecated instrumentation_library_spans among them', () => {
  const unknown = [
    [0xc2, 0x3e, 0x03, 0x01, 0x02, 0x03], // 1000: three bytes
    [0xc8, 0x3e, 0xff, 0x01], // 1001: a varint
    [0xd1, 0x3e, 1, 2, 3, 4, 5, 6, 7, 8], // 1002: eight bytes
    [0xdd, 0x3e, 1, 2, 3, 4], // 1003: four bytes
  ].flat();
  assert.deepEqual(decodeTraces(Uint8Array.of(...unknown, ...encodeTraces([testSpan()]), ...unknown)), [testSpan()]);
});

test('an attribute called __proto__ is an attribute', () => {
  const attributes = new Map<string, AttributeValue>([['__proto__', new Map([['admin', true]])]]);
  assert.deepEqual(decodeTraces(encodeTraces([testSpan({ attributes })]))[0]?.attributes, attributes);
  assert.equal('admin' in {}, false);
});

test('numbers at the edges keep their value and their type', () => {
  const values: readonly AttributeValue[] = [
    2n ** 63n - 1n,
    -(2n ** 63n),
    2n ** 53n + 1n,
    -1n,
    0n,
    1.0,
    -0,
    NaN,
    -Infinity,
    Number.MIN_VALUE,
  ];
  const decoded = decodeTraces(encodeTraces([testSpan({ attributes: new Map([['v', values]]) })]));
  assert.deepEqual(decoded[0]?.attributes.get('v'), values);
});

test('half of a character, which protobuf cannot hold, becomes the replacement character', () => {
  assert.equal(decodeTraces(encodeTraces([testSpan({ name: 'a\ud800' })]))[0]?.name, 'a\ufffd');
});

test('decoded values do not share memory with the request', () => {
  const bytes = Buffer.from(encodeTraces([testSpan({ attributes: new Map([['b', Uint8Array.of(1, 2, 3)]]) })]));
  const [decoded] = decodeTraces(bytes);
  bytes.fill(0xff);
  assert.deepEqual(decoded?.attributes.get('b'), Uint8Array.of(1, 2, 3));
});

test('text that is not UTF-8 is refused with its byte and field', () => {
  const bytes = encodeTraces([testSpan({ name: 'naïve' })]);
  const at = bytes.indexOf(0xc3);
  bytes[at + 1] = 0x28;
  const message = new RegExp(`OTLP protobuf, byte ${at}, Span\\.name: expected UTF-8 text, got byte 0xc3`);
  assert.throws(() => inspectTraces(bytes), badInput(message));
  assert.throws(() => decodeTraces(bytes), badInput(message));
});

test('bytes that are no protobuf are refused with place, wish and find', () => {
  const cases: readonly (readonly [bytes: number[], message: RegExp])[] = [
    [[0x0a, 0x05, 0x00], /byte 0, TracesData\.resource_spans: expected at most 1 bytes, got a length of 5/],
    [[0x08, 0x01], /TracesData\.resource_spans: expected wire type 2, got 0/],
    [[0x0b, 0x0c], /TracesData\.resource_spans: expected wire type 2, got 3/],
    [[0x13, 0x14], /TracesData\.2: expected a wire type of 0, 1, 2 or 5, got 3/],
    [[0x02, 0x00], /expected a field number from 1 to 536870911/],
    [[0x10, ...Array.from({ length: 10 }, () => 0xff), 0x01], /expected a varint of at most 64 bits, got a longer one/],
    [[0x10, 0x80], /expected a varint of at most 64 bits, got the end/],
    [[0x11, 0x00], /expected 8 bytes, got 1/],
    [[0x80], /expected a varint/],
    [[0x0a], /expected a varint/],
    [[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], /got a length of/],
  ];
  for (const [bytes, message] of cases) {
    assert.throws(() => inspectTraces(Uint8Array.from(bytes)), badInput(message));
    assert.throws(() => decodeTraces(Uint8Array.from(bytes)), badInput(message));
  }
});

test('values nested deeper than 32 are refused, however deep', () => {
  const nested = (depth: number): AttributeValue => {
    let value: AttributeValue = 'x';
    for (let i = 1; i < depth; i++) value = i % 2 === 0 ? [value] : new Map([['k', value]]);
    return value;
  };
  const bytesOf = (depth: number) => encodeTraces([testSpan({ attributes: new Map([['v', nested(depth)]]) })]);
  assert.equal(decodeTraces(bytesOf(32)).length, 1);
  assert.throws(() => inspectTraces(bytesOf(33)), badInput(/at most 32 inside each other/));
  assert.throws(() => inspectTraces(nestedBytes(100_000)), badInput(/at most 32 inside each other/));
});

test('a request with more items than memory should hold is refused', () => {
  const emptyEvents = new Uint8Array(2 * 4_000_001);
  for (let i = 0; i < emptyEvents.length; i += 2) emptyEvents[i] = 0x5a;
  const bytes = wrap(0x0a, wrap(0x12, wrap(0x12, emptyEvents)));
  assert.throws(() => inspectTraces(bytes), badInput(/at most 4000000 messages in all, got 4000005/));
});

test('a request that is cut anywhere is refused as bad input or read in part, never worse', () => {
  const [sample = []] = fc.sample(arbitrarySpans, { numRuns: 1, seed: 20 });
  const bytes = encodeTraces([testSpan({ attributes: new Map([['k', 'value']]) }), ...sample]);
  for (let length = 0; length < bytes.length; length++) assertHarmless(bytes.subarray(0, length));
});

test('a request with any bytes changed is refused as bad input or read, and inspection and decoding agree', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(arbitrarySpan, changes, (one, changed) => {
      const bytes = encodeTraces([one]);
      for (const [at, byte] of changed) bytes[at % bytes.length] = byte;
      assertHarmless(bytes);
    }),
    { numRuns: 1000 },
  );
});

test('an attribute in its usual form is taken exactly when it would be in another form', () => {
  // A field that is unknown makes the form unusual and changes nothing else.
  const unknownField = Uint8Array.of(0x78, 0x00);
  const isTaken = (attribute: Uint8Array): boolean => {
    try {
      inspectTraces(wrap(0x0a, wrap(0x12, wrap(0x12, wrap(0x4a, attribute)))));
      return true;
    } catch (error) {
      assert.ok(badInput(/./)(error), String(error));
      return false;
    }
  };
  const text = fc.constantFrom('', 'a', 'GET', 'https://shop.example/cart', 'x'.repeat(60), 'é');
  const value = fc.oneof<fc.Arbitrary<AttributeValue>[]>(
    text,
    fc.boolean(),
    fc.constantFrom(0n, 200n, 8443n, -1n, 2n ** 40n),
    fc.double(),
    fc.array(fc.oneof<fc.Arbitrary<AttributeValue>[]>(text, fc.constant(undefined), fc.constant([])), { maxLength: 4 }),
  );
  const change = fc.tuple(
    fc.nat(),
    fc.constantFrom(0, 1, 2, 0x0a, 0x10, 0x12, 0x18, 0x21, 0x2a, 0x7f, 0x80, 0xc3, 0xff),
  );
  fc.assert(
    fc.property(text, value, fc.array(change, { maxLength: 2 }), (key, value, changes) => {
      const whole = KeyValue.encode(KeyValue.fromObject({ key, value: toAnyValue(value) })).finish();
      const attribute = Uint8Array.from(whole);
      for (const [at, byte] of changes) if (attribute.length > 0) attribute[at % attribute.length] = byte;
      assert.equal(isTaken(attribute), isTaken(Buffer.concat([unknownField, attribute])));
    }),
    { numRuns: 20_000 },
  );
});

test('elements of lists count towards the bound, in their usual form too', () => {
  const list = wrap(0x2a, Buffer.concat(Array.from({ length: 20 }, () => wrap(0x0a, wrap(0x0a, Buffer.from('a'))))));
  const attribute = wrap(0x4a, Buffer.concat([wrap(0x0a, Buffer.from('k')), wrap(0x12, list)]));
  const attributes = Buffer.concat(Array.from({ length: 180_000 }, () => attribute));
  const bytes = wrap(0x0a, wrap(0x12, wrap(0x12, attributes)));
  assert.throws(() => inspectTraces(bytes), badInput(/at most 4000000 messages in all, got 4140004/));
});

test('an empty request has no spans', () => {
  assert.deepEqual(decodeTraces(new Uint8Array()), []);
  assert.equal(encodeTraces([]).length, 0);
});

test('a response says nothing when everything was accepted', () => {
  assert.equal(encodeTracesResponse({ rejected: 0, message: '' }).length, 0);
  assert.deepEqual(decodeTracesResponse(new Uint8Array()), { rejected: 0, message: '' });
});

test('a response with rejected spans or a warning is decoded to the same', () => {
  for (const response of [
    { rejected: 3, message: 'Span.trace_id missing' },
    { rejected: 0, message: 'a warning' },
    { rejected: 2 ** 40, message: '' },
  ]) {
    const bytes = encodeTracesResponse(response);
    assert.deepEqual(decodeTracesResponse(bytes), response);
    const { partialSuccess } = Response.toObject(Response.decode(bytes), { longs: Number, defaults: true });
    assert.deepEqual(partialSuccess, { rejectedSpans: response.rejected, errorMessage: response.message });
  }
  assert.throws(() => decodeTracesResponse(Uint8Array.of(0x0a, 0x09)), badInput(/OTLP response/));
});

function assertHarmless(bytes: Uint8Array): void {
  let inspected;
  try {
    inspected = inspectTraces(bytes);
  } catch (error) {
    assert.ok(badInput(/./)(error), String(error));
    assert.throws(() => decodeTraces(bytes), badInput(/./));
    return;
  }
  assert.equal(decodeTraces(bytes).length, inspected.spans - inspected.rejected);
}

const validSpan = { traceId: new Uint8Array(16).fill(1), spanId: new Uint8Array(8).fill(2), name: 'x' };

function requestOf(...spans: readonly object[]): Uint8Array {
  return TracesData.encode(TracesData.fromObject({ resourceSpans: [{ scopeSpans: [{ spans }] }] })).finish();
}

/** An attribute whose value is an array in an array and so on, written without a recursive encoder. */
function nestedBytes(depth: number): Uint8Array {
  const levels: number[][] = [];
  let size = 0;
  for (let i = 0; i < depth; i++) {
    const inner = [0x0a, ...varint(size)]; // An ArrayValue's element …
    const outer = [0x2a, ...varint(size + inner.length)]; // … in an AnyValue.
    levels.push([...outer, ...inner]);
    size += inner.length + outer.length;
  }
  const value = Uint8Array.from(levels.reverse().flat());
  return wrap(0x0a, wrap(0x12, wrap(0x12, wrap(0x4a, wrap(0x12, value)))));
}

function wrap(tag: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(tag, ...varint(content.length)), content]);
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...varint(Math.floor(value / 0x80))];
}

function toMessage(spans: readonly Span[]): protobuf.Message {
  const resourceSpans = groupSpans(spans).map(({ resource, scopes }) => ({
    resource: { ...resource, attributes: toKeyValues(resource.attributes), entityRefs: [...resource.entityRefs] },
    schemaUrl: resource.schemaUrl,
    scopeSpans: scopes.map(({ scope, spans: inScope }) => ({
      scope: { ...scope, attributes: toKeyValues(scope.attributes) },
      schemaUrl: scope.schemaUrl,
      spans: inScope.map(toSpanMessage),
    })),
  }));
  return TracesData.fromObject({ resourceSpans });
}

function toSpanMessage(one: Span): object {
  return {
    ...one,
    traceId: Buffer.from(one.traceId, 'hex'),
    spanId: Buffer.from(one.spanId, 'hex'),
    parentSpanId: one.parentSpanId === undefined ? undefined : Buffer.from(one.parentSpanId, 'hex'),
    startTimeUnixNano: String(one.startTimeNs),
    endTimeUnixNano: String(one.endTimeNs),
    status: one.status.code === 0 && one.status.message === '' ? undefined : one.status,
    attributes: toKeyValues(one.attributes),
    events: one.events.map((event) => ({
      ...event,
      timeUnixNano: String(event.timeNs),
      attributes: toKeyValues(event.attributes),
    })),
    links: one.links.map((link) => ({
      ...link,
      traceId: Buffer.from(link.traceId, 'hex'),
      spanId: Buffer.from(link.spanId, 'hex'),
      attributes: toKeyValues(link.attributes),
    })),
  };
}

function toKeyValues(attributes: Attributes): object[] {
  return Array.from(attributes, ([key, value]) => ({ key, value: toAnyValue(value) }));
}

function toAnyValue(value: AttributeValue): object {
  if (value === undefined) return {};
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'bigint') return { intValue: String(value) };
  if (typeof value === 'number') return { doubleValue: value };
  if (value instanceof Uint8Array) return { bytesValue: value };
  if (value instanceof Map) return { kvlistValue: { values: toKeyValues(value) } };
  // Array.isArray does not narrow readonly arrays; nothing else is left.
  return { arrayValue: { values: (value as readonly AttributeValue[]).map(toAnyValue) } };
}

function readByOther(bytes: Uint8Array): object {
  return TracesData.toObject(TracesData.decode(Buffer.from(bytes)), { defaults: true, longs: String });
}
