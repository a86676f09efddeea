import assert from 'node:assert/strict';
import { test } from 'node:test';
import { error, info, printProblems, warning } from './message.ts';
import { suggest } from './suggest.ts';
import { wholeSource } from './tree.ts';

test('a message shows the place, the line with a caret, the hints and the words of the Collector', () => {
  const sources = new Map([
    [
      'otel.yaml',
      ['receivers:', '  otlp:', ...Array.from({ length: 6 }, () => ''), 'exporters:', '  awsxary:'].join('\n'),
    ],
  ]);
  const problems = [
    error({ source: 'otel.yaml', line: 10, column: 3, length: 7 }, 'exporters', 'unknown type "awsxary"', {
      hints: ['did you mean "awsxray"?', 'available exporters: awsxray, debug'],
      original: `'exporters' unknown type: "awsxary" for id: "awsxary"`,
    }),
    warning(wholeSource('otel.yaml'), '', 'something else'),
    info({ source: 'otel.yaml', line: 2, column: 3, length: 4 }, 'receivers', 'not shown'),
  ];
  assert.equal(
    printProblems(problems, sources),
    `error: otel.yaml:10:3: exporters: unknown type "awsxary"
   |
10 |   awsxary:
   |   ^^^^^^^
   = did you mean "awsxray"?
   = available exporters: awsxray, debug
   = the Collector would say: 'exporters' unknown type: "awsxary" for id: "awsxary"

warning: otel.yaml: something else

1 error, 1 warning in otel.yaml
`,
  );
  assert.equal(printProblems(problems.slice(2), sources), '');
  assert.match(printProblems(problems.slice(2), sources, { verbose: true }), /1 note in otel.yaml/);
});

test('lines that may hold a secret are shown without it', () => {
  const text = [
    'password: hunter2',
    'headers:',
    '  x-team: hunter2',
    '  - name: x',
    '    value: hunter2',
    'tls: {key_pem: hunter2, a: b}',
    'headers:',
    '- value: hunter2',
    'api_key: "hunter2"',
    'x: {Authorization: Bearer hunter2}',
    'secret: |',
    '  hunter2',
  ].join('\n');
  for (let line = 1; line <= 12; line += 1) {
    const shown = printProblems([error({ source: 's', line, column: 3, length: 4 }, '', 'x')], new Map([['s', text]]));
    assert.doesNotMatch(shown, /hunter2/, `line ${line}`);
  }
  const open = 'attributes:\n  - key: TaskId\n    value: 1\nkey_file: a.key';
  for (const [line, wanted] of [
    [2, 'TaskId'],
    [3, 'value: 1'],
    [4, 'a.key'],
  ] as const) {
    assert.match(
      printProblems([error({ source: 's', line, column: 3, length: 4 }, '', 'x')], new Map([['s', open]])),
      new RegExp(wanted),
    );
  }
});

test('control characters of others do not reach the terminal', () => {
  const printed = printProblems([error(wholeSource('a\u001b[31m'), '', 'x\ny')], new Map());
  assert.equal(printed.includes('\u001b'), false);
});

test('proposals are near names, nearest first, at most three', () => {
  assert.deepEqual(suggest('awsxary', ['awsxray', 'otlp', 'debug']), ['awsxray']);
  assert.deepEqual(suggest('aws_xray', ['awsxray']), ['awsxray']);
  assert.deepEqual(suggest('verBosity', ['verbosity']), ['verbosity']);
  assert.deepEqual(suggest('otpl', ['otlp', 'oops']), ['otlp']);
  assert.deepEqual(suggest('abcd', ['abxy']), []);
  assert.deepEqual(suggest('abcdef', ['abcdxy', 'abcdeg', 'abcdf', 'bbcdef']), ['abcdeg', 'abcdf', 'bbcdef']);
  assert.deepEqual(suggest('', ['a']), []);
});
