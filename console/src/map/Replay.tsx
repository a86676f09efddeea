import { useEffect, useState } from 'react';
import type { JSX } from 'react';
import { formatMinute } from '../format/time.ts';
import { useChangeSearch } from '../search.ts';
import styles from './Replay.module.css';

/** Slow enough to see a ring change, fast enough for an hour in less than a minute. */
const stepEveryMs = 700;

/** Goes through a range minute by minute: by the slider, or by itself. */
export function Replay(props: {
  /** Starts of the minutes; epoch seconds. */
  readonly minutes: readonly number[];
  /** The one that is shown; undefined while the whole range is. */
  readonly at: number | undefined;
  /** The picture is that of the minute: playing waits for it. */
  readonly isShown: boolean;
}): JSX.Element {
  const { minutes, at, isShown } = props;
  const change = useChangeSearch();
  const [isPlaying, setPlaying] = useState(false);
  const last = minutes.length - 1;
  const place =
    at === undefined
      ? -1
      : Math.max(
          0,
          minutes.findLastIndex((minute) => minute <= at),
        );
  const show = (index: number) => change({ at: String(minutes[index]) }, { replace: true });

  useEffect(() => {
    if (!isPlaying || !isShown || place < 0) return undefined;
    const timer = setTimeout(() => (place >= last ? setPlaying(false) : show(place + 1)), stepEveryMs);
    return () => clearTimeout(timer);
  }, [isPlaying, isShown, place, last]);

  if (at === undefined) {
    return (
      <section className={styles.replay} aria-label="Replay">
        <button type="button" onClick={() => show(0)}>
          Replay minute by minute
        </button>
      </section>
    );
  }
  const start = minutes[place] ?? at;
  const play = () => {
    if (!isPlaying && place >= last) show(0);
    setPlaying(!isPlaying);
  };
  return (
    <section className={styles.replay} aria-label="Replay">
      <button type="button" onClick={play}>
        {isPlaying ? 'Pause' : 'Play'}
      </button>
      <input
        type="range"
        min={0}
        max={last}
        value={place}
        aria-label="Minute"
        aria-valuetext={formatMinute(start)}
        onChange={(event) => {
          setPlaying(false);
          show(event.target.valueAsNumber);
        }}
      />
      <output>{formatMinute(start)}</output>
      <button
        type="button"
        onClick={() => {
          setPlaying(false);
          change({ at: undefined }, { replace: true });
        }}
      >
        Whole range
      </button>
    </section>
  );
}
