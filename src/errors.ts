/**
 * Expected trouble. One class, one table of codes: true for those where the same request may succeed
 * later without a change by the sender. `docs/errors.md` says what each means, and a test holds the
 * two together; the sentences stand there only, because this file is part of every browser bundle.
 * What is not in this table is a bug.
 */
export const retryableByCode = {
  BAD_INPUT: false,
  TOO_LARGE: false,
  UNSUPPORTED_MEDIA_TYPE: false,
  NOT_FOUND: false,
  METHOD_NOT_ALLOWED: false,
  UNKNOWN_OPERATION: false,
  INVALID_REQUEST: false,
  FILTER_INVALID: false,
  TOO_MANY_TAGS: false,
  POLICY_MALFORMED: false,
  POLICY_LOCKOUT: false,
  POLICY_TOO_MANY: false,
  POLICY_TOO_LARGE: false,
  POLICY_REVISION: false,
  RULE_LIMIT_EXCEEDED: false,
  FORBIDDEN: false,
  CREDENTIALS_MISSING: false,
  CREDENTIALS_UNKNOWN: false,
  SIGNATURE_MALFORMED: false,
  SIGNATURE_INVALID: false,
  QUEUE_FULL: true,
  DISK_LOW: true,
  SHUTTING_DOWN: true,
  QUEUE_WRITE_FAILED: true,
  QUEUE_CORRUPT: false,
  DATA_TOO_NEW: false,
  DATA_DIR_IN_USE: false,
  STORE_UNAVAILABLE: true,
  STORE_FAILED: true,
  ENGINE_MISSING: false,
  CONFIG_INVALID: false,
  LISTEN_FAILED: false,
  DESTINATION_UNAVAILABLE: true,
  DESTINATION_REFUSED: false,
} as const satisfies Record<string, boolean>;

export type ErrorCode = keyof typeof retryableByCode;

/** Where in a text it went wrong, and what; the message of the error says the same in one line. */
export interface TextPlace {
  /** In bytes, or in characters where the text was given as a string. */
  readonly offset: number;
  /** JSON pointer (RFC 6901); empty at the outermost value. */
  readonly pointer: string;
  /** `expected a string, got a number` */
  readonly complaint: string;
}

interface ErrorDetails {
  readonly cause?: unknown;
  readonly place?: TextPlace;
  /** How long a sender should wait, when we know better than it does. */
  readonly retryAfterMs?: number;
  /** Name or ARN of the thing that was asked for, where an answer repeats it. */
  readonly resource?: string;
}

export class RaybridgeError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly place: TextPlace | undefined;
  readonly resource: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'RaybridgeError';
    this.code = code;
    this.retryable = retryableByCode[code];
    this.retryAfterMs = details.retryAfterMs;
    this.place = details.place;
    this.resource = details.resource;
  }
}
