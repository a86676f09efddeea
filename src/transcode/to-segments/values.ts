import { closeBrace, closeBracket, comma, openBracket } from '../../codec/json-bytes.ts';
import { longInt, intType, listType, boolType, doubleType, textType } from './span-offsets.ts';
import type { Draft } from './draft.ts';
import { literal, type Page } from './page.ts';

/** Attribute values as JSON: plain, and as OTLP/JSON AnyValue, as the conversion's `values.ts` has them. */

const trueText = literal('true');
const falseText = literal('false');

/** The value at a place, plain. */
export function writePlain(draft: Draft, place: number): void {
  const { page, span } = draft;
  const type = span.type[place];
  const start = draft.start(place);
  const end = draft.end(place);
  if (type === textType) page.text(start, end);
  else if (type === intType) writeInt(page, draft.number(place), start, end);
  else if (type === boolType) page.put(draft.number(place) === 1 ? trueText : falseText);
  else if (type === doubleType) page.ascii(doubleText(draft.number(place)));
  else writeList(draft, start, end);
}

const elementTag = 0x0a;

function writeList(draft: Draft, start: number, end: number): void {
  const { page } = draft;
  page.byte(openBracket);
  for (let pos = start; pos < end;) {
    if (pos > start) page.byte(comma);
    const valueEnd = draft.span.varint(pos + 1) + draft.span.end;
    writePlainElement(draft, draft.span.end, valueEnd);
    pos = valueEnd;
  }
  page.byte(closeBracket);
}

/** An AnyValue of a text, int, bool or double. */
function writePlainElement({ page, span }: Draft, start: number, end: number): void {
  const { bytes, view } = page;
  const tag = bytes[start];
  if (tag === elementTag) {
    span.varint(start + 1);
    page.text(span.end, end);
  } else if (tag === 0x18) writeInt(page, end - start > 8 ? Number.NaN : span.varint(start + 1), start + 1, end);
  else if (tag === 0x10) page.put(bytes[start + 1] === 1 ? trueText : falseText);
  else page.ascii(doubleText(view.getFloat64(start + 1, true)));
}

const anyText = literal('{"stringValue":');
const anyInt = literal('{"intValue":"');
const anyIntEnd = literal('"}');
const anyBool = literal('{"boolValue":');
const anyDouble = literal('{"doubleValue":');
const anyList = literal('{"arrayValue":{"values":[');
const anyListEnd = literal(']}}');

/** The value at a place as AnyValue. */
export function writeAny(draft: Draft, place: number): void {
  const { page, span } = draft;
  const type = span.type[place];
  if (type !== listType) {
    const start = draft.start(place);
    writeAnyScalar(draft, type ?? 0, start, draft.end(place));
    return;
  }
  page.put(anyList);
  const listStart = draft.start(place);
  const listEnd = draft.end(place);
  for (let pos = listStart; pos < listEnd;) {
    if (pos > listStart) page.byte(comma);
    const valueEnd = span.varint(pos + 1) + span.end;
    const valueStart = span.end;
    writeAnyElement(draft, valueStart, valueEnd);
    pos = valueEnd;
  }
  page.put(anyListEnd);
}

function writeAnyElement(draft: Draft, start: number, end: number): void {
  const tag = draft.page.bytes[start];
  if (tag === elementTag) {
    draft.span.varint(start + 1);
    writeAnyScalar(draft, textType, draft.span.end, end);
  } else writeAnyScalar(draft, tag === 0x18 ? intType : tag === 0x10 ? boolType : doubleType, start + 1, end);
}

/** `start` is behind the tag of a number, and at the first byte of a text. */
function writeAnyScalar({ page, span }: Draft, type: number, start: number, end: number): void {
  if (type === textType) {
    page.put(anyText);
    page.text(start, end);
    page.byte(closeBrace);
  } else if (type === intType) {
    page.put(anyInt);
    writeInt(page, end - start > 7 ? Number.NaN : span.varint(start), start, end);
    page.put(anyIntEnd);
  } else if (type === boolType) {
    page.put(anyBool);
    page.put(page.bytes[start] === 1 ? trueText : falseText);
    page.byte(closeBrace);
  } else {
    page.put(anyDouble);
    page.ascii(doubleText(page.view.getFloat64(start, true)));
    page.byte(closeBrace);
  }
}

/** A whole number up to 2^49, or NaN for one that must be read from its varint. */
function writeInt(page: Page, value: number, start: number, end: number): void {
  if (value >= 0) page.integer(value);
  else page.ascii(longInt(page.bytes, start, end).toString());
}

/** As the conversion writes doubles: a whole one keeps a point. */
function doubleText(value: number): string {
  const text = String(value);
  return Number.isInteger(value) && !text.includes('e') ? `${text}.0` : text;
}
