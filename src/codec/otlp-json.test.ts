import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  arbitraryAttributes,
  arbitraryAttributeValue,
  arbitrarySpan,
  arbitrarySpans,
} from '../../test/support/arbitraries.ts';
import { badInput } from '../../test/support/bad-input.ts';
import { toBytes } from '../../test/support/bytes.ts';
import type { AttributeValue } from '../model/index.ts';
import { parseJson, printJson } from './json.ts';
import {
  decodeAttributeJson,
  decodeAttributesJson,
  decodeTracesJson,
  decodeTracesResponseJson,
  encodeAttributeJson,
  encodeAttributesJson,
  encodeSpanJson,
  encodeTracesJson,
  encodeTracesResponseJson,
  inspectTracesJson,
  parseAttributes,
  printAttributes,
} from './otlp-json.ts';
import { decodeTraces, encodeTraces } from './otlp-proto.ts';

test('encoded spans are decoded to the same spans', () => {
  fc.assert(
    fc.property(arbitrarySpans, (spans) => {
      const bytes = toBytes(encodeTracesJson(spans));
      assert.deepEqual(decodeTracesJson(bytes), spans);
      assert.deepEqual(inspectTracesJson(bytes), {
        spans: spans.length,
        rejected: 0,
        reason: undefined,
        droppedLinks: 0,
      });
    }),
  );
});

test('JSON and protobuf carry the same spans', () => {
  fc.assert(
    fc.property(arbitrarySpans, (spans) => {
      assert.deepEqual(decodeTracesJson(toBytes(encodeTracesJson(spans))), decodeTraces(encodeTraces(spans)));
    }),
  );
});

test('a span by itself is the span of a request, with its resource and scope beside its own members', () => {
  fc.assert(
    fc.property(arbitrarySpan, (span) => {
      const { resource, scope, ...members } = JSON.parse(encodeSpanJson(span));
      const [resourceSpans] = JSON.parse(encodeTracesJson([span])).resourceSpans;
      const [scopeSpans] = resourceSpans.scopeSpans;
      assert.deepEqual([members], scopeSpans.spans);
      assert.deepEqual([resource ?? {}, scope ?? {}], [resourceSpans.resource ?? {}, scopeSpans.scope ?? {}]);
    }),
  );
});

test('the text is JSON with the members of the OTLP specification', () => {
  const text = encodeTracesJson(decodeTracesJson(toBytes(exampleRequest)));
  assert.deepEqual(JSON.parse(text), JSON.parse(exampleRequest));
});

test('an attribute value is encoded to OTLP/JSON and back, as a value and as text', () => {
  fc.assert(
    fc.property(arbitraryAttributeValue, (value) => {
      assert.deepEqual(decodeAttributeJson(encodeAttributeJson(value)), value);
    }),
  );
  fc.assert(
    fc.property(arbitraryAttributes, (attributes) => {
      assert.deepEqual(decodeAttributesJson(encodeAttributesJson(attributes)), attributes);
      assert.deepEqual(parseAttributes(printAttributes(attributes)), attributes);
      assert.equal(printAttributes(attributes), printJson(encodeAttributesJson(attributes)));
    }),
  );
});

test('each kind of attribute value has its own member', () => {
  const cases: readonly (readonly [value: AttributeValue, text: string])[] = [
    ['a"b', '{"stringValue":"a\\"b"}'],
    [true, '{"boolValue":true}'],
    [9007199254740993n, '{"intValue":"9007199254740993"}'],
    [5, '{"doubleValue":5}'],
    [-0, '{"doubleValue":-0}'],
    [NaN, '{"doubleValue":"NaN"}'],
    [Infinity, '{"doubleValue":"Infinity"}'],
    [1e21, '{"doubleValue":1e+21}'],
    [Uint8Array.of(0, 255, 16), '{"bytesValue":"AP8Q"}'],
    [undefined, '{}'],
    [['a', undefined], '{"arrayValue":{"values":[{"stringValue":"a"},{}]}}'],
    [new Map([['k', 1n]]), '{"kvlistValue":{"values":[{"key":"k","value":{"intValue":"1"}}]}}'],
  ];
  for (const [value, text] of cases) {
    assert.equal(printJson(encodeAttributeJson(value)), text);
    assert.deepEqual(decodeAttributeJson(parseJson(text)), value);
  }
});

