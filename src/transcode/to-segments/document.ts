import { closeBrace, closeBracket, comma } from '../../codec/json-bytes.ts';
import { decodeText } from '../../codec/utf8.ts';
import type { SegmentSettings } from '../../convert/families.ts';
import { producingOperations } from '../../convert/identity.ts';
import type { AnnotationOptions, EnvelopeLevel } from '../../convert/index.ts';
import { type Span, SpanKind } from '../../model/index.ts';
import { AnnotationWriter, noAnnotations } from './annotations.ts';
import { keyNumber } from './attribute-keys.ts';
import { Leftovers } from './attributes.ts';
import { hasAwsCall, writeAws } from './aws.ts';
import { Draft } from './draft.ts';
import type { CarriedHashes } from './carried.ts';
import type { KnownExceptions } from './exceptions.ts';
import { writeHttp } from './http.ts';
import { parentIsRemote } from './span-offsets.ts';
import { scanEvents, writeEvents, writeLinks, writeLinksEnvelope } from './lists.ts';
import { findName, isAwsRpc } from './name.ts';
import { Outcome } from './outcome.ts';
import { literal, type Page } from './page.ts';
import { isSqlSpan, writeSql } from './sql.ts';
import type { ResourceParts, ScopeParts, SegmentParts } from './surroundings.ts';
import { TimeOffsets } from './time.ts';

/**
 * One span to one document, bytes to bytes: the same members in the same order as the conversion's
 * `document.ts` and `lossless.ts` give. What those find out by running the other direction at once,
 * here follows from rules: each section notes what a reader would restore of it.
 */

/** What one byte of a span can become: six bytes when it is escaped, shown in the document and kept in the envelope. */
const growth = 18;
/** Names of members, ids, times and numbers of one document. */
const fixedBytes = 8192;

const keyList = keyNumber('aws.xray.annotations');
const awsService = keyNumber('aws.service');
const localService = keyNumber('aws.local.service');
const spanKind = keyNumber('aws.span.kind');
const httpMethod = keyNumber('http.request.method');
const httpRoute = keyNumber('http.route');
const queryText = keyNumber('db.query.text');
const databaseName = keyNumber('db.namespace');
const userId = keyNumber('enduser.id');
const userIdOlder = keyNumber('user.id');

const documentStart = literal('{"name":');
const nothing = new Uint8Array();
const memberId = literal(',"id":"');
const memberTraceId = literal('","trace_id":"1-');
const memberParentId = literal('","parent_id":"');
const memberType = literal('","type":"subsegment');
const memberStart = literal('","start_time":');
const memberEnd = literal(',"end_time":');
const namespaceAws = literal(',"namespace":"aws"');
const namespaceRemote = literal(',"namespace":"remote"');
const memberUser = literal(',"user":');
const memberMetadata = literal(',"metadata":{');
const memberDefault = literal('"default":{');
const memberEnvelope = literal('"raybridge":{"v":1');
const memberName = literal(',"n":');
const memberKind = literal(',"k":');
const memberTimes = literal(',"t":["');
const timesBetween = literal('","');
const timesEnd = literal('"]');
const memberStatus = literal(',"s":[');
const memberState = literal(',"w":');
const memberFlags = literal(',"f":');
const memberDropped = literal(',"q":[');
const memberHash = literal(',"r":{"h":"');
const hashEnd = literal('"}');
const dash = 0x2d;

/** Decodes the span that is written, for the parts that need it. */
export type DecodeSpan = () => Span | undefined;

export class DocumentWriter {
  readonly draft = new Draft();
  private readonly outcome = new Outcome();
  private readonly leftovers = new Leftovers();
  private readonly startTime = new TimeOffsets();
  private readonly endTime = new TimeOffsets();
  private readonly envelope: EnvelopeLevel;
  private readonly bytesMax: number;
  private readonly annotations: AnnotationWriter;
  /** Undefined when every document carries its own resource. */
  private readonly carried: CarriedHashes | undefined;

  constructor(
    { envelope, documentBytesMax }: SegmentSettings,
    annotations: AnnotationOptions,
    carried?: CarriedHashes,
  ) {
    this.envelope = envelope;
    this.bytesMax = documentBytesMax;
    this.annotations = new AnnotationWriter(annotations);
    this.carried = carried;
  }

