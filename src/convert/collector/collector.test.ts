import { collectorPolicy } from './index.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { testSpan } from '../../../test/support/span.ts';
import { printJson, jsonText as json } from '../../codec/json.ts';
import type { AttributeValue, Span, SpanEvent } from '../../model/index.ts';
import { emptyResource, SpanKind, StatusCode } from '../../model/index.ts';
import type { AnnotationOptions } from '../index.ts';
import { toSegments, toSpans } from '../index.ts';

/**
 * The documents of the Collector's exporter, whole. Cases that have the name of one of that
 * exporter's own tests expect what that test does. That spans come back from these documents and
 * their envelopes is tested in roundtrip.test.ts.
 */

type Values = Readonly<Record<string, AttributeValue>>;

interface SpanParts extends Partial<Omit<Span, 'attributes' | 'resource' | 'status' | 'events'>> {
  readonly attributes?: Values;
  readonly resource?: Values;
  readonly status?: readonly [code: number, message: string];
  readonly events?: readonly (readonly [name: string, attributes: Values])[];
}

const parentSpanId = '00f067aa0ba902b7';
const { server, client, producer, consumer, internal } = SpanKind;

function spanOf({ attributes = {}, resource = {}, status = [0, ''], events = [], ...parts }: SpanParts): Span {
  return testSpan({
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    spanId: 'b7ad6b7169203331',
    parentSpanId,
    name: 'operation',
    kind: server,
    startTimeNs: 1_700_493_644_000_000_000n,
    endTimeNs: 1_700_493_645_500_000_000n,
    ...parts,
    attributes: new Map(Object.entries(attributes)),
    resource: { ...emptyResource, attributes: new Map(Object.entries(resource)) },
    status: { code: status[0], message: status[1] },
    events: events.map(([name, values]): SpanEvent => {
      const timeNs = 1_700_493_645_123_456_789n;
      return { timeNs, name, attributes: new Map(Object.entries(values)), droppedAttributesCount: 0 };
    }),
  });
}

type Plain = string | boolean | null | number | readonly Plain[] | { readonly [name: string]: Plain };
type PlainDocument = Readonly<Record<string, Plain>>;

function documentsOf(parts: SpanParts, annotations: AnnotationOptions = {}): readonly PlainDocument[] {
  const documents = toSegments([spanOf(parts)], { json, policy: collectorPolicy, envelope: 'off', annotations });
  // The documents here are objects of small numbers.
  return documents.map((document) => JSON.parse(printJson(document)) as PlainDocument);
}

function documentOf(parts: SpanParts, annotations: AnnotationOptions = {}): PlainDocument {
  const [document, ...others] = documentsOf(parts, annotations);
  assert.ok(document && others.length === 0);
  return document;
}

/** What every document of the spans above has, unless `members` says otherwise; undefined takes a member away. */
function whole(members: Readonly<Record<string, Plain | undefined>>): PlainDocument {
  const document: Record<string, Plain> = {};
  const all = {
    id: 'b7ad6b7169203331',
    trace_id: '1-4bf92f35-77b34da6a3ce929d0e0e4736',
    parent_id: parentSpanId,
    start_time: 1_700_493_644,
    end_time: 1_700_493_645.5,
    fault: false,
    error: false,
    throttle: false,
    aws: { xray: { auto_instrumentation: false } },
    ...members,
  };
  for (const [name, value] of Object.entries(all)) if (value !== undefined) document[name] = value;
  return document;
}

const subsegment = { type: 'subsegment' } as const;
const call = { type: 'subsegment', namespace: 'remote' } as const;

interface Case {
  readonly title: string;
  readonly span: SpanParts;
  readonly annotations?: AnnotationOptions;
  readonly wanted: Readonly<Record<string, Plain | undefined>>;
}

function holds(cases: readonly Case[]): void {
  for (const { title, span, annotations, wanted } of cases)
    test(title, () => assert.deepEqual(documentOf(span, annotations), whole(wanted)));
}

function metadata(values: Readonly<Record<string, Plain>>): { readonly metadata: Plain } {
  return { metadata: { default: values } };
}

