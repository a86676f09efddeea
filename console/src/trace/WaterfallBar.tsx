import type { JSX } from 'react';
import { countOf } from '../format/count.ts';
import { Icon } from '../shell/Icon.tsx';
import styles from './WaterfallBar.module.css';

interface WaterfallBarProps {
  readonly critical: boolean;
  readonly onCritical: () => void;
  readonly onCollapse: () => void;
  readonly onExpand: () => void;
  readonly problems: number;
  readonly onProblem: (step: 1 | -1) => void;
  readonly words: string;
  readonly onWords: (words: string) => void;
  readonly matches: number;
  readonly onMatch: (step: 1 | -1) => void;
  readonly inferred: number;
  readonly hideInferred: boolean;
  readonly onInferred: () => void;
  readonly zoomed: boolean;
  readonly onZoom: (factor: number) => void;
  readonly onWhole: () => void;
}

/** A button for everything that a key does in the waterfall. */
export function WaterfallBar(props: WaterfallBarProps): JSX.Element {
  return (
    <div className={styles.bar} role="toolbar" aria-label="Waterfall">
      <Find {...props} />
      <div className={styles.group}>
        <button
          type="button"
          data-kind="icon"
          aria-label="Collapse all"
          title="Collapse all ([)"
          onClick={props.onCollapse}
        >
          <Icon name="collapse" />
        </button>
        <button type="button" data-kind="icon" aria-label="Expand all" title="Expand all (])" onClick={props.onExpand}>
          <Icon name="expand" />
        </button>
      </div>
      {props.problems > 0 ? (
        <div className={styles.group}>
          <span className={styles.problems}>{countOf(props.problems, 'problem')}</span>
          <Steps what="problem" keys="E" onStep={props.onProblem} />
        </div>
      ) : undefined}
      <button
        type="button"
        aria-pressed={props.critical}
        title="What the end of the trace waited for (C)"
        onClick={props.onCritical}
      >
        Critical path
      </button>
      {props.inferred > 0 ? (
        <button
          type="button"
          aria-pressed={!props.hideInferred}
          title="Rows that X-Ray infers for callees that sent nothing"
          onClick={props.onInferred}
        >
          Inferred
        </button>
      ) : undefined}
      <div className={styles.group}>
        <button
          type="button"
          data-kind="icon"
          aria-label="Zoom in"
          title="Zoom in (+)"
          onClick={() => props.onZoom(0.5)}
        >
          +
        </button>
        <button
          type="button"
          data-kind="icon"
          aria-label="Zoom out"
          title="Zoom out (−)"
          disabled={!props.zoomed}
          onClick={() => props.onZoom(2)}
        >
          −
        </button>
        <button
          type="button"
          data-kind="icon"
          aria-label="Whole time"
          title="Whole time (.)"
          disabled={!props.zoomed}
          onClick={props.onWhole}
        >
          <Icon name="fit" />
        </button>
      </div>
    </div>
  );
}

function Find({ words, onWords, matches, onMatch }: WaterfallBarProps): JSX.Element {
  return (
    <div className={styles.group} role="search">
      <input
        className={styles.find}
        type="search"
        aria-label="Find in this trace"
        placeholder="Find"
        value={words}
        onChange={(event) => onWords(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onMatch(event.shiftKey ? -1 : 1);
          if (event.key === 'Escape') event.currentTarget.blur();
        }}
      />
      {words ? (
        <>
          <span className={styles.count} role="status">
            {countOf(matches, 'match', 'matches')}
          </span>
          <Steps what="match" keys="N" onStep={onMatch} />
        </>
      ) : undefined}
    </div>
  );
}

function Steps({
  what,
  keys,
  onStep,
}: {
  readonly what: string;
  readonly keys: string;
  readonly onStep: (step: 1 | -1) => void;
}): JSX.Element {
  return (
    <>
      <button
        type="button"
        data-kind="icon"
        aria-label={`Previous ${what}`}
        title={`Previous ${what} (Shift ${keys})`}
        onClick={() => onStep(-1)}
      >
        <Icon name="up" />
      </button>
      <button
        type="button"
        data-kind="icon"
        aria-label={`Next ${what}`}
        title={`Next ${what} (${keys})`}
        onClick={() => onStep(1)}
      >
        <Icon name="down" />
      </button>
    </>
  );
}
