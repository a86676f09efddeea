import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  decodeTraces,
  decodeTracesJson,
  encodeTraces,
  encodeTracesJson,
  inspectTracesJson,
} from '../../src/codec/index.ts';
import { toBytes } from '../support/bytes.ts';
import { fuzzing, isConverted } from '../support/fuzz.ts';
import { arbitraryMutations, mutateText } from '../support/mutate.ts';
import { readRequest, requestNames } from '../support/otlp-requests.ts';
import { outcomeOf } from '../support/outcome.ts';
import { assertTrips } from '../support/trips.ts';

/** Members by message: the name of a message, one in brackets for a list of them, or a kind of value. */
const grammar: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  TracesData: { resourceSpans: '[ResourceSpans]' },
  ResourceSpans: { resource: 'Resource', scopeSpans: '[ScopeSpans]', schemaUrl: 'text' },
  Resource: { attributes: '[KeyValue]', droppedAttributesCount: 'number', entityRefs: '[EntityRef]' },
  EntityRef: { schemaUrl: 'text', type: 'text', idKeys: '[text]', descriptionKeys: '[text]' },
  ScopeSpans: { scope: 'Scope', spans: '[Span]', schemaUrl: 'text' },
  Scope: { name: 'text', version: 'text', attributes: '[KeyValue]', droppedAttributesCount: 'number' },
  Span: {
    traceId: 'traceId',
    spanId: 'spanId',
    parentSpanId: 'spanId',
    traceState: 'text',
    flags: 'number',
    name: 'text',
    kind: 'number',
    startTimeUnixNano: 'number',
    endTimeUnixNano: 'number',
    attributes: '[KeyValue]',
    events: '[Event]',
    links: '[Link]',
    droppedLinksCount: 'number',
    status: 'Status',
  },
  Event: { timeUnixNano: 'number', name: 'text', attributes: '[KeyValue]', droppedAttributesCount: 'number' },
  Link: { traceId: 'traceId', spanId: 'spanId', traceState: 'text', flags: 'number', attributes: '[KeyValue]' },
  Status: { code: 'number', message: 'text' },
  KeyValue: { key: 'key', value: 'AnyValue' },
  AnyValue: {
    stringValue: 'text',
    boolValue: 'flag',
    intValue: 'number',
    doubleValue: 'number',
    bytesValue: 'base64',
    arrayValue: 'ArrayValue',
    kvlistValue: 'KeyValueList',
  },
  ArrayValue: { values: '[AnyValue]' },
  KeyValueList: { values: '[KeyValue]' },
};

const kinds: Readonly<Record<string, fc.Arbitrary<string>>> = {
  text: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }).map((text) => JSON.stringify(text)),
    fc.constantFrom('""', '"\\ud800"', '"\\u0000"', '"http://a@b/"', '"__proto__"', '"\\ud83d\\ude00"'),
  ),
  key: fc.constantFrom(
    '"__proto__"',
    '"constructor"',
    '""',
    '"http.method"',
    '"url.full"',
    '"raybridge.xray"',
    '"exception.stacktrace"',
  ),
  number: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom('0', '1', '2', '-0', '5.0', '1e3', '"1"') },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '9223372036854775807',
        '18446744073709551615',
        '4294967296',
        '-1',
        '0.1',
        '"NaN"',
        '1.25e2',
        '1e999',
        '1e-999',
        'NaN',
        '"-Infinity"',
        '""',
        '"9223372036854775808"',
        '-9223372036854775808',
        '01',
        '+1',
        '.5',
      ),
    },
  ),
  flag: fc.constantFrom('true', 'false', 'true', 'false', 'true', 'false', '"true"'),
  base64: fc.constantFrom('"AP8="', '"AP8"', '"_w"', '""', '"="'),
  traceId: fc.constantFrom(
    `"${'0aF'.repeat(10)}01"`,
    `"${'0'.repeat(32)}"`,
    '"1-5759e988-bd862e3fe1be46a994272793"',
    '"x"',
    '""',
  ),
  spanId: fc.constantFrom('"53995c3f42cd8ad8"', '"53995C3F42CD8AD9"', `"${'0'.repeat(16)}"`, '"x"', '""'),
};

