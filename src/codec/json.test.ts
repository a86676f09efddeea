import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { badInput } from '../../test/support/bad-input.ts';
import type { JsonValue } from '../model/index.ts';
import { jsonTextDepthMax } from '../model/index.ts';
import { RaybridgeError } from '../errors.ts';
import { jsonText, parseJson, printJson } from './json.ts';

test('a JSON text is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (text) => {
      assert.deepEqual(toPlain(parseJson(text)), fromParsed(JSON.parse(text)));
    }),
  );
});

test('what is printed is read back as the same value', () => {
  fc.assert(
    fc.property(arbitraryJson, (value) => {
      assert.deepEqual(parseJson(printJson(value)), value);
    }),
  );
});

test('printed text is JSON for everyone else', () => {
  fc.assert(
    fc.property(arbitraryJson, (value) => {
      assert.deepEqual(fromParsed(JSON.parse(printJson(value))), toPlain(value));
    }),
  );
});

test('the text of an attribute is read as JSON, and one that is none or nests too deep is no value', () => {
  const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
  assert.equal(jsonText.print(jsonText.parse('{"a":[1.0]}') ?? null), '{"a":[1.0]}');
  assert.equal(jsonText.parse('{"a":'), undefined);
  assert.equal(jsonText.print(jsonText.parse(nested(jsonTextDepthMax)) ?? null), nested(jsonTextDepthMax));
  assert.equal(jsonText.parse(nested(jsonTextDepthMax + 1)), undefined);
});

test('an error holds its place, pointer and complaint apart from its message', () => {
  assert.throws(
    () => parseJson('{"a":[1,{"b/c":x}]}'),
    (error) => {
      assert.ok(error instanceof RaybridgeError);
      assert.deepEqual(error.place, { offset: 15, pointer: '/a/1/b~1c', complaint: 'expected a value, got "x"' });
      return true;
    },
  );
});

test('a number keeps its text', () => {
  for (const literal of ['1.499473411677E9', '5.0', '-0', '0.10', '9223372036854775808', '1e400', '-1.5e-10']) {
    assert.deepEqual(parseJson(literal), { literal });
    assert.equal(printJson({ literal }), literal);
  }
});

test('a member called __proto__ is a member', () => {
  const value = parseJson('{"__proto__":{"admin":true}}');
  assert.deepEqual(value, new Map([['__proto__', new Map([['admin', true]])]]));
  assert.equal(printJson(value), '{"__proto__":{"admin":true}}');
  assert.equal('admin' in {}, false);
});

test('of members with the same name the last one counts', () => {
  assert.equal(printJson(parseJson('{"a":1,"b":2,"a":3}')), '{"a":3,"b":2}');
});

test('half of a character, written as an escape, comes back as an escape', () => {
  const value = parseJson('"a\\ud800b\\uDC00"');
  assert.equal(value, 'a\ud800b\udc00');
  assert.equal(printJson(value), '"a\\ud800b\\udc00"');
});

test('an escaped pair and the character itself are the same text', () => {
  assert.equal(parseJson('"\\ud83d\\ude00"'), parseJson('"😀"'));
});

test('all escapes and all white space are read', () => {
  assert.deepEqual(parseJson(' \t\r\n[ "\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041" ,\n true , false,null ] '), [
    '"\\/\b\f\n\r\tA',
    true,
    false,
    null,
  ]);
});

test('bad text is refused with place, wish and find', () => {
  const cases: readonly (readonly [text: string, message: RegExp])[] = [
    ['', /character 0: expected a value, got the end of the text/],
    ['{', /character 1: expected a member name, got the end/],
    ['{"a"', /expected ":"/],
    ['{"a":1,}', /character 7: expected a member name, got "}"/],
    ['[1,]', /character 3, at \/1: expected a value, got "]"/],
    ['[1 2]', /character 3, at \/0: expected "," or "]", got a number/],
    ['{"a":{"b/c":[0,tru]}}', /character 15, at \/a\/b~1c\/1: expected true, got "t"/],
    ['01', /character 1: expected the end of the text, got a number/],
    ['-', /character 1: expected a digit/],
    ['1.', /expected a digit/],
    ['.5', /expected a value, got "\."/],
    ['1e+', /expected a digit/],
    ['+1', /expected a value, got "\+"/],
    ['NaN', /expected a value, got "N"/],
    ['nul', /expected null/],
    ['"a\nb"', /expected the closing quote, with control characters escaped, got byte 0x0a/],
    ['"a', /expected the closing quote/],
    ['"\\x"', /expected an escape, got "x"/],
    ['"\\u12g4"', /expected four hex digits, got "g"/],
    ["{'a':1}", /expected a member name, got "'"/],
    ['[1] [2]', /character 4: expected the end of the text, got an array/],
    ['\ufeff{}', /character 0: expected a value, got byte 0xef/],
    ['"é" x', /character 4: expected the end of the text, got "x"/],
    ['"\ud800"', /character 1: expected Unicode text, got half of a surrogate pair/],
  ];
  for (const [text, message] of cases) assert.throws(() => parseJson(text), badInput(message), JSON.stringify(text));
});

