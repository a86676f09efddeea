import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import * as fc from 'fast-check';
import { RaybridgeError } from '../../src/errors.ts';
import { authSchema, createGate, type Gate } from '../../src/extensions/xray_api/authentication.ts';
import { readAwsRequest } from '../../src/net/aws-json.ts';
import { fuzzing } from '../support/fuzz.ts';
import { type Sent, toMessage } from '../support/http-message.ts';
import { sign } from '../support/sign.ts';

/**
 * Requests that the AWS SDK's signer signed, changed in every place, at the door of the X-Ray API:
 * none may come in that says something else than what was signed. What a request says is found
 * here by other means than the verifier's (`meaningOf`), so that a mistake there is not made twice.
 */

const nowMs = Date.UTC(2026, 0, 31, 23, 58);
const key = { access_key_id: 'AKIDADMIN', secret_access_key: 'the secret of the admin', role: 'admin' };
const bytesMax = 1024 * 1024;

describe('the door of the X-Ray API', () => {
  const gate = createGate({
    auth: authSchema.parse({ keys: [key], regions: ['us-east-1'] }),
    endpoint: '0.0.0.0:0',
    nowNs: () => BigInt(nowMs) * 1_000_000n,
  });
  let requests: readonly Sent[] = [];

  before(async () => {
    requests = await signedRequests();
  });

  const arbitraryRequest = fc.nat().map((at) => requests[at % requests.length] ?? assert.fail());

  it('lets every signed request in', async () => {
    for (const request of requests) assert.equal(await comesIn(gate, request), true, request.target);
  });

  it('lets a request in that was changed in ways that change nothing', async () => {
    const property = fc.asyncProperty(arbitraryRequest, arbitraryRephrasing, async (request, rephrase) => {
      const changed = rephrase(request);
      assert.equal(meaningOf(changed), meaningOf(request));
      assert.equal(await comesIn(gate, changed), true);
    });
    await fc.assert(property, fuzzing(10_000, { share: 0.1 }));
  });

  it('lets no request in that says something else than what was signed', async () => {
    const property = fc.asyncProperty(arbitraryRequest, arbitraryMutations, async (request, mutations) => {
      const changed = mutations.reduce((sent, mutate) => mutate(sent), request);
      fc.pre(meaningOf(changed) !== meaningOf(request));
      assert.equal(await comesIn(gate, changed), false);
    });
    await fc.assert(property, { ...fuzzing(10_000), maxSkipsPerRun: 10 });
  });
});

