import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { RaybridgeError } from '../errors.ts';
import { parsePageToken, printPageToken } from './page-token.ts';

const request = {
  StartTime: 1,
  EndTime: 2,
  FilterExpression: 'fault',
  SamplingStrategy: { Name: 'FixedRate', Value: 1 },
};
const position = { traceId: 'ä€😀', timeNs: '1716560306100000000', last: true, count: 5 };
const token = printPageToken({ request, position });

describe('a page token', () => {
  test('gives back the position for the same request', () => {
    assert.deepEqual(parsePageToken(token, request), position);
    assert.match(token, /^[\w-]+$/);
  });

  test('does not mind the order of members, nor the token itself among them', () => {
    const repeated = {
      NextToken: token,
      SamplingStrategy: { Value: 1, Name: 'FixedRate' },
      FilterExpression: 'fault',
      EndTime: 2,
      StartTime: 1,
    };
    assert.deepEqual(parsePageToken(token, repeated), position);
  });

  test('is refused for another request', () => {
    for (const other of [{ ...request, EndTime: 3 }, { ...request, TimeRangeType: 'Event' }, {}]) {
      assert.throws(() => parsePageToken(token, other), {
        code: 'INVALID_REQUEST',
        message: 'NextToken belongs to a request with other members; repeat the request without it',
      });
    }
  });

  test('is refused when it was cut, changed, made up or too long', () => {
    const wrong = [
      '',
      'x',
      token.slice(0, -3),
      `${token}A`,
      `A${token}`,
      token.replace(/.$/, '='),
      'ä',
      'MS4w',
      'A'.repeat(2001),
    ];
    for (const text of wrong) {
      assert.throws(() => parsePageToken(text, request), { code: 'INVALID_REQUEST', message: /^NextToken / }, text);
    }
  });

  test('holds for any position and any text', () => {
    const value = fc.oneof(fc.string({ unit: 'grapheme' }), fc.boolean(), fc.integer());
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'grapheme' }), value, { maxKeys: 4, noNullPrototype: true }),
        (anywhere) => {
          assert.deepEqual(parsePageToken(printPageToken({ request, position: anywhere }), request), anywhere);
        },
      ),
    );
    fc.assert(
      fc.property(fc.base64String(), (text) => {
        assert.throws(() => parsePageToken(text, request), RaybridgeError);
      }),
    );
  });

  test('refuses to carry more than fits', () => {
    assert.throws(() => printPageToken({ request, position: { text: 'x'.repeat(2000) } }), /too large/);
  });
});
