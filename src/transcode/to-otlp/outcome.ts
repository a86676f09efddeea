import { StatusCode, SpanKind } from '../../model/index.ts';
import { callerErrors, grpcCodeNames, throttleTypes } from '../../convert/status.ts';
import { Value } from './attributes.ts';
import { findName, key, knownName, member } from './names.ts';
import type { Reading } from './reading.ts';
import { Flag } from './reading.ts';

/** Flags and status of a document, as `convert/status.ts` reads them: the last of its sections. */

/** `readOutcome` of `convert/document.ts`. */
export function readOutcome(reading: Reading): void {
  reading.flags = readFlags(reading);
  reading.statusCode = readStatusCode(reading);
  reading.statusMessage = reading.statusCode === StatusCode.error ? readMessage(reading) : -1;
  reading.showsEvents = reading.statusMessage < 0;
  keepFlags(reading);
}

/** `convert/status.ts`. */
function readFlags(reading: Reading): number {
  return (
    (reading.asTrue(reading.topEntry(member.fault)) ? Flag.fault : 0) |
    (reading.asTrue(reading.topEntry(member.error)) ? Flag.error : 0) |
    (reading.asTrue(reading.topEntry(member.throttle)) ? Flag.throttle : 0)
  );
}

function readStatusCode(reading: Reading): number {
  const { flags } = reading;
  const isClientError = (flags & (Flag.error | Flag.throttle)) !== 0;
  if ((flags & Flag.fault) !== 0 || (isClientError && reading.kind !== SpanKind.server)) return StatusCode.error;
  const isFlagged =
    reading.topEntry(member.fault) >= 0 ||
    reading.topEntry(member.error) >= 0 ||
    reading.topEntry(member.throttle) >= 0;
  return reading.exceptionCount > 0 && (isClientError || !isFlagged) ? StatusCode.error : StatusCode.unset;
}

function readMessage(reading: Reading): number {
  if (reading.exceptionCount !== 1) return -1;
  const { index } = reading;
  const only = reading.exceptions + 1;
  const end = index.nexts[only] ?? 0;
  for (let entry = only + 1; entry < end; entry = index.nexts[entry] ?? 0)
    if (index.names[entry] !== member.id && index.names[entry] !== member.message) return -1;
  return reading.asText(reading.entryAt(only, member.message));
}

function keepFlags(reading: Reading): void {
  const { attributes, flags } = reading;
  const derived = flagsOf(reading, reading.statusCode, reading.showsEvents && shownThrottle(reading));
  for (let i = 0; i < flagKeys.length; i++) {
    const bit = 1 << i;
    if ((derived & bit) !== (flags & bit)) attributes.set(flagKeys[i] ?? 0, Value.boolean, flags & bit ? 1 : 0);
  }
}

/** By bit of `Flag`. */
const flagKeys = [key.fault, key.error, key.throttle] as const;

function shownThrottle(reading: Reading): boolean {
  const { exceptions, index } = reading;
  if (exceptions < 0) return false;
  const end = index.nexts[exceptions] ?? 0;
  for (let entry = exceptions + 1; entry < end; entry = index.nexts[entry] ?? 0)
    if (isThrottle(reading, reading.asText(index.member(entry, member.type)))) return true;
  return false;
}

/** `flagsOf` of `convert/status.ts`; `isThrottled` is about the events alone. */
export function flagsOf(reading: Reading, statusCode: number, isThrottled: boolean): number {
  const { attributes } = reading;
  let flags = derivedFlags(reading, statusCode);
  if (isThrottled || hasThrottleType(reading)) flags |= Flag.throttle;
  for (let i = 0; i < flagKeys.length; i++) {
    const known = attributes.booleanOf(flagKeys[i] ?? 0);
    if (known >= 0) flags = known === 1 ? flags | (1 << i) : flags & ~(1 << i);
  }
  return flags;
}

function derivedFlags(reading: Reading, statusCode: number): number {
  const { attributes } = reading;
  const ofStatus = statusCode === StatusCode.error ? Flag.fault : 0;
  let http = attributes.integerOf(key.statusCode);
  if (Number.isNaN(http)) http = attributes.integerOf(key.legacyStatusCode);
  if (http >= 400 && http <= 599) {
    if (http >= 500) return Flag.fault;
    return http === 429 ? Flag.error | Flag.throttle : Flag.error;
  }
  const grpc = Number.isNaN(http) ? grpcCode(reading) : -1;
  if (grpc > 0 && grpc < grpcCodeNames.length) {
    const isError = callerErrors.has(BigInt(grpc));
    return (isError ? Flag.error : Flag.fault) | (grpc === resourceExhausted ? Flag.throttle : 0);
  }
  return ofStatus;
}

const resourceExhausted = 8;
const grpcNames: readonly number[] = grpcCodeNames.map(knownName);

function grpcCode({ attributes, index }: Reading): number {
  const legacy = attributes.integerOf(key.grpcStatusCode);
  if (!Number.isNaN(legacy)) return legacy;
  const place = attributes.textPlace(key.rpcStatusCode);
  if (place >= 0 && attributes.textBytes(place) === index.bytes) {
    const named = grpcNames.indexOf(findName(index.bytes, attributes.textStart(place), attributes.textEnd(place)));
    if (named >= 0) return named;
  }
  const stable = attributes.integerOf(key.rpcStatusCode);
  return Number.isNaN(stable) ? -1 : stable;
}

function hasThrottleType({ attributes }: Reading): boolean {
  const place = attributes.textPlace(key.errorType);
  return (
    place >= 0 && isThrottleText(attributes.textBytes(place), attributes.textStart(place), attributes.textEnd(place))
  );
}

/** Whether the text of an entry is an error type of a service that throttles. */
export function isThrottle(reading: Reading, entry: number): boolean {
  return entry >= 0 && isThrottleText(reading.index.bytes, reading.startOf(entry), reading.endOf(entry));
}

const encoder = new TextEncoder();
const throttleEndings: readonly Uint8Array[] = throttleTypes.map((type) => encoder.encode(type));

function isThrottleText(bytes: Uint8Array, start: number, end: number): boolean {
  for (const ending of throttleEndings) {
    const from = end - ending.length;
    if (from < start) continue;
    let i = 0;
    while (i < ending.length && bytes[from + i] === ending[i]) i += 1;
    if (i === ending.length) return true;
  }
  return false;
}
