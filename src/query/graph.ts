/**
 * The service graph over any number of traces. Traces are added one by one and not kept: what
 * stays is one tally per node and edge, and what is needed to join a consumer to a producer
 * whose trace comes later.
 */
import type {
  HistogramEntry,
  JsonObject,
  SegmentNode,
  ServiceEdge,
  ServiceGraph,
  ServiceName,
  ServiceNode,
  ServiceStatistics,
  Trace,
} from '../model/index.ts';
import { parseTraceId, toSeconds } from '../model/index.ts';
import { callsOf } from './calls.ts';
import { durationMilliseconds, millisecondsBetween } from './durations.ts';
import { readObject, readText, readTime } from './members.ts';
import { clientOf, parentLinksOf, serviceKey } from './service.ts';

/** X-Ray's quota for the trace map. Services beyond it, and their edges, are left out. */
export const graphNodesMax = 10_000;
/** Sends kept for consumers to come, and receives that wait for their send. Beyond it links are left out. */
const pendingLinksMax = 100_000;
/** Up to here a histogram counts whole milliseconds, above four significant digits, so that it stays small. */
const exactMillisecondsMax = 10_000;

export interface GraphBuilder {
  add(trace: Trace): void;
  /** The graph of all traces added so far. Clients come before the services they call. */
  build(): ServiceGraph;
}

export function createGraphBuilder(): GraphBuilder {
  const nodes = new Map<string, NodeTally>();
  const sends = new Map<string, Send>();
  const receives = new Map<string, Receive[]>();
  let receivesWaiting = 0;

  return {
    add(trace) {
      addClient(trace);
      for (const segment of trace.segments) addSegment(segment);
      for (const { from, to, measured } of callsOf(trace)) {
        addEdge({ from, to, type: 'call' }, (edge) => tallyRequest(edge, measured));
      }
      for (const segment of trace.segments) addLinks(trace, segment);
    },
    build() {
      const referenceIds = new Map([...nodes.keys()].map((key, index) => [key, index]));
      return { nodes: [...nodes.values()].map((tally) => toNode(tally, referenceIds)) };
    },
  };

  function addClient({ root }: Trace): void {
    const client = clientOf(root);
    if (!client || !root?.service) return;
    const tally = nodeOf(client);
    if (tally) tallySpan(tally, root);
    const entry = nodeOf(root.service);
    if (entry) entry.root = true;
  }

  function addSegment(segment: SegmentNode): void {
    const tally = segment.service && nodeOf(segment.service);
    if (!tally) return;
    tallyRequest(tally, segment);
    tally.reporting ||= !segment.inferred;
    tally.requests = true;
    if (segment.endTimeNs !== undefined) countUp(tally.durations, durationMilliseconds(segment));
  }

  function nodeOf(service: ServiceName): NodeTally | undefined {
    const key = serviceKey(service);
    const known = nodes.get(key);
    if (known || nodes.size === graphNodesMax) return known;
    const tally = { ...newTally(), service, edges: new Map(), durations: new Map(), ...newNodeFlags };
    nodes.set(key, tally);
    return tally;
  }

  function addEdge(
    { from, to, type }: { readonly from: ServiceName; readonly to: ServiceName; readonly type: ServiceEdge['type'] },
    tallyInto: (edge: EdgeTally) => void,
  ): void {
    const source = nodeOf(from);
    if (!source || !nodeOf(to)) return;
    const destination = serviceKey(to);
    const key = `${type} ${destination}`;
    const edge = source.edges.get(key) ?? { ...newTally(), type, destination, eventAges: new Map() };
    source.edges.set(key, edge);
    tallyInto(edge);
  }

  /** An inferred segment may be a queue that somebody else reads; a segment with parent links did read one. */
  function addLinks(trace: Trace, segment: SegmentNode): void {
    if (!segment.service) return;
    if (segment.inferred && segment.parentId !== undefined) {
      const sentAtNs = segment.endTimeNs ?? segment.startTimeNs;
      addSend(sendKey(trace.traceId, segment.parentId), { service: segment.service, sentAtNs });
    }
    for (const link of parentLinksOf(segment)) {
      const key = linkKey(link);
      const receivedAtNs = receivedAt(link, segment);
      if (key !== undefined) addReceive(key, { service: segment.service, receivedAtNs });
    }
  }

  function addSend(key: string, send: Send): void {
    if (sends.size < pendingLinksMax) sends.set(key, send);
    const waiting = receives.get(key) ?? [];
    for (const receive of waiting) addLink(send, receive);
    receives.delete(key);
    receivesWaiting -= waiting.length;
  }

  function addReceive(key: string, receive: Receive): void {
    const send = sends.get(key);
    if (send) return addLink(send, receive);
    if (receivesWaiting === pendingLinksMax) return;
    receivesWaiting += 1;
    const waiting = receives.get(key);
    if (waiting) waiting.push(receive);
    else receives.set(key, [receive]);
  }

  function addLink({ service: from, sentAtNs }: Send, { service: to, receivedAtNs }: Receive): void {
    addEdge({ from, to, type: 'link' }, (edge) => {
      tallySpan(edge, { startTimeNs: sentAtNs, endTimeNs: receivedAtNs });
      countUp(edge.eventAges, millisecondsBetween(sentAtNs, receivedAtNs));
    });
  }
}