test('A document has its members in the order of the exporter', () => {
  const span: SpanParts = {
    attributes: {
      'enduser.id': 'user',
      'http.method': 'GET',
      'http.url': 'https://shop.example/cart?x=<1>&y',
      'http.status_code': 503n,
      'b.list': [1n, 2.5, true, undefined],
      'a.double': 5,
      'a.map': new Map<string, AttributeValue>([
        ['z', -0],
        ['a', Uint8Array.of(1, 255)],
      ]),
      tier: 'gold',
    },
    resource: { 'service.name': 'shop', 'service.version': '7', 'cloud.platform': 'aws_ec2', 'host.id': 'i-1' },
    status: [StatusCode.error, 'broken'],
    links: [
      {
        traceId: '5759e988bd862e3fe1be46a994272793',
        spanId: '53995c3f42cd8ad8',
        traceState: 'x=y',
        flags: 1,
        attributes: new Map([['k', 1n]]),
        droppedAttributesCount: 0,
      },
    ],
    startTimeNs: 1_700_493_644_983_389_612n,
    endTimeNs: 0n,
  };
  const [document] = toSegments([spanOf(span)], {
    json,
    policy: collectorPolicy,
    envelope: 'off',
    annotations: { indexed: ['tier'] },
  });
  assert.ok(document);
  const id = /"exceptions":\[\{"id":"([0-9a-f]{16})"/.exec(printJson(document))?.[1];
  assert.equal(
    printJson(document),
    '{"name":"shop","id":"b7ad6b7169203331","start_time":1700493644.9833896,"service":{"version":"7"},' +
      '"origin":"AWS::EC2::Instance","user":"user",' +
      '"links":[{"trace_id":"1-5759e988-bd862e3fe1be46a994272793","id":"53995c3f42cd8ad8","attributes":{"k":1}}],' +
      '"trace_id":"1-4bf92f35-77b34da6a3ce929d0e0e4736","end_time":0,' +
      '"http":{"request":{"method":"GET","url":"https://shop.example/cart?x=<1>&y"},' +
      '"response":{"status":503,"content_length":0}},"fault":true,"error":false,"throttle":false,' +
      `"cause":{"exceptions":[{"id":"${id}","message":"broken","type":""}]},` +
      '"aws":{"ec2":{"availability_zone":null,"instance_id":"i-1","instance_size":null,"ami_id":null},' +
      '"xray":{"auto_instrumentation":false}},"annotations":{"tier":"gold"},' +
      '"metadata":{"default":{"a.double":5,"a.map":{"a":"Af8=","z":-0},"b.list":[1,2.5,true,null],' +
      '"otel.resource.cloud.platform":"aws_ec2","otel.resource.host.id":"i-1",' +
      '"otel.resource.service.name":"shop","otel.resource.service.version":"7"}},' +
      '"parent_id":"00f067aa0ba902b7"}',
  );
});

describe('Names and namespaces', () => {
  holds([
    {
      title: 'ClientSpanWithRpcAwsSdkClientAttributes',
      span: {
        kind: client,
        attributes: { 'rpc.system': 'aws-api', 'rpc.service': 'DynamoDB', 'rpc.method': 'GetItem' },
      },
      wanted: {
        ...subsegment,
        name: 'DynamoDB',
        namespace: 'aws',
        aws: { xray: { auto_instrumentation: false }, operation: 'GetItem' },
        ...metadata({ 'rpc.system': 'aws-api', 'rpc.service': 'DynamoDB' }),
      },
    },
    {
      title: 'ClientSpanWithLegacyAwsSdkClientAttributes',
      span: {
        kind: client,
        attributes: { 'aws.service': 'DynamoDB', 'aws.operation': 'GetItem', 'rpc.method': 'IncorrectGetItem' },
      },
      wanted: {
        ...subsegment,
        name: 'DynamoDB',
        namespace: 'aws',
        aws: { xray: { auto_instrumentation: false }, operation: 'GetItem' },
        ...metadata({ 'aws.service': 'DynamoDB' }),
      },
    },
    {
      title: 'ClientSpanWithPeerService',
      span: { kind: client, attributes: { 'peer.service': 'cats-table', 'aws.service': 'DynamoDB' } },
      wanted: { ...call, name: 'cats-table', ...metadata({ 'aws.service': 'DynamoDB', 'peer.service': 'cats-table' }) },
    },
    {
      title: 'ClientSpanWithDbComponent',
      span: {
        name: 'select * from customers',
        kind: client,
        attributes: {
          'db.system': 'mysql',
          'db.name': 'customers',
          'db.statement': 'SELECT * FROM user WHERE user_id = ?',
          'db.user': 'userprefsvc',
          'db.connection_string': 'mysql://db.dev.example.com:3306',
          'net.peer.name': 'db.dev.example.com',
          'net.peer.port': '3306',
        },
      },
      wanted: {
        ...call,
        name: 'customers@db.dev.example.com',
        sql: {
          connection_string: 'mysql://db.dev.example.com:3306/customers',
          url: 'select * from customers',
          sanitized_query: 'SELECT * FROM user WHERE user_id = ?',
          database_type: 'mysql',
          user: 'userprefsvc',
        },
      },
    },
    {
      title: 'a database behind a JDBC URL is named by its host, any other connection string by the database alone',
      span: { kind: client, attributes: { 'db.name': 'a', 'db.connection_string': 'jdbc:sqlserver://h:1433;x=y' } },
      wanted: {
        ...call,
        name: 'a',
        ...metadata({ 'db.name': 'a', 'db.connection_string': 'jdbc:sqlserver://h:1433;x=y' }),
      },
    },
    {
      title: 'ClientSpanWithHttpHost',
      span: { kind: client, attributes: { 'http.method': 'GET', 'http.host': 'foo.com', 'net.peer.name': 'bar.com' } },
      wanted: {
        ...call,
        name: 'foo.com',
        http: { request: { method: 'GET', url: 'http://foo.com/' }, response: { content_length: 0 } },
      },
    },
    {
      title: 'ClientSpanWithoutHttpHost',
      span: {
        kind: client,
        attributes: {
          'http.method': 'GET',
          'http.scheme': 'https',
          'net.peer.name': 'bar.com',
          'net.peer.port': 443n,
          'http.target': '/path?id=123',
        },
      },
      wanted: {
        ...call,
        name: 'bar.com',
        http: { request: { method: 'GET', url: 'https://bar.com/path?id=123' }, response: { content_length: 0 } },
      },
    },
    {
      title: 'ClientSpanWithRpcHost',
      span: {
        kind: client,
        attributes: { 'http.method': 'GET', 'http.host': 'foo.com', 'rpc.service': 'com.foo.AnimalService' },
      },
      wanted: {
        ...call,
        name: 'com.foo.AnimalService',
        http: { request: { method: 'GET', url: 'http://foo.com/' }, response: { content_length: 0 } },
        ...metadata({ 'rpc.service': 'com.foo.AnimalService' }),
      },
    },
    {
      title: 'FixSegmentName: what is legal stays',
      span: { kind: internal, name: 'EP @ test_15.testing-dömain.org#GO' },
      wanted: { ...subsegment, name: 'EP @ test_15.testing-dömain.org#GO' },
    },
    {
      title: 'FixSegmentName: what is not goes, digits of other scripts included',
      span: { kind: internal, name: '<subDomain>.example.com\\٣' },
      wanted: { ...subsegment, name: 'subDomain.example.com' },
    },
    { title: 'FixSegmentName: span', span: { kind: internal, name: '<>' }, wanted: { ...subsegment, name: 'span' } },
    {
      title: 'a long name of a span is cut by bytes, in the middle of a character',
      span: { kind: internal, name: `${'a'.repeat(198)}名前` },
      wanted: { ...subsegment, name: `${'a'.repeat(198)}\ufffd\ufffd` },
    },
    {
      title: 'a name of a service is neither made legal nor cut',
      span: { resource: { 'service.name': `(${'a'.repeat(300)})` } },
      wanted: {
        name: `(${'a'.repeat(300)})`,
        ...metadata({ 'otel.resource.service.name': `(${'a'.repeat(300)})` }),
      },
    },
    {
      title: 'ClientSpanWithAwsRemoteServiceName',
      span: { kind: client, attributes: { 'aws.remote.service': 'ProducerService' } },
      wanted: { ...call, name: 'ProducerService', ...metadata({ 'aws.remote.service': 'ProducerService' }) },
    },
    {
      title: 'AwsSdkSpanWithDeprecatedAwsRemoteServiceName',
      span: { kind: client, attributes: { 'rpc.system': 'aws-api', 'aws.remote.service': 'AWS.SDK.DynamoDb' } },
      wanted: {
        ...subsegment,
        namespace: 'aws',
        name: 'DynamoDb',
        ...metadata({ 'rpc.system': 'aws-api', 'aws.remote.service': 'AWS.SDK.DynamoDb' }),
      },
    },
    {
      title: 'AwsSdkSpanWithAwsRemoteServiceName',
      span: { kind: client, attributes: { 'rpc.system': 'aws-api', 'aws.remote.service': 'AWS::DynamoDB' } },
      wanted: {
        ...subsegment,
        namespace: 'aws',
        name: 'DynamoDB',
        ...metadata({ 'rpc.system': 'aws-api', 'aws.remote.service': 'AWS::DynamoDB' }),
      },
    },
    {
      title: 'ProducerSpanWithAwsRemoteServiceName',
      span: { kind: producer, attributes: { 'aws.remote.service': 'ProducerService' } },
      wanted: { ...call, name: 'ProducerService', ...metadata({ 'aws.remote.service': 'ProducerService' }) },
    },
    {
      title: 'ConsumerSpanWithAwsRemoteServiceName',
      span: { kind: consumer, attributes: { 'aws.remote.service': 'ConsumerService' } },
      wanted: { name: 'ConsumerService', ...metadata({ 'aws.remote.service': 'ConsumerService' }) },
    },
    {
      title: 'ServerSpanWithAwsLocalServiceName',
      span: { attributes: { 'aws.local.service': 'Payment' }, resource: { 'service.name': 'shop' } },
      wanted: {
        name: 'Payment',
        ...metadata({ 'aws.local.service': 'Payment', 'otel.resource.service.name': 'shop' }),
      },
    },
    {
      title: 'a stable HTTP call without its URL is named after its method, and has a URL without a host',
      span: {
        kind: client,
        name: 'GET',
        attributes: { 'http.request.method': 'GET', 'server.address': 'shop.example', 'server.port': 443n },
      },
      wanted: {
        ...call,
        name: 'GET',
        http: { request: { method: 'GET', url: 'http:///' }, response: { content_length: 0 } },
      },
    },
    {
      title: 'SpanNoParentId: a root of any kind is a segment, with its namespace and the name of its operation',
      span: { kind: producer, parentSpanId: undefined, resource: { 'service.name': 'shop' } },
      wanted: {
        name: 'operation',
        namespace: 'remote',
        parent_id: undefined,
        ...metadata({ 'otel.resource.service.name': 'shop' }),
      },
    },
    {
      title: 'ServerSpanNoParentId',
      span: { parentSpanId: undefined },
      wanted: { name: 'operation', parent_id: undefined },
    },
    {
      title: 'a consumer that is no local root is not named after its service',
      span: { kind: consumer, resource: { 'service.name': 'shop' } },
      wanted: { name: 'operation', ...metadata({ 'otel.resource.service.name': 'shop' }) },
    },
  ]);
});

describe('Local roots', () => {
  const attributes: Values = {
    'aws.span.kind': 'LOCAL_ROOT',
    'aws.local.service': 'Shop',
    'aws.local.operation': 'checkout',
    'aws.remote.service': 'Queue',
    'aws.remote.operation': 'SendMessage',
    remoteTarget: 'target',
    'K8s.RemoteNamespace': 'default',
    'aws.account_id': '123',
    'http.method': 'POST',
    custom: 1n,
    'otel.resource.attributes': 'here=there',
    'aws.xray.metadata.debug': '{"a":1}',
  };
  const link = {
    traceId: '5759e988bd862e3fe1be46a994272793',
    spanId: '53995c3f42cd8ad8',
    traceState: '',
    flags: 0,
    attributes: new Map(),
    droppedAttributesCount: 0,
  };
  const links = [{ trace_id: '1-5759e988-bd862e3fe1be46a994272793', id: '53995c3f42cd8ad8' }];
  const local = {
    'aws.span.kind': 'LOCAL_ROOT',
    'aws.local.service': 'Shop',
    'aws.local.operation': 'checkout',
    custom: 1,
    'otel.resource.attributes': 'here=there',
  };
  const remote = {
    ...local,
    'aws.remote.service': 'Queue',
    'aws.remote.operation': 'SendMessage',
    remoteTarget: 'target',
    'K8s.RemoteNamespace': 'default',
  };
  const http = { request: { method: 'POST' }, response: { content_length: 0 } };
  const resource = { 'service.name': 'shop' };

  /** The two documents of a span, and the id that ties them. */
  function pair(parts: SpanParts): readonly [PlainDocument, PlainDocument, string] {
    const [dependency, service] = documentsOf(parts);
    assert.ok(dependency && service);
    assert.deepEqual(documentsOf(parts), [dependency, service], 'the ids are the same each time');
    const serviceId = String(service['id']);
    assert.match(serviceId, /^[0-9a-f]{16}$/);
    return [dependency, service, serviceId];
  }

  for (const [title, kind, hasResource] of [
    ['LocalRootClient', client, false],
    ['LocalRootProducer', producer, false],
    ['LocalRootConsumer', consumer, true],
  ] as const) {
    test(`${title}: the call and its service, with the links where they belong`, () => {
      const [dependency, service, serviceId] = pair({ kind, attributes, resource, links: [link] });
      const ofResource = hasResource ? { 'otel.resource.service.name': 'shop' } : {};
      const aws = { xray: { auto_instrumentation: false } };
      assert.deepEqual(
        dependency,
        whole({
          ...call,
          name: 'Queue',
          parent_id: serviceId,
          http,
          aws: { ...aws, account_id: '123' },
          links: kind === consumer ? undefined : links,
          metadata: { debug: { a: 1 }, default: { ...remote, ...ofResource } },
        }),
      );
      assert.deepEqual(
        service,
        whole({
          name: 'Shop',
          id: serviceId,
          aws,
          links: kind === consumer ? links : undefined,
          metadata: { debug: {}, default: { 'otel.resource.attributes': 'here=there', ...ofResource } },
        }),
      );
    });
  }

  test('LocalRootClientAwsServiceMetrics: an AWS call loses its prefix, its service what is of the call', () => {
    const [dependency, service, serviceId] = pair({
      kind: client,
      parentSpanId: undefined,
      attributes: {
        'aws.span.kind': 'LOCAL_ROOT',
        'aws.local.service': 'Shop',
        'aws.remote.service': 'AWS.SDK.SQS',
        'rpc.system': 'aws-api',
        'rpc.method': 'SendMessage',
        'aws.region': 'eu-west-1',
        'aws.queue_url': 'https://queue',
      },
    });
    const xray = { auto_instrumentation: false };
    const shown = { 'aws.span.kind': 'LOCAL_ROOT', 'aws.local.service': 'Shop', 'rpc.system': 'aws-api' };
    assert.deepEqual(
      dependency,
      whole({
        ...subsegment,
        namespace: 'aws',
        name: 'SQS',
        parent_id: serviceId,
        aws: { xray, operation: 'SendMessage', region: 'eu-west-1', queue_url: 'https://queue' },
        ...metadata({ ...shown, 'aws.remote.service': 'AWS.SDK.SQS' }),
      }),
    );
    assert.deepEqual(
      service,
      whole({ name: 'Shop', id: serviceId, parent_id: undefined, aws: { xray }, ...metadata({}) }),
    );
  });

  test('LocalRootConsumerAWSNamespace: the namespace of the call stays', () => {
    const [dependency] = pair({
      kind: consumer,
      attributes: { 'aws.span.kind': 'LOCAL_ROOT', 'rpc.system': 'aws-api' },
      resource,
    });
    assert.equal(dependency['namespace'], 'aws');
    assert.equal(dependency['name'], 'shop');
  });

  test('a call in another cloud is split without aws', () => {
    const parts = {
      kind: client,
      attributes: { 'aws.span.kind': 'LOCAL_ROOT' },
      resource: { 'cloud.provider': 'gcp' },
    };
    const [dependency, service, serviceId] = pair(parts);
    const shown = { 'aws.span.kind': 'LOCAL_ROOT' };
    assert.deepEqual(
      dependency,
      whole({ ...call, name: 'operation', parent_id: serviceId, aws: undefined, ...metadata(shown) }),
    );
    assert.deepEqual(service, whole({ name: 'operation', id: serviceId, aws: undefined, ...metadata({}) }));
  });

  test('LocalRootServer: one segment', () => {
    const document = documentOf({
      attributes: { ...attributes, 'aws.xray.metadata.debug': 5n },
      resource,
      links: [link],
    });
    assert.deepEqual(
      document,
      whole({
        name: 'Shop',
        http,
        links,
        aws: { xray: { auto_instrumentation: false }, account_id: '123' },
        ...metadata({ ...remote, 'aws.xray.metadata.debug': 5, 'otel.resource.service.name': 'shop' }),
      }),
    );
  });

  test('LocalRootInternal: one segment, without its resource below a parent', () => {
    const parts: SpanParts = {
      kind: internal,
      attributes: { 'aws.span.kind': 'LOCAL_ROOT', 'aws.local.service': 'Shop', 'rpc.system': 'aws-api' },
      resource,
    };
    const shown = { 'aws.span.kind': 'LOCAL_ROOT', 'aws.local.service': 'Shop', 'rpc.system': 'aws-api' };
    assert.deepEqual(documentOf(parts), whole({ name: 'Shop', ...metadata(shown) }));
    assert.deepEqual(
      documentOf({ ...parts, parentSpanId: undefined }),
      whole({ name: 'Shop', parent_id: undefined, ...metadata({ ...shown, 'otel.resource.service.name': 'shop' }) }),
    );
  });

  const elsewhere = { 'aws.remote.service': 'Queue' };
  holds([
    {
      title: 'NotLocalRootInternal',
      span: { kind: internal, attributes: elsewhere },
      wanted: { ...subsegment, name: 'operation', ...metadata(elsewhere) },
    },
    {
      title: 'NotLocalRootConsumer',
      span: { kind: consumer, attributes: elsewhere },
      wanted: { name: 'Queue', ...metadata(elsewhere) },
    },
    {
      title: 'NotLocalRootClient',
      span: { kind: client, attributes: elsewhere },
      wanted: { ...call, name: 'Queue', ...metadata(elsewhere) },
    },
    {
      title: 'NotLocalRootProducer',
      span: { kind: producer, attributes: elsewhere },
      wanted: { ...call, name: 'Queue', ...metadata(elsewhere) },
    },
    {
      title: 'NotLocalRootServer',
      span: { attributes: elsewhere },
      wanted: { name: 'operation', ...metadata(elsewhere) },
    },
  ]);

  test('a span that was split comes back with its links', () => {
    const span = spanOf({ kind: consumer, attributes, resource, links: [link] });
    const documents = toSegments([span], { json, policy: collectorPolicy });
    assert.deepEqual(toSpans(documents, { json }).spans, [span]);
  });
});

describe('fault, error and throttle', () => {
  const http = (status: number): Plain => ({ request: {}, response: { status, content_length: 0 } });
  holds([
    {
      title: 'ServerSpanWithThrottle',
      span: { attributes: { 'http.response.status_code': 429n } },
      wanted: { name: 'operation', error: true, throttle: true, http: http(429) },
    },
    {
      title: 'an HTTP status goes before the status of the span',
      span: { attributes: { 'http.status_code': 404n }, status: [StatusCode.error, ''] },
      wanted: { name: 'operation', error: true, http: http(404) },
    },
    {
      title: 'a status code that is a string counts as 0',
      span: { attributes: { 'http.status_code': '503' } },
      wanted: { name: 'operation', http: http(0) },
    },
    {
      title: 'the codes of gRPC are not looked at',
      span: { attributes: { 'rpc.grpc.status_code': 8n }, status: [StatusCode.error, ''] },
      wanted: { name: 'operation', fault: true, ...metadata({ 'rpc.grpc.status_code': 8 }) },
    },
    {
      title: 'the message of a status that is no error is lost',
      span: { status: [StatusCode.ok, 'fine'] },
      wanted: { name: 'operation' },
    },
  ]);

  test('ServerSpanWithInternalServerError', () => {
    const { cause, ...document } = documentOf({
      attributes: { 'http.status_code': 500n, 'http.status_text': 'java.lang.NullPointerException' },
      resource: { 'service.name': 'shop' },
      status: [StatusCode.error, ''],
    });
    assert.match(JSON.stringify(cause), /"message":"java.lang.NullPointerException"/);
    const shown = metadata({ 'otel.resource.service.name': 'shop' });
    assert.deepEqual(document, whole({ name: 'shop', fault: true, http: http(500), ...shown }));
  });

  test('a status that our own mapping flags otherwise comes back with its message', () => {
    const span = spanOf({ attributes: { 'rpc.grpc.status_code': 5n }, status: [StatusCode.error, 'no such thing'] });
    assert.deepEqual(toSpans(toSegments([span], { json, policy: collectorPolicy }), { json }).spans, [span]);
  });
});

describe('http', () => {
  const http = (request: Plain, response: Plain = { content_length: 0 }): Plain => ({ request, response });
  holds([
    {
      title: 'addresses of a span without HTTP are taken and lost',
      span: {
        kind: client,
        attributes: {
          'db.system': 'redis',
          'server.address': 'cache',
          'server.port': 6379n,
          'net.peer.ip': '10.0.0.1',
        },
      },
      wanted: { ...call, name: 'operation', ...metadata({ 'db.system': 'redis' }) },
    },
    {
      title: 'the later of two generations wins',
      span: {
        attributes: {
          'http.request.method': 'PUT',
          'http.method': 'GET',
          'http.status_code': 200n,
          'http.response.status_code': 201n,
        },
      },
      wanted: { name: 'operation', http: http({ method: 'GET' }, { status: 201, content_length: 0 }) },
    },
    {
      title: 'a server has its URL from its own addresses',
      span: {
        attributes: {
          'url.scheme': 'https',
          'url.path': '/a',
          'url.query': 'b=c',
          'server.address': 'shop.example',
          'server.port': '8443',
          'net.peer.name': 'not me',
        },
      },
      wanted: { name: 'not me', http: http({ url: 'https://shop.example:8443/a?b=c' }) },
    },
    {
      title: 'without an address there is no URL',
      span: { attributes: { 'url.path': '/a' } },
      wanted: { name: 'operation', http: http({}) },
    },
    {
      title: 'a client without a known peer was forwarded',
      span: { attributes: { 'http.method': 'GET', 'client.address': '10.0.0.7' } },
      wanted: { name: 'operation', http: http({ x_forwarded_for: true, method: 'GET', client_ip: '10.0.0.7' }) },
    },
    {
      title: 'a client beside a known peer was not',
      span: {
        attributes: { 'http.method': 'GET', 'network.peer.address': '::1', 'client.address': 'not an address' },
      },
      wanted: { name: 'operation', http: http({ method: 'GET', url: 'http:///', client_ip: '::1' }) },
    },
    {
      title: 'the size of the answer is the one that an event tells of',
      span: {
        attributes: { 'http.method': 'GET', 'http.response.body.size': 7n },
        events: [['message', { 'message.type': 'RECEIVED', 'messaging.message_payload_size_bytes': 12452n }]],
      },
      wanted: {
        name: 'operation',
        http: http({ method: 'GET' }, { content_length: 12452 }),
        ...metadata({ 'http.response.body.size': 7 }),
      },
    },
  ]);
});

describe('sql', () => {
  holds([
    {
      title: 'a database without a connection string is at localhost',
      span: { kind: client, attributes: { 'db.system': 'postgresql', 'db.name': 'shop' } },
      wanted: {
        ...call,
        name: 'shop',
        sql: { connection_string: 'localhost/shop', url: 'operation', database_type: 'postgresql' },
      },
    },
    {
      title: 'the stable names of a database go to the metadata',
      span: { kind: client, attributes: { 'db.system.name': 'postgresql', 'db.namespace': 'shop' } },
      wanted: { ...call, name: 'operation', ...metadata({ 'db.namespace': 'shop', 'db.system.name': 'postgresql' }) },
    },
  ]);
});

describe('origin and aws', () => {
  const origins: readonly (readonly [title: string, resource: Readonly<Record<string, string>>, origin?: string])[] = [
    ['OriginNotAws', { 'cloud.provider': 'gcp', 'cloud.platform': 'aws_ec2' }],
    ['OriginEc2', { 'cloud.provider': 'aws', 'cloud.platform': 'aws_ec2' }, 'AWS::EC2::Instance'],
    ['OriginEcs', { 'cloud.platform': 'aws_ecs' }, 'AWS::ECS::Container'],
    ['OriginEcsEc2', { 'cloud.platform': 'aws_ecs', 'aws.ecs.launchtype': 'ec2' }, 'AWS::ECS::EC2'],
    ['OriginEcsFargate', { 'cloud.platform': 'aws_ecs', 'aws.ecs.launchtype': 'fargate' }, 'AWS::ECS::Fargate'],
    ['OriginEb', { 'cloud.platform': 'aws_elastic_beanstalk' }, 'AWS::ElasticBeanstalk::Environment'],
    ['OriginEks', { 'cloud.platform': 'aws_eks' }, 'AWS::EKS::Container'],
    ['OriginAppRunner', { 'cloud.platform': 'aws_app_runner' }, 'AWS::AppRunner::Service'],
    ['OriginBlank', { 'cloud.provider': 'aws' }],
    [
      'OriginPrefersInfraService',
      { 'cloud.platform': 'aws_ec2', 'k8s.cluster.name': 'c', 'host.id': 'i' },
      'AWS::EC2::Instance',
    ],
    ['Lambda has none', { 'cloud.platform': 'aws_lambda' }],
  ];
  for (const [title, resource, origin] of origins)
    test(title, () => assert.equal(documentOf({ resource })['origin'], origin));

  const xray = { auto_instrumentation: false };
  const aws = (title: string, resource: Readonly<Record<string, AttributeValue>>, wanted: Plain | undefined): void =>
    void test(title, () => assert.deepEqual(documentOf({ resource })['aws'], wanted));
  aws(
    'EC2, EKS and Beanstalk have all their members, null where nothing is known',
    {
      'cloud.platform': 'aws_elastic_beanstalk',
      'cloud.account.id': '123',
      'host.id': 'machine',
      'k8s.cluster.name': 'cluster',
      'service.instance.id': 'seven',
    },
    {
      elastic_beanstalk: { environment_name: null, version_label: null, deployment_id: 0 },
      ec2: { availability_zone: null, instance_id: 'machine', instance_size: null, ami_id: null },
      eks: { cluster_name: 'cluster', pod: null, container_id: null },
      xray,
      account_id: '123',
    },
  );
  aws(
    'ECS has those that are known',
    { 'cloud.platform': 'aws_ecs', 'container.name': 'box', 'aws.ecs.launchtype': 'fargate' },
    { ecs: { container: 'box', launch_type: 'fargate' }, xray },
  );
  aws(
    'the SDK is told with its language, and what is automatic',
    {
      'telemetry.sdk.name': 'opentelemetry',
      'telemetry.sdk.language': 'java',
      'telemetry.sdk.version': '1.2.3',
      'telemetry.distro.version': '4',
    },
    { xray: { sdk: 'opentelemetry for java', sdk_version: '1.2.3', auto_instrumentation: true } },
  );
  aws(
    'log groups come from their ARNs',
    { 'aws.log.group.arns': ['arn:aws:logs:eu-west-1:1:log-group:group:*', 'short'], 'aws.log.group.names': ['x'] },
    {
      cloudwatch_logs: [
        { log_group: 'group', arn: 'arn:aws:logs:eu-west-1:1:log-group:group:*' },
        { log_group: 'short', arn: 'short' },
      ],
      xray,
    },
  );
  aws(
    'log groups come from their names, which one text may hold',
    { 'aws.log.group.names': 'group1&&group2' },
    { cloudwatch_logs: [{ log_group: 'group1' }, { log_group: 'group2' }], xray },
  );

  holds([
    {
      title: 'other clouds have no aws, and their calls lose what would be there',
      span: {
        kind: client,
        attributes: { 'rpc.method': 'Charge', 'rpc.system': 'grpc', 'aws.region': 'eu-west-1' },
        resource: { 'cloud.provider': 'gcp' },
      },
      wanted: { ...call, name: 'operation', aws: undefined, ...metadata({ 'rpc.system': 'grpc' }) },
    },
    {
      title: 'the method of any remote procedure is an operation',
      span: { kind: client, attributes: { 'rpc.system': 'grpc', 'rpc.method': 'Charge' } },
      wanted: {
        ...call,
        name: 'operation',
        aws: { xray, operation: 'Charge' },
        ...metadata({ 'rpc.system': 'grpc' }),
      },
    },
    {
      title: 'the later of two request ids wins',
      span: { kind: client, attributes: { 'aws.requestId': 'one', 'aws.request_id': 'two' } },
      wanted: { ...call, name: 'operation', aws: { xray, request_id: 'two' } },
    },
    {
      title: 'the URL of a message goes before that of a queue, and stays in the metadata',
      span: { kind: client, attributes: { 'messaging.url': 'b', 'aws.queue.url': 'a' } },
      wanted: { ...call, name: 'operation', aws: { xray, queue_url: 'b' }, ...metadata({ 'messaging.url': 'b' }) },
    },
    {
      title: 'SpanWithSingleDynamoDBTable',
      span: { kind: client, attributes: { 'aws.dynamodb.table_names': ['table1'] } },
      wanted: {
        ...call,
        name: 'operation',
        aws: { xray, table_name: 'table1' },
        ...metadata({ 'aws.dynamodb.table_names': ['table1'] }),
      },
    },
    {
      title: 'SpanWithMultipleDynamoDBTables',
      span: { kind: client, attributes: { 'aws.dynamodb.table_names': ['table1', 'table2'], 'aws.table_name': 't' } },
      wanted: {
        ...call,
        name: 'operation',
        aws: { xray, table_names: ['table1', 'table2'] },
        ...metadata({ 'aws.dynamodb.table_names': ['table1', 'table2'] }),
      },
    },
  ]);
});

describe('annotations and metadata', () => {
  const special = { 'aws.operation': 'aws_operation_val', 'rpc.method': 'rpc_method_val' } as const;
  const specialAws = { xray: { auto_instrumentation: false }, operation: 'aws_operation_val' };
  const resource = { string: 's', int: 10n, list: ['a'] };
  holds([
    {
      title: 'SpanWithAttributesPartlyIndexed, FixAnnotationKey',
      span: { attributes: { 'attr1@1': 'val1', 'attr2@2': 'val2' } },
      annotations: { indexed: ['attr1@1', 'not_exist'] },
      wanted: { name: 'operation', annotations: { attr1_1: 'val1' }, ...metadata({ 'attr2@2': 'val2' }) },
    },
    {
      title: 'SpanWithAnnotationsAttribute',
      span: { attributes: { 'attr1@1': 'val1', 'attr2@2': 'val2', 'aws.xray.annotations': ['attr2@2', 'not_exist'] } },
      wanted: { name: 'operation', annotations: { attr2_2: 'val2' }, ...metadata({ 'attr1@1': 'val1' }) },
    },
    {
      title: 'SpanWithSpecialAttributesAsListed, AllowDot',
      span: { attributes: special },
      annotations: { indexed: ['aws.operation', 'rpc.method'] },
      wanted: { name: 'operation', aws: specialAws, annotations: special },
    },
    {
      title: 'SpanWithSpecialAttributesAsListedAndIndexAll',
      span: { attributes: special },
      annotations: { indexed: ['aws.operation', 'rpc.method'], indexAll: true },
      wanted: { name: 'operation', aws: specialAws, annotations: special },
    },
    {
      title: 'what a section has taken is not put back for the list of the span',
      span: { attributes: { ...special, 'aws.xray.annotations': ['rpc.method'] } },
      wanted: { name: 'operation', aws: specialAws },
    },
    {
      title: 'ResourceAttributesCanBeIndexed, and what is no annotation stays in the metadata',
      span: { resource },
      annotations: { indexed: ['otel.resource.string', 'otel.resource.int', 'otel.resource.list'] },
      wanted: {
        name: 'operation',
        annotations: { 'otel.resource.int': 10, 'otel.resource.string': 's' },
        ...metadata({ 'otel.resource.list': ['a'] }),
      },
    },
    {
      title: 'ResourceAttributesNotIndexedIfSubsegment',
      span: { kind: client, resource },
      annotations: { indexed: ['otel.resource.string', 'otel.resource.int', 'otel.resource.list'] },
      wanted: { ...call, name: 'operation' },
    },
    {
      title: 'a list that is to be indexed is lost',
      span: { attributes: { list: ['a'], other: ['b'] } },
      annotations: { indexed: ['list'] },
      wanted: { name: 'operation', ...metadata({ other: ['b'] }) },
    },
    {
      title: 'with every attribute indexed lists are lost, and namespaces become annotations',
      span: { attributes: { 'a b': 1n, list: ['a'], 'aws.xray.metadata.debug': '{"a":1}' } },
      annotations: { indexAll: true },
      wanted: { name: 'operation', annotations: { a_b: 1, 'aws.xray.metadata.debug': '{"a":1}' } },
    },
    {
      title: 'of two keys that come to one name the later wins',
      span: { attributes: { 'a@b': 1n, 'a#b': 2n } },
      annotations: { indexAll: true },
      wanted: { name: 'operation', annotations: { a_b: 2 } },
    },
    {
      title: 'FilteredAttributesMetadata',
      span: {
        attributes: {
          string_value: 'value',
          int_value: 123n,
          float_value: 456.78,
          bool_value: false,
          null_value: undefined,
          array_value: [12n, 34n, 56n],
          map_value: new Map<string, AttributeValue>([
            ['value1', -987.65],
            ['value2', true],
          ]),
        },
      },
      wanted: {
        name: 'operation',
        ...metadata({
          string_value: 'value',
          int_value: 123,
          float_value: 456.78,
          bool_value: false,
          array_value: [12, 34, 56],
          map_value: { value1: -987.65, value2: true },
        }),
      },
    },
    {
      title: 'a JSON object in aws.xray.metadata is a namespace, other text is not',
      span: {
        attributes: {
          'aws.xray.metadata.debug': '{"a":{"b":1}}',
          'aws.xray.metadata.DEFAULT': '{"c":true}',
          'aws.xray.metadata.list': '[1]',
        },
      },
      wanted: {
        name: 'operation',
        metadata: { debug: { a: { b: 1 } }, default: { c: true, 'aws.xray.metadata.list': '[1]' } },
      },
    },
  ]);

  test('there is no limit to annotations', () => {
    const attributes = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`k${i}`, 'x'.repeat(2000)]));
    assert.deepEqual(documentOf({ attributes }, { indexAll: true })['annotations'], attributes);
  });
});

