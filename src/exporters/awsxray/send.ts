import type { AwsClient } from '../../aws/client.ts';
import { RaybridgeError } from '../../errors.ts';
import type { IncomingAnswer } from '../../net/http-client.ts';
import { retryAfterOf } from '../../net/retry-after.ts';
import type { Refused } from '../../pipeline/component.ts';
import { idOf, type Page, printPage } from './documents.ts';
import type { Workers } from './workers.ts';

/**
 * One page of documents to PutTraceSegments, until AWS has taken or refused each of them; what it does
 * with each answer is the table of reliability 3.5. After an error the same sending goes on where it
 * was: what AWS has taken or refused is not sent again.
 */
export type SendPage = (sending: PageSending, signal: AbortSignal) => Promise<void>;

/** How far a page has come. */
export interface PageSending {
  readonly rest: Part[];
  readonly refused: Refused[];
}

/** Documents of one call. */
interface Part {
  readonly documents: Page;
  /** AWS had trouble with the one document in it; what it says now is final. */
  readonly isSecondTry: boolean;
}

export interface Sending {
  readonly client: AwsClient;
  readonly workers: Workers;
  readonly timeoutMs: number;
  /** What keeps the destination from taking anything, until an operator mends it; undefined when it takes data. */
  readonly onBlocked: (reason: string | undefined) => void;
  /** Hears of each document taken, and of failed calls. */
  readonly onSent: (documents: number) => void;
  readonly onFailure: (failure: Failure) => void;
}

/** As telemetry records count them. */
export type Failure = '4xx' | '5xx' | 'timeout' | 'refused' | 'unknown host' | 'other';

/** AWS takes no larger document (X-Ray API reference, "PutTraceSegments"). */
const documentBytesMax = 64 * 1024;
/** What only an operator can mend is tried this often. */
const blockedPauseMs = 60_000;

export function createSendPage(sending: Sending): SendPage {
  const { client, workers, timeoutMs } = sending;

  /** What is left to send of a part. */
  const send = async ({ documents, isSecondTry }: Part, refused: Refused[], signal: AbortSignal) => {
    const answer = await call(documents, signal, new Set());
    if (answer.status === 200) {
      sending.onBlocked(undefined);
      const { taken, again, lost } = sortOut(documents, readUnprocessed(answer.body), isSecondTry);
      sending.onSent(taken);
      refused.push(...lost);
      return again.map((document) => ({ documents: [document], isSecondTry: true }));
    }
    // The call as a whole is refused: one of its documents is to blame, or their number.
    const half = documents.length >> 1;
    const halves = [documents.slice(0, half), documents.slice(half)];
    if (half > 0) return halves.map((some) => ({ documents: some, isSecondTry }));
    refused.push(...documents.map((document) => refusal(document, codeOf(answer), messageOf(answer))));
    return [];
  };

  /** Resolves with an answer about the documents: 200, or a refusal of all. @throws RaybridgeError for all others. */
  const call = async (page: Page, signal: AbortSignal, mended: Set<Remedy>): Promise<IncomingAnswer> => {
    const answer = await workers
      .run(() => client.call({ path: '/TraceSegments', body: printPage(page), timeoutMs, signal }))
      .catch((error: unknown) => {
        sending.onFailure(failureOf(error));
        throw error;
      });
    if (answer.status === 200) return answer;
    sending.onFailure(answer.status >= 500 ? '5xx' : '4xx');
    const code = codeOf(answer);
    if (isThrottling(answer.status, code)) {
      workers.throttled();
      throw unavailable(answer, retryAfterOf(answer.headers, Date.now()));
    }
    const remedy = remedyOf(code);
    if (remedy && !mended.has(remedy)) {
      mended.add(remedy);
      if (remedy === 'clock') client.correctClock(Date.parse(answer.headers.get('date') ?? '') || Date.now());
      else client.forgetCredentials();
      return await call(page, signal, mended);
    }
    if (answer.status === 413 || (answer.status === 400 && !remedy && !isDenial(code))) return answer;
    if (answer.status === 408 || answer.status >= 500)
      throw unavailable(answer, retryAfterOf(answer.headers, Date.now()));
    const reason = `${(await client.endpoint()).origin} answered ${describe(answer)}`;
    sending.onBlocked(reason);
    throw unavailable(answer, blockedPauseMs);
  };

  return async ({ rest, refused }, signal) => {
    for (let part = rest[0]; part; part = rest[0]) {
      const parts = await send(part, refused, signal);
      rest.splice(0, 1, ...parts);
    }
  };
}

export function toSending(page: Page): PageSending {
  const large = page.filter((document) => document.length > documentBytesMax);
  const fitting = page.filter((document) => document.length <= documentBytesMax);
  return {
    rest: fitting.length === 0 ? [] : [{ documents: fitting, isSecondTry: false }],
    refused: large.map((document) =>
      refusal(document, 'TOO_LARGE', `expected at most ${documentBytesMax} bytes, got ${document.length}`),
    ),
  };
}

