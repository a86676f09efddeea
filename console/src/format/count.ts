/** `18,204`; the separator does not change with the reader's locale, as little else on the page does. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** `1 trace`, `2 traces`. */
export function countOf(count: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`;
}

/** A share from 0 to 1 as a percentage that is never rounded to 0 % or 100 % when it is neither. */
export function formatPercent(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return '<0.1 %';
  if (percent < 100 && percent > 99.9) return '>99.9 %';
  return `${Number(percent.toFixed(percent < 10 ? 1 : 0))} %`;
}

/** Requests over a time as a rate in the unit that gives a readable number: `12/min`, `3.4/s`. */
export function formatRate(count: number, rangeSeconds: number): string {
  if (rangeSeconds <= 0) return `${formatCount(count)}`;
  const perSecond = count / rangeSeconds;
  if (perSecond >= 1) return `${readable(perSecond)}/s`;
  if (perSecond * 60 >= 1) return `${readable(perSecond * 60)}/min`;
  return `${readable(perSecond * 3600)}/h`;
}

/** `512 B`, `1.2 MB`; powers of 1000. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power]}`;
}

function readable(value: number): string {
  return value >= 100 ? formatCount(Math.round(value)) : String(Number(value.toPrecision(2)));
}
