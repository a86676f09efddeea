import { createContext, useContext } from 'react';
import type { LinkAnswer, LinkedAnswer } from '../api/answers.ts';
import { linksOf } from './fields.ts';
import type { TraceNode } from './tree.ts';

/** Of the trace that is shown; undefined until it is known. */
export const LinkedContext = createContext<LinkedAnswer | undefined>(undefined);

/** Links of other traces that lead to a segment or subsegment. */
export function useLinksTo(node: TraceNode): readonly LinkAnswer[] {
  const linked = useContext(LinkedContext);
  return linked ? linksFromElsewhere(node, linked) : [];
}

/** What leads on from the node itself stands in its document. */
export function linksFromElsewhere(node: TraceNode, { To }: Pick<LinkedAnswer, 'To'>): readonly LinkAnswer[] {
  const own = new Set(linksOf(node).map(({ traceId, id }) => `${traceId} ${id}`));
  return To.filter(({ Id, LinkedTraceId, LinkedId }) => Id === node.id && !own.has(`${LinkedTraceId} ${LinkedId}`));
}
