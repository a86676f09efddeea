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
  const last = related.filter((anomaly) => isFarthest(anomaly, related));
  const candidates = last.length > 0 ? last : related;
  return candidates.toSorted((one, other) => excessOf(other) - excessOf(one))[0];
}

/** Where faulty calls lead from one of the anomalies: to itself, unless another is farther downstream. Undefined when it is none of them. */
export function farthestFrom(key: string, related: readonly Anomaly[]): Anomaly | undefined {
  const byKey = new Map(related.map((anomaly) => [anomaly.key, anomaly]));
  const reached = new Set(byKey.has(key) ? [key] : []);
  for (const one of reached) for (const callee of byKey.get(one)?.node.faultyCallees ?? []) reached.add(callee);
  const downstream = [...reached].flatMap((one) => byKey.get(one) ?? []);
  return rootCauseOf(downstream.filter((anomaly) => isFarthest(anomaly, downstream))) ?? byKey.get(key);
}

function isFarthest({ key, node }: Anomaly, related: readonly Anomaly[]): boolean {
  return !related.some((other) => other.key !== key && node.faultyCallees.has(other.key));
}

function excessOf({ node, past }: Anomaly): number {
  const { faultCount, totalCount } = sumCounts(node.requests);
  return faultCount - totalCount * expectedRate(past);
}

/** The minutes of the window with clearly more faults than expected, oldest first. */
export function troubledMinutes({ node, past }: Anomaly): readonly number[] {
  const expected = expectedRate(past);
  // Twice as many as expected; where that is no measure, more than half of the requests that should have been fine.
  const rateMax = Math.min(2 * expected, (1 + expected) / 2);
  return [...node.requests]
    .filter(([, { faultCount, totalCount }]) => faultCount > totalCount * rateMax)
    .map(([minute]) => minute)
    .sort((one, other) => one - other);
}