test('whole numbers are read from numbers and strings, exactly', () => {
  const cases: readonly (readonly [json: string, value: bigint])[] = [
    ['9223372036854775807', 9223372036854775807n],
    ['"-9223372036854775808"', -9223372036854775808n],
    ['9007199254740993', 9007199254740993n],
    ['5.0', 5n],
    ['1e3', 1000n],
    ['1.5E1', 15n],
    ['-0', 0n],
  ];
  for (const [json, value] of cases) assert.deepEqual(valueOf(`{"intValue":${json}}`), value, json);
});

test('doubles are read from numbers, numeric strings and the three words', () => {
  assert.equal(valueOf('{"doubleValue":5}'), 5);
  assert.equal(valueOf('{"doubleValue":"2.5e-3"}'), 0.0025);
  assert.deepEqual(valueOf('{"doubleValue":"-Infinity"}'), -Infinity);
  assert.deepEqual(valueOf('{"doubleValue":"NaN"}'), NaN);
});

test('bytes are read from base64 of both alphabets, with padding or without', () => {
  for (const base64 of ['+/8=', '-_8=', '+/8', '-_8']) {
    assert.deepEqual(valueOf(`{"bytesValue":"${base64}"}`), Uint8Array.of(0xfb, 0xff));
  }
});

test('null is no value, unknown members and snake_case names are ignored', () => {
  const spans = decodeTracesJson(
    requestOf(
      `{"name":null,"kind":null,"attributes":null,"events":null,"status":null,"parentSpanId":null,
        "trace_state":"x","future":{"deep":[1,{"a":[]}]},"endTimeUnixNano":7}`,
    ),
  );
  assert.equal(spans[0]?.name, '');
  assert.equal(spans[0]?.traceState, '');
  assert.equal(spans[0]?.endTimeNs, 7n);
});

test('members stand in any order', () => {
  const [one] = decodeTracesJson(
    toBytes(`{"resourceSpans":[{
      "scopeSpans":[{"spans":[{"spanId":"${spanId}","traceId":"${traceId}"}],"schemaUrl":"s","scope":{"name":"lib"}}],
      "resource":{"attributes":[{"value":{"stringValue":"checkout"},"key":"service.name"}]}}]}`),
  );
  assert.equal(one?.resource.attributes.get('service.name'), 'checkout');
  assert.deepEqual([one?.scope.name, one?.scope.schemaUrl], ['lib', 's']);
});

test('ids are hex in any case and come out in lower case', () => {
  const [one] = decodeTracesJson(requestOf(`{"traceId":"${traceId.toUpperCase()}","parentSpanId":"00F067AA0BA902B7"}`));
  assert.deepEqual([one?.traceId, one?.parentSpanId], [traceId, '00f067aa0ba902b7']);
});

test('a span whose ids are not valid is rejected, with a reason, and the others are not', () => {
  const cases: readonly (readonly [ids: string, reason: string])[] = [
    [`"traceId":""`, 'Span.traceId missing'],
    [`"traceId":"${'0'.repeat(32)}"`, 'Span.traceId of zeros'],
    [`"traceId":"1-5f187253-6a106696d56b1f4ef9eba2ed"`, 'Span.traceId of 35 characters'],
    [`"traceId":"W47/95gDgQPSabYzgT/GDA=="`, 'Span.traceId of 24 characters'],
    [`"traceId":"${'g'.repeat(32)}"`, 'Span.traceId not in hex'],
    [`"spanId":"12"`, 'Span.spanId of 2 characters'],
    [`"spanId":null,"spanId":""`, 'Span.spanId missing'],
  ];
  for (const [ids, reason] of cases) {
    const bytes = requestOf(`{${ids}}`, '{"name":"good"}');
    assert.deepEqual(inspectTracesJson(bytes), { spans: 2, rejected: 1, reason, droppedLinks: 0 });
    assert.deepEqual(
      decodeTracesJson(bytes).map(({ name }) => name),
      ['good'],
    );
  }
});

