import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { parseStack, printStack } from './stack.ts';

/** `label|path|line` of each frame. */
function framesOf(text: string, language?: string): readonly (readonly string[])[] {
  return parseStack(text, language).map(({ frames }) =>
    frames.map(({ label, path, line }) => `${label}|${path}|${line}`),
  );
}

function headersOf(text: string, language?: string): readonly (readonly [string, string])[] {
  return parseStack(text, language).map(({ type, message }) => [type, message] as const);
}

describe('A Java stack trace', () => {
  const text = [
    'java.lang.IllegalStateException: state is not legal',
    'and that in two lines',
    '\tat io.opentelemetry.SpanTest.recordException(SpanTest.java:626)',
    '\tat java.base/jdk.internal.reflect.NativeMethodAccessorImpl.invoke0(Native Method)',
    '\tat app//com.acme.List.get(ArrayList.java:)',
    '\tat com.acme.Main$$Lambda$1/0x0000000800c03000.run(Unknown Source)',
    '\tSuppressed: java.io.IOException: closed',
    '\t\tat com.acme.Stream.close(Stream.java:9)',
    '\tCaused by: java.io.IOException: of the suppressed one',
    '\t... 3 more',
    'Caused by: java.lang.IllegalArgumentException: bad argument',
    'over two lines',
    '\tat com.acme.Foo.bar(Foo.java:12)',
    'Caused by: com.acme.Empty:',
    '\tat com.acme.Foo.baz(Foo.java:13)',
  ].join('\n');

  test('gives frames without modules, and line 0 where it names none', () => {
    assert.deepEqual(framesOf(text, 'java')[0], [
      'io.opentelemetry.SpanTest.recordException|SpanTest.java|626',
      'jdk.internal.reflect.NativeMethodAccessorImpl.invoke0|Native Method|0',
      'com.acme.List.get|ArrayList.java|0',
      'com.acme.Main$$Lambda$1/0x0000000800c03000.run|Unknown Source|0',
    ]);
  });

  test('chains its causes, and leaves out suppressed exceptions and theirs', () => {
    assert.deepEqual(headersOf(text, 'java').slice(1), [
      ['java.lang.IllegalArgumentException', 'bad argument\nover two lines'],
      ['com.acme.Empty', ''],
    ]);
    assert.deepEqual(framesOf(text, 'java').slice(1), [
      ['com.acme.Foo.bar|Foo.java|12'],
      ['com.acme.Foo.baz|Foo.java|13'],
    ]);
  });

  test('may have lost its tabs to a log, and the text after a colon', () => {
    const spaces =
      'E: m\n    at a.B.c(B.java:7)\n        at a.Suppressed.x(S.java:1)\nCaused by: F: \n    at d.E.f(E.java:8)';
    assert.deepEqual(framesOf(spaces, 'java'), [['a.B.c|B.java|7'], ['d.E.f|E.java|8']]);
    assert.deepEqual(framesOf(spaces), framesOf(spaces, 'java'));
    assert.deepEqual(headersOf(spaces, 'java')[1], ['F', '']);
    assert.deepEqual(headersOf('E: m\nCaused by: \n\tat d.E.f(E.java:8)', 'java')[1], ['', '']);
  });

  test('is known without the name of its language, and is PHP too', () => {
    assert.deepEqual(framesOf(text), framesOf(text, 'java'));
    assert.deepEqual(framesOf(text, 'php'), framesOf(text, 'java'));
    assert.deepEqual(framesOf(text.replaceAll('\n', '\r\n'), 'java'), framesOf(text, 'java'));
  });
});

