import type { RootCauseAnswer, TraceSummaryAnswer } from '../../query/index.ts';

/** Exceptions of one type and message, as the root causes of faults and errors name them. */
export interface ExceptionGroup {
  readonly Name: string;
  readonly Message: string;
  /** Of the service where it arose. */
  readonly Services: readonly string[];
  readonly Count: number;
  /** Epoch seconds of the traces. */
  readonly FirstSeen: number;
  readonly LastSeen: number;
  /** The newest traces, at most `examplesMax`. */
  readonly TraceIds: readonly string[];
}

const examplesMax = 5;

/** Most frequent first. Numbers and ids inside a message do not make it another one. */
export function groupExceptions(summaries: readonly TraceSummaryAnswer[]): readonly ExceptionGroup[] {
  const groups = new Map<string, OpenGroup>();
  for (const summary of summaries) {
    const seen = new Set<string>();
    for (const cause of [...summary.FaultRootCauses, ...summary.ErrorRootCauses]) {
      for (const { name, message, service } of exceptionsOf(cause)) {
        const key = `${name}\n${withoutValues(message)}`;
        const group = groups.get(key) ?? openGroup({ name, message, startTime: summary.StartTime });
        groups.set(key, group);
        group.services.add(service);
        if (seen.has(key)) continue;
        seen.add(key);
        addTrace(group, summary);
      }
    }
  }
  return [...groups.values()].map(closeGroup).toSorted((a, b) => b.Count - a.Count || b.LastSeen - a.LastSeen);
}

interface OpenGroup {
  readonly name: string;
  readonly message: string;
  readonly services: Set<string>;
  readonly traceIds: string[];
  count: number;
  firstSeen: number;
  lastSeen: number;
}

function openGroup({ name, message, startTime }: { name: string; message: string; startTime: number }): OpenGroup {
  return { name, message, services: new Set(), traceIds: [], count: 0, firstSeen: startTime, lastSeen: startTime };
}

function addTrace(group: OpenGroup, { Id, StartTime }: TraceSummaryAnswer): void {
  group.count += 1;
  group.firstSeen = Math.min(group.firstSeen, StartTime);
  group.lastSeen = Math.max(group.lastSeen, StartTime);
  if (group.traceIds.length < examplesMax) group.traceIds.push(Id);
}

function closeGroup(group: OpenGroup): ExceptionGroup {
  return {
    Name: group.name,
    Message: group.message,
    Services: [...group.services].toSorted(),
    Count: group.count,
    FirstSeen: group.firstSeen,
    LastSeen: group.lastSeen,
    TraceIds: group.traceIds,
  };
}

/** Those of the last service of the path, where the trouble began. */
function exceptionsOf(cause: RootCauseAnswer) {
  const service = cause.Services.at(-1);
  return (service?.EntityPath ?? []).flatMap(({ Exceptions = [] }) =>
    Exceptions.map(({ Name, Message }) => ({ name: Name, message: Message, service: service?.Name ?? '' })),
  );
}

function withoutValues(message: string): string {
  return message.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}|\b0x[0-9a-f]+\b|\d+/gi, '0');
}