const confused = fc.constantFrom(
  'null',
  '{}',
  '[]',
  '""',
  '5',
  'true',
  '[{}]',
  '{"x":1}',
  '[null]',
  '{"__proto__":{"admin":true}}',
);
const unknown = fc.constantFrom('"__proto__":{"admin":true}', '"constructor":1', '"x":[[{}]]', '"resourceSpans":null');

/** Messages as JSON text, with each member mostly of its type. */
const messages = fc.letrec((tie) =>
  Object.fromEntries(
    Object.entries(grammar).map(([message, members]) => {
      const member = fc.oneof(
        ...Object.entries(members).map(([name, kind]) => ({
          weight: 6,
          arbitrary: valueOf(kind, tie).map((value) => `"${name}":${value}`),
        })),
        { weight: 1, arbitrary: unknown },
      );
      const ids =
        message === 'Span' || message === 'Link'
          ? ['"traceId":"5759e988bd862e3fe1be46a994272793"', '"spanId":"53995c3f42cd8ad8"']
          : [];
      return [
        message,
        fc.array(member, { maxLength: 4, depthIdentifier: 'json' }).map((list) => `{${[...ids, ...list].join(',')}}`),
      ];
    }),
  ),
);

/** Mostly one with spans: what is refused at the first resource asks little of the rest. */
const arbitraryRequest = fc.oneof(
  { weight: 1, arbitrary: message('TracesData') },
  {
    weight: 4,
    arbitrary: fc
      .tuple(message('Resource'), message('Scope'), fc.array(spanWithAttributes(), { minLength: 1, maxLength: 2 }))
      .map(
        ([resource, scope, spans]) =>
          `{"resourceSpans":[{"resource":${resource},"scopeSpans":[{"spans":[${spans.join(',')}],"scope":${scope}}]}]}`,
      ),
  },
);

/** Of members that stand there twice the last counts, so most spans have these. */
function spanWithAttributes(): fc.Arbitrary<string> {
  const attribute = fc
    .tuple(kinds['key'] ?? fc.constant('""'), message('AnyValue'))
    .map(([key, value]) => `{"key":${key},"value":${value}}`);
  return fc
    .tuple(message('Span'), fc.array(attribute, { minLength: 1, maxLength: 4 }))
    .map(([span, attributes]) => `${span.slice(0, -1)},"attributes":[${attributes.join(',')}]}`);
}

function message(name: string): fc.Arbitrary<string> {
  return messages[name] as fc.Arbitrary<string>; // letrec forgets what its parts make.
}

function valueOf(kind: string, tie: (name: string) => fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  const isList = kind.startsWith('[');
  const name = isList ? kind.slice(1, -1) : kind;
  const one = kinds[name] ?? tie(name);
  const usual = isList
    ? fc.array(one, { maxLength: 2, depthIdentifier: 'json' }).map((list) => `[${list.join(',')}]`)
    : one.map(String);
  return fc.oneof({ weight: 30, arbitrary: usual }, { weight: 1, arbitrary: confused });
}

const corpus = requestNames.map((name) => readRequest(name, 'json'));

test('An OTLP JSON request of confused types is refused, or read as it stands there', () => {
  fc.assert(
    fc.property(arbitraryRequest, (text) => assertFit(toBytes(text))),
    fuzzing(700),
  );
});

test('A changed OTLP JSON request is refused, or read as it stands there', () => {
  fc.assert(
    fc.property(fc.constantFrom(...corpus), fc.constantFrom(...corpus), arbitraryMutations, (bytes, donor, mutations) =>
      assertFit(mutateText(bytes, donor, mutations)),
    ),
    fuzzing(700),
  );
});

function assertFit(bytes: Uint8Array): void {
  const inspected = outcomeOf(() => inspectTracesJson(bytes));
  const decoded = outcomeOf(() => decodeTracesJson(bytes));
  assert.equal(decoded.refusal, inspected.refusal);
  assert.deepEqual(Object.keys(Object.prototype), []);
  if (!decoded.value || !inspected.value) return;
  assert.equal(decoded.value.length, inspected.value.spans - inspected.value.rejected);
  assert.deepEqual(decodeTracesJson(toBytes(encodeTracesJson(decoded.value))), decoded.value);
  // Protobuf cannot hold halves of characters; nothing else is lost on that way.
  const overProtobuf = decodeTraces(encodeTraces(decoded.value));
  assert.deepEqual(decodeTraces(encodeTraces(overProtobuf)), overProtobuf);
  if (isConverted(bytes)) assertTrips(decoded.value);
}
