import { printJson } from '../../codec/index.ts';
import { derivedId } from '../../convert/ids.ts';
import {
  isJsonArray,
  isJsonObject,
  type JsonValue,
  type Resource,
  type SpanEvent,
  SpanKind,
} from '../../model/index.ts';
import { documentOf, objectAt, templateSpan } from './template.ts';
import { literal } from './page.ts';

/**
 * Exceptions come again and again from the same line of the same program, with the same stack trace
 * of a kilobyte, so what an exception event becomes is remembered. Only ids and the time differ.
 */

/** What an exception event becomes, as bytes with gaps for the ids that depend on the span. */
export interface ExceptionParts {
  /** Elements of `cause.exceptions`: the exception and those that its stack trace says caused it. */
  readonly exceptions: Gapped;
  /** Its element of the envelope's `e`, behind the time: `,"exception",[…],0,"…"]`. */
  readonly event: Gapped;
  /** Exceptions in the chain. */
  readonly depth: number;
  /** At least as many bytes as both become. */
  readonly bytesMax: number;
}

/** Text, id, text, id, … text. */
export interface Gapped {
  readonly texts: readonly Uint8Array[];
  /** Which id of the chain stands behind each text but the last. */
  readonly depths: readonly number[];
}

/** Exceptions remembered of one resource and form, and the bytes of them. */
const knownMax = 256;
const knownBytesMax = 262_144;

interface Known {
  readonly bytes: Uint8Array;
  readonly parts: ExceptionParts | undefined;
}

export interface ExceptionForm {
  readonly isSegment: boolean;
  readonly isCall: boolean;
}

/** The exceptions of one resource's spans of one form. */
export class KnownExceptions {
  private readonly resource: Resource;
  private readonly form: ExceptionForm;
  private readonly known = new Map<number, Known>();
  private knownBytes = 0;

  constructor(resource: Resource, form: ExceptionForm) {
    this.resource = resource;
    this.form = form;
  }

  /**
   * What the event in `bytes[start, end)`, without its time, becomes; `decode` is asked for the
   * event when it was not met before. Undefined for an exception that is not usual.
   */
  find(bytes: Uint8Array, start: number, end: number, decode: () => SpanEvent | undefined): ExceptionParts | undefined {
    const hash = hashOf(bytes, start, end);
    const found = this.known.get(hash);
    if (found && isSame(found.bytes, bytes, start, end)) return found.parts;
    const event = decode();
    const parts = event && exceptionParts(event, this.resource, this.form);
    this.remember(hash, { bytes: bytes.slice(start, end), parts });
    return parts;
  }

  private remember(hash: number, known: Known): void {
    if (this.known.size >= knownMax || this.knownBytes >= knownBytesMax) {
      this.known.clear();
      this.knownBytes = 0;
    }
    this.known.set(hash, known);
    this.knownBytes += known.bytes.length + (known.parts?.bytesMax ?? 0);
  }
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  return hash;
}

function isSame(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}

/** Asks the path over spans about a span of that event alone. */
function exceptionParts(
  event: SpanEvent,
  resource: Resource,
  { isSegment, isCall }: ExceptionForm,
): ExceptionParts | undefined {
  const span = templateSpan({
    resource,
    kind: isCall ? SpanKind.client : isSegment ? SpanKind.server : SpanKind.internal,
    parentSpanId: isSegment ? undefined : '3'.repeat(16),
    // Another time than the span's end, which a reader would take it for.
    events: [{ ...event, timeNs: 1n }],
    status: { code: 2, message: '' },
  });
  const document = documentOf(span);
  const exceptions = objectAt(document, 'cause').get('exceptions');
  const entry = elementOf(objectAt(objectAt(document, 'metadata'), 'raybridge').get('e'));
  if (!isJsonArray(exceptions) || !isJsonArray(entry)) return undefined;

  const ids = exceptions.map((exception) => (isJsonObject(exception) ? exception.get('id') : undefined));
  const isDerived = ids.every((id, depth) => id === exceptionId(span, 0, depth));
  const [, , difference, dropped] = entry;
  const isRestored = isJsonArray(difference) && difference.length === 0 && printJson(dropped ?? null) === '0';
  if (!isDerived || isRestored || exceptions.length === 0 || isMessage(exceptions[0])) return undefined;
  const exceptionsText = exceptions.map(printJson).join(',');
  const eventText = `,${entry.slice(1).map(printJson).join(',')}]`;
  return {
    exceptions: gapped(exceptionsText, ids),
    event: gapped(eventText, ids),
    depth: ids.length,
    bytesMax: 3 * (exceptionsText.length + eventText.length),
  };
}

/** An exception that a reader takes for the message of the status. */
function isMessage(exception: JsonValue | undefined): boolean {
  return isJsonObject(exception) && [...exception.keys()].every((name) => name === 'id' || name === 'message');
}

function elementOf(value: JsonValue | undefined): JsonValue | undefined {
  return isJsonArray(value) ? value[0] : undefined;
}

/** As the conversion's `cause.ts` makes it. */
export function exceptionId(
  { traceId, spanId }: { readonly traceId: string; readonly spanId: string },
  place: number,
  depth: number,
): string {
  return derivedId(traceId, spanId, 'exception', String(place), String(depth));
}

function gapped(text: string, ids: readonly (JsonValue | undefined)[]): Gapped {
  const texts: Uint8Array[] = [];
  const depths: number[] = [];
  let rest = text;
  for (;;) {
    const next = nearest(rest, ids);
    if (!next) break;
    texts.push(literal(rest.slice(0, next.at)));
    depths.push(next.depth);
    rest = rest.slice(next.at + 16);
  }
  texts.push(literal(rest));
  return { texts, depths };
}

function nearest(
  text: string,
  ids: readonly (JsonValue | undefined)[],
): { readonly at: number; readonly depth: number } | undefined {
  const found = ids
    .map((id, depth) => ({ at: typeof id === 'string' ? text.indexOf(id) : -1, depth }))
    .filter(({ at }) => at >= 0);
  return found.toSorted((a, b) => a.at - b.at)[0];
}
