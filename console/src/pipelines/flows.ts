import type { PipelinesAnswer, Rejection, StatusAnswer } from '../api/answers.ts';

/** Something that takes data in, gives it out, or listens for something else, and what it counted. */
export interface Flow {
  readonly id: string;
  readonly addresses: readonly string[];
  readonly fault: string | undefined;
  readonly facts: readonly FlowFact[];
  readonly lastRejection: Rejection | undefined;
}

export interface FlowFact {
  readonly label: string;
  readonly value: number;
  /** A second, lately; undefined of what does not flow, or while it is not known. */
  readonly rate: number | undefined;
  /** Something that nobody wants. */
  readonly bad: boolean;
}

export type Series = PipelinesAnswer['Series'];

/** What the counters were earlier. */
export interface Earlier {
  readonly series: Series;
  readonly secondsAgo: number;
}

interface Counter {
  readonly name: string;
  readonly label: string;
  /** `flow` and `level` are shown even when they are zero, `bad` only when it is not, for each reason. */
  readonly kind: 'flow' | 'level' | 'bad';
}

/** What is shown of the counters, in words. */
const receiverCounters: readonly Counter[] = [
  { name: 'raybridge_received_spans_total', label: 'Received', kind: 'flow' },
  { name: 'raybridge_accepted_spans_total', label: 'Accepted', kind: 'flow' },
  { name: 'raybridge_refused_requests_total', label: 'Asked to come again', kind: 'bad' },
  { name: 'raybridge_rejected_total', label: 'Rejected', kind: 'bad' },
  { name: 'raybridge_udp_kernel_drops', label: 'Datagrams lost because too many came at once', kind: 'bad' },
];
const exporterCounters: readonly Counter[] = [
  { name: 'raybridge_delivered_spans_total', label: 'Delivered', kind: 'flow' },
  { name: 'raybridge_queue_records', label: 'Batches waiting', kind: 'level' },
  { name: 'raybridge_delivery_failures_total', label: 'Failed attempts', kind: 'bad' },
  { name: 'raybridge_dropped_spans_total', label: 'Dropped', kind: 'bad' },
  { name: 'raybridge_dead_lettered_spans_total', label: 'Dead-lettered', kind: 'bad' },
  { name: 'raybridge_conversion_problems_total', label: 'Not shown as sent', kind: 'bad' },
  { name: 'raybridge_traces_decided_early_total', label: 'Decided early', kind: 'bad' },
];
const storeCounters: readonly Counter[] = [
  { name: 'raybridge_digest_waiting_spans', label: 'Spans not searchable yet', kind: 'level' },
  { name: 'raybridge_digest_failures_total', label: 'Traces that cannot be searched for', kind: 'bad' },
];
/** The X-Ray API counts by operation and outcome, in no component's name. */
const callCounter = 'raybridge_api_requests_total';

export interface Flows {
  readonly receivers: readonly Flow[];
  readonly exporters: readonly Flow[];
  readonly stores: readonly Flow[];
  /** Listeners that take no spans in, or none so far. */
  readonly others: readonly Flow[];
  /** Of what is none of these, such as the queue. */
  readonly otherFaults: StatusAnswer['faults'];
}

type Status = Pick<StatusAnswer, 'listeners' | 'faults' | 'rejections'>;

export function toFlows(status: Status, series: Series, earlier?: Earlier): Flows {
  const flowsBy = (label: string, counters: readonly Counter[]) =>
    idsOf(series, label, counters).map((id) => {
      const own = (all: Series) => all.filter(({ labels }) => labels[label] === id);
      const before = earlier && { ...earlier, series: own(earlier.series) };
      return toFlow(id, { status, facts: counters.flatMap((counter) => factsOf(counter, own(series), before)) });
    });
  const receivers = flowsBy('receiver', receiverCounters);
  const exporters = flowsBy('exporter', exporterCounters);
  const stores = flowsBy('store', storeCounters);
  const receiving = new Set(receivers.map(({ id }) => id));
  const others = [...new Set(status.listeners.map(({ component }) => component))]
    .filter((id) => !receiving.has(id))
    .map((id) => toFlow(id, { status, facts: isXrayApi(id, status) ? callFacts(series) : [] }));
  const shown = new Set([...receivers, ...exporters, ...stores, ...others].map(({ id }) => id));
  const otherFaults = status.faults.filter(({ component }) => !shown.has(component));
  return { receivers, exporters, stores, others, otherFaults };
}

function toFlow(id: string, { status, facts }: { readonly status: Status; readonly facts: readonly FlowFact[] }): Flow {
  return {
    id,
    addresses: status.listeners
      .filter(({ component }) => component === id)
      .map(({ protocol, transport, address }) => `${protocol}, ${transport} ${address}`),
    fault: status.faults.find(({ component }) => component === id)?.reason,
    facts,
    // The newest comes first.
    lastRejection: status.rejections.find(({ component }) => component === id),
  };
}

function idsOf(series: Series, label: string, counters: readonly Counter[]): readonly string[] {
  const names = new Set(counters.map(({ name }) => name));
  const own = series.filter(({ name }) => names.has(name));
  return [...new Set(own.flatMap(({ labels }) => labels[label] ?? []))].toSorted();
}

function factsOf({ name, label, kind }: Counter, own: Series, earlier: Earlier | undefined): readonly FlowFact[] {
  const found = own.filter((one) => one.name === name);
  if (kind === 'bad') {
    return found
      .filter(({ value }) => value > 0)
      .map(({ labels, value }) => {
        const reason = labels['reason'] ?? labels['lost'];
        return { label: reason ? `${label}: ${reason}` : label, value, rate: undefined, bad: true };
      });
  }
  const value = sum(found);
  const rate = kind === 'flow' && earlier ? rateOf(name, value, earlier) : undefined;
  return [{ label, value, rate, bad: false }];
}

/** Undefined when the counters began anew, as after a restart. */
function rateOf(name: string, value: number, { series, secondsAgo }: Earlier): number | undefined {
  const before = sum(series.filter((one) => one.name === name));
  return secondsAgo > 0 && value >= before ? (value - before) / secondsAgo : undefined;
}

function isXrayApi(id: string, { listeners }: Status): boolean {
  return listeners.some(({ component, protocol }) => component === id && protocol === 'X-Ray API');
}

function callFacts(series: Series): readonly FlowFact[] {
  const calls = series.filter(({ name }) => name === callCounter);
  const outcomes = [...new Set(calls.flatMap(({ labels }) => labels['outcome'] ?? []))].toSorted();
  const countOf = (outcome: string) => sum(calls.filter(({ labels }) => labels['outcome'] === outcome));
  const fact = (label: string, value: number, bad: boolean) => ({ label, value, rate: undefined, bad });
  return [
    fact('Calls answered', countOf('ok'), false),
    ...outcomes
      .filter((outcome) => outcome !== 'ok' && outcome !== 'abandoned')
      .map((outcome) => fact(`Calls refused: ${outcome}`, countOf(outcome), true)),
  ];
}

function sum(series: Series): number {
  return series.reduce((total, { value }) => total + value, 0);
}
