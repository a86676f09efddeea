import {
  type Attributes,
  type AttributeValue,
  emptyResource,
  type Resource,
  type Scope,
  type Span,
  type SpanEvent,
  SpanKind,
  StatusCode,
} from '../../src/model/index.ts';
import { type Draw, generator, pick } from './draw.ts';

/**
 * Made-up traffic of a company with fifty services: a few entry services get most requests, services
 * call those behind them, DynamoDB tables, SQS queues, SQL databases and other people's hosts. One
 * trace in twenty fails, from a leaf up to the root. Spans have 15 to 20 attributes, as instrumentation
 * writes them; roots have annotations of high (`user.id`) and low cardinality (`tenant`, `region`).
 * Half of the services make ids that begin with a time, as X-Ray does, the others W3C ids.
 *
 * A trace depends on its number alone, so that any can be made again without keeping it.
 */
export interface TraceWish {
  readonly number: number;
  readonly seed: number;
  readonly startTimeNs: bigint;
}

/** Spans of a trace, on average. */
export const spansPerTrace = 10;

/** The most frequent entry first. */
export const serviceNames = (
  'storefront search checkout catalog account cart recommendations pricing inventory payments ' +
  'orders shipping reviews media sessions profiles wishlist coupons tax currency ' +
  'fraud invoices returns warehouses suppliers carriers addresses geocoding translations content ' +
  'campaigns notifications email sms push loyalty giftcards subscriptions billing ledger ' +
  'exports imports reports audit features experiments permissions tokens webhooks archive'
).split(' ');

export const tenantsCount = 200;
export const usersCount = 200_000;
const regions = ['eu-central-1', 'eu-west-1', 'us-east-1'] as const;

/** The spans of one trace, the root first. */
export function makeTrace({ number, seed, startTimeNs }: TraceWish): readonly Span[] {
  const draw = generator(seed * 50_000_000 + number + 1);
  const root = drawRanked(draw, serviceNames.length);
  const trace: Trace = {
    id: traceIdOf(root, startTimeNs, draw),
    tenant: `tenant-${drawRanked(draw, tenantsCount)}`,
    region: pick(regions, draw),
    user: `user-${draw(usersCount)}`,
    spans: [],
    draw,
  };
  const spans = pick([2, 4, 6, 8, 9, 10, 10, 11, 12, 14, 24], draw);
  serve(trace, {
    service: root,
    caller: undefined,
    startTimeNs,
    spans,
    fails: draw(20) === 0,
    isSlow: draw(100) === 0,
  });
  return trace.spans;
}

/** Numbers from 0: the second half as often as the first, the third a third as often … (Zipf). */
export function drawRanked(draw: Draw, count: number): number {
  const drawn = draw(1_000_000) / 1_000_000;
  return Math.min(count - 1, Math.floor((count + 1) ** drawn) - 1);
}

interface Trace {
  readonly id: string;
  readonly tenant: string;
  readonly region: string;
  readonly user: string;
  readonly spans: Span[];
  readonly draw: Draw;
}

interface Visit {
  readonly service: number;
  /** Span id of the call; undefined for the root. */
  readonly caller: string | undefined;
  readonly startTimeNs: bigint;
  /** How many spans this visit and all below it have. */
  readonly spans: number;
  readonly fails: boolean;
  readonly isSlow: boolean;
}

function traceIdOf(root: number, startTimeNs: bigint, draw: Draw): string {
  if (root % 2 === 1) return hex(32, draw);
  return Math.floor(Number(startTimeNs / 1_000_000_000n)).toString(16) + hex(24, draw);
}

/** Adds the server span and all it calls, one after the other; returns when it ended. */
function serve(trace: Trace, visit: Visit): bigint {
  const { draw } = trace;
  const { service, startTimeNs, fails } = visit;
  const spanId = hex(16, draw);
  const at = trace.spans.length;
  let nowNs = startTimeNs + microseconds(draw, 800);
  let left = visit.spans - 1;
  let passesOn = fails;
  while (left > 0) {
    const behind = serviceNames.length - 1 - service;
    const call = { trace, service, parent: spanId, startTimeNs: nowNs, fails: passesOn, isSlow: visit.isSlow };
    if (left >= 2 && behind > 0 && draw(5) < 3) {
      const spans = 2 + draw(left - 1);
      const callee = service + 1 + draw(Math.min(4, behind));
      nowNs = callService({ ...call, callee, spans });
      left -= spans;
    } else {
      nowNs = callLeaf(call);
      left -= 1;
    }
    passesOn = false;
    nowNs += microseconds(draw, 500);
  }
  const status = fails ? 500n : pick(okStatuses, draw);
  trace.spans.splice(at, 0, {
    ...spanOf({ trace, service, spanId, parent: visit.caller, kind: SpanKind.server, startTimeNs, endTimeNs: nowNs }),
    name: `GET ${routeOf(service)}`,
    scope: scopes.http,
    attributes: serverAttributes(trace, { service, isRoot: visit.caller === undefined, status }),
    status: fails ? { code: StatusCode.error, message: '' } : noStatus,
  });
  return nowNs;
}

