import * as fc from 'fast-check';
import {
  type Attributes,
  type AttributeValue,
  emptyResource,
  emptyScope,
  type Resource,
  type Scope,
  type Span,
  type SpanEvent,
  SpanKind,
  type SpanLink,
} from '../../src/model/index.ts';
import { arbitrarySpanId, arbitraryTraceId } from './arbitraries.ts';

/**
 * Spans made of the attributes that instrumentations write, in every combination, with values from
 * small pools so that the same value often stands under two keys: what the rules of the conversion
 * meet each other on.
 */

/** Mostly one of the first list, now and then one of the second. */
function mostly<Value>(usual: readonly Value[], odd: readonly Value[]): fc.Arbitrary<Value> {
  return fc.oneof(
    { weight: 25, arbitrary: fc.constantFrom(...usual) },
    { weight: 1, arbitrary: fc.constantFrom(...odd) },
  );
}

const host = mostly(['db.example.com', 'api.example.com', '10.0.0.7', 'pricing'], ['fe80::1', 'Ünïcode.example']);
const words = ['orders', 'SELECT', 'DynamoDB', 'DynamoDb', 'shop.pricing.v1.Pricing'];
const word = mostly(words, ['x'.repeat(230), 'naïve', '<>', '']);
const url = mostly(
  [
    'https://api.example.com/api/orders/17?expand=items',
    'http://db.example.com:8080',
    'http://10.0.0.7:80/',
    'https://api.example.com:443/x?',
    '/only/a/path?with=query',
  ],
  [
    'HTTP://API.example.com/up',
    'https://user:secret@api.example.com/',
    'ftp://api.example.com:99999/',
    'jdbc:mysql://db.example.com/orders',
    'no url at all',
    'https://[fe80::1]:8080/v6#fragment',
  ],
);
const port = mostly<AttributeValue>([80n, 443n, 8080n, 5432n], ['443', -1n]);
const status = mostly<AttributeValue>([200n, 301n, 404n, 429n, 503n, 700n], ['500']);
const agent = fc.constantFrom('curl/8.5.0', 'Mozilla/5.0 "odd" \\ agent\n');
const statement = fc.constantFrom('SELECT * FROM orders', '  insert into x', '-- comment', 's', 'UPDATE\torders');
const system = mostly(['postgresql', 'mysql', 'redis', 'aws.dynamodb', 'other_sql'], ['mssql', 'PostgreSQL']);
const queue = fc.constantFrom('https://sqs.eu-central-1.amazonaws.com/123456789012/orders', 'orders');
const table = fc.constantFrom('carts', 'users');

