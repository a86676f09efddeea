/**
 * A filter: the tree of a filter expression (AWS X-Ray developer guide, "filter expressions").
 * `parse.ts` makes it, `print.ts` gives the text back, `match.ts` asks it about a trace.
 */
export type Filter =
  /** Two terms or more. */
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Filter[] }
  | { readonly kind: 'not'; readonly term: Filter }
  /** Without comparison: the keyword is set, or true if it is a boolean. */
  | { readonly kind: 'keyword'; readonly keyword: Keyword; readonly comparison: Comparison | undefined }
  /** An annotation of a document or an attribute of a span, spelt `annotation` or `attributes`. */
  | { readonly kind: 'annotation'; readonly key: string; readonly comparison: Comparison | undefined }
  /** `node` undefined stands for any node, `block` undefined for no condition. */
  | { readonly kind: 'service'; readonly node: NodeReference | undefined; readonly block: Filter | undefined }
  | {
      readonly kind: 'edge';
      readonly from: NodeReference | undefined;
      readonly to: NodeReference | undefined;
      readonly block: Filter | undefined;
    }
  | {
      readonly kind: 'rootcause';
      readonly cause: RootCauseKind;
      readonly element: RootCauseElement;
      readonly block: Filter | undefined;
    }
  /** Each pattern describes a root cause; at least one. */
  | { readonly kind: 'rootcause.json'; readonly patterns: readonly JsonPattern[] };

export interface Comparison {
  readonly operator: Operator;
  readonly value: string | number | boolean;
}

export type EqualityOperator = '=' | '!=';
export type OrderOperator = '<' | '<=' | '>' | '>=';
export type TextOperator = 'CONTAINS' | 'BEGINSWITH' | 'ENDSWITH';
export type Operator = EqualityOperator | OrderOperator | TextOperator;

/** What is given must be equal; what is undefined is free. At least one member is given. */
export interface NodeReference {
  readonly name: string | undefined;
  readonly type: string | undefined;
  readonly accountId: string | undefined;
}

export type RootCauseKind = 'fault' | 'error' | 'responsetime';
export type RootCauseElement = 'service' | 'entity' | 'exception';

/** JSON in which an object matches every object that has at least its members. */
export type JsonPattern =
  | string
  | number
  | boolean
  | null
  | readonly JsonPattern[]
  | { readonly [member: string]: JsonPattern };

/** Where a term stands decides which keywords it may use and what they speak of. */
export type Scope = 'trace' | 'service' | 'edge' | 'rootcause service' | 'rootcause entity' | 'rootcause exception';

export type ValueType = 'boolean' | 'number' | 'text' | 'group';

interface KeywordKind {
  readonly type: ValueType;
  readonly scopes: readonly Scope[];
}

const causes = ['rootcause service', 'rootcause entity', 'rootcause exception'] as const;

/** Every keyword with the type of its value and the places where it may stand. */
export const keywords = {
  ok: { type: 'boolean', scopes: ['trace', 'service', 'edge'] },
  error: { type: 'boolean', scopes: ['trace', 'service', 'edge'] },
  throttle: { type: 'boolean', scopes: ['trace', 'service', 'edge'] },
  fault: { type: 'boolean', scopes: ['trace', 'service', 'edge'] },
  partial: { type: 'boolean', scopes: ['trace', 'service'] },
  inferred: { type: 'boolean', scopes: ['trace', 'service', 'rootcause service'] },
  root: { type: 'boolean', scopes: ['service'] },
  first: { type: 'boolean', scopes: causes },
  last: { type: 'boolean', scopes: causes },
  remote: { type: 'boolean', scopes: ['rootcause entity'] },
  responsetime: { type: 'number', scopes: ['trace', 'service', 'edge'] },
  duration: { type: 'number', scopes: ['trace', 'service'] },
  'http.status': { type: 'number', scopes: ['trace'] },
  index: { type: 'number', scopes: causes },
  coverage: { type: 'number', scopes: ['rootcause entity'] },
  'http.url': { type: 'text', scopes: ['trace'] },
  'http.method': { type: 'text', scopes: ['trace'] },
  'http.useragent': { type: 'text', scopes: ['trace'] },
  'http.clientip': { type: 'text', scopes: ['trace'] },
  user: { type: 'text', scopes: ['trace'] },
  name: { type: 'text', scopes: ['service', ...causes] },
  type: { type: 'text', scopes: ['service', 'rootcause service'] },
  message: { type: 'text', scopes: ['rootcause exception'] },
  availabilityzone: { type: 'text', scopes: ['trace'] },
  'instance.id': { type: 'text', scopes: ['trace'] },
  'resource.arn': { type: 'text', scopes: ['trace'] },
  'account.id': { type: 'text', scopes: ['trace'] },
  'group.name': { type: 'group', scopes: ['trace'] },
  'group.arn': { type: 'group', scopes: ['trace'] },
} as const satisfies Record<string, KeywordKind>;

export type Keyword = keyof typeof keywords;

export function isKeyword(word: string): word is Keyword {
  return Object.hasOwn(keywords, word);
}

export function keywordKind(keyword: Keyword): KeywordKind {
  return keywords[keyword];
}
