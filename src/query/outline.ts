/**
 * A trace as a tree of work: what is done where, for how long, in words that other traces of the
 * same request share. It is what traces are held against each other by.
 */
import type { SegmentDocument, SegmentNode, Trace } from '../model/index.ts';
import { readObject, readText } from './members.ts';
import { eachNode } from './walk.ts';
import { pathOf, withoutValues } from './values.ts';

/** One piece of work. Times are seconds. */
export interface Outline {
  /** Equal for the same work, whatever its values. */
  readonly kind: string;
  readonly name: string;
  readonly detail: string;
  /** After the start of the trace. */
  readonly start: number;
  /** Undefined while in progress. */
  readonly duration: number | undefined;
  /** In which nothing below it ran. */
  readonly own: number;
  readonly failed: boolean;
  /** In the order in which they began. */
  readonly children: readonly Outline[];
}

/** What is deeper stays out: nobody compares it, and a stack is not endless. */
export const outlineDepthMax = 200;

/**
 * From every segment that hangs below none. Inferred segments are left out: each is the call above it,
 * seen from the other side; who received from it hangs below the call.
 */
export function outlineOf(trace: Trace): readonly Outline[] {
  const real = trace.segments.filter(({ inferred }) => !inferred);
  const calls = new Map(trace.segments.filter(({ inferred }) => inferred).map(({ id, parentId }) => [id, parentId]));
  const ids = new Set(eachNode(real).map(({ id }) => id));
  const callees = new Map<string, SegmentNode[]>();
  const roots: SegmentNode[] = [];
  for (const segment of real) {
    const parentId = calls.get(segment.parentId ?? '') ?? segment.parentId;
    if (parentId === undefined || !ids.has(parentId)) roots.push(segment);
    else if (callees.has(parentId)) callees.get(parentId)?.push(segment);
    else callees.set(parentId, [segment]);
  }
  const secondsAt = (timeNs: bigint): number => Number(timeNs - trace.startTimeNs) / 1e9;

  function toOutline(node: SegmentNode, depth: number): Outline {
    const below = depth < outlineDepthMax ? [...node.subsegments, ...(callees.get(node.id) ?? [])] : [];
    const children = below.map((child) => toOutline(child, depth + 1));
    const start = secondsAt(node.startTimeNs);
    const end = secondsAt(node.endTimeNs ?? trace.endTimeNs);
    const inOrder = children.toSorted((a, b) => a.start - b.start);
    const work = workOf(node);
    return {
      kind: workKind(work),
      name: node.name,
      detail: workDetail(work),
      start,
      duration: node.endTimeNs === undefined ? undefined : Math.max(0, end - start),
      own: ownSeconds({ start, end, children: inOrder, until: secondsAt(trace.endTimeNs) }),
      failed: node.fault || node.error || node.throttle,
      children: inOrder,
    };
  }

  return roots.map((root) => toOutline(root, 1)).toSorted((a, b) => a.start - b.start);
}

/** What tells a segment or subsegment from others of its name. */
export interface Work {
  readonly name: string;
  readonly subsegment: boolean;
  /** Origin of a segment, namespace of a subsegment. */
  readonly type: string | undefined;
  readonly operation: string | undefined;
  /** Table, queue, bucket, function or topic, by any of its names. */
  readonly resource: string | undefined;
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly query: string | undefined;
}

export function workKind({ name, subsegment, type = '', operation, resource, method, url, query }: Work): string {
  const words = [name, operation, resource, method, url && pathOf(url), query].map((word) => word ?? '').join(' ');
  return `${subsegment ? 'subsegment' : 'segment'} ${type} ${withoutValues(words)}`;
}

function workDetail({ operation, resource, method, url, query }: Work): string {
  const words = operation ? [operation, resource?.split(/[/:]/).at(-1)] : [method, url && pathOf(url)];
  return words.filter(Boolean).join(' ') || (query ?? '').replaceAll(/\s+/g, ' ').slice(0, queryLengthMax);
}

const queryLengthMax = 200;

/** Members of `aws` that name what is called. */
export const resourceMembers = [
  'table_name',
  'bucket_name',
  'function_name',
  'topic_arn',
  'queue_url',
  'queue_name',
] as const;

function workOf({ name, subsegment, document }: SegmentNode): Work {
  const aws = readObject(document, 'aws');
  const request = readObject(readObject(document, 'http'), 'request');
  return {
    name,
    subsegment,
    type: readText(document, 'origin') || readText(document, 'namespace'),
    operation: readText(aws, 'operation'),
    resource: resourceOf(aws),
    method: readText(request, 'method'),
    url: readText(request, 'url'),
    query: readText(readObject(document, 'sql'), 'sanitized_query'),
  };
}

function resourceOf(aws: SegmentDocument | undefined): string | undefined {
  for (const member of resourceMembers) {
    const text = readText(aws, member);
    if (text) return text;
  }
  return undefined;
}

function ownSeconds(span: {
  readonly start: number;
  readonly end: number;
  readonly children: readonly Outline[];
  /** When what is in progress ends as far as anybody knows. */
  readonly until: number;
}): number {
  const { start, end, children, until } = span;
  let own = 0;
  let reached = start;
  for (const child of children) {
    if (child.start > reached) own += Math.min(child.start, end) - reached;
    reached = Math.max(reached, child.duration === undefined ? until : child.start + child.duration);
    if (reached >= end) return own;
  }
  return own + Math.max(0, end - reached);
}
