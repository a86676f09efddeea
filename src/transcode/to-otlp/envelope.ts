import type { RangeWriter } from './range-writer.ts';
import { successors } from '../../convert/generations.ts';
import type { Frame } from '../../convert/stack.ts';
import { printStack } from '../../convert/stack.ts';
import type { AttributeTable } from './attributes.ts';
import { Value } from './attributes.ts';
import type { DocumentIndex } from './document-index.ts';
import { Kind } from './document-index.ts';
import type { Time } from './literals.ts';
import { distance, isInteger, isZero, setTime, takeNanoseconds, takeNumber, unusual } from './literals.ts';
import {
  envelopeMember,
  internName,
  key,
  knownName,
  member,
  memberCount,
  nameBytes,
  nameNumbersMax,
  nameStarts,
  word,
} from './names.ts';
import type { Reading } from './reading.ts';
import { flagsOf, isThrottle } from './outcome.ts';
import { pairKey, writeAnyAttributes } from './values.ts';

/**
 * The envelope of a document that Raybridge wrote, as `applyEnvelope` of `convert/envelope.ts`
 * applies it: first what changes the attributes, then, while the span is written, the rest.
 */

/** Entries of the envelope's members; -1 where there is none. */
export class EnvelopeReading {
  object = -1;
  private readonly entries = new Int32Array(memberCount);
  /** Times of the span, exact. */
  readonly start: Time = { high: 0, low: 0 };
  readonly end: Time = { high: 0, low: 0 };

  /** False when the object is no envelope, or one of another version. */
  open(reading: Reading, object: number): boolean {
    const { index } = reading;
    this.object = object;
    this.entries.fill(-1);
    const end = index.nexts[object] ?? 0;
    for (let entry = object + 1; entry < end; entry = index.nexts[entry] ?? 0) {
      const name = index.names[entry] ?? 0;
      // What a later version has written goes into a residual.
      if (isOfEnvelope[name] !== 1) throw unusual;
      this.entries[name] = entry;
    }
    const version = this.entry(envelopeMember.version);
    return version >= 0 && index.kinds[version] === Kind.integer && index.textOf(version) === '1';
  }

  entry(name: number): number {
    return this.entries[name] ?? -1;
  }
}

/** 1 for the names of members; a document that was cut is not usual either. */
const isOfEnvelope = new Uint8Array(nameNumbersMax);
for (const name of Object.values(envelopeMember))
  if (name !== envelopeMember.cut && name !== envelopeMember.hash && name !== envelopeMember.doubles)
    isOfEnvelope[name] = 1;

/** By the number of an older key: that of its successor. */
const successorNames = new Int32Array(nameNumbersMax).fill(-1);
for (const [older, successor] of successors) successorNames[knownName(older)] = knownName(successor);

/** `readAttributes` of `convert/envelope.ts`. */
export function applyAttributes(reading: Reading, envelope: EnvelopeReading): void {
  const { attributes, index } = reading;
  const added = listAt(index, envelope, envelopeMember.added);
  const older = listAt(index, envelope, envelopeMember.older);
  // These two ask what the document shows, so they come before anything is changed.
  if (added >= 0) checkAdded(reading, added);
  const shownCount = attributes.count;
  if (older >= 0) restoreOlder(reading, older);
  const types = envelope.entry(envelopeMember.types);
  if (types >= 0) restoreDoubles(reading, types, shownCount);
  const removed = listAt(index, envelope, envelopeMember.removed);
  if (removed >= 0)
    for (let entry = removed + 1; entry < (index.nexts[removed] ?? 0); entry++) attributes.delete(nameAt(index, entry));
  if (added < 0) return;
  const end = index.nexts[added] ?? 0;
  for (let pair = added + 1; pair < end; pair = index.nexts[pair] ?? 0)
    attributes.setAny(nameAt(index, pair + 1), pair + 2);
}

/** A value beside another that the document shows needs its fingerprint compared. */
function checkAdded({ attributes, index }: Reading, added: number): void {
  const end = index.nexts[added] ?? 0;
  for (let pair = added + 1; pair < end; pair = index.nexts[pair] ?? 0)
    if (attributes.has(nameAt(index, pairKey(index, pair)))) throw unusual;
}

/** Only what the document shows, not the copies under older keys, which are made of it as it was. */
function restoreDoubles({ attributes, index }: Reading, types: number, shownCount: number): void {
  if (index.kinds[types] !== Kind.object) throw unusual;
  const list = index.member(types, envelopeMember.doubles);
  if (list < 0 || index.kinds[list] !== Kind.array) throw unusual;
  for (let entry = list + 1; entry < (index.nexts[list] ?? 0); entry++)
    attributes.makeDouble(nameAt(index, entry), shownCount);
}

