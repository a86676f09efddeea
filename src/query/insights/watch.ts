/**
 * Looks for faults minute by minute. Each minute is judged together with the ones before it, in a
 * window that is read afresh every time, so that spans which come late still count:
 *
 * 1. Every node's faults in the window are held against what its past lets expect. Very surprising
 *    ones make it anomalous; it stays so until its faults are no surprise at all (hysteresis).
 * 2. Anomalous nodes joined by faulty calls are one insight. One that shares a node with an active
 *    insight continues it; the others open new ones.
 * 3. An active insight without anomalous nodes is closed.
 * 4. The minute that now leaves the window becomes part of the past, but not that of nodes which
 *    were anomalous: a fault must not become what is usual merely by lasting. When it lasts for
 *    `anomalyMinutesMax`, it does.
 */
import {
  type Insight,
  type InsightEvent,
  insightEventsMax,
  insightServicesMax,
  type RequestCounts,
  type ServiceName,
  topServicesMax,
} from '../../model/index.ts';
import { hashText } from '../hash.ts';
import { serviceKey } from '../service.ts';
import { type Anomaly, farthestFrom, relate, rootCauseOf, troubledMinutes } from './cause.ts';
import { chanceOf, expectedRate, type Past } from './expectation.ts';
import { type Ending, type OngoingChange, summariseChange, summariseInsight } from './summary.ts';
import { addCounts, type MinuteGraph, noRequests, sumCounts, toWindow, upstreamOf, type Window } from './window.ts';

/** What is known of a group's traffic after a minute. Plain JSON, to be kept. */
export interface Watch {
  /** The last minute judged. */
  readonly minute: number;
  readonly nodes: readonly NodePast[];
  /** Oldest first. */
  readonly active: readonly ActiveInsight[];
}

export interface NodePast extends Past {
  readonly service: ServiceName;
  /** The last minute with a request. */
  readonly seenMinute: number;
  /** Undefined while its faults are as expected. */
  readonly anomalousSinceMinute?: number | undefined;
}

export interface ActiveInsight {
  readonly insight: Insight;
  /** Every service that was anomalous, with its requests in minutes that have left the window. */
  readonly members: readonly { readonly service: ServiceName; readonly settled: RequestCounts }[];
  readonly settledClients: RequestCounts;
  /** The last minute with clearly more faults than expected. */
  readonly troubledMinute: number;
}

export interface WatchedMinute {
  readonly watch: Watch;
  /** Every insight that this minute touched, closed ones included. */
  readonly insights: readonly Insight[];
  /** What is new in their events. */
  readonly changes: readonly { readonly insight: Insight; readonly event: InsightEvent }[];
}

/** How many minutes are judged together. */
export const windowMinutes = 5;
/** A single failing request is no incident, however rare. */
const faultsMin = 5;
/** Faults with a smaller chance make a node anomalous. How often that is a false alarm stands in docs/insights.md. */
const alarmChance = 1e-5;
/** Faults with a greater chance end that. */
const calmChance = 0.05;
/** After so many minutes with traffic they count half in the past. */
const halfLifeMinutes = 60;
const anomalyMinutesMax = 6 * 60;
/** The pasts of more nodes are forgotten, longest unseen first. */
const nodesMax = 1000;
/** Further anomalies of a group wait until one of its insights is closed. */
const activeMax = 50;
/** Fewer faults are not worth an event when they double. */
const doubledFaultsMin = 10;

export function newWatch(minute: number): Watch {
  return { minute, nodes: [], active: [] };
}

interface Watched {
  readonly minute: number;
  /** Those of the window: `minute` and the ones before it; a minute without traffic may be missing, others are ignored. */
  readonly graphs: readonly MinuteGraph[];
  readonly group: { readonly name: string; readonly arn: string };
}

