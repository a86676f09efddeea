import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sign } from '../../test/support/sign.ts';
import { toRawHeaders } from './canonical-request.ts';
import { sha256 } from './signature.ts';
import { type Expected, readClaim, verifyClaim } from './verify.ts';

const nowMs = Date.UTC(2026, 0, 31, 12);
const expected: Expected = { service: 'xray', regions: ['us-east-1', 'eu-west-1'], clockSkewMs: 300_000, nowMs };
const secrets = new Map([
  ['AKIDWRITER', 'the secret of the writer'],
  ['AKIDADMIN', 'the secret of the admin'],
]);
const writer = { accessKeyId: 'AKIDWRITER', secretAccessKey: 'the secret of the writer', signedAtMs: nowMs };
const body = Buffer.from('{"TraceIds":[]}');
const plain = { host: 'xray.example:2080', 'content-type': 'application/json' };

/** What a sender makes of one request; each member is a way to do it wrong. */
interface Attempt {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signing?: Partial<Parameters<typeof sign>[1]>;
  readonly expected?: Partial<Expected>;
  readonly target?: string;
  /** Changes names and values in turn, after signing. */
  readonly after?: (headers: readonly string[]) => readonly string[];
  readonly sent?: Uint8Array;
  readonly method?: string;
}

async function attempt({ after = (headers) => headers, ...more }: Attempt): Promise<void> {
  const headers = { ...plain, ...more.headers };
  const signed = await sign({ method: 'POST', path: '/Traces', headers, body }, { ...writer, ...more.signing });
  const request = {
    method: more.method ?? 'POST',
    target: more.target ?? '/Traces',
    headers: toRawHeaders(after(Object.entries(signed).flat())),
  };
  verifyClaim(readClaim(request, { ...expected, ...more.expected }), more.sent ?? body, (id) => secrets.get(id));
}

function refuses(what: string, given: Attempt, code: string, message?: RegExp): void {
  it(`refuses ${what}`, () => assert.rejects(attempt(given), message ? { code, message } : { code }));
}

const authorization =
  (change: (value: string) => string) =>
  (headers: readonly string[]): readonly string[] =>
    headers.map((text, i) => (headers[i - 1] === 'authorization' ? change(text) : text));

const without =
  (name: string) =>
  (headers: readonly string[]): readonly string[] => {
    const at = headers.indexOf(name);
    return headers.filter((_, i) => i !== at && i !== at + 1);
  };

describe('a request signed by the AWS SDK', () => {
  it('is verified', () => attempt({}));
  it('may be signed for any region that is configured', () => attempt({ signing: { region: 'eu-west-1' } }));
  it('may declare the hash of its body', () => attempt({ headers: { 'x-amz-content-sha256': sha256(body) } }));
  it('may carry headers that nobody signs or obeys', () =>
    attempt({
      after: (headers) => [...headers, 'user-agent', 'x', 'x-amzn-trace-id', 'y', 'content-encoding', 'gzip'],
    }));
  it('may have its headers in another order and case', () =>
    attempt({
      after: (headers) =>
        Array.from({ length: headers.length / 2 }, (_, i) => [
          headers[2 * i]?.toUpperCase() ?? '',
          headers[2 * i + 1] ?? '',
        ])
          .reverse()
          .flat(),
    }));
});

