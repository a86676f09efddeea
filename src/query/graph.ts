/**
 * The service graph over any number of traces. Traces are added one by one and not kept: what
 * stays is one tally per node and edge, and what is needed to join a consumer to a producer
 * whose trace comes later. A store may keep tallies too, and `toServiceGraph` takes them from both.
 */
import type {
  GraphTally,
  HistogramEntry,
  ReceiveDigest,
  RequestDigest,
  SegmentDigest,
  SendDigest,
  ServiceEdge,
  ServiceGraph,
  ServiceName,
  ServiceNode,
  ServiceStatistics,
  TraceDigest,
} from '../model/index.ts';
import { toSeconds } from '../model/index.ts';
import { millisecondsBetween } from './durations.ts';
import { serviceKey } from './service.ts';
import type { PeriodStatistics } from './time-series.ts';

/** X-Ray's quota for the trace map. Services beyond it, and their edges, are left out. */
export const graphNodesMax = 10_000;
/** Sends kept for consumers to come, and receives that wait for their send. Beyond it links are left out. */
const pendingLinksMax = 100_000;
/** Up to here a histogram counts whole milliseconds, above four significant digits, so that it stays small. */
const exactMillisecondsMax = 10_000;

/** The bucket of a histogram in which a time is counted, in milliseconds. */
function histogramMilliseconds(milliseconds: number): number {
  return milliseconds <= exactMillisecondsMax ? milliseconds : Number(milliseconds.toPrecision(4));
}

export interface GraphBuilder {
  add(digest: TraceDigest): void;
  /** The graph of all traces added so far. Clients come before the services they call. */
  build(): ServiceGraph;
}

export function createGraphBuilder(): GraphBuilder {
  const tallies = new Map<string, Tally>();
  const sends = new Map<string, SendDigest>();
  const receives = new Map<string, ReceiveDigest[]>();
  let receivesWaiting = 0;

  return {
    add({ traceId, segments, calls, sends: sent, receives: received }) {
      for (const call of calls) if (call.client) addClient(call.from, call.to, call);
      for (const segment of segments) addSegment(segment);
      for (const call of calls) tallyRequest(tallyOf('call', call.from, call.to), call);
      for (const send of sent) addSend(sendKey(traceId, send.callId), send);
      for (const receive of received) addReceive(receive);
    },
    build: () => toServiceGraph([...tallies.values()]),
  };

  function tallyOf(kind: GraphTally['kind'], service: ServiceName, destination?: ServiceName): Tally {
    const key = `${kind} ${serviceKey(service)} ${destination ? serviceKey(destination) : ''}`;
    const known = tallies.get(key);
    if (known) return known;
    const tally = newTally({ kind, service, destination });
    tallies.set(key, tally);
    return tally;
  }

  function addClient(client: ServiceName, entry: ServiceName, request: RequestDigest): void {
    tallySpan(tallyOf('node', client), request);
    tallyOf('node', entry).root = true;
  }

  function addSegment(segment: SegmentDigest): void {
    const tally = tallyOf('node', segment.service);
    tallyRequest(tally, segment);
    tally.reporting ||= !segment.inferred;
    tally.requested = true;
    if (segment.endTimeNs !== undefined) countUp(tally.durations, segment.durationMs);
  }

  function addSend(key: string, send: SendDigest): void {
    if (sends.size < pendingLinksMax) sends.set(key, send);
    const waiting = receives.get(key) ?? [];
    for (const receive of waiting) addLink(send, receive);
    receives.delete(key);
    receivesWaiting -= waiting.length;
  }

  function addReceive(receive: ReceiveDigest): void {
    const key = sendKey(receive.traceId, receive.callId);
    const send = sends.get(key);
    if (send) return addLink(send, receive);
    if (receivesWaiting === pendingLinksMax) return;
    receivesWaiting += 1;
    const waiting = receives.get(key);
    if (waiting) waiting.push(receive);
    else receives.set(key, [receive]);
  }

  function addLink({ service: from, sentAtNs }: SendDigest, { service: to, receivedAtNs }: ReceiveDigest): void {
    const tally = tallyOf('link', from, to);
    tallySpan(tally, { startTimeNs: sentAtNs, endTimeNs: receivedAtNs });
    countUp(tally.eventAges, millisecondsBetween(sentAtNs, receivedAtNs));
  }
}

function sendKey(traceId: string, callId: string): string {
  return `${traceId} ${callId}`;
}

/** A tally that is counted in place. */
type Tally = {
  -readonly [member in Exclude<keyof GraphTally, 'responseTimes' | 'durations' | 'eventAges'>]: GraphTally[member];
} & Record<'responseTimes' | 'durations' | 'eventAges', Map<number, number>>;

function newTally(identity: Pick<GraphTally, 'kind' | 'service' | 'destination'>): Tally {
  return {
    ...identity,
    requested: false,
    reporting: false,
    root: false,
    startTimeNs: 0n,
    endTimeNs: 0n,
    okCount: 0,
    faultCount: 0,
    throttleCount: 0,
    errorCount: 0,
    totalResponseTimeNs: 0n,
    responseTimes: new Map(),
    durations: new Map(),
    eventAges: new Map(),
  };
}

