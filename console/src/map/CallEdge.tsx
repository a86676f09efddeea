import { BaseEdge, EdgeLabelRenderer } from '@xyflow/react';
import type { Edge, EdgeProps } from '@xyflow/react';
import { memo } from 'react';
import type { JSX } from 'react';
import { formatCount, formatRate } from '../format/count.ts';
import { formatDuration } from '../format/duration.ts';
import { worstOutcome } from '../outcome/outcome.ts';
import styles from './CallEdge.module.css';
import { drawPath } from './edgePath.ts';
import type { MapEdge } from './graph.ts';
import type { Point } from './layout.ts';

export interface CallEdgeData extends Record<string, unknown> {
  readonly edge: MapEdge;
  readonly rangeSeconds: number | undefined;
  /** Through the centres of the rings, in the coordinates of the picture. */
  readonly points: readonly Point[];
  /** 0 to 1. */
  readonly weight: number;
}

/** A call: as wide as it is frequent, in the colour of its worst outcome, dashed when it joins two traces. */
export const CallEdge = memo(function CallEdge({
  id,
  data,
  selected,
}: EdgeProps<Edge<CallEdgeData, 'call'>>): JSX.Element | null {
  if (!data || data.points.length < 2) return null;
  const { edge, rangeSeconds, points, weight } = data;
  const { path, middle, arrow } = drawPath(points);
  const outcome = worstOutcome(edge.counts);
  return (
    <>
      <g className={styles.call} data-outcome={outcome} data-selected={selected} data-link={edge.link}>
        <BaseEdge id={id} path={path} interactionWidth={18} style={{ strokeWidth: 1.25 + weight * 2.5 }} />
        <path d={arrow} className={styles.arrow} />
      </g>
      <EdgeLabelRenderer>
        {/* A call to oneself has no room for a label; its panel has the numbers. */}
        <div
          hidden={edge.from === edge.to}
          className={styles.label}
          aria-hidden="true"
          data-selected={selected}
          style={{ transform: `translate(-50%, -50%) translate(${middle.x}px, ${middle.y}px)` }}
        >
          {labelOf(edge, rangeSeconds)}
        </div>
      </EdgeLabelRenderer>
    </>
  );
});

function labelOf(edge: MapEdge, rangeSeconds: number | undefined): string {
  if (edge.link) return 'link';
  const traffic =
    rangeSeconds === undefined ? `${formatCount(edge.counts.total)}×` : formatRate(edge.counts.total, rangeSeconds);
  return edge.averageResponseTime === undefined ? traffic : `${traffic} · ${formatDuration(edge.averageResponseTime)}`;
}