/** What each key holds; a key of another type now and then is part of life. */
const values: Readonly<Record<string, fc.Arbitrary<AttributeValue>>> = {
  'http.request.method': mostly(['GET', 'POST'], ['_OTHER']),
  'http.method': fc.constantFrom('GET', 'POST'),
  'http.response.status_code': status,
  'http.status_code': status,
  'url.full': url,
  'http.url': url,
  'url.path': mostly(['/', '/api/orders/17', '/a b/"quoted"'], ['']),
  'url.query': mostly(['a=b', '?a=b'], ['']),
  'url.scheme': mostly(['http', 'https'], ['HTTPS']),
  'http.scheme': fc.constantFrom('http', 'https'),
  'http.target': fc.constantFrom('/api/orders/17?expand=items', '/'),
  'http.host': fc.constantFrom('api.example.com', 'api.example.com:8080', 'pricing'),
  'http.route': mostly(['/api/orders/{id}'], ['']),
  'http.server_name': host,
  'net.host.name': host,
  'net.host.port': port,
  'net.peer.name': host,
  'net.peer.ip': fc.constantFrom('10.0.0.7', 'not an address'),
  'net.peer.port': port,
  'network.peer.address': fc.constantFrom('10.0.0.7', '192.168.1.1', '::1'),
  'network.peer.port': port,
  'server.address': host,
  'server.port': port,
  'client.address': fc.constantFrom('10.0.0.7', '203.0.113.9', 'unknown', '1.2.3.4.5'),
  'http.client_ip': fc.constantFrom('10.0.0.7', '203.0.113.9'),
  'user_agent.original': agent,
  'http.user_agent': agent,
  'http.response.body.size': mostly<AttributeValue>([0n, 861n], [5]),
  'http.response_content_length': mostly<AttributeValue>([861n], ['861']),
  'host.name': host,
  'rpc.system': fc.constantFrom('grpc', 'aws-api'),
  'rpc.system.name': fc.constantFrom('grpc', 'aws-api'),
  'rpc.service': word,
  'rpc.method': fc.constantFrom('GetItem', 'DynamoDB/PutItem', 'SendMessage', 'Quote', 'odd/'),
  'rpc.grpc.status_code': fc.constantFrom<AttributeValue>(0n, 8n, 14n, 99n),
  'aws.service': word,
  'aws.operation': fc.constantFrom('GetItem', 'Publish'),
  'aws.region': fc.constantFrom('eu-central-1', 'us-east-1'),
  'cloud.region': fc.constantFrom('eu-central-1', 'us-east-1'),
  'aws.request_id': fc.constantFrom('R1', 'R2'),
  'aws.requestId': fc.constantFrom('R1', 'R2'),
  'aws.queue_url': queue,
  'aws.queue.url': queue,
  'aws.sqs.queue.url': queue,
  'messaging.url': queue,
  'aws.table_name': table,
  'aws.table.name': table,
  'aws.dynamodb.table_names': mostly<AttributeValue>([['carts']], [['carts', 'users'], [], 'carts', [5n]]),
  'aws.sns.topic.arn': fc.constant('arn:aws:sns:eu-central-1:123456789012:topic'),
  'aws.topic_arn': fc.constant('arn:aws:sns:eu-central-1:123456789012:topic'),
  'aws.s3.bucket': fc.constant('pictures'),
  'aws.remote.service': mostly(['AWS::DynamoDB', 'AWS.SDK.SQS', 'orders'], words),
  'aws.local.service': mostly(['shop'], words),
  'aws.span.kind': fc.constantFrom('LOCAL_ROOT', 'SERVER'),
  'aws.account_id': fc.constant('123456789012'),
  'db.system': system,
  'db.system.name': system,
  'db.name': word,
  'db.namespace': word,
  'db.statement': statement,
  'db.query.text': statement,
  'db.user': fc.constantFrom('shop', 'root'),
  'db.connection_string': fc.constantFrom('mysql://db.example.com:3306', 'Server=x;Password=y'),
  'db.collection.name': table,
  'peer.service': word,
  'service.peer.name': word,
  'user.name': fc.constantFrom('shop', 'me'),
  'messaging.system': fc.constantFrom('aws_sqs', 'kafka'),
  'messaging.destination.name': fc.constantFrom('orders', 'events'),
  'messaging.destination': fc.constantFrom('orders', 'events'),
  'enduser.id': mostly(['u1', 'u2'], ['']),
  'user.id': fc.constantFrom('u1', 'u2'),
  'error.type': fc.constantFrom('timeout', 'ThrottlingException'),
  'exception.type': fc.constantFrom<AttributeValue>('Error', 5n),
  'app.total': fc.constantFrom<AttributeValue>(5, 2.5, -0, 1e21, 2n ** 60n, -7n),
  'app.tags': mostly<AttributeValue>([['a', 'b"'], [1n, 2.5, true], []], [[['nested']]]),
  'app.blob': fc.constantFrom<AttributeValue>(Uint8Array.of(1, 2), undefined, Number.NaN, new Map([['k', 'v']])),
  'app.naïve': fc.constant<AttributeValue>('ja'),
  'aws.xray.annotations': mostly<AttributeValue>(
    [['app.total'], ['http.method', 'absent', 'user.id']],
    [[5n], [], 'app.total'],
  ),
  'aws.xray.origin': fc.constant('AWS::EC2::Instance'),
  'otel.resource.service.name': fc.constant('other'),
};

const common = Object.keys(values).filter(
  (key) => !/^(?:aws\.xray\.origin|otel\.|app\.(?:blob|naïve)|aws\.account|db\.connection|http\.server_name)/.test(key),
);

export const usualAttributes: fc.Arbitrary<Attributes> = fc
  .oneof({ weight: 6, arbitrary: keysOf(common) }, { weight: 1, arbitrary: keysOf(Object.keys(values)) })
  .chain((keys) => fc.tuple(...keys.map((key) => fc.tuple(fc.constant(key), values[key] ?? fc.constant('')))))
  .map((pairs) => new Map(pairs));

function keysOf(keys: readonly string[]): fc.Arbitrary<string[]> {
  return fc.shuffledSubarray([...keys], { maxLength: 14 });
}

