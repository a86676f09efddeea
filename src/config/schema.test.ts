import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { decode } from './decode.ts';
import { problemLine } from './message.ts';
import {
  duration,
  endpoint,
  grpcServer,
  httpServer,
  parseDuration,
  retryOnFailure,
  sendingQueue,
  tlsClient,
} from './schema.ts';
import { parseYaml } from './yaml.ts';

/** Decodes the body of a component that stands at `x`. */
function read(
  schema: z.ZodType,
  text: string,
): { readonly value: unknown; readonly complaints: readonly string[]; readonly hints: readonly string[] } {
  const { root } = parseYaml(text, { source: 'c.yaml' });
  assert.ok(root);
  const { value, problems } = decode(root, schema, {
    path: ['x'],
    position: { source: 'c.yaml', line: 1, column: 1, length: 1 },
  });
  return {
    value,
    complaints: problems.map((problem) => `${problem.severity}: ${problemLine(problem)}`),
    hints: problems.flatMap(({ hints }) => hints),
  };
}

const durations: readonly (readonly [string, number | undefined])[] = [
  ['300ms', 300],
  ['1.5h', 5_400_000],
  ['2h45m', 9_900_000],
  ['1us', 0.001],
  ['1µs', 0.001],
  ['5ns', 0.000005],
  ['.5s', 500],
  ['1.s', 1000],
  ['0', 0],
  ['+1s', 1000],
  ['10', undefined],
  ['', undefined],
  ['s', undefined],
  ['-1s', undefined],
  ['1 s', undefined],
  ['1d', undefined],
  ['9'.repeat(30) + 'h', undefined],
];

for (const [text, milliseconds] of durations) {
  test(`the duration "${text}" is ${milliseconds} ms`, () => assert.equal(parseDuration(text), milliseconds));
}

test('a duration without a unit says what to write', () => {
  const schema = z.strictObject({ timeout: duration.default(5) });
  assert.deepEqual(read(schema, 'timeout: 10').complaints, [
    'error: c.yaml:1:10: x.timeout: 10 has no unit; write 10s',
  ]);
  assert.deepEqual(read(schema, 'timeout: "10"').complaints, [
    'error: c.yaml:1:10: x.timeout: 10 has no unit; write 10s',
  ]);
  assert.deepEqual(read(schema, 'timeout: 0').value, { timeout: 0 });
  assert.deepEqual(read(schema, 'timeout:').value, { timeout: 5 });
});

test('an endpoint is host:port', () => {
  for (const good of ['localhost:4317', '0.0.0.0:0', ':4317', '[::1]:4317', '[::]:65535']) {
    assert.equal(endpoint.safeParse(good).success, true, good);
  }
  for (const bad of ['4317', 'localhost', '::1:4317', 'localhost:65536', 'localhost:', 'http://x:1', '', 'a b:1']) {
    assert.equal(endpoint.safeParse(bad).success, false, bad);
  }
  assert.deepEqual(read(z.strictObject({ endpoint }), 'endpoint: "4317"').complaints, [
    'error: c.yaml:1:11: x.endpoint: expected host:port, got "4317"',
  ]);
});

test('null is a default for a value, a list or a component, and turns an optional block on', () => {
  const schema = z.strictObject({
    name: z.string().default('d'),
    list: z.array(z.string()).default(['d']),
    block: z.strictObject({ size: z.int().default(3) }).optional(),
  });
  assert.deepEqual(read(schema, 'name:\nlist:\nblock:\n').value, { name: 'd', list: ['d'], block: { size: 3 } });
  assert.deepEqual(read(schema, '').value, { name: 'd', list: ['d'] });
});

test('a text where a list is wanted is split at commas', () => {
  assert.deepEqual(read(z.strictObject({ list: z.array(z.string()) }), 'list: a,b').value, { list: ['a', 'b'] });
});

test('a value of the wrong kind says what was wanted, what was found, and how to write it', () => {
  const schema = z.strictObject({
    flag: z.boolean(),
    size: z.int().min(1),
    name: z.string(),
    mode: z.enum(['basic', 'detailed']),
  });
  const { complaints, hints } = read(schema, 'flag: yes\nsize: "3"\nname: 123\nmode: detaild\n');
  assert.deepEqual(complaints, [
    'error: c.yaml:1:7: x.flag: expected true or false, got "yes"',
    'error: c.yaml:2:7: x.size: expected a whole number, got "3"',
    'error: c.yaml:3:7: x.name: expected a string, got 123',
    'error: c.yaml:4:7: x.mode: expected one of basic, detailed, got "detaild"',
  ]);
  assert.deepEqual(hints, [
    'write true',
    'write 3 without quotes',
    'write it in quotes: "123"',
    'did you mean "detailed"?',
  ]);
  assert.deepEqual(read(schema, 'flag: true\nsize: 1.5\nname: a').complaints, [
    'error: c.yaml:2:7: x.size: expected a whole number, got 1.5',
    'error: c.yaml:1:1: x.mode is required',
  ]);
  assert.deepEqual(read(schema, 'flag: true\nsize: 0\nname: a\nmode: basic').complaints, [
    'error: c.yaml:2:7: x.size must be at least 1, got 0',
  ]);
});

