import * as fc from 'fast-check';
import { parseJson, printJson } from '../../src/codec/json.ts';
import type {
  Attributes,
  AttributeValue,
  JsonObject,
  JsonValue,
  Resource,
  SegmentDocument,
  Span,
} from '../../src/model/index.ts';
import { arbitraryAttributeValue, arbitrarySpan, arbitrarySpanId, arbitraryTraceId } from './arbitraries.ts';

/**
 * Segment documents and spans for property tests: spans of the attributes that the conversion knows,
 * documents of all members, most of them as they should be and now and then anything.
 */

const word = fc.constantFrom(
  'GET',
  'ACME',
  'scorekeep',
  'eu-west-1',
  'Straße 1',
  'käse;(x)',
  '名前',
  'a'.repeat(260),
  '',
);
const url = fc.constantFrom(
  'https://shop.example/cart?x=1',
  'http://[::1]:8080/',
  '/only/path?q',
  'https://h:443',
  'jdbc:postgresql://db.example:5432/ebdb?x=y',
  'h:3306/db',
  '::',
);
const integer = fc.oneof(
  fc.constantFrom(200n, 404n, 429n, 500n, 80n, 443n, -1n, 0n, 8n),
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
);
const stack = fc.constantFrom(
  'java.lang.E: m\n\tat a.b.C.d(C.java:12)\n\tat java.base/x.Y.z(Native Method)\nCaused by: F: \n\tat q.R.s(R.java:)',
  'Traceback (most recent call last):\n  File "a.py", line 3, in f\n    g()\nValueError: x',
  'Error: x\n    at f (file:///a.js:1:2)\n    at node:internal/x:3:4\n  [cause]: TypeError: y\n      at g (C:\\a.js:3:1)',
  'System.E: a ---> System.F: b\n   at X.Y() in /a.cs:line 3\n   --- End of inner exception stack trace ---\n   at Z.W()',
  'goroutine 1 [running]:\nmain.f()\n\t/a.go:3 +0x1d',
  'no stack at all',
  '',
);

const knownAttribute: fc.Arbitrary<[string, AttributeValue]> = fc.oneof(
  fc.tuple(
    fc.constantFrom(
      'http.request.method',
      'http.method',
      'http.route',
      'http.host',
      'url.scheme',
      'http.scheme',
      'http.target',
      'url.path',
      'url.query',
      'server.address',
      'net.peer.name',
      'net.host.name',
      'client.address',
      'http.client_ip',
      'net.peer.ip',
      'network.peer.address',
      'user_agent.original',
      'http.user_agent',
      'rpc.method',
      'rpc.service',
      'aws.operation',
      'aws.service',
      'aws.region',
      'cloud.region',
      'aws.request_id',
      'aws.queue_url',
      'aws.account_id',
      'aws.table_name',
      'aws.sns.topic.arn',
      'faas.invoked_name',
      'aws.function_arn',
      'aws.s3.bucket',
      'peer.service',
      'db.namespace',
      'db.name',
      'db.query.text',
      'db.statement',
      'db.user',
      'enduser.id',
      'user.id',
      'error.type',
      'messaging.destination.name',
      'aws.local.service',
      'aws.remote.service',
      'aws.xray.name',
      'aws.xray.origin',
      'aws.xray.namespace',
      'aws.xray.cause',
      'aws.xray.sql.url',
      'http.status_text',
      'aws.xray.metadata.raybridge',
    ),
    fc.oneof(word, url, fc.constant('203.0.113.9')),
  ),
  fc.tuple(fc.constantFrom('url.full', 'http.url', 'aws.sqs.queue.url', 'db.connection_string'), url),
  fc.tuple(
    fc.constantFrom(
      'http.response.status_code',
      'http.status_code',
      'server.port',
      'net.peer.port',
      'net.host.port',
      'http.response.body.size',
      'http.response_content_length',
      'rpc.grpc.status_code',
      'aws.xray.retries',
    ),
    fc.oneof(integer, fc.constantFrom('200', '429', 5, 5.5)),
  ),
  fc.tuple(
    fc.constantFrom('db.system', 'db.system.name'),
    fc.constantFrom('mysql', 'mssql', 'redis', 'PostgreSQL', 'aws.dynamodb'),
  ),
  fc.tuple(fc.constantFrom('rpc.system', 'rpc.system.name'), fc.constantFrom('aws-api', 'grpc')),
  fc.tuple(fc.constant('aws.span.kind'), fc.constantFrom('LOCAL_ROOT', 'REMOTE')),
  fc.tuple(
    fc.constantFrom(
      'aws.xray.fault',
      'aws.xray.error',
      'aws.xray.throttle',
      'aws.xray.inprogress',
      'aws.xray.traced',
      'aws.xray.inferred',
    ),
    fc.boolean(),
  ),
  fc.tuple(
    fc.constantFrom(
      'aws.xray.annotations',
      'aws.dynamodb.table_names',
      'aws.xray.precursor_ids',
      'aws.xray.cause.paths',
    ),
    fc.array(fc.oneof(word, fc.constantFrom('peer.service', 'custom@1', 'custom_1')), { maxLength: 3 }),
  ),
  fc.tuple(
    fc.constantFrom('aws.xray.metadata.default', 'aws.xray.metadata.debug', 'aws.xray.metadata.raybridge'),
    fc.constantFrom('{"a":1}', '{ "a" : 1.50 }', '[]', '5', 'no json', '{"v":1}', '{"custom@1":{}}'),
  ),
  fc.tuple(fc.constantFrom('custom@1', 'custom_1', 'otel.resource.x', 'raybridge.xray'), arbitraryAttributeValue),
);