describe('the verifier', () => {
  refuses('a request without Authorization', { after: without('authorization') }, 'CREDENTIALS_MISSING');
  refuses('an empty Authorization', { after: authorization(() => ' ') }, 'CREDENTIALS_MISSING');
  for (const [what, change] of [
    ['another algorithm', (text: string) => text.replace('AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256')],
    ['signature version 2', () => 'AWS AKIDWRITER:c2lnbmF0dXJl'],
    ['a bearer token', () => 'Bearer AKIDWRITER'],
    ['a signature in capitals', (text: string) => text.replace(/[0-9a-f]+$/, (hex) => hex.toUpperCase())],
    ['a signature cut short', (text: string) => text.slice(0, -2)],
    ['a credential without a service', (text: string) => text.replace('/xray/', '/')],
    ['no signed headers', (text: string) => text.replace(/SignedHeaders=[^,]+/, 'SignedHeaders=')],
    ['signed headers out of order', (text: string) => text.replace('content-type;host', 'host;content-type')],
    ['a header signed twice', (text: string) => text.replace('host;', 'host;host;')],
  ] as const) {
    refuses(what, { after: authorization(change) }, 'SIGNATURE_MALFORMED');
  }
  refuses(
    'two Authorization headers',
    { after: (headers) => [...headers, ...headers.slice(headers.indexOf('authorization')).slice(0, 2)] },
    'SIGNATURE_MALFORMED',
  );
  for (const target of ['/Traces?X-Amz-Signature=00', '/Traces?a=b&x-amz%2Ddate=1']) {
    refuses(`a signature in the query: ${target}`, { target }, 'SIGNATURE_MALFORMED', /^query:/);
  }

  refuses('an unknown key', { signing: { accessKeyId: 'AKIDNOBODY' } }, 'CREDENTIALS_UNKNOWN');
  for (const accessKeyId of ['__proto__', 'constructor', 'toString']) {
    refuses(`the key id ${accessKeyId}`, { signing: { accessKeyId } }, 'CREDENTIALS_UNKNOWN');
  }
  refuses('a session token', { signing: { sessionToken: 'token' } }, 'CREDENTIALS_UNKNOWN', /AWS_SESSION_TOKEN/);
  refuses('a wrong secret', { signing: { secretAccessKey: 'another secret' } }, 'SIGNATURE_INVALID');
  refuses("another key's secret", { signing: { accessKeyId: 'AKIDADMIN' } }, 'SIGNATURE_INVALID');

  refuses(
    'another region',
    { signing: { region: 'us-west-2' } },
    'SIGNATURE_INVALID',
    /valid region: us-east-1, eu-west-1/,
  );
  refuses('another service', { signing: { service: 's3' } }, 'SIGNATURE_INVALID', /service xray/);
  refuses(
    'another terminator',
    { after: authorization((text) => text.replace('aws4_request', 'aws5_request')) },
    'SIGNATURE_INVALID',
    /aws4_request/,
  );
  refuses(
    'a scope of another day',
    { after: authorization((text) => text.replace('/20260131/', '/20260130/')) },
    'SIGNATURE_INVALID',
    /the day of x-amz-date/,
  );

  it('takes a clock that is off by as much as is configured', async () => {
    await attempt({ signing: { signedAtMs: nowMs - 300_000 } });
    await attempt({ signing: { signedAtMs: nowMs + 300_000 } });
    await attempt({ signing: { signedAtMs: nowMs - 900_000 }, expected: { clockSkewMs: 900_000 } });
  });
  refuses(
    'a signature that is too old, in the words that SDKs look for',
    { signing: { signedAtMs: nowMs - 301_000 } },
    'SIGNATURE_INVALID',
    /^Signature expired: 20260131T115459Z is now earlier than 20260131T115500Z \(20260131T120000Z - 5 min\.\)$/,
  );
  refuses(
    'a signature of the future',
    { signing: { signedAtMs: nowMs + 301_000 } },
    'SIGNATURE_INVALID',
    /^Signature not yet current: 20260131T120501Z is still later than 20260131T120500Z \(20260131T120000Z \+ 5 min\.\)$/,
  );
  for (const date of [
    '20260132T120000Z',
    '20260131T250000Z',
    '2026-01-31T12:00:00Z',
    'Sat, 31 Jan 2026 12:00:00 GMT',
    '',
  ]) {
    refuses(
      `the date "${date}"`,
      { after: (headers) => headers.map((text, i) => (headers[i - 1] === 'x-amz-date' ? date : text)) },
      'SIGNATURE_MALFORMED',
    );
  }
  refuses('a request without a date', { after: without('x-amz-date') }, 'SIGNATURE_INVALID');

  for (const header of ['host', 'content-type', 'x-amz-date']) {
    refuses(
      `${header} when it is not signed`,
      { after: authorization((text) => text.replace(new RegExp(`${header};|;${header}`), '')) },
      'SIGNATURE_INVALID',
      new RegExp(header),
    );
  }
  refuses(
    'an x-amz- header that was added on the way',
    { after: (headers) => [...headers, 'X-Amz-Target', 'DeleteEverything'] },
    'SIGNATURE_INVALID',
    /x-amz-target/,
  );
  for (const [name, value] of [
    ['Host', 'evil.example'],
    ['Content-Type', 'text/plain'],
    ['X-Amz-Date', '20260131T120000Z'],
  ] as const) {
    it(`refuses ${name} when it stands twice`, () =>
      assert.rejects(attempt({ after: (headers) => [...headers, name, value] }), /expected the header once/));
  }
  refuses('a signed header that is gone', { headers: { 'x-own': '1' }, after: without('x-own') }, 'SIGNATURE_INVALID');

  for (const hash of [
    'UNSIGNED-PAYLOAD',
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    '0'.repeat(64),
  ]) {
    refuses(`a body that is signed as ${hash}`, { headers: { 'x-amz-content-sha256': hash } }, 'SIGNATURE_INVALID');
  }
  for (const name of ['trailer', 'x-amz-trailer', 'x-amz-decoded-content-length']) {
    refuses(
      `the header ${name}`,
      { headers: { [name]: '1' } },
      'SIGNATURE_INVALID',
      /body signed as a whole|among them/,
    );
  }
  refuses('another body', { sent: Buffer.from('{"TraceIds":[1]}') }, 'SIGNATURE_INVALID');
  refuses('no body where one was signed', { sent: new Uint8Array() }, 'SIGNATURE_INVALID');
  refuses('another method', { method: 'PUT' }, 'SIGNATURE_INVALID');
  for (const target of ['/TraceGraph', '/Traces/', '/%54races', '/Traces%2F', '/a/Traces', '/Traces?a', '/traces']) {
    refuses(`another target: ${target}`, { target }, 'SIGNATURE_INVALID');
  }
});
