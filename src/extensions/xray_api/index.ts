import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { endpoint } from '../../config/schema.ts';
import { RaybridgeError } from '../../errors.ts';
import { readAwsRequest, sendAwsAnswer, sendAwsError } from '../../net/aws-json.ts';
import type { HttpRequest } from '../../net/http.ts';
import { answerOtlp } from '../../net/otlp-http.ts';
import type { Component, ExtensionFactory } from '../../pipeline/component.ts';
import {
  createAccount,
  createGroupRegistry,
  createInsightWatcher,
  createPolicyRegistry,
  createRetrievalRegistry,
  createTagRegistry,
  createTraceReader,
  openInsightDocuments,
} from '../../reader/index.ts';
import { authSchema, createGate, type Gate } from './authentication.ts';
import { everyMinute } from './every-minute.ts';
import type { Backend, Operation } from './operation.ts';
import { operations } from './operations.ts';
import { createOtlpDoor, otlpPath } from './otlp.ts';

const configSchema = z.strictObject({
  endpoint: endpoint.default('127.0.0.1:2080'),
  store: z.string().default('clickhouse'),
  max_request_body_size: z
    .int()
    .min(1)
    .default(20 * 1024 * 1024),
  /** Looks for insights every minute. Of several processes that share a store, one should. */
  find_insights: z.boolean().default(true),
  auth: authSchema.optional(),
});

/** The X-Ray API (2016-04-12) as any AWS SDK speaks it: POST on a fixed path, JSON in, JSON out. */
export const xrayApi: ExtensionFactory = {
  kind: 'extension',
  type: 'xray_api',
  configSchema,
  create({ config, context, intake }): Component {
    // The register has checked `config` with the schema above.
    const settings = config as z.output<typeof configSchema>;
    const { auth, max_request_body_size: bytesMax } = settings;
    const backend = createBackend({ context, intake, store: context.store(settings.store) });
    const gate = createGate({ auth, endpoint: settings.endpoint, nowNs: context.nowNs });
    const otlp = createOtlpDoor({ backend, gate, bytesMax });
    const watcher = createInsightWatcher({ ...context, ...backend });
    const stopping = new AbortController();
    let watching = Promise.resolve();
    return {
      async start() {
        if (auth && !gate) {
          context.log.warn(
            { component: context.id },
            'keys are not asked for on loopback; auth.enforce_on_loopback does',
          );
        }
        if (settings.find_insights) watching = everyMinute(watcher.evaluate, { context, signal: stopping.signal });
        context.http.mount({
          component: context.id,
          protocol: 'X-Ray API',
          endpoint: settings.endpoint,
          access: gate ? 'signed' : 'api',
          matches: ({ method, path }) => path === otlpPath || (method === 'POST' && !path.startsWith('/api/')),
          handle: (request, response) =>
            request.path === otlpPath
              ? answerOtlp(request, response, otlp)
              : handle(request, response, { backend, gate, bytesMax }),
        });
      },
      async shutdown() {
        stopping.abort();
        await watching;
      },
    };
  },
};

function createBackend({ context, intake, store }: Pick<Backend, 'context' | 'intake' | 'store'>): Backend {
  const kept = { store, nowNs: context.nowNs };
  return {
    context,
    intake,
    store,
    reader: createTraceReader(store),
    insights: openInsightDocuments(kept),
    groups: createGroupRegistry(kept),
    tags: createTagRegistry(kept),
    policies: createPolicyRegistry(kept),
    account: createAccount(kept),
    retrievals: createRetrievalRegistry(kept),
  };
}

async function handle(
  request: HttpRequest,
  response: ServerResponse,
  {
    backend,
    gate,
    bytesMax,
  }: { readonly backend: Backend; readonly gate: Gate | undefined; readonly bytesMax: number },
): Promise<void> {
  const { id, log, telemetry } = backend.context;
  const operation = operations.get(request.path);
  const labels = { operation: operation?.name ?? 'unknown' };
  try {
    const verify = await gate?.admit(request.message, operation?.name);
    const members = await readAwsRequest(request.message, { bytesMax, verify });
    sendAwsAnswer(response, await knownOperation(operation).run(members, { ...backend, signal: request.signal }));
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

function knownOperation(operation: Operation | undefined): Operation {
  if (operation) return operation;
  throw new RaybridgeError('UNKNOWN_OPERATION', 'the X-Ray API has no operation at this path');
}
