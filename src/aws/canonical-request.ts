import { RaybridgeError } from '../errors.ts';

/**
 * The text that a Signature Version 4 signs (AWS IAM User Guide, "Create a signed AWS API request",
 * step 1), made from a request as it arrived. All text here is bytes: a character is one byte, as
 * `node:http` gives targets and headers, so that what is not ASCII is signed as it was sent.
 *
 * The SDK's signer, with which the tests sign, starts from an object that is not sent yet. What
 * arrives may hold a header twice, encode a query in odd ways, or be no UTF-8, and must not become
 * equal to something else on the way through such an object.
 */

export interface RawRequest {
  readonly method: string;
  /** Path and query as they stood in the request line. */
  readonly target: string;
  readonly headers: RawHeaders;
}

/** Values in the order of arrival, by name in lower case. */
export type RawHeaders = ReadonlyMap<string, readonly string[]>;

/** Of names and values in turn, as `rawHeaders` of `node:http` has them. */
export function toRawHeaders(namesAndValues: readonly string[]): RawHeaders {
  const headers = new Map<string, string[]>();
  for (let i = 0; i + 1 < namesAndValues.length; i += 2) {
    const [name = '', value = ''] = namesAndValues.slice(i, i + 2);
    const values = headers.get(name.toLowerCase());
    if (values) values.push(value);
    else headers.set(name.toLowerCase(), [value]);
  }
  return headers;
}

/** @throws RaybridgeError SIGNATURE_INVALID: the query is in a form that no signer writes. */
export function canonicalRequest(
  { method, target, headers }: RawRequest,
  { signedHeaders, bodyHash }: { readonly signedHeaders: readonly string[]; readonly bodyHash: string },
): string {
  const { path, query } = splitTarget(target);
  return [
    method,
    canonicalPath(path),
    canonicalQuery(query),
    ...signedHeaders.map((name) => `${name}:${(headers.get(name) ?? []).map(canonicalValue).join(',')}`),
    '',
    signedHeaders.join(';'),
    bodyHash,
  ].join('\n');
}

/** The parameters of a query, decoded. @throws RaybridgeError SIGNATURE_INVALID, as `canonicalRequest`. */
export function queryParameters(target: string): readonly (readonly [name: string, value: string])[] {
  return splitTarget(target)
    .query.split('&')
    .filter((parameter) => parameter !== '')
    .map((parameter) => {
      const equals = parameter.indexOf('=');
      if (equals < 0) return [decodeUri(parameter), ''];
      return [decodeUri(parameter.slice(0, equals)), decodeUri(parameter.slice(equals + 1))];
    });
}

function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const queryStart = target.indexOf('?');
  if (queryStart < 0) return { path: target, query: '' };
  return { path: target.slice(0, queryStart), query: target.slice(queryStart + 1) };
}

/**
 * Without empty and dot segments, and encoded once more than it was on the wire: only S3, whose
 * paths are names of objects, has neither.
 */
function canonicalPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(encodeUri(segment));
  }
  return segments.length > 0 && path.endsWith('/') ? `/${segments.join('/')}/` : `/${segments.join('/')}`;
}

function canonicalQuery(query: string): string {
  return queryParameters(`?${query}`)
    .map(([name, value]) => [encodeUri(name), encodeUri(value)] as const)
    .toSorted(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function canonicalValue(value: string): string {
  return value.replaceAll(/ +/g, ' ').replaceAll(/^[ \t]+|[ \t]+$/g, '');
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function encodeUri(text: string): string {
  return text.replaceAll(
    /[^A-Za-z0-9\-._~]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

function decodeUri(text: string): string {
  // A plus is itself to a signer and a space to a form; a request that could be both is neither's.
  if (/\+|%(?![0-9A-Fa-f]{2})/.test(text)) {
    throw new RaybridgeError('SIGNATURE_INVALID', 'query: expected percent-encoding, a plus sign as %2B');
  }
  return text.replaceAll(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
