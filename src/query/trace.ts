/**
 * Documents to a trace. The documents of one id come in any order, some twice, some before their
 * parent. Assembly goes in four steps: choose one version per id; take embedded subsegments apart
 * and hang every subsegment below its parent; infer the callees that never reported; find the root.
 */
import type { SegmentDocument, SegmentNode, Trace } from '../model/index.ts';
import { isJsonObject, toXrayTraceId } from '../model/index.ts';
import { inferSegments } from './inferred.ts';
import { readFlag, readList, readObject, readText } from './members.ts';
import type { Entry } from './node.ts';
import { isIndependentSubsegment, readEntry, toSegmentNode } from './node.ts';
import { eachNode } from './walk.ts';

/** Subsegments deeper than this below their segment stand as own entries, with `type` and `parent_id`. */
export const subsegmentDepthMax = 100;

/**
 * The trace that X-Ray would compile from these documents (developer guide, "segment documents").
 *
 * A complete document replaces an in-progress one of the same id whatever came first; of two
 * complete ones the later in the list counts. Documents without a readable `id` or `start_time`
 * are left out. `traceId` is 32 hex digits; that the documents belong to it is the caller's word.
 */
export function assembleTrace(traceId: string, documents: readonly SegmentDocument[]): Trace {
  const reported = withoutReplacedInferred(placeEntries(traceId, takeApart(latestEntries(documents))));
  const segments = [...reported, ...inferSegments(traceId, reported)].sort(byStart);
  const startTimeNs = segments[0]?.startTimeNs ?? 0n;
  return {
    traceId,
    segments,
    root: findRoot(segments),
    startTimeNs,
    endTimeNs: latestEnd(segments, startTimeNs),
    partial: isPartial(segments),
  };
}

function latestEntries(documents: readonly SegmentDocument[]): readonly Entry[] {
  const byId = new Map<string, Entry>();
  for (const document of documents) {
    const entry = readEntry(document);
    if (entry && replaces(entry, byId.get(entry.id))) byId.set(entry.id, entry);
  }
  return [...byId.values()];
}

function replaces(entry: Entry, known: Entry | undefined): boolean {
  return known === undefined || isComplete(entry) || !isComplete(known);
}

/** `end_time` decides: with it a document is complete even if it also says `in_progress`. */
function isComplete({ endTimeNs }: Entry): boolean {
  return endTimeNs !== undefined;
}

/** An entry that knows what it was embedded in. */
interface Part extends Entry {
  readonly embeddedIn: Part | undefined;
  readonly subsegment: boolean;
  readonly parentId: string | undefined;
}

/**
 * Every document and every subsegment embedded in one, each id once, parents before children.
 * What was embedded in a replaced version goes with it.
 */
function takeApart(entries: readonly Entry[]): readonly Part[] {
  const parts = entries.flatMap(partsOf);
  if (parts.length === entries.length) return parts;
  const byId = new Map<string, Part>();
  for (const part of parts) {
    if (replaces(part, byId.get(part.id))) byId.set(part.id, part);
  }
  const kept = new Set<Part>();
  for (const part of parts) {
    const alive = part.embeddedIn === undefined || kept.has(part.embeddedIn);
    if (alive && byId.get(part.id) === part) kept.add(part);
  }
  return [...kept];
}

function partsOf(top: Entry): readonly Part[] {
  const parts: Part[] = [];
  const waiting: Part[] = [toPart(top, undefined)];
  for (let part = waiting.pop(); part; part = waiting.pop()) {
    parts.push(part);
    for (const child of readList(part.document, 'subsegments').toReversed()) {
      const entry = isJsonObject(child) ? readEntry(child) : undefined;
      if (entry) waiting.push(toPart(entry, part));
    }
  }
  return parts;
}

function toPart({ id, startTimeNs, endTimeNs, document }: Entry, embeddedIn: Part | undefined): Part {
  return {
    id,
    startTimeNs,
    endTimeNs,
    document,
    embeddedIn,
    subsegment: embeddedIn !== undefined || isIndependentSubsegment(document),
    parentId: embeddedIn ? embeddedIn.id : readText(document, 'parent_id'),
  };
}

/** Segments and parentless subsegments as trees. */
function placeEntries(traceId: string, parts: readonly Part[]): readonly SegmentNode[] {
  const ids = new Set(parts.map(({ id }) => id));
  const children = childrenByParent(parts);
  const placed = new Set<Part>();
  const tops = parts.filter((part) => !part.subsegment || !ids.has(part.parentId ?? ''));

  function build(part: Part, depth: number): SegmentNode {
    placed.add(part);
    const below = (children.get(part.id) ?? []).filter((child) => !placed.has(child));
    const tooDeep = depth === subsegmentDepthMax;
    if (tooDeep) for (const child of below) tops.push(child);
    const subsegments = tooDeep ? [] : below.map((child) => build(child, depth + 1));
    const { parentId } = part;
    if (!part.subsegment) {
      return toSegmentNode(withDocument(part, alone(part)), { parentId, subsegment: false, subsegments });
    }
    const document = depth === 0 ? independent(traceId, part) : embedded(part);
    return toSegmentNode(withDocument(part, document), { parentId, subsegment: true, subsegments });
  }

  const trees: SegmentNode[] = [];
  for (const part of tops) trees.push(build(part, 0));
  // What is left hangs below itself: documents that name each other as parent.
  for (const part of parts) {
    if (!placed.has(part)) trees.push(build(part, 0));
  }
  return trees;
}