  /** Writes the document of the span whose length stands at `at`; false, and nothing, when the span is not usual. */
  write(at: number, resource: ResourceParts, scope: ScopeParts, decodeSpan: DecodeSpan): boolean {
    const { draft, bytesMax } = this;
    const { page } = draft;
    const mark = page.pos;
    if (!draft.span.read(at)) return false;
    draft.clear();
    if (!this.isWritable(resource)) return false;
    const exceptionBytes = scanEvents(draft, this.knownExceptions(resource), decodeSpan);
    if (!draft.isUsual) return false;
    page.reserve(draft.span.length * growth + fixedBytes + resource.bytesMax + scope.scope.length + exceptionBytes);
    this.writeMembers(resource, scope);
    // What is too large is for the conversion to cut.
    if (page.pos - mark > bytesMax) draft.isUsual = false;
    if (!draft.isUsual) page.pos = mark;
    return draft.isUsual;
  }

  /** Decides the form. Spans that become two documents, and segments that tell of a call, are not usual. */
  private isWritable({ segment }: ResourceParts): boolean {
    const { draft } = this;
    const { span } = draft;
    const { kind } = span;
    const isService = kind === SpanKind.server || kind === SpanKind.consumer;
    const isCall = kind === SpanKind.client || kind === SpanKind.producer;
    const isRoot = span.parentId < 0 || (span.flags & parentIsRemote) === parentIsRemote || isLocalRoot(draft);
    draft.isSegment = isService || isRoot;
    if (!draft.isSegment) return true;
    if (!hasNameOf(draft, segment)) return false;
    return !isCall && segment !== undefined && !hasAwsCall(draft) && !isSqlSpan(draft);
  }

  private writeMembers(resource: ResourceParts, scope: ScopeParts): void {
    const { draft, outcome, leftovers } = this;
    const { page } = draft;
    const segment = draft.isSegment ? resource.segment : undefined;
    page.put(documentStart);
    if (segment) page.put(segment.nameJson);
    else {
      findName(draft);
      page.text(draft.nameStart, draft.nameEnd);
    }
    this.writeIdentity();
    this.writeUser();
    if (segment) page.put(segment.origin);
    writeHttp(draft);
    if (segment) page.put(segment.aws);
    else {
      writeAws(draft, resource.region);
      writeSql(draft);
      // Both sections of such a span would tell where it leads.
      if (draft.hasSql && (draft.hasHttp || draft.hasAwsCall)) draft.isUsual = false;
    }
    draft.kindRead = this.kindRead();
    outcome.readFlags(draft);
    outcome.writeFlags(draft);
    if (draft.exceptions.length > 0) outcome.writeExceptions(draft);
    else outcome.writeMessage(draft);
    writeLinks(draft);
    this.annotations.write(draft, segment?.annotations ?? noAnnotations);
    leftovers.sort(draft);
    this.writeMetadata(resource, scope);
    page.byte(closeBrace);
  }

  private writeIdentity(): void {
    const { draft, startTime, endTime } = this;
    const { page, span } = draft;
    page.put(memberId);
    page.hex(span.spanId, span.spanId + 8);
    page.put(memberTraceId);
    page.hex(span.traceId, span.traceId + 4);
    page.byte(dash);
    page.hex(span.traceId + 4, span.traceId + 16);
    if (span.parentId >= 0) {
      page.put(memberParentId);
      page.hex(span.parentId, span.parentId + 8);
    }
    if (!draft.isSegment) page.put(memberType);
    startTime.read(page, span.startTime);
    endTime.read(page, span.endTime);
    // A span that has not ended, and clocks that stand at 1970, are for the path over spans.
    if (startTime.seconds === 0 || endTime.seconds === 0) draft.isUsual = false;
    page.put(memberStart);
    startTime.writeSeconds(page);
    page.put(memberEnd);
    endTime.writeSeconds(page);
    this.writeNamespace();
  }

  private writeNamespace(): void {
    const { draft } = this;
    const { kind } = draft.span;
    if (draft.isSegment || (kind !== SpanKind.client && kind !== SpanKind.producer)) return;
    draft.namespace = isAwsRpc(draft) || draft.has(awsService) ? 'aws' : 'remote';
    draft.page.put(draft.namespace === 'aws' ? namespaceAws : namespaceRemote);
  }

  private writeUser(): void {
    const { draft } = this;
    const place = draft.showFirst(userId, userIdOlder);
    if (place < 0) return;
    draft.page.put(memberUser);
    draft.page.text(draft.start(place), draft.end(place));
    draft.restored.text(userId, draft.start(place), draft.end(place));
  }

