import { noCounts } from '../outcome/outcome.ts';
import type { MapGraph } from './graph.ts';

export const stepSeconds = 60;

/** The starts of the whole minutes that a range touches; epoch seconds. */
export function minutesOf({ from, to }: { readonly from: number; readonly to: number }): readonly number[] {
  const first = Math.floor(from / stepSeconds) * stepSeconds;
  const count = Math.max(1, Math.ceil((to - first) / stepSeconds));
  return Array.from({ length: count }, (_, at) => first + at * stepSeconds);
}

/** The nodes and calls of a range with what they saw in one minute of it, so that the picture stays as it is. */
export function graphOfMinute(range: MapGraph, minute: MapGraph): MapGraph {
  const nothing = { counts: noCounts, averageResponseTime: undefined, responseTimes: [] };
  const nodes = new Map(minute.nodes.map((node) => [node.key, node]));
  const edges = new Map(minute.edges.map((edge) => [edge.key, edge]));
  return {
    nodes: range.nodes.map((node) => {
      const { counts, averageResponseTime, responseTimes } = nodes.get(node.key) ?? nothing;
      return { ...node, counts, averageResponseTime, responseTimes };
    }),
    edges: range.edges.map((edge) => {
      const { counts, averageResponseTime, responseTimes, eventAges } = edges.get(edge.key) ?? {
        ...nothing,
        eventAges: [],
      };
      return { ...edge, counts, averageResponseTime, responseTimes, eventAges };
    }),
  };
}