const resources: readonly Resource[] = [
  emptyResource,
  resource({ 'service.name': 'shop' }),
  resource({
    'service.name': 'shop (beta)',
    'service.version': '1.2',
    'cloud.provider': 'aws',
    'cloud.platform': 'aws_ecs',
    'cloud.region': 'eu-central-1',
    'aws.log.group.names': ['g'],
    'telemetry.sdk.name': 'opentelemetry',
    'telemetry.sdk.language': 'java',
    'process.pid': 7n,
  }),
  { ...resource({ 'service.name': 'unknown_service:node', 'host.id': 'i-0123456789abcdef0' }), schemaUrl: 'https://x' },
];

function resource(attributes: Readonly<Record<string, AttributeValue>>): Resource {
  return { ...emptyResource, attributes: new Map(Object.entries(attributes)) };
}

const scopes: readonly Scope[] = [emptyScope, { ...emptyScope, name: 'http', version: '1' }];

const stacks = [
  'Error: boom\n    at f (/app/a.js:1:2)\n    at /app/b.js:3:4',
  'java.lang.IllegalStateException: boom\n\tat shop.A.f(A.java:7)\nCaused by: java.io.IOException: gone\n\tat shop.B.g(B.java:9)',
  'no stack',
];

const event: fc.Arbitrary<SpanEvent> = fc.record(
  {
    timeNs: mostly([1_764_000_000_123_456_789n, 1_764_000_001_000_000_000n], [0n]),
    name: mostly(['exception', 'message', ''], ['HTTP request failure']),
    attributes: fc
      .subarray<readonly [string, AttributeValue]>([
        ['exception.type', 'Error'],
        ['exception.message', 'boom'],
        ['exception.stacktrace', stacks[0]],
        ['exception.escaped', false],
        ['retry.delay', 1.5],
      ])
      .chain((pairs) =>
        fc.constantFrom(...stacks).map((stack) => {
          const attributes = new Map<string, AttributeValue>(pairs);
          if (attributes.has('exception.stacktrace')) attributes.set('exception.stacktrace', stack);
          return attributes;
        }),
      ),
    droppedAttributesCount: fc.constantFrom(0, 0, 3),
  },
  { noNullPrototype: true },
);

const link: fc.Arbitrary<SpanLink> = fc.record(
  {
    traceId: arbitraryTraceId,
    spanId: arbitrarySpanId,
    traceState: fc.constantFrom('', 'a=b'),
    flags: fc.constantFrom(0, 0x101),
    attributes: fc.constantFrom<Attributes>(new Map(), new Map<string, AttributeValue>([['n', 5]])),
    droppedAttributesCount: fc.constantFrom(0, 2),
  },
  { noNullPrototype: true },
);

export const usualSpan: fc.Arbitrary<Span> = fc.record(
  {
    // Spans of one trace and service may share a resource.
    traceId: fc.oneof(fc.constantFrom('5759e988bd862e3fe1be46a994272793', '1'.repeat(32)), arbitraryTraceId),
    spanId: arbitrarySpanId,
    parentSpanId: fc.option(arbitrarySpanId, { nil: undefined }),
    traceState: fc.constantFrom('', '', 'k=v'),
    flags: fc.constantFrom(0, 1, 0x101, 0x301),
    name: fc.constantFrom('GET', 'GET /api/orders/{id}', 'SELECT orders', 'orders', 'DynamoDB.GetItem', 'do "it"', ''),
    kind: fc.constantFrom(...Object.values(SpanKind)),
    startTimeNs: fc.constantFrom(1_764_000_000_000_000_000n, 1_764_000_000_000_000_001n, 1_764_000_000_100_000_000n),
    endTimeNs: mostly([1_764_000_001_000_000_000n, 1_764_000_001_000_001_000n], [0n]),
    attributes: usualAttributes,
    droppedAttributesCount: fc.constantFrom(0, 0, 4),
    events: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(event, { maxLength: 3 })),
    droppedEventsCount: fc.constantFrom(0, 0, 1),
    links: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(link, { maxLength: 2 })),
    droppedLinksCount: fc.constantFrom(0, 0, 1),
    status: fc.constantFrom(
      { code: 0, message: '' },
      { code: 0, message: 'odd' },
      { code: 1, message: '' },
      { code: 2, message: '' },
      { code: 2, message: 'boom' },
    ),
    resource: fc.constantFrom(...resources),
    scope: fc.constantFrom(...scopes),
  },
  { noNullPrototype: true },
);
