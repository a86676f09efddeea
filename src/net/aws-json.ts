import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseJson } from '../codec/index.ts';
import { type ErrorCode, RaybridgeError } from '../errors.ts';
import { isJsonObject, type JsonObject } from '../model/index.ts';
import { type BodyOptions, readBody } from './body.ts';
import { printRetryAfter, retryAfterMsOf } from './status.ts';

/** REST-JSON 1 as AWS services speak it: JSON in, JSON out, errors by exception name (API reference, "common errors"). */

/** The request's members. A missing or empty body means `{}`: several SDKs send none for operations without members. */
export async function readAwsRequest(message: IncomingMessage, options: BodyOptions): Promise<JsonObject> {
  const body = await readBody(message, options);
  if (body.length === 0) return new Map();
  const request = parseJson(body);
  if (isJsonObject(request)) return request;
  throw new RaybridgeError('INVALID_REQUEST', 'the request body: expected a JSON object, got another JSON value');
}

export function sendAwsAnswer(response: ServerResponse, answer: object): void {
  send(response, 200, answer);
}

/** What a caller wanted decides how trouble that a retry can fix is worded. */
export type Access = 'read' | 'write';

/** Answers with the exception that AWS would answer with, and returns its name. */
export function sendAwsError(
  response: ServerResponse,
  error: unknown,
  { access }: { readonly access: Access },
): string {
  const { status, name } = exceptionOf(error, access);
  if (response.destroyed || response.headersSent) return name;
  const text = error instanceof RaybridgeError ? error.message : 'an internal error occurred; the log has the details';
  const retryAfterMs = error instanceof RaybridgeError ? retryAfterMsOf(error) : undefined;
  if (retryAfterMs !== undefined) response.setHeader('Retry-After', printRetryAfter(retryAfterMs));
  if (status === 405) response.setHeader('Allow', 'POST');
  // An unread body would be taken for the next request on this connection.
  if (!response.req.complete) response.setHeader('Connection', 'close');
  // SDKs look for the name in the header or in `__type`, and for the text in either spelling.
  response.setHeader('x-amzn-ErrorType', name);
  const resource = error instanceof RaybridgeError ? error.resource : undefined;
  const more = resource === undefined ? {} : { ResourceName: resource };
  send(response, status, { __type: name, Message: text, message: text, ...more });
  return name;
}

interface AwsException {
  readonly status: number;
  readonly name: string;
}

const invalidRequest: AwsException = { status: 400, name: 'InvalidRequestException' };

const exceptions: Partial<Record<ErrorCode, AwsException>> = {
  CREDENTIALS_MISSING: { status: 403, name: 'MissingAuthenticationTokenException' },
  CREDENTIALS_UNKNOWN: { status: 403, name: 'UnrecognizedClientException' },
  FORBIDDEN: { status: 403, name: 'AccessDeniedException' },
  NOT_FOUND: { status: 404, name: 'ResourceNotFoundException' },
  TOO_MANY_TAGS: { status: 400, name: 'TooManyTagsException' },
  POLICY_MALFORMED: { status: 400, name: 'MalformedPolicyDocumentException' },
  POLICY_LOCKOUT: { status: 400, name: 'LockoutPreventionException' },
  POLICY_TOO_MANY: { status: 400, name: 'PolicyCountLimitExceededException' },
  POLICY_TOO_LARGE: { status: 400, name: 'PolicySizeLimitExceededException' },
  POLICY_REVISION: { status: 400, name: 'InvalidPolicyRevisionIdException' },
  METHOD_NOT_ALLOWED: { status: 405, name: 'UnknownOperationException' },
  RULE_LIMIT_EXCEEDED: { status: 400, name: 'RuleLimitExceededException' },
  SIGNATURE_INVALID: { status: 403, name: 'InvalidSignatureException' },
  SIGNATURE_MALFORMED: { status: 400, name: 'IncompleteSignatureException' },
  TOO_LARGE: { status: 413, name: 'RequestEntityTooLarge' },
  UNKNOWN_OPERATION: { status: 404, name: 'UnknownOperationException' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, name: 'UnsupportedMediaType' },
};

/** Throttling for a write, because every AWS SDK retries that. */
const comeAgain: Record<Access, AwsException> = {
  read: { status: 503, name: 'ServiceUnavailable' },
  write: { status: 429, name: 'ThrottledException' },
};

function exceptionOf(error: unknown, access: Access): AwsException {
  if (!(error instanceof RaybridgeError)) return { status: 500, name: 'InternalFailure' };
  return error.retryable ? comeAgain[access] : (exceptions[error.code] ?? invalidRequest);
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(text),
      'x-amzn-RequestId': randomUUID(),
    })
    .end(text);
}
