/**
 * Expected trouble. One class, one table of codes; `docs/errors.md` lists the same table for
 * operators and a test holds the two together. What is not in this table is a bug.
 */

interface ErrorKind {
  /** True when the same request may succeed later without a change by the sender. */
  readonly retryable: boolean;
  /** One sentence for an operator, repeated in docs/errors.md. */
  readonly means: string;
}

export const errorKinds = {
  BAD_INPUT: { retryable: false, means: 'The data cannot be decoded or breaks a rule of its format.' },
  TOO_LARGE: {
    retryable: false,
    means: 'The request is larger than the configured limit, on the wire or after decompression.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    retryable: false,
    means: 'The content type or content encoding is not one this endpoint takes.',
  },
  NOT_FOUND: { retryable: false, means: 'No such path, trace or thing.' },
  METHOD_NOT_ALLOWED: { retryable: false, means: 'The path exists but not for this HTTP method.' },
  UNKNOWN_OPERATION: {
    retryable: false,
    means: 'The X-Ray API has no such operation, or this version does not answer it yet.',
  },
  INVALID_REQUEST: { retryable: false, means: 'A request to the X-Ray API lacks a member or holds a wrong one.' },
  FILTER_INVALID: { retryable: false, means: 'A filter expression cannot be read; the message names the position.' },
  FORBIDDEN: {
    retryable: false,
    means: 'The request comes from where it must not come, for example from another web page.',
  },
  QUEUE_FULL: { retryable: true, means: 'The intake queue has reached its size limit; come again.' },
  DISK_LOW: { retryable: true, means: 'The volume of the data directory has too little free space; come again.' },
  SHUTTING_DOWN: { retryable: true, means: 'The process is stopping; come again.' },
  QUEUE_WRITE_FAILED: {
    retryable: true,
    means:
      'The intake queue could not make the data durable. Nothing was acknowledged; the process stops with exit code 74.',
  },
  QUEUE_CORRUPT: { retryable: false, means: 'The intake queue cannot be opened or read.' },
  DATA_TOO_NEW: { retryable: false, means: 'The data directory was written by a newer version; nothing was touched.' },
  DATA_DIR_IN_USE: { retryable: false, means: 'Another process uses the data directory.' },
  STORE_UNAVAILABLE: {
    retryable: true,
    means: 'The store does not answer at the moment; it is being started or restarted.',
  },
  STORE_FAILED: { retryable: true, means: 'The store answered with an error.' },
  ENGINE_MISSING: { retryable: false, means: 'The embedded engine is not installed or does not run on this platform.' },
  CONFIG_INVALID: { retryable: false, means: 'The configuration has errors; each names file, line and column.' },
  LISTEN_FAILED: {
    retryable: false,
    means: 'A listener cannot be opened, most often because another program holds the port.',
  },
  DESTINATION_UNAVAILABLE: {
    retryable: true,
    means: 'An exporter cannot reach its destination; the data stays in the queue.',
  },
  DESTINATION_REFUSED: {
    retryable: false,
    means: 'A destination refused the data for good; it went to the dead letters.',
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

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
}

export class RaybridgeError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly place: TextPlace | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'RaybridgeError';
    this.code = code;
    this.retryable = errorKinds[code].retryable;
    this.retryAfterMs = details.retryAfterMs;
    this.place = details.place;
  }
}
