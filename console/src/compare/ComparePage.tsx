import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { FormEvent, JSX } from 'react';
import type { TraceAnswer } from '../api/answers.ts';
import { useNormal, useTrace } from '../api/queries.ts';
import { findTraceId } from '../deepLink.ts';
import { countOf } from '../format/count.ts';
import { formatDuration } from '../format/duration.ts';
import { formatDateTime } from '../format/time.ts';
import { keepQuestion, useChangeSearch, usePageSearch } from '../search.ts';
import { EmptyState, Failure, Loading } from '../shell/EmptyState.tsx';
import { Page } from '../shell/Page.tsx';
import { ViewSwitch } from '../shell/ViewSwitch.tsx';
import type { View } from '../shell/ViewSwitch.tsx';
import { type Column, Table } from '../table/Table.tsx';
import { toTree } from '../trace/tree.ts';
import { nameOf } from '../traces/summary.ts';
import styles from './ComparePage.module.css';
import { Offers } from './Offers.tsx';
import { durationDelta, merge, ownDelta, withoutUnusual } from './merge.ts';
import type { MergedRow } from './merge.ts';
import { fromNormal, toSamples } from './sample.ts';
import type { Sample } from './sample.ts';

/** `b` of the address: what traces like `a` usually are. */
const normal = 'normal';

const orders: readonly View[] = [
  { name: undefined, label: 'By place' },
  { name: 'self', label: 'By difference' },
];

/** Two traces in one tree, or a trace beside what those of its entry point usually are. */
export function ComparePage(): JSX.Element {
  const { a, b = normal, sort } = usePageSearch();
  const change = useChangeSearch();
  return (
    <Page
      title="Compare"
      beside={
        a ? (
          <ViewSwitch views={orders} chosen={sort} onChoose={(name) => change({ sort: name }, { replace: true })} />
        ) : undefined
      }
    >
      <AskForm />
      {a ? (
        b === normal ? (
          <WithNormal a={a} />
        ) : (
          <WithOther a={a} b={b} />
        )
      ) : (
        <EmptyState title="Which traces?">
          <p>Paste the ids of two traces, or of one to hold it against what is normal for its entry point.</p>
        </EmptyState>
      )}
    </Page>
  );
}

function AskForm(): JSX.Element {
  const { a = '', b = normal } = usePageSearch();
  const change = useChangeSearch();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const idOf = (name: string) => findTraceId(String(fields.get(name) ?? ''));
    change({ a: idOf('a'), b: idOf('b') ?? normal });
  };
  return (
    <form key={`${a} ${b}`} className={styles.ask} onSubmit={submit}>
      <label>
        Trace
        <input name="a" required defaultValue={a} placeholder="1-5759e988-bd862e3fe1be46a994272793" />
      </label>
      <label>
        with
        <input name="b" defaultValue={b === normal ? '' : b} placeholder="what is normal" />
      </label>
      <button type="submit">Compare</button>
    </form>
  );
}

function WithOther({ a, b }: { readonly a: string; readonly b: string }): JSX.Element {
  const one = useTrace(a);
  const other = useTrace(b);
  const samplesA = useMemo(() => one.data && samplesOf(one.data), [one.data]);
  const samplesB = useMemo(() => other.data && samplesOf(other.data), [other.data]);
  const error = one.error ?? other.error;
  if (error) return <Failure error={error} onRetry={() => void Promise.all([one.refetch(), other.refetch()])} />;
  if (!one.data || !other.data || !samplesA || !samplesB) return <Loading what="the traces" />;
  return (
    <>
      <ul className={styles.sides}>
        <TraceSide letter="A" answer={one.data} />
        <TraceSide letter="B" answer={other.data} />
      </ul>
      <Offers summary={one.data.Summary} chosen={b} />
      <Rows a={samplesA} b={samplesB} traceId={b} />
    </>
  );
}

function WithNormal({ a }: { readonly a: string }): JSX.Element {
  const one = useTrace(a);
  const normally = useNormal(a);
  const samplesA = useMemo(() => normally.data && fromNormal(normally.data.Places), [normally.data]);
  const samplesB = useMemo(() => one.data && samplesOf(one.data), [one.data]);
  const error = one.error ?? normally.error;
  if (error) return <Failure error={error} onRetry={() => void Promise.all([one.refetch(), normally.refetch()])} />;
  if (!one.data || !normally.data || !samplesA || !samplesB) return <Loading what="the traces" />;
  const { TraceCount } = normally.data;
  if (TraceCount === 0) {
    return (
      <EmptyState title="There is no other trace of this entry point">
        <p>What is normal for {nameOf(one.data.Summary)} shows when more of its traces have come.</p>
      </EmptyState>
    );
  }
  return (
    <>
      <ul className={styles.sides}>
        <li>
          <strong>A</strong> what is normal: the median of {countOf(TraceCount, 'trace')} of the same entry point
        </li>
        <TraceSide letter="B" answer={one.data} />
      </ul>
      <Offers summary={one.data.Summary} chosen={undefined} />
      <Rows a={samplesA} b={samplesB} traceId={a} normalOf={TraceCount} />
    </>
  );
}

