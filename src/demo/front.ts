import { type Span, SpanKind, trace } from '@opentelemetry/api';
import { toXrayTraceId } from '../model/index.ts';
import { addressOf, type Answer, type Call, serve } from './http.ts';
import { called, handled, startTracing, traced } from './otel.ts';

/**
 * The shop's entry: `POST /orders`, and the sample endpoints that X-Ray and OpenTelemetry
 * examples have in common. Each answers with the id of its trace.
 */
startTracing('shop-api', {
  'cloud.platform': 'aws_ecs',
  'aws.ecs.launchtype': 'fargate',
  'container.name': 'shop-api-1',
});

const routes: ReadonlyMap<string, (received: Call, span: Span) => Promise<object>> = new Map([
  ['POST /orders', placeOrder],
  [
    'GET /',
    async () => ({
      message: 'GET /generate, /generate-hierarchical, /outgoing-http-call, /aws-sdk-call, /outgoing-sampleapp',
    }),
  ],
  ['GET /generate', async () => ({})],
  ['GET /generate-hierarchical', generateHierarchical],
  ['GET /outgoing-http-call', outgoingHttpCall],
  ['GET /aws-sdk-call', awsSdkCall],
  ['GET /outgoing-sampleapp', outgoingSampleApp],
]);

await serve(Number(process.env['SHOP_PORT'] ?? 5000), async (received) => {
  const path = received.path.split('?')[0] ?? '/';
  const route = routes.get(`${received.method} ${path}`);
  if (!route) return { status: 404, body: { message: `Nothing at ${received.method} ${path}` } };
  return await handled(received, path, async (span): Promise<Answer> => {
    const traceId = toXrayTraceId(span.spanContext().traceId);
    try {
      return { status: 200, body: { traceId, ...(await route(received, span)) } };
    } catch (error) {
      return { status: 500, body: { traceId, message: String(error) } };
    }
  });
});

async function placeOrder({ body }: Call, span: Span): Promise<object> {
  const order = Number(body['order']);
  span.setAttributes({
    'aws.xray.annotations': ['order', 'tenant', 'trouble'],
    order,
    tenant: order % 3 === 0 ? 'acme' : 'globex',
    trouble: String(body['trouble']),
    'enduser.id': `u-${(order % 5) + 11}`,
  });
  const question = { order, trouble: body['trouble'] };
  await called(callOf('price.shop.example', '/price'), `${addressOf('price')}/price`, question);
  await called(callOf('stock.shop.example', '/reserve'), `${addressOf('stock')}/reserve`, question);
  await called(
    {
      name: 'orders send',
      kind: SpanKind.PRODUCER,
      attributes: {
        'messaging.system': 'aws_sqs',
        'messaging.destination.name': 'orders',
        'messaging.operation.type': 'send',
        'peer.service': 'orders queue',
      },
    },
    `${addressOf('queue')}/send`,
    question,
  );
  return { order };
}

async function generateHierarchical(): Promise<object> {
  await traced({ name: 'outer', kind: SpanKind.INTERNAL }, () =>
    traced({ name: 'middle', kind: SpanKind.INTERNAL }, () =>
      traced({ name: 'inner', kind: SpanKind.INTERNAL }, async (span) => void span.addEvent('reached the inside')),
    ),
  );
  return {};
}

async function outgoingHttpCall(): Promise<object> {
  await called(callOf('search.shop.example', '/search'), `${addressOf('backends')}/search`, {});
  return {};
}

async function awsSdkCall(): Promise<object> {
  const attributes = {
    'rpc.system': 'aws-api',
    'rpc.service': 'S3',
    'rpc.method': 'ListBuckets',
    'aws.request_id': trace.getActiveSpan()?.spanContext().spanId ?? '',
    'cloud.region': 'eu-west-1',
  };
  await called({ name: 'S3.ListBuckets', attributes }, `${addressOf('backends')}/object-store`, {});
  return {};
}

async function outgoingSampleApp(): Promise<object> {
  await called(callOf('stock.shop.example', '/reserve'), `${addressOf('stock')}/reserve`, { order: 0 });
  return {};
}

function callOf(host: string, path: string): { name: string; attributes: Record<string, string> } {
  return {
    name: 'POST',
    attributes: { 'http.request.method': 'POST', 'url.full': `http://${host}${path}`, 'server.address': host },
  };
}