test('bytes that are not UTF-8 are refused with their offset', () => {
  const cases: readonly (readonly [bytes: number[], offset: number])[] = [
    [[0x22, 0xff, 0x22], 1],
    [[0x22, 0x61, 0xc3, 0x22], 2],
    [[0x22, 0xc0, 0x80, 0x22], 1],
    [[0x22, 0xe0, 0x80, 0x80, 0x22], 1],
    [[0x22, 0xed, 0xa0, 0x80, 0x22], 1],
    [[0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], 1],
    [[0x22, 0xe2, 0x82], 1],
  ];
  for (const [bytes, offset] of cases) {
    assert.throws(() => parseJson(Uint8Array.from(bytes)), badInput(new RegExp(`byte ${offset}: expected UTF-8`)));
  }
});

test('UTF-8 is what TextDecoder takes for UTF-8', () => {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const nearText = fc
    .array(
      fc.oneof(fc.constantFrom(0xe0, 0xed, 0xf0, 0xf4, 0xc2, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf), fc.nat({ max: 255 })),
    )
    .map((bytes) => Uint8Array.from(bytes.filter((byte) => byte >= 0x20 && byte !== 0x22 && byte !== 0x5c)));
  fc.assert(
    fc.property(nearText, (bytes) => {
      const quoted = Uint8Array.of(0x22, ...bytes, 0x22);
      let expected: string | undefined;
      try {
        expected = decoder.decode(bytes);
      } catch {
        expected = undefined;
      }
      if (expected === undefined) assert.throws(() => parseJson(quoted), badInput(/expected UTF-8/));
      else assert.equal(parseJson(quoted), expected);
    }),
    { numRuns: 2000 },
  );
});

test('a text nested deeper than the limit is refused, however deep', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  assert.ok(parseJson(nested(64)));
  assert.throws(() => parseJson(nested(65)), badInput(/at most 64 levels/));
  assert.throws(() => parseJson(nested(100_000)), badInput(/at most 64 levels/));
  assert.throws(() => parseJson('{"a":'.repeat(100_000)), badInput(/at most 64 levels/));
  assert.ok(parseJson(nested(70), { depthMax: 70 }));
});

test('a text with more values than memory should hold is refused', () => {
  assert.throws(() => parseJson(`[${'{},'.repeat(1_000_000)}{}]`), badInput(/at most 1000000/));
});

test('a text that is cut anywhere is refused as bad input', () => {
  const text = new TextEncoder().encode('{"a":[1,-2.5e3,"x\\u00e9é",{"b":null}],"c":true}');
  for (let length = 0; length < text.length; length++) {
    assert.throws(() => parseJson(text.subarray(0, length)), badInput(/./), `${length}`);
  }
});

const arbitraryJson = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\ud800', 'a\udfffb', '"\\\u0000'),
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => ({ literal: JSON.stringify(number) })),
    fc.array(tie('value'), { maxLength: 5 }),
    fc
      .array(fc.tuple(fc.oneof(fc.constant('__proto__'), fc.string()), tie('value')), { maxLength: 5 })
      .map((members) => new Map(members)),
  ),
})).value;

/** Both as entries of arrays, so that no object of foreign keys is made. */
function toPlain(value: JsonValue): unknown {
  if (value instanceof Map)
    return ['object', Array.from(value, ([name, inner]) => [name, toPlain(inner)]).sort(byName)];
  if (Array.isArray(value)) return value.map(toPlain);
  return typeof value === 'object' && value !== null && 'literal' in value ? Number(value.literal) + 0 : value;
}

function fromParsed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromParsed);
  if (typeof value === 'number') return value + 0;
  if (typeof value !== 'object' || value === null) return value;
  return [
    'object',
    Object.entries(value)
      .map(([name, inner]) => [name, fromParsed(inner)])
      .sort(byName),
  ];
}

function byName([a]: readonly unknown[], [b]: readonly unknown[]): number {
  return String(a) < String(b) ? -1 : 1;
}