  /** The kind that a reader takes the document for; see `readKind` of the conversion. */
  private kindRead(): number {
    const { draft } = this;
    if (draft.isSegment) return SpanKind.server;
    if (draft.namespace === 'aws') {
      const operation = decodeText(draft.page.view, draft.operationStart, draft.operationEnd);
      return producingOperations.has(operation) ? SpanKind.producer : SpanKind.client;
    }
    return draft.namespace === 'remote' || draft.hasSql ? SpanKind.client : SpanKind.internal;
  }

  private knownExceptions(resource: ResourceParts): KnownExceptions {
    const { kind } = this.draft.span;
    if (this.draft.isSegment) return resource.segmentExceptions;
    const isCall = kind === SpanKind.client || kind === SpanKind.producer;
    return isCall ? resource.callExceptions : resource.workExceptions;
  }

  private writeMetadata(resource: ResourceParts, scope: ScopeParts): void {
    const { draft, leftovers, envelope } = this;
    const { page, span, isSegment } = draft;
    const surroundings = isSegment ? (resource.segment?.metadata ?? nothing) : nothing;
    const hasRest = leftovers.restCount > 0 || surroundings.length > 0;
    // Without any mark of OpenTelemetry it could be a span of one of X-Ray's own documents.
    if (
      (!hasRest || !this.annotations.isPlain || draft.has(keyList)) &&
      !scope.hasName &&
      span.flags === 0 &&
      span.stateEnd === span.stateStart
    )
      draft.isUsual = false;
    if (!hasRest && envelope === 'off') return;
    page.put(memberMetadata);
    if (hasRest) {
      page.put(memberDefault);
      leftovers.writeRest(draft);
      if (leftovers.restCount > 0 && surroundings.length > 0) page.byte(comma);
      page.put(surroundings);
      page.byte(closeBrace);
    }
    if (envelope !== 'off') {
      if (hasRest) page.byte(comma);
      page.put(memberEnvelope);
      this.writeBasics(isSegment ? resource.segment : undefined);
      if (envelope === 'full') this.writeFull(resource, scope);
      page.byte(closeBrace);
    }
    page.byte(closeBrace);
  }

  /** Members `n` to `f`. */
  private writeBasics(segment: SegmentParts | undefined): void {
    const { draft, startTime, endTime } = this;
    const { page, span } = draft;
    if (!isOperation(draft, segment)) {
      page.put(memberName);
      page.text(span.nameStart, span.nameEnd);
    }
    if (span.kind !== draft.kindRead) {
      page.put(memberKind);
      page.integer(span.kind);
    }
    if (startTime.nanoseconds % 1000 !== 0 || endTime.nanoseconds % 1000 !== 0) {
      page.put(memberTimes);
      startTime.writeNanoseconds(page);
      page.put(timesBetween);
      endTime.writeNanoseconds(page);
      page.put(timesEnd);
    }
    if (!this.isStatusRead()) {
      page.put(memberStatus);
      page.integer(span.statusCode);
      page.byte(comma);
      page.text(span.messageStart, span.messageEnd);
      page.byte(closeBracket);
    }
    if (span.stateEnd > span.stateStart) {
      page.put(memberState);
      page.text(span.stateStart, span.stateEnd);
    }
    if (span.flags !== 0) {
      page.put(memberFlags);
      page.integer(span.flags);
    }
  }

  private isStatusRead(): boolean {
    const { outcome, draft } = this;
    const { statusCode, messageStart, messageEnd } = draft.span;
    return outcome.statusCodeRead === statusCode && (outcome.hasMessage || messageEnd === messageStart);
  }

  /** Members `q` to `r`. */
  private writeFull(resource: ResourceParts, scope: ScopeParts): void {
    const { draft, leftovers } = this;
    const { page, span } = draft;
    if (span.droppedAttributes + span.droppedEvents + span.droppedLinks > 0) {
      page.put(memberDropped);
      page.integer(span.droppedAttributes);
      page.byte(comma);
      page.integer(span.droppedEvents);
      page.byte(comma);
      page.integer(span.droppedLinks);
      page.byte(closeBracket);
    }
    leftovers.writeEnvelope(draft);
    this.annotations.writeEnvelope(draft);
    writeEvents(draft);
    writeLinksEnvelope(draft);
    page.put(scope.scope);
    this.writeResource(resource);
  }

  private writeResource(resource: ResourceParts): void {
    const { draft, carried } = this;
    const { page, span, isSegment } = draft;
    const part = resourcePart(draft, resource);
    if (isSegment || part.length === 0 || !carried?.hasAt(page, span.traceId, resource.hash)) {
      page.put(part);
      return;
    }
    page.put(memberHash);
    page.ascii(resource.hash);
    page.put(hashEnd);
  }
}

