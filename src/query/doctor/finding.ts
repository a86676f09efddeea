import type { SegmentNode, Trace } from '../../model/index.ts';

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
  | 'PROPAGATION_MIXED'
  | 'SEVERAL_ROOTS'
  | 'CALLEE_MISSING'
  | 'CLOCK_SKEW'
  | 'NEVER_FINISHED'
  | 'IN_PROGRESS'
  | 'CUT'
  | 'RETRIED_CALLS'
  | 'REPEATED_CALLS';

/** What every check looks at. */
export interface Facts {
  readonly trace: Trace;
  readonly nodes: readonly SegmentNode[];
  readonly byId: ReadonlyMap<string, SegmentNode>;
  /** Segments, and subsegments that hang nowhere. */
  readonly reported: readonly SegmentNode[];
  readonly handovers: readonly Handover[];
  readonly nowNs: bigint;
}

/** A root, and the call without an answer that must have caused it. */
export interface Handover {
  readonly call: SegmentNode;
  readonly root: SegmentNode;
}

export type Check = (facts: Facts) => readonly Finding[];

export const idsMax = 20;
const namesMax = 3;
const nsPerSecond = 1_000_000_000n;

export function idsOf(nodes: readonly SegmentNode[]): readonly string[] {
  return nodes.slice(0, idsMax).map(({ id }) => id);
}

export function namesOf(nodes: readonly SegmentNode[]): string {
  return listed([...new Set(nodes.map(({ name }) => name))], namesMax);
}

/** `a, b and c`, or `a, b and 7 more`. */
export function listed(words: readonly string[], max: number): string {
  const shown = words.slice(0, max);
  if (words.length > max) return `${shown.join(', ')} and ${words.length - max} more`;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `40 s`, `12 min`, `3 h`, `2 d`: two of a unit at least, so that nothing is rounded by more than half. */
export function spell(durationNs: bigint): string {
  const seconds = durationNs > 0n ? durationNs / nsPerSecond : 0n;
  if (seconds < 120n) return `${seconds} s`;
  if (seconds < 7_200n) return `${seconds / 60n} min`;
  if (seconds < 172_800n) return `${seconds / 3_600n} h`;
  return `${seconds / 86_400n} d`;
}

export function groupBy<Value>(
  values: readonly Value[],
  keyOf: (value: Value) => string,
): ReadonlyMap<string, Value[]> {
  const groups = new Map<string, Value[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}