/** What an answer of 200 says of each document. */
function sortOut(
  documents: Page,
  entries: readonly Unprocessed[],
  isSecondTry: boolean,
): { readonly taken: number; readonly again: readonly Uint8Array[]; readonly lost: readonly Refused[] } {
  const named = new Map(entries.flatMap((entry) => (entry.id === undefined ? [] : [[entry.id, entry]])));
  const unnamed = entries.find(({ id }) => id === undefined);
  const again: Uint8Array[] = [];
  const lost: Refused[] = [];
  let taken = 0;
  for (const document of entries.length === 0 ? [] : documents) {
    // Alone, it is meant whatever name the answer gives it.
    const entry = isSecondTry ? entries[0] : named.get(idOf(document) ?? '');
    if (entry && (isSecondTry || !isTransient(entry.code))) lost.push(refusal(document, entry.code, entry.message));
    // One of those that are not named was refused, and only sending them alone shows which.
    else if (entry ?? unnamed) again.push(document);
    else taken++;
  }
  return { taken: entries.length === 0 ? documents.length : taken, again, lost };
}

function refusal(document: Uint8Array, code: string, message: string): Refused {
  return { format: 'xray_segments', body: document, items: 1, code, message };
}

interface Unprocessed {
  readonly id: string | undefined;
  readonly code: string;
  readonly message: string;
}

/** A 200 whose body cannot be read is still data that was taken. */
function readUnprocessed(body: Uint8Array): readonly Unprocessed[] {
  const { UnprocessedTraceSegments: entries } = parseObject(body);
  if (!Array.isArray(entries)) return [];
  return entries
    .filter((entry) => typeof entry === 'object' && entry !== null)
    .map(({ Id, ErrorCode, Message }) => ({
      id: typeof Id === 'string' && Id !== '' ? Id : undefined,
      code: codeText(ErrorCode),
      message: String(Message ?? ''),
    }));
}

function parseObject(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString());
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** The name of the exception, as every AWS SDK looks for it. */
function codeOf({ status, headers, body }: IncomingAnswer): string {
  const { __type, code } = parseObject(body);
  const name = headers.get('x-amzn-errortype') ?? __type ?? code;
  return typeof name === 'string' && name !== ''
    ? codeText(name.replace(/:.*$/, '').replace(/^.*#/, ''))
    : `HTTP_${status}`;
}

/** Codes become labels of counters, so they are short words whoever wrote them. */
function codeText(value: unknown): string {
  const text = typeof value === 'string' ? value.replaceAll(/[^A-Za-z0-9_.-]/g, '').slice(0, 64) : '';
  return text === '' ? 'Unknown' : text;
}

function messageOf({ body }: IncomingAnswer): string {
  const { message, Message } = parseObject(body);
  return String(message ?? Message ?? '');
}

function describe(answer: IncomingAnswer): string {
  return `${answer.status} ${codeOf(answer)} ${messageOf(answer)}`.trim();
}

function unavailable(answer: IncomingAnswer, retryAfterMs: number | undefined): RaybridgeError {
  return new RaybridgeError('DESTINATION_UNAVAILABLE', `AWS X-Ray answered ${describe(answer)}`, {
    retryAfterMs,
  });
}

function isThrottling(status: number, code: string): boolean {
  return status === 429 || /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown/i.test(code);
}

function isTransient(code: string): boolean {
  return /Throttl|Internal|ServiceUnavailable/i.test(code);
}

/** What may mend a refusal of who asks, tried once a call. */
type Remedy = 'clock' | 'credentials';

const clockCodes =
  /^(?:InvalidSignatureException|RequestTimeTooSkewed|SignatureDoesNotMatch|RequestExpired|RequestInTheFuture|AuthFailure)$/;
const credentialCodes = /^(?:ExpiredTokenException|ExpiredToken|UnrecognizedClientException|InvalidClientTokenId)$/;

function remedyOf(code: string): Remedy | undefined {
  if (clockCodes.test(code)) return 'clock';
  return credentialCodes.test(code) ? 'credentials' : undefined;
}

function isDenial(code: string): boolean {
  return /AccessDenied|MissingAuthenticationToken|IncompleteSignature|UnknownOperation/.test(code);
}

function failureOf(error: unknown): Failure {
  const text = error instanceof Error ? error.message : '';
  if (/no answer within|ETIMEDOUT|TIMEOUT/i.test(text)) return 'timeout';
  if (text.includes('ECONNREFUSED')) return 'refused';
  return /ENOTFOUND|EAI_AGAIN/.test(text) ? 'unknown host' : 'other';
}