describe('cause', () => {
  /** The exceptions, with numbers in place of their ids. */
  function exceptionsOf(parts: SpanParts): unknown {
    const text = JSON.stringify(documentOf(parts)['cause'] ?? null);
    const ids = [...text.matchAll(/"id":"([0-9a-f]{16})"/g)].map(([, id]) => id ?? '');
    assert.equal(new Set(ids).size, ids.length);
    return JSON.parse(ids.reduce((renamed, id, i) => renamed.replaceAll(id, `#${i}`), text));
  }

  function thrown(language: string, stacktrace: string, kind: number = server): unknown {
    return exceptionsOf({
      kind,
      resource: { 'telemetry.sdk.language': language },
      events: [['exception', { 'exception.type': 'E', 'exception.message': 'm', 'exception.stacktrace': stacktrace }]],
    });
  }

  const first = { id: '#0', message: 'm', type: 'E', remote: false } as const;
  const frame = (label: string, path: string, line: number): unknown => ({ path, line, label });

  test('CauseWithExceptions: an exception for each event, whatever the status', () => {
    const events = [
      ['exception', { 'exception.type': 'A' }],
      ['other', {}],
      ['exception', { 'exception.message': 'b' }],
    ] as const;
    assert.deepEqual(exceptionsOf({ kind: client, status: [StatusCode.ok, ''], events }), {
      exceptions: [
        { id: '#0', message: '', type: 'A', remote: true },
        { id: '#1', message: 'b', type: '', remote: true },
      ],
    });
  });

  test('CauseWithStatusMessage', () => {
    assert.deepEqual(exceptionsOf({ status: [StatusCode.error, 'gone'], attributes: { 'http.status_text': 'x' } }), {
      exceptions: [{ id: '#0', message: 'gone', type: '' }],
    });
  });

  test('CauseWithHttpStatusMessage', () => {
    assert.deepEqual(exceptionsOf({ status: [StatusCode.error, ''], attributes: { 'http.status_text': 'gone' } }), {
      exceptions: [{ id: '#0', message: 'gone', type: '' }],
    });
    assert.equal(exceptionsOf({ status: [StatusCode.error, ''] }), null);
  });

  test('the failed attempts of AWS SDKs', () => {
    const failure = (attributes: Values): SpanParts => ({
      kind: client,
      attributes: { 'rpc.system': 'aws-api' },
      events: [['HTTP request failure', attributes]],
    });
    assert.deepEqual(
      exceptionsOf(failure({ 'http.response.status_code': 503n, 'aws.http.error_message': 'Slow Down' })),
      {
        exceptions: [
          { id: '#0', message: '503@1700493645.123456@Slow Down', type: 'aws.http.error.event', remote: true },
        ],
      },
    );
    assert.deepEqual(exceptionsOf(failure({})), {});
  });

  test('java', () => {
    const text = [
      'java.lang.IllegalStateException: state is not legal',
      '\tat io.opentelemetry.sdk.trace.SpanBuilderSdkTest.recordException(SpanBuilderSdkTest.java:626)',
      '\tat app//java.base/java.lang.reflect.Method.invoke(Native Method)',
      '\tat java.util.ArrayList.forEach(ArrayList.java:)',
      '\tat malformed',
      '\t\tat nested.Suppressed.frame(Nested.java:1)',
      '\tSuppressed: Resource$CloseFailException: Resource ID = 2',
      '\t... 3 more',
      'Caused by: bad.type: first line',
      'second line',
      '\tat Baz.method(Baz.java:61)',
      'Caused by: no.message',
      '\tat Qux.method(Qux.java:62)',
      'Caused by: empty.message:',
      '',
    ].join('\r\n');
    const wanted = {
      exceptions: [
        {
          ...first,
          cause: '#1',
          stack: [
            frame('io.opentelemetry.sdk.trace.SpanBuilderSdkTest.recordException', 'SpanBuilderSdkTest.java', 626),
            frame('/java.base/java.lang.reflect.Method.invoke', 'Native Method', 0),
            frame('java.util.ArrayList.forEach', 'ArrayList.java', 0),
          ],
        },
        {
          id: '#1',
          message: 'first linesecond line',
          type: 'bad.type',
          remote: false,
          cause: '#2',
          stack: [frame('Baz.method', 'Baz.java', 61)],
        },
        {
          id: '#2',
          message: '',
          type: 'no.message',
          remote: false,
          cause: '#3',
          stack: [frame('Qux.method', 'Qux.java', 62)],
        },
        { id: '#3', message: '', type: 'empty.message', remote: false },
      ],
    };
    assert.deepEqual(thrown('java', text), wanted);
    assert.deepEqual(thrown('php', text), wanted);
    assert.deepEqual(thrown('java', 'java.lang.IllegalStateException: state is not legal'), { exceptions: [first] });
  });

  test('python', () => {
    const text = [
      'Traceback (most recent call last):',
      '  File "bar.py", line 10, in greet_many',
      '    greet(person)',
      '  File "greetings.py", line 5, in <module>',
      '    raise AttributeError(name)',
      "AttributeError: module 'greetings'",
      'has no attribute',
      '',
      'During handling of the above exception, another exception occurred:',
      '',
      'Traceback (most recent call last):',
      '  File "main.py", line 14, in <module>',
      '    greet_many(["Chad"])',
      '  File "with, comma.py", line 1, in f',
      '  File "main.py", wrong 14, elsewhere',
      'TypeError: must be str, not int',
    ].join('\n');
    assert.deepEqual(thrown('python', text), {
      exceptions: [
        { ...first, cause: '#1', stack: [frame('', 'main.py', 0), frame('<module>', 'main.py', 14)] },
        {
          id: '#1',
          message: "module 'greetings'\nhas no attribute",
          type: 'AttributeError',
          remote: false,
          stack: [frame('<module>', 'greetings.py', 5), frame('greet_many', 'bar.py', 10)],
        },
      ],
    });
  });

  test('python without a colon, without a place, and with a cause of another kind', () => {
    const separator = 'During handling of the above exception, another exception occurred:';
    const direct = 'The above exception was the direct cause of the following exception:';
    const last = ['  File "main.py", line 14, in f', 'TypeError'];
    const before = ['  File "a.py", line 1, in g', '    x', 'KeyError', ''];
    const stack = [frame('f', 'main.py', 14)];
    assert.deepEqual(thrown('python', [...before, separator, '', ...last].join('\n')), {
      exceptions: [{ ...first, stack }],
    });
    assert.deepEqual(thrown('python', [separator, ...last].join('\n')), { exceptions: [{ ...first, stack }] });
    assert.deepEqual(thrown('python', [...before, direct, '', ...last].join('\n')), {
      exceptions: [{ ...first, stack: [...stack, frame('g', 'a.py', 1)] }],
    });
    assert.deepEqual(thrown('python', 'TypeError'), { exceptions: [first] });
  });

  test('python of today: the carets of 3.11 become part of the type', () => {
    const text = [
      '  File "a.py", line 1, in g',
      '    x.y',
      '    ^^^',
      'AttributeError: y',
      '',
      'During handling of the above exception, another exception occurred:',
      '',
      'TypeError: z',
    ].join('\n');
    assert.deepEqual(thrown('python', text), {
      exceptions: [
        { ...first, cause: '#1' },
        { id: '#1', message: 'y', type: '    ^^^\nAttributeError', remote: false, stack: [frame('g', 'a.py', 1)] },
      ],
    });
  });

  test('javascript', () => {
    const text = [
      'TypeError: this.helper.value is not a function',
      '    at ResponseEmitter.emit (node.js:906:3)',
      '    at Array.map (native)',
      '    at bootstrap_node.js:542:3',
      '    at only.js:1',
      '    at malformed (x.js:1:1',
      '   at Other.call (other.js:1:1)',
      '    at async f (file:///a.js:10:5)',
      '    at C:\\a.js:3:1',
    ].join('\n');
    const wanted = {
      exceptions: [
        {
          ...first,
          stack: [
            frame('ResponseEmitter.emit ', 'node.js', 906),
            frame('Array.map ', 'native', 0),
            frame('', 'bootstrap_node.js', 542),
            frame('', 'only.js:1', 0),
            frame('async f ', 'file', 0),
            frame('', 'C', 0),
          ],
        },
      ],
    };
    for (const language of ['javascript', 'nodejs', 'webjs']) assert.deepEqual(thrown(language, text), wanted);
    assert.deepEqual(thrown('ruby', text), { exceptions: [first] });
  });

  test('dotnet', () => {
    const text = [
      'System.FormatException: Input string was not in a correct format',
      '  at Integration.IntParser.Parse(String s) in /path/IntParser.cs:line 11 \r',
      '   --- End of inner exception stack trace ---',
      '\tat System.Number.ThrowOverflowOrFormatException(Boolean overflow) of something',
      '  at malformed',
      '  at A.B() in /odd in place.cs:7',
    ].join('\n');
    assert.deepEqual(thrown('dotnet', text), {
      exceptions: [
        {
          ...first,
          stack: [
            frame('Integration.IntParser.Parse(String s)', '/path/IntParser.cs', 11),
            frame('System.Number.ThrowOverflowOrFormatException(Boolean overflow)', '', 0),
            frame('A.B()', '/odd', 0),
          ],
        },
      ],
    });
  });

  test('go', () => {
    const text = [
      'panic: oh',
      'goroutine 19 [running]:',
      'main.f(0x1)',
      '\t/home/a.go:24 +0x9f',
      'created by main.g',
      'nowhere',
    ].join('\n');
    assert.deepEqual(thrown('go', text), {
      exceptions: [
        { ...first, stack: [frame('main.f(0x1)', '/home/a.go', 24), frame('created by main.g', '/home/a.go', 24)] },
      ],
    });
    assert.deepEqual(thrown('go', 'panic: oh'), { exceptions: [first] });
  });

  test('a stack of any text is read in bounded time', () => {
    const texts = ['('.repeat(1_000_000), 'a'.repeat(1_000_000), 'goroutine running '.repeat(60_000)];
    for (const language of ['java', 'python', 'nodejs', 'dotnet', 'go'])
      for (const text of texts) {
        const start = performance.now();
        thrown(language, `\n${text}\n${text}`);
        assert.ok(performance.now() - start < 2000, `${language}: ${text.slice(0, 10)}`);
      }
  });
});