export function watchMinute(watch: Watch, { minute, graphs, group }: Watched): WatchedMinute {
  const oldest = minute - windowMinutes + 1;
  const window = toWindow(graphs.filter((graph) => graph.minute >= oldest && graph.minute <= minute));
  const judged = judge(watch.nodes, window, minute);
  const anomalies = judged.flatMap(({ key, past }) => {
    const node = window.get(key);
    return node && past.anomalousSinceMinute !== undefined ? [{ key, node, past }] : [];
  });
  const { continued, ended, fresh } = assign(watch.active, relate(anomalies));

  const frame = { window, minute, oldest };
  const active = [
    ...continued.map(({ active: known, related }) => proceed(known, related, frame)),
    ...fresh.slice(0, activeMax - continued.length).map((related) => open(related, { ...frame, group })),
  ];
  const anomalousKeys = new Set(anomalies.map(({ key }) => key));
  const closed = ended.map((known) => {
    const joined = known.members.some(({ service }) => anomalousKeys.has(serviceKey(service)));
    const { insight, troubledMinute } = measured(known, frame);
    return close(insight, { troubledMinute, minute, ending: joined ? 'joined' : 'recovered' });
  });

  const insights = [...active.map(({ insight }) => insight), ...closed];
  return {
    watch: { minute, nodes: learn(judged, window, frame), active: active.map((one) => settle(one, frame)) },
    insights,
    changes: insights.flatMap((insight) =>
      insight.events.filter((event) => event.minute === minute).map((event) => ({ insight, event })),
    ),
  };
}

/** Closes what is active although nothing has recovered, because its group is no longer watched. */
export function abandonWatch({ active }: Watch): readonly Insight[] {
  return active.map(({ insight, troubledMinute }) => abandonInsight(insight, troubledMinute));
}

/** The same of one insight, when nothing else is known of it. */
export function abandonInsight(insight: Insight, troubledMinute = insight.updatedMinute): Insight {
  return close(insight, { troubledMinute, minute: insight.updatedMinute, ending: 'unwatched' });
}

interface Frame {
  readonly window: Window;
  readonly minute: number;
  /** The first minute of the window, which leaves it next. */
  readonly oldest: number;
}

interface Judged {
  readonly key: string;
  readonly past: NodePast;
}

/** Every node with a past or with requests, and whether it is anomalous now. */
function judge(nodes: readonly NodePast[], window: Window, minute: number): readonly Judged[] {
  const pasts = new Map(nodes.map((past) => [serviceKey(past.service), past]));
  for (const [key, { service, requests }] of window) {
    if (requests.size === 0 || pasts.has(key)) continue;
    pasts.set(key, { service, requests: 0, faults: 0, seenMinute: minute });
  }
  return [...pasts].map(([key, past]) => {
    const { faultCount, totalCount } = sumCounts(window.get(key)?.requests);
    const chance = chanceOf({ requests: totalCount, faults: faultCount }, past);
    const since = past.anomalousSinceMinute;
    const anomalous = since === undefined ? faultCount >= faultsMin && chance < alarmChance : chance < calmChance;
    return { key, past: { ...past, anomalousSinceMinute: anomalous ? (since ?? minute) : undefined } };
  });
}

interface Assignment {
  readonly continued: readonly { readonly active: ActiveInsight; readonly related: readonly Anomaly[] }[];
  readonly ended: readonly ActiveInsight[];
  readonly fresh: readonly (readonly Anomaly[])[];
}

/** Related anomalies go to the oldest insight that shares a service with them. */
function assign(active: readonly ActiveInsight[], all: readonly (readonly Anomaly[])[]): Assignment {
  let fresh = all;
  const assigned = active.map((known) => {
    const members = new Set(known.members.map(({ service }) => serviceKey(service)));
    const isOurs = (related: readonly Anomaly[]): boolean => related.some(({ key }) => members.has(key));
    const related = fresh.filter(isOurs).flat();
    fresh = fresh.filter((one) => !isOurs(one));
    return { active: known, related };
  });
  return {
    continued: assigned.filter(({ related }) => related.length > 0),
    ended: assigned.filter(({ related }) => related.length === 0).map(({ active: known }) => known),
    fresh,
  };
}

