/**
 * Why a trace is not what it should be: what is missing, late, cut or repeated, by what evidence, and
 * what to do about it. It sees what X-Ray's documents say; that something was not sampled, or refused
 * before it became part of the trace, only its sender knows.
 */
import type { Trace } from '../../model/index.ts';
import { eachNode } from '../walk.ts';
import { missingCallees, repeatedCalls } from './calls.ts';
import { skewedClocks } from './clocks.ts';
import { cutDocuments, unfinished } from './documents.ts';
import type { Check, Facts, Finding } from './finding.ts';
import { idsMax } from './finding.ts';
import { findHandovers, missingParents, mixedPropagation, severalRoots } from './parents.ts';

/** Worst first. `nowNs` decides what is still running. */
export function diagnose(trace: Trace, nowNs: bigint): readonly Finding[] {
  const nodes = eachNode(trace.segments);
  const seen = {
    trace,
    nodes,
    byId: new Map(nodes.map((node) => [node.id, node])),
    reported: trace.segments.filter(({ inferred }) => !inferred),
    nowNs,
  };
  const facts: Facts = { ...seen, handovers: findHandovers(seen) };
  return checks.flatMap((check) => firstOf(check(facts)));
}

/** Of one check. A trace that was torn into thousands of pieces is one story. */
const findingsMax = 10;

/** The first of them, and one in place of all others. */
function firstOf(findings: readonly Finding[]): readonly Finding[] {
  const more = findings.slice(findingsMax - 1);
  const [next] = more;
  if (!next || more.length === 1) return findings;
  const ids = more.flatMap((finding) => finding.ids).slice(0, idsMax);
  return [
    ...findings.slice(0, findingsMax - 1),
    { ...next, title: `${more.length} more findings like this: ${next.title}`, ids },
  ];
}

const checks: readonly Check[] = [
  missingParents,
  mixedPropagation,
  severalRoots,
  missingCallees,
  skewedClocks,
  unfinished,
  cutDocuments,
  repeatedCalls,
];
