import { useState } from 'react';
import type { JSX, PointerEvent } from 'react';
import styles from './useDraggedWidth.module.css';

const keyStep = 24;

export interface DraggedWidth {
  /** Key of the browser's storage: the width is kept on this machine. */
  readonly kept: string;
  readonly label: string;
  /** Which edge of the box one drags. */
  readonly edge: 'left' | 'right';
  /** Pixels. */
  readonly min: number;
  readonly max: number;
  readonly initial: number;
}

/**
 * The width of a box in pixels and the grip that changes it, by pointer and by arrow keys. The grip
 * belongs directly into the box, which must be positioned.
 */
export function useDraggedWidth(options: DraggedWidth): readonly [number, JSX.Element] {
  const { kept, label, edge, min, max } = options;
  const limit = (wished: number) => Math.round(Math.min(max, Math.max(min, wished)));
  const [width, setWidth] = useState(() => limit(Number(localStorage.getItem(kept)) || options.initial));
  const change = (wished: number) => {
    localStorage.setItem(kept, String(limit(wished)));
    setWidth(limit(wished));
  };
  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.parentElement?.getBoundingClientRect();
    if (!box || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
    change(edge === 'left' ? box.right - event.clientX : event.clientX - box.left);
  };
  return [
    width,
    <span
      key="grip"
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={width}
      aria-valuemin={min}
      aria-valuemax={max}
      tabIndex={0}
      className={styles.grip}
      data-edge={edge}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={onPointerMove}
      onKeyDown={(event) => {
        const step = event.key === 'ArrowRight' ? keyStep : event.key === 'ArrowLeft' ? -keyStep : 0;
        if (step === 0) return;
        // The arrows are meant for the grip alone, also where what is around it walks by them.
        event.stopPropagation();
        change(edge === 'left' ? width - step : width + step);
      }}
    />,
  ];
}
