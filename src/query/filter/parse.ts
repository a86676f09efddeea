/**
 * Recursive descent over the grammar of filter expressions. `!` binds tighter than AND, AND tighter
 * than OR; two terms side by side mean AND. Keywords, AND and OR are read in any case.
 */
import { RaybridgeError } from '../../errors.ts';
import { invalidFilter } from './invalid.ts';
import type { Token } from './lex.ts';
import { annotationWords, lexFilter } from './lex.ts';
import { nearestKeyword } from './nearest.ts';
import type {
  Comparison,
  Filter,
  JsonPattern,
  Keyword,
  NodeReference,
  Operator,
  RootCauseElement,
  RootCauseKind,
  Scope,
  ValueType,
} from './tree.ts';
import { isKeyword, keywordKind } from './tree.ts';

/** Characters of an expression. X-Ray's own limit is not published. */
export const expressionLengthMax = 10_000;
/** Parentheses, braces and negations inside each other. */
export const expressionDepthMax = 32;
/** Conditions, each value in JSON among them: a store plans its search term by term. */
export const expressionTermsMax = 200;

/** Documents and spans are UTF-8, which cannot hold it. */
const loneSurrogate = /\p{Surrogate}/u;

/**
 * The tree of a filter expression.
 * @throws RaybridgeError FILTER_INVALID `Invalid filter expression: <reason> at position <n>`, n from 1.
 */
export function parseFilter(text: string): Filter {
  if (text.length > expressionLengthMax) {
    throw invalidFilter(`more than ${expressionLengthMax} characters`, expressionLengthMax);
  }
  const surrogateAt = text.search(loneSurrogate);
  if (surrogateAt >= 0) throw invalidFilter('half of a surrogate pair, which no text of a trace holds', surrogateAt);
  const cursor = createCursor(lexFilter(text));
  if (cursor.peek().kind === 'end') throw invalidFilter('the expression is empty', 0);
  const filter = parseOr(cursor, { scope: 'trace', depth: 0 });
  const rest = cursor.peek();
  if (rest.kind === 'end') return filter;
  throw invalidFilter(`expected AND, OR or the end, got ${describe(rest)}${quoteHint(rest)}`, rest.offset);
}

/** Which nodes or edges of the service graph are meant. */
export type EntitySelector =
  | { readonly kind: 'service'; readonly node: NodeReference | undefined }
  | { readonly kind: 'edge'; readonly from: NodeReference | undefined; readonly to: NodeReference | undefined };

/** X-Ray API reference, GetTimeSeriesServiceStatistics. */
export const selectorLengthMax = 500;

/**
 * An entity selector expression: one `service(...)`, `edge(...)` or `id(...)` without a condition,
 * because statistics of the graph no longer know single requests.
 * @throws RaybridgeError FILTER_INVALID
 */
export function parseSelector(text: string): EntitySelector {
  if (text.length > selectorLengthMax)
    throw invalidFilter(`more than ${selectorLengthMax} characters`, selectorLengthMax);
  const cursor = createCursor(lexFilter(text));
  const first = cursor.peek();
  if (first.kind === 'end') throw invalidFilter('the expression is empty', 0);
  if (isWord(first, 'id')) {
    const node = parseNodeReference(cursor);
    expectEnd(cursor);
    return { kind: 'service', node };
  }
  const term = parsePrimary(cursor, { scope: 'trace', depth: 0 });
  if (term.kind !== 'service' && term.kind !== 'edge')
    throw invalidFilter('an entity selector is one service(...), edge(...) or id(...)', first.offset);
  if (term.block) throw invalidFilter('an entity selector takes no condition in braces', first.offset);
  expectEnd(cursor);
  return term.kind === 'service'
    ? { kind: 'service', node: term.node }
    : { kind: 'edge', from: term.from, to: term.to };
}

function expectEnd(cursor: Cursor): void {
  const rest = cursor.peek();
  if (rest.kind !== 'end') throw invalidFilter(`expected the end of the selector, got ${describe(rest)}`, rest.offset);
}

interface Cursor {
  peek(): Token;
  next(): Token;
  /** Takes the symbol if it comes next. */
  take(symbol: string): boolean;
  /** Takes the connector if it comes next. */
  takeWord(word: string): boolean;
  /** Counts terms that begin at a token. @throws RaybridgeError FILTER_INVALID when there are too many. */
  countTerms(terms: number, token: Token): void;
}

