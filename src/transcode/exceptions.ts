import { printJson } from '../codec/index.ts';
import { readCause, writeCause } from '../convert/cause.ts';
import { ignore, readOutcome } from '../convert/document.ts';
import { writeEvents } from '../convert/envelope.ts';
import { sameEvents } from '../convert/equality.ts';
import type { JsonText } from '../convert/index.ts';
import type { DocumentView } from '../convert/section.ts';
import type { AttributeValue, JsonValue, Span } from '../model/index.ts';
import type { Outcome } from './outcome.ts';

/** What the exception events of a span become. */
export interface ExceptionParts {
  /** JSON, or undefined when there is none. */
  readonly cause: string | undefined;
  /** Member `e` of the envelope, JSON. */
  readonly events: string | undefined;
  /** Status that a reader makes of the document. */
  readonly status: Span['status'];
  /** Keys of flags that a reader would not derive from what it reads. */
  readonly flagKeys: readonly FlagKey[];
}

export type FlagKey = 'aws.xray.fault' | 'aws.xray.error' | 'aws.xray.throttle';
const flagKeys: readonly FlagKey[] = ['aws.xray.fault', 'aws.xray.error', 'aws.xray.throttle'];

/**
 * Stack traces have a grammar for each language, so spans with exceptions are decoded and their
 * cause is made by the conversion itself, there and back; the rest of such a span stays on the page.
 */
export function exceptionParts(
  span: Span,
  { isSegment, kindRead, outcome, json }: { isSegment: boolean; kindRead: number; outcome: Outcome; json: JsonText },
): ExceptionParts {
  const form = isSegment ? 'segment' : 'subsegment';
  const { cause, exceptionIds } = writeCause({ span, attributes: span.attributes, form, shown: new Set(), json });
  const document = new Map<string, JsonValue>();
  if (cause !== undefined) document.set('cause', cause);
  for (const flag of ['fault', 'error', 'throttle'] as const) if (outcome[flag]) document.set(flag, true);
  const view: DocumentView = {
    document,
    form,
    ours: true,
    kind: kindRead,
    startTimeNs: span.startTimeNs,
    endTimeNs: span.endTimeNs,
    attributes: new Map<string, AttributeValue>(span.attributes),
    resource: new Map<string, AttributeValue>(isSegment ? span.resource.attributes : []),
    json,
    report: ignore,
  };
  const back = readOutcome({ view, exceptions: readCause(view) }, span.endTimeNs);
  return {
    cause: cause === undefined ? undefined : printJson(cause),
    events: sameEvents(span.events, back.events)
      ? undefined
      : printJson(writeEvents(span.events, { back: { ...back, span }, exceptionIds }, json)),
    status: back.status,
    flagKeys: flagKeys.filter((key) => view.attributes.has(key)),
  };
}
