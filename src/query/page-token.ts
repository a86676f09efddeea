/**
 * NextToken of the X-Ray API: where the next page begins, opaque to the client, and good only for
 * the request that it was given for. Text inside: `1.<hash of request and position>.<position>`,
 * in base64url. The hash finds accidents, an edited request above all. It keeps no secret, and
 * needs none: who forges a token reaches nothing but another page of an answer open to him.
 */
import { RaybridgeError } from '../errors.ts';
import { hashText } from './hash.ts';

/** Where a page begins. Nanoseconds go as decimal text. */
export type PagePosition = Readonly<Record<string, string | number | boolean>>;

/** The members of a request, as parsed from its JSON. */
type PagedRequest = Readonly<Record<string, unknown>>;

interface Page {
  readonly request: PagedRequest;
  readonly position: PagePosition;
}

/** X-Ray's bound for tokens where it states one (GetInsightEvents). */
const tokenCharactersMax = 2000;
const version = '1';

/** @throws Error, a bug, when the position is too large for a token. */
export function printPageToken({ request, position }: Page): string {
  const positionText = JSON.stringify(position);
  const token = encodeBase64url(`${version}.${bind(request, positionText)}.${positionText}`);
  if (token.length > tokenCharactersMax) throw new Error('the position of a page is too large for a token');
  return token;
}

/**
 * The position in a token that `printPageToken` gave for the same request. The order of the
 * request's members and its NextToken are free.
 * @throws RaybridgeError INVALID_REQUEST for any other text.
 */
export function parsePageToken(token: string, request: PagedRequest): PagePosition {
  const text = token.length <= tokenCharactersMax ? decodeBase64url(token) : undefined;
  const parts = /^1\.([0-9a-f]{16})\.(\{.*\})$/su.exec(text ?? '');
  const positionText = parts?.[2];
  if (positionText === undefined) throw invalidToken('is not one that this server gave');
  if (parts?.[1] !== bind(request, positionText)) throw invalidToken('belongs to a request with other members');
  return readPosition(positionText);
}

function invalidToken(find: string): RaybridgeError {
  return new RaybridgeError('INVALID_REQUEST', `NextToken ${find}; repeat the request without it`);
}

function readPosition(text: string): PagePosition {
  try {
    const value: unknown = JSON.parse(text);
    if (isPosition(value)) return value;
  } catch {
    // A forger may print the right hash over broken JSON; he gets the answer of any other bad token.
  }
  throw invalidToken('is not one that this server gave');
}

function isPosition(value: unknown): value is PagePosition {
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).every((member) => ['string', 'number', 'boolean'].includes(typeof member));
}

function bind(request: PagedRequest, positionText: string): string {
  const members = Object.entries(request).filter(([member]) => member !== 'NextToken');
  return hashText(`${canonicalText(Object.fromEntries(members))}\n${positionText}`);
}

/** JSON with the members of objects in order, so that equal requests have equal texts. */
function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

function encodeBase64url(text: string): string {
  const bytes = new TextEncoder().encode(text);
  let encoded = '';
  for (let index = 0; index < bytes.length; index += 3) {
    const chunk = bytes.subarray(index, index + 3);
    const bits = ((chunk[0] ?? 0) << 16) | ((chunk[1] ?? 0) << 8) | (chunk[2] ?? 0);
    const digits = [18, 12, 6, 0].map((shift) => alphabet.charAt((bits >> shift) & 63));
    encoded += digits.slice(0, chunk.length + 1).join('');
  }
  return encoded;
}

/** Undefined when the text is no base64url or its bytes are no UTF-8. */
function decodeBase64url(text: string): string | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined;
  const bytes: number[] = [];
  let bits = 0;
  let bitCount = 0;
  for (const digit of text) {
    bits = ((bits << 6) | alphabet.indexOf(digit)) & 0xffff;
    bitCount += 6;
    if (bitCount < 8) continue;
    bitCount -= 8;
    bytes.push((bits >> bitCount) & 0xff);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
}
