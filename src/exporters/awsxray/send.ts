import type { AwsClient } from '../../aws/client.ts';
import { RaybridgeError } from '../../errors.ts';
import type { IncomingAnswer } from '../../net/http-client.ts';
import { retryAfterOf } from '../../net/retry-after.ts';
import type { Refused } from '../../pipeline/component.ts';
import { idOf, type Page, printPage } from './documents.ts';
import type { Workers } from './workers.ts';

/**
 * One page of documents to PutTraceSegments, until AWS has taken or refused each of them; what it does
 * with each answer is the table of reliability 3.5.
 */
export type SendPage = (page: Page, signal: AbortSignal) => Promise<readonly Refused[]>;

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

  const sendFitting = async (page: Page, signal: AbortSignal): Promise<readonly Refused[]> => {
    const answer = await call(page, signal, new Set());
    if (answer.status === 200) {
      sending.onBlocked(undefined);
      return await settle(page, readUnprocessed(answer.body), signal);
    }
    // The page as a whole is refused: one of its documents is to blame, or their number.
    const half = page.length >> 1;
    if (half === 0) return page.map((document) => refusal(document, codeOf(answer), messageOf(answer)));
    return [...(await sendFitting(page.slice(0, half), signal)), ...(await sendFitting(page.slice(half), signal))];
  };

  /** Resolves with an answer about the page: 200, or a refusal of it. @throws RaybridgeError for all others. */
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

  /** What is to be done about documents that an answer of 200 names. */
  const settle = async (
    page: Page,
    entries: readonly Unprocessed[],
    signal: AbortSignal,
  ): Promise<readonly Refused[]> => {
    if (entries.length === 0) {
      sending.onSent(page.length);
      return [];
    }
    const named = new Map(entries.flatMap((entry) => (entry.id === undefined ? [] : [[entry.id, entry]])));
    const unnamed = entries.some(({ id }) => id === undefined);
    const refused: Refused[] = [];
    const again: Uint8Array[] = [];
    let taken = 0;
    for (const document of page) {
      const id = idOf(document);
      const entry = id === undefined ? undefined : named.get(id);
      if (entry && isTransient(entry.code)) again.push(document);
      else if (entry) refused.push(refusal(document, entry.code, entry.message));
      // One of those that are not named was refused, and only sending them alone shows which.
      else if (unnamed) again.push(document);
      else taken++;
    }
    sending.onSent(taken);
    for (const document of again) refused.push(...(await sendAlone(document, signal)));
    return refused;
  };

  const sendAlone = async (document: Uint8Array, signal: AbortSignal): Promise<readonly Refused[]> => {
    const answer = await call([document], signal, new Set());
    const [entry] = answer.status === 200 ? readUnprocessed(answer.body) : [];
    if (answer.status !== 200) return [refusal(document, codeOf(answer), messageOf(answer))];
    if (entry) return [refusal(document, entry.code, entry.message)];
    sending.onSent(1);
    return [];
  };

  return async (page, signal) => {
    const large = page.filter((document) => document.length > documentBytesMax);
    const fitting = page.filter((document) => document.length <= documentBytesMax);
    const refused = large.map((document) =>
      refusal(document, 'TOO_LARGE', `expected at most ${documentBytesMax} bytes, got ${document.length}`),
    );
    return fitting.length === 0 ? refused : [...refused, ...(await sendFitting(fitting, signal))];
  };
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