test('a link whose ids are not valid is left out and counted as dropped', () => {
  const bytes = requestOf(
    `{"droppedLinksCount":1,"links":[{"traceId":"${traceId}","spanId":"${spanId}"},{"traceId":"","spanId":"${spanId}"}]}`,
  );
  assert.equal(inspectTracesJson(bytes).droppedLinks, 1);
  const [one] = decodeTracesJson(bytes);
  assert.deepEqual([one?.links.length, one?.droppedLinksCount], [1, 2]);
});

test('a member of a wrong type is refused with byte and JSON pointer', () => {
  const cases: readonly (readonly [span: string, message: RegExp])[] = [
    ['{"name":5}', /at \/resourceSpans\/0\/scopeSpans\/0\/spans\/0\/name: expected a string, got a number/],
    ['{"traceId":5}', /\/traceId: expected a string/],
    ['{"kind":"SPAN_KIND_SERVER"}', /\/kind: expected the number of an enum value, got a string/],
    ['{"kind":2.5}', /\/kind: expected an int32, got "2.5"/],
    ['{"flags":-1}', /\/flags: expected a uint32, got "-1"/],
    ['{"flags":4294967296}', /expected a uint32/],
    ['{"startTimeUnixNano":"18446744073709551616"}', /expected a uint64/],
    ['{"startTimeUnixNano":true}', /\/startTimeUnixNano: expected a number/],
    ['{"attributes":{}}', /\/attributes: expected an array, got an object/],
    ['{"attributes":[null]}', /\/attributes\/0: expected an object/],
    ['{"attributes":[{"key":"a","value":"b"}]}', /\/attributes\/0\/value: expected an object, got a string/],
    ['{"attributes":[{"value":{"intValue":"9223372036854775808"}}]}', /\/intValue: expected an int64/],
    ['{"attributes":[{"value":{"intValue":"x"}}]}', /\/intValue: expected an int64, got "x"/],
    ['{"attributes":[{"value":{"intValue":1e99}}]}', /\/intValue: expected an int64/],
    ['{"attributes":[{"value":{"doubleValue":1e999}}]}', /\/doubleValue: expected a double/],
    ['{"attributes":[{"value":{"doubleValue":"nan"}}]}', /\/doubleValue: expected a double/],
    ['{"attributes":[{"value":{"boolValue":"true"}}]}', /\/boolValue: expected true or false, got a string/],
    ['{"attributes":[{"value":{"bytesValue":"a"}}]}', /\/bytesValue: expected base64, got "a"/],
    ['{"attributes":[{"value":{"bytesValue":"a*=="}}]}', /expected base64/],
    ['{"status":1}', /\/status: expected an object, got a number/],
    ['{"events":[{"timeUnixNano":[]}]}', /\/events\/0\/timeUnixNano: expected a number/],
  ];
  for (const [span, message] of cases) {
    assert.throws(() => decodeTracesJson(requestOf(span)), badInput(message), span);
    assert.throws(() => inspectTracesJson(requestOf(span)), badInput(/^OTLP JSON, byte \d+, at \//), span);
  }
  assert.throws(() => decodeTracesJson(toBytes('[]')), badInput(/byte 0: expected an object, got an array/));
  assert.throws(() => decodeTracesJson(toBytes('')), badInput(/expected an object, got the end/));
  assert.throws(() => decodeTracesJson(Uint8Array.of(0x7b, 0xff)), badInput(/byte 1: expected UTF-8/));
});

test('an attribute called __proto__ is an attribute', () => {
  const [one] = decodeTracesJson(
    requestOf('{"__proto__":{"x":1},"attributes":[{"key":"__proto__","value":{"boolValue":true}}]}'),
  );
  assert.deepEqual(one?.attributes, new Map([['__proto__', true]]));
});

test('values nested deeper than 32 are refused, however deep', () => {
  const nested = (depth: number) =>
    `${'{"arrayValue":{"values":['.repeat(depth - 1)}{"boolValue":true}${']}}'.repeat(depth - 1)}`;
  const bytesOf = (depth: number) => requestOf(`{"attributes":[{"key":"k","value":${nested(depth)}}]}`);
  assert.equal(decodeTracesJson(bytesOf(32)).length, 1);
  assert.throws(() => decodeTracesJson(bytesOf(33)), badInput(/at most 32 values inside each other/));
  assert.throws(() => decodeTracesJson(bytesOf(100_000)), badInput(/at most 32 values inside each other/));
  assert.throws(() => decodeTracesJson(requestOf(`{"x":${'['.repeat(100_000)}`)), badInput(/at most \d+ levels/));
});

test('a request that is cut anywhere is refused as bad input', () => {
  const bytes = toBytes(exampleRequest);
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => inspectTracesJson(bytes.subarray(0, length)), badInput(/./));
  }
});

