import { closeBracket, colon, comma, openBracket, quote } from '../../codec/json-bytes.ts';
import { decodeText } from '../../codec/utf8.ts';
import { isThrottle } from '../../convert/status.ts';
import { findKey, keyNumber } from './attribute-keys.ts';
import type { Span } from '../../model/index.ts';
import type { Draft } from './draft.ts';
import type { KnownExceptions } from './exceptions.ts';
import { isAwsRpc } from './name.ts';
import { putGapped } from './outcome.ts';
import { literal } from './page.ts';
import { attributesMax, textType } from './span-offsets.ts';
import { TimeOffsets } from './time.ts';
import { writeAny, writePlain } from './values.ts';

/** Events and links: what a document shows of them, and their entries in the envelope. */

const memberEvents = literal(',"e":[');
const memberLinks = literal(',"links":[');
const memberLinksEnvelope = literal(',"l":[');
const linkTraceId = literal('{"trace_id":"1-');
const linkId = literal('","id":"');
const linkAttributes = literal('","attributes":{');
const linkEnd = literal('"}');
const attributesEnd = literal('}}');
const dash = 0x2d;

const messageType = keyNumber('message.type');
const exceptionType = keyNumber('exception.type');

/** Notes what the events say of the outcome; returns at least as many bytes as their exceptions become. */
export function scanEvents(draft: Draft, known: KnownExceptions, decodeSpan: () => Span | undefined): number {
  const { span, page, exceptions } = draft;
  let bytesMax = 0;
  for (let i = 0; i < span.eventCount; i++) {
    const start = span.eventStart[i] ?? 0;
    const end = span.eventEnd[i] ?? 0;
    if (!span.readItem(start, end, 'event')) draft.isUsual = false;
    for (let k = attributesMax; k < span.item.attributeEnd; k++) scanAttribute(draft, k);
    const name = decodeText(page.view, span.item.nameStart, span.item.nameEnd);
    // AWS SDKs tell failed attempts so.
    if (name === 'HTTP request failure' && isAwsRpc(draft)) draft.isUsual = false;
    if (name !== 'exception') continue;
    const parts = isTimeFirst(draft, start)
      ? known.find(page.bytes, start + timeBytes, end, () => decodeSpan()?.events[i])
      : undefined;
    if (parts) exceptions.push({ place: i, parts, ids: [] });
    else draft.isUsual = false;
    bytesMax += parts?.bytesMax ?? 0;
  }
  return bytesMax;
}

/** Tag and time of an event, which everybody writes first. */
const timeBytes = 9;

function isTimeFirst({ page, span }: Draft, start: number): boolean {
  return page.bytes[start] === 0x09 && span.item.time === start + 1;
}

function scanAttribute(draft: Draft, place: number): void {
  const { page, span } = draft;
  const key = findKey(page.bytes, span.keyStart[place] ?? 0, span.keyEnd[place] ?? 0);
  // Older instrumentations tell the size of an answer by events of this kind.
  if (key === messageType) draft.isUsual = false;
  if (key !== exceptionType || span.type[place] !== textType) return;
  if (isThrottle(decodeText(page.view, draft.start(place), draft.end(place)))) draft.isThrottled = true;
}

/** Member `e` of the envelope: all events. */
export function writeEvents(draft: Draft): void {
  const { page, span } = draft;
  if (span.eventCount === 0) return;
  page.put(memberEvents);
  let exception = 0;
  for (let i = 0; i < span.eventCount; i++) {
    if (i > 0) page.byte(comma);
    if (!span.readItem(span.eventStart[i] ?? 0, span.eventEnd[i] ?? 0, 'event')) draft.isUsual = false;
    writeTime(draft);
    const next = draft.exceptions[exception];
    if (next?.place === i) {
      putGapped(draft, next.parts.event, next.ids);
      exception++;
    } else writeEvent(draft);
  }
  page.byte(closeBracket);
}

const time = new TimeOffsets();

/** `["1764000000123456789"` */
function writeTime(draft: Draft): void {
  const { page, span } = draft;
  time.read(page, span.item.time);
  if (time.seconds === 0) draft.isUsual = false;
  page.byte(openBracket);
  page.byte(quote);
  time.writeNanoseconds(page);
  page.byte(quote);
}

/** `,name, attributes, dropped]` of the event read last. */
function writeEvent(draft: Draft): void {
  const { page, span } = draft;
  const { item } = span;
  page.byte(comma);
  page.text(item.nameStart, item.nameEnd);
  page.byte(comma);
  writePacked(draft);
  page.byte(comma);
  page.integer(item.dropped);
  page.byte(closeBracket);
}

/** `[[key, AnyValue], …]` of the item read last. */
function writePacked(draft: Draft): void {
  const { page, span } = draft;
  page.byte(openBracket);
  for (let i = attributesMax; i < span.item.attributeEnd; i++) {
    if (i > attributesMax) page.byte(comma);
    page.byte(openBracket);
    page.text(span.keyStart[i] ?? 0, span.keyEnd[i] ?? 0);
    page.byte(comma);
    writeAny(draft, i);
    page.byte(closeBracket);
  }
  page.byte(closeBracket);
}

/** Member `links` of the document. */
export function writeLinks(draft: Draft): void {
  const { page, span } = draft;
  if (span.linkCount === 0) return;
  page.put(memberLinks);
  for (let i = 0; i < span.linkCount; i++) {
    if (i > 0) page.byte(comma);
    writeLink(draft, i);
  }
  page.byte(closeBracket);
}

function writeLink(draft: Draft, place: number): void {
  const { page, span } = draft;
  if (!span.readItem(span.linkStart[place] ?? 0, span.linkEnd[place] ?? 0, 'link')) draft.isUsual = false;
  const { item } = span;
  page.put(linkTraceId);
  page.hex(item.traceId, item.traceId + 4);
  page.byte(dash);
  page.hex(item.traceId + 4, item.traceId + 16);
  page.put(linkId);
  page.hex(item.spanId, item.spanId + 8);
  if (item.attributeEnd === attributesMax) {
    page.put(linkEnd);
    return;
  }
  page.put(linkAttributes);
  for (let i = attributesMax; i < item.attributeEnd; i++) {
    if (i > attributesMax) page.byte(comma);
    page.text(span.keyStart[i] ?? 0, span.keyEnd[i] ?? 0);
    page.byte(colon);
    writePlain(draft, i);
  }
  page.put(attributesEnd);
}

/** Member `l` of the envelope: all links, when the document does not show all of one. */
export function writeLinksEnvelope(draft: Draft): void {
  const { page, span } = draft;
  if (!hasHiddenParts(draft)) return;
  page.put(memberLinksEnvelope);
  for (let i = 0; i < span.linkCount; i++) {
    span.readItem(span.linkStart[i] ?? 0, span.linkEnd[i] ?? 0, 'link');
    const { item } = span;
    if (i > 0) page.byte(comma);
    page.byte(openBracket);
    page.text(item.stateStart, item.stateEnd);
    page.byte(comma);
    page.integer(item.flags);
    page.byte(comma);
    page.integer(item.dropped);
    page.byte(comma);
    writePacked(draft);
    page.byte(closeBracket);
  }
  page.byte(closeBracket);
}

function hasHiddenParts({ span }: Draft): boolean {
  const { item } = span;
  for (let i = 0; i < span.linkCount; i++) {
    span.readItem(span.linkStart[i] ?? 0, span.linkEnd[i] ?? 0, 'link');
    if (item.flags !== 0 || item.dropped !== 0 || item.stateEnd > item.stateStart) return true;
  }
  return false;
}
