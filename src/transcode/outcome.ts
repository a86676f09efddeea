import { decodeText } from '../codec/utf8.ts';
import { callerErrors, isThrottle, resourceExhausted } from '../convert/status.ts';
import { derivedId } from '../convert/ids.ts';
import { SpanKind, StatusCode } from '../model/index.ts';
import { keyNumber } from './attribute-keys.ts';
import type { Draft } from './draft.ts';
import { literal } from './page.ts';

/** `fault`, `error`, `throttle` and `cause`, as the conversion's `status.ts` and `cause.ts` have them. */

const httpStatus = keyNumber('http.response.status_code');
const httpStatusOlder = keyNumber('http.status_code');
const grpcStatus = keyNumber('rpc.grpc.status_code');
const errorType = keyNumber('error.type');

const memberFault = literal(',"fault":true');
const memberError = literal(',"error":true');
const memberThrottle = literal(',"throttle":true');
const memberCause = literal(',"cause":{"exceptions":[{"id":"');
const memberMessage = literal('","message":');
const causeEnd = literal('}]}');

/** What a reader makes of the flags and the cause. */
export class Outcome {
  fault = false;
  error = false;
  throttle = false;
  /** The cause has the status message as its only exception. */
  hasMessage = false;
  statusCodeRead = 0;

  /** Of the HTTP or gRPC code, else of the status. */
  readFlags(draft: Draft): void {
    const { statusCode } = draft.span;
    const http = draft.has(httpStatus) ? draft.place(httpStatus) : draft.place(httpStatusOlder);
    const code = http < 0 ? -1 : draft.number(http);
    const grpc = http < 0 && draft.has(grpcStatus) ? draft.number(draft.place(grpcStatus)) : -1;
    this.fault = statusCode === StatusCode.error;
    this.error = this.throttle = false;
    if (code >= 400 && code <= 599) {
      this.fault = code >= 500;
      this.error = code < 500;
      this.throttle = code === 429;
    } else if (grpc > 0 && grpc <= grpcCodeMax) {
      this.error = callerErrors.has(BigInt(grpc));
      this.fault = !this.error;
      this.throttle = BigInt(grpc) === resourceExhausted;
    }
    if (draft.isThrottled) this.throttle = true;
    const type = draft.place(errorType);
    if (type >= 0 && isThrottle(decodeText(draft.page.bytes, draft.start(type), draft.end(type)))) this.throttle = true;
  }

  writeFlags({ page }: Draft): void {
    if (this.fault) page.put(memberFault);
    if (this.error) page.put(memberError);
    if (this.throttle) page.put(memberThrottle);
  }

  /** The message of a status error, of a span without events that tell of exceptions. */
  writeCause(draft: Draft): void {
    const { page, span } = draft;
    this.hasMessage = span.statusCode === StatusCode.error && span.messageEnd > span.messageStart;
    this.readStatus(draft);
    if (!this.hasMessage) return;
    page.put(memberCause);
    page.ascii(derivedId(hexOf(draft, span.traceId, 16), hexOf(draft, span.spanId, 8), 'status'));
    page.put(memberMessage);
    page.text(span.messageStart, span.messageEnd);
    page.put(causeEnd);
  }

  private readStatus({ kindRead }: Draft): void {
    const isClientError = this.error || this.throttle;
    const isError = this.fault || this.hasMessage || (isClientError && kindRead !== SpanKind.server);
    this.statusCodeRead = isError ? StatusCode.error : StatusCode.unset;
  }
}

const grpcCodeMax = 16;

/** The bytes as hex digits, for a hash over text. */
function hexOf({ page }: Draft, start: number, length: number): string {
  const mark = page.pos;
  page.hex(start, start + length);
  const text = String.fromCharCode(...page.bytes.subarray(mark, page.pos));
  page.pos = mark;
  return text;
}
