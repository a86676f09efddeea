import type { AttributeValue, Attributes, JsonObject, JsonValue, SpanEvent } from '../model/index.ts';
import { isJsonObject, SpanKind, StatusCode } from '../model/index.ts';
import { isAwsRpc } from './aws.ts';
import { derivedId } from './ids.ts';
import type { DocumentView, Place, SpanView } from './section.ts';
import {
  booleanAt,
  integerAt,
  listAt,
  objectOf,
  placeAt,
  pointerTo,
  rootPlace,
  setAttribute,
  showText,
  showTexts,
  textAt,
  textOf,
  textsAt,
  toInteger,
} from './section.ts';
import type { Frame, StackSection } from './stack.ts';
import { parseStack, printStack } from './stack.ts';

/**
 * `cause` (AWS X-Ray developer guide, "errors and exceptions") ↔ the exception events of a span.
 * An exception's id is made of the ids of the span and the place of the event, so that the same
 * span always makes the same document.
 */

/** Frames of one exception that are written; the rest is counted in `truncated`. */
const framesMax = 50;

interface WrittenCause {
  readonly cause: JsonValue | undefined;
  /** By place of the event in the span. */
  readonly exceptionIds: ReadonlyMap<number, string>;
}

export function writeCause(view: SpanView): WrittenCause {
  const { exceptions, exceptionIds } = writeExceptions(view);
  const reference = showText(view, 'aws.xray.cause');
  if (exceptions.length === 0 && reference !== undefined) return { cause: reference, exceptionIds };
  const cause = objectOf({
    working_directory: showText(view, 'aws.xray.cause.working_directory'),
    paths: showTexts(view, 'aws.xray.cause.paths'),
    exceptions: exceptions.length === 0 ? writeMessage(view) : exceptions,
  });
  return { cause, exceptionIds };
}

function writeExceptions(view: SpanView): {
  exceptions: readonly JsonValue[];
  exceptionIds: ReadonlyMap<number, string>;
} {
  const exceptions: JsonValue[] = [];
  const exceptionIds = new Map<number, string>();
  for (const [i, event] of view.span.events.entries()) {
    const chain = event.name === 'exception' ? writeChain(view, event, i) : writeFailure(view, event, i);
    const id = chain[0]?.get('id');
    if (typeof id === 'string') exceptionIds.set(i, id);
    exceptions.push(...chain);
  }
  return { exceptions, exceptionIds };
}

/** The exception of an event and the ones that its stack trace says caused it. */
function writeChain(view: SpanView, event: SpanEvent, place: number): readonly JsonObject[] {
  const { attributes } = event;
  const text = textOf(attributes, 'exception.stacktrace');
  const language = textOf(view.span.resource.attributes, 'telemetry.sdk.language');
  const [thrown, ...causes] = text === undefined ? [] : parseStack(text, language);
  const remote = attributes.get('aws.xray.exception.remote') ?? isCall(view);
  const idOf = (depth: number): string => exceptionId(view, place, depth);

  const exception = exceptionOf({
    id: textOf(attributes, 'aws.xray.exception.id') ?? idOf(0),
    message: textOf(attributes, 'exception.message'),
    type: textOf(attributes, 'exception.type'),
    remote,
    known: numbersOf(attributes),
    cause: textOf(attributes, 'aws.xray.exception.cause') ?? (causes.length > 0 ? idOf(1) : undefined),
    frames: thrown?.frames ?? [],
  });
  const rest = causes.map((section: StackSection, i) =>
    exceptionOf({
      ...section,
      id: idOf(i + 1),
      remote,
      cause: i + 1 < causes.length ? idOf(i + 2) : undefined,
    }),
  );
  return [exception, ...rest];
}

function isCall(view: SpanView): true | undefined {
  return view.span.kind === SpanKind.client || view.span.kind === SpanKind.producer ? true : undefined;
}

export function exceptionId({ span }: Pick<SpanView, 'span'>, place: number, depth: number): string {
  return derivedId(span.traceId, span.spanId, 'exception', String(place), String(depth));
}

interface ExceptionParts {
  readonly id: string;
  readonly message: string | undefined;
  readonly type: string | undefined;
  readonly remote: AttributeValue;
  /** `truncated` and `skipped` as they were told. */
  readonly known?: Readonly<Record<string, JsonValue | undefined>>;
  readonly cause: string | undefined;
  readonly frames: readonly Frame[];
}

function exceptionOf(parts: ExceptionParts): JsonObject {
  const { frames } = parts;
  const omitted = frames.length - framesMax;
  const exception = objectOf({
    id: parts.id,
    message: parts.message,
    type: parts.type,
    remote: typeof parts.remote === 'boolean' ? parts.remote : undefined,
    truncated: omitted > 0 ? { literal: String(omitted) } : undefined,
    ...parts.known,
    cause: parts.cause,
    stack: frames.length === 0 ? undefined : frames.slice(0, framesMax).map(frameToJson),
  });
  return exception ?? new Map();
}

function numbersOf(attributes: Attributes): Readonly<Record<string, JsonValue | undefined>> {
  const numbers: Record<string, JsonValue> = {};
  for (const name of ['truncated', 'skipped']) {
    const value = toInteger(attributes.get(`aws.xray.exception.${name}`));
    if (value !== undefined) numbers[name] = { literal: value.toString() };
  }
  return numbers;
}

export function frameToJson({ path, line, label }: Frame): JsonObject {
  return new Map<string, JsonValue>([
    ['path', path],
    ['line', { literal: String(line) }],
    ['label', label],
  ]);
}

