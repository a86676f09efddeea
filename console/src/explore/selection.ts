import type { TracePoint } from '../api/answers.ts';

/** Part of the chart: response times in seconds, and the time of start where the chart shows it. */
export interface Selection {
  readonly from: number;
  readonly to: number;
  /** Epoch seconds. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

/** As it stands in the address: `0.1~0.5`, or `0.1~0.5~1716560000~1716563600`. */
export function printSelection({ from, to, since, until }: Selection): string {
  const times = since === undefined || until === undefined ? [] : [Math.floor(since), Math.ceil(until)];
  return [shorten(from), shorten(to), ...times].join('~');
}

export function parseSelection(text: string | undefined): Selection | undefined {
  const numbers = text?.split('~').map(Number) ?? [];
  if ((numbers.length !== 2 && numbers.length !== 4) || numbers.some((number) => !(number >= 0))) return undefined;
  const [from = 0, to = 0, since, until] = numbers;
  return from <= to ? { from, to, since, until } : undefined;
}

export function isSelected(
  { ResponseTime, StartTime }: Pick<TracePoint, 'ResponseTime' | 'StartTime'>,
  { from, to, since, until }: Selection,
): boolean {
  const isInTime = since === undefined || until === undefined || (StartTime >= since && StartTime <= until);
  return ResponseTime >= from && ResponseTime <= to && isInTime;
}

function shorten(seconds: number): number {
  return Number(seconds.toPrecision(3));
}
