import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type RecordedName, readRecorded, readSample, type SampleName } from '../../test/support/samples.ts';
import { testSpan } from '../../test/support/span.ts';
import { jsonText as json, parseJson, printJson } from '../codec/json.ts';
import { decodeTraces, encodeTraces } from '../codec/otlp-proto.ts';
import type { AttributeValue, JsonValue, SegmentDocument, Span } from '../model/index.ts';
import { emptyResource, isJsonObject, SpanKind, StatusCode } from '../model/index.ts';
import { collectorPolicy } from './collector/index.ts';
import type { IndexEntry, SegmentOptions, SpanOptions } from './index.ts';
import { createServiceNames, toSegments, toSpans } from './index.ts';

/** What each side shows of the other. That nothing is lost besides is tested in roundtrip.test.ts. */

type Values = Readonly<Record<string, AttributeValue>>;

interface SpanParts extends Partial<Omit<Span, 'attributes' | 'resource' | 'status'>> {
  readonly attributes?: Values;
  readonly resource?: Values;
  readonly status?: readonly [code: number, message: string];
}

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentSpanId = '00f067aa0ba902b7';

function spanOf({ attributes = {}, resource = {}, status = [0, ''], ...parts }: SpanParts): Span {
  return testSpan({
    traceId,
    spanId: 'b7ad6b7169203331',
    parentSpanId,
    name: 'operation',
    kind: SpanKind.internal,
    startTimeNs: 1_700_493_644_983_389_600n,
    endTimeNs: 1_700_493_645_000_000_000n,
    ...parts,
    attributes: new Map(Object.entries(attributes)),
    resource: { ...emptyResource, attributes: new Map(Object.entries(resource)) },
    status: { code: status[0], message: status[1] },
  });
}

/** Plain objects are enough to look at: the numbers here are small. */
type Plain = string | boolean | null | number | readonly Plain[] | { readonly [name: string]: Plain };

interface PlainDocument {
  readonly [name: string]: Plain;
}

function documentsOf(parts: SpanParts, options: Partial<SegmentOptions> = {}): readonly PlainDocument[] {
  return toSegments([spanOf(parts)], { json, ...options }).map(
    (document) => JSON.parse(printJson(document)) as PlainDocument,
  );
}

/** The document of a span that becomes one. */
function documentOf(parts: SpanParts, options: Partial<SegmentOptions> = {}): PlainDocument {
  const [document, ...others] = documentsOf(parts, options);
  assert.ok(document && others.length === 0);
  return document;
}

/** Plain objects as the documents that a receiver would have read. */
function read(...documents: readonly PlainDocument[]): ReturnType<typeof toSpans> {
  return toSpans(
    documents.map((document) => parsed(JSON.stringify(document))),
    { json },
  );
}

/** The same under options. */
function readWith(options: Partial<SpanOptions>, ...documents: readonly PlainDocument[]): readonly Span[] {
  return toSpans(
    documents.map((document) => parsed(JSON.stringify(document))),
    { json, ...options },
  ).spans;
}

function readOne(document: PlainDocument): Span {
  const { spans } = read(document);
  assert.ok(spans[0]);
  return spans[0];
}

function parsed(text: string): SegmentDocument {
  const value = parseJson(text);
  assert.ok(isJsonObject(value));
  return value;
}

function sample(name: SampleName): ReturnType<typeof toSpans> {
  return toSpans([parsed(readSample(name))], { json });
}

function recorded(name: RecordedName): readonly Span[] {
  const texts = readRecorded(name).flatMap(({ documents }) => documents);
  return toSpans(texts.map(parsed), { json }).spans;
}

/** Of the found attributes those that are named in the wish. */
function assertAttributes(found: ReadonlyMap<string, AttributeValue>, wanted: Values): void {
  for (const [key, value] of Object.entries(wanted)) assert.deepEqual(found.get(key), value, key);
}

const segment = {
  trace_id: '1-5f2aebcc-b475d14618c51eaa28753d37',
  id: 'bda182a644eee9b3',
  name: 'shop',
  start_time: 1,
  end_time: 2,
} as const;
const subsegment = { ...segment, type: 'subsegment', parent_id: '00f067aa0ba902b7' } as const;

