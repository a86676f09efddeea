import { inspectTraces } from '../../codec/index.ts';
import { inspectSegment } from '../../codec/segment.ts';
import { decodeDatagram } from '../../codec/udp.ts';
import { RaybridgeError } from '../../errors.ts';
import { toIngestFailure } from '../../net/status.ts';
import type { Context } from '../../pipeline/component.ts';
import type { Gatherer } from './gather.ts';
import type { SourceGuard } from './sources.ts';

/**
 * Takes datagrams apart: checks what is in them, counts, and hands what is good to the gatherer.
 * The function it returns never throws.
 */
export function createDatagramReader({
  context,
  gatherer,
  guard,
}: {
  readonly context: Context;
  readonly gatherer: Gatherer;
  readonly guard: SourceGuard;
}): (datagram: Uint8Array, source: string) => void {
  const { telemetry, log } = context;
  const labels = { receiver: context.id };

  function read(datagram: Uint8Array): void {
    const content = decodeDatagram(datagram);
    switch (content.kind) {
      case 'segments':
        readSegments(content.body);
        return;
      case 'otlp':
        readTraces(content);
        return;
      case 'metrics':
        telemetry.count('raybridge_ignored_items_total', { signal: 'metrics' });
    }
  }

  function readSegments(body: Uint8Array): void {
    const inspected = inspectSegment(body, { rules: 'datagram' });
    if (!inspected.ok) {
      reject({ code: inspected.errorCode, reason: inspected.message, sample: body });
      return;
    }
    telemetry.count('raybridge_received_spans_total', labels, inspected.documents.length);
    for (const document of inspected.documents) gatherer.addSegment(document);
  }

  function readTraces({ body, sampled }: { readonly body: Uint8Array; readonly sampled: boolean }): void {
    const { spans, rejected, reason = '' } = inspectTraces(body);
    const items = spans - rejected;
    if (rejected > 0) reject({ code: 'BAD_INPUT', reason, sample: body, items: rejected });
    if (items === 0) return;
    telemetry.count('raybridge_received_spans_total', labels, items);
    // Spans that are not sampled come for metrics only, which are not made here; this is no trouble to show.
    if (sampled) gatherer.addTraces({ body, items });
    else telemetry.count('raybridge_rejected_total', { ...labels, reason: 'unsampled' }, items);
  }

  function reject({ code, reason, sample, items = 1 }: Rejected): void {
    telemetry.count('raybridge_rejected_total', { ...labels, reason: code }, items);
    log.debug({ code, reason }, 'a datagram was rejected');
    const text = Buffer.from(sample.subarray(0, sampleBytesMax)).toString('latin1');
    context.status.reject({ component: context.id, atNs: context.nowNs(), reason, sample: text });
  }

  return (datagram, source) => {
    // The daemon ignores these too; some clients probe with them.
    if (datagram.length === 0) return;
    const refusal = guard(source);
    if (refusal) {
      // Nothing more is done for whoever floods us.
      telemetry.count('raybridge_rejected_total', { ...labels, reason: refusal });
      return;
    }
    try {
      read(datagram);
    } catch (error) {
      // A bug must not let one datagram end the process.
      if (!(error instanceof RaybridgeError)) log.error({ err: error }, 'a datagram was lost because of a bug');
      const { reason: code, message: reason } = toIngestFailure(error);
      reject({ code, reason, sample: datagram });
    }
  };
}

interface Rejected {
  /** Fit to be a label. */
  readonly code: string;
  readonly reason: string;
  readonly sample: Uint8Array;
  readonly items?: number;
}

/** Bytes of what was rejected that the status page may look at. */
const sampleBytesMax = 200;
