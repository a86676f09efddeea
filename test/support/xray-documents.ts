import { type Draw, generator, hex, pick } from './draw.ts';
import type { JsonObject, JsonValue } from '../../src/model/index.ts';

/**
 * Segment documents as the X-Ray SDKs of four languages write them, for benches and tests: a segment
 * of an HTTP request with the calls it made inside, about four of them, annotations and metadata,
 * now and then an exception, and now and then a call alone. The same seed gives the same documents.
 */
export function xrayDocuments(count: number, seed = 1): readonly JsonObject[] {
  const draw = generator(seed);
  return Array.from({ length: count }, (_, i) => {
    const service = services[Math.floor((i * services.length) / count)] ?? services[0];
    return draw(10) === 0 ? subsegmentAlone(service, draw) : segmentOf(service, draw);
  });
}

/** Segments and subsegments of a document. */
export function entitiesIn(document: JsonObject): number {
  const children = document.get('subsegments');
  if (!Array.isArray(children)) return 1;
  return children.reduce<number>((sum, child) => sum + (child instanceof Map ? entitiesIn(child) : 0), 1);
}

/** What an SDK writes in its own way. */
interface Service {
  readonly name: string;
  readonly origin: string;
  /** Times as the language prints them. */
  readonly time: (seconds: number, draw: Draw) => JsonValue;
  readonly aws: JsonObject;
  readonly about: JsonObject | undefined;
  /** Members that the SDK gives each subsegment, known or not. */
  readonly extras: (traceId: string) => JsonObject;
  readonly exception: (draw: Draw, id: string) => JsonObject;
}

function object(members: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  const found = new Map<string, JsonValue>();
  for (const name of Object.keys(members)) {
    const value = members[name];
    if (value !== undefined) found.set(name, value);
  }
  return found;
}

function number(value: number | string): JsonValue {
  return { literal: String(value) };
}

const node: Service = {
  name: 'checkout',
  origin: 'AWS::ECS::Fargate',
  time: (seconds, draw) => number(`${seconds}.${1 + draw(998)}`),
  aws: object({
    xray: object({ sdk: 'X-Ray for Node.js', sdk_version: '3.12.0', package: 'aws-xray-sdk', rule_name: 'Default' }),
    ecs: object({ container: 'ip-10-0-3-7.eu-central-1.compute.internal' }),
  }),
  about: object({ runtime: 'node', runtime_version: 'v20.20.2', version: '1.4.2', name: 'checkout' }),
  extras: () => object({}),
  exception: (draw, id) =>
    object({
      message: 'connection reset by peer',
      type: 'Error',
      id,
      remote: false,
      stack: frames(draw, 8, (i) => ({ path: `/app/lib/step${i}.js`, label: `Client.step${i}` })),
    }),
};

const java: Service = {
  name: 'catalog',
  origin: 'AWS::EC2::Instance',
  time: (seconds, draw) => {
    const digits = `${seconds}${100 + draw(900)}`;
    return number(`${digits.slice(0, 1)}.${digits.slice(1).replace(/0+$/, '')}E9`);
  },
  aws: object({
    ec2: object({
      availability_zone: 'eu-central-1b',
      instance_id: 'i-0b5a4678fc325bg98',
      instance_size: 't3.large',
      ami_id: 'ami-0a1b2c3d4e5f60718',
    }),
    xray: object({ sdk_version: '2.18.1', sdk: 'X-Ray for Java', auto_instrumentation: false }),
  }),
  about: object({ runtime: 'OpenJDK 64-Bit Server VM', runtime_version: '21.0.4' }),
  extras: () => object({}),
  exception: (draw, id) =>
    object({
      message: 'Timeout waiting for connection from pool',
      type: 'org.apache.http.conn.ConnectionPoolTimeoutException',
      id,
      remote: false,
      stack: frames(draw, 14, (i) => ({ path: `Client${i}.java`, label: `com.example.client.Client${i}.call` })),
    }),
};

