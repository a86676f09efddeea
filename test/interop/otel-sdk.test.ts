import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  GetServiceGraphCommand,
  GetTraceGraphCommand,
  GetTraceSummariesCommand,
  type XRayClient,
} from '@aws-sdk/client-xray';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { NodeTracerProvider, SimpleSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-node';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toXrayTraceId } from '../../src/model/index.ts';
import { eventually } from '../support/eventually.ts';
import { type Addresses, type RunningRaybridge, startRaybridge } from '../support/raybridge.ts';
import { openXrayClient, readDocuments } from '../support/xray-client.ts';

describe('the OpenTelemetry JS SDK', () => {
  let raybridge: RunningRaybridge;
  let client: XRayClient;

  before(async () => {
    raybridge = await startRaybridge(await mkdtemp(join(tmpdir(), 'raybridge-otel-')));
    client = openXrayClient(raybridge.addresses.api);
  });
  after(async () => {
    client.destroy();
    await raybridge.kill('SIGTERM');
    await rm(raybridge.dataDir, { recursive: true, force: true });
  });

  const exporters: readonly { name: string; open: (addresses: Addresses) => SpanExporter }[] = [
    { name: 'gRPC', open: ({ otlpGrpc }) => new GrpcExporter({ url: `http://${otlpGrpc}` }) },
    { name: 'HTTP protobuf', open: ({ otlpHttp }) => new ProtobufExporter({ url: `http://${otlpHttp}/v1/traces` }) },
    { name: 'HTTP JSON', open: ({ otlpHttp }) => new JsonExporter({ url: `http://${otlpHttp}/v1/traces` }) },
  ];

  for (const { name, open } of exporters) {
    it(`sends by ${name}, and @aws-sdk/client-xray reads the trace back`, async () => {
      const service = `checkout by ${name}`;
      const traceId = await sendCheckout(open(raybridge.addresses), service);

      const documents = await readDocuments(client, traceId, 3);
      const root = documents.find((document) => document['name'] === service);
      assert.ok(root, 'the server span is a segment named after its service');
      assert.deepEqual(root['http'], {
        request: { method: 'GET', url: 'http://shop.example/checkout' },
        response: { status: 500 },
      });
      assert.equal(root['fault'], true);
      assert.deepEqual(root['annotations'], { tenant: 'acme' });
      const calls = root['subsegments'];
      assert.ok(Array.isArray(calls));
      const database = calls.find((call) => call.namespace === 'remote' && call.sql);
      assert.equal(database.sql.sanitized_query, 'SELECT 1');
      assert.equal(database.cause.exceptions[0].message, 'connection lost');
      assert.ok(
        documents.some((document) => document['inferred'] === true),
        'the callees appear as inferred segments',
      );
    });
  }

  it('is found by filter expressions, and drawn as a graph', async () => {
    const service = 'checkout to be found';
    const startedAt = new Date(Date.now() - 60_000);
    const traceId = await sendCheckout(
      new ProtobufExporter({ url: `http://${raybridge.addresses.otlpHttp}/v1/traces` }),
      service,
    );
    const range = { StartTime: startedAt, EndTime: new Date(Date.now() + 60_000) };

    for (const FilterExpression of [
      `service("${service}") { fault = true }`,
      `annotation.tenant = "acme" AND service("${service}")`,
      `http.status = 500 AND responsetime >= 0 AND service("${service}")`,
    ]) {
      const found = await eventually(FilterExpression, async () => {
        const { TraceSummaries = [] } = await client.send(new GetTraceSummariesCommand({ ...range, FilterExpression }));
        return TraceSummaries[0];
      });
      assert.equal(found.Id, traceId);
      assert.equal(found.HasFault, true);
      assert.equal(found.Http?.HttpStatus, 500);
    }
    const { TraceSummaries: none } = await client.send(
      new GetTraceSummariesCommand({ ...range, FilterExpression: `service("${service}") AND ok` }),
    );
    assert.deepEqual(none, []);

    const { Services: ofTrace = [] } = await client.send(new GetTraceGraphCommand({ TraceIds: [traceId] }));
    const node = ofTrace.find(({ Name, Type }) => Name === service && Type !== 'client');
    assert.equal(node?.SummaryStatistics?.FaultStatistics?.TotalCount, 1);
    const { Services: ofRange = [] } = await client.send(new GetServiceGraphCommand(range));
    assert.ok(ofRange.some(({ Name, Root }) => Name === service && Root === true));
  });
});

/** A server span with a failed database call and an HTTP call; the X-Ray trace id. */
async function sendCheckout(exporter: SpanExporter, service: string): Promise<string> {
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer('interop');
  const server = tracer.startSpan('GET /checkout', {
    kind: SpanKind.SERVER,
    attributes: {
      'http.request.method': 'GET',
      'url.full': 'http://shop.example/checkout',
      'http.response.status_code': 500,
      'aws.xray.annotations': ['tenant'],
      tenant: 'acme',
    },
  });
  const inServer = trace.setSpan(ROOT_CONTEXT, server);
  const database = tracer.startSpan(
    'SELECT',
    {
      kind: SpanKind.CLIENT,
      attributes: {
        'db.system.name': 'postgresql',
        'db.namespace': 'shop',
        'db.query.text': 'SELECT 1',
        'server.address': 'db.example',
      },
    },
    inServer,
  );
  database.recordException(new Error('connection lost'));
  database.setStatus({ code: SpanStatusCode.ERROR, message: 'connection lost' });
  database.end();
  tracer
    .startSpan(
      'GET',
      {
        kind: SpanKind.CLIENT,
        attributes: {
          'http.request.method': 'GET',
          'url.full': 'https://price.example/v1',
          'http.response.status_code': 200,
        },
      },
      inServer,
    )
    .end();
  server.end();
  await provider.forceFlush();
  await provider.shutdown();
  return toXrayTraceId(server.spanContext().traceId);
}