function restoreOlder({ attributes, index }: Reading, older: number): void {
  for (let entry = older + 1; entry < (index.nexts[older] ?? 0); entry++) {
    const name = nameAt(index, entry);
    const successor = successorNames[name] ?? -1;
    // Of an older key that is one of these itself the copy would count as shown.
    if (successor >= 0 && (successorNames[successor] ?? -1) >= 0) throw unusual;
    if (successor >= 0 && attributes.has(successor) && !attributes.has(name)) attributes.setCopy(name, successor);
  }
}

/** The number of the name that an entry is the text of. */
function nameAt(index: DocumentIndex, entry: number): number {
  const name =
    index.kinds[entry] === Kind.text ? internName(index.bytes, index.starts[entry] ?? 0, index.ends[entry] ?? 0) : -1;
  if (name < 0) throw unusual;
  return name;
}

function listAt(index: DocumentIndex, envelope: EnvelopeReading, name: number): number {
  const entry = envelope.entry(name);
  if (entry >= 0 && index.kinds[entry] !== Kind.array) throw unusual;
  return entry;
}

/** Start and end: the exact ones, as long as the document shows about the same. */
export function applyTimes({ index, start, end }: Reading, envelope: EnvelopeReading): void {
  setTime(envelope.start, start);
  setTime(envelope.end, end);
  const list = listAt(index, envelope, envelopeMember.times);
  if (list < 0) return;
  if (index.size(list) !== 2) throw unusual;
  applyTime(index, list + 1, start, envelope.start);
  applyTime(index, list + 2, end, envelope.end);
}

/** X-Ray cuts times to microseconds. */
const toleranceNs = 1000;
/** Far in the future doubles of seconds hold no more than this, and the tolerance is between the two. */
const toleranceMaxNs = 8192;
const exact: Time = { high: 0, low: 0 };

function applyTime(index: DocumentIndex, entry: number, shown: Time, target: Time): void {
  if (index.kinds[entry] !== Kind.text) throw unusual;
  takeNanoseconds(exact, index.bytes, index.starts[entry] ?? 0, index.ends[entry] ?? 0);
  const difference = distance(exact, shown);
  if (difference > toleranceNs && difference <= toleranceMaxNs) throw unusual;
  if (difference <= toleranceNs) setTime(target, exact);
}

/** A number of 32 bits or less without a sign; 0 when there is no such entry. */
export function countAt(index: DocumentIndex, entry: number): number {
  if (entry < 0) return 0;
  const start = index.starts[entry] ?? 0;
  const end = index.ends[entry] ?? 0;
  const count = index.kinds[entry] === Kind.integer && end - start <= 10 ? takeNumber(index.bytes, start, end) : -1;
  if (count < 0 || count > 0xffff_ffff) throw unusual;
  return count;
}

/** A kind or a status code, of later versions of the protocol too. */
function codeAt(index: DocumentIndex, entry: number): number {
  const start = index.starts[entry] ?? 0;
  const end = index.ends[entry] ?? 0;
  if (index.kinds[entry] !== Kind.integer || !isInteger(index.bytes, start, end) || end - start > 15) throw unusual;
  return takeNumber(index.bytes, start, end) + 0;
}

export function kindOf({ index, kind }: Reading, envelope: EnvelopeReading): number {
  const entry = envelope.entry(envelopeMember.kind);
  return entry < 0 ? kind : codeAt(index, entry);
}

/** The name goes into `nameStart` and `nameEnd` of the reading. */
export function applyName(reading: Reading, envelope: EnvelopeReading): void {
  const entry = textEntry(reading.index, envelope, envelopeMember.name);
  if (entry < 0) return;
  reading.nameStart = reading.startOf(entry);
  reading.nameEnd = reading.endOf(entry);
}

/** A text of the envelope, the empty one included. */
export function textEntry(index: DocumentIndex, envelope: EnvelopeReading, name: number): number {
  const entry = envelope.entry(name);
  if (entry >= 0 && index.kinds[entry] !== Kind.text) throw unusual;
  return entry;
}

