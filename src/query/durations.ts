import type { SegmentNode } from '../model/index.ts';
import { eachNode } from './walk.ts';

/** Durations as X-Ray gives them: seconds, rounded to milliseconds. */

const nanosecondsPerMillisecond = 1_000_000n;

/** Seconds between two times, rounded to milliseconds; 0 when the clock ran backwards. */
export function secondsBetween(startNs: bigint, endNs: bigint): number {
  return millisecondsBetween(startNs, endNs) / 1000;
}

/** Whole milliseconds between two times; 0 when the clock ran backwards. */
export function millisecondsBetween(startNs: bigint, endNs: bigint): number {
  if (endNs <= startNs) return 0;
  return Number((endNs - startNs + nanosecondsPerMillisecond / 2n) / nanosecondsPerMillisecond);
}

/**
 * Milliseconds from the first start to the last end of a segment with its subsegments. It exceeds
 * the response time where work goes on after the answer, and where Lambda's `Initialization` came
 * before it.
 */
export function durationMilliseconds(segment: SegmentNode): number {
  let start = segment.startTimeNs;
  let end = segment.endTimeNs ?? segment.startTimeNs;
  for (const { startTimeNs, endTimeNs } of eachNode([segment])) {
    if (startTimeNs < start) start = startTimeNs;
    if (endTimeNs !== undefined && endTimeNs > end) end = endTimeNs;
  }
  return millisecondsBetween(start, end);
}