async function signedRequests(): Promise<readonly Sent[]> {
  const members = Buffer.from(JSON.stringify({ TraceIds: ['1-5759e988-bd862e3fe1be46a994272793'], NextToken: 'é' }));
  const host = '127.0.0.1:2080';
  const json = { host, 'content-type': 'application/json' };
  const sdk = {
    'amz-sdk-invocation-id': '9c5e3f0a',
    'amz-sdk-request': 'attempt=1; max=3',
    'x-amz-user-agent': 'a  b',
  };
  const toSign = [
    { path: '/Traces', headers: json, body: members },
    { path: '/EncryptionConfig', headers: { host }, body: new Uint8Array() },
    { path: '/TraceSummaries', headers: { ...json, ...sdk }, body: members },
    { path: '/v1/traces', headers: { ...json, 'content-encoding': 'gzip' }, body: gzipSync(members) },
    { path: '/v1/traces', headers: json, body: gzipSync(members), later: [['Content-Encoding', 'gzip']] as const },
    {
      path: '/a%20b/c',
      query: { x: ['2', '1'], empty: '', 'a b': '+/%é' },
      headers: { ...json, 'x-own': '1,2 3' },
      body: members,
    },
  ];
  const signing = { accessKeyId: key.access_key_id, secretAccessKey: key.secret_access_key, signedAtMs: nowMs };
  return await Promise.all(
    toSign.map(async ({ path, query = {}, headers, body, later = [] }) => {
      const signed = await sign({ method: 'POST', path, query, headers, body }, signing);
      const parameters = Object.entries(query).flatMap(([name, values]) =>
        [values].flat().map((value) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`),
      );
      const target = parameters.length > 0 ? `${path}?${parameters.join('&')}` : path;
      return { method: 'POST', target, headers: [...Object.entries(signed), ...later], body };
    }),
  );
}

/** Whether the request gets as far as its members. */
async function comesIn(gate: Gate | undefined, sent: Sent): Promise<boolean> {
  assert.ok(gate);
  const message = toMessage(sent);
  try {
    const verify = await gate.admit(message, 'GetTraceSummaries');
    await readAwsRequest(message, { bytesMax, verify });
    return true;
  } catch (error) {
    if (error instanceof RaybridgeError) return false;
    throw error;
  }
}

/**
 * What a request says to a server that reads it as HTTP has it: method, path without the segments
 * that lead nowhere, parameters in any order, the body decompressed, and every header that was
 * signed or that AWS services obey, by name in any case, spaces that do not matter left out.
 */
function meaningOf({ method, target, headers, body }: Sent): string {
  const [, path = '', query = ''] = /^([^?]*)\??(.*)$/s.exec(target) ?? [];
  const authorization = valuesOf(headers, 'authorization');
  const signed = authorization.flatMap((value) => (/SignedHeaders=([^,]*)/.exec(value)?.[1] ?? '').split(';'));
  const obeyed = headers
    .map(([name]) => name.toLowerCase())
    .filter((name) => onceOnly.test(name) || signed.includes(name));
  return JSON.stringify([
    method,
    resolve(path),
    [...new URLSearchParams(query)].map((pair) => JSON.stringify(pair)).sort(),
    authorization.map((value) => value.trim().split(/[, ]+/)),
    [...new Set(obeyed)]
      .filter((name) => name !== 'content-encoding')
      .sort()
      .map((name) => {
        const values = valuesOf(headers, name).map((value) => value.replace(/ +/g, ' ').trim());
        return [name, onceOnly.test(name) ? values : values.join(',')];
      }),
    decompressed(body, valuesOf(headers, 'content-encoding').join(',')),
  ]);
}

/** Headers that HTTP and AWS allow once only; of others, a list over several lines is the same list. */
const onceOnly = /^(host|content-type|trailer|x-amz-.*)$/s;

function valuesOf(headers: Sent['headers'], name: string): readonly string[] {
  return headers.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value);
}

function resolve(path: string): string {
  let resolved = path.replaceAll(/\/+/g, '/');
  for (let before = ''; before !== resolved;) {
    before = resolved;
    resolved = resolved
      .replace(/\/\.(?=\/|$)/, '')
      .replace(/^\/\.\.(?=\/|$)/, '')
      .replace(/\/(?!\.\.(?:\/|$))[^/]+\/\.\.(?=\/|$)/, '');
  }
  return resolved === '' ? '/' : resolved;
}

/** As hex; a body that is not what its encoding says means nothing. */
function decompressed(body: Uint8Array, encoding: string): string {
  const name = encoding.trim().toLowerCase();
  try {
    if (name === '' || name === 'identity' || body.length === 0) return Buffer.from(body).toString('hex');
    if (name === 'gzip') return gunzipSync(body).toString('hex');
    if (name === 'deflate' || name === 'zlib') return inflateSync(body).toString('hex');
  } catch {
    return 'not decompressible';
  }
  return 'an unknown encoding';
}

type Change = (sent: Sent) => Sent;

/** Chooses one of a list by any number. */
function pick<Value>(values: readonly Value[], at: number): Value {
  return values[at % Math.max(1, values.length)] ?? assert.fail('there is nothing to choose from');
}

function flipBit(text: string, at: number): string {
  const bytes = Buffer.from(text === '' ? '\0' : text, 'latin1');
  const bit = at % (bytes.length * 8);
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return bytes.toString('latin1');
}

function changeHeader(
  sent: Sent,
  at: number,
  change: (header: readonly [string, string]) => readonly [string, string],
): Sent {
  const index = at % Math.max(1, sent.headers.length);
  return { ...sent, headers: sent.headers.map((header, i) => (i === index ? change(header) : header)) };
}

function changeAuthorization(sent: Sent, change: (value: string) => string): Sent {
  return {
    ...sent,
    headers: sent.headers.map(([name, value]) => [name, name === 'authorization' ? change(value) : value]),
  };
}

const addedHeaders: Sent['headers'] = [
  ['x-amz-target', 'AWSXRay.DeleteGroup'],
  ['X-Amz-Content-Sha256', 'UNSIGNED-PAYLOAD'],
  ['x-amz-content-sha256', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'],
  ['X-Amz-Security-Token', 'token'],
  ['x-amz-trailer', 'x-amz-checksum-crc32'],
  ['x-amz-decoded-content-length', '3'],
  ['X-Amz-Date', '20260131T235800Z'],
  ['Content-Type', 'application/json'],
  ['content-type', 'text/plain'],
  ['Host', '127.0.0.1:2080'],
  ['HOST', 'evil.example'],
  ['Trailer', 'x'],
  ['content-encoding', 'gzip'],
  ['Content-Encoding', 'deflate'],
  ['authorization', 'Bearer token'],
  ['__proto__', 'x'],
];

const authorizationEdits: readonly ((value: string, at: number) => string)[] = [
  (value, at) =>
    value.replace(
      'AWS4-HMAC-SHA256',
      pick(['AWS4-HMAC-SHA1', 'AWS4-ECDSA-P256-SHA256', 'AWS', 'aws4-hmac-sha256', ''], at),
    ),
  (value, at) => value.replace(/\/\d{8}\//, `/${20260130 + (at % 3)}/`),
  (value, at) => value.replace('us-east-1', pick(['eu-west-1', 'us-east-2', 'us-east-1a', '', '*', 'US-EAST-1'], at)),
  (value, at) => value.replace('/xray/', pick(['/s3/', '/logs/', '/xRay/', '//', '/xray/xray/'], at)),
  (value, at) => value.replace('aws4_request', pick(['aws4_request/', 'aws4', '', 'AWS4_REQUEST'], at)),
  (value, at) =>
    value.replace('AKIDADMIN', pick(['AKIDOTHER', '__proto__', 'constructor', '', 'akidadmin', 'AKIDADMIN/x'], at)),
  (value, at) =>
    value.replace(/SignedHeaders=([^,]+)/, (_, names: string) => `SignedHeaders=${editNames(names.split(';'), at)}`),
  (value, at) => value.replace(/Signature=(\w+)/, (_, hex: string) => `Signature=${editSignature(hex, at)}`),
  (value, at) =>
    value
      .split(/, ?/)
      .filter((_, i) => i !== at % 3)
      .join(', '),
  (value, at) =>
    value
      .split(/(?<=,) /)
      .concat(pick(value.split(', '), at))
      .join(', '),
];

function editNames(names: readonly string[], at: number): string {
  const index = (at >> 3) % names.length;
  const edits: readonly (readonly string[])[] = [
    names.filter((_, i) => i !== index),
    [...names, pick(['user-agent', 'x-amz-target', '__proto__', ''], at)],
    [pick(['accept', 'x-amz-acl'], at), ...names],
    names.toReversed(),
    names.map((name, i) => (i === index ? name.toUpperCase() : name)),
    names.flatMap((name, i) => (i === index ? [name, name] : [name])),
    [],
  ];
  return pick(edits, at).join(';');
}

function editSignature(hex: string, at: number): string {
  const index = at % hex.length;
  return pick(
    [
      hex.slice(0, index) +
        ((Number.parseInt(hex[index] ?? '0', 16) + 1 + (at % 15)) % 16).toString(16) +
        hex.slice(index + 1),
      hex.slice(0, index),
      `${hex}0`,
      hex.toUpperCase(),
      '0'.repeat(64),
      '',
      [...hex].reverse().join(''),
    ],
    at,
  );
}

const paths = [
  '/',
  '/Traces/',
  '/Trace%73',
  '/%54races',
  '/Traces%2F',
  '/DeleteGroup',
  '/a/../DeleteGroup',
  '/v1/traces%00',
  '/a b/c',
  '/a+b/c',
  '/a%2520b/c',
  '/traces',
  '//evil.example/Traces',
  '/Traces;x',
  '/é',
];
const queries = [
  'x',
  'x=1',
  '?',
  'x=2&x=1',
  'x=1&x=2&empty=',
  '&',
  'X-Amz-Signature=00',
  'x-amz-date=1',
  'a+b=1',
  'empty',
  'Action=DeleteGroup',
];

/** One change in any place, of any kind; some of them change nothing, and the property leaves those out. */
const changes: readonly ((sent: Sent, at: number, other: number) => Sent)[] = [
  (sent, at, other) => ({ ...sent, method: pick([flipBit(sent.method, at), 'PUT', 'GET', 'post', ''], other) }),
  (sent, at) => ({ ...sent, target: flipBit(sent.target, at) }),
  (sent, at, other) => changeHeader(sent, at, ([name, value]) => [flipBit(name, other), value]),
  (sent, at, other) => changeHeader(sent, at, ([name, value]) => [name, flipBit(value, other)]),
  (sent, at) => changeAuthorization(sent, (value) => flipBit(value, at)),
  (sent, at, other) => changeAuthorization(sent, (value) => pick(authorizationEdits, at)(value, other)),
  (sent, at) => ({ ...sent, body: Buffer.from(flipBit(textOf(sent.body), at), 'latin1') }),
  (sent, at) => ({ ...sent, body: sent.body.subarray(0, at % (sent.body.length + 1)) }),
  (sent, at) => ({ ...sent, body: Buffer.from(pick(bodiesLike(textOf(sent.body)), at), 'latin1') }),
  (sent) => ({ ...sent, body: gzipSync(sent.body) }),
  (sent, at) => ({ ...sent, headers: sent.headers.toSpliced(at % sent.headers.length, 1) }),
  (sent, at, other) => insertHeader(sent, other, pick(sent.headers, at)),
  (sent, at, other) =>
    insertHeader(sent, other, [pick(sent.headers, at)[0], flipBit(pick(sent.headers, at)[1], other)]),
  (sent, at, other) => insertHeader(sent, other, pick(addedHeaders, at)),
  (sent, at, other) => changeHeader(sent, at, ([name]) => [name, pick(sent.headers, other)[1]]),
  (sent, at, other) => changeHeader(sent, at, ([name, value]) => [name, pick(valuesLike(value), other)]),
  (sent, at) => ({
    ...sent,
    headers: sent.headers.map(([name, value]) => [name, /date/.test(name) ? stamp(at) : value]),
  }),
  (sent, at) => ({ ...sent, target: [pick(paths, at), ...sent.target.split('?').slice(1)].join('?') }),
  (sent, at, other) => ({
    ...sent,
    target: `${sent.target.split('?')[0]}?${pick(queriesLike(sent.target, at), other)}`,
  }),
];

const arbitraryChange: fc.Arbitrary<Change> = fc
  .record({ change: fc.constantFrom(...changes), at: fc.nat(), other: fc.nat() }, { noNullPrototype: true })
  .map(
    ({ change, at, other }) =>
      (sent) =>
        sent.headers.length > 0 ? change(sent, at, other) : sent,
  );

function textOf(body: Uint8Array): string {
  return Buffer.from(body).toString('latin1');
}

function insertHeader(sent: Sent, at: number, header: readonly [string, string]): Sent {
  return { ...sent, headers: sent.headers.toSpliced(at % (sent.headers.length + 1), 0, header) };
}

function bodiesLike(text: string): readonly string[] {
  return [`${text} `, ` ${text}`, '{}', '', text.replace('1', '2'), text + text];
}

function valuesLike(value: string): readonly string[] {
  return [value.toUpperCase(), value.replace(' ', '\t'), `${value},`, value.replace(/\s/g, ''), ''];
}

function queriesLike(target: string, at: number): readonly string[] {
  const query = target.split('?')[1] ?? '';
  const added = pick(queries, at);
  return [added, `${query}&${added}`, query.replace('%2B', '+'), query.replace('%20', '+'), query.toLowerCase()];
}

/** A time within ten minutes. */
function stamp(at: number): string {
  return new Date(nowMs + ((at % 1_200) - 600) * 1_000).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
}

const arbitraryMutations = fc.array(arbitraryChange, { minLength: 1, maxLength: 3 });

/** What senders and proxies may do to a request without saying anything else. */
const rephrasings: readonly ((sent: Sent, at: number) => Sent)[] = [
  (sent) => ({ ...sent, headers: sent.headers.toReversed() }),
  (sent, at) => changeHeader(sent, at, ([name, value]) => [name.toUpperCase(), value]),
  (sent) => ({ ...sent, headers: [...sent.headers, ['User-Agent', 'x'], ['x-amzn-trace-id', 'y'], ['Via', 'z']] }),
  (sent) => ({ ...sent, headers: sent.headers.map(([name, value]) => [name, value.replace(/(?<=\w) (?=\w)/, '   ')]) }),
  (sent, at) => ({ ...sent, target: sent.target.replace('/', pick(['//', '/./', '/x/../'], at)) }),
  (sent) => ({ ...sent, target: sent.target.replace(/(?<=\?).*/, (query) => query.split('&').reverse().join('&')) }),
  (sent, at) => changeAuthorization(sent, (value) => value.replaceAll(', ', pick([',', ',  '], at))),
];

const arbitraryRephrasing: fc.Arbitrary<Change> = fc
  .record({ rephrase: fc.constantFrom(...rephrasings), at: fc.nat() }, { noNullPrototype: true })
  .map(
    ({ rephrase, at }) =>
      (sent) =>
        rephrase(sent, at),
  );
