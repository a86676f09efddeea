import { inspectSegment, joinSegments } from '../../../codec/segment.ts';
import { RaybridgeError } from '../../../errors.ts';
import { documentsPerCallMax, type JsonObject } from '../../../model/index.ts';
import { createBatch } from '../../../pipeline/batches.ts';
import { objectListMember, textListMember, textMember } from '../members.ts';
import type { Call, Operation } from '../operation.ts';

/** What brings data in, by path (API reference 2016-04-12). */
export const segmentOperations: readonly (readonly [path: string, Operation])[] = [
  ['/TraceSegments', { name: 'PutTraceSegments', access: 'write', run: putTraceSegments }],
  ['/TelemetryRecords', { name: 'PutTelemetryRecords', access: 'write', run: putTelemetryRecords }],
];

async function putTraceSegments(request: JsonObject, { context, intake }: Call): Promise<object> {
  // The list is read without a limit so that this very message, which clients look for, can be given.
  const texts = textListMember(request, 'TraceSegmentDocuments', Infinity);
  if (texts.length > documentsPerCallMax) {
    throw new RaybridgeError('INVALID_REQUEST', `Exceeding maximum segment count: ${documentsPerCallMax}`);
  }

  const labels = { receiver: context.id };
  const accepted: Uint8Array[] = [];
  const unprocessed: object[] = [];
  for (const text of texts) {
    const inspected = inspectSegment(text);
    if (inspected.ok) {
      for (const document of inspected.documents) accepted.push(document);
      continue;
    }
    const { id, errorCode, message } = inspected;
    unprocessed.push({ ...(id === undefined ? {} : { Id: id }), ErrorCode: errorCode, Message: message });
    context.telemetry.count('raybridge_rejected_total', { ...labels, reason: errorCode });
    context.status.reject({ component: context.id, atNs: context.nowNs(), reason: message, sample: text });
  }

  context.telemetry.count('raybridge_received_spans_total', labels, accepted.length);
  if (accepted.length > 0) {
    const body = joinSegments(accepted);
    await intake.consume(
      createBatch({ format: 'xray_segments', body, items: accepted.length, receivedAtNs: context.nowNs() }),
    );
    context.telemetry.count('raybridge_accepted_spans_total', labels, accepted.length);
  }
  return { UnprocessedTraceSegments: unprocessed };
}

/** The counts of other daemons. Checked and logged; nothing reads them yet. */
async function putTelemetryRecords(request: JsonObject, { context }: Call): Promise<object> {
  const records = objectListMember(request, 'TelemetryRecords');
  context.log.debug(
    { hostname: textMember(request, 'Hostname'), records: records.length },
    'telemetry records received',
  );
  return {};
}
