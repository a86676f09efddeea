import { encodeTraces, encodeTracesJson } from '../codec/index.ts';
import { RaybridgeError } from '../errors.ts';
import { segmentsToOtlp } from '../transcode/index.ts';
import type { Batch } from './batch.ts';
import type { Context, Exporter, Refused } from './component.ts';

/**
 * What the two OTLP exporters have in common: requests of what was gathered, and what becomes of it
 * after each answer (OTLP specification, "Failures"; the table of reliability 3.3).
 */
export interface OtlpDestination {
  readonly encoding: 'proto' | 'json';
  /** @throws RaybridgeError DESTINATION_UNAVAILABLE: no answer. */
  call(request: Uint8Array, signal: AbortSignal): Promise<OtlpVerdict>;
  open(): Promise<void>;
  close(): Promise<void>;
}

/** An answer, in the words of what is to be done about it. */
export type OtlpVerdict =
  /** `rejected` spans of it are lost for good, and the backend has told why. */
  | { readonly kind: 'taken'; readonly rejected: number; readonly message: string }
  | { readonly kind: 'try again'; readonly message: string; readonly afterMs: number | undefined }
  /** Nothing will be taken until somebody changes keys, rights or addresses. */
  | { readonly kind: 'blocked'; readonly message: string }
  | { readonly kind: 'too large'; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string };

export interface OtlpExporterOptions {
  readonly lanes: number;
  readonly backoff: Exporter['backoff'];
}

/** Backends take 4 MiB where they have gRPC's usual limit. */
const gatherBytesMax = 2 * 1024 * 1024;
const gatherLingerMs = 200;
/** OTLP specification: no client should send more. */
const requestBytesMax = 64 * 1024 * 1024;
const blockedPauseMs = 60_000;
/** Backends that reject a part of each request would fill the log. */
const rejectionLogMs = 60_000;

export function createOtlpExporter(
  { id, log, status, telemetry }: Context,
  destination: OtlpDestination,
  { lanes, backoff }: OtlpExporterOptions,
): Exporter {
  let loggedAtMs = Number.NEGATIVE_INFINITY;

  const send = async (batches: readonly Batch[], signal: AbortSignal): Promise<readonly Refused[]> => {
    const request = toRequest(batches, destination.encoding);
    const verdict: OtlpVerdict =
      request.length > requestBytesMax
        ? { kind: 'too large', message: `a request of ${request.length} bytes` }
        : await destination.call(request, signal);
    switch (verdict.kind) {
      case 'taken':
        status.fault(id, undefined);
        if (verdict.rejected > 0 || verdict.message !== '') tellRejected(verdict);
        return [];
      case 'try again':
        throw new RaybridgeError('DESTINATION_UNAVAILABLE', verdict.message, { retryAfterMs: verdict.afterMs });
      case 'blocked':
        status.fault(id, verdict.message);
        throw new RaybridgeError('DESTINATION_UNAVAILABLE', verdict.message, { retryAfterMs: blockedPauseMs });
      case 'refused':
        throw new RaybridgeError('DESTINATION_REFUSED', verdict.message);
      case 'too large':
        return await sendHalves(batches, verdict.message, signal);
    }
  };

  const sendHalves = async (
    batches: readonly Batch[],
    message: string,
    signal: AbortSignal,
  ): Promise<readonly Refused[]> => {
    const spans = batches.flatMap((batch) => batch.spans());
    if (spans.length <= 1) {
      const body = encodeTraces(spans);
      return [{ format: 'otlp_proto', body, items: spans.length, code: 'TOO_LARGE', message }];
    }
    const middle = spans.length >> 1;
    const refused: Refused[] = [];
    for (const half of [spans.slice(0, middle), spans.slice(middle)]) {
      const body = encodeTraces(half);
      const batch: Batch = { format: 'otlp_proto', body, items: half.length, receivedAtNs: 0n, spans: () => half };
      refused.push(...(await send([batch], signal)));
    }
    return refused;
  };

  const tellRejected = ({ rejected, message }: { readonly rejected: number; readonly message: string }): void => {
    telemetry.count('raybridge_dropped_spans_total', { exporter: id, reason: 'rejected_by_backend' }, rejected);
    const nowMs = performance.now();
    if (nowMs - loggedAtMs < rejectionLogMs) return;
    loggedAtMs = nowMs;
    log.warn({ component: id, rejected, message }, 'the backend took a request, but not all of its spans');
  };

  return {
    gather: { bytesMax: gatherBytesMax, lingerMs: gatherLingerMs },
    lanes,
    backoff,
    start: destination.open,
    shutdown: destination.close,
    export: ({ batches, signal }) => send(batches, signal),
  };
}

/** One request of all batches. Those that are in the form wanted are not decoded: protobuf messages concatenate. */
function toRequest(batches: readonly Batch[], encoding: OtlpDestination['encoding']): Uint8Array {
  if (encoding === 'proto') return Buffer.concat(batches.map(toProto));
  const [only, ...others] = batches;
  if (only?.format === 'otlp_json' && others.length === 0) return only.body;
  return Buffer.from(encodeTracesJson(batches.flatMap((batch) => batch.spans())));
}

function toProto(batch: Batch): Uint8Array {
  switch (batch.format) {
    case 'otlp_proto':
      return batch.body;
    case 'otlp_json':
      return encodeTraces(batch.spans());
    case 'xray_segments':
      return segmentsToOtlp(batch.body).bytes;
  }
}
