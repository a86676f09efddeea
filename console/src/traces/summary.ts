import type { ServiceIdAnswer, TraceSummaryAnswer } from '../api/answers.ts';
import { outcomeOf } from '../outcome/outcome.ts';
import type { Outcome } from '../outcome/outcome.ts';
import { pathOf } from '../trace/tree.ts';

/** What a person calls the trace: `GET /cart`, or the entry service when it was no HTTP request. */
export function nameOf({ Http, EntryPoint, ServiceIds, Id }: TraceSummaryAnswer): string {
  const words = [Http.HttpMethod, Http.HttpURL && pathOf(Http.HttpURL)].filter(Boolean).join(' ');
  return words || EntryPoint?.Name || ServiceIds[0]?.Name || Id;
}

export function outcomeOfSummary(summary: TraceSummaryAnswer): Outcome {
  return outcomeOf({
    fault: summary.HasFault,
    error: summary.HasError,
    throttle: summary.HasThrottle,
  });
}

/** The services that took part, each name once, without the clients, the entry first. */
export function servicesOf({ EntryPoint, ServiceIds }: TraceSummaryAnswer): readonly string[] {
  const others = ServiceIds.filter(isService).map(({ Name }) => Name);
  return [...new Set(EntryPoint ? [EntryPoint.Name, ...others] : others)];
}

function isService({ Type }: ServiceIdAnswer): boolean {
  return Type !== 'client' && Type !== 'client::Synthetics';
}

/** How many traces of `latest` are not among `shown`: what "23 new" counts while the list holds still. */
export function countNew(shown: readonly TraceSummaryAnswer[], latest: readonly TraceSummaryAnswer[]): number {
  const known = new Set(shown.map(({ Id }) => Id));
  return latest.filter(({ Id }) => !known.has(Id)).length;
}

/** Each trace once; a page that was fetched while new traces came may repeat the end of the one before. */
export function withoutRepeats(summaries: readonly TraceSummaryAnswer[]): readonly TraceSummaryAnswer[] {
  return [...new Map(summaries.map((summary) => [summary.Id, summary])).values()];
}
