import { outlineDepthMax, resourceMembers, workKind } from '../../../src/query/index.ts';
import type { NormalPlaceAnswer } from '../api/answers.ts';
import { asRecord, asText, member, memberAt } from '../json/read.ts';
import { ownTime, totalOf } from '../trace/intervals.ts';
import type { TraceNode, TraceTree } from '../trace/tree.ts';

/** A place in the tree of one trace, or of several that are alike: what is called there, how often, for how long. */
export interface Sample {
  /** Equal for the same work, see `workKind`. */
  readonly kind: string;
  readonly name: string;
  readonly detail: string;
  /** Id of the segment or subsegment; of one trace only. */
  readonly id: string | undefined;
  /** Traces that have it. */
  readonly count: number;
  /** Seconds, median; undefined while in progress. */
  readonly duration: number | undefined;
  /** Seconds in which nothing below it ran, median. */
  readonly own: number;
  readonly failed: number;
  readonly children: readonly Sample[];
}

export function toSamples({ roots, end }: TraceTree): readonly Sample[] {
  return withoutInferred(roots).map((root) => toSample(root, { now: end, depth: 1 }));
}

export function fromNormal(places: readonly NormalPlaceAnswer[]): readonly Sample[] {
  return places.map((place) => ({
    kind: place.Kind,
    name: place.Name,
    detail: place.Detail,
    id: undefined,
    count: place.TraceCount,
    duration: place.Duration,
    own: place.SelfTime,
    failed: place.FailedCount,
    children: fromNormal(place.Places),
  }));
}

function toSample(node: TraceNode, { now, depth }: { readonly now: number; readonly depth: number }): Sample {
  const below = depth < outlineDepthMax ? withoutInferred(node.children) : [];
  return {
    kind: kindOf(node),
    name: node.name,
    detail: node.detail,
    id: node.id,
    count: 1,
    duration: node.end === undefined ? undefined : node.end - node.start,
    own: totalOf(ownTime(node, now)),
    failed: node.outcome === 'ok' ? 0 : 1,
    children: below.map((child) => toSample(child, { now, depth: depth + 1 })),
  };
}

/** What X-Ray infers is the call above it, seen from the other side; who received from it hangs below the call. */
function withoutInferred(nodes: readonly TraceNode[]): readonly TraceNode[] {
  return nodes.flatMap((node) => (node.inferred ? node.children.filter(({ subsegment }) => !subsegment) : [node]));
}

/** As the server makes it of the same document. */
function kindOf({ name, subsegment, document }: TraceNode): string {
  const aws = asRecord(member(document, 'aws'));
  return workKind({
    name,
    subsegment,
    type: asText(member(document, 'origin')) ?? asText(member(document, 'namespace')),
    operation: asText(member(aws, 'operation')),
    resource: resourceMembers.map((key) => asText(member(aws, key))).find((text) => text !== undefined),
    method: asText(memberAt(document, 'http', 'request', 'method')),
    url: asText(memberAt(document, 'http', 'request', 'url')),
    query: asText(memberAt(document, 'sql', 'sanitized_query')),
  });
}