describe('What cannot be imitated', () => {
  test('a number that JSON does not have keeps its span', () => {
    assert.deepEqual(
      documentOf({ attributes: { x: Number.NaN } }),
      whole({ name: 'operation', ...metadata({ x: 'NaN' }) }),
    );
  });

  test('a link with an id that is none costs that link', () => {
    const link = {
      traceId: '0'.repeat(32),
      spanId: '53995c3f42cd8ad8',
      traceState: '',
      flags: 0,
      attributes: new Map(),
      droppedAttributesCount: 0,
    };
    assert.deepEqual(documentOf({ links: [link] }), whole({ name: 'operation' }));
  });

  test('a password in a connection string is carried over under no policy', () => {
    const attributes = { 'db.system': 'mysql', 'db.connection_string': 'mysql://u:secret@h/x' };
    const { sql } = documentOf({ kind: client, attributes });
    assert.deepEqual(sql, { connection_string: 'mysql://u@h/x/', url: 'operation', database_type: 'mysql' });
  });

  test('a document that came from X-Ray goes back as it was', () => {
    const document = new Map<string, string | { literal: string }>([
      ['name', 'shop'],
      ['id', 'b7ad6b7169203331'],
      ['trace_id', '1-4bf92f35-77b34da6a3ce929d0e0e4736'],
      ['start_time', { literal: '1.7E9' }],
      ['end_time', { literal: '1700000001.0' }],
    ]);
    const { spans } = toSpans([document], { json });
    const [back] = toSegments(spans, { json, policy: collectorPolicy, envelope: 'off' });
    assert.deepEqual(new Map([...(back ?? [])].sort()), new Map([...document].sort()));
  });
});
