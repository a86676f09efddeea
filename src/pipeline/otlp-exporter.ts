import { encodeTraces, encodeTracesJson } from '../codec/index.ts';
import { RaybridgeError } from '../errors.ts';
import { segmentsToOtlp } from '../transcode/index.ts';
import type { Batch } from './batch.ts';
import { batchOfSpans } from './batches.ts';
import type { Context, Delivery, Exporter, Losses, Refused } from './component.ts';

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
  { id, log, status }: Context,
  destination: OtlpDestination,
  { lanes, backoff }: OtlpExporterOptions,
): Exporter {
  const underway = new WeakMap<Delivery, Progress>();
  let loggedAtMs = Number.NEGATIVE_INFINITY;

  /** Sends what the backend has not answered for; a request that is too large goes in halves. */
  const sendRest = async (progress: Progress, signal: AbortSignal): Promise<void> => {
    for (let part = progress.rest[0]; part; part = progress.rest[0]) {
      const parts = await send(part, progress, signal);
      progress.rest.splice(0, 1, ...parts);
    }
  };

  /** What is left to send of a part: nothing, or its halves. */
  const send = async (part: Part, progress: Progress, signal: AbortSignal): Promise<readonly Part[]> => {
    const request = toRequest(part, destination.encoding);
    const verdict: OtlpVerdict =
      request.length > requestBytesMax
        ? { kind: 'too large', message: `a request of ${request.length} bytes` }
        : await destination.call(request, signal);
    switch (verdict.kind) {
      case 'taken':
        status.fault(id, undefined);
        progress.rejected += Math.min(Math.max(0, verdict.rejected), itemsOf(part));
        if (verdict.rejected > 0 || verdict.message !== '') tellRejected(verdict);
        return [];
      case 'try again':
        throw new RaybridgeError('DESTINATION_UNAVAILABLE', verdict.message, { retryAfterMs: verdict.afterMs });
      case 'blocked':
        status.fault(id, verdict.message);
        throw new RaybridgeError('DESTINATION_UNAVAILABLE', verdict.message, { retryAfterMs: blockedPauseMs });
      case 'refused':
        // As long as nothing was taken, the delivery finds the record to blame.
        if (part === progress.whole) throw new RaybridgeError('DESTINATION_REFUSED', verdict.message);
        return halve(part, progress, { code: 'DESTINATION_REFUSED', message: verdict.message });
      case 'too large':
        return halve(part, progress, { code: 'TOO_LARGE', message: verdict.message });
    }
  };

  const halve = (part: Part, progress: Progress, reason: Pick<Refused, 'code' | 'message'>): readonly Part[] => {
    const spans = part.flatMap((batch) => batch.spans());
    if (spans.length <= 1) {
      progress.refused.push({ format: 'otlp_proto', body: encodeTraces(spans), items: spans.length, ...reason });
      return [];
    }
    const middle = spans.length >> 1;
    return [spans.slice(0, middle), spans.slice(middle)].map((half) => [batchOfSpans(half, 0n)]);
  };

  const tellRejected = ({ rejected, message }: { readonly rejected: number; readonly message: string }): void => {
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
    async export(delivery) {
      let progress = underway.get(delivery);
      if (!progress) {
        progress = { whole: delivery.batches, rest: [delivery.batches], refused: [], rejected: 0 };
        underway.set(delivery, progress);
      }
      await sendRest(progress, delivery.signal);
      return progress;
    },
  };
}

/** What goes in one request. */
type Part = readonly Batch[];

function itemsOf(part: Part): number {
  return part.reduce((items, batch) => items + batch.items, 0);
}

/** Of one delivery: parts that the backend has taken or refused are not sent again when another part fails. */
interface Progress extends Losses {
  readonly whole: Part;
  readonly rest: Part[];
  readonly refused: Refused[];
  rejected: number;
}

/** One request of all batches. Those that are in the form wanted are not decoded: protobuf messages concatenate. */
function toRequest(batches: Part, encoding: OtlpDestination['encoding']): Uint8Array {
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