describe('The samples become spans', () => {
  test('awsValidAwsFields: a server with its EC2, ECS and Beanstalk surroundings', () => {
    const { spans, problems } = sample('awsValidAwsFields');
    const [span] = spans;
    assert.ok(span);
    assert.deepEqual(problems, []);
    assert.equal(span.kind, SpanKind.server);
    assert.equal(span.status.code, StatusCode.unset);
    assert.equal(span.startTimeNs, 1_596_648_396_639_944_600n);
    assertAttributes(span.resource.attributes, {
      'service.name': 'SampleServer',
      'cloud.provider': 'aws',
      'cloud.account.id': '000000000000',
      'cloud.availability_zone': 'us-west-2c',
      'host.id': 'i-075ad396f12bc325a',
      'host.type': 'm5.xlarge',
      'host.image.id': 'ami-003634241a8fcdec0',
      'container.name': 'containerId1234',
      'container.id': 'd8453812a556',
      'service.namespace': 'scorekeep',
      'service.instance.id': '32',
      'service.version': 'app-5a56-170119_190650-stage-170119_190650',
      'telemetry.sdk.name': 'X-Ray for Go',
      'telemetry.sdk.version': '1.1.0',
      'telemetry.sdk.language': 'go',
      'aws.xray.service.compiler': 'gc',
    });
    assertAttributes(span.attributes, {
      'http.request.method': 'GET',
      'url.full': 'http://localhost:8000/',
      'url.path': '/',
      'server.address': 'localhost',
      'server.port': 8000n,
      'client.address': '127.0.0.1',
      'user_agent.original': 'Go-http-client/1.1',
      'aws.xray.x_forwarded_for': true,
      'http.response.status_code': 200n,
    });
  });

  test('indepSubsegment: a client', () => {
    const [span] = sample('indepSubsegment').spans;
    assert.ok(span);
    assert.equal(span.kind, SpanKind.client);
    assert.equal(span.name, 'POST');
    assert.equal(span.parentSpanId, 'defdfd9912dc5a56');
    assertAttributes(span.resource.attributes, { 'service.name': 'api.example.com', 'aws.xray.service_unknown': true });
    assertAttributes(span.attributes, {
      'http.response.body.size': 861n,
      'aws.xray.traced': true,
      'aws.xray.name': 'api.example.com',
      'url.full': 'https://api.example.com/health',
    });
  });

  test('indepSubsegmentWithSql: a call of a database', () => {
    const [span] = sample('indepSubsegmentWithSql').spans;
    assert.ok(span);
    assert.equal(span.kind, SpanKind.client);
    assert.equal(span.name, 'SELECT ebdb');
    assertAttributes(span.attributes, {
      'db.system.name': 'postgresql',
      'db.namespace': 'ebdb',
      'db.query.text': 'SELECT  *  FROM  customers  WHERE  customer_id=?;',
      'server.address': 'aawijb5u25wdoy.cpamxznpdoq8.us-west-2.rds.amazonaws.com',
      'server.port': 5432n,
      'aws.xray.sql.user': 'dbuser',
      'aws.xray.sql.preparation': 'statement',
      'aws.xray.sql.database_version': '9.5.4',
      'aws.xray.sql.driver_version': 'PostgreSQL 9.4.1211.jre7',
      'aws.xray.sql.database_type': 'PostgreSQL',
    });
  });

  test('indepSubsegmentWithLocalNamespace: work inside the service', () => {
    const [span] = sample('indepSubsegmentWithLocalNamespace').spans;
    assert.equal(span?.kind, SpanKind.internal);
    assertAttributes(span.attributes, { 'aws.xray.namespace': 'local' });
  });

  test('minCauseIsExceptionId: an error that another document tells of', () => {
    const [span] = sample('minCauseIsExceptionId').spans;
    assert.equal(span?.status.code, StatusCode.error);
    assertAttributes(span.attributes, { 'aws.xray.cause': 'abcdefghijklmnop' });
    assert.deepEqual(span.events, []);
  });

  test('minCauseIsInvalid: a span, and a problem that names the place', () => {
    const { spans, problems } = sample('minCauseIsInvalid');
    assert.equal(spans[0]?.status.code, StatusCode.error);
    assert.deepEqual(problems, [{ pointer: '/0/cause', reason: 'expected an object', lost: 'member' }]);
  });

  test('minInProgress: a span without an end', () => {
    const [span] = sample('minInProgress').spans;
    assert.equal(span?.endTimeNs, 0n);
    assertAttributes(span.attributes, { 'aws.xray.inprogress': true });
  });

  test('segmentWithParentId: a server all the same', () => {
    const [span] = sample('segmentWithParentId').spans;
    assert.equal(span?.kind, SpanKind.server);
    assert.equal(span.parentSpanId, 'bda182a644eee9b3');
  });

  test('batchgettraces: every segment and subsegment, below their parents', () => {
    const spans = recorded('batchgettraces');
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    assert.equal(spans.length, 11);
    const call = byId.get('4cd3f10b76c624b4');
    assert.ok(call);
    assert.equal(call.parentSpanId, '071684f2e555e571');
    assert.equal(call.name, 'DynamoDB.UpdateItem');
    assert.equal(call.startTimeNs, 1_499_473_414_690_000_000n);
    assert.equal(call.resource, byId.get('194fcc8747581230')?.resource);
    assertAttributes(call.attributes, {
      'aws.service': 'DynamoDB',
      'rpc.system': 'aws-api',
      'rpc.method': 'UpdateItem',
      'aws.dynamodb.table_names': ['scorekeep-user'],
      'db.system.name': 'aws.dynamodb',
      'db.collection.name': 'scorekeep-user',
    });
    assert.equal(byId.get('194fcc8747581230')?.name, 'POST');
    assertAttributes(byId.get('194fcc8747581230')?.resource.attributes ?? new Map(), {
      'service.name': 'Scorekeep',
      'cloud.platform': 'aws_elastic_beanstalk',
      'telemetry.sdk.language': 'java',
    });
    assertAttributes(byId.get('071684f2e555e571')?.attributes ?? new Map(), {
      'aws.xray.metadata.debug': '{"test":"Metadata string from UserModel.saveUser"}',
    });
    assertAttributes(byId.get('e6d2fe619f827804')?.attributes ?? new Map(), { UserID: '5M388M1E', Name: 'Ola' });
    assert.equal(byId.get('b29b548af4d54a0f')?.kind, SpanKind.producer);
    assertAttributes(byId.get('1ee3c4a523f89ca5')?.attributes ?? new Map(), { 'aws.xray.inferred': true });
    assertAttributes(byId.get('00f91aa01f4984fd')?.resource.attributes ?? new Map(), {
      'cloud.platform': 'aws_lambda',
      'faas.name': 'random-name',
      'cloud.resource_id': 'arn:aws:lambda:us-west-2:123456789012:function:random-name',
    });
  });

  test('sqs-segment-child: links to the trace that sent the message', () => {
    const [consumer, handler] = recorded('sqs-segment-child');
    assert.ok(consumer && handler);
    assert.deepEqual(consumer.links, [
      {
        traceId: '655b794c5ccb81d262821fbc0b55cd31',
        spanId: '6028e8092eb32d71',
        traceState: '',
        flags: 0,
        attributes: new Map([['aws.xray.reserved.reference_type', 'parent']]),
        droppedAttributesCount: 0,
      },
    ]);
    assertAttributes(handler.resource.attributes, {
      'aws.log.group.names': ['/aws/lambda/some-xray-e2e-test-GetMessageFunction-dLWgwGnI9wS6'],
    });
    assert.equal(handler.startTimeNs, 1_700_493_644_983_389_600n);
  });
});

describe('The name of a document', () => {
  const client = { kind: SpanKind.client } as const;
  const cases: readonly (readonly [title: string, parts: SpanParts, name: string])[] = [
    ['is the service of a segment', { kind: SpanKind.server, resource: { 'service.name': 'shop' } }, 'shop'],
    [
      'is the local service before that',
      { kind: SpanKind.server, attributes: { 'aws.local.service': 'front' }, resource: { 'service.name': 'shop' } },
      'front',
    ],
    [
      'is the AWS service of a call',
      { ...client, attributes: { 'rpc.system': 'aws-api', 'rpc.service': 'DynamoDb' } },
      'DynamoDB',
    ],
    [
      'is what it was deployed as when the SDK made the service up',
      { kind: SpanKind.server, resource: { 'service.name': 'unknown_service:java', 'k8s.deployment.name': 'shop' } },
      'shop',
    ],
    [
      'is the made-up service when nothing is better',
      { kind: SpanKind.server, resource: { 'service.name': 'unknown_service:java' } },
      'unknown_service:java',
    ],
    [
      'is the service of work that has no parent, not the operation',
      { parentSpanId: undefined, resource: { 'service.name': 'cron' } },
      'cron',
    ],
    [
      'is the remote service before the peer',
      { ...client, attributes: { 'aws.remote.service': 'billing', 'peer.service': 'cats-table', 'aws.service': 'S3' } },
      'billing',
    ],
    [
      'is the peer under its stable name first',
      { ...client, attributes: { 'service.peer.name': 'new', 'peer.service': 'old' } },
      'new',
    ],
    [
      'is the remote procedure service of a stable method',
      { ...client, attributes: { 'rpc.system.name': 'grpc', 'rpc.method': 'com.foo.AnimalService/Feed' } },
      'com.foo.AnimalService',
    ],
    [
      'is the AWS service of a stable method',
      { ...client, attributes: { 'rpc.system.name': 'aws-api', 'rpc.method': 'Sqs/SendMessage' } },
      'SQS',
    ],
    [
      'is the peer before the AWS service',
      { ...client, attributes: { 'peer.service': 'cats-table', 'aws.service': 'DynamoDB' } },
      'cats-table',
    ],
    [
      'is database and host',
      {
        ...client,
        attributes: {
          'db.system': 'mysql',
          'db.name': 'customers',
          'db.connection_string': 'mysql://db.dev.example.com:3306',
        },
      },
      'customers@db.dev.example.com',
    ],
    [
      'is the system of a database without a name',
      { ...client, attributes: { 'db.system.name': 'redis', 'server.address': 'r' } },
      'redis',
    ],
    [
      'is the host of an HTTP call',
      { ...client, attributes: { 'http.request.method': 'GET', 'url.full': 'https://foo.com/x' } },
      'foo.com',
    ],
    [
      'is the Host header without its port',
      { ...client, attributes: { 'http.method': 'GET', 'http.host': 'foo.com:8080' } },
      'foo.com',
    ],
    [
      'is the address when no URL is known',
      { ...client, attributes: { 'http.request.method': 'GET', 'server.address': 'bar.com' } },
      'bar.com',
    ],
    [
      'is the remote procedure service',
      { ...client, attributes: { 'rpc.system': 'grpc', 'rpc.service': 'com.foo.AnimalService' } },
      'com.foo.AnimalService',
    ],
    [
      'is the queue',
      { kind: SpanKind.producer, attributes: { 'messaging.destination.name': 'orders', 'messaging.system': 'kafka' } },
      'orders',
    ],
    [
      'loses the prefix of an SDK',
      { ...client, attributes: { 'rpc.system': 'aws-api', 'aws.remote.service': 'AWS.SDK.DynamoDb' } },
      'DynamoDb',
    ],
    [
      'loses the prefix of a resource type',
      { ...client, attributes: { 'rpc.system': 'aws-api', 'aws.remote.service': 'AWS::DynamoDB' } },
      'DynamoDB',
    ],
    [
      'is the span for work inside',
      { name: 'EP @ test_15.testing-dömain.org#GO' },
      'EP @ test_15.testing-dömain.org#GO',
    ],
    ['loses what X-Ray refuses', { name: '<subDomain>.example.com (1) 🦊 ١' }, 'subDomain.example.com 1  ١'],
    ['is something in any case', { name: '<>' }, 'span'],
    ['is cut by characters, not by bytes', { name: '𠮷'.repeat(300) }, '𠮷'.repeat(200)],
  ];
  for (const [title, parts, name] of cases) test(title, () => assert.equal(documentOf(parts)['name'], name));
});