function createCursor(tokens: readonly Token[]): Cursor {
  let index = 0;
  let counted = 0;
  // The lexer ends every list with an `end` token, and nobody steps over it.
  const end: Token = tokens.at(-1) ?? { kind: 'end', offset: 0 };
  const cursor: Cursor = {
    peek: () => tokens[index] ?? end,
    next() {
      const token = cursor.peek();
      index += 1;
      return token;
    },
    take(symbol) {
      const found = isSymbol(cursor.peek(), symbol);
      if (found) index += 1;
      return found;
    },
    takeWord(word) {
      const found = isWord(cursor.peek(), word);
      if (found) index += 1;
      return found;
    },
    countTerms(terms, { offset }) {
      counted += terms;
      if (counted > expressionTermsMax) throw invalidFilter(`more than ${expressionTermsMax} terms`, offset);
    },
  };
  return cursor;
}

/** Where the parser stands: which keywords count, and how deep in braces it is. */
interface Place {
  readonly scope: Scope;
  readonly depth: number;
}

function parseOr(cursor: Cursor, place: Place): Filter {
  const terms = [parseAnd(cursor, place)];
  while (cursor.takeWord('or')) terms.push(parseAnd(cursor, place));
  return join('or', terms);
}

function parseAnd(cursor: Cursor, place: Place): Filter {
  const terms = [parseUnary(cursor, place)];
  while (cursor.takeWord('and') || beginsTerm(cursor.peek())) terms.push(parseUnary(cursor, place));
  return join('and', terms);
}

function join(kind: 'and' | 'or', terms: readonly Filter[]): Filter {
  const [only, second] = terms;
  return only && !second ? only : { kind, terms };
}

function beginsTerm(token: Token): boolean {
  if (token.kind === 'word') return !isWord(token, 'or');
  return token.kind === 'annotation' || isSymbol(token, '(') || isSymbol(token, '!');
}

function parseUnary(cursor: Cursor, place: Place): Filter {
  const token = cursor.peek();
  if (!cursor.take('!')) return parsePrimary(cursor, place);
  return { kind: 'not', term: parseUnary(cursor, deeper(place, token)) };
}

function parsePrimary(cursor: Cursor, place: Place): Filter {
  const token = cursor.next();
  if (isSymbol(token, '(')) return parseGroup(cursor, token, place);
  cursor.countTerms(1, token);
  if (token.kind === 'annotation') return parseAnnotation(cursor, token.key, token, place);
  if (token.kind === 'word') return parseWord(cursor, token, place);
  if (token.kind === 'end') throw invalidFilter('expected a term, got the end of the expression', token.offset);
  throw invalidFilter(`expected a keyword, got ${describe(token)}`, token.offset);
}

function parseGroup(cursor: Cursor, opening: Token, place: Place): Filter {
  const filter = parseOr(cursor, deeper(place, opening));
  expectClosing(cursor, ')', opening);
  return filter;
}

type WordToken = Extract<Token, { readonly kind: 'word' }>;

function parseWord(cursor: Cursor, token: WordToken, place: Place): Filter {
  const word = token.text.toLowerCase();
  if (word === 'and' || word === 'or') throw invalidFilter(`expected a term, got ${token.text}`, token.offset);
  if (word === 'service') return parseService(cursor, token, place);
  if (word === 'edge') return parseEdge(cursor, token, place);
  const [head = ''] = word.split('.', 1);
  if (annotationWords.has(head)) return parseAnnotation(cursor, dottedKey(token), token, place);
  if (word.startsWith('rootcause.')) return parseRootCause(cursor, token, place);
  return parseKeyword(cursor, token, place);
}

/** Of `annotation.key`. */
function dottedKey({ text, offset }: WordToken): string {
  const [word = '', key, ...more] = text.split('.');
  if (key === undefined) throw invalidFilter(`${word} needs a key: ${word}.key`, offset);
  if (more.length === 0) return key;
  throw invalidFilter(`a key with dots stands in brackets: ${word}[${[key, ...more].join('.')}]`, offset);
}

function parseAnnotation(cursor: Cursor, key: string, token: Token, place: Place): Filter {
  if (place.scope.startsWith('rootcause')) {
    throw invalidFilter('annotations and attributes cannot stand inside the braces of rootcause', token.offset);
  }
  const comparison = parseComparison(cursor, 'annotation', token);
  if (!comparison) refuseKeyWithSpace(cursor.peek(), { key, subject: token, place });
  return { kind: 'annotation', key, comparison };
}

