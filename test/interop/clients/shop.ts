import { createHash } from 'node:crypto';

/**
 * Traces of a shop that use most of what X-Ray has: a service with calls to a throttled table, a
 * service that fails with an exception, a queue and a host that does not report, annotations of each
 * type, and a Lambda function behind the queue in a trace of its own.
 */
export interface ShopTrace {
  /** An X-Ray trace id. */
  readonly id: string;
  /** Segment documents. */
  readonly documents: readonly object[];
}

export interface ShopWish {
  /** Part of the names of the services, so that each test finds its own. */
  readonly name: string;
  /** Epoch seconds. */
  readonly at: number;
  /** Tells traces of one name apart. */
  readonly number: number;
  readonly fails?: boolean;
}

export function shopTrace({ name, at, number, fails = true }: ShopWish): ShopTrace {
  const id = traceIdOf(name, at, number);
  const span = (step: number): string => hex(`${name}/${number}/${step}`, 16);
  const status = fails ? 500 : 200;
  const flags = fails ? { fault: true } : {};
  const front = {
    name: `${name}-front`,
    id: span(1),
    trace_id: id,
    start_time: at,
    end_time: at + 2.5,
    origin: 'AWS::ECS::Container',
    user: `user-${number}`,
    resource_arn: `arn:aws:ecs:eu-west-1:111122223333:task/${name}`,
    http: {
      request: { method: 'GET', url: `https://${name}.example/cart`, client_ip: '198.51.100.7', user_agent: 'test' },
      response: { status },
    },
    ...flags,
    annotations: { tenant: 'acme', items: 3, beta: false, 'aws.local.operation': 'GET /cart' },
    metadata: { default: { cart: { items: [1, 2.5, null] } } },
    aws: {
      account_id: '111122223333',
      ec2: { instance_id: 'i-0abc', availability_zone: 'eu-west-1b' },
      xray: { sdk: 'X-Ray for Node.js', sdk_version: '3.12.0' },
    },
    subsegments: [
      {
        id: span(2),
        name: 'DynamoDB',
        namespace: 'aws',
        start_time: at + 0.02,
        end_time: at + 0.09,
        http: { response: { status: 400 } },
        error: true,
        throttle: true,
        aws: { operation: 'Query', region: 'eu-west-1', table_name: `${name}-carts`, request_id: 'R1', retries: 2 },
      },
      {
        id: span(3),
        name: `${name}-price`,
        namespace: 'remote',
        start_time: at + 0.1,
        end_time: at + 2.2,
        http: {
          request: { method: 'GET', url: `https://${name}-price.example/v1`, traced: true },
          response: { status },
        },
        ...flags,
      },
      {
        id: span(4),
        name: 'SQS',
        namespace: 'aws',
        start_time: at + 2.2,
        end_time: at + 2.25,
        aws: { operation: 'SendMessage', queue_url: `https://sqs.eu-west-1.amazonaws.com/111122223333/${name}` },
      },
      {
        id: span(5),
        name: 'elsewhere.example',
        namespace: 'remote',
        start_time: at + 2.3,
        end_time: at + 2.4,
        http: { request: { method: 'POST', url: 'https://elsewhere.example/' }, response: { status: 201 } },
      },
    ],
  };
  const price = {
    name: `${name}-price`,
    id: span(6),
    trace_id: id,
    parent_id: span(3),
    start_time: at + 0.15,
    end_time: at + 2.1,
    http: { request: { method: 'GET', url: `https://${name}-price.example/v1` }, response: { status } },
    ...flags,
    ...(fails ? { cause: causeOf(span(7)) } : {}),
  };
  return { id, documents: [front, price] };
}

function causeOf(id: string): object {
  const stack = [{ path: 'src/price.ts', line: 41, label: 'fetchPrice' }];
  return {
    working_directory: '/app',
    exceptions: [{ id, type: 'PriceError', message: 'no price', remote: false, stack }],
  };
}

/** The trace of the function behind the queue, linked to the one that sent. */
export function consumerTrace({ name, at, number }: ShopWish): ShopTrace {
  const id = traceIdOf(`${name}-consumer`, at, number);
  const times = { trace_id: id, start_time: at + 3, end_time: at + 3.5 };
  const link = {
    trace_id: traceIdOf(name, at, number),
    id: hex(`${name}/${number}/4`, 16),
    attributes: { 'aws.xray.reserved.reference_type': 'parent' },
  };
  const service = { name: `${name}-consumer`, id: hex(`${name}/${number}/8`, 16), origin: 'AWS::Lambda' };
  const handler = { name: `${name}-consumer`, id: hex(`${name}/${number}/9`, 16), origin: 'AWS::Lambda::Function' };
  return {
    id,
    documents: [
      { ...service, ...times, http: { response: { status: 200 } }, aws: { request_id: 'R2' }, links: [link] },
      { ...handler, ...times, parent_id: service.id },
    ],
  };
}

export function traceIdOf(name: string, at: number, number: number): string {
  return `1-${Math.floor(at).toString(16)}-${hex(`${name}/${number}`, 24)}`;
}

/** Digits that are always the same for a text, and others for another. */
function hex(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}
