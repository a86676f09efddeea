/** Conditions of the OpenTelemetry Transformation Language as a tree (specification: configuration 1.15). */
import { lex, OttlError, type Token } from './lex.ts';

export type Expression =
  | { readonly kind: 'or' | 'and'; readonly terms: readonly Expression[] }
  | { readonly kind: 'not'; readonly inner: Expression }
  | { readonly kind: 'compare'; readonly operator: Comparison; readonly left: Value; readonly right: Value }
  | { readonly kind: 'value'; readonly value: Value };

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';

export type Value =
  | { readonly kind: 'literal'; readonly value: string | bigint | number | boolean | Uint8Array | undefined }
  | { readonly kind: 'list'; readonly items: readonly Value[] }
  | {
      readonly kind: 'path';
      readonly steps: readonly string[];
      readonly keys: readonly (string | bigint)[];
      readonly offset: number;
    }
  | { readonly kind: 'enum'; readonly name: string; readonly offset: number }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly args: readonly Value[];
      readonly keys: readonly (string | bigint)[];
      readonly offset: number;
    }
  | {
      readonly kind: 'arithmetic';
      readonly operator: '+' | '-' | '*' | '/';
      readonly left: Value;
      readonly right: Value;
    };

const comparisons: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);
/** Parentheses and calls inside each other. */
const depthMax = 64;

/** @throws OttlError. */
export function parseCondition(text: string): Expression {
  return new Parser(lex(text)).whole();
}

class Parser {
  private readonly tokens: readonly Token[];
  private at = 0;
  private depth = 0;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  whole(): Expression {
    const expression = this.or();
    if (this.next.kind !== 'end') throw this.unexpected('the end of the condition');
    return expression;
  }

  private or(): Expression {
    return this.chain('or', () => this.and());
  }

  private and(): Expression {
    return this.chain('and', () => this.factor());
  }

  private chain(kind: 'or' | 'and', read: () => Expression): Expression {
    const [first, ...others] = [read()];
    const terms = [first ?? read(), ...others];
    while (this.takeName(kind)) terms.push(read());
    const [only] = terms;
    return terms.length === 1 && only ? only : { kind, terms };
  }

  private factor(): Expression {
    if (this.takeName('not')) return { kind: 'not', inner: this.factor() };
    if (this.isSymbol('(')) {
      // A parenthesis may hold a condition, or the first value of a comparison.
      const start = this.at;
      try {
        return this.within(() => this.inParentheses(() => this.or()), true);
      } catch (error) {
        if (!(error instanceof OttlError)) throw error;
        this.at = start;
      }
    }
    return this.comparison();
  }

  private comparison(): Expression {
    const left = this.value();
    const { text } = this.next;
    if (!comparisons.has(text)) return { kind: 'value', value: left };
    this.at++;
    return { kind: 'compare', operator: text as Comparison, left, right: this.value() };
  }

  private inParentheses<Result>(read: () => Result): Result {
    this.expect('(');
    const inner = read();
    this.expect(')');
    return inner;
  }

  private within<Result>(read: () => Result, mustEnd = false): Result {
    if (++this.depth > depthMax) throw new OttlError('is nested too deep', this.next.offset);
    try {
      const result = read();
      // `(a) == b` and `(a + b) > c` go on after the parenthesis.
      if (mustEnd && (comparisons.has(this.next.text) || /^[-+*/]$/.test(this.next.text)))
        throw this.unexpected('"and" or "or"');
      return result;
    } finally {
      this.depth--;
    }
  }

  private value(): Value {
    return this.sum('+', '-', () => this.sum('*', '/', () => this.operand()));
  }

  private sum(one: '+' | '*', other: '-' | '/', read: () => Value): Value {
    let left = read();
    for (;;) {
      const operator = this.isSymbol(one) ? one : this.isSymbol(other) ? other : undefined;
      if (operator === undefined) return left;
      this.at++;
      left = { kind: 'arithmetic', operator, left, right: read() };
    }
  }

  private operand(): Value {
    const token = this.next;
    if (this.isSymbol('(')) return this.within(() => this.inParentheses(() => this.value()));
    if (this.isSymbol('[')) return { kind: 'list', items: this.within(() => this.list('[', ']')) };
    if (this.isSymbol('-')) {
      this.at++;
      return { kind: 'arithmetic', operator: '-', left: { kind: 'literal', value: 0n }, right: this.operand() };
    }
    this.at++;
    switch (token.kind) {
      case 'string':
        return { kind: 'literal', value: unescape(token) };
      case 'number':
        return { kind: 'literal', value: /[.eE]/.test(token.text) ? Number(token.text) : BigInt(token.text) };
      case 'bytes':
        return { kind: 'literal', value: Buffer.from(token.text.slice(2), 'hex') };
      case 'name':
        return this.named(token);
      default:
        this.at--;
        throw this.unexpected('a value');
    }
  }

  private named(token: Token): Value {
    if (token.text === 'true' || token.text === 'false') return { kind: 'literal', value: token.text === 'true' };
    if (token.text === 'nil') return { kind: 'literal', value: undefined };
    if (this.isSymbol('(')) {
      const args = this.within(() => this.list('(', ')'));
      return { kind: 'call', name: token.text, args, keys: this.keys(), offset: token.offset };
    }
    if (/^[A-Z][A-Z0-9_]*$/.test(token.text)) return { kind: 'enum', name: token.text, offset: token.offset };
    const steps = [token.text];
    while (this.isSymbol('.')) {
      this.at++;
      if (this.next.kind !== 'name') throw this.unexpected('a name');
      steps.push(this.next.text);
      this.at++;
    }
    return { kind: 'path', steps, keys: this.keys(), offset: token.offset };
  }

  private keys(): readonly (string | bigint)[] {
    const keys: (string | bigint)[] = [];
    while (this.isSymbol('[')) {
      this.at++;
      const token = this.next;
      if (token.kind === 'string') keys.push(unescape(token));
      else if (token.kind === 'number' && /^\d+$/.test(token.text)) keys.push(BigInt(token.text));
      else throw this.unexpected('a key in quotes');
      this.at++;
      this.expect(']');
    }
    return keys;
  }

  private list(open: string, close: string): readonly Value[] {
    this.expect(open);
    const items: Value[] = [];
    if (!this.isSymbol(close)) {
      do {
        // Named arguments stand in the order of the function's own.
        if (this.next.kind === 'name' && this.tokens[this.at + 1]?.text === '=') this.at += 2;
        items.push(this.value());
      } while (this.takeSymbol(','));
    }
    this.expect(close);
    return items;
  }

  private get next(): Token {
    return this.tokens[this.at] ?? { kind: 'end', text: '', offset: 0 };
  }

  private isSymbol(text: string): boolean {
    return this.next.kind === 'symbol' && this.next.text === text;
  }

  private takeSymbol(text: string): boolean {
    if (!this.isSymbol(text)) return false;
    this.at++;
    return true;
  }

  private takeName(text: string): boolean {
    if (this.next.kind !== 'name' || this.next.text !== text) return false;
    this.at++;
    return true;
  }

  private expect(text: string): void {
    if (!this.takeSymbol(text)) throw this.unexpected(JSON.stringify(text));
  }

  private unexpected(wanted: string): OttlError {
    const found = this.next.kind === 'end' ? 'the end' : JSON.stringify(this.next.text);
    return new OttlError(`expected ${wanted}, got ${found}`, this.next.offset);
  }
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

function unescape({ text }: Token): string {
  return text.slice(1, -1).replaceAll(/\\(.)/gs, (_, letter: string) => escapes[letter] ?? letter);
}
