/** Hosts whose clocks differ: positions in time contradict who called whom. */
import type { SegmentNode } from '../../model/index.ts';
import { readObject } from '../members.ts';
import type { Facts, Finding } from './finding.ts';
import { countOf, groupBy, idsOf } from './finding.ts';

/** Clocks of one data centre differ by less. */
const behindMsMin = 5;
/** A callee may be late for other reasons: a connection that opened slowly, an answer that the caller left half read. */
const aheadMsMin = 100;
const nsPerMs = 1_000_000n;

interface Case {
  readonly segment: SegmentNode;
  /** At least so much. */
  readonly byMs: number;
  readonly direction: 'behind' | 'ahead of';
}

export function skewedClocks({ reported, byId }: Facts): readonly Finding[] {
  const cases = reported.flatMap((segment) => {
    const call = segment.subsegment ? undefined : byId.get(segment.parentId ?? '');
    const skew = call && (behind(segment, call) ?? ahead(segment, call));
    return skew ? [skew] : [];
  });
  const groups = groupBy(cases, ({ segment, direction }) => `${direction} ${segment.name}`);
  return [...groups.values()].flatMap((same): readonly Finding[] => {
    const [first] = same;
    if (!first) return [];
    const most = Math.max(...same.map(({ byMs }) => byMs));
    return [
      {
        code: 'CLOCK_SKEW',
        severity: 'problem',
        title: `The clock of ${first.segment.name} is ${first.direction} that of its caller`,
        evidence: `${countOf(same.length, 'segment')} of it ${
          first.direction === 'behind'
            ? 'began before the call that caused it'
            : 'ended after the call that waited for its answer'
        }, by up to ${most} ms.`,
        fix: 'Durations are right, positions are not. Synchronise the clocks of both hosts (chrony; on EC2 the Amazon Time Sync Service at 169.254.169.123).',
        ids: idsOf(same.map(({ segment }) => segment)),
      },
    ];
  });
}

/** A callee cannot begin before the call. */
function behind(segment: SegmentNode, call: SegmentNode): Case | undefined {
  const byMs = Number((call.startTimeNs - segment.startTimeNs) / nsPerMs);
  return byMs >= behindMsMin ? { segment, byMs, direction: 'behind' } : undefined;
}

/**
 * A callee whose answer came back cannot end after the call. One that took longer than the call went
 * on by itself after it had answered, or the caller did not wait: that says nothing of clocks. Nor do
 * workers that receive later what was sent over HTTP to a queue: they answer no request.
 */
function ahead(segment: SegmentNode, call: SegmentNode): Case | undefined {
  const isAnswered = call.namespace === 'remote' && hasResponse(call) && hasResponse(segment);
  if (!isAnswered || segment.endTimeNs === undefined || call.endTimeNs === undefined) return undefined;
  if (segment.endTimeNs - segment.startTimeNs > call.endTimeNs - call.startTimeNs) return undefined;
  const byMs = Number((segment.endTimeNs - call.endTimeNs) / nsPerMs);
  return byMs >= aheadMsMin ? { segment, byMs, direction: 'ahead of' } : undefined;
}

function hasResponse({ document }: SegmentNode): boolean {
  return readObject(readObject(document, 'http'), 'response') !== undefined;
}
