import { formatDuration } from '../format/duration.ts';

/** The part of the trace's time that the waterfall shows, in seconds from its start. */
export interface TimeView {
  readonly from: number;
  readonly to: number;
}

/** The shortest time one can zoom into. */
const spanMin = 1e-5;

/** Round instants inside the view, about as many as wished, with their label. */
export function ticks(
  { from, to }: TimeView,
  wished: number,
): readonly { readonly at: number; readonly label: string }[] {
  const step = niceStep((to - from) / wished);
  const first = Math.ceil(from / step - 1e-9);
  const count = Math.floor(to / step + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, index) => {
    const at = (first + index) * step;
    return { at, label: formatDuration(Number(at.toPrecision(12))) };
  });
}

/** The view larger or smaller around `centre`, inside 0 to `whole`. */
export function zoom(
  view: TimeView,
  { factor, centre, whole }: { factor: number; centre: number; whole: number },
): TimeView {
  const span = Math.min(whole, Math.max(spanMin, (view.to - view.from) * factor));
  const share = (centre - view.from) / (view.to - view.from || 1);
  return clamp({ from: centre - span * share, to: centre + span * (1 - share) }, whole);
}

/** The view moved by a share of itself. */
export function pan(view: TimeView, { share, whole }: { share: number; whole: number }): TimeView {
  const by = (view.to - view.from) * share;
  return clamp({ from: view.from + by, to: view.to + by }, whole);
}

/** Left edge and width of an interval in percent of the view; undefined when it lies outside. */
export function place(
  interval: TimeView,
  view: TimeView,
): { readonly left: number; readonly width: number } | undefined {
  const span = view.to - view.from || 1;
  const left = ((Math.max(interval.from, view.from) - view.from) / span) * 100;
  const right = ((Math.min(interval.to, view.to) - view.from) / span) * 100;
  return interval.to < view.from || interval.from > view.to ? undefined : { left, width: Math.max(0, right - left) };
}

function clamp({ from, to }: TimeView, whole: number): TimeView {
  const span = Math.min(to - from, whole);
  const start = Math.min(Math.max(0, from), whole - span);
  return { from: start, to: start + span };
}

function niceStep(rough: number): number {
  if (!(rough > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= rough * (1 - 1e-9)) ?? 10;
  return factor * power;
}
