import { ownTime, totalOf } from '../trace/intervals.ts';
import type { TraceNode, TraceTree } from '../trace/tree.ts';

/** A place in the tree of one trace, or of several that are alike: what is called there, how often, for how long. */
export interface Sample {
  /** Equal for what is the same work among the children of one place. */
  readonly key: string;
  readonly name: string;
  readonly detail: string;
  /** Traces that have it. */
  readonly count: number;
  /** Seconds, median; undefined while in progress. */
  readonly duration: number | undefined;
  /** Seconds in which nothing below it ran, median. */
  readonly own: number;
  readonly failed: number;
  readonly children: readonly Sample[];
}

/** The tree of all these traces: places in the order in which they were first met. */
export function toSamples(trees: readonly TraceTree[]): readonly Sample[] {
  return gather(trees.map((tree) => ({ nodes: tree.roots, now: tree.end })));
}

/** The places that at least half of the traces have. */
export function usual(samples: readonly Sample[], traces: number): readonly Sample[] {
  return samples
    .filter(({ count }) => count * 2 >= traces)
    .map((sample) => ({ ...sample, children: usual(sample.children, traces) }));
}

interface Siblings {
  readonly nodes: readonly TraceNode[];
  readonly now: number;
}

function gather(all: readonly Siblings[]): readonly Sample[] {
  const places = new Map<string, { readonly node: TraceNode; readonly now: number }[]>();
  for (const { nodes, now } of all) {
    const seen = new Map<string, number>();
    for (const node of nodes) {
      // What X-Ray infers is the call above it, seen from the other side.
      if (node.inferred) continue;
      const kind = kindOf(node);
      const turn = (seen.get(kind) ?? 0) + 1;
      seen.set(kind, turn);
      const key = `${kind} ${turn}`;
      const place = places.get(key);
      if (place) place.push({ node, now });
      else places.set(key, [{ node, now }]);
    }
  }
  return [...places].map(([key, found]) => toSample(key, found));
}

function toSample(key: string, found: readonly { readonly node: TraceNode; readonly now: number }[]): Sample {
  const [first] = found;
  const ended = found.flatMap(({ node }) => (node.end === undefined ? [] : [node.end - node.start]));
  return {
    key,
    name: first?.node.name ?? '',
    detail: first?.node.detail ?? '',
    count: found.length,
    duration: ended.length === 0 ? undefined : median(ended),
    own: median(found.map(({ node, now }) => totalOf(ownTime(node, now)))),
    failed: found.filter(({ node }) => node.outcome !== 'ok').length,
    children: gather(found.map(({ node, now }) => ({ nodes: node.children, now }))),
  };
}

/** Values inside a name (ids, counts) do not make it other work. */
function kindOf({ name, detail, subsegment }: TraceNode): string {
  const words = `${name} ${detail}`.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}|\d+/gi, '0');
  return `${subsegment ? 'subsegment' : 'segment'} ${words}`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
