/**
 * Why a trace is not what it should be: what is missing, late, cut or repeated, by what evidence, and
 * what to do about it. It sees what X-Ray's documents say; that something was not sampled, or refused
 * before it became part of the trace, only its sender knows.
 */
import type { SegmentNode, Trace } from '../model/index.ts';
import { readFlag, readList, readObject, readText } from './members.ts';
import { eachNode } from './walk.ts';

export interface Finding {
  readonly code: FindingCode;
  /** `problem`: the picture is wrong or has gaps. `note`: it is right, and worth a look. */
  readonly severity: 'problem' | 'note';
  /** One sentence. */
  readonly title: string;
  readonly evidence: string;
  readonly fix: string;
  /** Ids of the segments and subsegments that show it, at most `idsMax`. */
  readonly ids: readonly string[];
}

export type FindingCode =
  | 'LAMBDA_SEGMENT_MISSING'
  | 'PARENT_MISSING'
  | 'SEVERAL_ROOTS'
  | 'CALLEE_MISSING'
  | 'CLOCK_SKEW'
  | 'NEVER_FINISHED'
  | 'IN_PROGRESS'
  | 'CUT'
  | 'REPEATED_CALLS';

/** What has not ended an hour after it began will not: its sender was stopped. */
const runningMsMax = 3_600_000;
/** Clocks of one data centre differ by less. */
const skewMsMin = 5;
/** Equal calls from one place that are more than a loop over a few. */
const repeatsMin = 10;
const idsMax = 20;
const nsPerMs = 1_000_000n;

/** Worst first. `nowNs` decides what is still running. */
export function diagnose(trace: Trace, nowNs: bigint): readonly Finding[] {
  const nodes = eachNode(trace.segments);
  const facts: Facts = {
    trace,
    nodes,
    byId: new Map(nodes.map((node) => [node.id, node])),
    reported: trace.segments.filter(({ inferred }) => !inferred),
    nowNs,
  };
  return checks.flatMap((check) => check(facts));
}

interface Facts {
  readonly trace: Trace;
  readonly nodes: readonly SegmentNode[];
  readonly byId: ReadonlyMap<string, SegmentNode>;
  /** Segments, and subsegments that hang nowhere. */
  readonly reported: readonly SegmentNode[];
  readonly nowNs: bigint;
}

const checks: readonly ((facts: Facts) => readonly Finding[])[] = [
  missingParents,
  severalRoots,
  missingCallees,
  skewedClocks,
  unfinished,
  cutDocuments,
  repeatedCalls,
];

/** One finding for each parent that is not here. */
function missingParents({ reported, byId }: Facts): readonly Finding[] {
  const children = groupBy(
    reported.filter(({ parentId }) => parentId !== undefined && !byId.has(parentId)),
    ({ parentId }) => parentId ?? '',
  );
  return [...children].map(([parentId, orphans]): Finding => {
    const names = namesOf(orphans);
    const evidence = `${names}: the parent ${parentId} is not in the trace.`;
    const ids = idsOf(orphans);
    if (orphans.some(({ origin }) => origin === 'AWS::Lambda::Function')) {
      return {
        code: 'LAMBDA_SEGMENT_MISSING',
        severity: 'problem',
        title: "The segment that AWS's Lambda service writes is not here",
        evidence,
        fix: 'Lambda sends it to AWS X-Ray itself, never to a daemon. Let the poller bring the traces of AWS (awsxray_poller), or read this trace as beginning in the function.',
        ids,
      };
    }
    if (orphans.every(({ subsegment }) => subsegment)) {
      return {
        code: 'PARENT_MISSING',
        severity: 'problem',
        title: `The segment around ${orphans.length === 1 ? `the subsegment ${orphans[0]?.name}` : `${orphans.length} subsegments`} never came`,
        evidence,
        fix: 'The process may have ended before it closed the segment, or the datagram was lost: look at what was rejected or dropped on the page Pipelines, and close segments before a process ends.',
        ids,
      };
    }
    const front = frontOf(orphans);
    return {
      code: 'PARENT_MISSING',
      severity: 'problem',
      title: `The caller of ${names} never came`,
      evidence: front === undefined ? evidence : `${evidence} The request came through ${front}.`,
      fix:
        front === undefined
          ? 'The caller may send its spans elsewhere, may not have sampled the request, or may have lost them. Point it at this Raybridge, and let it decide by the parent (parentbased sampler) so that a trace is kept whole.'
          : `${front} writes its segments to AWS X-Ray only. Let the poller bring the traces of AWS (awsxray_poller), or read this trace as beginning here.`,
      ids,
    };
  });
}

