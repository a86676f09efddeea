import { useMemo } from 'react';
import type { JSX } from 'react';
import type { SamplingRule } from '../../../src/model/index.ts';
import { previewRules, usdPerTrace, withDraft } from '../../../src/sampling/index.ts';
import type { Kept, ServicePreview } from '../../../src/sampling/index.ts';
import type { SamplingAnswer } from '../api/answers.ts';
import { nowSeconds, usePoints } from '../api/queries.ts';
import { countOf, formatCount, formatRate } from '../format/count.ts';
import { parseRange, resolveRange, spellRange } from '../range/range.ts';
import { usePageSearch } from '../search.ts';
import { Loading } from '../shell/EmptyState.tsx';
import { type Column, Table } from '../table/Table.tsx';
import styles from './SamplingPage.module.css';
import { toRecord, toRule, toSeenRequest } from './rule.ts';

const monthSeconds = 730 * 3600;

/** What the draft would have done to the traces of the range: kept, lost, failures lost, and at AWS's price what it costs. */
export function Preview(props: {
  readonly rules: SamplingAnswer;
  /** Undefined while the form is not a rule. */
  readonly draft: SamplingRule | undefined;
}): JSX.Element {
  const search = usePageSearch();
  const { data } = usePoints({ filter: '', ...search }, { live: false });
  const { rules, draft } = props;
  const previews = useMemo(() => {
    if (!data || !draft) return undefined;
    const before = rules.SamplingRuleRecords.map(({ SamplingRule }) => toRecord(toRule(SamplingRule)));
    return previewRules(data.Points.map(toSeenRequest), { before, after: withDraft(before, draft) });
  }, [data, draft, rules]);
  if (!data) return <Loading what="the traffic" />;
  if (!draft || !previews) return <p className={styles.muted}>A preview is shown when every number is one.</p>;
  const seconds = spanOf(data, search);
  const total = totalOf(previews);
  return (
    <div className={styles.preview}>
      <h2>
        What it would have done in {spellRange(search)}
        {data.IsWhole ? '' : `, to the newest ${formatCount(data.Points.length)} traces`}
      </h2>
      <dl className={styles.totals}>
        <Fact label="Traces seen">{countOf(total.seen, 'trace')}</Fact>
        <Fact label="Kept now, and with it">{`${round(total.before.kept)} → ${round(total.after.kept)}`}</Fact>
        <Fact label="Failures lost">{`${round(total.before.failedLost)} → ${round(total.after.failedLost)}`}</Fact>
        <Fact label="On AWS X-Ray, a month">{`${usd(total.before, seconds)} → ${usd(total.after, seconds)}`}</Fact>
      </dl>
      <Table
        label="Preview by service"
        columns={columnsOf(seconds)}
        rows={previews}
        rowKey={({ service }) => service}
      />
      <p className={styles.muted}>
        Expected numbers, from what reached this Raybridge: what clients did not sample is not among it. Reservoirs are
        counted for one client.
      </p>
    </div>
  );
}

function columnsOf(seconds: number): readonly Column<ServicePreview>[] {
  return [
    {
      id: 'service',
      label: 'Entered at',
      key: ({ service }) => service,
      show: ({ service }) => service || 'an unknown service',
    },
    {
      id: 'seen',
      label: 'Seen',
      number: true,
      key: ({ seen }) => seen,
      show: ({ seen }) => `${formatCount(seen)} (${formatRate(seen, seconds)})`,
    },
    keptColumn('before', 'Kept now', ({ before }) => before.kept),
    keptColumn('after', 'Kept with it', ({ after }) => after.kept),
    {
      id: 'failed',
      label: 'Failed',
      number: true,
      key: ({ failed }) => failed,
      show: ({ failed }) => formatCount(failed),
    },
    keptColumn('lost', 'Failures lost', ({ after }) => after.failedLost),
  ];
}

function keptColumn(id: string, label: string, of: (row: ServicePreview) => number): Column<ServicePreview> {
  return { id, label, number: true, key: of, show: (row) => round(of(row)) };
}

function Fact({ label, children }: { readonly label: string; readonly children: string }): JSX.Element {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function totalOf(previews: readonly ServicePreview[]) {
  const sum = (of: (row: ServicePreview) => number) => previews.reduce((total, row) => total + of(row), 0);
  const kept = (side: 'before' | 'after') => ({
    kept: sum((row) => row[side].kept),
    failedLost: sum((row) => row[side].failedLost),
  });
  return { seen: sum(({ seen }) => seen), before: kept('before'), after: kept('after') };
}

/** Seconds of the range that the traces stand for: all of it, or as far back as they reach. */
function spanOf(
  data: { readonly Points: readonly { readonly StartTime: number }[]; readonly IsWhole: boolean },
  words: { readonly from?: string | undefined; readonly to?: string | undefined },
): number {
  const { from, to } = resolveRange(parseRange(words), nowSeconds());
  const oldest = data.Points.at(-1)?.StartTime;
  return Math.max(1, to - (data.IsWhole || oldest === undefined ? from : oldest));
}

function usd({ kept }: Pick<Kept, 'kept'>, seconds: number): string {
  return `$${((kept / seconds) * monthSeconds * usdPerTrace).toFixed(2)}`;
}

function round(value: number): string {
  return formatCount(Number(value.toFixed(value < 10 ? 1 : 0)));
}
