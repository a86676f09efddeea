import { invalidFilter } from './invalid.ts';

export type Token = { readonly offset: number } &
  /** Names with their dots, as typed but without the space around dots: `http.url`, `AND`, `service`. */
  (
    | { readonly kind: 'word'; readonly text: string }
    /** A text in double quotes, without them. */
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'number'; readonly value: number }
    /** `annotation[key]` or `attributes[key]`. */
    | { readonly kind: 'annotation'; readonly key: string }
    /** `#[…]`: the JSON after the `#`. */
    | { readonly kind: 'json'; readonly text: string }
    | { readonly kind: 'symbol'; readonly text: string }
    | { readonly kind: 'end' }
  );

/** Both mean the same, so that people may use X-Ray's word or OpenTelemetry's. */
export const annotationWords: ReadonlySet<string> = new Set(['annotation', 'attributes']);

const spacePattern = /\s*/uy;
const wordPattern = /[\p{L}_][\p{L}\p{N}_]*(?:\s*\.\s*[\p{L}\p{N}_]+)*/uy;
const numberPattern = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/uy;
const symbolPattern = /[<>!]=|[=<>!(){},:]/uy;
const textPattern = /"((?:[^"\\]|\\[^])*)"/uy;
const bracketPattern = /\s*\[\s*/uy;
const bareKeyPattern = /[^\]"]+/uy;
const closingBracketPattern = /\s*\]/uy;
/** What looks like one value to a person: used to quote it in a message. */
const strayPattern = /[^\s"'(){},<>=!]+/uy;

const jsonDepthMax = 16;

/** The tokens of an expression, the last of kind `end`. @throws RaybridgeError FILTER_INVALID. */
export function lexFilter(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let offset = skip(spacePattern, text, 0); offset < text.length;) {
    const { token, end } = readToken(text, offset);
    refuseGlued(text, token, end);
    tokens.push(token);
    offset = skip(spacePattern, text, end);
  }
  return [...tokens, { kind: 'end', offset: text.length }];
}

interface Reading {
  readonly token: Token;
  /** Offset of the first character after the token. */
  readonly end: number;
}

function readToken(text: string, offset: number): Reading {
  const first = text[offset] ?? '';
  if (first === '"') return readText(text, offset);
  if (first === '#') return readJson(text, offset);
  const word = matchAt(wordPattern, text, offset);
  if (word !== undefined) return readWord(text, offset, word);
  const number = matchAt(numberPattern, text, offset);
  if (number !== undefined) return readNumber(offset, number);
  const symbol = matchAt(symbolPattern, text, offset);
  if (symbol !== undefined) return readSymbol(text, offset, symbol);
  throw strayCharacter(text, offset);
}