/** One answer in sixteen is a client's error. */
const okStatuses = [
  200n,
  200n,
  200n,
  200n,
  200n,
  200n,
  200n,
  200n,
  200n,
  200n,
  201n,
  201n,
  204n,
  204n,
  304n,
  404n,
] as const;

interface Call {
  readonly trace: Trace;
  readonly service: number;
  readonly parent: string;
  readonly startTimeNs: bigint;
  readonly fails: boolean;
  readonly isSlow: boolean;
}

function callService({ callee, spans, ...call }: Call & { readonly callee: number; readonly spans: number }): bigint {
  const { trace, service, startTimeNs, fails, isSlow } = call;
  const { draw } = trace;
  const spanId = hex(16, draw);
  const at = trace.spans.length;
  const visit = { service: callee, caller: spanId, spans: spans - 1, fails, isSlow };
  const endTimeNs =
    serve(trace, { ...visit, startTimeNs: startTimeNs + microseconds(draw, 900) }) + microseconds(draw, 900);
  trace.spans.splice(at, 0, {
    ...spanOf({ trace, service, spanId, parent: call.parent, kind: SpanKind.client, startTimeNs, endTimeNs }),
    name: 'GET',
    scope: scopes.http,
    attributes: new Map<string, AttributeValue>([
      ['http.request.method', 'GET'],
      ['url.full', `http://${nameOf(callee)}.internal.example:8080${pathOf(callee, draw)}`],
      ['server.address', `${nameOf(callee)}.internal.example`],
      ['server.port', 8080n],
      ['http.response.status_code', fails ? 500n : 200n],
      ['http.response.body.size', BigInt(draw(20_000))],
      ['network.protocol.version', '1.1'],
      ['network.peer.address', `10.1.${callee}.${draw(8)}`],
      ['network.peer.port', 8080n],
      ['peer.service', nameOf(callee)],
      ...runtimeAttributes(draw),
    ]),
    status: fails ? { code: StatusCode.error, message: '500 Internal Server Error' } : noStatus,
  });
  return endTimeNs;
}

function callLeaf({ trace, service, parent, startTimeNs, fails, isSlow }: Call): bigint {
  const { draw } = trace;
  const leaf = pick(leaves, draw)(service, { draw, fails });
  const lasts = microseconds(draw, leaf.microsecondsUsual) + (isSlow ? BigInt(draw(4_000_000)) * 1000n : 0n);
  const endTimeNs = startTimeNs + lasts;
  trace.spans.push({
    ...spanOf({ trace, service, spanId: hex(16, draw), parent, kind: leaf.kind, startTimeNs, endTimeNs }),
    name: leaf.name,
    scope: leaf.scope,
    attributes: new Map([...leaf.attributes, ...runtimeAttributes(draw)]),
    status: fails ? { code: StatusCode.error, message: 'connection reset by peer' } : noStatus,
    events: fails ? [exceptionEvent(endTimeNs)] : [],
  });
  return endTimeNs;
}

interface Leaf {
  readonly name: string;
  readonly kind: number;
  readonly scope: Scope;
  readonly microsecondsUsual: number;
  readonly attributes: readonly (readonly [string, AttributeValue])[];
}

type MakeLeaf = (service: number, circumstances: { readonly draw: Draw; readonly fails: boolean }) => Leaf;

const leaves: readonly [MakeLeaf, ...MakeLeaf[]] = [dynamoDb, dynamoDb, dynamoDb, sql, sql, sql, sqs, remoteHost];

function dynamoDb(service: number, { draw, fails }: Parameters<MakeLeaf>[1]): Leaf {
  const isThrottled = !fails && draw(200) === 0;
  return {
    name: 'DynamoDB.GetItem',
    kind: SpanKind.client,
    scope: scopes.aws,
    microsecondsUsual: 9_000,
    attributes: [
      ['rpc.system', 'aws-api'],
      ['rpc.service', 'DynamoDB'],
      ['rpc.method', 'GetItem'],
      ['aws.region', 'eu-central-1'],
      ['aws.request_id', hex(24, draw).toUpperCase()],
      ['aws.dynamodb.table_names', [`${nameOf(service)}-${draw(2)}`]],
      ['aws.dynamodb.consistent_read', draw(2) === 0],
      ['db.system.name', 'aws.dynamodb'],
      ['http.response.status_code', fails ? 500n : isThrottled ? 429n : 200n],
      ['server.address', 'dynamodb.eu-central-1.amazonaws.com'],
    ],
  };
}

