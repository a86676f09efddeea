import type { Attributes, AttributeValue, JsonValue, SpanEvent, SpanStatus } from '../model/index.ts';
import { SpanKind, StatusCode } from '../model/index.ts';
import type { DocumentView, SpanView } from './section.ts';
import { rootPlace, showFlag, toInteger, trueAt } from './section.ts';

/**
 * `fault`, `error`, `throttle` (AWS X-Ray developer guide, "errors and exceptions") ↔ the span's
 * status. X-Ray's flags are about answers of the 5xx, 4xx and 429 kind; OTel's status is about the
 * span's own success, so an HTTP or gRPC code goes before it.
 */

export interface Flags {
  readonly fault: boolean;
  readonly error: boolean;
  readonly throttle: boolean;
}

export const flagNames = ['fault', 'error', 'throttle'] as const;

export function writeFlags(view: SpanView): Readonly<Record<string, JsonValue | undefined>> {
  const { attributes, span } = view;
  const members: Record<string, JsonValue> = {};
  const flags = flagsOf({ attributes, status: span.status, events: span.events });
  for (const name of flagNames) {
    showFlag(view, `aws.xray.${name}`);
    if (flags[name]) members[name] = true;
  }
  return members;
}

interface Outcome {
  readonly attributes: Attributes;
  readonly status: SpanStatus;
  readonly events: readonly SpanEvent[];
}

/** The flags that a span stands for; the attributes `aws.xray.fault`, `.error` and `.throttle` decide. */
export function flagsOf(outcome: Outcome): Flags {
  const derived = derivedFlags(outcome);
  const known = (name: keyof Flags): boolean => {
    const value = outcome.attributes.get(`aws.xray.${name}`);
    return typeof value === 'boolean' ? value : derived[name];
  };
  return { fault: known('fault'), error: known('error'), throttle: known('throttle') };
}

function derivedFlags({ attributes, status, events }: Outcome): Flags {
  const http = toInteger(attributes.get('http.response.status_code')) ?? toInteger(attributes.get('http.status_code'));
  const flags = httpFlags(http) ?? grpcFlags(attributes, status, http) ?? statusFlags(status);
  return isThrottled(attributes, events) ? { ...flags, throttle: true } : flags;
}

function httpFlags(code: bigint | undefined): Flags | undefined {
  if (code === undefined || code < 400n || code > 599n) return undefined;
  return { fault: code >= 500n, error: code < 500n, throttle: code === 429n };
}

/** gRPC status codes that are the caller's doing: CANCELLED to UNAUTHENTICATED. */
export const callerErrors: ReadonlySet<bigint> = new Set([1n, 3n, 5n, 6n, 7n, 8n, 9n, 11n, 16n]);
export const resourceExhausted = 8n;
const grpcCodeMax = 16n;

export const grpcCodeNames = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

function grpcFlags(attributes: Attributes, status: SpanStatus, http: bigint | undefined): Flags | undefined {
  const code = http === undefined ? grpcCode(attributes) : undefined;
  if (code === undefined || code < 0n || code > grpcCodeMax) return undefined;
  if (code === 0n) return statusFlags(status);
  const isError = callerErrors.has(code);
  return { fault: !isError, error: isError, throttle: code === resourceExhausted };
}

function grpcCode(attributes: Attributes): bigint | undefined {
  const legacy = toInteger(attributes.get('rpc.grpc.status_code'));
  if (legacy !== undefined) return legacy;
  const stable = attributes.get('rpc.response.status_code');
  const place = typeof stable === 'string' ? grpcCodeNames.indexOf(stable) : -1;
  return place < 0 ? toInteger(stable) : BigInt(place);
}

function statusFlags(status: SpanStatus): Flags {
  return { fault: status.code === StatusCode.error, error: false, throttle: false };
}

/** How types of errors that tell of throttling end. */
export const throttleTypes = [
  'ThrottlingException',
  'TooManyRequestsException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'SlowDown',
] as const;

/** AWS services say by the type of the error that they throttle. */
function isThrottled(attributes: Attributes, events: readonly SpanEvent[]): boolean {
  if (isThrottle(attributes.get('error.type'))) return true;
  return events.some((event) => isThrottle(event.attributes.get('exception.type')));
}

export function isThrottle(type: AttributeValue): boolean {
  return typeof type === 'string' && throttleTypes.some((ending) => type.endsWith(ending));
}

/** The flags of a document. */
export function readFlags(view: DocumentView): Flags {
  const place = rootPlace(view);
  return {
    fault: trueAt(view, place, 'fault') ?? false,
    error: trueAt(view, place, 'error') ?? false,
    throttle: trueAt(view, place, 'throttle') ?? false,
  };
}

/**
 * ERROR for a fault; for an error or throttle unless it is a server's answer to a wrong request;
 * and for exceptions that no flag denies. Anything else is UNSET.
 */
export function readStatusCode(view: DocumentView, flags: Flags, exceptionCount: number): number {
  const isClientError = flags.error || flags.throttle;
  if (flags.fault || (isClientError && view.kind !== SpanKind.server)) return StatusCode.error;
  const isFlagged = flagNames.some((name) => view.document.has(name));
  return exceptionCount > 0 && (isClientError || !isFlagged) ? StatusCode.error : StatusCode.unset;
}

/** Remembers flags that the span would not lead back to. Runs when all else of the span is known. */
export function keepFlags(view: DocumentView, flags: Flags, outcome: Omit<Outcome, 'attributes'>): void {
  const derived = flagsOf({ ...outcome, attributes: view.attributes });
  for (const name of flagNames) if (derived[name] !== flags[name]) view.attributes.set(`aws.xray.${name}`, flags[name]);
}

/**
 * The flags by the rules of the OpenTelemetry Collector's exporter: the HTTP status when it is an
 * int of the 4xx or 5xx kind, else the span's status.
 */
export function collectorFlagsOf({ attributes, status }: Pick<Outcome, 'attributes' | 'status'>): Flags {
  const key = attributes.has('http.status_code') ? 'http.status_code' : 'http.response.status_code';
  const code = attributes.get(key);
  return httpFlags(typeof code === 'bigint' ? code : undefined) ?? statusFlags(status);
}

/** Whether a status could have led to the flags that a document shows, under either policy. */
export function implies(outcome: Outcome, flags: Flags): boolean {
  return sameFlags(flagsOf(outcome), flags) || sameFlags(collectorFlagsOf(outcome), flags);
}

function sameFlags(a: Flags, b: Flags): boolean {
  return flagNames.every((name) => a[name] === b[name]);
}
