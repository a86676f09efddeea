import { closeBracket, colon, comma, openBracket, quote } from '../../codec/json-bytes.ts';
import { decodeText } from '../../codec/utf8.ts';
import { successors } from '../../convert/generations.ts';
import { fingerprint } from '../../convert/ids.ts';
import { type AttributeKey, keyBytes, keyCount, keyNumber } from './attribute-keys.ts';
import type { Draft } from './draft.ts';
import { literal } from './page.ts';
import { restoredInt, restoredSame, restoredText } from './restored.ts';
import { attributesMax, doubleType, intType, textType } from './span-offsets.ts';
import { writeAny, writePlain } from './values.ts';

/**
 * The attributes that the sections have left: in the metadata what the document shows nowhere, in
 * the envelope what a reader would get wrong. The rules are those of the conversion's `metadata.ts`
 * (`writeRest`) and `envelope.ts` (`writeAttributes`), told by cases.
 */

/** Number of the stable successor by number of the older key; -1 for none. */
const successorOf = new Int16Array(keyCount).fill(-1);
for (const [older, stable] of successors) {
  const from = keyNumber(older as AttributeKey); // -1 for a key that has no rule here, and so cannot be met.
  if (from >= 0) successorOf[from] = keyNumber(stable as AttributeKey);
}

const memberOlder = literal(',"u":[');
const memberAttributes = literal(',"a":[');
const memberRemoved = literal(',"x":[');
const memberDoubles = literal(',"y":{"d":[');
const doublesEnd = literal(']}');

/** Attributes by what becomes of them; lists of places, and of key numbers. */
export class Leftovers {
  /** For the metadata, in the span's order. */
  restCount = 0;
  private readonly rest = new Int16Array(attributesMax);
  private readonly isRest = new Uint8Array(attributesMax);
  private olderCount = 0;
  private readonly older = new Int16Array(attributesMax);
  private addedCount = 0;
  private readonly added = new Int16Array(attributesMax);
  private doublesCount = 0;
  private readonly doubles = new Int16Array(attributesMax);
  private removedCount = 0;
  private readonly removed = new Int16Array(keyCount);

  /** Decides about every attribute. */
  sort(draft: Draft): void {
    const { span, restored, shown, annotated } = draft;
    this.restCount = this.olderCount = this.addedCount = this.doublesCount = this.removedCount = 0;
    for (let i = 0; i < span.attributeCount; i++) {
      const key = span.key[i] ?? -1;
      const isShown = shown[i] === 1;
      this.isRest[i] = 0;
      if (key >= 0 && restored.has(key)) {
        if (isSame(draft, key, i)) {
          if (annotated[i] === 1) this.addDouble(draft, i);
          continue;
        }
        if (!isShown) this.addRest(i);
        this.added[this.addedCount++] = i;
        continue;
      }
      if (annotated[i] === 1) {
        this.addDouble(draft, i);
        continue;
      }
      const successor = key >= 0 ? (successorOf[key] ?? -1) : -1;
      if (successor >= 0 && restored.has(successor) && isSame(draft, successor, i)) this.older[this.olderCount++] = i;
      else if (!isShown) {
        this.addRest(i);
        this.addDouble(draft, i);
      } else this.added[this.addedCount++] = i;
    }
    this.moveOlder(draft);
    for (let i = 0; i < restored.count; i++) {
      const key = restored.keys[i] ?? 0;
      if (!draft.has(key)) this.removed[this.removedCount++] = key;
    }
  }

  /** A whole double, which stores and programs write as an int. */
  private addDouble({ span }: Draft, place: number): void {
    if (span.type[place] === doubleType && Number.isInteger(span.number[place]))
      this.doubles[this.doublesCount++] = place;
  }

  private addRest(place: number): void {
    this.isRest[place] = 1;
    this.rest[this.restCount++] = place;
  }

  /** A key that is shown only, whose successor has the same value in the metadata, counts as the older of the two. */
  private moveOlder(draft: Draft): void {
    let kept = 0;
    for (let i = 0; i < this.addedCount; i++) {
      const place = this.added[i] ?? 0;
      const key = draft.span.key[place] ?? -1;
      const successor = key >= 0 && !draft.restored.has(key) ? (successorOf[key] ?? -1) : -1;
      const other = successor < 0 ? -1 : draft.place(successor);
      if (other >= 0 && this.isRest[other] === 1 && draft.sameValue(place, other))
        this.older[this.olderCount++] = place;
      else this.added[kept++] = place;
    }
    this.addedCount = kept;
  }

  /** `"key":value` of each attribute for the metadata. */
  writeRest(draft: Draft): void {
    const { page } = draft;
    for (let i = 0; i < this.restCount; i++) {
      const place = this.rest[i] ?? 0;
      if (i > 0) page.byte(comma);
      writeKey(draft, place);
      page.byte(colon);
      writePlain(draft, place);
    }
  }

