import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { badInput } from '../../test/support/bad-input.ts';
import { toBytes } from '../../test/support/bytes.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { decodeDatagram, encodeDatagram } from './udp.ts';

const header = '{"format":"json","version":1}';

test('an encoded document is decoded to the same bytes', () => {
  const document = toBytes('{"id":"x"}\n');
  assert.deepEqual(decodeDatagram(encodeDatagram(document)), { kind: 'segments', body: document });
  assert.equal(new TextDecoder().decode(encodeDatagram(document)), `${header}\n{"id":"x"}\n`);
});

test('the header may be spaced and ordered freely, in any case of the format, with other members', () => {
  for (const line of [
    '{"format": "json", "version": 1}',
    '{"version":1,"format":"JSON"}',
    ' {"format":"Json","version":1,"future":[1]} \r',
  ]) {
    assert.equal(decodeDatagram(toBytes(`${line}\n{}`)).kind, 'segments', line);
  }
});

test('the body begins after the first newline and is given as it is', () => {
  const { body } = segmentsOf(`${header}\n\n [{"a":"\\n"},\n{}] \n`);
  assert.equal(new TextDecoder().decode(body), '\n [{"a":"\\n"},\n{}] \n');
});

test('OTLP in base64 comes out as protobuf, sampled or not', () => {
  for (const [mark, sampled] of [
    ['T1S', true],
    ['T1U', false],
  ] as const) {
    assert.deepEqual(decodeDatagram(toBytes(`${header}\n${mark}CgASAA==\n`)), {
      kind: 'otlp',
      sampled,
      body: Uint8Array.of(0x0a, 0, 0x12, 0),
    });
  }
});

test('OTLP metrics are recognised', () => {
  assert.deepEqual(decodeDatagram(toBytes(`${header}\nM1CgASAA==`)), { kind: 'metrics' });
});

test('anything else is refused with a sentence that says what was expected', () => {
  const cases: readonly (readonly [text: string, message: RegExp])[] = [
    ['', /header line missing: expected .* before the document, got nothing/],
    [header, /header line missing/],
    ['{"trace_id":"1-5f"}', /header line missing: .* got "\{\\"trace_id/],
    [`${' '.repeat(257)}${header}\n{}`, /header line missing/],
    ['\n{}', /header line: expected .*, got nothing/],
    ['x\n{}', /header line: expected .*, got "x"/],
    ['[]\n{}', /header line: expected/],
    ['{"format":"json"}\n{}', /expected format "json" and version 1, got/],
    ['{"format":"json","version":2}\n{}', /expected format "json" and version 1/],
    ['{"format":"json","version":1.0}\n{}', /expected format "json" and version 1/],
    ['{"format":"json","version":"1"}\n{}', /expected format "json" and version 1/],
    ['{"format":"xml","version":1}\n{}', /expected format "json" and version 1/],
    [`${header}\n`, /document missing: expected a segment document after the header line, got nothing/],
    [`${header}\n \r\n`, /document missing/],
    [`${header}\nhello`, /document: expected a JSON object, .* got "hello"/],
    [`${header}\nT2Sxxxx`, /document: expected a JSON object/],
    [`${header}\nT1S*`, /document: expected base64 after T1S/],
  ];
  for (const [text, message] of cases) assert.throws(() => decodeDatagram(toBytes(text)), badInput(message), text);
});

test('any bytes are a datagram or bad input', () => {
  const start = fc.constantFrom('', '{', header, `${header}\n`, `${header}\nT1S`, `${header}\nM1`);
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 300 }), (text, rest) => {
      try {
        decodeDatagram(Uint8Array.of(...toBytes(text), ...rest));
      } catch (error) {
        assert.ok(badInput(/./)(error), String(error));
      }
    }),
  );
});

test('base64 is what Buffer takes for base64', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
      const text = encodeBase64(bytes);
      assert.equal(text, Buffer.from(bytes).toString('base64'));
      assert.deepEqual(decodeBase64(text), bytes);
      assert.deepEqual(decodeBase64(Buffer.from(bytes).toString('base64url')), bytes);
    }),
  );
  for (const text of ['a', 'ab=', '=', '====', 'a===', 'ab cd', 'ab\n=', 'é123']) {
    assert.equal(decodeBase64(text), undefined, text);
  }
});

function segmentsOf(text: string): { readonly body: Uint8Array } {
  const datagram = decodeDatagram(toBytes(text));
  assert.ok(datagram.kind === 'segments');
  return datagram;
}