test('Links of a consumer may say that they lead to a parent', () => {
  const link = {
    traceId,
    spanId: parentSpanId,
    traceState: '',
    flags: 0,
    attributes: new Map<string, AttributeValue>(),
    droppedAttributesCount: 0,
  };
  const span = spanOf({ kind: SpanKind.consumer, links: [link] });
  const marked = toSegments([span], { json, marksParentLinks: true });
  assert.match(printJson(marked[0] ?? null), /"attributes":\{"aws.xray.reserved.reference_type":"parent"\}/);
  assert.deepEqual(toSpans(marked, { json }).spans, [span]);
  const server = documentOf({ kind: SpanKind.server, links: [link] }, { marksParentLinks: true });
  assert.deepEqual((server['links'] as readonly PlainDocument[])[0]?.['attributes'], undefined);
});

test('A segment may be named with its namespace', () => {
  const parts: SpanParts = {
    kind: SpanKind.server,
    resource: { 'service.name': 'cart', 'service.namespace': 'shop' },
  };
  assert.equal(documentOf(parts)['name'], 'cart');
  assert.equal(documentOf(parts, { namesNamespace: true })['name'], 'shop/cart');
});

describe('Segments and subsegments', () => {
  test('a server, a consumer, a root and a span below a remote parent are segments', () => {
    const parts: readonly SpanParts[] = [
      { kind: SpanKind.server },
      { kind: SpanKind.consumer },
      { parentSpanId: undefined },
      { flags: 0x301 },
      { attributes: { 'aws.span.kind': 'LOCAL_ROOT' } },
    ];
    for (const part of parts) {
      const document = documentOf(part);
      assert.equal(document['type'], undefined);
      assert.equal(document['namespace'], undefined);
    }
  });

  test('any other is a subsegment, a call one with a namespace', () => {
    assert.equal(documentOf({})['type'], 'subsegment');
    assert.equal(documentOf({})['namespace'], undefined);
    assert.equal(documentOf({ kind: SpanKind.client })['namespace'], 'remote');
    assert.equal(documentOf({ kind: SpanKind.producer, attributes: { 'aws.service': 'SQS' } })['namespace'], 'aws');
  });

  test('a call without a service above it becomes both, with ids that a retry repeats', () => {
    const parts: SpanParts = {
      kind: SpanKind.client,
      parentSpanId: undefined,
      attributes: { 'http.request.method': 'GET', 'url.full': 'https://foo.com/x', 'http.response.status_code': 503n },
      resource: { 'service.name': 'cron' },
    };
    const [service, call] = documentsOf(parts);
    assert.ok(service && call);
    assert.deepEqual([service['name'], service['type'], service['parent_id']], ['cron', undefined, undefined]);
    assert.deepEqual([call['name'], call['type'], call['parent_id']], ['foo.com', 'subsegment', service['id']]);
    assert.deepEqual([service['fault'], service['http'], call['fault']], [true, undefined, true]);
    assert.deepEqual(documentsOf(parts), [service, call]);
    assert.equal(documentsOf(parts, { policy: collectorPolicy }).length, 1);
  });

  test('under the policy of the Collector a call of a local root is split, and a root call is not', () => {
    const root: SpanParts = { kind: SpanKind.consumer, attributes: { 'aws.span.kind': 'LOCAL_ROOT' } };
    assert.equal(documentsOf(root, { policy: collectorPolicy }).length, 2);
    assert.equal(documentsOf(root).length, 1);
  });

  test('subsegments go back into their documents, in their places', () => {
    const children = [
      { id: '0000000000000001', name: 'a', start_time: 1, end_time: 2 },
      7,
      { id: '0000000000000002', name: 'b', start_time: 1, end_time: 2 },
    ];
    const { spans, problems } = read({ ...segment, subsegments: children });
    assert.equal(spans.length, 3);
    assert.deepEqual(problems, [{ pointer: '/0/subsegments/1', reason: 'expected an object', lost: 'member' }]);
    const [document] = toSegments([...spans].reverse(), { json });
    assert.deepEqual(JSON.parse(printJson(document ?? null)), { ...segment, subsegments: children });
  });

  test('a subsegment whose document is elsewhere is sent alone', () => {
    const { spans } = read({
      ...segment,
      subsegments: [{ id: '0000000000000001', name: 'a', start_time: 1, end_time: 2 }],
    });
    const [document] = toSegments(spans.slice(1), { json });
    assert.equal(document?.get('type'), 'subsegment');
    assert.equal(document?.get('parent_id'), segment.id);
    assert.equal(document?.get('trace_id'), segment.trace_id);
  });

  test('spans that claim to be inside each other are sent alone', () => {
    const inside = (spanId: string, parent: string): Span => ({
      ...spanOf({ attributes: { 'raybridge.xray': `{"v":1,"b":["${parent}",0]}` } }),
      spanId,
      parentSpanId: parent,
    });
    const circle = [inside('000000000000000a', '000000000000000b'), inside('000000000000000b', '000000000000000a')];
    assert.equal(toSegments(circle, { json }).length, 1);
    assert.equal(toSpans(toSegments(circle, { json }), { json }).spans.length, 2);
  });

  test('subsegments inside a hundred others stay with the last of those', () => {
    let document = parsed(JSON.stringify(segment));
    for (let i = 1; i <= 120; i++) {
      const id = i.toString(16).padStart(16, '0');
      document = new Map<string, JsonValue>([
        ...parsed(JSON.stringify(segment)),
        ['id', id],
        ['subsegments', [document]],
      ]);
    }
    const { spans, problems } = toSpans([document], { json });
    assert.equal(spans.length, 101);
    assert.equal(problems[0]?.reason, 'expected at most 100 levels of subsegments');
    const [again] = toSegments(spans, { json });
    assert.deepEqual(JSON.parse(printJson(again ?? null)), JSON.parse(printJson(document)));
  });

  test('a second subsegment of the same id gets one of its own', () => {
    const child = { id: '0000000000000001', name: 'a', start_time: 1, end_time: 2 };
    const { spans, problems } = read({ ...segment, subsegments: [child, child] });
    assert.equal(new Set(spans.map((span) => span.spanId)).size, 3);
    assert.deepEqual(
      problems.map((problem) => problem.pointer),
      ['/0/subsegments/1/id'],
    );
  });
});

