/** Epoch seconds in the reader's own time zone: `14:03:22.481`. */
export function formatTimeOfDay(epochSeconds: number): string {
  const date = new Date(epochSeconds * 1000);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** `2026-11-21 14:03:22.481`, in the reader's own time zone. */
export function formatDateTime(epochSeconds: number): string {
  return `${formatDate(epochSeconds)} ${formatTimeOfDay(epochSeconds)}`;
}

/** `2026-11-21`. */
export function formatDate(epochSeconds: number): string {
  const date = new Date(epochSeconds * 1000);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** `2026-11-21 14:03`. */
export function formatMinute(epochSeconds: number): string {
  return toLocalInput(epochSeconds).replace('T', ' ');
}

/** `2026-11-21T14:03`, what an input of type datetime-local takes. */
export function toLocalInput(epochSeconds: number): string {
  return `${formatDate(epochSeconds)}T${formatTimeOfDay(epochSeconds).slice(0, 5)}`;
}

/** Epoch seconds of such a text; undefined when it is none. */
export function fromLocalInput(text: string): number | undefined {
  const milliseconds = new Date(text).getTime();
  return Number.isNaN(milliseconds) ? undefined : milliseconds / 1000;
}

/** How long ago, in one unit: `just now`, `40 s ago`, `3 h ago`. */
export function formatAge(ageSeconds: number): string {
  if (ageSeconds < 2) return 'just now';
  if (ageSeconds < 100) return `${Math.round(ageSeconds)} s ago`;
  if (ageSeconds < 5400) return `${Math.round(ageSeconds / 60)} min ago`;
  if (ageSeconds < 172_800) return `${Math.round(ageSeconds / 3600)} h ago`;
  return `${Math.round(ageSeconds / 86_400)} days ago`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
