import { context, propagation, SpanKind } from '@opentelemetry/api';
import { addressOf, type Answer, type Call, serve } from './http.ts';
import { called, startTracing, traced } from './otel.ts';

/** The consumer of the queue: writes the order to a database, its receipt to an object store, and indexes it. */
startTracing('order-worker', {
  'cloud.platform': 'aws_ecs',
  'aws.ecs.launchtype': 'ec2',
  'container.name': 'worker-1',
});

await serve(0, (received) =>
  context.with(propagation.extract(context.active(), { 'x-amzn-trace-id': received.body['AWSTraceHeader'] }), () =>
    traced(
      {
        name: 'orders process',
        kind: SpanKind.CONSUMER,
        attributes: {
          'messaging.system': 'aws_sqs',
          'messaging.destination.name': 'orders',
          'messaging.operation.type': 'process',
          order: Number(received.body['order']),
        },
      },
      () => processOrder(received),
    ).catch((error: unknown): Answer => ({ status: 500, body: { message: String(error) } })),
  ),
);

async function processOrder({ body }: Call): Promise<Answer> {
  await called(
    {
      name: 'INSERT orders',
      attributes: {
        'db.system.name': 'postgresql',
        'db.namespace': 'orders',
        'db.query.text': 'INSERT INTO orders (id, tenant) VALUES ($1, $2)',
        'server.address': 'orders-db.shop.example',
        'server.port': 5432,
      },
    },
    `${addressOf('backends')}/database`,
    body,
  );
  await called(
    {
      name: 'S3.PutObject',
      attributes: {
        'rpc.system': 'aws-api',
        'rpc.service': 'S3',
        'rpc.method': 'PutObject',
        'aws.s3.bucket': 'receipts',
        'cloud.region': 'eu-west-1',
      },
    },
    `${addressOf('backends')}/object-store`,
    body,
  );
  await called(
    {
      name: 'POST',
      attributes: {
        'http.request.method': 'POST',
        'url.full': 'http://search.shop.example/orders/_doc',
        'server.address': 'search.shop.example',
      },
    },
    `${addressOf('backends')}/search`,
    body,
  );
  return { status: 200, body: {} };
}
