import { useMemo } from 'react';
import type { JSX } from 'react';
import type { TracePoint } from '../api/answers.ts';
import { both } from '../filter/expression.ts';
import { formatPercent } from '../format/count.ts';
import { useChangeSearch, usePageSearch } from '../search.ts';
import styles from './Explore.module.css';
import { differences } from './difference.ts';
import type { FacetDifference } from './difference.ts';
import { facetsOf, printCondition, printExclusion } from './facets.ts';

const facetsShown = 6;

/** What the chosen traces have that the rest has not, and the other way round. */
export function Difference(props: {
  readonly selected: readonly TracePoint[];
  readonly rest: readonly TracePoint[];
}): JSX.Element {
  const { selected, rest } = props;
  const found = useMemo(
    () => differences({ selected, rest }, facetsOf([...selected, ...rest])).slice(0, facetsShown),
    [selected, rest],
  );
  return (
    <section className={styles.difference} aria-label="What is different">
      <h3>
        What is different <span className={styles.muted}>share of the chosen traces, then of the rest</span>
      </h3>
      {found.length === 0 ? (
        <p className={styles.muted}>
          {selected.length === 0 || rest.length === 0
            ? 'There is nothing to compare: choose some of the traces, not all and not none.'
            : 'Nothing that these traces say sets them apart from the rest.'}
        </p>
      ) : (
        <ul className={styles.facets}>
          {found.map((difference) => (
            <FacetItem key={difference.facet.id} difference={difference} />
          ))}
        </ul>
      )}
    </section>
  );
}

function FacetItem({ difference: { facet, values } }: { readonly difference: FacetDifference }): JSX.Element {
  const { q = '' } = usePageSearch();
  const change = useChangeSearch();
  const add = (condition: string) => change({ q: both(q, condition), brush: undefined });
  return (
    <li>
      <h4>{facet.label}</h4>
      <ul>
        {values.map(({ value, selected, rest }) => (
          <li key={value} className={styles.value}>
            <span title={value}>{value}</span>
            <span>
              <meter aria-label={`${value}: of the chosen`} value={selected} data-side="selected" />
              {formatPercent(selected)}
            </span>
            <span>
              <meter aria-label={`${value}: of the rest`} value={rest} data-side="rest" />
              {formatPercent(rest)}
            </span>
            <button type="button" aria-label={`Only ${value}`} onClick={() => add(printCondition(facet, value))}>
              Only
            </button>
            <button type="button" aria-label={`Without ${value}`} onClick={() => add(printExclusion(facet, value))}>
              Without
            </button>
          </li>
        ))}
      </ul>
    </li>
  );
}