function sql(service: number, { draw }: Parameters<MakeLeaf>[1]): Leaf {
  const table = `${nameOf(service)}_items`;
  const statement = `SELECT id, owner_id, total, created_at FROM ${table} WHERE owner_id = $1 AND status = $2 LIMIT 50`;
  return {
    name: `SELECT ${table}`,
    kind: SpanKind.client,
    scope: scopes.sql,
    microsecondsUsual: 14_000,
    attributes: [
      ['db.system.name', 'postgresql'],
      ['db.namespace', nameOf(service)],
      ['db.query.text', statement],
      ['db.operation.name', 'SELECT'],
      ['db.collection.name', table],
      ['db.response.returned_rows', BigInt(draw(50))],
      ['server.address', `${nameOf(service)}-db.cluster.eu-central-1.rds.amazonaws.com`],
      ['server.port', 5432n],
      ['network.peer.address', `10.2.${service}.${draw(4)}`],
    ],
  };
}

function sqs(service: number, { draw, fails }: Parameters<MakeLeaf>[1]): Leaf {
  return {
    name: 'SQS.SendMessage',
    kind: SpanKind.producer,
    scope: scopes.aws,
    microsecondsUsual: 18_000,
    attributes: [
      ['rpc.system', 'aws-api'],
      ['rpc.service', 'SQS'],
      ['rpc.method', 'SendMessage'],
      ['aws.region', 'eu-central-1'],
      ['aws.request_id', hex(24, draw).toUpperCase()],
      ['messaging.system', 'aws_sqs'],
      ['messaging.destination.name', `${nameOf(service)}-events`],
      ['messaging.message.id', hex(32, draw)],
      ['aws.queue_url', `https://sqs.eu-central-1.amazonaws.com/123456789012/${nameOf(service)}-events`],
      ['http.response.status_code', fails ? 500n : 200n],
    ],
  };
}

const hosts = ['api.payments.example', 'maps.example', 'tax.example', 'mail.example', 'cdn.example'] as const;

function remoteHost(_service: number, { draw, fails }: Parameters<MakeLeaf>[1]): Leaf {
  const host = pick(hosts, draw);
  return {
    name: 'POST',
    kind: SpanKind.client,
    scope: scopes.http,
    microsecondsUsual: 160_000,
    attributes: [
      ['http.request.method', 'POST'],
      ['url.full', `https://${host}/v2/calls/${draw(100_000)}`],
      ['server.address', host],
      ['server.port', 443n],
      ['http.response.status_code', fails ? 503n : 200n],
      ['http.request.body.size', BigInt(draw(4_000))],
      ['http.response.body.size', BigInt(draw(20_000))],
      ['network.protocol.version', '1.1'],
      ['network.peer.address', `203.0.113.${draw(32)}`],
    ],
  };
}