const resourceAttribute: fc.Arbitrary<[string, AttributeValue]> = fc.oneof(
  fc.tuple(
    fc.constantFrom(
      'service.name',
      'service.namespace',
      'service.version',
      'service.instance.id',
      'host.id',
      'host.type',
      'cloud.account.id',
      'cloud.region',
      'cloud.availability_zone',
      'container.name',
      'container.id',
      'k8s.pod.name',
      'k8s.cluster.name',
      'aws.ecs.task.arn',
      'aws.ecs.launchtype',
      'telemetry.sdk.name',
      'telemetry.sdk.version',
      'aws.log.group.names',
      'aws.xray.origin',
      'aws.xray.resource_arn',
      'aws.xray.service.runtime',
      'container.image.tag',
    ),
    fc.oneof(word, fc.constantFrom('7', 'i-0cd9e448944061b4a', 'opentelemetry')),
  ),
  fc.tuple(fc.constant('cloud.provider'), fc.constantFrom('aws', 'gcp')),
  fc.tuple(
    fc.constant('cloud.platform'),
    fc.constantFrom('aws_ec2', 'aws_ecs', 'aws_eks', 'aws_elastic_beanstalk', 'aws_lambda', 'gcp_run'),
  ),
  fc.tuple(
    fc.constant('telemetry.sdk.language'),
    fc.constantFrom('java', 'python', 'nodejs', 'dotnet', 'go', 'ruby', 'x'),
  ),
  fc.tuple(fc.constantFrom('aws.log.group.arns', 'container.image.tags'), fc.array(word, { maxLength: 2 })),
);

const exceptionEvent = fc.record(
  {
    timeNs: fc.bigInt(0n, 2n ** 63n - 1n),
    name: fc.constantFrom('exception', 'HTTP request failure', 'message'),
    attributes: fc
      .array(
        fc.oneof<fc.Arbitrary<readonly [string, AttributeValue]>[]>(
          fc.tuple(fc.constantFrom('exception.type', 'exception.message', 'aws.http.error_message'), word),
          fc.tuple(fc.constant('exception.stacktrace'), stack),
          fc.tuple(fc.constantFrom('exception.escaped', 'aws.xray.exception.remote'), fc.boolean()),
          fc.tuple(fc.constantFrom('http.response.status_code', 'aws.xray.exception.truncated'), integer),
          fc.tuple(fc.constant('aws.xray.exception.id'), fc.constantFrom('0011223344556677', 'x')),
        ),
        { maxLength: 5 },
      )
      .map((pairs): Attributes => new Map<string, AttributeValue>(pairs)),
    droppedAttributesCount: fc.constantFrom(0, 3),
  },
  { noNullPrototype: true },
);

