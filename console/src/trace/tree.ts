import type { TraceSegment } from '../api/answers.ts';
import { typeLabel } from '../map/graph.ts';
import { asList, asNumber, asRecord, asText, member, memberAt, parseJson } from '../json/read.ts';
import type { JsonRecord } from '../json/read.ts';
import { outcomeOf } from '../outcome/outcome.ts';
import type { Outcome } from '../outcome/outcome.ts';

/** A trace as the waterfall draws it: one tree of segments and subsegments, over all services. */
export interface TraceTree {
  readonly roots: readonly TraceNode[];
  /** Every node, parents before their children. */
  readonly nodes: readonly TraceNode[];
  /** Services in the order in which they take part; a node's `serviceIndex` points here. */
  readonly services: readonly TraceService[];
  /** Epoch seconds: earliest start, latest end of what has ended. */
  readonly start: number;
  readonly end: number;
  readonly inProgress: boolean;
  /** Documents that are no JSON object and so cannot be shown. */
  readonly unreadable: number;
}

export interface TraceService {
  readonly name: string;
  readonly type: string | undefined;
}

/** A segment or subsegment. */
export interface TraceNode {
  /** Place in `TraceTree.nodes`; ids may occur twice in a damaged trace. */
  readonly index: number;
  readonly id: string;
  readonly parent: TraceNode | undefined;
  readonly children: readonly TraceNode[];
  readonly name: string;
  /** What tells it from others of the same name: `PutItem carts`, `GET /orders`. */
  readonly detail: string;
  readonly subsegment: boolean;
  readonly inferred: boolean;
  readonly serviceIndex: number;
  /** Epoch seconds. */
  readonly start: number;
  /** Undefined while in progress. */
  readonly end: number | undefined;
  readonly outcome: Outcome;
  readonly httpStatus: number | undefined;
  /** The document as JSON.parse gives it, embedded subsegments included; exact.ts has the numbers as they were written. */
  readonly document: JsonRecord;
  /** The text of the whole document that it came in. */
  readonly text: string;
  /** Its place in the `subsegments` of its parent; undefined for the document itself. */
  readonly place: number | undefined;
}

type OpenNode = { -readonly [Key in keyof TraceNode]: TraceNode[Key] } & {
  children: OpenNode[];
  parent: OpenNode | undefined;
};

export function toTree(segments: readonly TraceSegment[]): TraceTree {
  const services: TraceService[] = [];
  const tops: OpenNode[] = [];
  const all: OpenNode[] = [];
  for (const segment of segments) {
    const document = asRecord(parseJson(segment.Document));
    if (document) tops.push(openSegment({ document, text: segment.Document, services, all }));
  }
  const roots = join(tops, all);
  const nodes = inOrder(roots);
  nodes.forEach((node, index) => (node.index = index));
  const starts = nodes.map(({ start }) => start).filter((start) => start > 0);
  const start = starts.reduce((min, at) => Math.min(min, at), starts[0] ?? 0);
  return {
    roots,
    nodes,
    services,
    start,
    end: nodes.reduce((max, node) => Math.max(max, node.end ?? node.start), start),
    inProgress: nodes.some((node) => node.end === undefined),
    unreadable: segments.length - tops.length,
  };
}

interface Opening {
  readonly document: JsonRecord;
  readonly text: string;
  readonly services: TraceService[];
  readonly all: OpenNode[];
}

/** A top document with everything embedded in it. A stack instead of recursion, because documents may nest deeply. */
function openSegment({ document, text, services, all }: Opening): OpenNode {
  const top = openNode(document, {
    text,
    serviceIndex: serviceOf(document, services),
    parent: undefined,
    place: undefined,
  });
  const waiting = [top];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    all.push(node);
    for (const [place, embedded] of asList(member(node.document, 'subsegments')).entries()) {
      const child = asRecord(embedded);
      if (!child) continue;
      const opened = openNode(child, { text, serviceIndex: node.serviceIndex, parent: node, place });
      node.children.push(opened);
      waiting.push(opened);
    }
  }
  return top;
}

