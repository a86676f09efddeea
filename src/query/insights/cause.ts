import { expectedRate, type Past } from './expectation.ts';
import { sumCounts, type WindowNode } from './window.ts';

/** A node with more faults than expected. */
export interface Anomaly {
  readonly key: string;
  readonly node: WindowNode;
  readonly past: Past;
}

/** Anomalies that belong together: joined by calls that ended in a fault, whoever called whom. */
export function relate(anomalies: readonly Anomaly[]): readonly (readonly Anomaly[])[] {
  const neighbours = neighboursOf(anomalies);
  const byKey = new Map(anomalies.map((anomaly) => [anomaly.key, anomaly]));
  const seen = new Set<string>();
  return anomalies.flatMap(({ key }) => {
    if (seen.has(key)) return [];
    const reached = new Set([key]);
    for (const one of reached) for (const other of neighbours.get(one) ?? []) reached.add(other);
    for (const one of reached) seen.add(one);
    return [[...reached].flatMap((one) => byKey.get(one) ?? [])];
  });
}

function neighboursOf(anomalies: readonly Anomaly[]): ReadonlyMap<string, ReadonlySet<string>> {
  const neighbours = new Map(anomalies.map(({ key }) => [key, new Set<string>()]));
  for (const { key, node } of anomalies) {
    for (const callee of node.faultyCallees) {
      const others = neighbours.get(callee);
      if (!others) continue;
      others.add(key);
      neighbours.get(key)?.add(callee);
    }
  }
  return neighbours;
}

/**
 * The farthest downstream of anomalies that belong together: the one that calls no other of them in
 * vain. Where several are so, or none because they call each other in a ring, it is the one with most
 * faults beyond what was expected.
 */
export function rootCauseOf(related: readonly Anomaly[]): Anomaly | undefined {
  const last = farthestOf(related);
  const candidates = last.length > 0 ? last : related;
  return candidates.toSorted((one, other) => excessOf(other) - excessOf(one))[0];
}

/** Where faulty calls lead from one of the anomalies: to itself, unless another is farther downstream. Undefined when it is none of them. */
export function farthestFrom(key: string, related: readonly Anomaly[]): Anomaly | undefined {
  const byKey = new Map(related.map((anomaly) => [anomaly.key, anomaly]));
  const reached = new Set(byKey.has(key) ? [key] : []);
  for (const one of reached) for (const callee of byKey.get(one)?.node.faultyCallees ?? []) reached.add(callee);
  const downstream = [...reached].flatMap((one) => byKey.get(one) ?? []);
  return rootCauseOf(farthestOf(downstream)) ?? byKey.get(key);
}

/** Those that call no other of them in vain. */
function farthestOf(related: readonly Anomaly[]): readonly Anomaly[] {
  const keys = new Set(related.map(({ key }) => key));
  return related.filter(
    ({ key, node }) => ![...node.faultyCallees].some((callee) => callee !== key && keys.has(callee)),
  );
}

function excessOf({ node, past }: Anomaly): number {
  const { faultCount, totalCount } = sumCounts(node.requests);
  return faultCount - totalCount * expectedRate(past);
}

/**
 * The minutes of the window that made it an anomaly, oldest first, one at least: those whose share of
 * faults is nearer to that of the window, or beyond it, than to what was expected.
 */
export function troubledMinutes({ node, past }: Anomaly): readonly number[] {
  const { faultCount, totalCount } = sumCounts(node.requests);
  const middle = (faultCount / totalCount + expectedRate(past)) / 2;
  return [...node.requests]
    .filter(([, counts]) => counts.faultCount > counts.totalCount * middle)
    .map(([minute]) => minute)
    .sort((one, other) => one - other);
}