export const telemetrySpan: fc.Arbitrary<Span> = fc
  .tuple(
    arbitrarySpan,
    fc.array(knownAttribute, { maxLength: 14 }),
    fc.array(resourceAttribute, { maxLength: 10 }),
    fc.array(exceptionEvent, { maxLength: 3 }),
    fc.record({ kind: fc.nat({ max: 5 }), flags: fc.constantFrom(0, 0x101, 0x301), isPlain: fc.boolean() }),
  )
  .map(([span, known, resourceKnown, events, { kind, flags, isPlain }]): Span => {
    const resource: Resource = { ...span.resource, attributes: new Map(resourceKnown) };
    const attributes = new Map(isPlain ? known : [...span.attributes, ...known]);
    return {
      ...span,
      kind,
      flags,
      attributes,
      events: isPlain ? [] : events,
      resource: isPlain ? resource : span.resource,
    };
  });

const numberLiteral = fc
  .constantFrom(
    '1',
    '-1',
    '0',
    '-0',
    '5.0',
    '0.10',
    '1E3',
    '1.499473411677E9',
    '18446744073709551616',
    '1e400',
    '200',
    '429',
    '503',
  )
  .map((literal): JsonValue => ({ literal }));
const timeLiteral = fc
  .oneof(
    fc.constantFrom('1.499473411677E9', '1700493644.9833896', '1700493644', '1596648396.63994461234', '0.5'),
    fc.bigInt(0n, 2_000_000_000_000_000n).map((us) => `${us / 1_000_000n}.${us % 1_000_000n}`),
  )
  .map((literal): JsonValue => ({ literal }));
const jsonText: fc.Arbitrary<JsonValue> = fc.oneof(word, url, stack);

export const anyJson: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    jsonText,
    fc.string({ unit: 'binary', maxLength: 8 }),
    numberLiteral,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    objectOfAny(fc.string({ maxLength: 4 }), tie('value')),
  ),
})).value;