test('a request with any characters changed is refused as bad input or read', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(arbitrarySpan, changes, (span, changed) => {
      const bytes = toBytes(encodeTracesJson([span]));
      for (const [at, byte] of changed) bytes[at % bytes.length] = byte;
      try {
        inspectTracesJson(bytes);
      } catch (error) {
        assert.ok(badInput(/./)(error), String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test('a response is {} when everything was accepted, and says what was not', () => {
  assert.equal(encodeTracesResponseJson({ rejected: 0, message: '' }), '{}');
  assert.deepEqual(decodeTracesResponseJson(toBytes('{}')), { rejected: 0, message: '' });
  const response = { rejected: 2, message: 'Span.traceId missing' };
  const text = encodeTracesResponseJson(response);
  assert.equal(text, '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"Span.traceId missing"}}');
  assert.deepEqual(decodeTracesResponseJson(toBytes(text)), response);
});

const traceId = '5b8efff798038103d269b633813fc60c';
const spanId = 'eee19b7ec3c1b174';

/** Each span has valid ids unless it brings its own. */
function requestOf(...spans: readonly string[]): Uint8Array {
  const whole = spans.map(
    (span) => `{"traceId":"${traceId}","spanId":"${spanId}"${span === '{}' ? '' : ','}${span.slice(1)}`,
  );
  return toBytes(`{"resourceSpans":[{"scopeSpans":[{"spans":[${whole.join(',')}]}]}]}`);
}

function valueOf(json: string): AttributeValue {
  return decodeTracesJson(requestOf(`{"attributes":[{"key":"k","value":${json}}]}`))[0]?.attributes.get('k');
}

const exampleRequest = `{
  "resourceSpans": [{
    "resource": {
      "attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}],
      "entityRefs": [{"type": "service", "idKeys": ["service.name"]}]
    },
    "scopeSpans": [{
      "scope": {"name": "my.library", "version": "1.0.0",
        "attributes": [{"key": "my.scope.attribute", "value": {"stringValue": "some scope attribute"}}]},
      "spans": [{
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "parentSpanId": "eee19b7ec3c1b173",
        "traceState": "a=1",
        "flags": 257,
        "name": "I'm a server span",
        "kind": 2,
        "startTimeUnixNano": "1544712660000000000",
        "endTimeUnixNano": "1544712661000000000",
        "attributes": [
          {"key": "my.span.attr", "value": {"stringValue": "some value"}},
          {"key": "count", "value": {"intValue": "600"}}
        ],
        "droppedAttributesCount": 1,
        "events": [{"timeUnixNano": "1544712660500000000", "name": "event", "droppedAttributesCount": 2}],
        "links": [{"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b175", "flags": 1}],
        "status": {"code": 2, "message": "no"}
      }],
      "schemaUrl": "https://opentelemetry.io/schemas/1.27.0"
    }]
  }]
}`;
