import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import {
  type Comparison,
  type Filter,
  isKeyword,
  type JsonPattern,
  type Keyword,
  keywordKind,
  keywords,
  type NodeReference,
  type Scope,
} from '../../src/query/index.ts';

/** What filters speak of, by keyword: `name`, `http.url`, `account.id`; annotations by their key. */
export interface Vocabulary {
  readonly keys: fc.Arbitrary<string>;
  annotationTexts(key: string): fc.Arbitrary<string>;
  annotationNumbers(key: string): fc.Arbitrary<number>;
  texts(keyword: string): fc.Arbitrary<string>;
  numbers(keyword: string): fc.Arbitrary<number>;
  readonly patterns: fc.Arbitrary<JsonPattern>;
}

/** Every construct of the language, as the parser would make it. */
export function anyFilter(vocabulary: Vocabulary, depth: number, scope: Scope = 'trace'): fc.Arbitrary<Filter> {
  const leaf = anyLeaf(vocabulary, depth, scope);
  if (depth === 0) return leaf;
  const inner = anyFilter(vocabulary, depth - 1, scope);
  return fc.oneof(
    leaf,
    fc.record({ kind: fc.constantFrom('and', 'or'), terms: fc.array(inner, { minLength: 2, maxLength: 3 }) }),
    fc.record({ kind: fc.constant('not'), term: inner }),
  );
}

function anyLeaf(vocabulary: Vocabulary, depth: number, scope: Scope): fc.Arbitrary<Filter> {
  const keyword = anyKeyword(vocabulary, scope);
  if (scope.startsWith('rootcause')) return keyword;
  const annotation = vocabulary.keys
    .filter((key) => key !== '')
    .chain((key) =>
      fc.record({
        kind: fc.constant('annotation'),
        key: fc.constant(key),
        comparison: perhaps(
          fc.oneof(
            anyComparison('boolean', fc.boolean()),
            anyComparison('number', vocabulary.annotationNumbers(key)),
            anyComparison('text', vocabulary.annotationTexts(key)),
          ),
        ),
      }),
    );
  return scope === 'trace'
    ? fc.oneof(keyword, annotation, anyTraceTerm(vocabulary, depth))
    : fc.oneof(keyword, annotation);
}

function anyKeyword({ texts, numbers }: Vocabulary, scope: Scope): fc.Arbitrary<Filter> {
  const allowed = Object.keys(keywords)
    .filter(isKeyword)
    .filter((keyword) => keywordKind(keyword).scopes.includes(scope));
  return fc.constantFrom(...allowed).chain((keyword: Keyword) => {
    const { type } = keywordKind(keyword);
    const values = { boolean: fc.boolean(), number: numbers(keyword), text: texts(keyword), group: texts(keyword) };
    const comparison = anyComparison(type, values[type]);
    return fc.record({
      kind: fc.constant('keyword'),
      keyword: fc.constant(keyword),
      comparison: type === 'group' ? comparison : perhaps(comparison),
    });
  });
}

const operators = {
  boolean: ['=', '!='],
  number: ['=', '!=', '<', '<=', '>', '>='],
  text: ['=', '!=', 'CONTAINS', 'BEGINSWITH', 'ENDSWITH'],
  group: ['=', '!='],
} as const;

function anyComparison(
  type: keyof typeof operators,
  value: fc.Arbitrary<Comparison['value']>,
): fc.Arbitrary<Comparison> {
  return fc.record({
    operator: fc.constantFrom(...operators[type]),
    // The parser takes minus zero for zero.
    value: value.map((wanted) => (wanted === 0 ? 0 : wanted)),
  });
}

function anyTraceTerm(vocabulary: Vocabulary, depth: number): fc.Arbitrary<Filter> {
  const block = (scope: Scope): fc.Arbitrary<Filter | undefined> =>
    depth === 0 ? fc.constant(undefined) : perhaps(anyFilter(vocabulary, depth - 1, scope));
  const node = anyNode(vocabulary);
  const service = fc.record({ kind: fc.constant('service'), node, block: block('service') });
  const edge = fc.record({ kind: fc.constant('edge'), from: node, to: node, block: block('edge') });
  const rootCause = fc.constantFrom('service', 'entity', 'exception').chain((element) =>
    fc.record({
      kind: fc.constant('rootcause'),
      cause:
        element === 'exception' ? fc.constantFrom('fault', 'error') : fc.constantFrom('fault', 'error', 'responsetime'),
      element: fc.constant(element),
      block: block(`rootcause ${element}`),
    }),
  );
  const json = fc.record({
    kind: fc.constant('rootcause.json'),
    patterns: fc.array(vocabulary.patterns, { minLength: 1, maxLength: 2 }),
  });
  return fc.oneof(service, edge, rootCause, json);
}

function anyNode({ texts }: Vocabulary): fc.Arbitrary<NodeReference | undefined> {
  return perhaps(
    fc
      .record({
        name: perhaps(texts('name')),
        type: perhaps(texts('type')),
        accountId: perhaps(texts('account.id')),
      })
      .filter((node) => Object.values(node).some((value) => value !== undefined)),
  );
}

function perhaps<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> {
  return fc.option(value, { nil: undefined });
}

/** Any JSON that the parser gives back as it is. */
export const anyPattern: fc.Arbitrary<JsonPattern> = fc
  .jsonValue({ maxDepth: 3, stringUnit: 'grapheme' })
  // Minus zero is zero, and what JSON.parse gives is a pattern.
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonPattern);

/** The pattern with some members left out, at any depth, and now and then another value. */
export function anyLooser(pattern: JsonPattern): fc.Arbitrary<JsonPattern> {
  if (typeof pattern !== 'object' || pattern === null) {
    return fc.oneof({ weight: 8, arbitrary: fc.constant(pattern) }, { weight: 1, arbitrary: anyPattern });
  }
  if (Array.isArray(pattern)) {
    return fc.tuple(...pattern.map((element: JsonPattern) => anyLooser(element)));
  }
  const members = Object.entries(pattern);
  return fc.subarray(members).chain((kept) =>
    fc
      .tuple(...kept.map(([name, value]) => anyLooser(value).map((looser) => [name, looser] as const)))
      .map((entries) => {
        const looser: JsonPattern = Object.fromEntries(entries);
        return looser;
      }),
  );
}

/** fast-check makes records without prototype, the parser makes plain objects. */
export function plain(filter: Filter): Filter {
  const copy = structuredClone(filter);
  assert.ok(copy);
  return copy;
}