/** The status goes into the reading, unless it does not go with the flags of the document. */
export function applyStatus(reading: Reading, envelope: EnvelopeReading): void {
  const { index } = reading;
  const list = listAt(index, envelope, envelopeMember.status);
  if (list < 0) return;
  if (index.size(list) !== 2 || index.kinds[list + 2] !== Kind.text) throw unusual;
  const code = codeAt(index, list + 1);
  if (flagsOf(reading, code, throttles(reading, envelope)) !== reading.flags) return;
  reading.statusCode = code;
  reading.statusMessage = list + 2;
}

function throttles(reading: Reading, envelope: EnvelopeReading): boolean {
  const { index } = reading;
  const events = listAt(index, envelope, envelopeMember.events);
  const list = events < 0 && reading.showsEvents ? reading.exceptions : events;
  const end = list < 0 ? 0 : (index.nexts[list] ?? 0);
  for (let entry = list + 1; entry < end; entry = index.nexts[entry] ?? 0) {
    const type = events < 0 ? reading.asText(index.member(entry, member.type)) : eventType(reading, entry);
    if (isThrottle(reading, type)) return true;
  }
  return false;
}

/** Entry of the text of `exception.type` of an event; -1 for none. */
function eventType(reading: Reading, event: number): number {
  const { index } = reading;
  const { attributes, exception } = partsOf(reading, event);
  let type = exception < 0 ? -1 : reading.asText(index.member(exception, member.type));
  const end = index.nexts[attributes] ?? 0;
  for (let pair = attributes + 1; pair < end; pair = index.nexts[pair] ?? 0) {
    if (nameAt(index, pair + 1) !== key.exceptionType) continue;
    const isRemoved = index.size(pair) === 1;
    const any = pair + 2;
    const isText = !isRemoved && index.kinds[any] === Kind.object && index.kinds[any + 1] === Kind.text;
    type = isText && index.nexts[any] === any + 2 ? any + 1 : -1;
  }
  return type;
}

interface EventParts {
  time: number;
  name: number;
  attributes: number;
  dropped: number;
  /** The exception of the cause that shows the event. */
  exception: number;
}

const parts: EventParts = { time: -1, name: -1, attributes: -1, dropped: -1, exception: -1 };

/** `[time, name, attributes, dropped, exception id?]`. */
function partsOf(reading: Reading, event: number): Readonly<EventParts> {
  const { index } = reading;
  const size = index.kinds[event] === Kind.array ? index.size(event) : 0;
  parts.time = event + 1;
  parts.name = event + 2;
  parts.attributes = event + 3;
  const isUsual =
    (size === 4 || size === 5) &&
    index.kinds[parts.time] === Kind.text &&
    index.kinds[parts.name] === Kind.text &&
    index.kinds[parts.attributes] === Kind.array;
  if (!isUsual) throw unusual;
  parts.dropped = index.nexts[parts.attributes] ?? 0;
  parts.exception = size === 5 ? shownException(reading, parts.dropped + 1) : -1;
  return parts;
}

/** The exception of that id; of several the last one counts. */
function shownException({ exceptions, index }: Reading, id: number): number {
  if (index.kinds[id] !== Kind.text) throw unusual;
  let found = -1;
  const end = exceptions < 0 ? 0 : (index.nexts[exceptions] ?? 0);
  for (let entry = exceptions + 1; entry < end; entry = index.nexts[entry] ?? 0) {
    const candidate = index.member(entry, member.id);
    if (candidate >= 0 && index.kinds[candidate] === Kind.text && index.textOf(candidate) === index.textOf(id))
      found = entry;
  }
  return found;
}

const eventTime: Time = { high: 0, low: 0 };

/** The events of the envelope, or those that the document shows when the envelope lists none. */
export function writeEvents(writer: RangeWriter, reading: Reading, envelope: EnvelopeReading): void {
  const { index } = reading;
  const list = listAt(index, envelope, envelopeMember.events);
  if (list < 0) return writeShownEvents(writer, reading);
  const end = index.nexts[list] ?? 0;
  for (let event = list + 1; event < end; event = index.nexts[event] ?? 0) writeEvent(writer, reading, event);
}

function writeEvent(writer: RangeWriter, reading: Reading, event: number): void {
  const { index } = reading;
  const { time, name, attributes, dropped, exception } = partsOf(reading, event);
  takeNanoseconds(eventTime, index.bytes, index.starts[time] ?? 0, index.ends[time] ?? 0);
  const droppedCount = countAt(index, dropped);
  const mark = writer.begin(0x5a, 1);
  if (!isZero(eventTime)) writer.halvesField(0x09, eventTime.high, eventTime.low);
  if (index.starts[name] !== index.ends[name])
    writer.rangeField(0x12, index.bytes, index.starts[name] ?? 0, index.ends[name] ?? 0);
  if (exception < 0) writeAnyAttributes(writer, 0x1a, index, attributes);
  else {
    readDifference(reading, attributes, exception);
    reading.eventAttributes.write(writer, 0x1a);
  }
  if (droppedCount !== 0) writer.varintField(0x20, droppedCount);
  writer.end(mark, 1);
}