describe('http', () => {
  test('is made of either generation of conventions, and the stable one wins', () => {
    const legacy = {
      'http.method': 'GET',
      'http.url': 'https://h/x',
      'http.status_code': 404n,
      'http.user_agent': 'curl',
    };
    const stable = {
      'http.request.method': 'GET',
      'url.full': 'https://h/x',
      'http.response.status_code': 404n,
      'user_agent.original': 'curl',
    };
    const wanted = { request: { method: 'GET', url: 'https://h/x', user_agent: 'curl' }, response: { status: 404 } };
    assert.deepEqual(documentOf({ kind: SpanKind.client, attributes: legacy })['http'], wanted);
    assert.deepEqual(documentOf({ kind: SpanKind.client, attributes: stable })['http'], wanted);
    const both = { ...legacy, 'http.status_code': 200n, ...stable };
    assert.deepEqual(documentOf({ kind: SpanKind.client, attributes: both })['http'], wanted);
  });

  test('has a URL assembled from its parts', () => {
    const urlOf = (kind: number, attributes: Values): unknown => {
      const http = documentOf({ kind, attributes: { 'http.request.method': 'GET', ...attributes } })['http'] as {
        request: { url?: string };
      };
      return http.request.url;
    };
    const { server, client } = SpanKind;
    assert.equal(urlOf(client, { 'server.address': 'h', 'server.port': 8080n }), 'http://h:8080/');
    assert.equal(urlOf(client, { 'server.address': 'h', 'server.port': 443n }), 'https://h/');
    assert.equal(
      urlOf(client, { 'server.address': '2001:db8::1', 'url.path': '/a', 'url.query': '?b' }),
      'http://[2001:db8::1]/a?b',
    );
    assert.equal(
      urlOf(server, { 'url.scheme': 'https', 'server.address': 'h', 'url.path': '/a', 'url.query': 'b=1' }),
      'https://h/a?b=1',
    );
    assert.equal(
      urlOf(server, { 'http.scheme': 'https', 'http.host': 'h:8443', 'http.target': '/t?x' }),
      'https://h:8443/t?x',
    );
    assert.equal(urlOf(server, { 'http.target': '/t' }), '/t');
    assert.equal(urlOf(server, {}), undefined);
  });

  test('is absent on spans that only have addresses, whose attributes stay', () => {
    const attributes = {
      'db.system.name': 'redis',
      'server.address': 'cache',
      'server.port': 6379n,
      'network.peer.address': '10.0.0.9',
    };
    const document = documentOf({ kind: SpanKind.client, attributes });
    assert.equal(document['http'], undefined);
    assert.equal(document['sql'], undefined);
    assert.deepEqual((document['metadata'] as PlainDocument)['default'], { ...attributes, 'server.port': 6379 });
  });

  test('has the method that stands behind _OTHER', () => {
    const methodOf = (attributes: Values): unknown =>
      (documentOf({ kind: SpanKind.client, attributes })['http'] as { request: PlainDocument }).request['method'];
    assert.equal(methodOf({ 'http.request.method': '_OTHER', 'http.request.method_original': 'BREW' }), 'BREW');
    assert.equal(methodOf({ 'http.request.method': '_OTHER' }), '_OTHER');
    assert.equal(methodOf({ 'http.request.method': 'GET', 'http.request.method_original': 'get' }), 'GET');
  });

  test('says when the client address comes from a header', () => {
    const forwarded = (attributes: Values): unknown => {
      const http = documentOf({ kind: SpanKind.server, attributes: { 'http.request.method': 'GET', ...attributes } })[
        'http'
      ];
      return (http as { request: PlainDocument }).request['x_forwarded_for'];
    };
    assert.equal(forwarded({ 'client.address': '203.0.113.9', 'network.peer.address': '10.0.0.1' }), true);
    assert.equal(forwarded({ 'client.address': '203.0.113.9', 'network.peer.address': '203.0.113.9' }), undefined);
    assert.equal(forwarded({ 'http.client_ip': '203.0.113.9' }), true);
    assert.equal(forwarded({ 'http.client_ip': '203.0.113.9', 'net.peer.ip': '10.0.0.1' }), undefined);
  });
});

describe('fault, error and throttle', () => {
  type Case = readonly [title: string, parts: SpanParts, flags: string];
  const error = [StatusCode.error, ''] as const;
  const cases: readonly Case[] = [
    ['an answer of 503', { attributes: { 'http.response.status_code': 503n } }, 'fault'],
    ['an answer of 429', { attributes: { 'http.response.status_code': 429n } }, 'error throttle'],
    ['an answer of 404, as text', { attributes: { 'http.status_code': '404' } }, 'error'],
    [
      'an answer of 200 with a status error',
      { attributes: { 'http.response.status_code': 200n }, status: error },
      'fault',
    ],
    ['a status error', { status: error }, 'fault'],
    ['gRPC NOT_FOUND', { attributes: { 'rpc.grpc.status_code': 5n }, status: error }, 'error'],
    [
      'gRPC RESOURCE_EXHAUSTED by name',
      { attributes: { 'rpc.response.status_code': 'RESOURCE_EXHAUSTED' } },
      'error throttle',
    ],
    ['gRPC UNAVAILABLE', { attributes: { 'rpc.grpc.status_code': 14n } }, 'fault'],
    ['a throttled AWS call', { attributes: { 'error.type': 'ThrottlingException' }, status: error }, 'fault throttle'],
    [
      'an attribute that decides',
      { attributes: { 'aws.xray.fault': false, 'aws.xray.error': true }, status: error },
      'error',
    ],
    ['success', { status: [StatusCode.ok, ''] }, ''],
  ];
  for (const [title, parts, flags] of cases)
    test(`are "${flags}" for ${title}`, () => {
      const document = documentOf(parts);
      assert.equal(['fault', 'error', 'throttle'].filter((name) => document[name] === true).join(' '), flags);
    });

  test('make a status error of a fault, and of a wrong request on the side that made it', () => {
    const codeOf = (document: PlainDocument): number => readOne(document).status.code;
    assert.equal(codeOf({ ...segment, fault: true }), StatusCode.error);
    assert.equal(codeOf({ ...segment, error: true }), StatusCode.unset);
    assert.equal(codeOf({ ...subsegment, namespace: 'remote', error: true }), StatusCode.error);
    assert.equal(codeOf({ ...segment, cause: {} }), StatusCode.unset);
    assert.equal(codeOf({ ...segment, cause: { exceptions: [{ id: 'x', type: 'E' }] } }), StatusCode.error);
    assert.equal(
      codeOf({ ...segment, fault: false, cause: { exceptions: [{ id: 'x', type: 'E' }] } }),
      StatusCode.unset,
    );
  });
});