function readText(text: string, offset: number): Reading {
  const quoted = matchAt(textPattern, text, offset);
  if (quoted === undefined) throw invalidFilter('the closing " is missing for the text', offset);
  const content = quoted.slice(1, -1).replaceAll(/\\(["\\])/g, '$1');
  return { token: { kind: 'text', text: content, offset }, end: offset + quoted.length };
}

function readWord(text: string, offset: number, word: string): Reading {
  const end = offset + word.length;
  const opening = annotationWords.has(word.toLowerCase()) ? matchAt(bracketPattern, text, end) : undefined;
  if (opening !== undefined) return readAnnotation(text, { offset, word, keyOffset: end + opening.length });
  return { token: { kind: 'word', text: word.replaceAll(/\s/g, ''), offset }, end };
}

interface BracketedKey {
  readonly offset: number;
  /** As typed: one of annotationWords in any case. */
  readonly word: string;
  readonly keyOffset: number;
}

/** A key with brackets or quotes in it may itself stand in double quotes. */
function readAnnotation(text: string, { offset, word, keyOffset }: BracketedKey): Reading {
  const quoted = text[keyOffset] === '"' ? readText(text, keyOffset) : undefined;
  const bare = quoted ? undefined : matchAt(bareKeyPattern, text, keyOffset);
  const key = quoted?.token.kind === 'text' ? quoted.token.text : bare?.trim();
  if (key === undefined || key === '') throw invalidFilter(`${word}[...] needs a key`, keyOffset);
  const keyEnd = quoted?.end ?? keyOffset + (bare?.length ?? 0);
  const closing = matchAt(closingBracketPattern, text, keyEnd);
  if (closing === undefined) throw invalidFilter(`the closing ] is missing for the key of ${word}[...]`, keyEnd);
  return { token: { kind: 'annotation', key, offset }, end: keyEnd + closing.length };
}

function readNumber(offset: number, literal: string): Reading {
  const value = Number(literal);
  if (!Number.isFinite(value)) throw invalidFilter(`the number ${literal.slice(0, 20)} is too large`, offset);
  // Minus zero would print as 0 and so come back as another value.
  return { token: { kind: 'number', value: value === 0 ? 0 : value, offset }, end: offset + literal.length };
}

function readSymbol(text: string, offset: number, symbol: string): Reading {
  const end = offset + symbol.length;
  if (symbol === '=' && text[end] === '=') throw invalidFilter('equality is one =, not ==', offset);
  if (symbol === '<' && text[end] === '>') throw invalidFilter('inequality is !=, not <>', offset);
  if (symbol === '=' && (text[end] === '<' || text[end] === '>')) {
    throw invalidFilter(`write ${text[end]}= instead of =${text[end]}`, offset);
  }
  return { token: { kind: 'symbol', text: symbol, offset }, end };
}

/** The JSON array after a `#`, found by its brackets; what is in them is for JSON.parse to judge. */
function readJson(text: string, offset: number): Reading {
  const start = skip(spacePattern, text, offset + 1);
  if (text[start] !== '[') throw invalidFilter('a JSON list must follow the #, as in #[{"Services":[...]}]', offset);
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') at = readText(text, at).end - 1;
    if (character === '[' || character === '{') depth += 1;
    if (character === ']' || character === '}') depth -= 1;
    if (depth > jsonDepthMax) throw invalidFilter(`the JSON is nested deeper than ${jsonDepthMax} levels`, at);
    if (depth === 0) return { token: { kind: 'json', text: text.slice(start, at + 1), offset: start }, end: at + 1 };
  }
  throw invalidFilter('the closing ] is missing for the JSON list', start);
}

/** `annotation.my-key`, `i-0abc` and `500ms` would otherwise fall apart into words and numbers. */
function refuseGlued(text: string, token: Token, end: number): void {
  if (token.kind === 'number' && matchAt(wordPattern, text, end) !== undefined) {
    throw invalidFilter('a number has no unit, durations are seconds; text stands in double quotes', token.offset);
  }
  if (token.kind !== 'word' || text[end] !== '-') return;
  const whole = `${token.text}${matchAt(strayPattern, text, end) ?? ''}`;
  const [head = '', ...key] = whole.split('.');
  if (key.length > 0 && annotationWords.has(head.toLowerCase())) {
    throw invalidFilter(`a key with - stands in brackets: ${head}[${key.join('.')}]`, end);
  }
  throw invalidFilter(`text stands in double quotes: "${whole}"`, token.offset);
}

function strayCharacter(text: string, offset: number): Error {
  const character = text[offset] ?? '';
  const twice = text.slice(offset, offset + 2);
  if (character === "'") return invalidFilter('text stands in double quotes, not in single ones', offset);
  if (twice === '&&') return invalidFilter('write AND instead of &&', offset);
  if (twice === '||') return invalidFilter('write OR instead of ||', offset);
  if (character === '[') return invalidFilter('brackets belong to annotation[key] and attributes[key] only', offset);
  if (character === '~' || character === '%' || character === '*') {
    return invalidFilter(`there are no patterns such as ${character}; use CONTAINS, BEGINSWITH or ENDSWITH`, offset);
  }
  const stray = matchAt(strayPattern, text, offset) ?? character;
  return invalidFilter(`unexpected ${JSON.stringify(stray)}; text stands in double quotes`, offset);
}

function skip(pattern: RegExp, text: string, offset: number): number {
  return offset + (matchAt(pattern, text, offset)?.length ?? 0);
}

function matchAt(pattern: RegExp, text: string, offset: number): string | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(text)?.[0];
}
