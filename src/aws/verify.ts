import { randomBytes, timingSafeEqual } from 'node:crypto';
import { RaybridgeError } from '../errors.ts';
import { canonicalRequest, queryParameters, type RawHeaders, type RawRequest } from './canonical-request.ts';
import { algorithm, type Scope, sha256, signatureOf, terminator } from './signature.ts';

/**
 * Verifies Signature Version 4 in the Authorization header, in two steps: `readClaim` looks at the
 * headers and refuses what no key can make right before the body is read; `verifyClaim` then covers
 * the bytes of the body, before anything is made of them.
 *
 * A signer chooses which headers it signs. Every header that means something here must be among
 * them and must stand once: what is not signed could have been added on the way, and of two, one
 * could be verified and the other obeyed.
 */

/** What a request says about itself, not proven yet. */
export interface Claim {
  readonly request: RawRequest;
  readonly accessKeyId: string;
  readonly scope: Scope;
  /** As `x-amz-date` has it. */
  readonly timestamp: string;
  readonly signedAtMs: number;
  readonly signedHeaders: readonly string[];
  /** 64 lower-case hex digits; there is no second way to write the same signature. */
  readonly signature: string;
}

export interface Expected {
  readonly service: string;
  readonly regions: readonly string[];
  /** How far the clock of the signer may be off, in milliseconds. */
  readonly clockSkewMs: number;
  readonly nowMs: number;
}

/** @throws RaybridgeError CREDENTIALS_MISSING, CREDENTIALS_UNKNOWN, SIGNATURE_MALFORMED, SIGNATURE_INVALID. */
export function readClaim(request: RawRequest, expected: Expected): Claim {
  const { headers, target } = request;
  refusePresigned(target);
  const authorization = readAuthorization(headers);
  requireSigned(headers, authorization.signedHeaders);
  requireWholeBody(headers);
  refuseSessionToken(headers);
  const timestamp = only(headers, 'x-amz-date');
  const signedAtMs = requireTime(timestamp, expected);
  const scope = requireScope(authorization.scope, { timestamp, expected });
  return { ...authorization, request, scope, timestamp, signedAtMs };
}

/**
 * Returns when the claim is right. An unknown key costs the same work as a wrong signature, so time
 * does not tell which keys exist.
 * @throws RaybridgeError SIGNATURE_INVALID, CREDENTIALS_UNKNOWN.
 */
export function verifyClaim(
  { request, accessKeyId, scope, timestamp, signedHeaders, signature }: Claim,
  /** The bytes on the wire, still compressed. */
  body: Uint8Array,
  secretAccessKeyOf: (accessKeyId: string) => string | undefined,
): void {
  const bodyHash = sha256(body);
  const secretAccessKey = secretAccessKeyOf(accessKeyId);
  const expected = signatureOf(canonicalRequest(request, { signedHeaders, bodyHash }), {
    timestamp,
    scope,
    secretAccessKey: secretAccessKey ?? nobodysSecret,
  });
  const isRight = timingSafeEqual(expected, Buffer.from(signature, 'hex'));
  if (secretAccessKey === undefined) {
    throw new RaybridgeError('CREDENTIALS_UNKNOWN', 'the access key id of the request is not known here');
  }
  const declaredHash = request.headers.get(bodyHashHeader)?.[0] ?? bodyHash;
  if (isRight && declaredHash === bodyHash) return;
  throw new RaybridgeError(
    'SIGNATURE_INVALID',
    'the signature does not match: expected the right secret access key, and Host, headers and body as they were signed',
  );
}

const nobodysSecret = randomBytes(32).toString('hex');

const bodyHashHeader = 'x-amz-content-sha256';

/** A signature in the query lives on in logs and histories, and no client of X-Ray makes one. */
function refusePresigned(target: string): void {
  if (!queryParameters(target).some(([name]) => name.toLowerCase().startsWith('x-amz-'))) return;
  throw new RaybridgeError('SIGNATURE_MALFORMED', 'query: expected no X-Amz- parameters; sign by Authorization header');
}