describe('cause', () => {
  const exception = {
    type: 'java.lang.E',
    message: 'boom',
    stacktrace: 'java.lang.E: boom\n\tat a.B.c(B.java:7)\nCaused by: F: deep\n\tat d.E.f(E.java:8)',
  };
  const event = {
    name: 'exception',
    timeNs: 1_700_493_644_990_000_000n,
    attributes: new Map(Object.entries(exception).map(([key, value]) => [`exception.${key}`, value])),
    droppedAttributesCount: 0,
  };

  test('holds the exceptions of the events, chained, with ids that a retry repeats', () => {
    const parts: SpanParts = { kind: SpanKind.client, events: [event], resource: { 'telemetry.sdk.language': 'java' } };
    const cause = documentOf(parts)['cause'] as { exceptions: readonly PlainDocument[] };
    const [thrown, deeper] = cause.exceptions;
    assert.ok(thrown && deeper);
    assert.deepEqual(thrown, {
      id: thrown['id'],
      type: 'java.lang.E',
      message: 'boom',
      remote: true,
      cause: deeper['id'],
      stack: [{ path: 'B.java', line: 7, label: 'a.B.c' }],
    });
    assert.deepEqual([deeper['type'], deeper['message']], ['F', 'deep']);
    assert.match(String(thrown['id']), /^[0-9a-f]{16}$/);
    assert.deepEqual(documentOf(parts)['cause'], cause);
  });

  test('holds the message of a status error when no event tells more', () => {
    const cause = documentOf({ status: [StatusCode.error, 'no luck'] })['cause'] as {
      exceptions: readonly PlainDocument[];
    };
    assert.equal(cause.exceptions[0]?.['message'], 'no luck');
    assert.equal(documentOf({ status: [StatusCode.unset, 'no luck'] })['cause'], undefined);
  });

  test('keeps fifty frames of a stack and counts the rest', () => {
    const stacktrace = `E: x\n${'\tat a.B.c(B.java:7)\n'.repeat(80)}`;
    const events = [{ ...event, attributes: new Map([['exception.stacktrace', stacktrace]]) }];
    const cause = documentOf({ events })['cause'] as {
      exceptions: readonly { stack: readonly Plain[]; truncated: number }[];
    };
    assert.equal(cause.exceptions[0]?.stack.length, 50);
    assert.equal(cause.exceptions[0]?.truncated, 30);
  });

  test('tells of failed attempts of AWS SDKs', () => {
    const failure = {
      name: 'HTTP request failure',
      timeNs: 1_700_493_644_990_000_000n,
      attributes: new Map<string, AttributeValue>([
        ['http.response.status_code', 500n],
        ['aws.http.error_message', 'oops'],
      ]),
      droppedAttributesCount: 0,
    };
    const document = documentOf({ kind: SpanKind.client, attributes: { 'rpc.system': 'aws-api' }, events: [failure] });
    const cause = document['cause'] as { exceptions: readonly PlainDocument[] };
    assert.equal(cause.exceptions[0]?.['message'], '500@1700493644.990000@oops');
  });

  test('becomes events in the style of the language, and one without an id costs nothing', () => {
    const stack = [{ path: 'B.java', line: 7, label: 'a.B.c' }];
    const span = readOne({
      ...segment,
      fault: true,
      cause: { working_directory: '/srv', exceptions: [{ type: 'E', message: 'm', stack }] },
    });
    assert.equal(span.events[0]?.timeNs, span.endTimeNs);
    assert.equal(span.events[0]?.attributes.get('exception.stacktrace'), 'E: m\n\tat a.B.c(B.java:7)');
    assertAttributes(span.attributes, { 'aws.xray.cause.working_directory': '/srv' });
  });
});

