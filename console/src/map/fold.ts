import type { HistogramAnswer } from '../api/answers.ts';
import type { OutcomeCounts } from '../outcome/outcome.ts';
import { noCounts, outcomes } from '../outcome/outcome.ts';
import { typeLabel } from './graph.ts';
import type { MapEdge, MapGraph, MapNode } from './graph.ts';

/** More cannot be read, and hardly be laid out while the reader waits: a larger graph is folded. */
export const nodesUnfoldedMax = 500;
/** What a folded graph shows, if its nodes can be told apart by anything. */
const nodesFoldedMax = 300;
/** Of a folded node that is opened, the busiest. */
const openedMax = 150;

const foldMark = 'fold';

/**
 * The graph as it is, or with nodes put together until there are few enough: first what is known from
 * the same callers only, then what has the same type and beginning of its name, then the same type and
 * account, then the same type. `opened` are keys of such nodes whose members are shown instead.
 */
export function foldGraph(graph: MapGraph, opened: readonly string[] = []): MapGraph {
  if (graph.nodes.length <= nodesUnfoldedMax) return graph;
  const callers = callersOf(graph);
  const open = new Set(opened);
  const foldOf = new Map<string, string>();
  let left: readonly MapNode[] = graph.nodes.filter(({ client }) => !client);
  let shown = graph.nodes.length;
  for (const rule of rules) {
    if (shown <= nodesFoldedMax) break;
    const folds = groupBy(left, (node) => rule(node, callers)?.map(encodeURIComponent).join('|'));
    for (const [name, members] of folds) {
      if (name === undefined || members.length < 2) continue;
      const key = `${foldMark}|${name}`;
      const staying = open.has(key) ? new Set(busiestFirst(members).slice(0, openedMax)) : new Set();
      const folded = members.filter((node) => !staying.has(node));
      if (folded.length < 2) {
        for (const { key: member } of members) foldOf.set(member, member);
        continue;
      }
      for (const { key: member } of folded) foldOf.set(member, key);
      for (const node of members) if (staying.has(node)) foldOf.set(node.key, node.key);
      shown -= folded.length - 1;
    }
    left = left.filter(({ key }) => !foldOf.has(key));
  }
  return merge(graph, foldOf);
}

type Rule = (node: MapNode, callers: ReadonlyMap<string, string>) => readonly string[] | undefined;

const rules: readonly Rule[] = [
  (node, callers) =>
    node.inferred ? ['callers', node.type ?? '', node.accountId ?? '', callers.get(node.key) ?? ''] : undefined,
  ({ name, type, accountId }) => {
    const [beginning = ''] = name.split(/[-._/:@]/, 1);
    return beginning === name ? undefined : ['name', type ?? '', accountId ?? '', beginning];
  },
  ({ type, accountId }) => ['account', type ?? '', accountId ?? ''],
  ({ type }) => ['type', type ?? ''],
];

function groupBy<Value, Key>(values: readonly Value[], keyOf: (value: Value) => Key): ReadonlyMap<Key, Value[]> {
  const groups = new Map<Key, Value[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}

function callersOf({ edges }: MapGraph): ReadonlyMap<string, string> {
  const callers = new Map<string, Set<string>>();
  for (const { from, to } of edges) callers.set(to, (callers.get(to) ?? new Set()).add(from));
  return new Map([...callers].map(([key, all]) => [key, [...all].toSorted().join(' ')]));
}

function busiestFirst(nodes: readonly MapNode[]): readonly MapNode[] {
  return nodes.toSorted((a, b) => b.counts.total - a.counts.total || (a.key < b.key ? -1 : 1));
}

function merge(graph: MapGraph, foldOf: ReadonlyMap<string, string>): MapGraph {
  const of = (key: string): string => foldOf.get(key) ?? key;
  const nodes = groupBy(graph.nodes, ({ key }) => of(key));
  const edges = groupBy(
    graph.edges.filter(({ from, to }) => of(from) !== of(to)),
    ({ from, to, link }) => `${of(from)}>${of(to)}${link ? '>link' : ''}`,
  );
  return {
    nodes: [...nodes].map(([key, members]) => mergeNodes(key, members)),
    edges: [...edges].flatMap(([key, [first, ...rest]]) =>
      first ? [mergeEdges({ ...first, key, from: of(first.from), to: of(first.to) }, rest)] : [],
    ),
  };
}

function mergeNodes(key: string, members: readonly MapNode[]): MapNode {
  const [first, ...rest] = members;
  if (!first) throw new Error('there is no fold of nothing');
  if (rest.length === 0) return first;
  const [, rule = '', , , last = ''] = key.split('|').map(decodeURIComponent);
  const one = (of: (node: MapNode) => string | undefined): string | undefined =>
    members.every((node) => of(node) === of(first)) ? of(first) : undefined;
  const label = rule === 'name' ? `${last}…` : typeLabel(first.type);
  return {
    ...first,
    key,
    name: label,
    type: one(({ type }) => type),
    accountId: one(({ accountId }) => accountId),
    inferred: members.every(({ inferred }) => inferred),
    root: members.some(({ root }) => root),
    members: busiestFirst(members),
    ...mergeTraffic(members),
  };
}

function mergeEdges(first: MapEdge, rest: readonly MapEdge[]): MapEdge {
  if (rest.length === 0) return first;
  const all = [first, ...rest];
  return { ...first, ...mergeTraffic(all), eventAges: mergeHistograms(all.map(({ eventAges }) => eventAges)) };
}

interface Traffic {
  readonly counts: OutcomeCounts;
  readonly averageResponseTime: number | undefined;
  readonly responseTimes: readonly HistogramAnswer[];
}

function mergeTraffic(all: readonly Traffic[]): Traffic {
  const counts = all.reduce((sum, { counts: more }) => addCounts(sum, more), noCounts);
  const timed = all.filter(({ averageResponseTime }) => averageResponseTime !== undefined);
  const requests = timed.reduce((sum, { counts: { total } }) => sum + total, 0);
  const seconds = timed.reduce((sum, one) => sum + (one.averageResponseTime ?? 0) * one.counts.total, 0);
  return {
    counts,
    averageResponseTime: requests === 0 ? undefined : seconds / requests,
    responseTimes: mergeHistograms(all.map(({ responseTimes }) => responseTimes)),
  };
}

function addCounts(one: OutcomeCounts, other: OutcomeCounts): OutcomeCounts {
  const sum = { ...one, total: one.total + other.total };
  for (const { outcome } of outcomes) sum[outcome] += other[outcome];
  return sum;
}

function mergeHistograms(all: readonly (readonly HistogramAnswer[])[]): readonly HistogramAnswer[] {
  const counts = new Map<number, number>();
  for (const { Value, Count } of all.flat()) counts.set(Value, (counts.get(Value) ?? 0) + Count);
  return [...counts].map(([Value, Count]) => ({ Value, Count }));
}
