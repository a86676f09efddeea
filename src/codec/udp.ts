import { RaybridgeError } from '../errors.ts';
import type { JsonValue } from '../model/index.ts';
import { isJsonNumber, isJsonObject } from '../model/index.ts';
import { decodeBase64 } from './base64.ts';
import { parseJson } from './json.ts';
import { decodeText, findInvalidUtf8 } from './utf8.ts';

/**
 * Datagrams of the X-Ray daemon's protocol (AWS X-Ray developer guide, "sending segment documents
 * to the X-Ray daemon"): a header line of JSON, a newline, and a body. The AWS Distro for
 * OpenTelemetry sends OTLP the same way, as base64 behind `T1S`, `T1U` or `M1`.
 */
export type Datagram =
  /** One segment document, or an array of them; a view into the datagram, not inspected yet. */
  | { readonly kind: 'segments'; readonly body: Uint8Array }
  /** An ExportTraceServiceRequest in protobuf, not inspected yet. Spans that are not sampled are meant for metrics only. */
  | { readonly kind: 'otlp'; readonly sampled: boolean; readonly body: Uint8Array }
  | { readonly kind: 'metrics' };

/** The longest header line that is looked at; real ones have 30 to 36 bytes. */
export const headerBytesMax = 256;

/** @throws RaybridgeError BAD_INPUT when the header line or the body is not one of the forms above. */
export function decodeDatagram(bytes: Uint8Array): Datagram {
  const newlineAt = bytes.subarray(0, headerBytesMax + 1).indexOf(newline);
  if (newlineAt < 0) {
    return fail(`header line missing: expected ${header} and a newline before the document, got ${sample(bytes)}`);
  }
  checkHeader(bytes.subarray(0, newlineAt));
  return decodeBody(bytes.subarray(newlineAt + 1));
}

/** A datagram with one segment document. */
export function encodeDatagram(document: Uint8Array): Uint8Array {
  const head = encoder.encode(`${header}\n`);
  const datagram = new Uint8Array(head.length + document.length);
  datagram.set(head);
  datagram.set(document, head.length);
  return datagram;
}

const newline = 0x0a;
const header = '{"format":"json","version":1}';
const encoder = new TextEncoder();

/** As the daemon reads it: the format in any case, the version a whole number, other members ignored. */
function checkHeader(line: Uint8Array): void {
  const members = parseHeader(line);
  if (!isJsonObject(members)) return fail(`header line: expected ${header}, got ${sample(line)}`);
  const format = members.get('format');
  const version = members.get('version');
  const isRight =
    typeof format === 'string' && format.toLowerCase() === 'json' && isJsonNumber(version) && version.literal === '1';
  if (!isRight) fail(`header line: expected format "json" and version 1, got ${sample(line)}`);
}

function parseHeader(line: Uint8Array): JsonValue {
  try {
    return parseJson(line);
  } catch (error) {
    return fail(`header line: expected ${header}, got ${sample(line)}`, error);
  }
}

function decodeBody(body: Uint8Array): Datagram {
  if (startsWith(body, 'T1S')) return { kind: 'otlp', sampled: true, body: decodeOtlp(body) };
  if (startsWith(body, 'T1U')) return { kind: 'otlp', sampled: false, body: decodeOtlp(body) };
  if (startsWith(body, 'M1')) return { kind: 'metrics' };
  const first = body.find((byte) => byte > 0x20);
  if (first === openBrace || first === openBracket) return { kind: 'segments', body };
  if (first === undefined)
    return fail('document missing: expected a segment document after the header line, got nothing');
  return fail(`document: expected a JSON object, an array of them, T1S, T1U or M1, got ${sample(body)}`);
}

const openBrace = 0x7b;
const openBracket = 0x5b;

function startsWith(bytes: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[i] !== text.charCodeAt(i)) return false;
  return true;
}

function decodeOtlp(body: Uint8Array): Uint8Array {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const text = isUtf8(body) ? decodeText(view, 3, body.length).trimEnd() : '?';
  return decodeBase64(text) ?? fail(`document: expected base64 after ${decodeText(view, 0, 3)}, got ${sample(body)}`);
}

const sampleBytesMax = 40;

/** The first bytes as a quoted text, or a word when they are no text. */
function sample(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'nothing';
  const ascii = Array.from(bytes.subarray(0, sampleBytesMax), (byte) =>
    byte < 0x80 ? String.fromCharCode(byte) : '·',
  );
  return JSON.stringify(ascii.join('') + (bytes.length > sampleBytesMax ? '…' : ''));
}

function isUtf8(bytes: Uint8Array): boolean {
  return findInvalidUtf8(bytes, 0, bytes.length) < 0;
}

function fail(message: string, cause?: unknown): never {
  throw new RaybridgeError('BAD_INPUT', message, { cause });
}
