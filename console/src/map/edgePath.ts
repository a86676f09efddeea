import type { Point } from './layout.ts';
import { nodeSize } from './nodeSize.ts';

/** From the centre of a node to where a call starts or ends: a hair outside the ring. */
const clearance = nodeSize.ringRadius + 3;
const arrowLength = 8;
const arrowHalfWidth = 4;

export interface EdgePath {
  /** SVG path data. */
  readonly path: string;
  readonly arrow: string;
  /** Where the label goes. */
  readonly middle: Point;
}

/** A smooth line through the points, from the rim of the first ring to the rim of the last; a loop when both are one. */
export function drawPath(points: readonly Point[]): EdgePath {
  const [first, last] = [points[0] ?? origin, points.at(-1) ?? origin];
  if (points.length <= 2 && first.x === last.x && first.y === last.y) return drawLoop(first);
  const forwards = last.x >= first.x;
  const side = forwards ? 1 : -1;
  // A call back runs a little lower, so that it does not lie on the call forth.
  const shift = forwards ? 0 : 12;
  const start = { x: first.x + side * clearance, y: first.y + shift };
  const tip = { x: last.x - side * clearance, y: last.y + shift };
  const end = { x: tip.x - side * arrowLength, y: tip.y };
  const stops = [start, ...points.slice(1, -1).map(({ x, y }) => ({ x, y: y + shift })), end];
  return {
    path: `M${start.x},${start.y}${stops
      .slice(1)
      .map((stop, at) => curve(stops[at] ?? start, stop))
      .join('')}`,
    arrow: `M${tip.x},${tip.y}L${end.x},${end.y - arrowHalfWidth}L${end.x},${end.y + arrowHalfWidth}Z`,
    middle: middleOf(stops),
  };
}

const origin: Point = { x: 0, y: 0 };

function drawLoop({ x, y }: Point): EdgePath {
  const top = y - clearance - 4;
  const tip = { x: x - 6, y: y - clearance + 1 };
  return {
    path: `M${x + 14},${y - clearance + 4}C${x + 30},${top - 26} ${x - 26},${top - 26} ${tip.x},${tip.y - arrowLength}`,
    arrow: `M${tip.x},${tip.y}L${tip.x - arrowHalfWidth},${tip.y - arrowLength}L${tip.x + arrowHalfWidth},${tip.y - arrowLength}Z`,
    middle: { x, y: top - 22 },
  };
}

function curve(from: Point, to: Point): string {
  const half = (to.x - from.x) / 2;
  return `C${from.x + half},${from.y} ${to.x - half},${to.y} ${to.x},${to.y}`;
}

/** The middle bend, or a place a little after the middle of the curve, where calls of one node have parted. */
function middleOf(stops: readonly Point[]): Point {
  const at = stops.length / 2;
  const [before, after] = [stops[Math.ceil(at) - 1] ?? origin, stops[Math.floor(at)] ?? origin];
  return { x: before.x + (after.x - before.x) * 0.576, y: before.y + (after.y - before.y) * 0.648 };
}