const python: Service = {
  name: 'payment',
  origin: 'AWS::ElasticBeanstalk::Environment',
  time: (seconds, draw) => number(`${seconds}.${100_000 + draw(899_999)}${1 + draw(9)}`),
  aws: object({
    xray: object({ sdk: 'X-Ray for Python', sdk_version: '2.14.0', sampling_rule_name: 'checkout-all' }),
    elastic_beanstalk: object({
      environment_name: 'payment-prod',
      deployment_id: number(32),
      version_label: 'app-5a56',
    }),
  }),
  about: object({ runtime: 'CPython', runtime_version: '3.12.4' }),
  extras: (traceId) => object({ in_progress: false, trace_id: traceId, type: 'subsegment' }),
  exception: (draw, id) =>
    object({
      id,
      message: 'Card was declined',
      type: 'PaymentError',
      remote: false,
      stack: frames(draw, 6, (i) => ({ path: `/srv/payment/step${i}.py`, label: `step${i}` })),
    }),
};

const go: Service = {
  name: 'pricing',
  origin: 'AWS::EKS::Container',
  time: (seconds, draw) => number(`${seconds}.${10_000_000 + draw(89_999_999)}${1 + draw(9)}`),
  aws: object({
    eks: object({ cluster_name: 'shop-production', pod: 'pricing-7d9f8c6b5-x2x2x', container_id: 'd0e1f2a3b4c5d6e7' }),
    xray: object({ sdk_version: '1.8.5', sdk: 'X-Ray for Go', sampling_rule_name: 'Default' }),
  }),
  about: object({ compiler: 'gc', compiler_version: 'go1.22.5', version: '9f3c2e1' }),
  extras: () => object({}),
  exception: (draw, id) =>
    object({
      id,
      message: 'rpc error: code = Unavailable',
      type: 'errors.errorString',
      remote: true,
      stack: frames(draw, 5, (i) => ({ path: `shop/pricing/step${i}.go`, label: `pricing.Step${i}` })),
    }),
};

const services: readonly [Service, ...Service[]] = [node, java, python, go];

function frames(
  draw: Draw,
  count: number,
  at: (i: number) => { readonly path: string; readonly label: string },
): readonly JsonValue[] {
  return Array.from({ length: count }, (_, i) =>
    object({ path: at(i).path, line: number(1 + draw(900)), label: at(i).label }),
  );
}

function segmentOf(service: Service, draw: Draw): JsonObject {
  const traceId = `1-${hex(8, draw)}-${hex(24, draw)}`;
  const seconds = 1_764_000_000 + draw(100_000);
  const isFault = draw(20) === 0;
  const status = isFault ? 500 : pick([200, 200, 200, 201, 404], draw);
  const children = Array.from({ length: 3 + draw(3) }, () => subsegmentOf(service, { traceId, seconds }, draw));
  return object({
    id: hex(16, draw),
    name: service.name,
    start_time: service.time(seconds, draw),
    end_time: service.time(seconds + 1, draw),
    trace_id: traceId,
    parent_id: draw(2) === 0 ? hex(16, draw) : undefined,
    fault: isFault ? true : undefined,
    error: status === 404 ? true : undefined,
    cause: isFault ? causeOf(service, draw) : undefined,
    http: object({
      request: object({
        method: pick(['GET', 'POST'], draw),
        url: `https://shop.example.com/api/orders/${draw(100_000)}`,
        user_agent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0',
        client_ip: `203.0.113.${draw(256)}`,
        x_forwarded_for: draw(2) === 0 ? true : undefined,
      }),
      response: object({ status: number(status), content_length: number(draw(20_000)) }),
    }),
    annotations: object({ tenant: `tenant-${draw(500)}`, items: number(draw(12)), cached: draw(2) === 0 }),
    metadata: object({
      default: object({
        cart: object({ value: number(`${draw(200)}.5`), codes: ['SUMMER', 'LOYAL'] }),
        attempt: number(1),
      }),
      debug: object({ host: `ip-10-0-${draw(256)}-${draw(256)}` }),
    }),
    user: draw(3) === 0 ? `user-${draw(1000)}` : undefined,
    aws: service.aws,
    service: service.about,
    origin: service.origin,
    subsegments: children,
  });
}

interface Parent {
  readonly traceId: string;
  readonly seconds: number;
}