interface Annotation {
  readonly key: string;
  readonly subject: Token;
  readonly place: Place;
}

/** In `annotation.my key = 1` the second word would be blamed as a keyword, which helps nobody. */
function refuseKeyWithSpace(next: Token, { key, subject, place }: Annotation): void {
  if (next.kind !== 'word' || subject.kind !== 'word') return;
  const word = next.text.toLowerCase();
  const [head = ''] = word.split('.', 1);
  const known = isKeyword(word) || annotationWords.has(head) || /^(and|or|service|edge|rootcause)$/.test(head);
  if (known || nearestKeyword(word, place.scope) !== '') return;
  const [annotationWord = ''] = subject.text.split('.', 1);
  throw invalidFilter(`a key with spaces stands in brackets: ${annotationWord}[${key} ${next.text}]`, next.offset);
}

function parseKeyword(cursor: Cursor, token: WordToken, place: Place): Filter {
  const keyword = token.text.toLowerCase();
  if (!isKeyword(keyword)) {
    throw invalidFilter(
      `unknown keyword ${JSON.stringify(token.text)}${nearestKeyword(keyword, place.scope)}`,
      token.offset,
    );
  }
  requireScope(keyword, token, place);
  const comparison = parseComparison(cursor, keywordKind(keyword).type, token);
  if (!comparison && keywordKind(keyword).type === 'group') {
    throw invalidFilter(`${keyword} needs = or != and a text`, token.offset);
  }
  return { kind: 'keyword', keyword, comparison };
}

function requireScope(keyword: Keyword, token: Token, { scope }: Place): void {
  if (keywordKind(keyword).scopes.includes(scope)) return;
  if (scope !== 'trace') {
    throw invalidFilter(`${keyword} cannot stand inside the braces of ${scopeName(scope)}`, token.offset);
  }
  const scopes = keywordKind(keyword).scopes.map(scopeName).join(', ');
  throw invalidFilter(`${keyword} stands only inside the braces of ${scopes}`, token.offset);
}

function scopeName(scope: Scope): string {
  return scope === 'service' || scope === 'edge' ? `${scope}(...)` : scope.replace(' ', '.*.');
}

/** What a term compares: a keyword's value, or an annotation, which may hold any but a group. */
type SubjectType = ValueType | 'annotation';

const operatorsOf: Readonly<Record<ValueType, readonly Operator[]>> = {
  boolean: ['=', '!='],
  number: ['=', '!=', '<', '<=', '>', '>='],
  text: ['=', '!=', 'CONTAINS', 'BEGINSWITH', 'ENDSWITH'],
  group: ['=', '!='],
};

const wishes: Readonly<Record<SubjectType, string>> = {
  boolean: 'true or false',
  number: 'a number without quotes',
  text: 'a text in double quotes',
  group: 'the name of a group in double quotes',
  annotation: 'a text in double quotes, a number, true or false',
};

/** Undefined when no operator follows. */
function parseComparison(cursor: Cursor, type: SubjectType, subject: Token): Comparison | undefined {
  const operatorToken = cursor.peek();
  const operator = readOperator(operatorToken);
  if (operator === undefined) return undefined;
  cursor.next();
  const valueToken = cursor.next();
  const value = readValue(valueToken, type);
  if (value === undefined) {
    const wish = `${describe(subject)} takes ${wishes[type]}`;
    throw invalidFilter(`${wish}, got ${describe(valueToken)}`, valueToken.offset);
  }
  const operators = operatorsOf[type === 'annotation' ? typeOf(value) : type];
  if (operators.includes(operator)) return { operator, value };
  const fit = type === 'annotation' ? describe(valueToken) : describe(subject);
  throw invalidFilter(`${operator} does not fit ${fit}, which takes ${operators.join(' ')}`, operatorToken.offset);
}

function readOperator(token: Token): Operator | undefined {
  if (token.kind !== 'symbol' && token.kind !== 'word') return undefined;
  const text = token.text.toUpperCase();
  return (
    operatorsOf.number.find((operator) => operator === text) ?? operatorsOf.text.find((operator) => operator === text)
  );
}

