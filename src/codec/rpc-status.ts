import { checkMessage, defineShapes } from './protobuf-check.ts';
import { ProtoReader, ProtoWriter } from './protobuf.ts';

/**
 * google.rpc.Status, the body of every OTLP/HTTP answer that is no success and the content of
 * `grpc-status-details-bin` (googleapis: google/rpc/status.proto, error_details.proto).
 */
export interface RpcStatus {
  /** A gRPC status code. */
  readonly code: number;
  readonly message: string;
  /** How long to wait before the next attempt, in milliseconds; becomes a RetryInfo. */
  readonly retryAfterMs?: number | undefined;
}

/** INVALID_ARGUMENT carries a BadRequest with the message, as the OTLP specification wishes. */
const invalidArgument = 3;

const typeUrls = {
  badRequest: 'type.googleapis.com/google.rpc.BadRequest',
  retryInfo: 'type.googleapis.com/google.rpc.RetryInfo',
} as const;

/** A tag is a field number times 8 plus the wire type. */
export function encodeRpcStatus(status: RpcStatus): Uint8Array {
  const writer = new ProtoWriter();
  if (status.code !== 0) writer.int32Field(0x08, status.code);
  if (status.message !== '') writer.textField(0x12, status.message);
  if (status.code === invalidArgument) writeBadRequest(writer, status.message);
  if (status.retryAfterMs !== undefined) writeRetryInfo(writer, status.retryAfterMs);
  return writer.finish();
}

/** The same in proto3's JSON form. */
export function encodeRpcStatusJson(status: RpcStatus): string {
  const details: object[] = [];
  if (status.code === invalidArgument) {
    details.push({ '@type': typeUrls.badRequest, fieldViolations: [{ description: status.message }] });
  }
  if (status.retryAfterMs !== undefined) {
    details.push({ '@type': typeUrls.retryInfo, retryDelay: `${status.retryAfterMs / 1000}s` });
  }
  const { code, message } = status;
  return JSON.stringify(details.length === 0 ? { code, message } : { code, message, details });
}

/**
 * A status somebody else sent. Details other than RetryInfo are skipped.
 * @throws RaybridgeError BAD_INPUT.
 */
export function decodeRpcStatus(bytes: Uint8Array): RpcStatus {
  check(bytes, shapes.Status);
  const reader = new ProtoReader(bytes);
  let code = 0;
  let message = '';
  let retryAfterMs: number | undefined;
  while (reader.pos < reader.bytes.length) {
    const tag = reader.tag();
    if (tag === 0x08) code = reader.int32();
    else if (tag === 0x12) message = reader.text();
    else if (tag === 0x1a) retryAfterMs = readDetail(reader) ?? retryAfterMs;
    else reader.skip(tag);
  }
  return { code, message, retryAfterMs };
}

const shapes = defineShapes({
  Status: [
    [1, 'code', 'varint'],
    [2, 'message', 'string'],
    [3, 'details', 'Any'],
  ],
  Any: [
    [1, 'type_url', 'string'],
    [2, 'value', 'bytes'],
  ],
  RetryInfo: [[1, 'retry_delay', 'Duration']],
  Duration: [
    [1, 'seconds', 'varint'],
    [2, 'nanos', 'varint'],
  ],
});

/** Details in one status; we send two at most. */
const messagesMax = 1000;

function check(bytes: Uint8Array, shape: (typeof shapes)[keyof typeof shapes]): void {
  checkMessage(bytes, { shape, format: `google.rpc.${shape.name}`, nestingMax: 0, messagesMax });
}

function writeBadRequest(writer: ProtoWriter, description: string): void {
  const any = writer.begin(0x1a, 1);
  writer.textField(0x0a, typeUrls.badRequest);
  const value = writer.begin(0x12, 1);
  const violation = writer.begin(0x0a, 1);
  if (description !== '') writer.textField(0x12, description);
  writer.end(violation, 1);
  writer.end(value, 1);
  writer.end(any, 1);
}

function writeRetryInfo(writer: ProtoWriter, delayMs: number): void {
  const any = writer.begin(0x1a, 1);
  writer.textField(0x0a, typeUrls.retryInfo);
  const value = writer.begin(0x12, 1);
  const duration = writer.begin(0x0a, 1);
  const seconds = Math.floor(delayMs / 1000);
  const nanos = Math.round((delayMs - seconds * 1000) * 1e6);
  if (seconds !== 0) writer.varintField(0x08, seconds);
  if (nanos !== 0) writer.varintField(0x10, nanos);
  writer.end(duration, 1);
  writer.end(value, 1);
  writer.end(any, 1);
}

/** Milliseconds if the Any at the cursor holds a RetryInfo. */
function readDetail(reader: ProtoReader): number | undefined {
  const end = reader.messageEnd();
  let typeUrl = '';
  let value: Uint8Array = new Uint8Array();
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === 0x0a) typeUrl = reader.text();
    else if (tag === 0x12) value = reader.blob();
    else reader.skip(tag);
  }
  // The part before the last slash names a server and means nothing.
  return typeUrl.endsWith('/google.rpc.RetryInfo') ? decodeRetryInfo(value) : undefined;
}

function decodeRetryInfo(bytes: Uint8Array): number {
  check(bytes, shapes.RetryInfo);
  const reader = new ProtoReader(bytes);
  let delayMs = 0;
  while (reader.pos < reader.bytes.length) {
    const tag = reader.tag();
    if (tag === 0x0a) delayMs = readDurationMs(reader);
    else reader.skip(tag);
  }
  return delayMs;
}

function readDurationMs(reader: ProtoReader): number {
  const end = reader.messageEnd();
  let seconds = 0;
  let nanos = 0;
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === 0x08) seconds = Number(reader.int64());
    else if (tag === 0x10) nanos = reader.int32();
    else reader.skip(tag);
  }
  return Math.max(0, seconds * 1000 + nanos / 1e6);
}
