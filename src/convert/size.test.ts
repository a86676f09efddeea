import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { arbitraryAttributeValue } from '../../test/support/arbitraries.ts';
import { printJson } from '../codec/json.ts';
import { jsonBytes, jsonBytesBound } from './size.ts';
import { toAnyValue, toJson } from './values.ts';

test('The size of a JSON value is the number of bytes that it is printed in', () => {
  fc.assert(
    fc.property(arbitraryAttributeValue, fc.string({ unit: 'binary' }), (value, name) => {
      const json = [toJson(value), new Map([[name, toAnyValue(value)]]), []];
      const printed = Buffer.byteLength(printJson(json));
      assert.equal(jsonBytes(json), printed);
      assert.ok(jsonBytesBound(json) >= printed);
    }),
    { numRuns: 2000 },
  );
});

test('Escapes and halves of surrogate pairs count as they are printed', () => {
  for (const text of [
    '\b\t\n\f\r',
    '\u0000\u001f\u007f',
    '"\\/',
    'ä€😀',
    '\ud83d',
    '\ude00\ud83d',
    '\ud83dx',
    '\u2028',
  ]) {
    assert.equal(jsonBytes(text), Buffer.byteLength(printJson(text)), JSON.stringify(text));
    assert.ok(jsonBytesBound(text) >= jsonBytes(text));
  }
});