/** A message that was sent: to which queue node, and when the call was over. */
interface Send {
  readonly service: ServiceName;
  readonly sentAtNs: bigint;
}

interface Receive {
  readonly service: ServiceName;
  readonly receivedAtNs: bigint;
}

/** Requests counted in place, for a node or an edge. */
interface Tally {
  startTimeNs: bigint | undefined;
  endTimeNs: bigint | undefined;
  okCount: number;
  faultCount: number;
  throttleCount: number;
  errorCount: number;
  totalResponseTimeNs: bigint;
  readonly responseTimes: Map<number, number>;
}

interface NodeTally extends Tally {
  readonly service: ServiceName;
  readonly edges: Map<string, EdgeTally>;
  readonly durations: Map<number, number>;
  root: boolean;
  /** Some segment of it was sent and not inferred. */
  reporting: boolean;
  /** It stands for segments; false for a client. */
  requests: boolean;
}

interface EdgeTally extends Tally {
  readonly type: ServiceEdge['type'];
  readonly destination: string;
  readonly eventAges: Map<number, number>;
}

const newNodeFlags = { root: false, reporting: false, requests: false };

function newTally(): Tally {
  return {
    startTimeNs: undefined,
    endTimeNs: undefined,
    okCount: 0,
    faultCount: 0,
    throttleCount: 0,
    errorCount: 0,
    totalResponseTimeNs: 0n,
    responseTimes: new Map(),
  };
}

/** Counts one request, once it has ended, in the most severe class that it has. */
function tallyRequest(tally: Tally, node: SegmentNode): void {
  tallySpan(tally, node);
  if (node.endTimeNs === undefined) return;
  if (node.fault) tally.faultCount += 1;
  else if (node.throttle) tally.throttleCount += 1;
  else if (node.error) tally.errorCount += 1;
  else tally.okCount += 1;
  if (node.endTimeNs > node.startTimeNs) tally.totalResponseTimeNs += node.endTimeNs - node.startTimeNs;
  countUp(tally.responseTimes, millisecondsBetween(node.startTimeNs, node.endTimeNs));
}

function tallySpan(
  tally: Tally,
  { startTimeNs, endTimeNs }: { readonly startTimeNs: bigint; readonly endTimeNs: bigint | undefined },
): void {
  const end = endTimeNs !== undefined && endTimeNs > startTimeNs ? endTimeNs : startTimeNs;
  if (tally.startTimeNs === undefined || startTimeNs < tally.startTimeNs) tally.startTimeNs = startTimeNs;
  if (tally.endTimeNs === undefined || end > tally.endTimeNs) tally.endTimeNs = end;
}

function countUp(histogram: Map<number, number>, milliseconds: number): void {
  const value = milliseconds <= exactMillisecondsMax ? milliseconds : Number(milliseconds.toPrecision(4));
  histogram.set(value, (histogram.get(value) ?? 0) + 1);
}

function sendKey(traceId: string, callId: string): string {
  return `${traceId} ${callId}`;
}

/** Undefined when the link names no trace or no document. */
function linkKey(link: JsonObject): string | undefined {
  const traceId = parseTraceId(readText(link, 'trace_id') ?? '');
  const callId = readText(link, 'id');
  return traceId === undefined || callId === undefined ? undefined : sendKey(traceId, callId);
}

function receivedAt(link: JsonObject, consumer: SegmentNode): bigint {
  const attributes = readObject(link, 'attributes');
  return readTime(attributes, 'aws.xray.reserved.received_event_end_time') ?? consumer.startTimeNs;
}

type ReferenceIds = ReadonlyMap<string, number>;

function toNode(tally: NodeTally, referenceIds: ReferenceIds): ServiceNode {
  return {
    referenceId: referenceIds.get(serviceKey(tally.service)) ?? 0,
    service: tally.service,
    root: tally.root,
    state: tally.reporting ? 'active' : 'unknown',
    startTimeNs: tally.startTimeNs ?? 0n,
    endTimeNs: tally.endTimeNs ?? 0n,
    edges: [...tally.edges.values()].map((edge) => toEdge(edge, referenceIds)),
    statistics: tally.requests ? toStatistics(tally) : undefined,
    durationHistogram: toHistogram(tally.durations),
    responseTimeHistogram: toHistogram(tally.responseTimes),
  };
}

function toEdge(tally: EdgeTally, referenceIds: ReferenceIds): ServiceEdge {
  return {
    referenceId: referenceIds.get(tally.destination) ?? 0,
    type: tally.type,
    startTimeNs: tally.startTimeNs ?? 0n,
    endTimeNs: tally.endTimeNs ?? 0n,
    statistics: toStatistics(tally),
    responseTimeHistogram: toHistogram(tally.responseTimes),
    receivedEventAgeHistogram: toHistogram(tally.eventAges),
  };
}

function toStatistics(tally: Tally): ServiceStatistics {
  return {
    okCount: tally.okCount,
    faultCount: tally.faultCount,
    throttleCount: tally.throttleCount,
    errorCount: tally.errorCount,
    totalResponseTime: toSeconds(tally.totalResponseTimeNs),
  };
}

function toHistogram(histogram: ReadonlyMap<number, number>): readonly HistogramEntry[] {
  return [...histogram]
    .sort(([a], [b]) => a - b)
    .map(([milliseconds, count]) => ({ value: milliseconds / 1000, count }));
}