/** Undefined when the token is no value of that type. A bare word is a text. */
function readValue(token: Token, type: SubjectType): Comparison['value'] | undefined {
  if (token.kind === 'number') return type === 'number' || type === 'annotation' ? token.value : undefined;
  if (token.kind !== 'text' && token.kind !== 'word') return undefined;
  if (token.kind === 'word' && (isWord(token, 'and') || isWord(token, 'or'))) return undefined;
  if (type === 'text' || type === 'group') return token.text;
  const truth = token.kind === 'word' ? truthOf(token.text) : undefined;
  if (truth !== undefined && type !== 'number') return truth;
  return type === 'annotation' ? token.text : undefined;
}

function truthOf(word: string): boolean | undefined {
  const lower = word.toLowerCase();
  return lower === 'true' || lower === 'false' ? lower === 'true' : undefined;
}

function typeOf(value: Comparison['value']): ValueType {
  if (typeof value === 'string') return 'text';
  return typeof value === 'number' ? 'number' : 'boolean';
}

function parseService(cursor: Cursor, token: WordToken, place: Place): Filter {
  requireTraceScope(token, place);
  const opening = expectOpening(cursor, token, 'service("name")');
  const node = isSymbol(cursor.peek(), ')') ? undefined : parseNodeReference(cursor);
  expectClosing(cursor, ')', opening);
  return { kind: 'service', node, block: parseBlock(cursor, 'service', place) };
}

function parseEdge(cursor: Cursor, token: WordToken, place: Place): Filter {
  requireTraceScope(token, place);
  const opening = expectOpening(cursor, token, 'edge("caller", "callee")');
  const from = isSymbol(cursor.peek(), ',') ? undefined : parseNodeReference(cursor);
  const comma = cursor.peek();
  if (!cursor.take(',')) {
    throw invalidFilter(`edge takes two nodes with a comma between, got ${describe(comma)}`, comma.offset);
  }
  const to = isSymbol(cursor.peek(), ')') ? undefined : parseNodeReference(cursor);
  expectClosing(cursor, ')', opening);
  return { kind: 'edge', from, to, block: parseBlock(cursor, 'edge', place) };
}

function parseNodeReference(cursor: Cursor): NodeReference {
  const token = cursor.next();
  if (token.kind === 'text') return { name: token.text, type: undefined, accountId: undefined };
  if (isWord(token, 'id')) return parseId(cursor, token);
  throw invalidFilter(`expected a node name in double quotes or id(...), got ${describe(token)}`, token.offset);
}

type IdMember = keyof NodeReference;

const idMembers: ReadonlyMap<string, IdMember> = new Map([
  ['name', 'name'],
  ['type', 'type'],
  ['account.id', 'accountId'],
]);

function parseId(cursor: Cursor, token: Token): NodeReference {
  const opening = expectOpening(cursor, token, 'id(name: "name", type: "type")');
  const values = new Map<IdMember, string>();
  do {
    const { member, value, offset } = parseIdMember(cursor);
    if (values.has(member)) throw invalidFilter('id(...) names a member twice', offset);
    values.set(member, value);
  } while (cursor.take(','));
  expectClosing(cursor, ')', opening);
  return { name: values.get('name'), type: values.get('type'), accountId: values.get('accountId') };
}

function parseIdMember(cursor: Cursor): { readonly member: IdMember; readonly value: string; readonly offset: number } {
  const key = cursor.next();
  const member = key.kind === 'word' ? idMembers.get(key.text.toLowerCase()) : undefined;
  if (member === undefined) {
    throw invalidFilter(`id(...) takes name, type and account.id, got ${describe(key)}`, key.offset);
  }
  const colon = cursor.peek();
  if (!cursor.take(':')) throw invalidFilter(`expected : after ${describe(key)}, got ${describe(colon)}`, colon.offset);
  const value = cursor.next();
  if (value.kind === 'text') return { member, value: value.text, offset: key.offset };
  throw invalidFilter(`${describe(key)} takes a text in double quotes, got ${describe(value)}`, value.offset);
}

const rootCausePattern = /^rootcause\.(fault|error|responsetime)\.(service|entity|exception)$/;

function parseRootCause(cursor: Cursor, token: WordToken, place: Place): Filter {
  requireTraceScope(token, place);
  const word = token.text.toLowerCase();
  if (word === 'rootcause.json') return parseRootCauseJson(cursor, token);
  const parts = rootCausePattern.exec(word);
  if (!parts || word === 'rootcause.responsetime.exception') {
    const choices = 'rootcause.fault or rootcause.error with .service, .entity or .exception';
    throw invalidFilter(
      `expected ${choices}, rootcause.responsetime with .service or .entity, or rootcause.json, got ${token.text}`,
      token.offset,
    );
  }
  // The pattern has matched, so both parts are one of its words.
  const cause = parts[1] as RootCauseKind;
  const element = parts[2] as RootCauseElement;
  return { kind: 'rootcause', cause, element, block: parseBlock(cursor, `rootcause ${element}`, place) };
}

