import { useEffect, useState } from 'react';
import type { Earlier, Series } from './flows.ts';

/** Rates are of the last half minute: long enough for a number that can be read, short enough to be of now. */
const windowMs = 30_000;

interface Sample {
  readonly series: Series;
  readonly atMs: number;
}

/** The oldest counters of the last half minute; undefined until there are two. */
export function useEarlier(series: Series | undefined, atMs: number): Earlier | undefined {
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  useEffect(() => {
    if (!series) return;
    setSamples((before) => [...before.filter((sample) => sample.atMs >= atMs - windowMs), { series, atMs }]);
  }, [series, atMs]);
  const [oldest] = samples;
  if (!oldest || oldest.atMs >= atMs) return undefined;
  return { series: oldest.series, secondsAgo: (atMs - oldest.atMs) / 1000 };
}
