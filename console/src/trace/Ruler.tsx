import { useEffect, useRef, useState } from 'react';
import type { JSX, PointerEvent, RefObject } from 'react';
import styles from './Ruler.module.css';
import { place, ticks } from './axis.ts';
import type { TimeView } from './axis.ts';

const ticksMax = 6;
/** Pixels that a tick needs for its label, as `12.5 ms`. */
const tickWidth = 60;
/** A drag shorter than this share of the ruler is a click. */
const dragMin = 0.01;

/** The time axis. Dragging over it zooms into what was dragged over. */
export function Ruler({
  view,
  whole,
  onView,
}: {
  readonly view: TimeView;
  readonly whole: number;
  readonly onView: (view: TimeView) => void;
}): JSX.Element {
  const ruler = useRef<HTMLSpanElement>(null);
  const width = useWidthOf(ruler);
  const anchor = useRef<number>(undefined);
  const [drag, setDrag] = useState<TimeView | undefined>();
  const onMove = (event: PointerEvent<HTMLElement>) => {
    if (anchor.current === undefined) return;
    const at = timeAt(event, view);
    setDrag({ from: Math.max(0, Math.min(anchor.current, at)), to: Math.min(whole, Math.max(anchor.current, at)) });
  };
  const onUp = () => {
    anchor.current = undefined;
    setDrag(undefined);
    if (drag && drag.to - drag.from > (view.to - view.from) * dragMin) onView(drag);
  };
  const chosen = drag && place(drag, view);
  return (
    <span
      ref={ruler}
      className={styles.ruler}
      title="Drag to zoom in"
      onPointerDown={(event) => {
        anchor.current = timeAt(event, view);
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={onMove}
      onPointerUp={onUp}
      onPointerCancel={onUp}
    >
      {ticks(view, Math.min(ticksMax, Math.max(1, Math.floor(width / tickWidth)))).map(({ at, label }) => {
        const left = place({ from: at, to: at }, view)?.left ?? 0;
        return (
          <span key={at} className={styles.tick} style={{ left: `${left}%` }}>
            {label}
          </span>
        );
      })}
      {chosen ? (
        <span className={styles.chosen} style={{ left: `${chosen.left}%`, width: `${chosen.width}%` }} />
      ) : undefined}
    </span>
  );
}

/** Pixels; it changes with the window and with the columns beside it. */
function useWidthOf(box: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!box.current) return undefined;
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, [box]);
  return width;
}

function timeAt(event: PointerEvent<HTMLElement>, view: TimeView): number {
  const box = event.currentTarget.getBoundingClientRect();
  return view.from + ((event.clientX - box.left) / box.width) * (view.to - view.from);
}