describe('aws, sql and origin', () => {
  test('an AWS call has an operation, another remote procedure does not', () => {
    const aws = documentOf({
      kind: SpanKind.client,
      attributes: { 'rpc.system': 'aws-api', 'rpc.service': 'DynamoDB', 'rpc.method': 'DynamoDB/GetItem' },
    });
    assert.deepEqual(aws['aws'], { operation: 'GetItem' });
    assert.equal(aws['namespace'], 'aws');
    const grpc = documentOf({
      kind: SpanKind.client,
      attributes: { 'rpc.system': 'grpc', 'rpc.method': 'Feed' },
      resource: { 'cloud.provider': 'gcp' },
    });
    assert.equal(grpc['aws'], undefined);
    assert.deepEqual((grpc['metadata'] as PlainDocument)['default'], { 'rpc.system': 'grpc', 'rpc.method': 'Feed' });
  });

  test('the older attributes of an AWS call go before a wrong method', () => {
    const attributes = {
      'aws.service': 'DynamoDB',
      'aws.operation': 'GetItem',
      'rpc.method': 'wrong',
      'rpc.system': 'aws-api',
    };
    assert.deepEqual(documentOf({ kind: SpanKind.client, attributes })['aws'], { operation: 'GetItem' });
  });

  test('a connection string that is a URL is one, when no host is known otherwise', () => {
    const sqlOf = (connection: string): unknown =>
      documentOf({ kind: SpanKind.client, attributes: { 'db.system': 'mysql', 'db.connection_string': connection } })[
        'sql'
      ];
    assert.deepEqual(sqlOf('mysql://u:secret@h:3306/shop'), {
      url: 'mysql://u@h:3306/shop',
      connection_string: 'mysql://u@h:3306/shop',
      database_type: 'mysql',
    });
    assert.deepEqual(sqlOf('Server=h'), { connection_string: 'Server=h', database_type: 'mysql' });
  });

  test('one table is table_name, several are table_names', () => {
    const awsOf = (tables: readonly string[]): unknown =>
      documentOf({
        kind: SpanKind.client,
        attributes: { 'aws.service': 'DynamoDB', 'aws.dynamodb.table_names': tables },
      })['aws'];
    assert.deepEqual(awsOf(['a']), { table_name: 'a' });
    assert.deepEqual(awsOf(['a', 'b']), { table_names: ['a', 'b'] });
  });

  test('a SQL span of either generation has sql, with a URL and without a password', () => {
    const stable = {
      'db.system.name': 'postgresql',
      'db.namespace': 'shop',
      'db.query.text': 'SELECT 1',
      'server.address': 'db',
      'server.port': 5432n,
    };
    assert.deepEqual(documentOf({ kind: SpanKind.client, attributes: stable })['sql'], {
      url: 'postgresql://db:5432/shop',
      database_type: 'postgresql',
      sanitized_query: 'SELECT 1',
    });
    const legacy = {
      'db.system': 'mssql',
      'db.user': 'u',
      'db.statement': 'SELECT 1',
      'db.connection_string': 'sqlserver://u:secret@h;Password=secret',
    };
    const documents = toSegments([spanOf({ kind: SpanKind.client, attributes: legacy })], { json });
    assert.ok(!printJson(documents[0] ?? null).includes('secret'));
    assert.equal(documentOf({ kind: SpanKind.client, attributes: legacy })['namespace'], 'remote');
  });

  test('credentials of URLs are carried over in neither direction', () => {
    const attributes = { 'http.request.method': 'GET', 'url.full': 'https://me:secret@h/x' };
    const [document] = toSegments([spanOf({ kind: SpanKind.client, attributes })], { json });
    assert.ok(!printJson(document ?? null).includes('secret'));
    const { spans, problems } = read({ ...segment, http: { request: { url: 'https://me:secret@h/x' } } });
    assert.equal(spans[0]?.attributes.get('url.full'), 'https://h/x');
    assert.ok(![...(spans[0]?.attributes.values() ?? [])].some((value) => String(value).includes('secret')));
    assert.deepEqual(
      problems.map((problem) => problem.pointer),
      ['/0/http/request/url'],
    );
  });

  const origins: readonly (readonly [resource: Values, origin: string | undefined])[] = [
    [{ 'cloud.platform': 'aws_ec2' }, 'AWS::EC2::Instance'],
    [{ 'cloud.platform': 'aws_ecs' }, 'AWS::ECS::Container'],
    [{ 'cloud.platform': 'aws_ecs', 'aws.ecs.launchtype': 'ec2' }, 'AWS::ECS::EC2'],
    [{ 'cloud.platform': 'aws_ecs', 'aws.ecs.launchtype': 'fargate' }, 'AWS::ECS::Fargate'],
    [{ 'cloud.platform': 'aws_eks' }, 'AWS::EKS::Container'],
    [{ 'cloud.platform': 'aws_elastic_beanstalk' }, 'AWS::ElasticBeanstalk::Environment'],
    [{ 'cloud.platform': 'aws_app_runner' }, 'AWS::AppRunner::Service'],
    [{ 'cloud.platform': 'aws_lambda' }, 'AWS::Lambda::Function'],
    [{ 'cloud.provider': 'gcp', 'cloud.platform': 'aws_ec2' }, undefined],
    [{ 'cloud.platform': 'aws_ec2', 'aws.xray.origin': 'AWS::Own' }, 'AWS::Own'],
    [{}, undefined],
  ];
  for (const [resource, origin] of origins)
    test(`the origin of ${JSON.stringify(resource)} is ${origin}`, () =>
      assert.equal(documentOf({ kind: SpanKind.server, resource })['origin'], origin));
});

describe('annotations and metadata', () => {
  test('hold the attributes that the document shows nowhere else', () => {
    const attributes = {
      'attr1@1': 'a',
      'attr2@2': true,
      list: ['x', 1n],
      map: new Map([['k', 1.5]]),
      none: undefined,
      whole: 5,
    };
    const options = { annotations: { indexed: ['attr1@1', 'list', 'not_there'] } };
    const document = documentOf({ attributes }, options);
    assert.deepEqual(document['annotations'], { attr1_1: 'a' });
    assert.deepEqual((document['metadata'] as PlainDocument)['default'], {
      'attr2@2': true,
      list: ['x', 1],
      map: { k: 1.5 },
      whole: 5,
    });
  });

  test('a span may name its own annotations, and two keys may come to one name', () => {
    const attributes = { 'a@1': 1n, 'a#1': 2n, 'aws.xray.annotations': ['a@1', 'a#1', 'not_there'] };
    assert.deepEqual(documentOf({ attributes })['annotations'], { a_1: 1, a_1_2: 2 });
  });

  test('attributes that are shown elsewhere become annotations when they are listed, and the resource on segments only', () => {
    const parts: SpanParts = {
      kind: SpanKind.client,
      attributes: { 'rpc.system': 'aws-api', 'rpc.method': 'GetItem', 'aws.operation': 'GetItem' },
      resource: { env: 'prod' },
    };
    const options = { annotations: { indexed: ['aws.operation', 'rpc.method', 'otel.resource.env'] } };
    assert.deepEqual(documentOf(parts, options)['annotations'], {
      'aws.operation': 'GetItem',
      'rpc.method': 'GetItem',
    });
    const server = documentOf({ ...parts, kind: SpanKind.server }, options);
    assert.equal((server['annotations'] as PlainDocument)['otel.resource.env'], 'prod');
  });

  test('a whole double keeps its point, an int of 64 bits its digits', () => {
    const [document] = toSegments([spanOf({ attributes: { whole: 5, long: 2n ** 63n - 1n } })], { json });
    assert.match(printJson(document ?? null), /"default":\{"whole":5\.0,"long":9223372036854775807\}/);
  });

  test('may be found by a pattern, and renamed', () => {
    const attributes = {
      'app.cart.id': 'c1',
      'app.user': 'u1',
      application: 'no',
      'aws.xray.retries': 1n,
      'http.request.method': 'GET',
      tenant: 't1',
    };
    const annotationsOf = (...indexed: readonly IndexEntry[]): unknown =>
      documentOf({ kind: SpanKind.server, attributes, resource: { 'team.name': 'red' } }, { annotations: { indexed } })[
        'annotations'
      ];
    assert.deepEqual(annotationsOf('app.*'), { 'app.cart.id': 'c1', 'app.user': 'u1' });
    assert.deepEqual(annotationsOf('*.id'), { 'app.cart.id': 'c1' });
    assert.deepEqual(annotationsOf('app.*.*'), { 'app.cart.id': 'c1' });
    assert.deepEqual(annotationsOf('a*a*a*'), undefined);
    assert.deepEqual(annotationsOf('http.*', 'otel.resource.team.*'), {
      'http.request.method': 'GET',
      'otel.resource.team.name': 'red',
    });
    assert.deepEqual(annotationsOf({ from: 'tenant', to: 'customer id' }, 'tenant'), { customer_id: 't1' });
    assert.deepEqual(annotationsOf({ from: 'app.*', to: 'app' }), { app: 'c1', app_2: 'u1' });
    assert.deepEqual(Object.keys(annotationsOf('*') as PlainDocument).sort(), [
      'app.cart.id',
      'app.user',
      'application',
      'http.request.method',
      'otel.resource.team.name',
      'tenant',
    ]);
  });

  test('are no more than the limit, and of a long text the metadata keep the whole', () => {
    const attributes = { a: 'x'.repeat(1500), b: 1n, c: 2n };
    const document = documentOf({ attributes }, { annotations: { indexAll: true, limit: 2 }, envelope: 'off' });
    assert.deepEqual(document['annotations'], { a: 'x'.repeat(1000), b: 1 });
    assert.deepEqual((document['metadata'] as PlainDocument)['default'], { a: attributes.a, c: 2 });
  });

  test('a pattern of many stars takes no time on a long key', () => {
    const startedAt = performance.now();
    const attributes = { ['a'.repeat(100_000)]: 1n };
    documentOf({ attributes }, { annotations: { indexed: [`${'*a'.repeat(1000)}b`] } });
    assert.ok(performance.now() - startedAt < 1000);
  });

  test('of the resource are in the metadata of segments', () => {
    const document = documentOf({ kind: SpanKind.server, resource: { 'service.name': 'shop', env: 'prod' } });
    assert.deepEqual((document['metadata'] as PlainDocument)['default'], { 'otel.resource.env': 'prod' });
  });

  test('numbers of annotations are ints when they are written as ints', () => {
    const { attributes } = readOne({
      ...segment,
      annotations: { a: 1, b: 1.5, c: 'x', d: true, 'url.full': 'kept as it is' },
    });
    assertAttributes(attributes, {
      a: 1n,
      b: 1.5,
      c: 'x',
      d: true,
      'aws.xray.annotations': ['a', 'b', 'c', 'd', 'url.full'],
    });
  });
});

