import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { plain } from '../../test/support/config-tree.ts';
import { rootPath } from '../../test/support/root.ts';
import { mergeMappings } from './merge.ts';
import { type Node, type Scalar, nearest } from './tree.ts';
import { parseYaml, resolvePlain } from './yaml.ts';

function read(text: string): Node {
  const { root, problems } = parseYaml(text, { source: 'otel.yaml' });
  assert.deepEqual(problems, []);
  assert.ok(root);
  return root;
}

function complaint(text: string): string {
  const { root, problems } = parseYaml(text, { source: 'otel.yaml' });
  assert.equal(root, undefined);
  return problems.map(({ line, column, text }) => `${line}:${column}: ${text}`).join('\n');
}

test('every key and every value knows its line and column', () => {
  const root = read('receivers:\n  otlp:\n    endpoint: 127.0.0.1:4317\n');
  const endpoint = nearest(root, ['receivers', 'otlp', 'endpoint']);
  assert.deepEqual(endpoint.position, { source: 'otel.yaml', line: 3, column: 15, length: 14 });
  const otlp = nearest(root, ['receivers', 'otlp']);
  assert.equal(otlp.kind === 'mapping' ? otlp.entries.get('endpoint')?.position.column : undefined, 5);
});

const plainScalars: readonly (readonly [string, Scalar])[] = [
  ['', null],
  ['~', null],
  ['null', null],
  ['Null', null],
  ['nUll', 'nUll'],
  ['true', true],
  ['True', true],
  ['FALSE', false],
  ['tRue', 'tRue'],
  ['yes', 'yes'],
  ['off', 'off'],
  ['123', 123],
  ['+5', 5],
  ['-7', -7],
  ['1_000', 1000],
  ['0123', 83],
  ['0o17', 15],
  ['089', 89],
  ['0xdeadbeef', 3735928559],
  ['0b101', 5],
  ['9007199254740993', 9007199254740993n],
  ['18446744073709551615', 18446744073709551615n],
  ['1.5', 1.5],
  ['.5', 0.5],
  ['1e3', 1000],
  ['.inf', Infinity],
  ['-.Inf', -Infinity],
  ['10s', '10s'],
  ['1.2.3.4', '1.2.3.4'],
  ['-', '-'],
  ['+', '+'],
  ['.', '.'],
];

for (const [text, value] of plainScalars) {
  test(`the plain scalar "${text}" is ${typeof value} ${String(value)}`, () => {
    assert.equal(resolvePlain(text), value);
  });
}

test('a quoted scalar and one tagged !!str stay text', () => {
  assert.deepEqual(plain(read(`a: "0123"\nb: 'true'\nc: !!str 0123\nd: !!int "3"\ne: |\n  12\n`)), {
    a: '0123',
    b: 'true',
    c: '0123',
    d: 3,
    e: '12\n',
  });
});

test('anchors, aliases and merge keys work; explicit keys win', () => {
  const text = 'base: &b {k: 1, l: 2}\nother: &o {l: 3, m: 4}\none:\n  k: 9\n  <<: [*b, *o]\ntwo: *b\n';
  assert.deepEqual(plain(read(text)), {
    base: { k: 1, l: 2 },
    other: { l: 3, m: 4 },
    one: { k: 9, l: 2, m: 4 },
    two: { k: 1, l: 2 },
  });
});

test('"::" in a key nests, but not in a mapping inside a list', () => {
  const text =
    'receivers::otlp::protocols::grpc:\nreceivers:\n  otlp: {protocols: {http: }}\nlist: [{a::b: 1}]\n::x: 1\n';
  assert.deepEqual(plain(read(text)), {
    receivers: { otlp: { protocols: { grpc: null, http: null } } },
    list: [{ 'a::b': 1 }],
    '::x': 1,
  });
});

test('what is not YAML is refused with its place', () => {
  assert.equal(complaint('a:\n\tb: 1\n'), '2:1: tab character in indentation; YAML allows blanks only');
  assert.equal(complaint('a:\n  k: 1\n  k: 2\n'), '3:3: the key "k" stands twice in this mapping, first in line 2');
  assert.equal(
    complaint('a: 1\n---\nb: 2\n'),
    '2:1: a second YAML document begins here; a configuration is one document',
  );
  assert.match(complaint('a: *nope'), /^1:4: no anchor "&nope"/);
  assert.match(complaint('a: b: c'), /^1:4: is not valid YAML/);
  assert.match(complaint('["a",'), /^1:6: is not valid YAML/);
  assert.match(complaint('? [x]\n: y'), /^1:3: a key must be plain text/);
  assert.match(complaint('a: &x [*x]'), /no anchor/);
  assert.match(complaint('<<: 1'), /"<<" merges mappings only/);
});

test('a file without a document is null, and an empty second document is nothing', () => {
  assert.deepEqual(plain(read('')), null);
  assert.deepEqual(plain(read('# nothing\n')), null);
  assert.deepEqual(plain(read('a: 1\n---\n')), { a: 1 });
});

test('depth and aliases are bounded', () => {
  assert.match(complaint('['.repeat(100_000)), /is nested more than 100 levels deep/);
  assert.match(complaint('- '.repeat(50_000)), /is nested more than 100 levels deep/);
  const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]'];
  for (let level = 1; level < 9; level += 1) lines.push(`a${level}: &a${level} [${`*a${level - 1},`.repeat(10)}]`);
  assert.match(complaint(lines.join('\n')), /holds more than 200000 values/);
});

test('parsing never throws, whatever the text', () => {
  const pieces = fc.constantFrom(
    'a',
    ': ',
    '\n',
    '  ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '&x ',
    '*x',
    '<<',
    '::',
    '"',
    "'",
    '|',
    '\t',
    '---\n',
    '!!int ',
    '#',
    '%',
    '? ',
    ',',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join('')),
      ),
      (text) => {
        const { root, problems } = parseYaml(text, { source: 'x' });
        assert.equal(root === undefined, problems.length > 0);
      },
    ),
    { numRuns: 1000 },
  );
});

test('a later file is laid over an earlier one; lists are replaced', () => {
  const [base, over] = ['merge-base.yaml', 'merge-over.yaml'].map((name) =>
    read(readFileSync(rootPath('test', 'fixtures', 'config', name), 'utf8')),
  );
  assert.ok(base?.kind === 'mapping' && over?.kind === 'mapping');
  const merged = mergeMappings(base, over);
  assert.deepEqual(plain(nearest(merged, ['exporters'])), {
    awsxray: { region: 'eu-west-1', local_mode: true },
    debug: { verbosity: 'detailed' },
  });
  assert.deepEqual(plain(nearest(merged, ['service', 'pipelines', 'traces'])), {
    receivers: ['otlp'],
    exporters: ['debug'],
  });
});

test('a null laid over a mapping replaces it, an empty mapping keeps it', () => {
  const merge = (earlier: string, later: string) => {
    const [a, b] = [read(earlier), read(later)];
    assert.ok(a.kind === 'mapping' && b.kind === 'mapping');
    return plain(mergeMappings(a, b));
  };
  assert.deepEqual(merge('a: {b: 1}', 'a:'), { a: null });
  assert.deepEqual(merge('a: {b: 1}', 'a: {}'), { a: { b: 1 } });
  assert.deepEqual(merge('a: 1', 'a: {b: 1}'), { a: { b: 1 } });
});
