import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { endpoint } from '../../config/schema.ts';
import { RaybridgeError } from '../../errors.ts';
import { readAwsRequest, sendAwsAnswer, sendAwsError } from '../../net/aws-json.ts';
import type { HttpRequest } from '../../net/http.ts';
import { answerOtlp, type OtlpDoor } from '../../net/otlp-http.ts';
import { createTraceTaker } from '../../net/trace-taker.ts';
import type { Component, ExtensionFactory } from '../../pipeline/component.ts';
import { createTraceReader } from '../../reader/index.ts';
import { authSchema, createGate, type Gate } from './authentication.ts';
import type { Backend, Operation } from './operation.ts';
import { operations, unansweredPaths } from './operations.ts';
import { putSpans } from './roles.ts';

const configSchema = z.strictObject({
  endpoint: endpoint.default('127.0.0.1:2080'),
  store: z.string().default('clickhouse'),
  max_request_body_size: z
    .int()
    .min(1)
    .default(20 * 1024 * 1024),
  auth: authSchema.optional(),
});

/** Where X-Ray takes OTLP, and how much of it in one request (AWS X-Ray Developer Guide, "OpenTelemetry Protocol endpoint"). */
const otlpPath = '/v1/traces';
const otlpBytesMax = 5 * 1024 * 1024;
const otlpSpansMax = 10_000;

/** The X-Ray API (2016-04-12) as any AWS SDK speaks it: POST on a fixed path, JSON in, JSON out. */
export const xrayApi: ExtensionFactory = {
  kind: 'extension',
  type: 'xray_api',
  configSchema,
  create({ config, context, intake }): Component {
    // The register has checked `config` with the schema above.
    const settings = config as z.output<typeof configSchema>;
    const { endpoint, auth, max_request_body_size: bytesMax } = settings;
    const backend: Backend = { context, intake, reader: createTraceReader(context.store(settings.store)) };
    const gate = createGate({ auth, endpoint, nowNs: context.nowNs });
    const otlp = createOtlpDoor({ backend, gate, bytesMax: Math.min(bytesMax, otlpBytesMax) });
    return {
      async start() {
        context.http.mount({
          component: context.id,
          protocol: 'X-Ray API',
          endpoint,
          access: gate ? 'signed' : 'api',
          matches: ({ method, path }) => path === otlpPath || (method === 'POST' && !path.startsWith('/api/')),
          handle: (request, response) =>
            request.path === otlpPath
              ? answerOtlp(request, response, otlp)
              : handle(request, response, { backend, gate, bytesMax }),
        });
      },
      async shutdown() {},
    };
  },
};

interface Door {
  readonly backend: Backend;
  readonly gate: Gate | undefined;
  readonly bytesMax: number;
}

function createOtlpDoor({ backend: { context, intake }, gate, bytesMax }: Door): OtlpDoor {
  const taker = createTraceTaker({ context, intake });
  return {
    bytesMax,
    admit: gate && ((message) => gate.admit(message, putSpans)),
    take: (traces) => taker.take({ ...traces, spansMax: otlpSpansMax }),
    fail: taker.fail,
  };
}

async function handle(
  request: HttpRequest,
  response: ServerResponse,
  { backend, gate, bytesMax }: Door,
): Promise<void> {
  const { id, log, telemetry } = backend.context;
  const operation = operations.get(request.path);
  const labels = { operation: operation?.name ?? 'unknown' };
  try {
    const verify = await gate?.admit(request.message, operation?.name);
    const members = await readAwsRequest(request.message, { bytesMax, verify });
    sendAwsAnswer(
      response,
      await knownOperation(operation, request.path).run(members, { ...backend, signal: request.signal }),
    );
    telemetry.count('raybridge_api_requests_total', { ...labels, outcome: 'ok' });
  } catch (error) {
    // The client is gone and its question was given up; a bug that strikes then is still a bug.
    if (error === request.signal.reason) {
      telemetry.count('raybridge_api_requests_total', { ...labels, outcome: 'abandoned' });
      return;
    }
    if (!(error instanceof RaybridgeError))
      log.error({ err: error, ...labels }, 'an operation of the X-Ray API failed because of a bug');
    const outcome = sendAwsError(response, error, { access: operation?.access ?? 'read' });
    telemetry.count('raybridge_api_requests_total', { ...labels, outcome });
    if (error instanceof RaybridgeError && error.retryable && operation?.access === 'write')
      telemetry.count('raybridge_refused_requests_total', { receiver: id, reason: error.code });
  }
}

function knownOperation(operation: Operation | undefined, path: string): Operation {
  if (operation) return operation;
  const later = unansweredPaths.get(path);
  throw new RaybridgeError(
    'UNKNOWN_OPERATION',
    later ? `${later} is not answered by this version of Raybridge` : 'the X-Ray API has no operation at this path',
  );
}