describe('What a document shows wins over its envelope', () => {
  const parts: SpanParts = {
    kind: SpanKind.server,
    name: 'GET /x',
    attributes: { 'http.status_code': 200n, custom: 1n },
    startTimeNs: 1_000_000_001n,
  };

  function changed(change: (document: Map<string, JsonValue>) => void): Span {
    const [document] = toSegments([spanOf(parts)], { json });
    const copy = new Map(document);
    change(copy);
    const [span] = toSpans([copy], { json }).spans;
    assert.ok(span);
    return span;
  }

  test('a time that was moved', () => {
    assert.equal(changed((document) => document.set('start_time', { literal: '2.5' })).startTimeNs, 2_500_000_000n);
    assert.equal(changed((document) => document.set('start_time', { literal: '1.0' })).startTimeNs, 1_000_000_001n);
  });

  test('a flag that was set', () => {
    assert.equal(changed((document) => document.set('fault', true)).status.code, StatusCode.error);
  });

  test('a status of the answer, under the name the span had for it', () => {
    const http = new Map([['response', new Map([['status', { literal: '404' }]])]]);
    const { attributes } = changed((document) => document.set('http', http).set('error', true));
    assert.equal(attributes.get('http.status_code'), 404n);
    assert.equal(attributes.has('http.response.status_code'), false);
  });
});

describe('What a span shows wins over its residual', () => {
  const document = {
    ...segment,
    http: { response: { status: 200, content_length: 1e1 } },
    cause: { exceptions: [{ id: '0011223344556677', type: 'E', message: 'm', extra: 1 }] },
    Dummy: { a: 1 },
  };

  function changed(change: (attributes: Map<string, AttributeValue>) => void): PlainDocument {
    const span = readOne(document);
    const attributes = new Map(span.attributes);
    change(attributes);
    const [again] = toSegments([{ ...span, attributes }], { json });
    return JSON.parse(printJson(again ?? null)) as PlainDocument;
  }

  test('a value that was changed stays changed, and all else is as it was', () => {
    const again = changed((attributes) => attributes.set('http.response.status_code', 201n));
    assert.deepEqual(again, { ...document, http: { response: { status: 201, content_length: 10 } } });
  });

  test('the envelope can be switched off', () => {
    const span = readOne(document);
    const attributes = new Map(span.attributes).set('team', 'red');
    const [again] = toSegments([{ ...span, attributes }], { json, envelope: 'off' });
    assert.deepEqual(JSON.parse(printJson(again ?? null)), { ...document, metadata: { default: { team: 'red' } } });
  });
});

describe('The options of spans', () => {
  const call = { ...subsegment, id: '0000000000000001', parent_id: segment.id, name: 'db', namespace: 'remote' };

  test('a name may be that of the segment', () => {
    const document = { ...call, http: { request: { method: 'GET', url: 'https://h/x' } } };
    const [span] = readWith({ nameStyle: 'segment' }, document);
    assert.equal(span?.name, 'db');
    assert.equal(readOne(document).name, 'GET');
  });

  test('attributes may have the older names, or both', () => {
    const document = {
      ...call,
      http: { request: { method: 'GET', url: 'https://h:8443/x?y=1', user_agent: 'curl' }, response: { status: 200 } },
      user: 'u',
      sql: { database_type: 'Microsoft SQL Server', user: 'me' },
      annotations: { 'url.path': 'as it was' },
    };
    const legacy: Values = {
      'http.method': 'GET',
      'http.url': 'https://h:8443/x?y=1',
      'http.user_agent': 'curl',
      'http.status_code': 200n,
      'net.peer.name': 'h',
      'net.peer.port': 8443n,
      'db.system': 'mssql',
      'db.user': 'me',
    };
    const [older] = readWith({ semconv: 'legacy' }, document);
    const [both] = readWith({ semconv: 'both' }, document);
    assert.ok(older && both);
    assertAttributes(older.attributes, { ...legacy, 'url.path': 'as it was' });
    assertAttributes(both.attributes, {
      ...legacy,
      'http.request.method': 'GET',
      'server.port': 8443n,
      'user.id': 'u',
    });
    for (const key of ['http.request.method', 'url.full', 'server.address', 'db.system.name'])
      assert.equal(older.attributes.has(key), false, key);
    const server = { ...segment, http: { request: { url: 'https://h/x?y=1' } } };
    const [served] = readWith({ semconv: 'legacy' }, server);
    assertAttributes(served?.attributes ?? new Map(), {
      'http.scheme': 'https',
      'http.target': '/x?y=1',
      'net.host.name': 'h',
    });
    assert.equal(served?.attributes.has('url.path'), false);
  });

  test('the X-Ray ids may be named', () => {
    const [span] = readWith({ showsTraceContext: true }, segment);
    assertAttributes(span?.attributes ?? new Map(), {
      'aws.xray.trace_id': segment.trace_id,
      'aws.xray.segment_id': segment.id,
    });
    assert.equal(readOne(segment).attributes.has('aws.xray.trace_id'), false);
  });

  test('inferred segments may be left out', () => {
    const inferred = { ...segment, id: '0000000000000009', inferred: true };
    assert.equal(readWith({ dropsInferred: true }, segment, inferred).length, 1);
    assert.equal(readWith({}, segment, inferred).length, 2);
  });

  test('a lone subsegment has the service of the segment above it, in the same call or one before', () => {
    const inner = { id: '0000000000000002', name: 'work', start_time: 1, end_time: 2 };
    const below = { ...call, id: '0000000000000003', parent_id: inner.id };
    const lowest = { ...call, id: '0000000000000004', parent_id: below.id };
    const serviceOf = (span: Span | undefined): unknown => span?.resource.attributes.get('service.name');
    const together = readWith({}, lowest, below, { ...segment, subsegments: [inner] });
    assert.deepEqual(together.map(serviceOf), ['shop', 'shop', 'shop', 'shop']);
    assert.equal(together[0]?.resource.attributes.has('aws.xray.service_unknown'), false);

    const serviceNames = createServiceNames();
    readWith({ serviceNames }, { ...segment, subsegments: [inner] });
    assert.equal(serviceOf(readWith({ serviceNames }, below)[0]), 'shop');
    assert.equal(serviceOf(readWith({ serviceNames }, lowest)[0]), 'shop');
    assert.equal(serviceOf(readWith({ defaultServiceName: 'some' }, below)[0]), 'some');
    assert.equal(serviceOf(readWith({}, below)[0]), 'db');
  });

  test('the memory of services forgets what was not used longest', () => {
    const names = createServiceNames({ entriesMax: 2 });
    names.set('t', '1', 'a');
    names.set('t', '2', 'b');
    assert.equal(names.get('t', '1'), 'a');
    names.set('t', '3', 'c');
    assert.deepEqual([names.get('t', '1'), names.get('t', '2'), names.get('t', '3')], ['a', undefined, 'c']);
  });
});

