import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { anyFilter, anyPattern, plain, type Vocabulary } from '../../../test/support/arbitrary-filters.ts';
import { fuzzing } from '../../../test/support/fuzz.ts';
import { RaybridgeError } from '../../errors.ts';
import { parseFilter } from './parse.ts';
import { printFilter } from './print.ts';

describe('parse', () => {
  test('binds ! before AND, AND before OR, and reads terms side by side as AND', () => {
    assert.equal(canonical('!ok fault and partial OR throttle'), '!ok AND fault AND partial OR throttle');
    assert.equal(canonical('!(ok fault) (partial or throttle)'), '!(ok AND fault) AND (partial OR throttle)');
  });

  test('takes white space and new lines everywhere outside of texts', () => {
    assert.equal(canonical(' service ( id(\n name : "a b" ) )\n{\tfault\n}'), 'service("a b") { fault }');
    assert.equal(canonical('http . url\n=\n"x"'), 'http.url = "x"');
    assert.equal(canonical('rootcause.json\n= #\n[ { "Services" : [ ] } ]'), 'rootcause.json = #[{"Services":[]}]');
  });

  test('keeps the case of annotation keys and texts', () => {
    assert.equal(canonical('Annotation.Tenant = ACME'), 'annotation.Tenant = "ACME"');
    assert.equal(canonical('ANNOTATION[ aws.local.operation ]'), 'annotation[aws.local.operation]');
    assert.equal(canonical('annotation["a]b"] = -1.50'), 'annotation["a]b"] = -1.5');
  });

  test('takes attributes for another word for annotation', () => {
    assert.equal(canonical('attributes.tenant = ACME'), 'annotation.tenant = "ACME"');
    assert.equal(canonical('Attributes["user.id"]'), 'annotation[user.id]');
    assert.equal(canonical('service() { !attributes[ user.id ] }'), 'service() { !annotation[user.id] }');
    assert.equal(canonical('edge(, ) { attributes["a]b"] > 1 }'), 'edge(, ) { annotation["a]b"] > 1 }');
  });

  test('unescapes quotes and backslashes in texts and leaves other backslashes', () => {
    assert.deepEqual(parseFilter(String.raw`user = "a\"b\\c\d"`), {
      kind: 'keyword',
      keyword: 'user',
      comparison: { operator: '=', value: String.raw`a"b\c\d` },
    });
  });

  test('takes empty blocks and empty sides of an edge for no condition', () => {
    assert.equal(canonical('service() {}'), 'service()');
    assert.equal(canonical('edge(,)'), 'edge(, )');
  });
});

