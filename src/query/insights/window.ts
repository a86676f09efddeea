import type { RequestCounts, ServiceGraph, ServiceName, ServiceStatistics } from '../../model/index.ts';
import { serviceKey } from '../service.ts';

/** The service graph of one minute since 1970. */
export interface MinuteGraph {
  readonly minute: number;
  readonly graph: ServiceGraph;
}

/** The graphs of some minutes, laid over each other: nodes by `serviceKey`, clients among them. */
export type Window = ReadonlyMap<string, WindowNode>;

export interface WindowNode {
  readonly service: ServiceName;
  /** By minute; none of a client. */
  readonly requests: ReadonlyMap<number, RequestCounts>;
  /** Those that clients sent to it, as far as they count by minute. */
  readonly clientRequests: ReadonlyMap<number, RequestCounts>;
  /** Keys of the nodes it calls; links are no calls, because nobody waits for their outcome. */
  readonly callees: ReadonlySet<string>;
  /** Those among them of which it saw a fault. */
  readonly faultyCallees: ReadonlySet<string>;
}

interface GrowingNode extends WindowNode {
  readonly requests: Map<number, RequestCounts>;
  readonly clientRequests: Map<number, RequestCounts>;
  readonly callees: Set<string>;
  readonly faultyCallees: Set<string>;
}

export function toWindow(minutes: readonly MinuteGraph[]): Window {
  const window = new Map<string, GrowingNode>();
  for (const { minute, graph } of minutes) layOver(window, minute, graph);
  return window;
}

function layOver(window: Map<string, GrowingNode>, minute: number, { nodes }: ServiceGraph): void {
  const known = new Map(nodes.map(({ referenceId, service }) => [referenceId, nodeOf(window, service)]));
  for (const { referenceId, statistics, edges } of nodes) {
    const caller = known.get(referenceId);
    if (statistics) caller?.requests.set(minute, toCounts(statistics));
    for (const edge of edges) {
      const callee = known.get(edge.referenceId);
      if (!callee || edge.type !== 'call') continue;
      const key = serviceKey(callee.service);
      caller?.callees.add(key);
      if (edge.statistics.faultCount > 0) caller?.faultyCallees.add(key);
      if (statistics) continue;
      const others = callee.clientRequests.get(minute) ?? noRequests;
      callee.clientRequests.set(minute, addCounts(others, toCounts(edge.statistics)));
    }
  }
}

function nodeOf(window: Map<string, GrowingNode>, service: ServiceName): GrowingNode {
  const key = serviceKey(service);
  const known = window.get(key);
  if (known) return known;
  const node: GrowingNode = {
    service,
    requests: new Map(),
    clientRequests: new Map(),
    callees: new Set(),
    faultyCallees: new Set(),
  };
  window.set(key, node);
  return node;
}

function toCounts({ okCount, faultCount, throttleCount, errorCount }: ServiceStatistics): RequestCounts {
  return { okCount, faultCount, totalCount: okCount + faultCount + throttleCount + errorCount };
}

export const noRequests: RequestCounts = { okCount: 0, faultCount: 0, totalCount: 0 };

export function addCounts(one: RequestCounts, other: RequestCounts): RequestCounts {
  return {
    okCount: one.okCount + other.okCount,
    faultCount: one.faultCount + other.faultCount,
    totalCount: one.totalCount + other.totalCount,
  };
}

/** The sum over the minutes from the one up to and with the other. */
export function sumCounts(
  counts: ReadonlyMap<number, RequestCounts> | undefined,
  { from = -Infinity, to = Infinity }: { readonly from?: number; readonly to?: number } = {},
): RequestCounts {
  const wanted = [...(counts ?? [])].filter(([minute]) => minute >= from && minute <= to);
  return wanted.reduce((sum, [, count]) => addCounts(sum, count), noRequests);
}

/** These nodes and all from which calls lead to them, directly or not; keys without a node are left out. */
export function upstreamOf(window: Window, keys: Iterable<string>): ReadonlySet<string> {
  const callers = new Map<string, string[]>();
  for (const [caller, { callees }] of window) {
    for (const callee of callees) {
      const known = callers.get(callee);
      if (known) known.push(caller);
      else callers.set(callee, [caller]);
    }
  }
  // A set is walked in the order of its growth, so this ends when nothing new comes.
  const upstream = new Set([...keys].filter((key) => window.has(key)));
  for (const key of upstream) for (const caller of callers.get(key) ?? []) upstream.add(caller);
  return upstream;
}
