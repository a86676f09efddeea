import { type Agent, request } from 'node:http';
import { encodeTraces } from '../../src/codec/index.ts';
import { emptyResource, type Span, SpanKind } from '../../src/model/index.ts';
import { testSpan } from '../../test/support/span.ts';

/** Requests as an exporter of a busy service sends them. */
export const spansPerRequest = 100;
const distinctBodies = 64;
/** Begins every trace id; the bytes after it are made new for each request. */
const marker = Buffer.from('6b656570a1b2c3d4', 'hex');

/** Protobuf bodies to take turns with. */
export function makeBodies(): readonly Buffer[] {
  return Array.from({ length: distinctBodies }, (_, index) => Buffer.from(encodeTraces(makeSpans(index))));
}

/** The same spans under new ids: the 16 bytes of each trace id are overwritten in place. */
export function refreshed(body: Buffer, number: number): Buffer {
  const copy = Buffer.from(body);
  for (let at = copy.indexOf(marker); at >= 0; at = copy.indexOf(marker, at + 16))
    copy.writeUInt32BE(number, at + marker.length);
  return copy;
}

function makeSpans(index: number): readonly Span[] {
  const startTimeNs = BigInt(Date.now()) * 1_000_000n;
  const resource = {
    ...emptyResource,
    attributes: new Map<string, string>([
      ['service.name', `service-${index % 20}`],
      ['service.version', '1.4.2'],
      ['cloud.provider', 'aws'],
      ['cloud.region', 'eu-west-1'],
      ['host.name', `host-${index % 7}`],
      ['telemetry.sdk.name', 'opentelemetry'],
      ['telemetry.sdk.language', 'nodejs'],
      ['telemetry.sdk.version', '2.12.0'],
    ]),
  };
  return Array.from({ length: spansPerRequest }, (_, number) => {
    const trace = Math.floor(number / 10);
    const step = number % 10;
    const spanId = (position: number): string =>
      (index * 1000 + trace * 10 + position + 1).toString(16).padStart(16, '0');
    return testSpan({
      traceId: `${marker.toString('hex')}00000000${(index * 100 + trace).toString(16).padStart(8, '0')}`,
      spanId: spanId(step),
      parentSpanId: step === 0 ? undefined : spanId(0),
      flags: 1,
      name: step === 0 ? 'GET /orders/{id}' : `SELECT ${step}`,
      kind: step === 0 ? SpanKind.server : SpanKind.client,
      startTimeNs: startTimeNs + BigInt(step) * 1_000_000n,
      endTimeNs: startTimeNs + BigInt(step + 12) * 1_000_000n,
      attributes: new Map<string, string | bigint | boolean>([
        ['http.request.method', 'GET'],
        ['url.full', `https://shop.example/orders/${number}`],
        ['http.response.status_code', step === 3 && trace % 10 === 0 ? 500n : 200n],
        ['user_agent.original', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36'],
        ['client.address', '198.51.100.7'],
        ['db.system.name', 'postgresql'],
        ['db.namespace', 'orders'],
        ['db.query.text', 'SELECT * FROM orders WHERE id = $1 AND tenant = $2'],
        ['enduser.id', `user-${number}`],
        ['tenant', `tenant-${index % 11}`],
        ['cart.items', BigInt(number % 9)],
        ['beta', number % 2 === 0],
      ]),
      resource,
    });
  });
}

export async function post(agent: Agent, address: string, body: Buffer): Promise<number> {
  return await new Promise((resolve, reject) => {
    const sending = request(
      `http://${address}/v1/traces`,
      { method: 'POST', agent, headers: { 'content-type': 'application/x-protobuf' } },
      (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      },
    );
    sending.on('error', reject).end(body);
  });
}
