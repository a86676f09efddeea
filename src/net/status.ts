import { RaybridgeError, type ErrorCode } from '../errors.ts';

/** Codes of google.rpc.Code that Raybridge answers with. */
const GrpcCode = {
  invalidArgument: 3,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

interface WireStatus {
  readonly http: number;
  /** One of google.rpc.Code. */
  readonly grpc: number;
}

const badData: WireStatus = { http: 400, grpc: GrpcCode.invalidArgument };
const signInFirst: WireStatus = { http: 401, grpc: GrpcCode.unauthenticated };
const comeAgain: WireStatus = { http: 503, grpc: GrpcCode.unavailable };
const ourFault: WireStatus = { http: 500, grpc: GrpcCode.internal };

/**
 * Every error code on both wires (OTLP specification, "OTLP/HTTP response" and "OTLP/gRPC
 * response"). What may succeed later is 503 and UNAVAILABLE, the two answers after which every
 * OpenTelemetry client keeps its data; 500 would make it throw them away.
 */
const wireStatuses: Readonly<Record<ErrorCode, WireStatus>> = {
  BAD_INPUT: badData,
  TOO_LARGE: { http: 413, grpc: GrpcCode.resourceExhausted },
  UNSUPPORTED_MEDIA_TYPE: { http: 415, grpc: GrpcCode.unimplemented },
  NOT_FOUND: { http: 404, grpc: GrpcCode.notFound },
  METHOD_NOT_ALLOWED: { http: 405, grpc: GrpcCode.unimplemented },
  UNKNOWN_OPERATION: { http: 404, grpc: GrpcCode.unimplemented },
  INVALID_REQUEST: badData,
  FILTER_INVALID: badData,
  TOO_MANY_TAGS: badData,
  POLICY_MALFORMED: badData,
  POLICY_LOCKOUT: badData,
  POLICY_TOO_MANY: badData,
  POLICY_TOO_LARGE: badData,
  POLICY_REVISION: badData,
  RULE_LIMIT_EXCEEDED: badData,
  FORBIDDEN: { http: 403, grpc: GrpcCode.permissionDenied },
  CREDENTIALS_MISSING: signInFirst,
  CREDENTIALS_UNKNOWN: signInFirst,
  SIGNATURE_MALFORMED: signInFirst,
  SIGNATURE_INVALID: signInFirst,
  QUEUE_FULL: comeAgain,
  DISK_LOW: comeAgain,
  MEMORY_HIGH: comeAgain,
  SHUTTING_DOWN: comeAgain,
  QUEUE_WRITE_FAILED: comeAgain,
  QUEUE_CORRUPT: ourFault,
  DATA_TOO_NEW: ourFault,
  DATA_DIR_IN_USE: ourFault,
  STORE_UNAVAILABLE: comeAgain,
  STORE_FAILED: comeAgain,
  ENGINE_MISSING: ourFault,
  CONFIG_INVALID: ourFault,
  LISTEN_FAILED: ourFault,
  DESTINATION_UNAVAILABLE: comeAgain,
  DESTINATION_REFUSED: ourFault,
};

export function httpStatusOf(code: ErrorCode): number {
  return wireStatuses[code].http;
}

/** How a request that failed on the ingest path is told to its sender, on either wire. */
export interface IngestFailure extends WireStatus {
  /** An error code, or `INTERNAL` for a bug; fit to be a label. */
  readonly reason: ErrorCode | 'INTERNAL';
  readonly message: string;
  /** Set when the sender should come again. */
  readonly retryAfterMs: number | undefined;
}

/**
 * The answer to any error of the ingest path. What is not RaybridgeError is a bug of ours: the data
 * is not proven bad, so the sender is asked to come again and keeps it.
 */
export function toIngestFailure(error: unknown): IngestFailure {
  if (!(error instanceof RaybridgeError)) {
    const message = 'the data could not be taken because of an internal error';
    return { ...comeAgain, reason: 'INTERNAL', message, retryAfterMs: retryAfterMsDefault };
  }
  const { code, message } = error;
  return { ...wireStatuses[code], reason: code, message, retryAfterMs: retryAfterMsOf(error) };
}

/** How long a sender is asked to wait when the error does not say. */
const retryAfterMsDefault = 1_000;

/** Milliseconds until the sender should come again; undefined when it must not. */
export function retryAfterMsOf(error: RaybridgeError): number | undefined {
  return error.retryable ? (error.retryAfterMs ?? retryAfterMsDefault) : undefined;
}

/** The value of a `Retry-After` header: whole seconds, at least one. */
export function printRetryAfter(retryAfterMs: number): string {
  return String(Math.max(1, Math.ceil(retryAfterMs / 1_000)));
}
