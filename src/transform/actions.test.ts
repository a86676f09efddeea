import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Attributes, AttributeValue } from '../model/index.ts';
import { actionSchema, compileActions } from './actions.ts';
import { compilePattern } from './regex.ts';

function run(
  attributes: Readonly<Record<string, AttributeValue>>,
  ...actions: readonly object[]
): Readonly<Record<string, AttributeValue>> {
  return Object.fromEntries(
    compileActions(actions.map((action) => actionSchema.parse(action)))(new Map(Object.entries(attributes))),
  );
}

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

describe('actions on attributes', () => {
  it('insert if absent, update if present, upsert always', () => {
    const set = { key: 'a', value: 'new' };
    assert.deepEqual(run({ a: 'old' }, { ...set, action: 'insert' }), { a: 'old' });
    assert.deepEqual(run({}, { ...set, action: 'insert' }), { a: 'new' });
    assert.deepEqual(run({}, { ...set, action: 'update' }), {});
    assert.deepEqual(run({ a: 'old' }, { ...set, action: 'UPDATE' }), { a: 'new' });
    assert.deepEqual(run({}, { ...set, action: 'upsert' }), { a: 'new' });
  });

  it('take the type that YAML gives, or another attribute, or what it falls back to', () => {
    assert.deepEqual(run({}, { key: 'a', value: 443, action: 'upsert' }), { a: 443n });
    assert.deepEqual(run({}, { key: 'a', value: 0.5, action: 'upsert' }), { a: 0.5 });
    assert.deepEqual(run({}, { key: 'a', value: [1, 'x'], action: 'upsert' }), { a: [1n, 'x'] });
    assert.deepEqual(run({ b: true }, { key: 'a', from_attribute: 'b', action: 'upsert' }), { b: true, a: true });
    assert.deepEqual(run({}, { key: 'a', from_attribute: 'b', action: 'upsert' }), {});
    assert.deepEqual(run({}, { key: 'a', from_attribute: 'b', default_value: 'x', action: 'upsert' }), { a: 'x' });
  });

  it('delete and hash a key, and all keys that a pattern fits', () => {
    assert.deepEqual(run({ a: 1n, b: 2n }, { key: 'a', action: 'delete' }), { b: 2n });
    assert.deepEqual(run({ 'h.a': 1n, 'h.b': 2n, c: 3n }, { pattern: '^h\\.', action: 'delete' }), { c: 3n });
    const eight = Buffer.alloc(8);
    eight.writeBigInt64LE(7n);
    const double = Buffer.alloc(8);
    double.writeDoubleLE(1.5);
    const hashed = run({ s: 'x', i: 7n, d: 1.5, t: true, l: [1n] }, { pattern: '.', action: 'hash' });
    assert.deepEqual(hashed, {
      s: sha256('x'),
      i: sha256(eight),
      d: sha256(double),
      t: sha256(Uint8Array.of(1)),
      l: '',
    });
  });

  it('extract named groups, and convert what can be converted', () => {
    const extract = { key: 'url', pattern: '^(?P<scheme>\\w+)://(?P<host>[^/]+)', action: 'extract' };
    assert.deepEqual(run({ url: 'https://shop/x' }, extract), { url: 'https://shop/x', scheme: 'https', host: 'shop' });
    assert.deepEqual(run({ url: 'nothing' }, extract), { url: 'nothing' });
    const to = (value: AttributeValue, converted_type: string) =>
      run({ a: value }, { key: 'a', converted_type, action: 'convert' })['a'];
    assert.deepEqual([to('12', 'int'), to(1.9, 'int'), to(true, 'int'), to('x', 'int')], [12n, 1n, 1n, 'x']);
    assert.deepEqual(
      [to('1.5', 'double'), to(2n, 'double'), to(7n, 'string'), to(true, 'string')],
      [1.5, 2, '7', 'true'],
    );
  });

  it('run in their order, and give back the attributes themselves when nothing changes', () => {
    assert.deepEqual(
      run({ a: 'x' }, { key: 'b', from_attribute: 'a', action: 'upsert' }, { key: 'a', action: 'delete' }),
      { b: 'x' },
    );
    const same: Attributes = new Map([['a', 'x']]);
    assert.equal(compileActions([actionSchema.parse({ key: 'z', action: 'delete' })])(same), same);
  });

  for (const wrong of [
    { key: 'a', action: 'replace' },
    { key: 'a', action: 'insert' },
    { key: 'a', action: 'insert', value: 1, from_attribute: 'b' },
    { action: 'insert', value: 1 },
    { key: 'a', action: 'extract', pattern: '(x)' },
    { key: 'a', action: 'extract', pattern: 'x' },
    { key: 'a', action: 'delete', pattern: '(?=x)' },
    { key: 'a', action: 'convert' },
  ]) {
    it(`refuse ${JSON.stringify(wrong)}`, () => assert.equal(actionSchema.safeParse(wrong).success, false));
  }
});

describe('a regular expression of RE2', () => {
  it('means the same in JavaScript', () => {
    assert.equal(compilePattern('(?i)^HTTP').test('http'), true);
    assert.equal(compilePattern('\\Aab\\z').test('xab'), false);
    assert.equal(compilePattern('^\\p{L}+$').test('äöü'), true);
    assert.deepEqual({ ...compilePattern('(?P<a>x)(?P<b>y)?').groups('x') }, { a: 'x', b: undefined });
    assert.deepEqual(compilePattern('(?P<a>x)(y)(?:z)\\(').groupNames, ['a', '']);
  });

  it('is refused where RE2 has no such thing', () => {
    for (const source of ['(?=a)', '(?<!a)b', '(a)\\1', '('])
      assert.throws(() => compilePattern(source), SyntaxError, source);
  });
});