/** Services of AWS that stand in front, write segments of their own, and say so in what they pass on. */
function frontOf(segments: readonly SegmentNode[]): string | undefined {
  for (const { document } of segments) {
    const aws = readObject(document, 'aws');
    if (readObject(aws, 'api_gateway')) return 'API Gateway';
    const request = readObject(readObject(document, 'http'), 'request');
    const userAgent = readText(request, 'user_agent') ?? '';
    if (/AmazonAPIGateway/i.test(userAgent)) return 'API Gateway';
    if (/Amazon CloudFront/i.test(userAgent)) return 'CloudFront';
    if (/execute-api\.[\w-]+\.amazonaws\.com/.test(readText(request, 'url') ?? '')) return 'API Gateway';
  }
  return undefined;
}

/** They share the id of the trace, so it was passed on; the id of the caller's span was not. */
function severalRoots({ reported }: Facts): readonly Finding[] {
  const roots = reported.filter(({ parentId, subsegment }) => parentId === undefined && !subsegment);
  if (roots.length < 2) return [];
  return [
    {
      code: 'SEVERAL_ROOTS',
      severity: 'problem',
      title: `${roots.length} segments say that nobody called them`,
      evidence: `${namesOf(roots)} have no parent, though they share the id of the trace.`,
      fix: 'The id of the trace was passed on without that of the calling span: a load balancer adds Root alone to X-Amzn-Trace-Id, and services that read one header and write another lose the parent. Let all of them speak the same ones: OTEL_PROPAGATORS=xray,tracecontext.',
      ids: idsOf(roots),
    },
  ];
}

