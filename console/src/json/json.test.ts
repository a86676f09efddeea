import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { indentJson } from './indent.ts';
import { asNumber, memberAt, parseJson } from './read.ts';

describe('indented JSON', () => {
  it('is the same value', () => {
    const value = { a: [1, 'two, {three}', { b: null }], c: {}, d: [], e: 'x"y\\' };
    assert.deepEqual(JSON.parse(indentJson(JSON.stringify(value))), value);
    assert.equal(indentJson(JSON.stringify(value)), JSON.stringify(value, undefined, 2));
  });

  it('keeps the text of numbers', () => {
    assert.equal(
      indentJson('{"t":1.499473411677E9,"n":9007199254740993}'),
      '{\n  "t": 1.499473411677E9,\n  "n": 9007199254740993\n}',
    );
  });

  it('does not fail on text that is no JSON', () => {
    assert.equal(indentJson('}} "open'), '\n}\n}"open');
  });
});

describe('foreign JSON', () => {
  it('gives own members only', () => {
    assert.equal(memberAt({}, 'constructor'), undefined);
    assert.equal(memberAt(parseJson('{"__proto__":{"a":1}}'), '__proto__', 'a'), 1);
    assert.equal(memberAt('text', 'length'), undefined);
  });

  it('takes a number that was sent as a string', () => {
    assert.equal(asNumber('41'), 41);
    assert.equal(asNumber(' '), undefined);
    assert.equal(asNumber('Infinity'), undefined);
  });

  it('is undefined when it cannot be parsed', () => {
    assert.equal(parseJson('{'), undefined);
  });
});
