import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { toBytes } from '../../../test/support/bytes.ts';
import { readPieces } from './pieces.ts';

describe('pieces of JSON', () => {
  it('are the values of a file, one a line or pretty-printed, however its bytes arrive', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(printedValue, { maxLength: 8 }),
        fc.integer({ min: 1, max: 40 }),
        async (texts, size) => {
          assert.deepEqual(
            (await piecesOf(texts.join('\n'), size)).map(({ text }) => JSON.parse(text)),
            texts.map((text) => JSON.parse(text)),
          );
        },
      ),
    );
  });

  it('know the line in which they start', async () => {
    const pieces = await piecesOf('{"a":1}\n\n{\n  "b": "x\\n}"\n}\n  [1,\n2]', 3);
    assert.deepEqual(pieces, [
      { line: 1, text: '{"a":1}' },
      { line: 3, text: '{\n  "b": "x\\n}"\n}' },
      { line: 6, text: '  [1,\n2]' },
    ]);
  });

  it('that are broken cost themselves and not the next line', async () => {
    const good = '{"a":{"b":[1]}}';
    for (let length = 2; length < good.length; length++) {
      const texts = (await piecesOf(`${good}\n${good.slice(0, length)}\n${good}\n`, 7)).map(({ text }) => text);
      assert.deepEqual(texts, [good, good.slice(0, length), good], `cut after ${length} bytes`);
    }
    assert.deepEqual(
      (await piecesOf('{"a":"b\n}}}\n{}', 7)).map(({ text }) => text),
      ['{"a":"b', '}}}', '{}'],
    );
  });
});

/** Texts of objects and arrays: those are what a line may leave open. */
const printedValue = fc
  .tuple(
    fc.oneof(fc.array(fc.jsonValue({ maxDepth: 3 })), fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }))),
    fc.constantFrom(undefined, 0, 1, 4, '\t'),
  )
  .map(([value, indent]) => JSON.stringify(value, undefined, indent));

async function piecesOf(
  text: string,
  chunkBytes: number,
): Promise<readonly { readonly line: number | undefined; readonly text: string }[]> {
  const bytes = toBytes(text);
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < bytes.length; i += chunkBytes) yield bytes.subarray(i, i + chunkBytes);
  }
  const pieces = [];
  for await (const piece of readPieces(chunks())) {
    assert.ok(piece.kind === 'json');
    pieces.push({ line: piece.line, text: Buffer.from(piece.bytes).toString() });
  }
  return pieces;
}
