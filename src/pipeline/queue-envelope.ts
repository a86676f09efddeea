import { crc32 } from 'node:zlib';
import type { BatchFormat } from './batch.ts';
import type { NewRecord } from './queue.ts';

/**
 * How a record lies on the disk. All numbers are little endian:
 *
 * | offset | bytes | holds |
 * |---|---|---|
 * | 0 | 1 | version of this layout |
 * | 1 | 4 | CRC32 of everything behind it |
 * | 5 | 1 | format, see `formatCodes` |
 * | 6 | 4 | items |
 * | 10 | 8 | receive time, nanoseconds since 1970 |
 * | 18 | … | the body as received |
 *
 * LMDB hands out flipped bits without a word, so each record carries its own checksum.
 */
const layoutVersion = 1;
const checksumAt = 1;
const formatAt = 5;
const itemsAt = 6;
const receivedAtAt = 10;
export const envelopeHeaderBytes = 18;

/** Written to disk: numbers are added, never changed. */
const formatCodes: Readonly<Record<BatchFormat, number>> = { otlp_proto: 1, otlp_json: 2, xray_segments: 3 };
const formats = new Map<number, BatchFormat>([
  [formatCodes.otlp_proto, 'otlp_proto'],
  [formatCodes.otlp_json, 'otlp_json'],
  [formatCodes.xray_segments, 'xray_segments'],
]);

export function encodeEnvelope(record: NewRecord): Buffer {
  const envelope = Buffer.allocUnsafe(envelopeHeaderBytes + record.body.length);
  envelope.writeUInt8(layoutVersion, 0);
  envelope.writeUInt8(formatCodes[record.format], formatAt);
  envelope.writeUInt32LE(record.items, itemsAt);
  envelope.writeBigInt64LE(record.receivedAtNs, receivedAtAt);
  envelope.set(record.body, envelopeHeaderBytes);
  envelope.writeUInt32LE(crc32(envelope.subarray(formatAt)), checksumAt);
  return envelope;
}

/** The record of an envelope; its body is a view of the envelope's bytes. Undefined when a byte of it is not as written. */
export function decodeEnvelope(envelope: Buffer): NewRecord | undefined {
  if (envelope.length < envelopeHeaderBytes || envelope.readUInt8(0) !== layoutVersion) return undefined;
  if (envelope.readUInt32LE(checksumAt) !== crc32(envelope.subarray(formatAt))) return undefined;
  const format = formats.get(envelope.readUInt8(formatAt));
  if (!format) return undefined;
  return {
    format,
    body: envelope.subarray(envelopeHeaderBytes),
    receivedAtNs: envelope.readBigInt64LE(receivedAtAt),
    items: envelope.readUInt32LE(itemsAt),
  };
}
