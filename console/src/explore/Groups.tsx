import { useMemo } from 'react';
import type { JSX } from 'react';
import { nowSeconds, usePoints } from '../api/queries.ts';
import { both } from '../filter/expression.ts';
import { countOf, formatCount, formatPercent, formatRate } from '../format/count.ts';
import { formatDuration } from '../format/duration.ts';
import { parseRange, resolveRange } from '../range/range.ts';
import { useChangeSearch, usePageSearch } from '../search.ts';
import { Loading } from '../shell/EmptyState.tsx';
import { isLive } from '../shell/LiveSwitch.tsx';
import { type Column, Table } from '../table/Table.tsx';
import styles from './Explore.module.css';
import { annotationFacet, facetsOf, printCondition } from './facets.ts';
import type { Facet } from './facets.ts';
import { groupPoints } from './groups.ts';
import type { PointGroup } from './groups.ts';

/** The traces of the list by what they have in common; a row leads to its traces. */
export function Groups(): JSX.Element {
  const search = usePageSearch();
  const change = useChangeSearch();
  const { data } = usePoints({ filter: search.q ?? '', ...search }, { live: isLive(search) });
  const facets = useMemo(() => facetsOf(data?.Points ?? []), [data]);
  const facet =
    facets.find(({ id }) => id === search.by) ??
    (search.by?.startsWith('annotation.') ? annotationFacet(search.by.slice('annotation.'.length)) : facets[0]);
  const groups = useMemo(() => (data && facet ? groupPoints(data.Points, facet) : []), [data, facet]);
  if (!data || !facet) return <Loading what="the groups" />;
  const { from, to } = resolveRange(parseRange(search), nowSeconds());
  const choose = (value: string) => change({ q: both(search.q ?? '', printCondition(facet, value)), view: undefined });
  return (
    <div className={styles.groups}>
      <p className={styles.by}>
        <label>
          Group by{' '}
          <select value={facet.id} onChange={(event) => change({ by: event.target.value })}>
            {facets.map(({ id, label }) => (
              <option key={id} value={id}>
                {id.startsWith('annotation.') ? `annotation ${label}` : label}
              </option>
            ))}
          </select>
        </label>
        <span className={styles.muted}>
          {countOf(groups.length, 'group')} of {data.IsWhole ? '' : 'the newest '}
          {countOf(data.Points.length, 'trace')}
        </span>
      </p>
      <Table
        label={`Traces by ${facet.label}`}
        columns={columnsOf(facet, { seconds: to - from, onChoose: choose })}
        rows={groups}
        rowKey={({ value }) => value ?? ''}
        sortedBy="count"
      />
    </div>
  );
}

function columnsOf(
  { label }: Facet,
  { seconds, onChoose }: { readonly seconds: number; readonly onChoose: (value: string) => void },
): readonly Column<PointGroup>[] {
  return [
    {
      id: 'value',
      label,
      key: ({ value = '' }) => value,
      show: ({ value }) =>
        value === undefined ? (
          <span className={styles.muted}>none</span>
        ) : (
          <button type="button" data-kind="quiet" className={styles.link} onClick={() => onChoose(value)}>
            {value}
          </button>
        ),
    },
    { id: 'count', label: 'Traces', number: true, key: ({ count }) => count, show: ({ count }) => formatCount(count) },
    {
      id: 'rate',
      label: 'Rate',
      number: true,
      key: ({ count }) => count,
      show: ({ count }) => formatRate(count, seconds),
    },
    {
      id: 'faults',
      label: 'Faults',
      number: true,
      key: ({ faults, count }) => faults / count,
      show: ({ faults, count }) => formatPercent(faults / count),
    },
    ...(['p50', 'p90', 'p99'] as const).map((id): Column<PointGroup> => ({
      id,
      label: id,
      number: true,
      key: (group) => group[id],
      show: (group) => formatDuration(group[id]),
    })),
  ];
}
