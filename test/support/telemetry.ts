import { type Draw, generator, hex, pick } from './draw.ts';
import {
  type Attributes,
  type AttributeValue,
  emptyResource,
  type Resource,
  type Scope,
  type Span,
  type SpanEvent,
  SpanKind,
  type SpanLink,
} from '../../src/model/index.ts';

/**
 * Spans as instrumentations write them, for benches: 15 to 20 attributes each, about 900 bytes as
 * OTLP protobuf, half of the HTTP spans with the names of both generations of semantic
 * conventions, some exceptions with stack traces, some links, six spans a
 * trace. The same seed gives the same spans.
 */
export function telemetrySpans(count: number, seed = 1): readonly Span[] {
  const draw = generator(seed);
  const services = ['checkout', 'catalog', 'payment'].map((name) => ({ resource: resourceOf(name, draw), name }));
  let traceId = hex(32, draw);
  return Array.from({ length: count }, (_, i) => {
    const service = services[Math.floor((i * services.length) / count)] ?? services[0];
    if (!service) throw new Error('there is always a service');
    if (i % spansPerTrace === 0) traceId = hex(32, draw);
    return { ...spanOf(service, draw), traceId };
  });
}

/** Of one service in one batch. */
const spansPerTrace = 6;

const httpScope = scope('@opentelemetry/instrumentation-http', '0.203.0');
const awsScope = scope('@opentelemetry/instrumentation-aws-sdk', '0.57.0');
const sqlScope = scope('@opentelemetry/instrumentation-pg', '0.55.0');
const grpcScope = scope('@opentelemetry/instrumentation-grpc', '0.203.0');

function scope(name: string, version: string): Scope {
  return { name, version, attributes: new Map(), droppedAttributesCount: 0, schemaUrl: '' };
}

function resourceOf(service: string, draw: Draw): Resource {
  const attributes = new Map<string, AttributeValue>([
    ['service.name', service],
    ['service.version', '2.14.3'],
    ['service.namespace', 'shop'],
    ['deployment.environment.name', 'production'],
    ['telemetry.sdk.name', 'opentelemetry'],
    ['telemetry.sdk.language', 'nodejs'],
    ['telemetry.sdk.version', '2.0.1'],
    ['cloud.provider', 'aws'],
    ['cloud.platform', 'aws_eks'],
    ['cloud.region', 'eu-central-1'],
    ['cloud.account.id', '123456789012'],
    ['k8s.cluster.name', 'shop-production'],
    ['k8s.pod.name', `${service}-7d9f8c6b5-${hex(5, draw)}`],
    ['container.id', hex(64, draw)],
    ['host.name', `ip-10-0-${draw(256)}-${draw(256)}`],
    ['process.pid', BigInt(draw(30000) + 1)],
  ]);
  return { ...emptyResource, attributes };
}

const kinds: readonly [Make, ...Make[]] = [
  httpServer,
  httpServer,
  httpServer,
  httpClient,
  httpClient,
  sqlQuery,
  sqlQuery,
  dynamoDb,
  grpcClient,
  internalWork,
];

interface Draft {
  readonly name: string;
  readonly kind: number;
  readonly scope: Scope;
  readonly attributes: Attributes;
}

type Make = (draw: Draw, isFault: boolean) => Draft;

function spanOf({ resource }: { resource: Resource }, draw: Draw): Omit<Span, 'traceId'> {
  const isFault = draw(20) === 0;
  const draft = pick(kinds, draw)(draw, isFault);
  const startTimeNs = 1_764_000_000_000_000_000n + BigInt(draw(1_000_000_000)) * 1000n + BigInt(draw(1000));
  const endTimeNs = startTimeNs + BigInt(draw(400_000_000)) + 100_000n;
  const hasLink = draw(33) === 0;
  const hasParent = draft.kind !== SpanKind.server || draw(3) > 0;
  return {
    ...draft,
    spanId: hex(16, draw),
    parentSpanId: hasParent ? hex(16, draw) : undefined,
    traceState: '',
    flags: draft.kind === SpanKind.server ? 0x301 : 0x101,
    startTimeNs,
    endTimeNs,
    droppedAttributesCount: 0,
    events: isFault ? [exceptionEvent(endTimeNs - 50_000n, draw)] : [],
    droppedEventsCount: 0,
    links: hasLink ? [linkOf(draw)] : [],
    droppedLinksCount: 0,
    status: isFault ? { code: 2, message: 'connection reset by peer' } : { code: 0, message: '' },
    resource,
  };
}

