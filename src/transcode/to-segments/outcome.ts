import { comma } from '../../codec/json-bytes.ts';
import { decodeText } from '../../codec/utf8.ts';
import { callerErrors, isThrottle, resourceExhausted } from '../../convert/status.ts';
import { derivedId } from '../../convert/ids.ts';
import { SpanKind, StatusCode } from '../../model/index.ts';
import { keyNumber } from './attribute-keys.ts';
import type { Draft } from './draft.ts';
import { exceptionId, type Gapped } from './exceptions.ts';
import { literal } from './page.ts';

/** `fault`, `error`, `throttle` and `cause`, as the conversion's `status.ts` and `cause.ts` have them. */

const httpStatus = keyNumber('http.response.status_code');
const httpStatusOlder = keyNumber('http.status_code');
const grpcStatus = keyNumber('rpc.grpc.status_code');
const errorType = keyNumber('error.type');

const memberFault = literal(',"fault":true');
const memberError = literal(',"error":true');
const memberThrottle = literal(',"throttle":true');
const memberCause = literal(',"cause":{"exceptions":[');
const exceptionStart = literal('{"id":"');
const memberMessage = literal('","message":');
const exceptionEnd = literal('}');
const causeEnd = literal(']}');
const faultFlag = keyNumber('aws.xray.fault');

/** What a reader makes of the flags and the cause. */
export class Outcome {
  fault = false;
  error = false;
  throttle = false;
  /** They follow from the status, not from a code. */
  isFromStatus = false;
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
    this.isFromStatus = false;
    if (code >= 400 && code <= 599) {
      this.fault = code >= 500;
      this.error = code < 500;
      this.throttle = code === 429;
    } else if (grpc > 0 && grpc <= grpcCodeMax) {
      this.error = callerErrors.has(BigInt(grpc));
      this.fault = !this.error;
      this.throttle = BigInt(grpc) === resourceExhausted;
    } else this.isFromStatus = true;
    if (draft.isThrottled) this.throttle = true;
    const type = draft.place(errorType);
    if (type >= 0 && isThrottle(decodeText(draft.page.view, draft.start(type), draft.end(type)))) this.throttle = true;
  }

  writeFlags({ page }: Draft): void {
    if (this.fault) page.put(memberFault);
    if (this.error) page.put(memberError);
    if (this.throttle) page.put(memberThrottle);
  }

  /** The message of a status error, of a span without exceptions. */
  writeMessage(draft: Draft): void {
    const { page, span } = draft;
    this.hasMessage = span.statusCode === StatusCode.error && span.messageEnd > span.messageStart;
    const isClientError = this.error || this.throttle;
    const isError = this.fault || this.hasMessage || (isClientError && draft.kindRead !== SpanKind.server);
    this.statusCodeRead = isError ? StatusCode.error : StatusCode.unset;
    this.keepFault(draft);
    if (!this.hasMessage) return;
    page.put(memberCause);
    page.put(exceptionStart);
    page.ascii(derivedId(hexOf(draft, span.traceId, 16), hexOf(draft, span.spanId, 8), 'status'));
    page.put(memberMessage);
    page.text(span.messageStart, span.messageEnd);
    page.put(exceptionEnd);
    page.put(causeEnd);
  }

  /** A reader that takes the span for one with a status of error remembers that it is no fault all the same. */
  private keepFault({ restored }: Draft): void {
    if (this.isFromStatus && this.statusCodeRead === StatusCode.error && !this.fault) restored.other(faultFlag);
  }

  /** The exceptions that events tell of; a reader takes the span for one with a status of error. */
  writeExceptions(draft: Draft): void {
    const { page, span, exceptions } = draft;
    this.hasMessage = false;
    this.statusCodeRead = StatusCode.error;
    this.keepFault(draft);
    const ids = { traceId: hexOf(draft, span.traceId, 16), spanId: hexOf(draft, span.spanId, 8) };
    page.put(memberCause);
    for (const [i, { place, parts, ids: chain }] of exceptions.entries()) {
      for (let depth = 0; depth < parts.depth; depth++) chain.push(exceptionId(ids, place, depth));
      if (i > 0) page.byte(comma);
      putGapped(draft, parts.exceptions, chain);
    }
    page.put(causeEnd);
  }
}

/** Text with the ids of the span's own exceptions in its gaps. */
export function putGapped({ page }: Draft, { texts, depths }: Gapped, ids: readonly string[]): void {
  for (const [i, text] of texts.entries()) {
    page.put(text);
    const depth = depths[i];
    if (depth !== undefined) page.ascii(ids[depth] ?? '');
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