/** Counts one request, once it has ended, in the most severe class that it has. */
function tallyRequest(tally: Tally, request: RequestDigest): void {
  tallySpan(tally, request);
  if (request.endTimeNs === undefined) return;
  if (request.fault) tally.faultCount += 1;
  else if (request.throttle) tally.throttleCount += 1;
  else if (request.error) tally.errorCount += 1;
  else tally.okCount += 1;
  if (request.endTimeNs > request.startTimeNs) tally.totalResponseTimeNs += request.endTimeNs - request.startTimeNs;
  countUp(tally.responseTimes, millisecondsBetween(request.startTimeNs, request.endTimeNs));
}

function tallySpan(
  tally: Tally,
  { startTimeNs, endTimeNs }: { readonly startTimeNs: bigint; readonly endTimeNs: bigint | undefined },
): void {
  const end = endTimeNs !== undefined && endTimeNs > startTimeNs ? endTimeNs : startTimeNs;
  if (tally.startTimeNs === 0n || startTimeNs < tally.startTimeNs) tally.startTimeNs = startTimeNs;
  if (end > tally.endTimeNs) tally.endTimeNs = end;
}

function countUp(histogram: Map<number, number>, milliseconds: number): void {
  const value = histogramMilliseconds(milliseconds);
  histogram.set(value, (histogram.get(value) ?? 0) + 1);
}

/**
 * The graph of tallies, of which each node and edge has one at most. Nodes stand in the order of
 * their tallies; an edge to or from a service that has no node is left out.
 */
export function toServiceGraph(tallies: readonly GraphTally[]): ServiceGraph {
  const nodes = tallies.filter(({ kind }) => kind === 'node').slice(0, graphNodesMax);
  const referenceIds = new Map(nodes.map(({ service }, index) => [serviceKey(service), index]));
  const edges = edgesBySource(tallies);
  return {
    nodes: nodes.map((tally, referenceId) => {
      const outgoing = edges.get(serviceKey(tally.service)) ?? [];
      return toNode(
        tally,
        referenceId,
        outgoing.flatMap((edge) => toEdge(edge, referenceIds)),
      );
    }),
  };
}

function edgesBySource(tallies: readonly GraphTally[]): ReadonlyMap<string, readonly GraphTally[]> {
  const edges = new Map<string, GraphTally[]>();
  for (const tally of tallies) {
    if (tally.kind === 'node') continue;
    const source = serviceKey(tally.service);
    const known = edges.get(source);
    if (known) known.push(tally);
    else edges.set(source, [tally]);
  }
  return edges;
}

function toNode(tally: GraphTally, referenceId: number, edges: readonly ServiceEdge[]): ServiceNode {
  return {
    referenceId,
    service: tally.service,
    root: tally.root,
    state: tally.reporting ? 'active' : 'unknown',
    startTimeNs: tally.startTimeNs,
    endTimeNs: tally.endTimeNs,
    edges,
    statistics: tally.requested ? toStatistics(tally) : undefined,
    durationHistogram: toHistogram(tally.durations),
    responseTimeHistogram: toHistogram(tally.responseTimes),
  };
}

function toEdge(tally: GraphTally, referenceIds: ReadonlyMap<string, number>): readonly ServiceEdge[] {
  const referenceId = tally.destination && referenceIds.get(serviceKey(tally.destination));
  if (referenceId === undefined) return [];
  return [
    {
      referenceId,
      type: tally.kind === 'link' ? 'link' : 'call',
      startTimeNs: tally.startTimeNs,
      endTimeNs: tally.endTimeNs,
      statistics: toStatistics(tally),
      responseTimeHistogram: toHistogram(tally.responseTimes),
      receivedEventAgeHistogram: toHistogram(tally.eventAges),
    },
  ];
}

/** What was counted, as an answer tells it. */
export function toPeriodStatistics(
  tally: Parameters<typeof toStatistics>[0] & Pick<GraphTally, 'responseTimes'>,
): PeriodStatistics {
  return { statistics: toStatistics(tally), responseTimeHistogram: toHistogram(tally.responseTimes) };
}

function toStatistics(
  tally: Pick<GraphTally, 'okCount' | 'faultCount' | 'throttleCount' | 'errorCount' | 'totalResponseTimeNs'>,
): ServiceStatistics {
  return {
    okCount: tally.okCount,
    faultCount: tally.faultCount,
    throttleCount: tally.throttleCount,
    errorCount: tally.errorCount,
    totalResponseTime: toSeconds(tally.totalResponseTimeNs),
  };
}

/** A histogram with more entries is told in two significant digits, which is within five percent. */
const exactEntriesMax = 100;

function toHistogram(histogram: ReadonlyMap<number, number>): readonly HistogramEntry[] {
  const told = histogram.size <= exactEntriesMax ? histogram : inTwoDigits(histogram);
  return [...told].sort(([a], [b]) => a - b).map(([milliseconds, count]) => ({ value: milliseconds / 1000, count }));
}

function inTwoDigits(histogram: ReadonlyMap<number, number>): ReadonlyMap<number, number> {
  const coarse = new Map<number, number>();
  for (const [milliseconds, count] of histogram) {
    const value = Number(milliseconds.toPrecision(2));
    coarse.set(value, (coarse.get(value) ?? 0) + count);
  }
  return coarse;
}