/** Embedded children in the order of their document, then those sent apart by start time. */
function childrenByParent(parts: readonly Part[]): ReadonlyMap<string, readonly Part[]> {
  const subsegments = parts.filter(({ subsegment }) => subsegment);
  const inPlace = subsegments.filter(({ embeddedIn }) => embeddedIn);
  const apart = subsegments.filter(({ embeddedIn }) => !embeddedIn).sort(byStart);
  const children = new Map<string, Part[]>();
  for (const part of [...inPlace, ...apart]) {
    const { parentId } = part;
    if (parentId === undefined) continue;
    const siblings = children.get(parentId);
    if (siblings) siblings.push(part);
    else children.set(parentId, [part]);
  }
  return children;
}

function withDocument({ id, startTimeNs, endTimeNs }: Part, document: SegmentDocument): Entry {
  return { id, startTimeNs, endTimeNs, document };
}

/** The document without its subsegments. An empty list stays behind to keep their place among the members. */
function alone({ document }: Part): SegmentDocument {
  if (!Array.isArray(document.get('subsegments'))) return document;
  return new Map(document).set('subsegments', []);
}

/** An embedded subsegment says nothing that its place says already. */
function embedded(part: Part): SegmentDocument {
  const document = new Map(alone(part));
  for (const member of ['type', 'trace_id', 'parent_id']) document.delete(member);
  return document;
}

/** A subsegment that stands alone names its parent, even if it came embedded. */
function independent(traceId: string, part: Part): SegmentDocument {
  if (part.embeddedIn === undefined) return alone(part);
  return new Map(alone(part))
    .set('type', 'subsegment')
    .set('trace_id', toXrayTraceId(traceId))
    .set('parent_id', part.embeddedIn.id);
}

/** An inferred segment that arrived, from X-Ray itself, makes room for the callee's own one. */
function withoutReplacedInferred(segments: readonly SegmentNode[]): readonly SegmentNode[] {
  const answered = answeredCalls(segments);
  return segments.filter(({ inferred, parentId }) => !inferred || parentId === undefined || !answered.has(parentId));
}

/** Ids of the calls whose callee has reported itself. */
function answeredCalls(segments: readonly SegmentNode[]): ReadonlySet<string | undefined> {
  const callees = segments.filter(({ inferred, subsegment }) => !inferred && !subsegment);
  return new Set(callees.map(({ parentId }) => parentId));
}

function byStart(a: { readonly startTimeNs: bigint }, b: { readonly startTimeNs: bigint }): number {
  if (a.startTimeNs === b.startTimeNs) return 0;
  return a.startTimeNs < b.startTimeNs ? -1 : 1;
}

/**
 * The earliest segment that nobody in the trace called, a real one before an inferred one. If all
 * are called by orphaned subsegments, the earliest real one is the nearest we know to the entrance.
 */
function findRoot(segments: readonly SegmentNode[]): SegmentNode | undefined {
  const ids = new Set(eachNode(segments).map(({ id }) => id));
  const candidates = segments.filter(({ subsegment }) => !subsegment);
  const uncalled = candidates.filter(({ parentId }) => parentId === undefined || !ids.has(parentId));
  return uncalled.find(({ inferred }) => !inferred) ?? uncalled[0] ?? candidates.find(({ inferred }) => !inferred);
}

function latestEnd(segments: readonly SegmentNode[], startTimeNs: bigint): bigint {
  let latest = startTimeNs;
  for (const { endTimeNs } of eachNode(segments)) {
    if (endTimeNs !== undefined && endTimeNs > latest) latest = endTimeNs;
  }
  return latest;
}

function isPartial(segments: readonly SegmentNode[]): boolean {
  const answered = answeredCalls(segments);
  for (const node of eachNode(segments)) {
    if (node.endTimeNs === undefined) return true;
    if (node.subsegment && isTraced(node.document) && !answered.has(node.id)) return true;
  }
  return false;
}

/** The callee should have reported. SDKs write the flag in two places. */
function isTraced(document: SegmentDocument): boolean {
  const request = readObject(readObject(document, 'http'), 'request');
  return readFlag(document, 'traced') === true || readFlag(request, 'traced') === true;
}