/** All signers write the parts in this order; the access key id holds no slash. */
const authorizationPattern =
  /^AWS4-HMAC-SHA256 +Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/([^/,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{64})$/;

interface Authorization {
  readonly accessKeyId: string;
  readonly scope: Scope & { readonly terminator: string };
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

function readAuthorization(headers: RawHeaders): Authorization {
  const values = headers.get('authorization') ?? [];
  if (values.every((value) => value.trim() === '')) {
    throw new RaybridgeError(
      'CREDENTIALS_MISSING',
      'expected a request signed by AWS Signature Version 4, got no Authorization header',
    );
  }
  const [, accessKeyId, date, region, service, end, names, signature] =
    authorizationPattern.exec(only(headers, 'authorization')) ?? [];
  // All parts or none: what matches has no empty one.
  if (!accessKeyId || !date || !region || !service || !end || !names || !signature) {
    throw new RaybridgeError(
      'SIGNATURE_MALFORMED',
      `Authorization: expected ${algorithm} Credential=…, SignedHeaders=…, Signature=… with 64 hex digits`,
    );
  }
  return { accessKeyId, scope: { date, region, service, terminator: end }, signedHeaders: names.split(';'), signature };
}

function requireSigned(headers: RawHeaders, signedHeaders: readonly string[]): void {
  signedHeaders.forEach((name, index) => {
    if (!headers.has(name)) {
      throw new RaybridgeError(
        'SIGNATURE_INVALID',
        'SignedHeaders: expected names in lower case of headers that are there',
      );
    }
    const before = signedHeaders[index - 1];
    if (before !== undefined && before >= name) {
      throw new RaybridgeError('SIGNATURE_MALFORMED', 'SignedHeaders: expected each name once, in order');
    }
  });
  const signed = new Set(signedHeaders);
  for (const name of new Set(['host', 'x-amz-date', ...headers.keys()])) {
    if (!hasMeaning(name)) continue;
    if (!signed.has(name)) throw new RaybridgeError('SIGNATURE_INVALID', `SignedHeaders: expected ${name} among them`);
    if (headers.get(name)?.length !== 1)
      throw new RaybridgeError('SIGNATURE_INVALID', `${name}: expected the header once`);
  }
}

/**
 * Content-Encoding is not among them, because the OpenTelemetry distribution for Python adds it after
 * signing. Whoever adds, drops or changes it on the way gets a body that cannot be read.
 */
function hasMeaning(name: string): boolean {
  return name === 'host' || name === 'content-type' || name.startsWith('x-amz-');
}

/** The one value of a header. */
function only(headers: RawHeaders, name: string): string {
  const [value, ...others] = headers.get(name) ?? [];
  if (value !== undefined && others.length === 0) return value;
  throw new RaybridgeError('SIGNATURE_MALFORMED', `${name}: expected the header once`);
}

/** Refuses the ways in which S3 leaves the body, or part of it, out of the signature. */
function requireWholeBody(headers: RawHeaders): void {
  const declared = headers.get(bodyHashHeader)?.[0];
  if (declared !== undefined && !/^[0-9a-f]{64}$/.test(declared)) {
    throw new RaybridgeError(
      'SIGNATURE_INVALID',
      `${bodyHashHeader}: expected the SHA-256 of the body as 64 hex digits`,
    );
  }
  for (const name of ['trailer', 'x-amz-trailer', 'x-amz-decoded-content-length']) {
    if (headers.has(name)) throw new RaybridgeError('SIGNATURE_INVALID', `${name}: expected a body signed as a whole`);
  }
}

function refuseSessionToken(headers: RawHeaders): void {
  if (!headers.has('x-amz-security-token')) return;
  throw new RaybridgeError(
    'CREDENTIALS_UNKNOWN',
    'the session token of the request is not known here; keys of Raybridge have none (AWS_SESSION_TOKEN)',
  );
}

const timestampPattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** The texts are AWS's, as far as SDKs look at them to set their clock right and try again. */
function requireTime(timestamp: string, { nowMs, clockSkewMs }: Expected): number {
  const signedAtMs = Date.parse(timestamp.replace(timestampPattern, '$1-$2-$3T$4:$5:$6Z'));
  if (!timestampPattern.test(timestamp) || Number.isNaN(signedAtMs) || printTimestamp(signedAtMs) !== timestamp) {
    throw new RaybridgeError('SIGNATURE_MALFORMED', "x-amz-date: expected YYYYMMDD'T'HHMMSS'Z'");
  }
  const [earliestMs, latestMs] = [nowMs - clockSkewMs, nowMs + clockSkewMs];
  if (signedAtMs < earliestMs) {
    const bound = `${printTimestamp(earliestMs)} (${printTimestamp(nowMs)} - ${clockSkewMs / 60_000} min.)`;
    throw new RaybridgeError('SIGNATURE_INVALID', `Signature expired: ${timestamp} is now earlier than ${bound}`);
  }
  if (signedAtMs > latestMs) {
    const bound = `${printTimestamp(latestMs)} (${printTimestamp(nowMs)} + ${clockSkewMs / 60_000} min.)`;
    throw new RaybridgeError(
      'SIGNATURE_INVALID',
      `Signature not yet current: ${timestamp} is still later than ${bound}`,
    );
  }
  return signedAtMs;
}

function printTimestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
}

function requireScope(
  scope: Authorization['scope'],
  { timestamp, expected }: { readonly timestamp: string; readonly expected: Expected },
): Scope {
  const wrong = (wish: string): RaybridgeError =>
    new RaybridgeError('SIGNATURE_INVALID', `Credential should be scoped to ${wish}`);
  if (scope.date !== timestamp.slice(0, 8)) throw wrong('the day of x-amz-date');
  if (!expected.regions.includes(scope.region)) throw wrong(`a valid region: ${expected.regions.join(', ')}`);
  if (scope.service !== expected.service) throw wrong(`the service ${expected.service}`);
  if (scope.terminator !== terminator) throw wrong(terminator);
  return scope;
}
