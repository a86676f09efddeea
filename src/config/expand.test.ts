import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { z } from 'zod';
import { plain } from '../../test/support/config-tree.ts';
import { rootPath } from '../../test/support/root.ts';
import { decode } from './decode.ts';
import { type Expansion, expandTree } from './expand.ts';
import { parseYaml } from './yaml.ts';

interface World {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

async function expand(text: string, { env = {}, files = {} }: World = {}): Promise<Expansion> {
  const { root } = parseYaml(text, { source: 'otel.yaml' });
  assert.ok(root?.kind === 'mapping');
  const read = async (path: string) => {
    const content = files[path];
    if (content === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
    return content;
  };
  return expandTree(root, { env: new Map(Object.entries(env)), read });
}

/** What `member: TEXT` gives to a member of this type. */
async function valueFor(schema: z.ZodType, text: string, world: World = {}): Promise<unknown> {
  const { root, problems } = await expand(`member: ${text}`, world);
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error'),
    [],
  );
  const decoded = decode(root, z.strictObject({ member: schema }), {
    path: [],
    position: root.position,
  });
  return decoded.value ? decoded.value.member : decoded.problems.map((problem) => problem.text).join('; ');
}

async function complaint(text: string, world: World = {}): Promise<string> {
  const { problems } = await expand(`key: '${text}'`, world);
  return problems.map(({ severity, text }) => `${severity}: ${text}`).join('\n');
}

test('dollars, references and escapes come out as in the Collector', async () => {
  const text = readFileSync(rootPath('test', 'fixtures', 'config', 'expand-escaped-env.yaml'), 'utf8');
  const { root } = await expand(text, {
    env: {
      ENV_VALUE: 'some expanded value',
      ENV_LIST: "['$$ESCAPE_ME','$${ESCAPE_ME}','$${env:ESCAPE_ME}']",
      ENV_MAP: "{'key1':'$$ESCAPE_ME','key2':'$${ESCAPE_ME}','key3':'$${env:ESCAPE_ME}'}",
      ENV_NESTED_DOLLARSIGN: 'here is 1 $$',
      ENV_NESTED_DOLLARSIGN_ESCAPED: 'here are 2 $$$',
      ENV_EXPAND_NESTED: '${env:ENV_VALUE} came from nested expansion',
    },
  });
  assert.deepEqual(plain(root), {
    test_map: {
      key1: '$ENV_VALUE',
      key2: '$$ENV_VALUE',
      key3: '$some expanded value',
      key4: 'somesome expanded valuetext',
      key5: 'some${ENV_VALUE}text',
      key6: '${ONE}${TWO}',
      key7: 'text$',
      key8: '$',
      key9: '${1}${env:2}',
      key10: 'some${env:ENV_VALUE}text',
      key11: '${env:some expanded value}',
      key12: '${env:${ENV_VALUE}}',
      key13: 'env:MAP_VALUE_2}${ENV_VALUE}{',
      key14: '$some expanded value',
      key15: '$ENV_VALUE',
      key16: ['$ESCAPE_ME', '${ESCAPE_ME}', '${env:ESCAPE_ME}'],
      key17: { key1: '$ESCAPE_ME', key2: '${ESCAPE_ME}', key3: '${env:ESCAPE_ME}' },
      key18: 'here is 1 $',
      key19: 'here are 2 $$',
      key20: 'some expanded value came from nested expansion',
      key21: 'default_value',
      key22: '${env:UNDEFINED_KEY:-${env:UNDEFINED_KEY}}',
    },
  });
});

const typed: readonly (readonly [variable: string, schema: z.ZodType, value: unknown])[] = [
  ['123', z.int(), 123],
  ['123', z.string(), '123'],
  ['0123', z.int(), 83],
  ['0123', z.string(), '0123'],
  ['0xdeadbeef', z.int(), 3735928559],
  ['0xdeadbeef', z.string(), '0xdeadbeef'],
  ['"0123"', z.int(), 'expected a whole number, got "\\"0123\\""'],
  ['"0123"', z.string(), '"0123"'],
  ['!!str 0123', z.string(), '!!str 0123'],
  ['t', z.boolean(), 'expected true or false, got "t"'],
  ['23', z.boolean(), 'expected true or false, got 23'],
  ['["a",', z.string(), '["a",'],
  ['true # comment with ${env:x}', z.boolean(), true],
  ['[a,b]', z.array(z.string()), ['a', 'b']],
  ['[a,b]', z.string(), '[a,b]'],
  ['{a: 1}', z.record(z.string(), z.int()), { a: 1 }],
  ['{a: 1}', z.string(), '{a: 1}'],
  ['true', z.union([z.string(), z.literal('true')]), 'true'],
  ['10s', z.union([z.string(), z.number()]), '10s'],
];

for (const [variable, schema, value] of typed) {
  test(`a variable with the text ${variable} gives ${JSON.stringify(value)} to a ${schema.def.type}`, async () => {
    assert.deepEqual(await valueFor(schema, '${env:X}', { env: { X: variable } }), value);
    assert.deepEqual(await valueFor(schema, '"${X}"', { env: { X: variable } }), value);
  });
}

test('a reference within a longer text is replaced by the text of the variable', async () => {
  assert.equal(await valueFor(z.string(), 'a ${env:X} b', { env: { X: '0123' } }), 'a 0123 b');
  assert.equal(await valueFor(z.string(), '"a ${env:X}"', { env: { X: '[a, b]' } }), 'a [a, b]');
  assert.match(
    String(await valueFor(z.int(), '"1${env:X}"', { env: { X: '2' } })),
    /expected a whole number, got "12"/,
  );
});

test('defaults take the place of unset variables, not of empty ones', async () => {
  assert.equal(await valueFor(z.string(), '${env:X:-fallback}'), 'fallback');
  assert.equal(await valueFor(z.int(), '${env:X:-7}'), 7);
  assert.equal(await valueFor(z.string(), '${env:X:-}'), '');
  assert.equal(await valueFor(z.string(), '${env:X:-fallback}', { env: { X: '' } }), '');
});

test('an unset variable empties its member instead of leaving the default', async () => {
  assert.equal(await valueFor(z.string().default('d'), '${X}'), '');
  assert.equal(await valueFor(z.boolean().default(true), '${X}'), false);
  assert.equal(await valueFor(z.int().default(7), '${X}'), 0);
  assert.deepEqual(await valueFor(z.array(z.string()).default(['d']), '${X}'), []);
  assert.equal(await complaint('${X}'), 'warning: references the environment variable X, which is not set');
  assert.equal(
    await complaint('${X}', { env: { X: '' } }),
    'info: references the environment variable X, which is empty',
  );
});

test('references stand in references, in values of variables and in files', async () => {
  const world = {
    env: { DIR: '/etc', NAME: '${env:DIR}/name' },
    files: { '/etc/x.yaml': 'a: ${NAME}\n# ${hello.world}\n' },
  };
  assert.deepEqual(await valueFor(z.strictObject({ a: z.string() }), '${file:${env:DIR}/x.yaml}', world), {
    a: '/etc/name',
  });
  assert.equal(await valueFor(z.string(), '${yaml:[${DIR}]}', world), '[/etc]');
});

test('a file pulled in keeps its own positions and its comments are not expanded', async () => {
  const read = (name: string) => readFileSync(rootPath('test', 'fixtures', 'config', name), 'utf8');
  const { root, problems, sources } = await expand(read('issue-10787-main.yaml'), {
    files: { 'testdata/issue-10787-snippet.yaml': read('issue-10787-snippet.yaml') },
  });
  assert.deepEqual(problems, []);
  assert.deepEqual([...sources.keys()], ['testdata/issue-10787-snippet.yaml']);
  const exporters = root.entries.get('exporters')?.value;
  assert.ok(exporters?.kind === 'mapping');
  assert.deepEqual(plain(exporters), { debug: { verbosity: 'detailed' } });
  assert.deepEqual(exporters.entries.get('debug')?.position, {
    source: 'testdata/issue-10787-snippet.yaml',
    line: 2,
    column: 1,
    length: 5,
  });
});

test('an escaped reference is not replaced along with the same one unescaped', async () => {
  assert.equal(await valueFor(z.string(), "'$${A} ${A}'", { env: { A: 'x' } }), '${A} x');
});

test('what cannot be expanded is a problem with the words of the Collector', async () => {
  assert.equal(
    await complaint('${env:0X}'),
    'error: environment variable "0X" has invalid name: must match regex ^[a-zA-Z_][a-zA-Z0-9_]*$',
  );
  assert.equal(await complaint('${foo:bar}'), 'error: scheme "foo" is not supported for uri "foo:bar"');
  assert.match(await complaint('${s3://b}'), /scheme "s3" is not supported; download the object/);
  assert.match(await complaint('${ssm:/a/b}'), /scheme "ssm" is not supported; .*use env:NAME/);
  assert.match(await complaint('${http://b}'), /documents on the web are not read here/);
  assert.match(await complaint('${http://}'), /expected a URL such as/);
  assert.match(await complaint('${file:gone.yaml}'), /cannot read the file "gone.yaml": ENOENT/);
  assert.equal(await complaint('${X:-default}'), 'error: ${X:-default} has no scheme');
  assert.match(await complaint('${env:${env:A}}', { env: { A: '$B' } }), /unsupported characters \('\$'\)/);
  assert.match(await complaint('${X}', { env: { X: '${X}' } }), /too many recursive expansions/);
  assert.match(await complaint('${X}', { env: { X: '["${X}", "${X}"]' } }), /too many recursive expansions/);
  assert.match(await complaint('${X}', { env: { X: '{a: "${X}"}' } }), /too many recursive expansions/);
});

test('a dollar without braces is literal, with a warning when a variable of that name is set', async () => {
  assert.equal(await valueFor(z.string(), '$HOME', { env: { HOME: '/root' } }), '$HOME');
  assert.match(await complaint('$HOME', { env: { HOME: '/root' } }), /^warning: "\$HOME" is taken literally/);
  assert.equal(await complaint('$HOME'), '');
  assert.equal(await complaint('${X'), '');
});

test('keys are never expanded', async () => {
  const { root } = await expand('${A}: 1\n', { env: { A: 'x' } });
  assert.deepEqual(plain(root), { '${A}': 1 });
});

test('expansion never rejects, whatever the text', async () => {
  const pieces = fc.constantFrom(
    '$',
    '{',
    '}',
    '${',
    '$$',
    'env:',
    'A',
    'B',
    ':-',
    'yaml:',
    'file:',
    '[',
    ']',
    ',',
    ' ',
    '"',
    '\n',
  );
  const texts = fc.array(pieces, { maxLength: 25 }).map((parts) => parts.join(''));
  await fc.assert(
    fc.asyncProperty(texts, texts, texts, async (text, A, B) => {
      await expand(`key: ${JSON.stringify(text)}`, { env: { A, B }, files: {} });
    }),
    { numRuns: 500 },
  );
});
