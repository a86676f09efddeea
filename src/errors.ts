/**
 * Expected trouble. One class, and a code for each kind of it. `docs/errors.md` says what each means,
 * and a test holds the two together; the sentences stand there only, because this file is part of
 * every browser bundle. What has no code here is a bug.
 */

/** The same request may succeed later without a change by the sender. */
export const retryableCodes = [
  'QUEUE_FULL',
  'DISK_LOW',
  'MEMORY_HIGH',
  'SHUTTING_DOWN',
  'QUEUE_WRITE_FAILED',
  'STORE_UNAVAILABLE',
  'STORE_FAILED',
  'DESTINATION_UNAVAILABLE',
] as const;

export const finalCodes = [
  'BAD_INPUT',
  'TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'UNKNOWN_OPERATION',
  'INVALID_REQUEST',
  'FILTER_INVALID',
  'TOO_MANY_TAGS',
  'POLICY_MALFORMED',
  'POLICY_LOCKOUT',
  'POLICY_TOO_MANY',
  'POLICY_TOO_LARGE',
  'POLICY_REVISION',
  'RULE_LIMIT_EXCEEDED',
  'FORBIDDEN',
  'CREDENTIALS_MISSING',
  'CREDENTIALS_UNKNOWN',
  'SIGNATURE_MALFORMED',
  'SIGNATURE_INVALID',
  'QUEUE_CORRUPT',
  'DATA_TOO_NEW',
  'DATA_DIR_IN_USE',
  'ENGINE_MISSING',
  'CONFIG_INVALID',
  'LISTEN_FAILED',
  'DESTINATION_REFUSED',
] as const;

export type ErrorCode = (typeof retryableCodes)[number] | (typeof finalCodes)[number];

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
  readonly retryAfterMs?: number | undefined;
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
    this.retryable = retryableCodes.some((retryable) => retryable === code);
    this.retryAfterMs = details.retryAfterMs;
    this.place = details.place;
    this.resource = details.resource;
  }
}