function open(
  related: readonly Anomaly[],
  { group, ...frame }: Frame & { readonly group: Watched['group'] },
): ActiveInsight {
  const root = rootCauseOf(related);
  if (!root) throw new Error('no insight is without an anomaly');
  const { minute } = frame;
  const startMinute = firstTrouble(related, minute);
  const others = related.filter((anomaly) => anomaly !== root);
  const services = [root, ...others].slice(0, insightServicesMax).map(({ node }) => node.service);
  const insight: Insight = {
    id: idOf([group.arn, root.key, String(minute)]),
    groupName: group.name,
    groupArn: group.arn,
    rootCause: root.node.service,
    expectedRate: expectedRate(root.past),
    services,
    startMinute,
    updatedMinute: minute,
    summary: '',
    clientRequests: noRequests,
    rootCauseRequests: noRequests,
    events: [],
  };
  const members = services.map((service) => ({ service, settled: noRequests }));
  const troubledMinute = lastTrouble(related, startMinute);
  const opened = measured({ insight, members, settledClients: noRequests, troubledMinute }, frame);
  return record(opened, { minute, change: 'opened', newServices: [] });
}

function proceed(known: ActiveInsight, all: readonly Anomaly[], frame: Frame): ActiveInsight {
  const { insight, members } = known;
  const keys = new Set(members.map(({ service }) => serviceKey(service)));
  const joining = all.filter(({ key }) => !keys.has(key)).slice(0, insightServicesMax - members.length);
  const related = [...all.filter(({ key }) => keys.has(key)), ...joining];
  const root = farthestFrom(serviceKey(insight.rootCause), related);
  const newServices = joining.map(({ node }) => node.service);
  const next = measured(
    {
      ...known,
      insight: {
        ...insight,
        // One that joins may have had its trouble earlier.
        startMinute: firstTrouble(related, insight.startMinute),
        ...(root ? { rootCause: root.node.service, expectedRate: expectedRate(root.past) } : {}),
      },
      members: [...members, ...newServices.map((service) => ({ service, settled: noRequests }))],
      troubledMinute: lastTrouble(related, known.troubledMinute),
    },
    frame,
  );
  const change = changeOf(insight, next.insight, newServices.length);
  return change ? record(next, { minute: frame.minute, change, newServices }) : next;
}

/** The most notable change since the event before. */
function changeOf(before: Insight, now: Insight, newServices: number): OngoingChange | undefined {
  if (serviceKey(now.rootCause) !== serviceKey(before.rootCause)) return 'cause_found';
  if (newServices > 0) return 'spread';
  const told = before.events.at(-1)?.rootCauseRequests.faultCount ?? 0;
  const { faultCount } = now.rootCauseRequests;
  return faultCount >= 2 * told && faultCount - told >= doubledFaultsMin ? 'doubled' : undefined;
}

function firstTrouble(related: readonly Anomaly[], known: number): number {
  return related.reduce((first, anomaly) => Math.min(first, troubledMinutes(anomaly)[0] ?? first), known);
}

function lastTrouble(related: readonly Anomaly[], known: number): number {
  return related.reduce((last, anomaly) => Math.max(last, troubledMinutes(anomaly).at(-1) ?? last), known);
}

/** With the counts as they are now: from the start to the last minute of trouble. */
function measured(known: ActiveInsight, { window, minute }: Frame): ActiveInsight {
  const { insight, members, settledClients, troubledMinute } = known;
  const range = { from: insight.startMinute, to: troubledMinute };
  const counted = members
    .map(({ service, settled }) => {
      const key = serviceKey(service);
      return { key, service, requests: addCounts(settled, sumCounts(window.get(key)?.requests, range)) };
    })
    .toSorted((one, other) => other.requests.faultCount - one.requests.faultCount);
  const rootKey = serviceKey(insight.rootCause);
  const facts = {
    ...insight,
    services: counted.map(({ service }) => service),
    updatedMinute: minute,
    clientRequests: addCounts(settledClients, sumCounts(clientRequestsOf(members, window), range)),
    rootCauseRequests: counted.find(({ key }) => key === rootKey)?.requests ?? noRequests,
  };
  return { ...known, insight: { ...facts, summary: summariseInsight(facts) } };
}