/** What the auto-instrumentations of a runtime add to every span of theirs. */
function runtimeAttributes(draw: Draw): readonly (readonly [string, AttributeValue])[] {
  return [
    ['thread.id', BigInt(draw(64))],
    ['thread.name', `http-nio-8080-exec-${draw(64)}`],
    ['code.function.name', 'handleRequest'],
    ['app.tenant.id', `tenant-${draw(500)}`],
    ['app.feature_flags', ['new-checkout', 'fast-search']],
    ['app.cart.value', draw(20_000) / 100],
    ['app.cart.items', BigInt(draw(12))],
  ];
}

function httpServer(draw: Draw, isFault: boolean): Draft {
  const id = draw(100_000);
  const status = BigInt(isFault ? 503 : pick([200, 200, 200, 201, 404], draw));
  const both = draw(2) === 0;
  return {
    name: 'GET /api/orders/{id}',
    kind: SpanKind.server,
    scope: httpScope,
    attributes: new Map<string, AttributeValue>([
      ['http.request.method', 'GET'],
      ['url.scheme', 'https'],
      ['url.path', `/api/orders/${id}`],
      ['url.query', 'expand=items&currency=EUR'],
      ['server.address', 'shop.example.com'],
      ['server.port', 443n],
      ['client.address', `203.0.113.${draw(256)}`],
      ['network.peer.address', `10.0.${draw(256)}.${draw(256)}`],
      ['user_agent.original', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0'],
      ['http.response.status_code', status],
      ['http.route', '/api/orders/{id}'],
      ['network.protocol.version', '1.1'],
      ...(both
        ? ([
            ['http.method', 'GET'],
            ['http.target', `/api/orders/${id}?expand=items&currency=EUR`],
            ['http.host', 'shop.example.com'],
            ['http.scheme', 'https'],
            ['http.status_code', status],
          ] as const)
        : runtimeAttributes(draw)),
    ]),
  };
}

function httpClient(draw: Draw, isFault: boolean): Draft {
  const url = `https://inventory.internal.example.com:8443/v2/stock/${draw(100_000)}?warehouse=${draw(20)}`;
  const status = BigInt(isFault ? 500 : 200);
  const both = draw(2) === 0;
  return {
    name: 'GET',
    kind: SpanKind.client,
    scope: httpScope,
    attributes: new Map<string, AttributeValue>([
      ['http.request.method', 'GET'],
      ['url.full', url],
      ['server.address', 'inventory.internal.example.com'],
      ['server.port', 8443n],
      ['http.response.status_code', status],
      ['http.response.body.size', BigInt(draw(20_000))],
      ['network.protocol.version', '1.1'],
      ['network.peer.address', `10.1.${draw(256)}.${draw(256)}`],
      ['network.peer.port', 8443n],
      ...(both
        ? ([
            ['http.method', 'GET'],
            ['http.url', url],
            ['http.status_code', status],
            ['net.peer.name', 'inventory.internal.example.com'],
            ['net.peer.port', 8443n],
            ['http.flavor', '1.1'],
          ] as const)
        : []),
      ...runtimeAttributes(draw),
    ]),
  };
}

function sqlQuery(draw: Draw): Draft {
  const statement =
    'SELECT id, customer_id, total, created_at FROM orders WHERE customer_id = $1 AND status = $2 LIMIT 50';
  return {
    name: 'SELECT orders',
    kind: SpanKind.client,
    scope: sqlScope,
    attributes: new Map<string, AttributeValue>([
      ['db.system', 'postgresql'],
      ['db.system.name', 'postgresql'],
      ['db.name', 'orders'],
      ['db.namespace', 'orders'],
      ['db.statement', statement],
      ['db.query.text', statement],
      ['db.operation.name', 'SELECT'],
      ['db.collection.name', 'orders'],
      ['db.user', 'shop'],
      ['server.address', 'orders-db.cluster-abc.eu-central-1.rds.amazonaws.com'],
      ['server.port', 5432n],
      ...runtimeAttributes(draw),
    ]),
  };
}

function dynamoDb(draw: Draw): Draft {
  return {
    name: 'DynamoDB.GetItem',
    kind: SpanKind.client,
    scope: awsScope,
    attributes: new Map<string, AttributeValue>([
      ['rpc.system', 'aws-api'],
      ['rpc.service', 'DynamoDB'],
      ['rpc.method', 'GetItem'],
      ['aws.region', 'eu-central-1'],
      ['aws.request_id', hex(52, draw).toUpperCase()],
      ['aws.dynamodb.table_names', ['carts']],
      ['db.system.name', 'aws.dynamodb'],
      ['http.response.status_code', 200n],
      ['aws.dynamodb.consistent_read', true],
      ...runtimeAttributes(draw),
    ]),
  };
}

function grpcClient(draw: Draw, isFault: boolean): Draft {
  return {
    name: 'shop.pricing.v1.Pricing/Quote',
    kind: SpanKind.client,
    scope: grpcScope,
    attributes: new Map<string, AttributeValue>([
      ['rpc.system', 'grpc'],
      ['rpc.service', 'shop.pricing.v1.Pricing'],
      ['rpc.method', 'Quote'],
      ['rpc.grpc.status_code', isFault ? 14n : 0n],
      ['server.address', 'pricing'],
      ['server.port', 50051n],
      ['network.peer.address', `10.2.${draw(256)}.${draw(256)}`],
      ['network.type', 'ipv4'],
      ['rpc.message.sent.bytes', BigInt(draw(500))],
      ...runtimeAttributes(draw),
    ]),
  };
}

function internalWork(draw: Draw): Draft {
  return {
    name: 'applyDiscounts',
    kind: SpanKind.internal,
    scope: httpScope,
    attributes: new Map<string, AttributeValue>([
      ['app.discount.rules', BigInt(draw(40))],
      ['app.discount.total', draw(5000) / 100],
      ['app.discount.codes', ['SUMMER', 'LOYAL']],
      ['app.customer.tier', pick(['gold', 'silver', 'basic'], draw)],
      ['app.customer.since', '2021-04-17'],
      ['code.namespace', 'com.example.shop.discount.DiscountEngine'],
      ['code.line.number', BigInt(draw(900))],
      ['app.cache.hit', draw(2) === 0],
      ...runtimeAttributes(draw),
    ]),
  };
}

function exceptionEvent(timeNs: bigint, draw: Draw): SpanEvent {
  const frames = Array.from(
    { length: 12 },
    (_, i) => `    at Client.step${i} (/app/node_modules/client/lib/step${i}.js:${draw(900) + 1}:${draw(80) + 1})`,
  );
  return {
    timeNs,
    name: 'exception',
    droppedAttributesCount: 0,
    attributes: new Map<string, AttributeValue>([
      ['exception.type', 'ConnectionError'],
      ['exception.message', 'connection reset by peer'],
      ['exception.stacktrace', ['ConnectionError: connection reset by peer', ...frames].join('\n')],
    ]),
  };
}

function linkOf(draw: Draw): SpanLink {
  return {
    traceId: hex(32, draw),
    spanId: hex(16, draw),
    traceState: '',
    flags: 0x101,
    attributes: new Map<string, AttributeValue>([['messaging.batch.index', BigInt(draw(10))]]),
    droppedAttributesCount: 0,
  };
}
