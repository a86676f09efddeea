/**
 * Writes test/fixtures/otlp: what the exporters of the OpenTelemetry JS SDK send, body by body.
 *
 *   npm run build && node dist/scripts/capture-otlp.js
 */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Attributes, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider, type SpanExporter } from '@opentelemetry/sdk-trace-node';
import { rootPath } from '../test/support/root.ts';

const folder = rootPath('test/fixtures/otlp');
mkdirSync(folder, { recursive: true });

const scenes: Readonly<Record<string, (provider: NodeTracerProvider) => void>> = {
  one: (provider) => provider.getTracer('plain').startSpan('work').end(),
  checkout,
  values,
};

for (const [name, play] of Object.entries(scenes)) {
  await capture(`${name}.pb`, play, (url) => new ProtobufExporter({ url }));
  await capture(`${name}.json`, play, (url) => new JsonExporter({ url }));
}

async function capture(
  file: string,
  play: (provider: NodeTracerProvider) => void,
  open: (url: string) => SpanExporter,
): Promise<void> {
  const bodies: Buffer[] = [];
  const server = createServer((request, response) => {
    request.on('data', (piece: Buffer) => bodies.push(piece));
    request.on('end', () => response.writeHead(200, { 'content-type': String(request.headers['content-type']) }).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // A TCP server that listens has one.
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'checkout',
      'cloud.provider': 'aws',
      'service.version': '1.4.2',
    }),
    spanProcessors: [new BatchSpanProcessor(open(`http://127.0.0.1:${port}/v1/traces`))],
  });
  play(provider);
  await provider.shutdown();
  server.close();
  writeFileSync(`${folder}/${file}`, Buffer.concat(bodies));
}

/** A request that calls a database and a service, and fails. */
function checkout(provider: NodeTracerProvider): void {
  const tracer = provider.getTracer('@opentelemetry/instrumentation-http', '0.203.0');
  const server = tracer.startSpan('GET /checkout/{id}', {
    kind: SpanKind.SERVER,
    attributes: {
      'http.request.method': 'GET',
      'http.method': 'GET',
      'url.full': 'https://shop.example/checkout/7?x=1',
      'http.route': '/checkout/{id}',
      'http.response.status_code': 500,
      'client.address': '198.51.100.7',
      'user_agent.original': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0',
      'aws.xray.annotations': ['tenant'],
      tenant: 'acme',
    },
  });
  child(provider, server, 'SELECT orders', {
    'db.system.name': 'postgresql',
    'db.namespace': 'orders',
    'db.query.text': 'SELECT id, total FROM orders WHERE customer_id = $1 AND status = $2 LIMIT 50',
    'server.address': 'orders.example',
    'server.port': 5432,
  }).end();
  const call = child(provider, server, 'DynamoDB.GetItem', {
    'rpc.system': 'aws-api',
    'rpc.service': 'DynamoDB',
    'rpc.method': 'GetItem',
    'aws.region': 'eu-central-1',
    'aws.dynamodb.table_names': ['carts', 'prices'],
    'http.response.status_code': 400,
  });
  const error = new Error('throughput exceeded');
  error.stack =
    'Error: throughput exceeded\n    at send (/app/node_modules/client/send.js:12:34)\n    at async file:///app/cart.mjs:5:6';
  call.recordException(error);
  call.setStatus({ code: SpanStatusCode.ERROR, message: 'throughput exceeded' });
  call.end();
  server.addEvent('retry', { attempt: 2 });
  server.setStatus({ code: SpanStatusCode.ERROR });
  server.end();
}

function child(provider: NodeTracerProvider, parent: Span, name: string, attributes: Attributes): Span {
  const context = trace.setSpan(ROOT_CONTEXT, parent);
  const link = { context: parent.spanContext(), attributes: { 'messaging.batch.index': 1 } };
  return provider.getTracer('client').startSpan(name, { kind: SpanKind.CLIENT, attributes, links: [link] }, context);
}

/** Every type of attribute that the SDK has, and text in several scripts. */
function values(provider: NodeTracerProvider): void {
  const span = provider.getTracer('värde', '1.0').startSpan('名前 😀', {
    kind: SpanKind.PRODUCER,
    attributes: {
      text: 'Straße',
      empty: '',
      whole: 2 ** 53 - 1,
      negative: -1,
      double: 0.1,
      huge: 1e300,
      yes: true,
      texts: ['a', 'ä', '€', '😀'],
      numbers: [1, 2.5, -3],
      flags: [true, false],
      nothing: [],
      long: 'x'.repeat(300),
    },
  });
  span.end();
}
