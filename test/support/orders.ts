import { type Attributes, emptyResource, type Span, SpanKind } from '../../src/model/index.ts';
import { testSpan } from './span.ts';

const nanosecondsPerSecond = 1_000_000_000n;

/** What is out of order in the shop. */
export type Broken = 'nothing' | 'table' | 'price';

let made = 0;

/** The spans of one order, as in the demo's shop: it asks for a price, which is kept in a table and in a cache. */
export function orderAt(startSeconds: number, broken: Broken): readonly Span[] {
  const priceStatus = broken === 'price' ? 500n : 200n;
  const calls: readonly Made[] = [
    {
      service: 'shop',
      kind: SpanKind.server,
      attributes: { 'http.request.method': 'POST', 'http.response.status_code': priceStatus },
    },
    {
      service: 'shop',
      kind: SpanKind.client,
      attributes: {
        'http.request.method': 'POST',
        'url.full': 'http://price/',
        'http.response.status_code': priceStatus,
      },
    },
    {
      service: 'price',
      kind: SpanKind.server,
      attributes: { 'http.request.method': 'POST', 'http.response.status_code': priceStatus },
    },
    {
      service: 'price',
      kind: SpanKind.client,
      attributes: {
        'rpc.system': 'aws-api',
        'rpc.service': 'DynamoDB',
        'rpc.method': 'GetItem',
        'aws.dynamodb.table_names': ['prices'],
        'http.response.status_code': broken === 'table' ? 503n : 200n,
      },
    },
  ];
  made += 1;
  const traceId = `f${made.toString(16).padStart(31, '0')}`;
  return calls.map(({ service, kind, attributes }, depth) =>
    testSpan({
      traceId,
      spanId: `${made.toString(16).padStart(15, '0')}${depth}`,
      parentSpanId: depth === 0 ? undefined : `${made.toString(16).padStart(15, '0')}${depth - 1}`,
      name: 'POST',
      kind,
      startTimeNs: BigInt(startSeconds) * nanosecondsPerSecond + BigInt(depth) * 1_000_000n,
      endTimeNs: BigInt(startSeconds) * nanosecondsPerSecond + 100_000_000n - BigInt(depth) * 1_000_000n,
      attributes: new Map(Object.entries(attributes)),
      resource: { ...emptyResource, attributes: resourceAttributes[service] },
    }),
  );
}

interface Made {
  readonly service: 'shop' | 'price';
  readonly kind: Span['kind'];
  readonly attributes: Readonly<Record<string, string | bigint | readonly string[]>>;
}

const resourceAttributes: Readonly<Record<Made['service'], Attributes>> = {
  shop: new Map([
    ['service.name', 'shop'],
    ['cloud.platform', 'aws_ecs'],
    ['aws.ecs.launchtype', 'ec2'],
  ]),
  price: new Map([
    ['service.name', 'price'],
    ['cloud.platform', 'aws_lambda'],
    ['faas.name', 'price'],
  ]),
};