export function objectOfAny(name: fc.Arbitrary<string>, value: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonValue> {
  return fc.array(fc.tuple(name, value), { maxLength: 4 }).map((pairs) => new Map(pairs));
}

/** Mostly what the member should be, now and then anything. */
function member(usual: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonValue> {
  return fc.oneof({ weight: 8, arbitrary: usual }, { weight: 1, arbitrary: anyJson });
}

function objectWith(members: Readonly<Record<string, fc.Arbitrary<JsonValue>>>): fc.Arbitrary<JsonObject> {
  return fc
    .tuple(
      fc.record(members, { requiredKeys: [], noNullPrototype: true }),
      fc.array(fc.tuple(fc.constantFrom('Dummy', '__proto__', 'a/b~c', ''), anyJson), { maxLength: 1 }),
    )
    .map(([known, unknown]) => new Map([...entriesOf(known), ...unknown]));
}

function entriesOf(record: Readonly<Record<string, JsonValue | undefined>>): readonly [string, JsonValue][] {
  const entries: [string, JsonValue][] = [];
  for (const [name, value] of Object.entries(record)) if (value !== undefined) entries.push([name, value]);
  return entries;
}

const texts = member(jsonText);
const numbers = member(numberLiteral);
const flags = member(fc.boolean());
const exceptionId = fc.constantFrom('0011223344556677', '8899aabbccddeeff', '');
const frame = objectWith({ path: texts, line: numbers, label: texts });
const exception = objectWith({
  id: member(exceptionId),
  message: texts,
  type: texts,
  remote: flags,
  truncated: numbers,
  skipped: numbers,
  cause: member(exceptionId),
  stack: member(fc.array(frame, { maxLength: 3 })),
});

const members: Readonly<Record<string, fc.Arbitrary<JsonValue>>> = {
  name: texts,
  end_time: member(timeLiteral),
  in_progress: flags,
  type: member(fc.constantFrom('subsegment', 'SubSegment', 'segment')),
  parent_id: member(arbitrarySpanId),
  namespace: member(fc.constantFrom('aws', 'remote', 'local', 'x')),
  origin: member(
    fc.constantFrom(
      'AWS::Lambda',
      'AWS::Lambda::Function',
      'AWS::EC2::Instance',
      'AWS::ECS::Fargate',
      'AWS::SQS::Queue',
    ),
  ),
  resource_arn: texts,
  user: texts,
  inferred: flags,
  traced: flags,
  fault: flags,
  error: flags,
  throttle: flags,
  precursor_ids: member(fc.array(member(arbitrarySpanId), { maxLength: 2 })),
  service: member(objectWith({ version: texts, compiler: texts, runtime: texts })),
  http: member(
    objectWith({
      request: member(
        objectWith({
          method: texts,
          url: member(url),
          user_agent: texts,
          client_ip: texts,
          x_forwarded_for: flags,
          traced: flags,
        }),
      ),
      response: member(objectWith({ status: numbers, content_length: numbers })),
    }),
  ),
  aws: member(
    objectWith({
      account_id: texts,
      operation: member(fc.constantFrom('SendMessage', 'GetItem')),
      region: texts,
      request_id: texts,
      queue_url: member(url),
      table_name: texts,
      table_names: member(fc.array(texts, { maxLength: 3 })),
      topic_arn: texts,
      function_arn: texts,
      function_name: texts,
      retries: numbers,
      resource_names: member(fc.array(texts, { maxLength: 2 })),
      api_gateway: member(objectWith({ account_id: texts, rest_api_id: texts, stage: texts, request_id: texts })),
      ec2: member(objectWith({ availability_zone: texts, instance_id: texts, ami_id: texts })),
      ecs: member(objectWith({ container: texts, container_id: texts, availability_zone: texts, launch_type: texts })),
      eks: member(objectWith({ cluster_name: texts, pod: texts, container_id: texts })),
      elastic_beanstalk: member(objectWith({ environment_name: texts, version_label: texts, deployment_id: numbers })),
      cloudwatch_logs: member(fc.array(member(objectWith({ log_group: texts, arn: texts })), { maxLength: 2 })),
      xray: member(
        objectWith({
          sdk: member(fc.constantFrom('X-Ray for Node.js', 'opentelemetry for java', 'X-Ray for Python', 'x')),
          sdk_version: texts,
          auto_instrumentation: flags,
          sampling_rule_name: texts,
        }),
      ),
    }),
  ),
  sql: member(
    objectWith({
      url: member(url),
      connection_string: texts,
      sanitized_query: member(fc.constantFrom('SELECT 1', ' ', '?')),
      database_type: member(fc.constantFrom('PostgreSQL', 'mysql', 'Strange', 'Microsoft SQL Server')),
      user: texts,
      preparation: texts,
    }),
  ),
  cause: member(
    fc.oneof<fc.Arbitrary<JsonValue>[]>(
      exceptionId,
      objectWith({
        working_directory: texts,
        paths: member(fc.array(texts, { maxLength: 2 })),
        exceptions: member(fc.array(member(exception), { maxLength: 3 })),
      }),
    ),
  ),
  annotations: member(
    objectOfAny(
      fc.constantFrom(
        'a',
        'b.c',
        'aws:api_id',
        'http.status_code',
        'url.full',
        'aws.xray.name',
        'raybridge.xray',
        'db.system',
        '',
      ),
      member(fc.oneof(jsonText, numberLiteral, fc.boolean())),
    ),
  ),
  metadata: member(
    objectOfAny(
      fc.constantFrom('default', 'Default', 'debug', 'AWS.x', 'a/b'),
      member(objectOfAny(fc.constantFrom('k', 'otel.resource.x'), anyJson)),
    ),
  ),
  links: member(
    fc.array(
      member(objectWith({ trace_id: member(arbitraryTraceId), id: member(arbitrarySpanId), attributes: anyJson })),
      { maxLength: 2 },
    ),
  ),
};

const subsegment: fc.Arbitrary<JsonObject> = fc.letrec<{ node: JsonObject }>((tie) => ({
  node: fc
    .tuple(
      objectWith({
        ...members,
        trace_id: member(arbitraryTraceId),
        start_time: member(timeLiteral),
        id: member(arbitrarySpanId),
      }),
      fc.option(fc.array(member(tie('node')), { maxLength: 2 }), { nil: undefined, freq: 1, depthSize: 'small' }),
    )
    .map(([own, children]) => (children ? new Map(own).set('subsegments', children) : own)),
})).node;

export const arbitraryDocument: fc.Arbitrary<SegmentDocument> = fc
  .tuple(
    objectWith(members),
    timeLiteral,
    fc.oneof(
      arbitrarySpanId,
      arbitrarySpanId.map((id) => id.toUpperCase()),
    ),
    arbitraryTraceId,
    fc.constantFrom('xray', 'XRAY', 'w3c'),
    fc.option(member(fc.array(member(subsegment), { maxLength: 3 })), { nil: undefined, freq: 2 }),
  )
  .map(([own, startTime, id, traceId, spelling, children]) => {
    const usual = `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`;
    const traceIdText = spelling === 'w3c' ? traceId : spelling === 'XRAY' ? usual.toUpperCase() : usual;
    const document = new Map(own).set('start_time', startTime).set('id', id).set('trace_id', traceIdText);
    return children === undefined ? document : document.set('subsegments', children);
  })
  .filter((document) => !holdsCredentials(document));

/** Credentials are the one thing that is lost on purpose. */
function holdsCredentials(document: JsonValue): boolean {
  return printJson(document).includes('@');
}

const pointer = fc.constantFrom(
  '/name',
  '/fault',
  '/http/response/status',
  '/metadata/default',
  '/id',
  '',
  'x',
  '/start_time',
);
export const residualLike: fc.Arbitrary<JsonObject> = fc
  .record(
    {
      o: member(objectWith(members)),
      z: member(objectOfAny(pointer, anyJson)),
      n: member(objectOfAny(pointer, jsonText)),
      r: member(objectOfAny(pointer, anyJson)),
      x: member(objectOfAny(pointer, anyJson)),
      g: anyJson,
      d: texts,
      s: member(objectOfAny(fc.constantFrom('0', 'x'), anyJson)),
      i: member(
        objectOfAny(fc.constantFrom('n', 'c', 't', 's'), fc.oneof(anyJson, fc.constantFrom('segment', 'both'))),
      ),
    },
    { requiredKeys: [], noNullPrototype: true },
  )
  .map((record) => new Map<string, JsonValue>([['v', { literal: '1' }], ...entriesOf(record)]));

export const corruptEnvelope = fc
  .constantFrom(
    '{"v":99}',
    '{}',
    '[]',
    '"x"',
    '{"v":"1"}',
    '{"v":1,"n":5}',
    '{"v":1,"t":["1"]}',
    '{"v":1,"a":[["k"]]}',
    '{"v":1,"e":[["1","x",[],"0"]]}',
    '{"v":1,"r":{"h":1}}',
    '{"v":1,"z":[0]}',
    '{"v":1,"j":"other"}',
  )
  .map((text) => parseJson(text));

export const envelopeLike: fc.Arbitrary<JsonObject> = fc
  .array(fc.tuple(fc.constantFrom(...'nktswfpjquaxymelcrz'), anyJson), { maxLength: 8 })
  .map((pairs) => new Map<string, JsonValue>([...pairs, ['v', { literal: '1' }]]));
