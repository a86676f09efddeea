import { encodeTracesResponse } from '../../codec/otlp-proto.ts';
import { RaybridgeError } from '../../errors.ts';
import { openGrpc, type GrpcMethod, type GrpcServer } from '../../net/grpc.ts';
import { createTraceTaker, type TraceTaker } from '../../net/trace-taker.ts';
import type { Component, Context, Intake, ReceiverFactory } from '../../pipeline/component.ts';
import { configSchema, type OtlpConfig } from './config.ts';
import { createHttpMount, type Doorkeeper } from './http.ts';

/** OTLP over gRPC and HTTP, protobuf and JSON (OTLP specification 1.x). */
export const otlpReceiver: ReceiverFactory = {
  kind: 'receiver',
  type: 'otlp',
  configSchema,
  create({ config, context, intake, ignoredSignals }) {
    // The register has checked `config` with the schema above.
    return createOtlpReceiver({ config: config as OtlpConfig, context, intake, ignored: ignoredSignals });
  },
};

export function createOtlpReceiver({
  config: { protocols },
  context,
  intake,
  ignored,
}: {
  readonly config: OtlpConfig;
  readonly context: Context;
  readonly intake: Intake;
  /** Signals of pipelines that are ignored: their requests succeed and are dropped, counted. */
  readonly ignored: ReadonlySet<string>;
}): Component {
  const taker = createTraceTaker({ context, intake });
  let grpc: GrpcServer | undefined;

  return {
    async start() {
      const { id: component, status, log, http } = context;
      if (protocols.http) {
        const admit = doorkeeperOf(context, protocols.http.auth?.authenticator);
        http.mount(createHttpMount({ component, config: protocols.http, taker, ignored, admit }));
      }
      if (!protocols.grpc) return;
      const admit = doorkeeperOf(context, protocols.grpc.auth?.authenticator);
      grpc = await openGrpc({
        component,
        protocol: 'OTLP gRPC',
        endpoint: protocols.grpc.endpoint,
        methods: grpcMethods(taker, ignored),
        requestBytesMax: protocols.grpc.max_recv_msg_size_mib * 1024 * 1024,
        streamsMax: protocols.grpc.max_concurrent_streams || streamsMaxDefault,
        tls: protocols.grpc.tls,
        admit: admit && refusing(admit, taker),
        status,
        log,
      });
    },
    async shutdown(deadlineMs) {
      const opened = grpc;
      grpc = undefined;
      await opened?.close(deadlineMs);
    },
  };
}

/**
 * Says who may send, by headers or metadata; undefined lets everybody.
 * @throws RaybridgeError CONFIG_INVALID: there is no such extension, or it does not judge requests.
 */
function doorkeeperOf(context: Context, id: string | undefined): Doorkeeper | undefined {
  if (id === undefined) return undefined;
  const { verify } = context.authenticator(id);
  if (verify) return verify;
  throw new RaybridgeError(
    'CONFIG_INVALID',
    `${context.id}: the authenticator "${id}" is for clients; it cannot judge requests`,
  );
}

/** A refusal is counted as any other. */
function refusing(admit: Doorkeeper, taker: TraceTaker): Doorkeeper {
  return async (metadata) => {
    try {
      await admit(metadata);
    } catch (error) {
      taker.fail(error, undefined);
      throw error;
    }
  };
}

/** "No limit" of the Collector would let one connection reset streams by the million (CVE-2023-44487). */
const streamsMaxDefault = 100;

function grpcMethods(taker: TraceTaker, ignored: ReadonlySet<string>): ReadonlyMap<string, GrpcMethod> {
  const methods = new Map([[exportPath('trace.v1.Trace'), exportTraces(taker)]]);
  for (const [signal, service] of otherServices) {
    if (ignored.has(signal)) methods.set(exportPath(service), exportIgnored(taker, signal));
  }
  return methods;
}

const otherServices = [
  ['metrics', 'metrics.v1.Metrics'],
  ['logs', 'logs.v1.Logs'],
  ['profiles', 'profiles.v1development.Profiles'],
] as const;

function exportPath(service: string): string {
  return `/opentelemetry.proto.collector.${service}Service/Export`;
}

function exportTraces(taker: TraceTaker): GrpcMethod {
  return async (body) => {
    try {
      return encodeTracesResponse(await taker.take({ body, encoding: 'protobuf' }));
    } catch (error) {
      taker.fail(error, body);
      throw error;
    }
  };
}

function exportIgnored(taker: TraceTaker, signal: string): GrpcMethod {
  return async () => {
    taker.ignore(signal);
    return encodeTracesResponse({ rejected: 0, message: '' });
  };
}