function parseRootCauseJson(cursor: Cursor, token: WordToken): Filter {
  const equals = cursor.take('=');
  const json = cursor.next();
  if (!equals || json.kind !== 'json') {
    throw invalidFilter(
      'rootcause.json takes = and a list, as in rootcause.json = #[{"Services":[...]}]',
      token.offset,
    );
  }
  const { patterns, values } = parsePatterns(json.text, json.offset);
  cursor.countTerms(values, json);
  if (patterns.length === 0) throw invalidFilter('the JSON list must hold at least one root cause', json.offset);
  return { kind: 'rootcause.json', patterns };
}

interface Patterns {
  readonly patterns: readonly JsonPattern[];
  /** How many values there are, those inside of others too. */
  readonly values: number;
}

function parsePatterns(text: string, offset: number): Patterns {
  let values = 0;
  try {
    // The text begins with [, so what can be parsed is a list.
    const patterns = JSON.parse(text, (key, value) => {
      values += 1;
      return readJsonValue(key, value);
    }) as JsonPattern[];
    return { patterns, values };
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : '';
    throw new RaybridgeError('FILTER_INVALID', invalidFilter(`the JSON cannot be read (${detail})`, offset).message, {
      cause,
    });
  }
}

/** Lets nothing pass that would print as another value. @throws SyntaxError. */
function readJsonValue(key: string, value: unknown): unknown {
  if (loneSurrogate.test(key) || (typeof value === 'string' && loneSurrogate.test(value))) {
    throw new SyntaxError('half of a surrogate pair');
  }
  if (value === Infinity || value === -Infinity) throw new SyntaxError('a number is too large');
  return value === 0 ? 0 : value;
}

/** The condition in braces; undefined when there are no braces, or nothing in them. */
function parseBlock(cursor: Cursor, scope: Scope, place: Place): Filter | undefined {
  const opening = cursor.peek();
  if (!cursor.take('{')) return undefined;
  if (cursor.take('}')) return undefined;
  const block = parseOr(cursor, { ...deeper(place, opening), scope });
  expectClosing(cursor, '}', opening);
  return block;
}

function requireTraceScope(token: WordToken, { scope }: Place): void {
  if (scope === 'trace') return;
  throw invalidFilter(`${token.text} cannot stand inside the braces of ${scopeName(scope)}`, token.offset);
}

function expectOpening(cursor: Cursor, token: Token, example: string): Token {
  const opening = cursor.peek();
  if (cursor.take('(')) return opening;
  throw invalidFilter(`${describe(token)} needs parentheses, as in ${example}`, token.offset);
}

function expectClosing(cursor: Cursor, symbol: ')' | '}', opening: Token): void {
  const token = cursor.peek();
  if (cursor.take(symbol)) return;
  const missing = `the closing ${symbol} is missing for the one opened at position ${opening.offset + 1}`;
  throw invalidFilter(`${missing}; got ${describe(token)}${quoteHint(token)}`, token.offset);
}

function deeper({ scope, depth }: Place, token: Token): Place {
  if (depth < expressionDepthMax) return { scope, depth: depth + 1 };
  throw invalidFilter(`terms are nested deeper than ${expressionDepthMax} levels`, token.offset);
}

function isSymbol(token: Token, symbol: string): boolean {
  return token.kind === 'symbol' && token.text === symbol;
}

function isWord(token: Token, word: string): boolean {
  return token.kind === 'word' && token.text.toLowerCase() === word;
}

/** The most of a token that a message repeats. */
const describedCharactersMax = 40;

function describe(token: Token): string {
  if (token.kind === 'end') return 'the end of the expression';
  if (token.kind === 'number') return String(token.value);
  if (token.kind === 'annotation') return `annotation[${token.key.slice(0, describedCharactersMax)}]`;
  if (token.kind === 'json') return 'JSON';
  const text = token.text.slice(0, describedCharactersMax);
  return token.kind === 'text' ? JSON.stringify(text) : text;
}

/** Somebody who meets a value where none can be has most often left out the quotes before it. */
function quoteHint(token: Token): string {
  return token.kind === 'number' || token.kind === 'text' ? '; text stands in one pair of double quotes' : '';
}
