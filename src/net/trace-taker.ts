import { inspectTraces, inspectTracesJson } from '../codec/index.ts';
import { RaybridgeError } from '../errors.ts';
import { createBatch } from '../pipeline/batches.ts';
import type { Context, Intake } from '../pipeline/component.ts';
import { toIngestFailure, type IngestFailure } from './status.ts';

/** What all doors for OTLP have in common: a request is checked, made durable, and counted. */
export interface TraceTaker {
  /**
   * Resolves when every good span of the request is durable; only then may the sender be told.
   * @throws RaybridgeError BAD_INPUT, TOO_LARGE, and what the intake throws. Every error goes to `fail`.
   */
  take(request: TraceRequest): Promise<TraceReceipt>;
  /** Counts a request that failed, shows it on the status page, and says how to answer it. */
  fail(error: unknown, body: Uint8Array | undefined): IngestFailure;
  /** A request of another signal: answered with success, dropped, counted, and warned of once. */
  ignore(signal: string): void;
}

export interface TraceRequest {
  readonly body: Uint8Array;
  readonly encoding: Encoding;
  /** More spans than this are too large a request; as many as the body can hold, if not given. */
  readonly spansMax?: number;
}

export type Encoding = 'protobuf' | 'json';

/** Spans that were refused for good; `message` is empty when there are none. */
export interface TraceReceipt {
  readonly rejected: number;
  readonly message: string;
}

export function createTraceTaker({
  context,
  intake,
}: {
  readonly context: Context;
  readonly intake: Intake;
}): TraceTaker {
  const { telemetry, log } = context;
  const labels = { receiver: context.id };
  const warned = new Set<string>();

  return {
    async take({ body, encoding, spansMax = Infinity }) {
      const { spans, rejected, reason = '' } = encoding === 'json' ? inspectTracesJson(body) : inspectTraces(body);
      if (spans > spansMax) {
        throw new RaybridgeError('TOO_LARGE', `spans: expected at most ${spansMax} in a request, got ${spans}`);
      }
      const items = spans - rejected;
      telemetry.count('raybridge_received_spans_total', labels, items);
      if (rejected > 0) {
        telemetry.count('raybridge_rejected_total', { ...labels, reason: 'BAD_INPUT' }, rejected);
        reject(context, { reason, body });
      }
      if (items > 0) {
        const format = encoding === 'json' ? 'otlp_json' : 'otlp_proto';
        await intake.consume(createBatch({ format, body, items, receivedAtNs: context.nowNs() }));
        telemetry.count('raybridge_accepted_spans_total', labels, items);
      }
      return { rejected, message: reason };
    },

    fail(error, body) {
      const failure = toIngestFailure(error);
      if (!(error instanceof RaybridgeError)) log.error({ err: error }, 'a trace request failed because of a bug');
      const outcome =
        failure.retryAfterMs === undefined ? 'raybridge_rejected_total' : 'raybridge_refused_requests_total';
      telemetry.count(outcome, { ...labels, reason: failure.reason });
      if (failure.retryAfterMs === undefined) reject(context, { reason: failure.message, body });
      return failure;
    },

    ignore(signal) {
      telemetry.count('raybridge_ignored_items_total', { signal });
      if (warned.has(signal)) return;
      warned.add(signal);
      log.warn({ signal }, 'only traces are kept; requests of this signal are answered with success and dropped');
    },
  };
}

/** Bytes of a rejected body that the status page may look at. */
const sampleBytesMax = 200;

function reject(
  { id, log, status, nowNs }: Context,
  { reason, body }: { readonly reason: string; readonly body: Uint8Array | undefined },
): void {
  log.debug({ reason }, 'spans were rejected');
  const sample = Buffer.from(body?.subarray(0, sampleBytesMax) ?? []).toString('latin1');
  status.reject({ component: id, atNs: nowNs(), reason, sample });
}