/** Calls that say that their callee is traced, or go to a service that reports other calls, and have no answer. */
function missingCallees({ trace, byId, reported }: Facts): readonly Finding[] {
  const names = new Set(reported.filter(({ subsegment }) => !subsegment).map(({ name }) => name));
  const calls = trace.segments
    .filter(({ inferred }) => inferred)
    .flatMap(({ parentId }) => {
      const call = byId.get(parentId ?? '');
      return call ? [call] : [];
    });
  const isTraced = ({ document }: SegmentNode): boolean =>
    readFlag(document, 'traced') ?? readFlag(readObject(readObject(document, 'http'), 'request'), 'traced') ?? false;
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

/** A callee cannot begin before the call; when it does, the clocks differ by at least as much. */
function skewedClocks({ reported, byId }: Facts): readonly Finding[] {
  const early = reported.flatMap((segment) => {
    const parent = segment.subsegment ? undefined : byId.get(segment.parentId ?? '');
    const byMs = parent ? Number((parent.startTimeNs - segment.startTimeNs) / nsPerMs) : 0;
    return byMs >= skewMsMin ? [{ segment, byMs }] : [];
  });
  const groups = groupBy(early, ({ segment }) => segment.name);
  return [...groups].map(([name, cases]): Finding => {
    const most = Math.max(...cases.map(({ byMs }) => byMs));
    return {
      code: 'CLOCK_SKEW',
      severity: 'problem',
      title: `The clock of ${name} is behind that of its caller`,
      evidence: `${countOf(cases.length, 'segment')} of it began before the call that caused it, by up to ${most} ms.`,
      fix: 'Durations are right, positions are not. Synchronise the clocks of both hosts (chrony; on EC2 the Amazon Time Sync Service at 169.254.169.123).',
      ids: idsOf(cases.map(({ segment }) => segment)),
    };
  });
}

function unfinished({ nodes, nowNs }: Facts): readonly Finding[] {
  const open = nodes.filter(({ endTimeNs, inferred }) => endTimeNs === undefined && !inferred);
  const isOld = ({ startTimeNs }: SegmentNode): boolean => nowNs - startTimeNs > BigInt(runningMsMax) * nsPerMs;
  const old = open.filter(isOld);
  const young = open.filter((node) => !isOld(node));
  const findings: Finding[] = [];
  if (old.length > 0) {
    findings.push({
      code: 'NEVER_FINISHED',
      severity: 'problem',
      title: `${namesOf(old)} never finished`,
      evidence: 'Documents in progress came, and no end within an hour.',
      fix: 'The process was stopped, or a subsegment was never closed: close it in a finally, and give the process time to send when it is stopped.',
      ids: idsOf(old),
    });
  }
  if (young.length > 0) {
    findings.push({
      code: 'IN_PROGRESS',
      severity: 'note',
      title: `${namesOf(young)} ${young.length === 1 ? 'is' : 'are'} still running`,
      evidence: `${countOf(young.length, 'document')} in progress.`,
      fix: 'Wait: this page follows the trace.',
      ids: idsOf(young),
    });
  }
  return findings;
}

/** Raybridge says in its envelope what it cut from a document that was too large for X-Ray. */
function cutDocuments({ nodes }: Facts): readonly Finding[] {
  const cut = nodes.flatMap((node) => {
    const envelope = readObject(readObject(node.document, 'metadata'), 'raybridge');
    const members = readList(envelope, 'z').filter((member) => typeof member === 'string');
    return members.length > 0 ? [{ node, members }] : [];
  });
  if (cut.length === 0) return [];
  const members = cut.flatMap(({ members }) => members);
  return [
    {
      code: 'CUT',
      severity: 'note',
      title: `${countOf(cut.length, 'document')} had to be cut to fit into 64 KiB`,
      evidence: `What was cut: ${listed(members, 5)}.`,
      fix: 'X-Ray takes no larger documents. Record less (stack traces, SQL, payloads), or read the span over OTLP, which has all of it.',
      ids: idsOf(cut.map(({ node }) => node)),
    },
  ];
}

/** The same call many times from one place: one query for each row of another. */
function repeatedCalls({ nodes, byId }: Facts): readonly Finding[] {
  const calls = nodes.filter(({ subsegment, parentId }) => subsegment && byId.has(parentId ?? ''));
  const groups = groupBy(calls, (call) => `${call.parentId} ${callKey(call)}`);
  return [...groups.values()]
    .filter((same) => same.length >= repeatsMin)
    .map((same): Finding => {
      const [first] = same;
      const parent = byId.get(first?.parentId ?? '');
      const totalNs = same.reduce((sum, { startTimeNs, endTimeNs = startTimeNs }) => sum + endTimeNs - startTimeNs, 0n);
      return {
        code: 'REPEATED_CALLS',
        severity: 'note',
        title: `${parent?.name} makes the same call ${same.length} times`,
        evidence: `${first ? describeCall(first) : ''}, ${Number(totalNs / nsPerMs)} ms altogether.`,
        fix: 'One call for all of them (a batch, a join, an IN list) or a cache usually takes a fraction of the time.',
        ids: idsOf(same),
      };
    });
}

/** Equal for calls that differ in nothing but their values. */
function callKey(call: SegmentNode): string {
  return describeCall(call)
    .replaceAll(/\d+/g, '0')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/gi, '0');
}

function describeCall({ name, document }: SegmentNode): string {
  const aws = readObject(document, 'aws');
  const request = readObject(readObject(document, 'http'), 'request');
  const detail = [
    readText(aws, 'operation'),
    readText(aws, 'table_name') ?? readText(aws, 'queue_url') ?? readText(aws, 'bucket_name'),
    readText(readObject(document, 'sql'), 'sanitized_query'),
    readText(request, 'method'),
    readText(request, 'url')?.replace(/\?.*$/s, ''),
  ];
  return [name, ...detail].filter((part) => part !== undefined).join(' ');
}

function groupBy<Value>(values: readonly Value[], keyOf: (value: Value) => string): ReadonlyMap<string, Value[]> {
  const groups = new Map<string, Value[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}

function idsOf(nodes: readonly SegmentNode[]): readonly string[] {
  return nodes.slice(0, idsMax).map(({ id }) => id);
}

function namesOf(nodes: readonly SegmentNode[]): string {
  return listed([...new Set(nodes.map(({ name }) => name))], 3);
}

function listed(words: readonly unknown[], max: number): string {
  const shown = words.slice(0, max).map(String);
  if (words.length > max) return `${shown.join(', ')} and ${words.length - max} more`;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
