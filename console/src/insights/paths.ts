import type { InsightAnswer } from '../api/answers.ts';

type ImpactService = InsightAnswer['ImpactServices'][number];

/** As many are shown. */
export const pathsMax = 5;

/**
 * The shortest ways from those that nobody calls, such as clients, down to the root cause, shortest
 * first; the root cause alone when nobody calls it.
 */
export function pathsToCause(
  services: readonly ImpactService[],
  cause: Pick<ImpactService, 'Name' | 'Type'>,
): readonly (readonly ImpactService[])[] {
  const end = services.find(({ Name, Type }) => Name === cause.Name && Type === cause.Type);
  if (!end) return [];
  const callers = callersOf(services);
  // From a service to the next one down; a map is walked in the order of its growth, nearest first.
  const next = new Map<ImpactService, ImpactService | undefined>([[end, undefined]]);
  for (const callee of next.keys())
    for (const caller of callers.get(callee.ReferenceId) ?? []) if (!next.has(caller)) next.set(caller, callee);
  const entries = [...next.keys()].filter(({ ReferenceId }) => !callers.has(ReferenceId));
  return (entries.length === 0 ? [end] : entries).map((entry) => {
    const path: ImpactService[] = [];
    for (let at: ImpactService | undefined = entry; at; at = next.get(at)) path.push(at);
    return path;
  });
}

/** Whoever calls itself is no caller. */
function callersOf(services: readonly ImpactService[]): ReadonlyMap<number, readonly ImpactService[]> {
  const callers = new Map<number, ImpactService[]>();
  for (const service of services) {
    for (const { ReferenceId } of service.Edges) {
      if (ReferenceId === service.ReferenceId) continue;
      const known = callers.get(ReferenceId);
      if (known) known.push(service);
      else callers.set(ReferenceId, [service]);
    }
  }
  return callers;
}
