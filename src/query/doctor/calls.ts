/** Calls: without their callee, tried again, made again and again. */
import type { SegmentNode } from '../../model/index.ts';
import { readFlag, readNumber, readObject, readText } from '../members.ts';
import { withoutValues } from '../values.ts';
import type { Facts, Finding } from './finding.ts';
import { countOf, groupBy, idsOf, namesOf } from './finding.ts';

/** Equal calls from one place that are no more than a loop over a few. */
const repeatsMax = 10;
/** Failures of one call that are followed by another try. */
const failuresMin = 2;
/** Characters of a call in evidence; SQL may be as long as its document. */
const callLengthMax = 300;
const nsPerMs = 1_000_000n;

/** Calls that say that their callee is traced, or go to a service that reports other calls, and have no answer. */
export function missingCallees({ trace, byId, reported, handovers }: Facts): readonly Finding[] {
  const names = new Set(reported.filter(({ subsegment }) => !subsegment).map(({ name }) => name));
  const explained = new Set(handovers.map(({ call }) => call));
  const calls = trace.segments
    .filter(({ inferred }) => inferred)
    .flatMap(({ parentId }) => {
      const call = byId.get(parentId ?? '');
      return call && !explained.has(call) ? [call] : [];
    });
  const silent = calls.filter((call) => call.namespace === 'remote' && (isTraced(call) || names.has(call.name)));
  if (silent.length === 0) return [];
  return [
    {
      code: 'CALLEE_MISSING',
      severity: 'problem',
      title: `${countOf(silent.length, 'call')} to ${namesOf(silent)} had no answer in this trace`,
      evidence: 'The caller says that the callee is traced, or the callee reports other calls of this trace.',
      fix: 'The callee may still be sending, may have lost the segment, or may have decided for itself not to sample: let it follow the decision in the header (parentbased sampler).',
      ids: idsOf(silent),
    },
  ];
}

function isTraced({ document }: SegmentNode): boolean {
  return readFlag(document, 'traced') ?? readFlag(requestOf(document), 'traced') ?? false;
}

/** The same call from one place: tried again because it failed, or made once for each row of another. */
export function repeatedCalls({ nodes, byId }: Facts): readonly Finding[] {
  const calls = nodes.filter(({ namespace, parentId }) => namespace !== undefined && byId.has(parentId ?? ''));
  const groups = groupBy(calls, (call) => `${call.parentId} ${callKey(call)}`);
  return [...groups.values()].flatMap((same): readonly Finding[] => {
    const [first] = same;
    const parent = byId.get(first?.parentId ?? '');
    if (!first || !parent) return [];
    const times = {
      parent,
      same,
      evidence: `${describeCall(first).slice(0, callLengthMax)}, ${totalMs(same)} ms altogether.`,
    };
    const inside = retriesInside(same);
    const failures = failuresBefore(same) + inside;
    const tries = same.length + inside;
    if (failures >= failuresMin && failures * 2 >= tries) return [retried(times, { tries, failures })];
    return same.length > repeatsMax ? [repeated(times)] : [];
  });
}

interface Times {
  readonly parent: SegmentNode;
  readonly same: readonly SegmentNode[];
  readonly evidence: string;
}

function retried(
  { parent, same, evidence }: Times,
  { tries, failures }: { readonly tries: number; readonly failures: number },
): Finding {
  return {
    code: 'RETRIED_CALLS',
    severity: 'note',
    title: `${parent.name} tries the same call ${tries} times`,
    evidence: `${failures} of them failed and were followed by another: ${evidence}`,
    fix: 'Look at why the first one failed. Retries help with throttling and short outages when they wait longer each time; otherwise they add load where it hurts.',
    ids: idsOf(same),
  };
}

function repeated({ parent, same, evidence }: Times): Finding {
  return {
    code: 'REPEATED_CALLS',
    severity: 'note',
    title: `${parent.name} makes the same call ${same.length} times`,
    evidence,
    fix: 'One call for all of them (a batch, a join, an IN list) or a cache usually takes a fraction of the time.',
    ids: idsOf(same),
  };
}

/** Tries that an AWS SDK counts inside one call. */
function retriesInside(same: readonly SegmentNode[]): number {
  const counts = same.map(({ document }) => readNumber(readObject(document, 'aws'), 'retries') ?? 0);
  return counts.reduce((sum, count) => sum + Math.max(0, count), 0);
}

/** Failures that had ended when another try began. */
function failuresBefore(same: readonly SegmentNode[]): number {
  const byStart = same.toSorted((a, b) => (a.startTimeNs < b.startTimeNs ? -1 : 1));
  const followed = byStart.filter((call, index) => {
    const next = byStart[index + 1];
    const hasFailed = call.fault || call.error || call.throttle;
    return hasFailed && next && call.endTimeNs !== undefined && next.startTimeNs >= call.endTimeNs;
  });
  return followed.length;
}

function totalMs(calls: readonly SegmentNode[]): number {
  const totalNs = calls.reduce((sum, { startTimeNs, endTimeNs = startTimeNs }) => sum + endTimeNs - startTimeNs, 0n);
  return Number(totalNs / nsPerMs);
}

/** Equal for calls that differ in nothing but their values. */
function callKey(call: SegmentNode): string {
  return withoutValues(describeCall(call));
}

function describeCall({ name, document }: SegmentNode): string {
  const aws = readObject(document, 'aws');
  const request = requestOf(document);
  const detail = [
    readText(aws, 'operation'),
    readText(aws, 'table_name') ?? readText(aws, 'queue_url') ?? readText(aws, 'bucket_name'),
    readText(readObject(document, 'sql'), 'sanitized_query'),
    readText(request, 'method'),
    readText(request, 'url')?.replace(/\?.*$/s, ''),
  ];
  return [name, ...detail].filter((part) => part !== undefined).join(' ');
}

function requestOf(document: SegmentNode['document']): ReturnType<typeof readObject> {
  return readObject(readObject(document, 'http'), 'request');
}