const mistakes: readonly (readonly [expression: string, message: string])[] = [
  ['', 'the expression is empty at position 1'],
  ['responsetme > 2', 'unknown keyword "responsetme", did you mean "responsetime"? at position 1'],
  ['fault AND url = "x"', 'unknown keyword "url", did you mean "http.url"? at position 11'],
  ['http.url LIKE "x"', 'unknown keyword "LIKE"; use CONTAINS, BEGINSWITH or ENDSWITH at position 10'],
  ['NOT fault', 'unknown keyword "NOT"; write ! before the term at position 1'],
  ["user = 'u-17'", 'text stands in double quotes, not in single ones at position 8'],
  ['http.status == 200', 'equality is one =, not == at position 13'],
  ['fault <> true', 'inequality is !=, not <> at position 7'],
  ['fault && error', 'write AND instead of && at position 7'],
  ['fault || error', 'write OR instead of || at position 7'],
  [
    'service("a") { fault',
    'the closing } is missing for the one opened at position 14; got the end of the expression at position 21',
  ],
  ['(fault', 'the closing ) is missing for the one opened at position 1; got the end of the expression at position 7'],
  ['http.url CONTAINS /cart', 'unexpected "/cart"; text stands in double quotes at position 19'],
  ['instance.id = i-0abc', 'text stands in double quotes: "i-0abc" at position 15'],
  ['user = "open', 'the closing " is missing for the text at position 8'],
  ['annotation.my-key = 1', 'a key with - stands in brackets: annotation[my-key] at position 14'],
  ['annotation.my-2', 'a key with - stands in brackets: annotation[my-2] at position 14'],
  ['annotation.my key = 1', 'a key with spaces stands in brackets: annotation[my key] at position 15'],
  ['annotation.aws.local = 1', 'a key with dots stands in brackets: annotation[aws.local] at position 1'],
  ['attributes.my-key = 1', 'a key with - stands in brackets: attributes[my-key] at position 14'],
  ['attributes.my key = 1', 'a key with spaces stands in brackets: attributes[my key] at position 15'],
  ['attributes.user.id = 1', 'a key with dots stands in brackets: attributes[user.id] at position 1'],
  ['attributes', 'attributes needs a key: attributes.key at position 1'],
  ['attributes["a" = 1', 'the closing ] is missing for the key of attributes[...] at position 15'],
  ['annotations.tenant = 1', 'unknown keyword "annotations.tenant", did you mean "annotation."? at position 1'],
  ['fault AND attribute.tenant', 'unknown keyword "attribute.tenant", did you mean "attributes."? at position 11'],
  ['service() { anotation.a }', 'unknown keyword "anotation.a", did you mean "annotation."? at position 13'],
  ['tags["a"] = 1', 'brackets belong to annotation[key] and attributes[key] only at position 5'],
  [
    'rootcause.fault.service { attributes.a }',
    'annotations and attributes cannot stand inside the braces of rootcause at position 27',
  ],
  ['user = "\uD800"', 'half of a surrogate pair, which no text of a trace holds at position 9'],
  ['rootcause.json = #[1e999]', 'the JSON cannot be read (a number is too large) at position 19'],
  ['rootcause.json = #["\\uDC00"]', 'the JSON cannot be read (half of a surrogate pair) at position 19'],
  ['annotation[] = 1', 'annotation[...] needs a key at position 12'],
  ['annotation[a', 'the closing ] is missing for the key of annotation[...] at position 13'],
  ['responsetime > "2"', 'responsetime takes a number without quotes, got "2" at position 16'],
  ['duration > 500ms', 'a number has no unit, durations are seconds; text stands in double quotes at position 12'],
  ['user = 17', 'user takes a text in double quotes, got 17 at position 8'],
  ['fault = 1', 'fault takes true or false, got 1 at position 9'],
  ['fault > true', '> does not fit fault, which takes = != at position 7'],
  ['http.url < "x"', '< does not fit http.url, which takes = != CONTAINS BEGINSWITH ENDSWITH at position 10'],
  ['annotation.a CONTAINS 1', 'CONTAINS does not fit 1, which takes = != < <= > >= at position 14'],
  ['user =', 'user takes a text in double quotes, got the end of the expression at position 7'],
  ['fault AND', 'expected a term, got the end of the expression at position 10'],
  ['OR fault', 'expected a term, got OR at position 1'],
  ['"fault"', 'expected a keyword, got "fault" at position 1'],
  ['fault }', 'expected AND, OR or the end, got } at position 7'],
  ['group.name', 'group.name needs = or != and a text at position 1'],
  [
    'name = "x"',
    'name stands only inside the braces of service(...), rootcause.*.service, rootcause.*.entity, rootcause.*.exception at position 1',
  ],
  ['service("a") { http.url }', 'http.url cannot stand inside the braces of service(...) at position 16'],
  ['service("a") { edge(,) }', 'edge cannot stand inside the braces of service(...) at position 16'],
  ['service(a)', 'expected a node name in double quotes or id(...), got a at position 9'],
  ['service', 'service needs parentheses, as in service("name") at position 1'],
  ['service(id(nome: "x"))', 'id(...) takes name, type and account.id, got nome at position 12'],
  ['service(id(name: "x", name: "y"))', 'id(...) names a member twice at position 23'],
  ['edge("a")', 'edge takes two nodes with a comma between, got ) at position 9'],
  [
    'rootcause.json = "x"',
    'rootcause.json takes = and a list, as in rootcause.json = #[{"Services":[...]}] at position 1',
  ],
  ['rootcause.json = #{}', 'a JSON list must follow the #, as in #[{"Services":[...]}] at position 18'],
  ['rootcause.json = #[]', 'the JSON list must hold at least one root cause at position 19'],
];

