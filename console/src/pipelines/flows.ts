import type { PipelinesAnswer, StatusAnswer } from '../api/answers.ts';

/** A receiver or an exporter, and what it counted. */
export interface Flow {
  readonly id: string;
  readonly addresses: readonly string[];
  readonly fault: string | undefined;
  readonly facts: readonly FlowFact[];
}

export interface FlowFact {
  readonly label: string;
  readonly value: number;
  /** Something that nobody wants. */
  readonly bad: boolean;
}

type Series = PipelinesAnswer['Series'];

/** What is shown of the counters, in words; the bad ones by their reason. */
const receiverCounters = [
  ['raybridge_received_spans_total', 'Received', false],
  ['raybridge_accepted_spans_total', 'Accepted', false],
  ['raybridge_refused_requests_total', 'Asked to come again', true],
  ['raybridge_rejected_total', 'Rejected', true],
] as const;
const exporterCounters = [
  ['raybridge_delivered_spans_total', 'Delivered', false],
  ['raybridge_delivery_failures_total', 'Failed attempts', true],
  ['raybridge_dropped_spans_total', 'Dropped', true],
  ['raybridge_dead_lettered_spans_total', 'Dead-lettered', true],
] as const;

export function toFlows(
  { listeners, faults }: Pick<StatusAnswer, 'listeners' | 'faults'>,
  series: Series,
): { readonly receivers: readonly Flow[]; readonly exporters: readonly Flow[] } {
  const faultOf = (id: string) => faults.find(({ component }) => component === id)?.reason;
  const addressesOf = (id: string) =>
    listeners
      .filter(({ component }) => component === id)
      .map(({ protocol, transport, address }) => `${protocol}, ${transport} ${address}`);
  const flowsBy = (label: 'receiver' | 'exporter', counters: typeof receiverCounters | typeof exporterCounters) =>
    idsOf(series, label).map((id): Flow => {
      const own = series.filter(({ labels }) => labels[label] === id);
      const facts = counters.flatMap(([name, text, bad]) => factsOf(own, { name, text, bad }));
      return { id, addresses: addressesOf(id), fault: faultOf(id), facts };
    });
  return { receivers: flowsBy('receiver', receiverCounters), exporters: flowsBy('exporter', exporterCounters) };
}

function idsOf(series: Series, label: string): readonly string[] {
  return [...new Set(series.flatMap(({ labels }) => labels[label] ?? []))].toSorted();
}

/** One for each reason; good ones also when they are zero. */
function factsOf(
  own: Series,
  { name, text, bad }: { readonly name: string; readonly text: string; readonly bad: boolean },
): readonly FlowFact[] {
  const found = own.filter((one) => one.name === name);
  if (!bad) return [{ label: text, value: found.reduce((sum, { value }) => sum + value, 0), bad: false }];
  return found
    .filter(({ value }) => value > 0)
    .map(({ labels, value }) => ({
      label: labels['reason'] ? `${text}: ${labels['reason']}` : text,
      value,
      bad: true,
    }));
}