/** By minute: what clients asked of the entries from which calls lead to these services. */
function clientRequestsOf(members: ActiveInsight['members'], window: Window): ReadonlyMap<number, RequestCounts> {
  const upstream = upstreamOf(
    window,
    members.map(({ service }) => serviceKey(service)),
  );
  const sums = new Map<number, RequestCounts>();
  for (const key of upstream) {
    for (const [minute, counts] of window.get(key)?.clientRequests ?? []) {
      sums.set(minute, addCounts(sums.get(minute) ?? noRequests, counts));
    }
  }
  return sums;
}

function record(
  known: ActiveInsight,
  {
    minute,
    change,
    newServices,
  }: {
    readonly minute: number;
    readonly change: OngoingChange;
    readonly newServices: readonly ServiceName[];
  },
): ActiveInsight {
  const { insight } = known;
  // The last place is kept for the end.
  if (insight.events.length >= insightEventsMax - 1) return known;
  const event = eventOf(insight, { minute, change, summary: summariseChange(change, { ...insight, newServices }) });
  return { ...known, insight: { ...insight, events: [...insight.events, event] } };
}

function close(
  insight: Insight,
  {
    troubledMinute,
    minute,
    ending,
  }: { readonly troubledMinute: number; readonly minute: number; readonly ending: Ending },
): Insight {
  const ended = { ...insight, endMinute: troubledMinute + 1 };
  const summary = summariseInsight(ended, ending);
  const event = eventOf(ended, { minute, change: 'closed', summary });
  return { ...ended, updatedMinute: minute, summary, events: [...insight.events, event] };
}

function eventOf(
  { clientRequests, rootCauseRequests, services }: Insight,
  facts: Pick<InsightEvent, 'change' | 'minute' | 'summary'>,
): InsightEvent {
  return { ...facts, clientRequests, rootCauseRequests, topServices: services.slice(0, topServicesMax) };
}

/** Keeps what was counted in the minute that leaves the window. */
function settle(known: ActiveInsight, { window, oldest }: Frame): ActiveInsight {
  if (oldest < known.insight.startMinute) return known;
  const clients = clientRequestsOf(known.members, window).get(oldest) ?? noRequests;
  return {
    ...known,
    settledClients: addCounts(known.settledClients, clients),
    members: known.members.map(({ service, settled }) => ({
      service,
      settled: addCounts(settled, window.get(serviceKey(service))?.requests.get(oldest) ?? noRequests),
    })),
  };
}

/** The pasts after the minute that leaves the window. */
function learn(judged: readonly Judged[], window: Window, { minute, oldest }: Frame): readonly NodePast[] {
  const pasts = judged.map(({ key, past }) => {
    const requests = window.get(key)?.requests;
    const seen = { ...past, seenMinute: Math.max(past.seenMinute, ...(requests?.keys() ?? [])) };
    const { faultCount, totalCount } = requests?.get(oldest) ?? noRequests;
    const isLearnt = minute - (past.anomalousSinceMinute ?? minute) >= anomalyMinutesMax;
    if (totalCount === 0 || (past.anomalousSinceMinute !== undefined && !isLearnt)) return seen;
    return {
      ...seen,
      requests: past.requests * fadingPerMinute + totalCount,
      faults: past.faults * fadingPerMinute + faultCount,
    };
  });
  return pasts.length <= nodesMax
    ? pasts
    : pasts.toSorted((one, other) => other.seenMinute - one.seenMinute).slice(0, nodesMax);
}

const fadingPerMinute = 0.5 ** (1 / halfLifeMinutes);

/** The same insight has the same id whoever finds it, in the form of a UUID of version 5. */
function idOf(parts: readonly string[]): string {
  const text = JSON.stringify(parts);
  const digits = hashText(text) + hashText(`${text} `);
  const places = [digits.slice(0, 8), digits.slice(8, 12), `5${digits.slice(13, 16)}`, `8${digits.slice(17, 20)}`];
  return [...places, digits.slice(20)].join('-');
}
