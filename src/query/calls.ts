import type { SegmentNode, ServiceName, Trace } from '../model/index.ts';
import { clientOf, serviceKey } from './service.ts';
import { eachNode } from './walk.ts';

/** One request from one service to another. */
export interface Call {
  readonly from: ServiceName;
  readonly to: ServiceName;
  /** From whoever called the root. */
  readonly client: boolean;
  /** What the caller measured: its subsegment, or the callee's segment where there is none. */
  readonly measured: SegmentNode;
}

/**
 * The calls of a trace that are edges of the service graph: from the client to the root, and from
 * each segment to those whose parent is one of its documents. A call answered twice by the same
 * service counts once.
 */
export function callsOf(trace: Trace): readonly Call[] {
  const owners = indexOwners(trace);
  const seen = new Set<string>();
  const calls: Call[] = [];
  const client = clientOf(trace.root);
  if (client && trace.root?.service) {
    calls.push({ from: client, to: trace.root.service, client: true, measured: trace.root });
  }
  for (const callee of trace.segments) {
    const parent = callee.parentId === undefined ? undefined : owners.get(callee.parentId);
    if (!parent?.owner.service || !callee.service || parent.owner === callee) continue;
    const measured = parent.node.subsegment ? parent.node : callee;
    const key = `${measured.id} ${serviceKey(callee.service)}`;
    if (!seen.has(key)) calls.push({ from: parent.owner.service, to: callee.service, client: false, measured });
    seen.add(key);
  }
  return calls;
}

interface Owned {
  readonly node: SegmentNode;
  /** The segment, or orphaned subsegment, that the node is part of. */
  readonly owner: SegmentNode;
}

function indexOwners(trace: Trace): ReadonlyMap<string, Owned> {
  const owners = new Map<string, Owned>();
  for (const owner of trace.segments) {
    for (const node of eachNode([owner])) owners.set(node.id, { node, owner });
  }
  return owners;
}
