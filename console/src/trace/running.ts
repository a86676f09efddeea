import type { TraceTree } from './tree.ts';

/** What has not ended an hour after the trace began is not waited for: its sender was stopped. */
export const runningSecondsMax = 3600;

export function isRunning(tree: TraceTree, now: number): boolean {
  return tree.inProgress && now - tree.start < runningSecondsMax;
}

/** Epoch seconds up to which the bars of documents in progress are drawn: now while they run, else the last thing known. */
export function drawnUntil(tree: TraceTree, now: number): number {
  return isRunning(tree, now) ? Math.max(now, tree.end) : tree.end;
}
