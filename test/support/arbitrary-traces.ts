import * as fc from 'fast-check';
import { type AttributeValue, emptyResource, type Span, SpanKind, StatusCode } from '../../src/model/index.ts';
import { testSpan } from './span.ts';

/**
 * Spans of a few traces as services send them: requests between services, calls to queues, tables
 * and databases, consumers linked to their producers; some slow, failed, throttled or in progress,
 * some of them lost, in any order.
 */
export function arbitraryTraces({ nowNs }: { readonly nowNs: bigint }): fc.Arbitrary<readonly Span[]> {
  return fc
    .array(arbitraryPlan, { minLength: 1, maxLength: 5 })
    .chain((plans) => {
      const spans = plans.flatMap((plan, index) => spansOf(plan, { index, nowNs, producer: plans[0] }));
      return fc.tuple(
        fc.shuffledSubarray(spans, { minLength: Math.min(1, spans.length) }),
        fc.constantFrom(true, true, false),
        fc.constant(spans),
      );
    })
    .map(([some, whole, all]) => (whole ? all : some));
}

type Attributes = Readonly<Record<string, AttributeValue>>;

interface Plan {
  readonly id: string;
  readonly service: string;
  readonly startMs: number;
  readonly lengthMs: number;
  readonly status: number;
  readonly attributes: Attributes;
  readonly linked: boolean;
  readonly calls: readonly CallPlan[];
}

interface CallPlan {
  readonly kind: 'service' | 'table' | 'queue' | 'database' | 'remote';
  readonly target: string;
  readonly startMs: number;
  readonly lengthMs: number;
  readonly status: number;
  readonly running: boolean;
  readonly answered: boolean;
}

const services = fc.constantFrom('shop', 'price', 'stock', 'mail');
const statuses = fc.constantFrom(200, 200, 200, 404, 429, 500, 503);

const arbitraryPlan: fc.Arbitrary<Plan> = fc.record({
  id: fc.stringMatching(/^[0-9a-f]{24}$/),
  service: services,
  startMs: fc.integer({ min: 0, max: 7_200_000 }),
  lengthMs: fc.integer({ min: 0, max: 20_000 }),
  status: statuses,
  attributes: fc.dictionary(
    fc.constantFrom('tenant', 'user.id', 'user_id', 'items', 'vip'),
    fc.oneof(
      fc.constantFrom('acme', 'umbrella', '', '7', 'ü"\\'),
      fc.constantFrom(0n, 7n, 2n ** 60n),
      fc.boolean(),
      fc.double(),
    ),
  ),
  linked: fc.boolean(),
  calls: fc.array(
    fc.record({
      kind: fc.constantFrom('service', 'service', 'table', 'queue', 'database', 'remote'),
      target: services,
      startMs: fc.integer({ min: 0, max: 1000 }),
      lengthMs: fc.integer({ min: 0, max: 15_000 }),
      status: statuses,
      running: fc.constantFrom(false, false, false, true),
      answered: fc.boolean(),
    }),
    { maxLength: 4 },
  ),
});

/** To the first call of the first trace, should it have one. */
const noLink = {
  spanId: '0b0'.padEnd(16, '0'),
  traceState: '',
  flags: 0,
  attributes: new Map(),
  droppedAttributesCount: 0,
};

const msNs = 1_000_000n;

function spansOf(
  plan: Plan,
  { index, nowNs, producer }: { readonly index: number; readonly nowNs: bigint; readonly producer: Plan | undefined },
): readonly Span[] {
  // No time in the id: the trace is listed by its earliest span.
  const traceId = `ffffffff${plan.id}`;
  const atNs = (ms: number): bigint => nowNs - 7_200_000n * msNs + BigInt(plan.startMs + ms) * msNs;
  const id = (text: string): string => `${index}${text}`.padEnd(16, '0');
  const root = testSpan({
    traceId,
    spanId: id('a'),
    parentSpanId: undefined,
    name: `GET /${plan.service}`,
    kind: plan.linked ? SpanKind.consumer : SpanKind.server,
    startTimeNs: atNs(0),
    endTimeNs: atNs(plan.lengthMs),
    status: statusOf(plan.status),
    links: plan.linked && producer && index > 0 ? [{ ...noLink, traceId: `ffffffff${producer.id}` }] : [],
    resource: resourceOf(plan.service),
    attributes: new Map<string, AttributeValue>([
      ['http.request.method', 'GET'],
      ['http.response.status_code', BigInt(plan.status)],
      ['url.full', `https://${plan.service}.example/cart`],
      ...Object.entries(plan.attributes),
    ]),
  });
  return [
    root,
    ...plan.calls.flatMap((call, at) => callSpans(call, { root, id: id(`b${at}`), calleeId: id(`c${at}`), atNs })),
  ];
}

interface Surroundings {
  readonly root: Span;
  readonly id: string;
  readonly calleeId: string;
  readonly atNs: (ms: number) => bigint;
}

function callSpans(call: CallPlan, { root, id, calleeId, atNs }: Surroundings): readonly Span[] {
  const caller = testSpan({
    traceId: root.traceId,
    spanId: id,
    parentSpanId: root.spanId,
    name: `call ${call.target}`,
    kind: call.kind === 'queue' ? SpanKind.producer : SpanKind.client,
    startTimeNs: atNs(call.startMs),
    endTimeNs: call.running ? 0n : atNs(call.startMs + call.lengthMs),
    status: statusOf(call.status),
    resource: root.resource,
    attributes: new Map(Object.entries(callAttributes(call))),
  });
  if (call.kind !== 'service' || !call.answered) return [caller];
  const callee = testSpan({
    traceId: root.traceId,
    spanId: calleeId,
    parentSpanId: id,
    name: `GET /${call.target}`,
    kind: SpanKind.server,
    startTimeNs: atNs(call.startMs + 1),
    endTimeNs: atNs(call.startMs + call.lengthMs),
    status: statusOf(call.status),
    resource: resourceOf(call.target),
    attributes: new Map([['http.response.status_code', BigInt(call.status)]]),
  });
  return [caller, callee];
}

function callAttributes({ kind, target, status }: CallPlan): Attributes {
  const http = { 'http.response.status_code': BigInt(status) };
  switch (kind) {
    case 'table':
      return {
        ...http,
        'rpc.system': 'aws-api',
        'rpc.service': 'DynamoDB',
        'rpc.method': 'Query',
        'aws.dynamodb.table_names': [`${target}-items`],
      };
    case 'queue':
      return {
        'messaging.system': 'aws_sqs',
        'rpc.system': 'aws-api',
        'rpc.service': 'SQS',
        'rpc.method': 'SendMessage',
        'aws.queue.url': `https://sqs.eu-west-1.amazonaws.com/111122223333/${target}`,
      };
    case 'database':
      return { 'db.system.name': 'postgresql', 'db.namespace': target, 'server.address': `${target}.db` };
    default:
      return { ...http, 'url.full': `https://${target}.example/x`, 'server.address': `${target}.example` };
  }
}

function statusOf(status: number): Span['status'] {
  return { code: status >= 400 ? StatusCode.error : StatusCode.unset, message: '' };
}

function resourceOf(service: string): Span['resource'] {
  return {
    ...emptyResource,
    attributes: new Map<string, AttributeValue>([
      ['service.name', service],
      ['cloud.platform', 'aws_ecs'],
      ['cloud.account.id', '111122223333'],
    ]),
  };
}