function resourcePart(draft: Draft, { segment, subsegmentResource, awsSubsegmentResource }: ResourceParts): Uint8Array {
  if (draft.isSegment) return segment?.resource ?? nothing;
  return draft.hasAwsCall ? awsSubsegmentResource : subsegmentResource;
}

function isLocalRoot(draft: Draft): boolean {
  const place = draft.place(spanKind);
  return place >= 0 && decodeText(draft.page.view, draft.start(place), draft.end(place)) === 'LOCAL_ROOT';
}

/** A segment has the name of its resource's service, also where Application Signals names it once more. */
function hasNameOf(draft: Draft, segment: SegmentParts | undefined): boolean {
  const place = draft.place(localService);
  return place < 0 || (segment !== undefined && isText(draft.page, draft.start(place), draft.end(place), segment.name));
}

/** Whether a reader gives the span the name that it has; see `readOperation` of the conversion. */
function isOperation(draft: Draft, segment: SegmentParts | undefined): boolean {
  const { page, span, restored } = draft;
  const { nameStart, nameEnd } = span;
  if (draft.namespace === 'aws') {
    if (draft.operationEnd === draft.operationStart)
      return page.same(nameStart, nameEnd, draft.nameStart, draft.nameEnd);
    return isJoined(draft, draft.nameStart, draft.nameEnd, dot, draft.operationStart, draft.operationEnd);
  }
  if (restored.has(httpMethod)) {
    const methodStart = restored.start[httpMethod] ?? 0;
    const methodEnd = restored.end[httpMethod] ?? 0;
    const route = draft.place(httpRoute);
    if (route < 0) return page.same(nameStart, nameEnd, methodStart, methodEnd);
    return isJoined(draft, methodStart, methodEnd, space, draft.start(route), draft.end(route));
  }
  const keyword = readKeyword(draft);
  if (keyword !== '') return isStatementLabel(draft, keyword);
  if (segment) return isText(page, nameStart, nameEnd, segment.name);
  return page.same(nameStart, nameEnd, draft.nameStart, draft.nameEnd);
}

const dot = 0x2e;
const space = 0x20;

/** Whether the span's name is two ranges with a character between. */
function isJoined(
  { page, span }: Draft,
  firstStart: number,
  firstEnd: number,
  character: number,
  secondStart: number,
  secondEnd: number,
): boolean {
  const middle = span.nameStart + firstEnd - firstStart;
  return (
    page.bytes[middle] === character &&
    middle < span.nameEnd &&
    page.same(firstStart, firstEnd, span.nameStart, middle) &&
    page.same(secondStart, secondEnd, middle + 1, span.nameEnd)
  );
}

function isText({ bytes }: Page, start: number, end: number, text: Uint8Array): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false;
  return true;
}

/** First keyword of the statement in capitals; empty when there is none. */
function readKeyword(draft: Draft): string {
  const { page, restored } = draft;
  const place = draft.place(queryText);
  if (place < 0 && !restored.has(queryText)) return '';
  const start = place >= 0 ? draft.start(place) : (restored.start[queryText] ?? 0);
  const end = place >= 0 ? draft.end(place) : (restored.end[queryText] ?? 0);
  let at = start;
  while (at < end && isSpace(page.bytes[at] ?? 0) && at - start < keywordSpaceMax) at++;
  // White space beyond ASCII is white space for the conversion.
  if ((page.bytes[at] ?? 0) > 0x7f && at < end) draft.isUsual = false;
  const wordStart = at;
  while (at < end && isLetter(page.bytes[at] ?? 0) && at - wordStart < keywordLettersMax) at++;
  return at - wordStart < 2 ? '' : decodeText(page.view, wordStart, at).toUpperCase();
}

const keywordSpaceMax = 100;
const keywordLettersMax = 20;

function isSpace(code: number): boolean {
  return code === space || (code >= 0x09 && code <= 0x0d);
}

function isLetter(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

/** Whether the span's name is the keyword and the database. */
function isStatementLabel(draft: Draft, keyword: string): boolean {
  const { page, span, restored } = draft;
  const place = draft.place(databaseName);
  const hasDatabase = place >= 0 || restored.has(databaseName);
  const start = place >= 0 ? draft.start(place) : (restored.start[databaseName] ?? 0);
  const end = place >= 0 ? draft.end(place) : (restored.end[databaseName] ?? 0);
  const wanted = hasDatabase ? `${keyword} ${decodeText(page.view, start, end)}` : keyword;
  return decodeText(page.view, span.nameStart, span.nameEnd) === wanted;
}