describe('A Python stack trace', () => {
  const text = [
    'Traceback (most recent call last):',
    '  File "greetings, all.py", line 3, in outer',
    '    inner()',
    '    ^^^^^~~',
    'KeyError: first',
    'and its second line',
    '',
    'The above exception was the direct cause of the following exception:',
    '',
    'Traceback (most recent call last):',
    '  File "a.py", line 5, in handler',
    '    raise E("x")',
    'TypeError: must be str, not int',
    '',
    'During handling of the above exception, another exception occurred:',
    '',
    'Traceback (most recent call last):',
    '  File "main.py", line 14, in <module>',
    '    greet()',
    '  File "main.py", line 9',
    'SystemExit',
  ].join('\n');

  test('gives the innermost frame first', () => {
    assert.deepEqual(framesOf(text, 'python')[0], ['|main.py|9', '<module>|main.py|14']);
  });

  test('chains both kinds of causes, without the lines of carets', () => {
    assert.deepEqual(headersOf(text), [
      ['SystemExit', ''],
      ['TypeError', 'must be str, not int'],
      ['KeyError', 'first\nand its second line'],
    ]);
    assert.deepEqual(framesOf(text).slice(1), [['handler|a.py|5'], ['outer|greetings, all.py|3']]);
  });

  test('of an exception group has the frames of the group', () => {
    const group = [
      '  + Exception Group Traceback (most recent call last):',
      '  |   File "g.py", line 2, in <module>',
      '  |     raise eg',
      '  | ExceptionGroup: two (2 sub-exceptions)',
      '  +-+---------------- 1 ----------------',
      '    | ValueError: 1',
    ].join('\n');
    assert.deepEqual(framesOf(group), [['<module>|g.py|2']]);
    const later = [
      ...group.split('\n'),
      '    +------------------------------------',
      '',
      'During handling of the above exception, another exception occurred:',
      '',
      'Traceback (most recent call last):',
      '  File "g.py", line 9, in main',
      'OSError: gone',
    ].join('\n');
    assert.deepEqual(framesOf(later), [['main|g.py|9'], ['<module>|g.py|2']]);
    assert.deepEqual(headersOf(later), [
      ['OSError', 'gone'],
      ['ExceptionGroup', 'two (2 sub-exceptions)'],
    ]);
  });

  test('names a cause that was never raised, and so has no frames', () => {
    const text = [
      'ValueError: given as a cause',
      '',
      'The above exception was the direct cause of the following exception:',
      '',
      'Traceback (most recent call last):',
      '  File "a.py", line 5, in f',
      'TypeError: x:',
    ].join('\n');
    assert.deepEqual(headersOf(text, 'python'), [
      ['TypeError', 'x:'],
      ['ValueError', 'given as a cause'],
    ]);
  });
});

describe('A JavaScript stack trace', () => {
  const text = [
    'TypeError: Cannot read property',
    'of two lines',
    '    at Object.get (file:///srv/a.js:10:5)',
    '    at node:internal/process/task_queues:95:5',
    '    at new Thing (C:\\srv\\a.js:3:1)',
    '    at async handler (https://shop.example/b.js:7:9)',
    '    at Array.map (native)',
    '    at broken (x.js:1:2',
    '    at node.js:906:3',
    '  [cause]: RangeError: too deep {',
    '      at inner (/srv/c.js:4:2)',
    '  }',
  ].join('\n');

  test('takes the last two numbers for line and column, whatever colons the path has', () => {
    assert.deepEqual(framesOf(text, 'nodejs')[0], [
      'Object.get|file:///srv/a.js|10',
      '|node:internal/process/task_queues|95',
      'new Thing|C:\\srv\\a.js|3',
      'async handler|https://shop.example/b.js|7',
      'Array.map|native|0',
      '|node.js|906',
    ]);
  });

  test('chains its causes', () => {
    assert.deepEqual(headersOf(text, 'javascript')[1], ['RangeError', 'too deep']);
    assert.deepEqual(framesOf(text, 'webjs')[1], ['inner|/srv/c.js|4']);
    assert.deepEqual(framesOf(text), framesOf(text, 'nodejs'));
  });

  test('has labels and paths with parentheses', () => {
    const text = [
      'Error: x',
      '    at load (C:\\Program Files (x86)\\shop\\a.js:3:1)',
      '    at C:\\Program Files (x86)\\shop\\b.js:4:1',
      '    at eval (eval at run (/srv/c.js:5:6), <anonymous>:1:9)',
      '    at async file:///srv/d.mjs:8:1',
      '    at async Promise.all (index 0)',
    ].join('\n');
    assert.deepEqual(framesOf(text, 'nodejs')[0], [
      'load|C:\\Program Files (x86)\\shop\\a.js|3',
      '|C:\\Program Files (x86)\\shop\\b.js|4',
      'eval|eval at run (/srv/c.js:5:6), <anonymous>|1',
      '|file:///srv/d.mjs|8',
      'async Promise.all|index 0|0',
    ]);
  });

  test('as Node prints it keeps the last frame before a cause, messages of several lines and no collected errors', () => {
    const text = [
      'Error: outer',
      '    at f (/srv/a.js:1:2)',
      '    at g (/srv/a.js:9:2) {',
      "  code: 'E',",
      '  [errors]: [',
      '    Error: one of many',
      '        at many (/srv/m.js:1:1)',
      '  ],',
      '  [cause]: TypeError: inner',
      '  in two lines',
      '      at h (/srv/b.js:4:2) {',
      '    [cause]: Error: innermost',
      '        at i (/srv/c.js:5:2)',
      '  }',
      '}',
    ].join('\n');
    assert.deepEqual(framesOf(text, 'nodejs'), [
      ['f|/srv/a.js|1', 'g|/srv/a.js|9'],
      ['h|/srv/b.js|4'],
      ['i|/srv/c.js|5'],
    ]);
    assert.deepEqual(headersOf(text, 'nodejs').slice(1), [
      ['TypeError', 'inner\n  in two lines'],
      ['Error', 'innermost'],
    ]);
  });
});

