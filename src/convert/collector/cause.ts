import type { AttributeValue, JsonObject, JsonValue, SpanEvent } from '../../model/index.ts';
import { SpanKind, StatusCode } from '../../model/index.ts';
import { exceptionId, frameToJson, statusId } from '../cause.ts';
import { toJson } from '../values.ts';
import { parseCollectorStack } from './stack.ts';
import type { CollectorView } from './view.ts';
import { isAwsSdkCall, textIn } from './view.ts';

/**
 * `cause`, by the rules of the Collector's exporter (cause.go). The exporter makes up an id for
 * each exception; ours are those of our own mapping, so that a retry makes the same document.
 */

const failureEvent = 'HTTP request failure';

interface WrittenCause {
  readonly cause: JsonObject | undefined;
  /** By place of the event in the span. */
  readonly exceptionIds: ReadonlyMap<number, string>;
}

export function writeCause(view: CollectorView): WrittenCause {
  const { events, status } = view.span;
  const isAws = isAwsSdkCall(view.span);
  const exceptionIds = new Map<number, string>();
  if (!events.some(({ name }) => name === 'exception' || (isAws && name === failureEvent)))
    return { cause: status.code === StatusCode.error ? writeMessage(view) : undefined, exceptionIds };

  const exceptions: JsonObject[] = [];
  for (const [place, event] of events.entries()) {
    if (event.name === 'exception') exceptions.push(...writeChain(view, event, place));
    else if (isAws && event.name === failureEvent) exceptions.push(...writeFailure(view, event, place));
    else continue;
    exceptionIds.set(place, exceptionId(view, place, 0));
  }
  return { cause: causeOf(exceptions), exceptionIds };
}

/** An empty object where none of the failures can be told. */
function causeOf(exceptions: readonly JsonObject[]): JsonObject {
  return exceptions.length === 0 ? new Map() : new Map([['exceptions', exceptions]]);
}

/** Type and message are written also when they are empty. */
function writeChain(view: CollectorView, event: SpanEvent, place: number): readonly JsonObject[] {
  const { kind, resource } = view.span;
  const remote = kind === SpanKind.client || kind === SpanKind.producer;
  const text = textIn(event.attributes, 'exception.stacktrace');
  const chain = parseCollectorStack(text, textIn(resource.attributes, 'telemetry.sdk.language'));
  return chain.map(({ type, message, frames }, depth) => {
    const exception = new Map<string, JsonValue>([
      ['id', exceptionId(view, place, depth)],
      ['message', depth === 0 ? textIn(event.attributes, 'exception.message') : message],
      ['type', depth === 0 ? textIn(event.attributes, 'exception.type') : type],
      ['remote', remote],
    ]);
    if (depth + 1 < chain.length) exception.set('cause', exceptionId(view, place, depth + 1));
    if (frames.length > 0) exception.set('stack', frames.map(frameToJson));
    return exception;
  });
}

/** AWS SDKs tell failed attempts as events of their own. */
function writeFailure(view: CollectorView, event: SpanEvent, place: number): readonly JsonObject[] {
  const { attributes, timeNs } = event;
  if (!attributes.has('http.response.status_code') || !attributes.has('aws.http.error_message')) return [];
  const code = valueText(attributes.get('http.response.status_code'));
  const seconds = (Number(timeNs / 1000n) / 1e6).toFixed(6);
  return [
    new Map<string, JsonValue>([
      ['id', exceptionId(view, place, 0)],
      ['message', `${code}@${seconds}@${textIn(attributes, 'aws.http.error_message')}`],
      ['type', 'aws.http.error.event'],
      ['remote', true],
    ]),
  ];
}

function valueText(value: AttributeValue): string {
  const json = toJson(value);
  if (json === null) return '';
  return typeof json === 'object' && 'literal' in json ? json.literal : String(json);
}

/** `http.status_text` is taken also when the status has a message of its own. */
function writeMessage(view: CollectorView): JsonObject | undefined {
  const message = view.span.status.message || textIn(view.rest, 'http.status_text');
  view.rest.delete('http.status_text');
  if (message === '') return undefined;
  const exception = new Map([
    ['id', statusId(view)],
    ['message', message],
    ['type', ''],
  ]);
  return causeOf([exception]);
}
