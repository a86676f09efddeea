/**
 * Root causes: for each thing that went wrong the path from the entry service to where it began.
 * X-Ray publishes the shape of the answer and not the algorithm; this one follows the flags, or
 * for slow traces the time, from caller to callee.
 */
import type {
  JsonObject,
  RootCause,
  RootCauseEntity,
  RootCauseService,
  SegmentNode,
  ServiceName,
  Trace,
} from '../model/index.ts';
import { isJsonObject } from '../model/index.ts';
import { millisecondsBetween } from './durations.ts';
import { readList, readObject, readText } from './members.ts';
import { eachNode } from './walk.ts';

/** Paths per trace and flag; a fan-out of a thousand failed calls needs no thousand explanations. */
export const rootCausesMax = 100;
/** Traces that answered faster have no response time root cause. */
const slowMilliseconds = 2000;
/** A child that takes less than this share of its parent does not explain it. */
const dominantShare = 0.5;

/**
 * The paths of a flag, each from the root to a document that has the flag while none of its
 * callees has. Above the first document with the flag the path leads through those without.
 */
export function flagRootCauses(trace: Trace, flag: 'fault' | 'error'): readonly RootCause[] {
  const { root } = trace;
  if (!root || !eachNode(trace.segments).some((node) => node[flag])) return [];
  const calleesOf = indexCallees(trace);
  const exceptionsOf = createExceptionReader(trace);
  const causes: RootCause[] = [];
  const seen = new Set<SegmentNode>([root]);
  const waiting: Step[] = [{ node: root, before: undefined }];
  for (let step = waiting.pop(); step && causes.length < rootCausesMax; step = waiting.pop()) {
    const { node } = step;
    const callees = calleesOf(node).filter((callee) => !seen.has(callee) && (callee[flag] || !node[flag]));
    if (node[flag] && callees.length === 0) {
      causes.push({ services: toServices(step, describe), clientImpacting: root[flag] });
    }
    for (const callee of callees.toReversed()) {
      seen.add(callee);
      waiting.push({ node: callee, before: step });
    }
  }
  return causes;

  function describe(node: SegmentNode): RootCauseEntity {
    return { name: entityName(node), remote: isRemote(node), exceptions: exceptionsOf(node), coverage: undefined };
  }
}

/**
 * The path of the time: from the root always into the longest callee, as long as that takes at
 * least half of its caller's time. One path, and only for a root that took two seconds or more.
 */
export function responseTimeRootCauses(trace: Trace): readonly RootCause[] {
  const { root } = trace;
  const total = root ? millisecondsOf(root) : 0;
  if (!root || total < slowMilliseconds) return [];
  const calleesOf = indexCallees(trace);
  const seen = new Set<SegmentNode>([root]);
  let step: Step = { node: root, before: undefined };
  for (let callee = dominantCallee(root); callee; callee = dominantCallee(callee)) {
    seen.add(callee);
    step = { node: callee, before: step };
  }
  return [{ services: toServices(step, describe), clientImpacting: true }];

  function dominantCallee(node: SegmentNode): SegmentNode | undefined {
    const callees = calleesOf(node).filter((callee) => !seen.has(callee));
    const longest = callees.toSorted((a, b) => millisecondsOf(b) - millisecondsOf(a))[0];
    return longest && millisecondsOf(longest) >= millisecondsOf(node) * dominantShare ? longest : undefined;
  }

  function describe(node: SegmentNode): RootCauseEntity {
    const coverage = Math.min(1, Math.round((millisecondsOf(node) / total) * 1000) / 1000);
    return { name: entityName(node), remote: isRemote(node), exceptions: [], coverage };
  }
}

/** A path, linked backwards so that paths share their beginning. */
interface Step {
  readonly node: SegmentNode;
  readonly before: Step | undefined;
}

/** What a document contains or called: its subsegments, then the segments that name it as parent. */
function indexCallees(trace: Trace): (node: SegmentNode) => readonly SegmentNode[] {
  const byParent = new Map<string, SegmentNode[]>();
  for (const segment of trace.segments) {
    if (segment.parentId === undefined || segment.subsegment) continue;
    const siblings = byParent.get(segment.parentId);
    if (siblings) siblings.push(segment);
    else byParent.set(segment.parentId, [segment]);
  }
  return (node) => [...node.subsegments, ...(byParent.get(node.id) ?? [])];
}

/** The path in order, cut where a segment begins: the segment first, then the subsegments inside it. */
function toServices(end: Step, describe: (node: SegmentNode) => RootCauseEntity): readonly RootCauseService[] {
  const nodes: SegmentNode[] = [];
  for (let step: Step | undefined = end; step; step = step.before) nodes.push(step.node);
  const services: { service: ServiceName; inferred: boolean; entities: RootCauseEntity[] }[] = [];
  for (const node of nodes.reverse()) {
    if (node.service) services.push({ service: node.service, inferred: node.inferred, entities: [] });
    services.at(-1)?.entities.push(describe(node));
  }
  return services;
}

/** A segment goes by the name of its service, so that an inferred one shows its table or queue. */
function entityName(node: SegmentNode): string {
  return node.service?.name ?? node.name;
}

function isRemote(node: SegmentNode): boolean {
  return node.namespace !== undefined;
}

/** 0 while in progress. */
function millisecondsOf({ startTimeNs, endTimeNs }: SegmentNode): number {
  return endTimeNs === undefined ? 0 : millisecondsBetween(startTimeNs, endTimeNs);
}

type Exceptions = RootCauseEntity['exceptions'];

/**
 * Exceptions of a document's own `cause`, outermost first. A cause that is a reference, as a text
 * or as `{id, exceptions: []}`, leads to the exception of that id, or to the exceptions of the
 * document of that id.
 */
function createExceptionReader(trace: Trace): (node: SegmentNode) => Exceptions {
  let references: ReadonlyMap<string, Exceptions> | undefined;
  return ({ document }) => {
    const recorded = recordedExceptions(document);
    if (recorded.length > 0) return recorded.map(toException);
    const reference = readText(document, 'cause') ?? readText(readObject(document, 'cause'), 'id');
    if (reference === undefined) return [];
    references ??= indexExceptions(trace);
    return references.get(reference) ?? [];
  };
}

function indexExceptions(trace: Trace): ReadonlyMap<string, Exceptions> {
  const byId = new Map<string, Exceptions>();
  for (const { id, document } of eachNode(trace.segments)) {
    const recorded = recordedExceptions(document);
    if (recorded.length > 0 && !byId.has(id)) byId.set(id, recorded.map(toException));
    for (const exception of recorded) {
      const exceptionId = readText(exception, 'id');
      if (exceptionId !== undefined) byId.set(exceptionId, [toException(exception)]);
    }
  }
  return byId;
}

function recordedExceptions(document: JsonObject): readonly JsonObject[] {
  return readList(readObject(document, 'cause'), 'exceptions').filter(isJsonObject);
}

function toException(exception: JsonObject): Exceptions[number] {
  return { name: readText(exception, 'type') ?? '', message: readText(exception, 'message') ?? '' };
}
