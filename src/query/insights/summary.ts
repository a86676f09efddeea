/**
 * What an insight says of itself. The first two sentences hold no full stop but their last, so no
 * names and no decimals: the Grafana data source shows what stands between the first and the second
 * full stop as the description of a closed insight.
 */
import type { Insight, InsightChange, RequestCounts, ServiceName } from '../../model/index.ts';

type Facts = Pick<
  Insight,
  'rootCause' | 'expectedRate' | 'services' | 'startMinute' | 'endMinute' | 'clientRequests' | 'rootCauseRequests'
>;

/** A change after which an insight is active. */
export type OngoingChange = Exclude<InsightChange, 'closed'>;

/** Why an insight was closed. */
export type Ending = 'recovered' | 'joined' | 'unwatched';

const endings: Readonly<Record<Ending, string>> = {
  recovered: 'The fault rate is back to what is usual.',
  joined: 'This insight goes on as part of an older one.',
  unwatched: 'Insights of the group were turned off.',
};

/** Of an active insight; of a closed one, when `ending` is given. */
export function summariseInsight(facts: Facts, ending?: Ending): string {
  const { rootCauseRequests, rootCause, expectedRate, clientRequests } = facts;
  return [
    ending ? endings[ending] : 'More requests than usual end in a fault.',
    `${ending ? periodOf(facts) : `Since ${printMinute(facts.startMinute)}`} ${printFaults(rootCauseRequests)} to the root cause service ended in a fault, where ${printShare(expectedRate)} do so usually.`,
    `The root cause is ${printService(rootCause)}${printOthers(facts.services.length - 1)}.`,
    printClients(clientRequests),
  ].join(' ');
}

/** Of one change; `newServices` are those that it brought. */
export function summariseChange(
  change: OngoingChange,
  facts: Facts & { readonly newServices: readonly ServiceName[] },
): string {
  const headlines: Record<OngoingChange, () => string> = {
    opened: () => 'More requests than usual began to end in a fault.',
    spread: () =>
      `The fault spread to ${facts.newServices.length === 1 ? 'one more service' : `${facts.newServices.length} more services`}.`,
    cause_found: () => 'The root cause was found farther downstream.',
    doubled: () => 'The number of faults has doubled.',
  };
  return `${headlines[change]()} ${summariseInsight(facts).replace(/^[^.]*\. /, '')}${printNew(facts.newServices)}`;
}

function periodOf({ startMinute, endMinute = startMinute }: Facts): string {
  return `From ${printMinute(startMinute)} to ${printMinute(endMinute)}`;
}

/** 2026-11-26 10:02 UTC */
function printMinute(minute: number): string {
  return `${new Date(minute * 60_000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function printFaults({ faultCount, totalCount }: RequestCounts): string {
  return `${faultCount} of ${totalCount} requests`;
}

function printShare(share: number): string {
  return share < 0.01 ? 'less than 1 %' : `about ${Math.round(share * 100)} %`;
}

function printOthers(count: number): string {
  if (count <= 0) return '';
  return count === 1 ? ', which one other service suffered from' : `, which ${count} other services suffered from`;
}

function printClients(requests: RequestCounts): string {
  if (requests.totalCount === 0) return 'No requests of clients led there.';
  return `Of the requests of clients that may lead there, ${requests.faultCount} of ${requests.totalCount} ended in a fault.`;
}

const namedServicesMax = 5;

function printNew(services: readonly ServiceName[]): string {
  if (services.length === 0) return '';
  const more = services.length > namedServicesMax ? ' and others' : '';
  return ` New: ${services.slice(0, namedServicesMax).map(printService).join(', ')}${more}.`;
}

const nameCharactersMax = 100;

function printService({ name, type }: ServiceName): string {
  const shown = name.length > nameCharactersMax ? `${name.slice(0, nameCharactersMax)}…` : name;
  return type === undefined ? shown : `${shown} (${type.slice(0, nameCharactersMax)})`;
}
