import { joinSegments } from '../../codec/segment.ts';
import { RaybridgeError } from '../../errors.ts';
import { toIngestFailure } from '../../net/status.ts';
import type { Batch } from '../../pipeline/batch.ts';
import { createBatch } from '../../pipeline/batches.ts';
import type { Context, Intake } from '../../pipeline/component.ts';

/**
 * What arrived by UDP, on its way to the intake: single segment documents become batches worth a
 * write to disk. Adding never waits and never throws; what cannot be kept is counted as rejected,
 * because a datagram has no answer and its sender has forgotten it.
 */
export interface Gatherer {
  addSegment(document: Uint8Array): void;
  /** An ExportTraceServiceRequest in protobuf with that many good spans; it is a batch of its own. */
  addTraces(traces: { readonly body: Uint8Array; readonly items: number }): void;
  /** Hands over what is gathered and resolves when nothing is under way any more. */
  flush(): Promise<void>;
}

/** A batch of segments leaves when it is this large, or this old. */
const batchBytesMax = 256 * 1024;
const batchAgeMs = 10;

/**
 * Bytes gathered or waiting for the disk. UDP cannot be slowed down, so when the disk does not
 * follow, memory must not follow either: what comes on top is lost.
 */
const waitingBytesMax = 64 * 1024 * 1024;

export function createGatherer({ context, intake }: { readonly context: Context; readonly intake: Intake }): Gatherer {
  const { telemetry, log, nowNs } = context;
  const labels = { receiver: context.id };
  const underWay = new Set<Promise<void>>();
  let documents: Uint8Array[] = [];
  let documentBytes = 0;
  let waitingBytes = 0;
  let timer: NodeJS.Timeout | undefined;

  function reserve(bytes: number, items: number): boolean {
    if (waitingBytes + bytes > waitingBytesMax) {
      telemetry.count('raybridge_rejected_total', { ...labels, reason: 'disk_too_slow' }, items);
      return false;
    }
    waitingBytes += bytes;
    return true;
  }

  function sendSegments(): void {
    clearTimeout(timer);
    timer = undefined;
    if (documents.length === 0) return;
    const received = { body: joinSegments(documents), items: documents.length, receivedAtNs: nowNs() };
    send(createBatch({ format: 'xray_segments', ...received }), documentBytes);
    documents = [];
    documentBytes = 0;
  }

  function send(batch: Batch, reservedBytes: number): void {
    const consumed = consume(batch).then(() => {
      waitingBytes -= reservedBytes;
      underWay.delete(consumed);
    });
    underWay.add(consumed);
  }

  async function consume(batch: Batch): Promise<void> {
    try {
      await intake.consume(batch);
      telemetry.count('raybridge_accepted_spans_total', labels, batch.items);
    } catch (error) {
      telemetry.count('raybridge_rejected_total', { ...labels, reason: toIngestFailure(error).reason }, batch.items);
      if (!(error instanceof RaybridgeError)) log.error({ err: error }, 'datagrams were lost because of a bug');
    }
  }

  return {
    addSegment(document) {
      if (!reserve(document.length, 1)) return;
      documents.push(document);
      documentBytes += document.length;
      if (documentBytes >= batchBytesMax) sendSegments();
      else timer ??= setTimeout(sendSegments, batchAgeMs);
    },
    addTraces({ body, items }) {
      if (!reserve(body.length, items)) return;
      send(createBatch({ format: 'otlp_proto', body, items, receivedAtNs: nowNs() }), body.length);
    },
    async flush() {
      sendSegments();
      await Promise.all(underWay);
    },
  };
}