describe('A .NET stack trace', () => {
  test('of an AggregateException has its first member as the cause, and once only', () => {
    const text = [
      'System.AggregateException: One or more errors occurred. (bad)',
      ' ---> System.InvalidOperationException: bad',
      '   at Acme.A.Run() in C:\\src\\A.cs:line 7',
      '   --- End of inner exception stack trace ---',
      '   at Acme.Program.Main() in C:\\src\\Program.cs:line 3',
      ' ---> (Inner Exception #0) System.InvalidOperationException: bad',
      '   at Acme.A.Run() in C:\\src\\A.cs:line 7<---',
    ].join('\n');
    assert.deepEqual(framesOf(text, 'dotnet'), [
      ['Acme.Program.Main()|C:\\src\\Program.cs|3'],
      ['Acme.A.Run()|C:\\src\\A.cs|7'],
    ]);
  });

  test('chains inner exceptions, whose frames come first', () => {
    const text = [
      'System.Exception: outer',
      ' ---> System.FormatException: Input was not in a correct format.',
      '   at Acme.IntParser.Parse(String s) in /src/in here/IntParser.cs:line 11',
      '   --- End of inner exception stack trace ---',
      '   at Acme.Program.Main(String[] args)',
    ].join('\n');
    assert.deepEqual(framesOf(text, 'dotnet'), [
      ['Acme.Program.Main(String[] args)||0'],
      ['Acme.IntParser.Parse(String s)|/src/in here/IntParser.cs|11'],
    ]);
    assert.deepEqual(headersOf(text, 'dotnet')[1], ['System.FormatException', 'Input was not in a correct format.']);
    assert.deepEqual(framesOf(text), framesOf(text, 'dotnet'));
  });
});

test('A Go stack trace comes in pairs of lines', () => {
  const text =
    'goroutine 19 [running]:\nmain.fail(0x1)\n\t/srv/main.go:12 +0x1d\ncreated by main.main\n\t/srv/main.go:5 +0x2';
  assert.deepEqual(framesOf(text, 'go'), [['main.fail(0x1)|/srv/main.go|12', 'created by main.main|/srv/main.go|5']]);
});

test('A Go stack trace ends where that of another goroutine begins', () => {
  const text = [
    'goroutine 7 [running]:',
    'runtime/debug.Stack()',
    '\t/usr/lib/go/src/runtime/debug/stack.go:26 +0x5e',
    'main.(*Server).serve(...)',
    '\t/srv/main.go:44',
    'created by main.start in goroutine 1',
    '\t/srv/main.go:30 +0x65',
    '',
    'goroutine 1 [select]:',
    'main.main()',
    '\t/srv/main.go:12 +0x1d',
  ].join('\n');
  assert.deepEqual(framesOf(text), [
    [
      'runtime/debug.Stack()|/usr/lib/go/src/runtime/debug/stack.go|26',
      'main.(*Server).serve(...)|/srv/main.go|44',
      'created by main.start in goroutine 1|/srv/main.go|30',
    ],
  ]);
});

