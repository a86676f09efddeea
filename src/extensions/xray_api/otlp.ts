import type { OtlpDoor } from '../../net/otlp-http.ts';
import { createTraceTaker } from '../../net/trace-taker.ts';
import type { Gate } from './authentication.ts';
import type { Backend } from './operation.ts';
import { putSpans } from './roles.ts';

/** OTLP on the port of the API, as X-Ray takes it (AWS X-Ray Developer Guide, "OpenTelemetry Protocol (OTLP) endpoint"). */
export const otlpPath = '/v1/traces';

/** X-Ray's limits of one request. Those of times and of one span are not ours: late and large spans are kept. */
const otlpBytesMax = 5 * 1024 * 1024;
const otlpSpansMax = 10_000;

export function createOtlpDoor({
  backend: { context, intake },
  gate,
  bytesMax,
}: {
  readonly backend: Backend;
  readonly gate: Gate | undefined;
  /** Of the API's requests; it holds here, too. */
  readonly bytesMax: number;
}): OtlpDoor {
  const taker = createTraceTaker({ context, intake });
  return {
    bytesMax: Math.min(bytesMax, otlpBytesMax),
    admit: gate && ((message) => gate.admit(message, putSpans)),
    take: (traces) => taker.take({ ...traces, spansMax: otlpSpansMax }),
    fail: taker.fail,
  };
}
