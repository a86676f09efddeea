import { createWordScanner } from './scan.ts';

/**
 * What is taken for a secret (specification: reliability 4.2, "data at rest"): every text under a key
 * that says so, and in other texts what looks like a token, a password of a URL, or a pair of such a
 * key and a value. Numbers and booleans are none.
 */
export interface SecretRules {
  /** More keys, compared as the built-in ones are: their end, without case and separators. */
  readonly keys: readonly string[];
  /** Keys, whole, that are never taken for one. */
  readonly allowedKeys: readonly string[];
  readonly emails: boolean;
  readonly cardNumbers: boolean;
}

export interface Secrets {
  isSecretKey(key: string): boolean;
  /** The text without the secrets in it; the same one when there are none. */
  clean(text: string): string;
  /**
   * One of these stands in every text, or key, that is not the same when cleaned, unless it holds the
   * user of a URL; for `createWordScanner` and `hasUrlUser`.
   */
  readonly words: readonly string[];
}

/** What stands where a secret stood. */
export const redacted = '[redacted]';

const keyEnds = [
  'authorization',
  'cookie',
  'apikey',
  'password',
  'passwd',
  'passphrase',
  'pwd',
  'secret',
  'secretkey',
  'secretaccesskey',
  'privatekey',
  'token',
  'xamzsignature',
] as const;

/** Of paging and parsing: they end as a secret does and are none. */
const harmlessEnds = ['nexttoken', 'pagetoken', 'paginationtoken', 'continuationtoken', 'synctoken', 'clienttoken'];

const pairKeys = String.raw`authorization|cookie|api[-_]?key|password|passwd|passphrase|pwd|secret|secret[-_]?(?:access[-_]?)?key|private[-_]?key|token|x-amz-signature`;

/** Each runs in linear time: what may repeat is bounded, or cannot begin again inside itself. */
const tokens: readonly Pattern[] = [
  // A JSON Web Token (RFC 7519): header, payload, signature.
  [/(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]*(?:\.[\w-]*)?/g, () => redacted],
  // Ids of AWS access keys (IAM user guide, "unique identifiers").
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, () => redacted],
  // A bearer token (RFC 6750).
  [
    /\b(bearer)(\s{1,8})([\w+/.~-]{8,}={0,2})/gi,
    (whole, scheme, space, token) => (looksDrawn(token) ? `${scheme}${space}${redacted}` : whole),
  ],
  // User and password of a URL (RFC 3986, 3.2.1).
  [/:\/\/[^/\s:@]*:[^/\s@]+@/g, () => `://${redacted}@`],
  // Of a query, a form, a connection string, SQL: key=value, 'value' or "value".
  [
    new RegExp(String.raw`(${pairKeys})(\s{0,8}=\s{0,8})("[^"]*"|'[^']*'|[^\s&;,"'<>)}\]]+)`, 'gi'),
    (whole, key, between, value) => (isPlaceholder(value) ? whole : `${key}${between}${redactedLike(value)}`),
  ],
  // Of JSON in a text, whose quotes may be escaped.
  [
    new RegExp(String.raw`(${pairKeys})(\\?["']\s{0,8}:\s{0,8}\\?)("[^"\\]*|'[^'\\]*)`, 'gi'),
    (whole, key, between, value) => (isPlaceholder(value) ? whole : `${key}${between}${value[0]}${redacted}`),
  ],
  // A header as it stands in a request (RFC 9110, 5): up to the end of the line.
  [
    /\b(authorization|cookie|x-api-key|x-amz-security-token)(:\s{0,8})([^\s"'][^\r\n"']*)/gi,
    (_, name, between) => `${name}${between}${redacted}`,
  ],
];

const tokenWords = ['eyj', 'akia', 'asia', 'bearer'];

const emails: Pattern = [/[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/g, () => redacted];
/** 13 to 19 digits, alone or in groups, that end in the digit of Luhn (ISO/IEC 7812-1). */
const cardNumbers: Pattern = [
  /(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.])/g,
  (whole) => (hasLuhnDigit(whole) ? redacted : whole),
];

type Pattern = readonly [RegExp, (...groups: string[]) => string];

export function createSecrets({
  keys,
  allowedKeys,
  emails: hidesEmails,
  cardNumbers: hidesCards,
}: SecretRules): Secrets {
  const more = keys.map(plain).filter((key) => key !== '');
  const ends = [...keyEnds, ...more];
  const allowed = new Set(allowedKeys.map(plain));
  const patterns = [...tokens, ...(hidesEmails ? [emails] : []), ...(hidesCards ? [cardNumbers] : [])];
  const words = [...ends, ...tokenWords, ...(hidesEmails ? ['@'] : []), ...(hidesCards ? '0123456789' : [])];
  const scanner = createWordScanner(words);
  // Keys repeat, so each is judged once; senders that make keys up must not fill the memory.
  const judged = new Map<string, boolean>();

  const judge = (key: string): boolean => {
    const text = plain(key);
    if (allowed.has(text) || harmlessEnds.some((end) => text.endsWith(end))) return false;
    return ends.some((end) => text.endsWith(end));
  };

  return {
    isSecretKey(key) {
      let isSecret = judged.get(key);
      if (isSecret === undefined) {
        isSecret = judge(key);
        if (judged.size >= judgedMax) judged.clear();
        judged.set(key, isSecret);
      }
      return isSecret;
    },
    clean(text) {
      if (!scanner.inText(text) && !text.includes('@')) return text;
      let cleaned = text;
      for (const [pattern, replacement] of patterns) cleaned = cleaned.replace(pattern, replacement);
      return cleaned;
    },
    words,
  };
}

const judgedMax = 10_000;

function plain(key: string): string {
  return key.replaceAll(/[-_. ]/g, '').toLowerCase();
}

/** Prose (`the bearer authorized`) has neither digits, nor capitals inside a word, nor padding. */
function looksDrawn(token: string): boolean {
  return /\d|[a-z][A-Z]|=$/.test(token);
}

/** What a statement or a template has where the value goes, or somebody has hidden already. */
function isPlaceholder(value: string): boolean {
  return /^["']?(?:\?|[$:@]\w*|%s|\{.*|\*+|null|undefined|true|false|\[redacted)?["']?$/i.test(value);
}

function redactedLike(value: string): string {
  const quote = value[0] === '"' || value[0] === "'" ? value[0] : '';
  return `${quote}${redacted}${quote}`;
}

function hasLuhnDigit(text: string): boolean {
  const digits = text.replaceAll(/\D/g, '');
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