/** AWS SDKs tell failed attempts as events of their own: one exception each, as the Collector words it. */
function writeFailure(view: SpanView, event: SpanEvent, place: number): readonly JsonObject[] {
  if (event.name !== 'HTTP request failure' || !isAwsRpc(view.attributes)) return [];
  const code = toInteger(event.attributes.get('http.response.status_code'));
  const message = textOf(event.attributes, 'aws.http.error_message');
  if (code === undefined || message === undefined) return [];
  const microseconds = event.timeNs / 1000n;
  const seconds = `${microseconds / 1_000_000n}.${(microseconds % 1_000_000n).toString().padStart(6, '0')}`;
  return [
    exceptionOf({
      id: exceptionId(view, place, 0),
      message: `${code}@${seconds}@${message}`,
      type: 'aws.http.error.event',
      remote: true,
      cause: undefined,
      frames: [],
    }),
  ];
}

/** The message of a status error is all that is known of it when no event tells of an exception. */
function writeMessage(view: SpanView): readonly JsonValue[] | undefined {
  const { status } = view.span;
  if (status.code !== StatusCode.error) return undefined;
  const message = status.message === '' ? showText(view, 'http.status_text') : status.message;
  const id = statusId(view);
  return message === undefined
    ? undefined
    : [
        new Map([
          ['id', id],
          ['message', message],
        ]),
      ];
}

/** Id of the exception that stands for the message of a status error. */
export function statusId({ span }: Pick<SpanView, 'span'>): string {
  return derivedId(span.traceId, span.spanId, 'status');
}

/** Attributes of the cause itself, and how many exceptions it has; `cause` may be the id of one elsewhere. */
export function readCause(view: DocumentView): readonly Place[] {
  const value = view.document.get('cause');
  if (typeof value === 'string') {
    setAttribute(view.attributes, 'aws.xray.cause', textAt(view, rootPlace(view), 'cause'));
    return [];
  }
  const cause = placeAt(view, rootPlace(view), 'cause');
  if (!cause) return [];
  setAttribute(view.attributes, 'aws.xray.cause.working_directory', textAt(view, cause, 'working_directory'));
  setAttribute(view.attributes, 'aws.xray.cause.paths', textsAt(view, cause, 'paths'));
  return exceptionsOf(view, cause);
}

function exceptionsOf(view: DocumentView, cause: Place): readonly Place[] {
  const pointer = pointerTo(cause, 'exceptions');
  return (listAt(view, cause, 'exceptions') ?? []).flatMap((exception, i) => {
    if (isJsonObject(exception)) return [{ object: exception, pointer: `${pointer}/${i}` }];
    view.report(`${pointer}/${i}`, 'expected an object');
    return [];
  });
}

/** One event each, in the document's order: the root exception before its causes. X-Ray tells no time. */
export function readEvents(exceptions: readonly Attributes[], timeNs: bigint): readonly SpanEvent[] {
  return exceptions.map((attributes) => ({ timeNs, name: 'exception', attributes, droppedAttributesCount: 0 }));
}

/** The message of a status error that writeMessage has put into the document; undefined for any other cause. */
export function readMessage(view: DocumentView, exceptions: readonly Place[]): string | undefined {
  const [only] = exceptions;
  if (!only || exceptions.length > 1) return undefined;
  if ([...only.object.keys()].some((name) => name !== 'id' && name !== 'message')) return undefined;
  return textAt(view, only, 'message');
}

/** Attributes that an exception of the document stands for. */
export function readException(view: DocumentView, exception: Place): Attributes {
  const attributes = new Map<string, AttributeValue>();
  const type = textAt(view, exception, 'type');
  const message = textAt(view, exception, 'message');
  setAttribute(attributes, 'exception.type', type);
  setAttribute(attributes, 'exception.message', message);
  setAttribute(attributes, 'exception.stacktrace', readStack(view, exception, [type, message]));
  // An envelope names the exception by its id and holds what the span said itself.
  if (view.ours) return attributes;
  setAttribute(attributes, 'aws.xray.exception.id', textAt(view, exception, 'id'));
  setAttribute(attributes, 'aws.xray.exception.remote', booleanAt(view, exception, 'remote'));
  setAttribute(attributes, 'aws.xray.exception.truncated', integerAt(view, exception, 'truncated'));
  setAttribute(attributes, 'aws.xray.exception.skipped', integerAt(view, exception, 'skipped'));
  setAttribute(attributes, 'aws.xray.exception.cause', textAt(view, exception, 'cause'));
  return attributes;
}

function readStack(view: DocumentView, exception: Place, header: readonly (string | undefined)[]): string | undefined {
  const pointer = pointerTo(exception, 'stack');
  const frames = (listAt(view, exception, 'stack') ?? []).flatMap((frame, i) => {
    if (isJsonObject(frame)) return [readFrame(view, { object: frame, pointer: `${pointer}/${i}` })];
    view.report(`${pointer}/${i}`, 'expected an object');
    return [];
  });
  if (frames.length === 0) return undefined;
  const title = header.filter((part) => part !== undefined).join(': ');
  return printStack(title, frames, textOf(view.resource, 'telemetry.sdk.language'));
}

function readFrame(view: DocumentView, frame: Place): Frame {
  const line = integerAt(view, frame, 'line') ?? 0n;
  return {
    path: textAt(view, frame, 'path') ?? '',
    line: Number(line),
    label: textAt(view, frame, 'label') ?? '',
  };
}