test('an unknown key is proposed its place: near, renamed, inside a block, or beside', () => {
  const schema = z.strictObject({ endpoint, tls: tlsClient.optional(), sending_queue: sendingQueue.optional() });
  const proposal = (text: string) => read(schema, text).hints[0];
  assert.equal(proposal('endpoint: a:1\nendpiont: b:1'), 'did you mean "endpoint"?');
  assert.equal(proposal('endpoint: a:1\nEndpoint: b:1'), 'did you mean "endpoint"?');
  assert.equal(proposal('endpoint: a:1\ntls_settings: {}'), 'did you mean "tls"?');
  assert.equal(proposal('endpoint: a:1\nqueue_settings: {}'), 'did you mean "sending_queue"?');
  assert.equal(proposal('endpoint: a:1\ninsecure: true'), 'did you mean "tls.insecure"?');
  assert.equal(proposal('endpoint: a:1\ntls: {endpoint: x}'), 'did you mean "endpoint"?');
  assert.equal(proposal('endpoint: a:1\nzzz: 1'), 'known keys: endpoint, tls, sending_queue');
});

test('keys without effect are told at debug, and keys that would open a port are refused', () => {
  const { complaints } = read(
    grpcServer({ endpoint: 'localhost:4317' }),
    'read_buffer_size: 1024\ntls: {cert_file: a}\nmiddlewares: []\n',
  );
  assert.deepEqual(complaints, [
    'debug: c.yaml:1:1: x.read_buffer_size is accepted and has no effect',
    'error: c.yaml:3:1: x.middlewares is not implemented in this version; refused because a middleware may authorize or change requests',
    'error: c.yaml:2:6: x.tls: TLS configuration must include both certificate and key for server connections',
  ]);
  const unix = read(grpcServer({ endpoint: 'localhost:4317' }), 'transport: unix');
  assert.deepEqual(unix.complaints.slice(1), [
    'error: c.yaml:1:12: x.transport: "unix" is not implemented in this version',
  ]);
});

test('the server blocks have the defaults of the Collector', () => {
  assert.deepEqual(read(grpcServer({ endpoint: 'localhost:4317' }), 'max_recv_msg_size_mib: 0').value, {
    endpoint: 'localhost:4317',
    max_recv_msg_size_mib: 4,
    max_concurrent_streams: 0,
  });
  assert.deepEqual(
    read(httpServer({ endpoint: 'localhost:4318' }), 'cors: {allowed_origins: ["https://*.test.com"], max_age: 7200}')
      .value,
    {
      endpoint: 'localhost:4318',
      cors: { allowed_origins: ['https://*.test.com'], allowed_headers: [], exposed_headers: [], max_age: 7200 },
      max_request_body_size: 20 * 1024 * 1024,
      response_headers: {},
    },
  );
});

test('retries, queues and client TLS are checked as a whole', () => {
  assert.deepEqual(read(retryOnFailure, 'initial_interval: 10s\nmax_elapsed_time: 5s').complaints, [
    'warning: c.yaml:2:1: x.max_elapsed_time: does not end the retries: data waits in the durable queue until it is delivered',
    "error: c.yaml:2:19: x.max_elapsed_time: 'max_elapsed_time' must not be less than 'initial_interval'",
    "error: c.yaml:2:19: x.max_elapsed_time: 'max_elapsed_time' must not be less than 'max_interval'",
  ]);
  assert.equal(read(retryOnFailure, 'initial_interval: 10s').complaints.length, 0);
  assert.deepEqual(read(sendingQueue, 'num_consumers: 0').complaints, [
    'error: c.yaml:1:16: x.num_consumers must be at least 1, got 0',
  ]);
  assert.deepEqual(read(tlsClient, 'cert_file: a.crt').complaints, [
    'error: c.yaml:1:1: x: a client certificate needs both the certificate and its key',
  ]);
  assert.deepEqual(read(tlsClient, 'min_version: "1.4"').complaints, [
    'error: c.yaml:1:14: x.min_version: unsupported TLS version: "1.4"',
  ]);
});

test('the value of a secret key is not in the message', () => {
  const schema = z.strictObject({ api_token: z.int(), headers: z.record(z.string(), z.enum(['a'])) });
  const { complaints } = read(schema, 'api_token: hunter2\nheaders: {x-team: hunter2}');
  assert.equal(complaints.length, 2);
  assert.doesNotMatch(complaints.join(), /hunter2/);
  const url = read(z.strictObject({ endpoint }), 'endpoint: http://me:hunter2@host:1');
  assert.deepEqual(url.complaints, [
    'error: c.yaml:1:11: x.endpoint: expected host:port, got "http://[REDACTED]@host:1"',
  ]);
});

test('keys of a prototype are keys like others', () => {
  const { complaints } = read(z.strictObject({ a: z.int().optional() }), '__proto__: {a: 1}\nconstructor: 1');
  assert.deepEqual(complaints, [
    'error: c.yaml:1:1: x.__proto__: unknown key',
    'error: c.yaml:2:1: x.constructor: unknown key',
  ]);
});
