import { inspectSegment, joinSegments } from '../../../codec/segment.ts';
import { RaybridgeError } from '../../../errors.ts';
import { documentsPerCallMax, type JsonObject } from '../../../model/index.ts';
import { createBatch } from '../../../pipeline/batches.ts';
import { integerMember, objectListMember, objectMember, textListMember, textMember, timeMember } from '../members.ts';
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
  for (const record of records) checkTelemetry(record);
  for (const [name, charactersMax] of senderMembers) checkLength(request, name, charactersMax);
  context.log.debug(
    { hostname: textMember(request, 'Hostname'), records: records.length },
    'telemetry records received',
  );
  return {};
}

/** API reference, PutTelemetryRecords. Who sends is told by these; a daemon that does not know leaves them empty. */
const senderMembers = [
  ['EC2InstanceId', 20],
  ['Hostname', 255],
  ['ResourceARN', 500],
] as const;

function checkLength(request: JsonObject, name: string, charactersMax: number): void {
  const length = textMember(request, name)?.length ?? 0;
  if (length <= charactersMax) return;
  throw new RaybridgeError('INVALID_REQUEST', `${name}: expected at most ${charactersMax} characters, got ${length}`);
}

/** API reference, TelemetryRecord and BackendConnectionErrors. */
const segmentCounts = ['Received', 'Sent', 'Spillover', 'Rejected'].map((what) => `Segments${what}Count`);
const errorCounts = ['Timeout', 'ConnectionRefused', 'HTTPCode4XX', 'HTTPCode5XX', 'UnknownHost', 'Other'].map(
  (what) => `${what}Count`,
);
const int32 = { min: -(2 ** 31), max: 2 ** 31 - 1 };

function checkTelemetry(record: JsonObject): void {
  timeMember(record, 'Timestamp');
  const errors = objectMember(record, 'BackendConnectionErrors') ?? new Map();
  for (const name of segmentCounts) integerMember(record, name, int32);
  for (const name of errorCounts) integerMember(errors, name, int32);
}
