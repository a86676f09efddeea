import { useMemo, useRef } from 'react';
import type { JSX, PointerEvent } from 'react';
import styles from './Minimap.module.css';
import type { TimeView } from './axis.ts';
import type { TraceTree } from './tree.ts';

const [width, height] = [1000, 100];
const serviceColours = 8;
/** A span is drawn at least so wide, of `width`. */
const lineMin = 1.5;
/** A drag narrower than this share of the width is a click. */
const dragShareMin = 0.005;

/** The whole trace in little, a line for each span, and the part of its time that the waterfall shows. Dragging chooses another; a click, all. */
export function Minimap(props: {
  readonly tree: TraceTree;
  readonly view: TimeView;
  /** Seconds from the start to the end of the picture. */
  readonly whole: number;
  readonly onView: (view: TimeView | undefined) => void;
}): JSX.Element {
  const { tree, view, whole, onView } = props;
  const anchor = useRef<number>(undefined);
  const paths = useMemo(() => toPaths(tree, whole), [tree, whole]);
  const choose = (event: PointerEvent<HTMLElement>) => {
    if (anchor.current === undefined) return;
    const at = shareAt(event);
    const [from, to] = [Math.min(anchor.current, at), Math.max(anchor.current, at)];
    if (to - from >= dragShareMin) onView({ from: from * whole, to: to * whole });
  };
  const end = (event: PointerEvent<HTMLElement>) => {
    if (anchor.current !== undefined && Math.abs(shareAt(event) - anchor.current) < dragShareMin) onView(undefined);
    anchor.current = undefined;
  };
  return (
    <div
      className={styles.minimap}
      // Zooming and moving have keys and buttons of their own.
      aria-hidden="true"
      onPointerDown={(event) => {
        anchor.current = shareAt(event);
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={choose}
      onPointerUp={end}
    >
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none">
        {paths.map((path, service) => (
          <path key={service} d={path} data-service={service} />
        ))}
      </svg>
      <div
        className={styles.window}
        style={{
          left: `${(view.from / (whole || 1)) * 100}%`,
          width: `${((view.to - view.from) / (whole || 1)) * 100}%`,
        }}
      />
    </div>
  );
}

/** A path for each colour, because ten thousand elements would be slow. */
function toPaths(tree: TraceTree, whole: number): readonly string[] {
  const paths = Array.from({ length: serviceColours }, () => '');
  for (const { start, end, index, serviceIndex, inferred } of tree.nodes) {
    if (inferred || whole <= 0) continue;
    const x = ((start - tree.start) / whole) * width;
    const length = Math.max(lineMin, (((end ?? tree.start + whole) - start) / whole) * width);
    const y = ((index + 0.5) / tree.nodes.length) * height;
    paths[serviceIndex % serviceColours] += `M${x.toFixed(1)} ${y.toFixed(1)}h${length.toFixed(1)}`;
  }
  return paths;
}

function shareAt(event: PointerEvent<HTMLElement>): number {
  const { left, width: across } = event.currentTarget.getBoundingClientRect();
  return Math.min(1, Math.max(0, (event.clientX - left) / across));
}