function TraceSide({ letter, answer }: { readonly letter: string; readonly answer: TraceAnswer }): JSX.Element {
  const { Summary, Trace } = answer;
  return (
    <li>
      <strong>{letter}</strong>{' '}
      <Link to="/traces/$id" params={{ id: Trace.Id }} search={keepQuestion}>
        {nameOf(Summary)}
      </Link>{' '}
      {formatDuration(Trace.Duration)}, started {formatDateTime(Summary.StartTime)}
    </li>
  );
}

function samplesOf({ Trace }: TraceAnswer): readonly Sample[] {
  return toSamples(toTree(Trace.Segments));
}

/** So many rows a browser draws at once; by difference the first ones are those that matter. */
const rowsMax = 1_000;

function Rows(props: {
  readonly a: readonly Sample[];
  readonly b: readonly Sample[];
  /** Of the second side. */
  readonly traceId: string;
  /** How many traces the first side is the normal of; absent when it is a trace. */
  readonly normalOf?: number;
}): JSX.Element {
  const { a, b, traceId, normalOf } = props;
  const { sort } = usePageSearch();
  const rows = useMemo(() => {
    const all = merge(a, b);
    const merged = normalOf === undefined ? all : withoutUnusual(all, normalOf);
    return sort === 'self' ? merged.toSorted((x, y) => Math.abs(ownDelta(y)) - Math.abs(ownDelta(x))) : merged;
  }, [a, b, normalOf, sort]);
  const columns = [
    nameColumn({ traceId, flat: sort === 'self' }),
    ...(normalOf ? [shareColumn(normalOf)] : []),
    ...times,
  ];
  return (
    <>
      <p className={styles.count}>{spellDifference(rows)}</p>
      <Table label="Both traces" columns={columns} rows={rows.slice(0, rowsMax)} rowKey={({ key }) => key} />
      {rows.length > rowsMax ? (
        <p className={styles.count}>{countOf(rows.length - rowsMax, 'row')} more are not shown.</p>
      ) : undefined}
    </>
  );
}

function spellDifference(rows: readonly MergedRow[]): string {
  const both = rows.filter(({ a, b }) => a && b).length;
  const onlyA = rows.filter(({ b }) => !b).length;
  const onlyB = rows.filter(({ a }) => !a).length;
  return `${countOf(both, 'operation')} in both, ${onlyA} only in A, ${onlyB} only in B.`;
}

function nameColumn({ traceId, flat }: { readonly traceId: string; readonly flat: boolean }): Column<MergedRow> {
  return {
    id: 'name',
    label: 'Operation',
    show: ({ level, name, detail, a, b }) => (
      <span className={styles.operation} style={{ paddingInlineStart: flat ? 0 : (level - 1) * 16 }}>
        {b?.id ? (
          <Link
            to="/traces/$id"
            params={{ id: traceId }}
            search={(search) => ({ ...keepQuestion(search), span: b.id })}
          >
            {name}
          </Link>
        ) : (
          name
        )}{' '}
        <span className={styles.muted}>{detail}</span>
        {a ? undefined : <span className={styles.mark}>only in B</span>}
        {b ? undefined : <span className={styles.mark}>only in A</span>}
        {failedShare(b) > failedShare(a) ? <span className={styles.mark}>fails in B</span> : undefined}
      </span>
    ),
  };
}

function shareColumn(traces: number): Column<MergedRow> {
  return { id: 'share', label: 'Traces of A', number: true, show: ({ a }) => `${a?.count ?? 0} of ${traces}` };
}

const times: readonly Column<MergedRow>[] = [
  secondsColumn('a', 'A', ({ a }) => a?.duration),
  secondsColumn('b', 'B', ({ b }) => b?.duration),
  deltaColumn('delta', 'Difference', durationDelta),
  secondsColumn('ownA', 'A by itself', ({ a }) => a?.own),
  secondsColumn('ownB', 'B by itself', ({ b }) => b?.own),
  deltaColumn('ownDelta', 'Difference', ownDelta),
];

function secondsColumn(id: string, label: string, of: (row: MergedRow) => number | undefined): Column<MergedRow> {
  return {
    id,
    label,
    number: true,
    show: (row) => {
      const seconds = of(row);
      return seconds === undefined ? '–' : formatDuration(seconds);
    },
  };
}

function failedShare(sample: Sample | undefined): number {
  return sample ? sample.failed / sample.count : 0;
}

/** Below this nobody can tell one run from another. */
const deltaSecondsMin = 0.0005;

function deltaColumn(id: string, label: string, of: (row: MergedRow) => number | undefined): Column<MergedRow> {
  return {
    id,
    label,
    number: true,
    show: (row) => {
      const seconds = of(row);
      if (seconds === undefined) return '–';
      if (Math.abs(seconds) < deltaSecondsMin) return <span className={styles.muted}>the same</span>;
      const sign = seconds > 0 ? '+' : '−';
      return (
        <span className={styles.delta} data-slower={seconds > 0}>
          {sign}
          {formatDuration(Math.abs(seconds))}
        </span>
      );
    },
  };
}