/** `readEvents` of `convert/cause.ts`. */
function writeShownEvents(writer: RangeWriter, reading: Reading): void {
  const { exceptions, index, eventAttributes } = reading;
  const end = exceptions < 0 || !reading.showsEvents ? 0 : (index.nexts[exceptions] ?? 0);
  const time = isZero(reading.end) ? reading.start : reading.end;
  for (let exception = exceptions + 1; exception < end; exception = index.nexts[exception] ?? 0) {
    readException(reading, exception);
    const stack = stackOf(reading, exception);
    if (stack >= 0) setStack(reading, exception, stack);
    const mark = writer.begin(0x5a, 1);
    if (!isZero(time)) writer.halvesField(0x09, time.high, time.low);
    writer.rangeField(0x12, nameBytes, nameStarts[word.exception] ?? 0, nameStarts[word.exception + 1] ?? 0);
    eventAttributes.write(writer, 0x1a);
    writer.end(mark, 1);
  }
}

/** Type and message, in `eventAttributes`. */
function readException(reading: Reading, exception: number): void {
  const { index, eventAttributes } = reading;
  eventAttributes.clear();
  eventAttributes.setText(key.exceptionType, reading.asText(index.member(exception, member.type)));
  eventAttributes.setText(key.exceptionMessage, reading.asText(index.member(exception, member.message)));
}

/** The list of frames; -1 when it has none. */
function stackOf(reading: Reading, exception: number): number {
  const stack = reading.asList(reading.index.member(exception, member.stack));
  return stack >= 0 && reading.index.size(stack) > 0 ? stack : -1;
}

/** The stack trace as a text of the resource's language. One span in twenty has one, so strings may be made for it. */
function setStack(reading: Reading, exception: number, stack: number): void {
  const { index } = reading;
  const title = [member.type, member.message]
    .map((name) => textAt(reading, exception, name))
    .filter((part) => part !== '');
  const frames: Frame[] = [];
  const end = index.nexts[stack] ?? 0;
  for (let frame = stack + 1; frame < end; frame = index.nexts[frame] ?? 0) {
    const line = reading.asInteger(index.member(frame, member.line));
    frames.push({
      path: textAt(reading, frame, member.path),
      line: line < 0 ? 0 : Number(index.textOf(line)),
      label: textAt(reading, frame, member.label),
    });
  }
  const start = index.textEnd;
  index.appendString(printStack(title.join(': '), frames, reading.language));
  reading.eventAttributes.set(key.exceptionStack, Value.text, start, index.textEnd);
}

function textAt(reading: Reading, object: number, name: number): string {
  const entry = reading.asText(reading.index.member(object, name));
  return entry < 0 ? '' : reading.index.textOf(entry);
}

/** Attributes of the event that an exception of the document shows, but for the differences. */
function readDifference(reading: Reading, difference: number, exception: number): void {
  const { index, eventAttributes } = reading;
  readException(reading, exception);
  const stack = stackOf(reading, exception);
  // The stack takes its place among the attributes; what it says is only made when no one says otherwise.
  if (stack >= 0) eventAttributes.set(key.exceptionStack, Value.empty, 0);
  let tellsStack = false;
  let removes = false;
  const end = index.nexts[difference] ?? 0;
  for (let pair = difference + 1; pair < end; pair = index.nexts[pair] ?? 0) {
    const isRemoval = index.kinds[pair] === Kind.array && index.size(pair) === 1;
    // All are set before any is removed.
    if (removes && !isRemoval) throw unusual;
    removes = isRemoval;
    tellsStack = applyDifference(index, eventAttributes, pair) || tellsStack;
  }
  if (stack >= 0 && !tellsStack) setStack(reading, exception, stack);
}

/** True when it was about the stack trace. */
function applyDifference(index: DocumentIndex, attributes: AttributeTable, pair: number): boolean {
  const name = nameAt(index, pair + 1);
  const size = index.kinds[pair] === Kind.array ? index.size(pair) : 0;
  if (size === 1) attributes.delete(name);
  else attributes.setAny(name, pairKey(index, pair) + 1);
  return name === key.exceptionStack;
}
