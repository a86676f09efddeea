import { SpanKind } from '@opentelemetry/api';
import { addressOf, serve } from './http.ts';
import { called, handled, startTracing, traced } from './otel.ts';

/** A function written with OpenTelemetry: reserves goods in a database. */
startTracing('stock', { 'cloud.platform': 'aws_lambda', 'faas.name': 'stock' });

await serve(0, (received) =>
  handled(received, '/reserve', async () => {
    if (process.env['SHOP_BREAK'] === 'stock') return { status: 500, body: { message: 'stock is out of order' } };
    await traced(
      { name: 'choose warehouse', kind: SpanKind.INTERNAL, attributes: { 'warehouse.id': 7 } },
      async () => {},
    );
    await called(
      {
        name: 'UPDATE goods',
        attributes: {
          'db.system.name': 'postgresql',
          'db.namespace': 'stock',
          'db.query.text': 'UPDATE goods SET reserved = reserved + 1 WHERE id = $1',
          'server.address': 'stock-db.shop.example',
          'server.port': 5432,
        },
      },
      `${addressOf('backends')}/database`,
      received.body,
    );
    return { status: 200, body: { reserved: true } };
  }),
);