describe('a mistake is named with its place', () => {
  for (const [expression, message] of mistakes) {
    test(expression || 'the empty expression', () => {
      assert.throws(() => parseFilter(expression), {
        name: 'RaybridgeError',
        code: 'FILTER_INVALID',
        message: `Invalid filter expression: ${message}`,
      });
    });
  }

  test('broken JSON in rootcause.json', () => {
    assert.throws(() => parseFilter('rootcause.json = #[{]'), /the (JSON cannot be read|closing \])/);
    assert.throws(() => parseFilter('rootcause.json = #[{"a":}]'), /the JSON cannot be read .* at position 19$/);
  });

  test('responsetime.exception, which does not exist', () => {
    assert.throws(
      () => parseFilter('rootcause.responsetime.exception'),
      /rootcause\.responsetime with \.service or \.entity/,
    );
  });
});

describe('bounds', () => {
  test('refuse long and deep expressions instead of running out of stack', () => {
    assert.throws(() => parseFilter('a'.repeat(10_001)), /more than 10000 characters/);
    assert.throws(() => parseFilter('('.repeat(5000)), /nested deeper than 32 levels at position 33/);
    assert.throws(() => parseFilter('!'.repeat(5000)), /nested deeper than 32 levels/);
    assert.throws(() => parseFilter(`rootcause.json = #${'['.repeat(5000)}`), /nested deeper than 16 levels/);
    assert.throws(() => parseFilter(`fault${' ok'.repeat(200)}`), /more than 200 terms at position 604$/);
    assert.throws(() => parseFilter(`service() { ${'ok '.repeat(200)}}`), /more than 200 terms/);
    assert.throws(() => parseFilter(`rootcause.json = #[${'0,'.repeat(200)}0]`), /more than 200 terms at position 19$/);
    assert.throws(() => parseFilter(`http.status = ${'9'.repeat(400)}`), /the number 9{20} is too large/);
  });

  test('hold for any text: it parses or is refused with a position', () => {
    const piece = fc.constantFrom(
      'service',
      '(',
      ')',
      '{',
      '}',
      '"',
      '!',
      '=',
      'fault',
      'annotation[',
      ']',
      '#[',
      '-1',
      '.',
      ' ',
      'id',
      ',',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join('')),
        ),
        (text) => {
          try {
            parseFilter(text);
          } catch (error) {
            assert.ok(error instanceof RaybridgeError);
            assert.match(error.message, /^Invalid filter expression: [^]+ at position \d+$/);
          }
        },
      ),
    );
  });
});

const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('"', '\\', '\\"', 'a\nb', ']', '\0'));
const number = fc.double({ noNaN: true, noDefaultInfinity: true });

const vocabulary: Vocabulary = {
  keys: fc.oneof(text, fc.constantFrom('a_1', '1', 'aws.local', ' x', '__proto__')),
  annotationTexts: () => text,
  annotationNumbers: () => fc.oneof(fc.integer(), number),
  texts: () => text,
  numbers: () => fc.oneof(fc.integer(), number),
  patterns: anyPattern,
};

test('a printed filter parses to the same filter', () => {
  fc.assert(
    fc.property(anyFilter(vocabulary, 3), (filter) => {
      assert.deepEqual(parseFilter(printFilter(filter)), plain(filter));
    }),
    fuzzing(500),
  );
});

/** The canonical form of an expression; undefined when it is refused. */
function canonical(expression: string): string | undefined {
  try {
    return printFilter(parseFilter(expression));
  } catch {
    return undefined;
  }
}