describe('A document in progress', () => {
  const inProgress = { trace_id: segment.trace_id, id: segment.id, name: 'shop', start_time: 1, in_progress: true };

  test('is replaced by the complete one, whichever comes first', () => {
    for (const documents of [
      [inProgress, segment],
      [segment, inProgress],
    ]) {
      const { spans, problems } = read(...documents);
      assert.deepEqual(
        spans.map((span) => span.endTimeNs),
        [2_000_000_000n],
      );
      assert.deepEqual(problems, []);
    }
  });

  test('stays as long as there is none, and complete ones of one id replace nothing', () => {
    assert.equal(read(inProgress, inProgress).spans.length, 2);
    const { spans } = read(segment, { ...segment, end_time: 3 });
    assert.deepEqual(
      spans.map((span) => span.endTimeNs),
      [2_000_000_000n, 3_000_000_000n],
    );
  });

  test('may be a subsegment whose complete document comes alone', () => {
    const child = { id: '0000000000000001', name: 'a', start_time: 1 };
    const alone = { ...child, trace_id: segment.trace_id, parent_id: segment.id, type: 'subsegment', end_time: 2 };
    const { spans } = read({ ...segment, subsegments: [{ ...child, in_progress: true }] }, alone);
    assert.deepEqual(
      spans.map((span) => [span.spanId, span.endTimeNs]),
      [
        [segment.id, 2_000_000_000n],
        [child.id, 2_000_000_000n],
      ],
    );
  });

  test('without an id is another one', () => {
    const { id: _, ...rest } = segment;
    assert.equal(read(rest, { ...rest, name: 'other' }, { ...rest, start_time: 1.5 }).spans.length, 3);
  });
});

describe('Bad input', () => {
  test('a document without a trace id or any time is lost, and told', () => {
    const { spans, problems } = read(
      { ...segment, trace_id: '1-x' },
      { trace_id: segment.trace_id, id: segment.id, name: 'x' },
      segment,
    );
    assert.equal(spans.length, 1);
    assert.deepEqual(problems, [
      { pointer: '/0', reason: 'expected a trace id and a start', lost: 'document' },
      { pointer: '/1', reason: 'expected a trace id and a start', lost: 'document' },
    ]);
  });

  test('a value that is deeper than OTLP takes them costs that value, and stays in the residual', () => {
    const [deep, deeper] = [31, 32].map((depth) => JSON.parse(`${'['.repeat(depth)}1${']'.repeat(depth)}`));
    const attributes = { deep, deeper };
    const document = { ...segment, links: [{ trace_id: segment.trace_id, id: segment.id, attributes }] };
    const { spans, problems } = read(document);
    assert.deepEqual([...(spans[0]?.links[0]?.attributes.keys() ?? [])], ['deep']);
    assert.deepEqual(
      problems.map(({ pointer }) => pointer),
      ['/0/links/0/attributes/deeper'],
    );
    assert.deepEqual(decodeTraces(encodeTraces(spans)), spans);
    assert.deepEqual(JSON.parse(toSegments(spans, { json }).map(printJson)[0] ?? ''), document);
  });

  test('a bad member costs that member', () => {
    const { spans, problems } = read({
      ...segment,
      http: { request: 'GET', response: { status: '200' } },
      links: [{ id: 'x' }],
      aws: [],
      annotations: { a: {} },
      metadata: 1,
    });
    assert.equal(spans.length, 1);
    assert.deepEqual(problems.map((problem) => problem.pointer).sort(), [
      '/0/annotations/a',
      '/0/aws',
      '/0/http/request',
      '/0/http/response/status',
      '/0/links/0',
      '/0/metadata',
    ]);
  });

  test('every member that cannot be used is told once', () => {
    const { problems } = read({
      ...subsegment,
      namespace: 'aws',
      name: 5,
      in_progress: 'yes',
      type: 'subsegment',
      aws: { operation: 7, table_names: ['a', 7], cloudwatch_logs: [{ log_group: 7 }], retries: 1.5 },
      sql: 'SELECT 1',
      cause: {
        paths: ['/a', 7],
        exceptions: [5, { id: 7, remote: 'no', stack: [7, { line: 'x' }] }],
      },
      links: [{ trace_id: 5, id: 7 }, 5],
      annotations: { list: [], 'aws.xray.name': 'x', 'db.system.name': 'y' },
      fault: 'true',
      precursor_ids: [5],
    });
    assert.deepEqual(problems.map(({ pointer }) => pointer).sort(), [
      '/0/annotations/aws.xray.name',
      '/0/annotations/list',
      '/0/aws/operation',
      '/0/aws/retries',
      '/0/aws/table_names',
      '/0/cause/exceptions/0',
      '/0/cause/exceptions/1/id',
      '/0/cause/exceptions/1/remote',
      '/0/cause/exceptions/1/stack/0',
      '/0/cause/exceptions/1/stack/1/line',
      '/0/cause/paths',
      '/0/fault',
      '/0/in_progress',
      '/0/links/0',
      '/0/links/1',
      '/0/name',
      '/0/precursor_ids',
      '/0/sql',
    ]);
  });

  test('an annotation that another member contradicts is told', () => {
    const { problems } = read({
      ...segment,
      http: { response: { status: 200 } },
      annotations: { 'http.response.status_code': 404 },
    });
    assert.deepEqual(
      problems.map(({ pointer }) => pointer),
      ['/0/annotations/http.response.status_code'],
    );
  });

  test('the segment of a split call without the call is told as lost', () => {
    const documents = toSegments([spanOf({ kind: SpanKind.client, parentSpanId: undefined })], { json });
    assert.equal(documents.length, 2);
    assert.deepEqual(toSpans(documents, { json }).problems, []);
    assert.deepEqual(toSpans(documents.slice(0, 1), { json }), {
      spans: [],
      problems: [{ pointer: '/0', reason: 'expected the subsegment of its call beside it', lost: 'document' }],
    });
  });

  test('a link without usable ids stays with its span', () => {
    const link = {
      traceId: '0'.repeat(32),
      spanId: '0'.repeat(16),
      traceState: 'a=b',
      flags: 1,
      attributes: new Map(),
      droppedAttributesCount: 2,
    };
    const span = spanOf({ links: [link] });
    const documents = toSegments([span], { json });
    assert.equal(documents[0]?.get('links'), undefined);
    assert.deepEqual(toSpans(documents, { json }).spans, [span]);
  });
});
