import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeText, findInvalidUtf8, isAscii, textMaker } from './utf8.ts';

/** A text between other bytes, as it stands in a message. */
function embedded(text: string): { readonly view: DataView; readonly start: number; readonly end: number } {
  const encoded = Buffer.from(text);
  const bytes = Uint8Array.from([0xff, 0xc3, ...encoded, 0x28, 0x80]);
  return { view: new DataView(bytes.buffer), start: 2, end: 2 + encoded.length };
}

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 80 }),
  fc.constantFrom('', '\ufeff', '\ufeffabc', 'a\0b', '\0\0\0', '\0'),
);

test('A text is the same in Node and in a browser, a byte order mark included', () => {
  const inNode = textMaker(globalThis);
  const inBrowser = textMaker({});
  fc.assert(
    fc.property(anyText, (text) => {
      const { view, start, end } = embedded(text);
      assert.equal(inNode(view, start, end), text);
      assert.equal(inBrowser(view, start, end), text);
    }),
  );
});

test('A text that has been read before is read as it stands there, not as another with the same hash', () => {
  // Short texts of two letters come again often, and fill the table more than once.
  const short = fc.string({ unit: fc.constantFrom('a', 'b', '\0', 'é'), maxLength: 40 });
  fc.assert(
    fc.property(fc.array(fc.oneof(short, anyText), { maxLength: 200 }), (texts) => {
      for (const text of texts) {
        const { view, start, end } = embedded(text);
        assert.equal(decodeText(view, start, end), text);
      }
    }),
    { numRuns: 300 },
  );
});

test('Text is ASCII, or valid UTF-8, exactly when TextDecoder says so', () => {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const byte = fc.oneof(
    fc.integer({ min: 0x20, max: 0x7f }),
    fc.constantFrom(0, 0x80, 0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xe2, 0xed, 0xf0, 0xf4, 0xff),
  );
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 30 }), (list) => {
      const bytes = Uint8Array.from(list);
      assert.equal(
        isAscii(new DataView(bytes.buffer), 0, bytes.length),
        list.every((one) => one < 0x80),
      );
      const isValid = ((): boolean => {
        try {
          decoder.decode(bytes);
          return true;
        } catch {
          return false;
        }
      })();
      assert.equal(findInvalidUtf8(bytes, 0, bytes.length) === -1, isValid);
    }),
    { numRuns: 2000 },
  );
});
