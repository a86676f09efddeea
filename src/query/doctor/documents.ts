/** Documents that are not whole: without an end, or cut. */
import type { SegmentNode } from '../../model/index.ts';
import { readList, readObject } from '../members.ts';
import type { Facts, Finding } from './finding.ts';
import { countOf, idsOf, listed, namesOf, spell } from './finding.ts';

/** What has not ended an hour after it began will not: its sender was stopped. */
const runningNsMax = 3_600_000_000_000n;

export function unfinished({ nodes, nowNs }: Facts): readonly Finding[] {
  const open = nodes.filter(({ endTimeNs, inferred }) => endTimeNs === undefined && !inferred);
  const isOld = ({ startTimeNs }: SegmentNode): boolean => nowNs - startTimeNs > runningNsMax;
  const old = open.filter(isOld);
  const young = open.filter((node) => !isOld(node));
  const findings: Finding[] = [];
  if (old.length > 0) {
    findings.push({
      code: 'NEVER_FINISHED',
      severity: 'problem',
      title: `${namesOf(old)} never finished`,
      evidence: `${countOf(old.length, 'document')} in progress, the first begun ${spell(longestNs(old, nowNs))} ago, and no end within an hour.`,
      fix: 'The process was stopped, or a subsegment was never closed: close it in a finally, and give the process time to send when it is stopped.',
      ids: idsOf(old),
    });
  }
  if (young.length > 0) {
    findings.push({
      code: 'IN_PROGRESS',
      severity: 'note',
      title: `${namesOf(young)} ${young.length === 1 ? 'is' : 'are'} still running`,
      evidence: `${countOf(young.length, 'document')} in progress, for ${spell(longestNs(young, nowNs))} by now.`,
      fix: 'Wait: this page follows the trace.',
      ids: idsOf(young),
    });
  }
  return findings;
}

function longestNs(nodes: readonly SegmentNode[], nowNs: bigint): bigint {
  return nodes.reduce(
    (longest, { startTimeNs }) => (nowNs - startTimeNs > longest ? nowNs - startTimeNs : longest),
    0n,
  );
}

/** Raybridge says in its envelope what it cut from a document that was too large for X-Ray. */
export function cutDocuments({ nodes }: Facts): readonly Finding[] {
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
