import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, it } from 'node:test';
import { rootPath } from '../../test/support/root.ts';
import { canonicalRequest, queryParameters, toRawHeaders } from './canonical-request.ts';
import { sha256, signatureOf } from './signature.ts';
import { readClaim, verifyClaim } from './verify.ts';

const folder = ['test', 'fixtures', 'aws-sig-v4-test-suite'];
const secrets = new Map([['AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY']]);
const scope = { date: '20150830', region: 'us-east-1', service: 'service' };
const timestamp = '20150830T123600Z';
const expected = {
  service: scope.service,
  regions: [scope.region],
  clockSkewMs: 300_000,
  nowMs: Date.UTC(2015, 7, 30, 12, 36),
};
/** Raybridge gives out no session tokens, and so knows none. */
const withSessionToken = new Set(['get-vanilla-with-session-token', 'post-sts-header-after', 'post-sts-header-before']);

describe('the test suite that AWS publishes for Signature Version 4', () => {
  const names = readdirSync(rootPath(...folder))
    .filter((file) => file.endsWith('.creq'))
    .map((file) => basename(file, '.creq'));

  it('has 34 vectors', () => assert.equal(names.length, 34));

  for (const name of names) {
    const authorization = read(name, 'authz');
    const { body, ...request } = parseRequest(read(name, 'sreq'), authorization);

    it(`has the canonical request and the signature of ${name}`, () => {
      const signedHeaders = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(';') ?? [];
      const canonical = canonicalRequest(request, { signedHeaders, bodyHash: sha256(body) });
      assert.equal(canonical, read(name, 'creq'));
      const secretAccessKey = secrets.get('AKIDEXAMPLE') ?? '';
      const signature = signatureOf(canonical, { timestamp, scope, secretAccessKey }).toString('hex');
      assert.ok(authorization.endsWith(`Signature=${signature}`));
    });

    it(`verifies ${name}${withSessionToken.has(name) ? ' up to its session token' : ''}`, () => {
      const verify = (): void => verifyClaim(readClaim(request, expected), body, (id) => secrets.get(id));
      if (!withSessionToken.has(name)) return verify();
      const code = name === 'post-sts-header-after' ? 'SIGNATURE_INVALID' : 'CREDENTIALS_UNKNOWN';
      assert.throws(verify, { code, message: /session token|x-amz-security-token/ });
    });
  }
});

describe('the canonical request', () => {
  const canonical = (target: string): readonly string[] =>
    canonicalRequest({ method: 'POST', target, headers: new Map() }, { signedHeaders: [], bodyHash: '' })
      .split('\n')
      .slice(1, 3);

  for (const { what, target, path = '/', query = '' } of [
    { what: 'encodes an encoded path once more', target: '/a%2Fb%20c/', path: '/a%252Fb%2520c/' },
    { what: 'drops empty and dot segments', target: '//a/.//b/../c', path: '/a/c' },
    { what: 'does not climb out of the root', target: '/../../a', path: '/a' },
    { what: 'tells a path with a slash at its end from one without', target: '/a/', path: '/a/' },
    {
      what: 'takes bytes as they came',
      target: '/\u00e1\u0088\u00b4?\u00e1\u0088\u00b4',
      path: '/%E1%88%B4',
      query: '%E1%88%B4=',
    },
    { what: 'sorts parameters by name, then by value', target: '/?b=2&a-=0&a=2&a=10', query: 'a=10&a=2&a-=0&b=2' },
    { what: 'gives every parameter an equals sign', target: '/?b&&a=', query: 'a=&b=' },
    { what: 'encodes a query anew', target: '/?a=%2f%7E=?', query: 'a=%2F~%3D%3F' },
  ]) {
    it(what, () => assert.deepEqual(canonical(target), [path, query]));
  }

  it('refuses what could be read in two ways', () => {
    for (const query of ['a=b+c', 'a=%2', 'a=%zz', '+']) {
      assert.throws(() => queryParameters(`/?${query}`), { code: 'SIGNATURE_INVALID' }, query);
    }
  });

  it('joins repeated headers in their order, trims them and collapses spaces', () => {
    const headers = toRawHeaders(['B', ' x   y ', 'a', '1', 'b', '"z  z"', '__proto__', 'own']);
    const lines = canonicalRequest(
      { method: 'POST', target: '/', headers },
      { signedHeaders: ['__proto__', 'a', 'b'], bodyHash: 'hash' },
    ).split('\n');
    assert.deepEqual(lines.slice(3), ['__proto__:own', 'a:1', 'b:x y,"z z"', '', '__proto__;a;b', 'hash']);
  });
});

/** Bytes as characters. */
function read(name: string, ending: string): string {
  return readFileSync(rootPath(...folder, `${name}.${ending}`), 'latin1');
}

function parseRequest(text: string, authorization: string) {
  const [head = '', body = ''] = text.split('\n\n');
  const [requestLine = '', ...lines] = head.trimEnd().replaceAll(/\n\s+/g, ' ').split('\n');
  const headers = lines
    .filter((line) => !line.startsWith('Authorization:'))
    .flatMap((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
  const [method = '', target = ''] = requestLine.replace(/ HTTP\/1\.1$/, '').split(/ (.*)/);
  return {
    method,
    target,
    headers: toRawHeaders([...headers, 'Authorization', authorization.trim()]),
    body: Buffer.from(body, 'latin1'),
  };
}