function openNode(
  document: JsonRecord,
  origin: Pick<OpenNode, 'text' | 'serviceIndex' | 'parent' | 'place'>,
): OpenNode {
  const start = asNumber(member(document, 'start_time')) ?? origin.parent?.start ?? 0;
  const end = asNumber(member(document, 'end_time'));
  const subsegment = origin.parent !== undefined || member(document, 'type') === 'subsegment';
  return {
    ...origin,
    index: 0,
    id: asText(member(document, 'id')) ?? '',
    children: [],
    name: asText(member(document, 'name')) ?? '(no name)',
    detail: detailOf(document, subsegment),
    subsegment,
    inferred: member(document, 'inferred') === true,
    start,
    end: end === undefined ? undefined : Math.max(start, end),
    outcome: outcomeOf({
      fault: member(document, 'fault') === true,
      throttle: member(document, 'throttle') === true,
      error: member(document, 'error') === true,
    }),
    httpStatus: asNumber(memberAt(document, 'http', 'response', 'status')),
    document,
  };
}

function serviceOf(document: JsonRecord, services: TraceService[]): number {
  const name = asText(member(document, 'name')) ?? '(no name)';
  const type = asText(member(document, 'origin'));
  const known = services.findIndex((service) => service.name === name && service.type === type);
  return known === -1 ? services.push({ name, type }) - 1 : known;
}

/** The AWS operation and its resource, or method and path, or the OpenTelemetry span name, or the type of the service. */
function detailOf(document: JsonRecord, subsegment: boolean): string {
  const aws = asRecord(member(document, 'aws'));
  const operation = asText(member(aws, 'operation'));
  if (operation) return [operation, resourceOf(aws)].filter(Boolean).join(' ');
  const method = asText(memberAt(document, 'http', 'request', 'method'));
  const url = asText(memberAt(document, 'http', 'request', 'url'));
  if (method ?? url) return [method, url && pathOf(url)].filter(Boolean).join(' ');
  const spanName = asText(memberAt(document, 'metadata', 'raybridge', 'n'));
  if (spanName && spanName !== member(document, 'name')) return spanName;
  const query = asText(memberAt(document, 'sql', 'sanitized_query'));
  if (query) return query.replaceAll(/\s+/g, ' ').slice(0, 200);
  const origin = asText(member(document, 'origin'));
  return subsegment || !origin ? '' : typeLabel(origin);
}

function resourceOf(aws: JsonRecord | undefined): string | undefined {
  for (const key of ['table_name', 'bucket_name', 'function_name', 'topic_arn', 'queue_url', 'queue_name']) {
    const value = asText(member(aws, key));
    if (value) return value.split(/[/:]/).at(-1);
  }
  return undefined;
}

/** Path and query of a URL, or the text itself: some producers send a path only. */
export function pathOf(url: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*([^#]*)/i.exec(url)?.[1] || (url.includes('://') ? '/' : url);
}

/**
 * Hangs every top document under the subsegment or segment that its `parent_id` names. A parent
 * that is not here, or that stands below the document itself, leaves it a root.
 */
function join(tops: readonly OpenNode[], all: readonly OpenNode[]): readonly OpenNode[] {
  const byId = new Map<string, OpenNode>();
  for (const node of all) if (node.id && !byId.has(node.id)) byId.set(node.id, node);
  for (const top of tops) {
    const parent = byId.get(asText(member(top.document, 'parent_id')) ?? '');
    if (parent && !isUnder(parent, top)) {
      top.parent = parent;
      parent.children.push(top);
    }
  }
  for (const node of all) node.children.sort(byStart);
  return tops.filter((top) => top.parent === undefined).toSorted(byStart);
}

function isUnder(node: OpenNode, top: OpenNode): boolean {
  for (let at: OpenNode | undefined = node; at !== undefined; at = at.parent) if (at === top) return true;
  return false;
}

function byStart(a: TraceNode, b: TraceNode): number {
  return a.start - b.start || (b.end ?? Infinity) - (a.end ?? Infinity);
}

function inOrder(roots: readonly OpenNode[]): readonly OpenNode[] {
  const ordered: OpenNode[] = [];
  const waiting = roots.toReversed();
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    ordered.push(node);
    for (let at = node.children.length - 1; at >= 0; at -= 1) {
      const child = node.children[at];
      if (child) waiting.push(child);
    }
  }
  return ordered;
}