function causeOf(service: Service, draw: Draw): JsonObject {
  return object({
    working_directory: '/app',
    exceptions: [service.exception(draw, hex(16, draw))],
  });
}

/** A call as an SDK sends it by itself: in Lambda, whose segments AWS makes, or while the request goes on. */
function subsegmentAlone(service: Service, draw: Draw): JsonObject {
  const traceId = `1-${hex(8, draw)}-${hex(24, draw)}`;
  const call = subsegmentOf(service, { traceId, seconds: 1_764_000_000 + draw(100_000) }, draw);
  return new Map([...call, ...object({ trace_id: traceId, parent_id: hex(16, draw), type: 'subsegment' })]);
}

const calls: readonly [Call, ...Call[]] = [dynamoDb, sqs, s3, remoteHttp, remoteHttp, sql, work];

type Call = (draw: Draw) => JsonObject;

function subsegmentOf(service: Service, { traceId, seconds }: Parent, draw: Draw): JsonObject {
  const isFault = draw(20) === 0;
  const start = {
    id: hex(16, draw),
    start_time: service.time(seconds, draw),
    end_time: service.time(seconds + 1, draw),
    fault: isFault ? true : undefined,
    cause: isFault ? causeOf(service, draw) : undefined,
  };
  return new Map([...object(start), ...pick(calls, draw)(draw), ...service.extras(traceId)]);
}

function dynamoDb(draw: Draw): JsonObject {
  return object({
    name: 'DynamoDB',
    namespace: 'aws',
    http: object({ response: object({ status: number(200), content_length: number(draw(4000)) }) }),
    aws: object({
      operation: pick(['GetItem', 'PutItem', 'Query'], draw),
      region: 'eu-central-1',
      request_id: hex(52, draw).toUpperCase(),
      retries: number(0),
      table_name: 'carts',
      resource_names: ['carts'],
    }),
  });
}

function sqs(draw: Draw): JsonObject {
  return object({
    name: 'SQS',
    namespace: 'aws',
    http: object({ response: object({ status: number(200) }) }),
    aws: object({
      operation: 'SendMessage',
      region: 'eu-central-1',
      request_id: hex(32, draw),
      queue_url: 'https://sqs.eu-central-1.amazonaws.com/123456789012/orders',
      message_id: hex(32, draw),
    }),
  });
}

function s3(draw: Draw): JsonObject {
  return object({
    name: 'S3',
    namespace: 'aws',
    http: object({ response: object({ status: number(200), content_length: number(draw(90_000)) }) }),
    aws: object({
      operation: 'GetObject',
      region: 'eu-central-1',
      request_id: hex(16, draw).toUpperCase(),
      bucket_name: 'shop-invoices',
      key: `invoices/${draw(100_000)}.pdf`,
      id_2: hex(60, draw),
    }),
  });
}

function remoteHttp(draw: Draw): JsonObject {
  return object({
    name: 'inventory.internal.example.com',
    namespace: 'remote',
    http: object({
      request: object({
        url: `https://inventory.internal.example.com:8443/v2/stock/${draw(100_000)}?warehouse=${draw(20)}`,
        method: 'GET',
        traced: draw(2) === 0 ? true : undefined,
      }),
      response: object({ status: number(200), content_length: number(draw(20_000)) }),
    }),
  });
}

function sql(): JsonObject {
  return object({
    name: 'orders@orders-db.example.com',
    namespace: 'remote',
    sql: object({
      url: 'jdbc:postgresql://orders-db.example.com:5432/orders',
      preparation: 'statement',
      database_type: 'PostgreSQL',
      database_version: '15.4',
      driver_version: '42.7.3',
      user: 'shop',
      sanitized_query: 'SELECT id, customer_id, total FROM orders WHERE customer_id = ? LIMIT 50',
    }),
  });
}

function work(draw: Draw): JsonObject {
  return object({
    name: pick(['applyDiscounts', 'renderInvoice', '## checkout.validate'], draw),
    annotations: object({ rules: number(draw(40)) }),
    metadata: object({ default: object({ tier: pick(['gold', 'silver'], draw) }) }),
  });
}