function serverAttributes(
  { draw, tenant, region, user }: Trace,
  { service, isRoot, status }: { readonly service: number; readonly isRoot: boolean; readonly status: bigint },
): Attributes {
  return new Map<string, AttributeValue>([
    ['http.request.method', 'GET'],
    ['http.route', routeOf(service)],
    ['url.scheme', isRoot ? 'https' : 'http'],
    ['url.path', pathOf(service, draw)],
    ['url.query', 'expand=items&currency=EUR'],
    ['server.address', isRoot ? 'shop.example' : `${nameOf(service)}.internal.example`],
    ['server.port', isRoot ? 443n : 8080n],
    ['http.response.status_code', status],
    ['client.address', isRoot ? `198.51.100.${draw(256)}` : `10.1.${draw(50)}.${draw(8)}`],
    ['user_agent.original', isRoot ? 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36' : 'node-fetch/3'],
    ['network.protocol.version', '1.1'],
    ['aws.xray.annotations', isRoot ? ['tenant', 'region', 'user.id', 'cart.items'] : ['tenant', 'region']],
    ['tenant', tenant],
    ['region', region],
    ...(isRoot
      ? ([
          ['user.id', user],
          ['cart.items', BigInt(draw(12))],
        ] as const)
      : []),
    ['thread.id', BigInt(draw(64))],
    ['thread.name', `http-nio-8080-exec-${draw(64)}`],
  ]);
}

/** What the auto-instrumentation of a runtime adds to every span of its own. */
function runtimeAttributes(draw: Draw): readonly (readonly [string, AttributeValue])[] {
  return [
    ['thread.id', BigInt(draw(64))],
    ['thread.name', `http-nio-8080-exec-${draw(64)}`],
    ['code.function.name', `handle${draw(20)}`],
    ['code.line.number', BigInt(draw(900))],
    ['app.attempt', BigInt(draw(3))],
    ['app.cache.hit', draw(2) === 0],
    ['app.cost', draw(20_000) / 100],
  ];
}

function exceptionEvent(timeNs: bigint): SpanEvent {
  return { timeNs, name: 'exception', droppedAttributesCount: 0, attributes: exceptionAttributes };
}

const exceptionAttributes: Attributes = new Map([
  ['exception.type', 'ConnectionError'],
  ['exception.message', 'connection reset by peer'],
  [
    'exception.stacktrace',
    ['ConnectionError: connection reset by peer']
      .concat(
        Array.from({ length: 12 }, (_, i) => `    at Client.step${i} (/app/lib/client/step${i}.js:${i * 7 + 3}:11)`),
      )
      .join('\n'),
  ],
]);

interface SpanPlace {
  readonly trace: Trace;
  readonly service: number;
  readonly spanId: string;
  readonly parent: string | undefined;
  readonly kind: number;
  readonly startTimeNs: bigint;
  readonly endTimeNs: bigint;
}

const noStatus = { code: StatusCode.unset, message: '' };

function spanOf({
  trace,
  service,
  parent,
  ...place
}: SpanPlace): Omit<Span, 'name' | 'scope' | 'attributes' | 'status'> {
  return {
    ...place,
    traceId: trace.id,
    parentSpanId: parent,
    traceState: '',
    flags: place.kind === SpanKind.server && parent !== undefined ? 0x301 : 0x101,
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    resource: pick(resources[service] ?? noResource, trace.draw),
  };
}

const noResource: readonly [Resource, ...Resource[]] = [emptyResource];

/** Four instances of each service. */
const resources = serviceNames.map((name, service): readonly [Resource, ...Resource[]] => {
  const draw = generator(service + 1);
  return [resourceOf(name, draw), resourceOf(name, draw), resourceOf(name, draw), resourceOf(name, draw)];
});

function resourceOf(service: string, draw: Draw): Resource {
  const attributes = new Map<string, AttributeValue>([
    ['service.name', service],
    ['service.version', `2.${draw(20)}.${draw(10)}`],
    ['service.namespace', 'shop'],
    ['deployment.environment.name', 'production'],
    ['telemetry.sdk.name', 'opentelemetry'],
    ['telemetry.sdk.language', 'nodejs'],
    ['telemetry.sdk.version', '2.0.1'],
    ['cloud.provider', 'aws'],
    ['cloud.platform', 'aws_eks'],
    ['cloud.region', 'eu-central-1'],
    ['k8s.cluster.name', 'shop-production'],
    ['k8s.pod.name', `${service}-7d9f8c6b5-${hex(8, draw)}`],
    ['host.name', `ip-10-0-${draw(256)}-${draw(256)}`],
  ]);
  return { ...emptyResource, attributes };
}

const scopes = {
  http: scopeOf('@opentelemetry/instrumentation-http', '0.203.0'),
  aws: scopeOf('@opentelemetry/instrumentation-aws-sdk', '0.57.0'),
  sql: scopeOf('@opentelemetry/instrumentation-pg', '0.55.0'),
};

function scopeOf(name: string, version: string): Scope {
  return { name, version, attributes: new Map(), droppedAttributesCount: 0, schemaUrl: '' };
}

function nameOf(service: number): string {
  return serviceNames[service] ?? '';
}

function routeOf(service: number): string {
  return `/api/${nameOf(service)}/{id}`;
}

function pathOf(service: number, draw: Draw): string {
  return `/api/${nameOf(service)}/${draw(100_000)}`;
}

/** So many hex digits, a multiple of eight. Eight at a time, because most of the work of making a trace is its ids. */
function hex(digits: number, draw: Draw): string {
  let text = '';
  while (text.length < digits) text += (draw(0xffff_ffff) + 1).toString(16).padStart(8, '0');
  return text;
}

/** Nanoseconds up to twice what is usual, and now and then ten times as much. */
function microseconds(draw: Draw, usual: number): bigint {
  const often = draw(usual) + draw(usual);
  return BigInt(draw(50) === 0 ? often * 10 : often + 1) * 1000n;
}