test('A Ruby stack trace chains its causes', () => {
  const text = [
    "a.rb:3:in 'f': boom (ArgumentError)",
    'second line of it',
    "\tfrom a.rb:7:in '<main>'",
    "b.rb:1:in 'Integer#/': divided by 0 (ZeroDivisionError)",
    "\tfrom b.rb:1:in 'g'",
  ].join('\n');
  assert.deepEqual(framesOf(text, 'ruby'), [
    ['f|a.rb|3', '<main>|a.rb|7'],
    ['Integer#/|b.rb|1', 'g|b.rb|1'],
  ]);
  assert.deepEqual(headersOf(text, 'ruby'), [
    ['ArgumentError', 'boom\nsecond line of it'],
    ['ZeroDivisionError', 'divided by 0'],
  ]);
});

test('A PHP stack trace in the style of the language has the cause first', () => {
  const text = [
    'LogicException: deep in /srv/b.php:9',
    'Stack trace:',
    '#0 /srv/a.php(12): Shop->pay(1, Object(Cart))',
    '#1 [internal function]: handle()',
    '#2 {main}',
    '',
    'Next RuntimeException: top in /srv/a.php:14',
    'Stack trace:',
    '#0 /srv/index.php(3): run()',
    '#1 {main}',
  ].join('\n');
  assert.deepEqual(framesOf(text, 'php'), [
    ['run()|/srv/index.php|3'],
    ['Shop->pay(1, Object(Cart))|/srv/a.php|12', 'handle()||0'],
  ]);
  assert.deepEqual(headersOf(text, 'php'), [
    ['RuntimeException', 'top'],
    ['LogicException', 'deep'],
  ]);
  assert.deepEqual(framesOf(text), framesOf(text, 'php'));
});

test('Ruby and Rust stack traces are known by their look', () => {
  assert.deepEqual(framesOf("a.rb:3:in `f': boom (RuntimeError)\n\tfrom a.rb:7:in 'Object#main'"), [
    ['f|a.rb|3', 'Object#main|a.rb|7'],
  ]);
  assert.deepEqual(
    framesOf('  0: core::panicking::panic\n             at /rustc/lib.rs:50:5\n  1: app::main', 'rust'),
    [['core::panicking::panic|/rustc/lib.rs|50', 'app::main||0']],
  );
});

test('A text that is no stack trace has no frames, in any language', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(undefined, 'java', 'python', 'nodejs', 'dotnet', 'go', 'cobol'),
      (text, language) => {
        assert.ok(parseStack(text, language).length > 0);
      },
    ),
  );
});

test('A trace of a hundred thousand lines, or of one endless line, is read at once', () => {
  const mebibyte = 1024 * 1024;
  const fill = (part: string): string => part.repeat(Math.ceil(mebibyte / part.length));
  const hostile = [
    fill('Caused by: x\n'),
    `\tat ${fill('(a/')}`,
    ` ${fill(' ')}at x`,
    fill('  File "'),
    `  File "${fill('", line 1, in x')}\u2028`,
    fill(' (a.js:1:2'),
    `    at ${fill(':1')}x`,
    fill("a:1:in 'b"),
    fill(' ---> '),
    fill('x(1): '),
    `#0 ${fill('(1): ')}`,
    `a.rb:1:in 'x': ${fill(' (A')}`,
    fill('  | x\n'),
    fill('  1: x\n    at y:1\n'),
  ];
  for (const text of hostile) {
    for (const language of [undefined, 'java', 'python', 'nodejs', 'dotnet', 'go', 'ruby', 'rust', 'php']) {
      const startedAt = performance.now();
      assert.ok(parseStack(text, language).length <= 20);
      assert.ok(performance.now() - startedAt < 1000, `${language}: ${text.slice(0, 20)}`);
    }
  }
});

test('Frames of every language come back from their text', () => {
  const frames = [
    { label: 'a.b.C.d', path: 'C.src', line: 12 },
    { label: 'main', path: '/srv/x.src', line: 3 },
  ];
  for (const language of [undefined, 'java', 'php', 'python', 'nodejs', 'dotnet', 'go', 'ruby', 'rust', 'unheard-of']) {
    const [thrown] = parseStack(printStack('Type: message', frames, language), language);
    assert.deepEqual(thrown?.frames, frames, language);
  }
});