  /** Members `u`, `a`, `x` and `y` of the envelope, those that are needed. */
  writeEnvelope(draft: Draft): void {
    const { page } = draft;
    if (this.olderCount > 0) {
      page.put(memberOlder);
      this.writeKeys(draft, this.older, this.olderCount);
      page.byte(closeBracket);
    }
    if (this.addedCount > 0) this.writeAdded(draft);
    if (this.removedCount > 0) {
      page.put(memberRemoved);
      this.writeRemoved(draft);
      page.byte(closeBracket);
    }
    if (this.doublesCount > 0) {
      page.put(memberDoubles);
      this.writeKeys(draft, this.doubles, this.doublesCount);
      page.put(doublesEnd);
    }
  }

  private writeKeys(draft: Draft, places: Int16Array, count: number): void {
    sortByKey(draft, places, count);
    for (let i = 0; i < count; i++) {
      if (i > 0) draft.page.byte(comma);
      writeKey(draft, places[i] ?? 0);
    }
  }

  private writeAdded(draft: Draft): void {
    const { page, span, restored } = draft;
    page.put(memberAttributes);
    sortByKey(draft, this.added, this.addedCount);
    for (let i = 0; i < this.addedCount; i++) {
      const place = this.added[i] ?? 0;
      const key = span.key[place] ?? -1;
      if (i > 0) page.byte(comma);
      page.byte(openBracket);
      writeKey(draft, place);
      page.byte(comma);
      writeAny(draft, place);
      if (key >= 0 && restored.has(key)) writeMark(draft, key);
      page.byte(closeBracket);
    }
    page.byte(closeBracket);
  }

  private writeRemoved({ page }: Draft): void {
    const { removed, removedCount } = this;
    sortNumbers(removed, removedCount);
    for (let i = 0; i < removedCount; i++) {
      if (i > 0) page.byte(comma);
      page.byte(quote);
      page.put(keyBytes[removed[i] ?? 0] ?? keyBytes[0] ?? new Uint8Array());
      page.byte(quote);
    }
  }
}

function writeKey({ page, span }: Draft, place: number): void {
  page.text(span.keyStart[place] ?? 0, span.keyEnd[place] ?? 0);
}

/** Whether the attribute at a place has the value that a reader restores under a key. */
function isSame(draft: Draft, key: number, place: number): boolean {
  const { restored, span } = draft;
  const kind = restored.kind[key];
  if (kind === restoredSame) return draft.place(key) === place || draft.sameValue(draft.place(key), place);
  if (kind === restoredInt) return span.type[place] === intType && span.number[place] === restored.number[key];
  if (kind !== restoredText || span.type[place] !== textType) return false;
  return draft.page.same(draft.start(place), draft.end(place), restored.start[key] ?? 0, restored.end[key] ?? 0);
}

/** The fingerprint of what a reader restores instead; see `markOf` of the conversion. */
function writeMark(draft: Draft, key: number): void {
  const { page, restored } = draft;
  const kind = restored.kind[key];
  page.byte(comma);
  page.byte(quote);
  if (kind === restoredInt) page.ascii(fingerprint(`{"intValue":"${restored.number[key]}"}`));
  else if (kind === restoredText)
    page.ascii(fingerprint(textMark(draft, restored.start[key] ?? 0, restored.end[key] ?? 0)));
  else draft.isUsual = false;
  page.byte(quote);
}

function textMark({ page }: Draft, start: number, end: number): string {
  return `{"stringValue":${JSON.stringify(decodeText(page.view, start, end))}}`;
}

/** Insertion sort: the lists are short, and nearly sorted. Keys beyond ASCII have another order in UTF-16. */
function sortByKey(draft: Draft, places: Int16Array, count: number): void {
  for (let i = 0; i < count; i++) {
    const place = places[i] ?? 0;
    if (!isAsciiKey(draft, place)) draft.isUsual = false;
    let at = i;
    while (at > 0 && compareKeys(draft, places[at - 1] ?? 0, place) > 0) {
      places[at] = places[at - 1] ?? 0;
      at--;
    }
    places[at] = place;
  }
}

function isAsciiKey({ page, span }: Draft, place: number): boolean {
  const end = span.keyEnd[place] ?? 0;
  for (let i = span.keyStart[place] ?? 0; i < end; i++) if ((page.bytes[i] ?? 0) > 0x7f) return false;
  return true;
}

function compareKeys({ page, span }: Draft, a: number, b: number): number {
  const aKey = span.key[a] ?? -1;
  const bKey = span.key[b] ?? -1;
  if (aKey >= 0 && bKey >= 0) return aKey - bKey;
  const { bytes } = page;
  let aAt = span.keyStart[a] ?? 0;
  let bAt = span.keyStart[b] ?? 0;
  const aEnd = span.keyEnd[a] ?? 0;
  const bEnd = span.keyEnd[b] ?? 0;
  while (aAt < aEnd && bAt < bEnd) {
    const difference = (bytes[aAt++] ?? 0) - (bytes[bAt++] ?? 0);
    if (difference !== 0) return difference;
  }
  return aEnd - aAt - (bEnd - bAt);
}

function sortNumbers(numbers: Int16Array, count: number): void {
  for (let i = 1; i < count; i++) {
    const number = numbers[i] ?? 0;
    let at = i;
    while (at > 0 && (numbers[at - 1] ?? 0) > number) {
      numbers[at] = numbers[at - 1] ?? 0;
      at--;
    }
    numbers[at] = number;
  }
}
