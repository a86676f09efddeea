import type { JSX } from 'react';
import { usdPerTrace } from '../../../src/sampling/index.ts';
import type { KeptAnswer, RulePreviewAnswer, RuleUseAnswer, ServicePreviewAnswer } from '../api/answers.ts';
import { ApiError } from '../api/client.ts';
import { useSamplingPreview } from '../api/queries.ts';
import { countOf, formatCount, formatRate } from '../format/count.ts';
import { spellRange } from '../range/range.ts';
import { usePageSearch } from '../search.ts';
import { Failure, Loading } from '../shell/EmptyState.tsx';
import { type Column, Table } from '../table/Table.tsx';
import styles from './SamplingPage.module.css';
import { useSettled } from '../shell/useSettled.ts';

const monthSeconds = 730 * 3600;
const settledMs = 250;

/** What the draft would have done to the traces of the range: kept, lost, failures lost, and at AWS's price what it costs. */
export function Preview({
  draft: typed,
  rule,
}: {
  /** As JSON, see rule.ts. */
  readonly draft: string;
  /** The rule that it changes. */
  readonly rule: string | undefined;
}): JSX.Element {
  const search = usePageSearch();
  const draft = useSettled(typed, settledMs);
  const { data, error, refetch, isPlaceholderData } = useSamplingPreview({ draft, rule }, search);
  if (error instanceof ApiError && error.status === 400) {
    return (
      <div className={styles.preview} role="status">
        <h2>What it would have done</h2>
        <p>The rule would be refused:</p>
        <p className={styles.problem}>{error.message}</p>
      </div>
    );
  }
  if (error) return <Failure error={error} onRetry={() => void refetch()} />;
  if (!data) return <Loading what="the traffic" />;
  const { Services, Rules, Seconds, TraceCount, IsWhole } = data;
  const [before, after] = [sumOf(Services.map(({ Before }) => Before)), sumOf(Services.map(({ After }) => After))];
  return (
    <div className={styles.preview} aria-busy={isPlaceholderData}>
      <h2>
        What it would have done in {spellRange(search)}
        {IsWhole ? '' : `, to the newest ${formatCount(TraceCount)} traces`}
      </h2>
      <dl className={styles.totals}>
        <Fact label="Traces seen">{countOf(TraceCount, 'trace')}</Fact>
        <Fact label="Kept now → with it">{change(before.KeptCount, after.KeptCount)}</Fact>
        <Fact label="Errors lost">{change(before.ErrorsLostCount, after.ErrorsLostCount)}</Fact>
        <Fact label="Faults lost">{change(before.FaultsLostCount, after.FaultsLostCount)}</Fact>
        <Fact label="On AWS X-Ray, a month">{changeOfCost(before, after, Seconds)}</Fact>
      </dl>
      {TraceCount === 0 ? (
        <p>No trace began in this time, so there is nothing to try the rule on. A longer time range may have some.</p>
      ) : (
        <Table
          label="Preview by service"
          columns={serviceColumns(Seconds)}
          rows={Services}
          rowKey={({ Name }) => Name}
        />
      )}
      <Table label="Preview by rule" columns={ruleColumns} rows={Rules} rowKey={({ RuleName }) => RuleName} />
      <p className={styles.muted}>
        Each cell is now → with it. Expected numbers, from what reached this Raybridge: what clients did not sample is
        not among it. Reservoirs are counted over all services; attributes are the annotations of the service that was
        entered, resource ARNs are not known. Prices are {'$'}5 a million traces, without free tier.
      </p>
    </div>
  );
}

function serviceColumns(seconds: number): readonly Column<ServicePreviewAnswer>[] {
  return [
    { id: 'service', label: 'Entered at', key: ({ Name }) => Name, show: ({ Name }) => Name || 'an unknown service' },
    {
      id: 'seen',
      label: 'Seen',
      number: true,
      key: ({ SeenCount }) => SeenCount,
      show: ({ SeenCount }) => `${formatCount(SeenCount)} (${formatRate(SeenCount, seconds)})`,
    },
    changeColumn('kept', 'Kept', ({ KeptCount }) => KeptCount),
    changeColumn('lost', 'Lost', ({ KeptCount }, { SeenCount }) => SeenCount - KeptCount),
    changeColumn('errors', 'Errors lost', ({ ErrorsLostCount }) => ErrorsLostCount),
    changeColumn('faults', 'Faults lost', ({ FaultsLostCount }) => FaultsLostCount),
    {
      id: 'cost',
      label: 'USD a month',
      number: true,
      key: ({ After }) => After.KeptCount,
      show: ({ Before, After }) => changeOfCost(Before, After, seconds),
    },
  ];
}

function changeColumn(
  id: string,
  label: string,
  of: (kept: KeptAnswer, row: ServicePreviewAnswer) => number,
): Column<ServicePreviewAnswer> {
  return {
    id,
    label,
    number: true,
    key: (row) => of(row.After, row),
    show: (row) => change(of(row.Before, row), of(row.After, row)),
  };
}

const ruleColumns: readonly Column<RulePreviewAnswer>[] = [
  { id: 'rule', label: 'Rule', show: ({ RuleName }) => RuleName },
  columnOfUse('matched', 'Decides', ({ MatchedCount }) => MatchedCount),
  columnOfUse('kept', 'Keeps', ({ KeptCount }) => KeptCount),
  columnOfUse('reservoir', 'By its reservoir', ({ ReservoirCount }) => ReservoirCount),
];

function columnOfUse(id: string, label: string, of: (use: RuleUseAnswer) => number): Column<RulePreviewAnswer> {
  return {
    id,
    label,
    number: true,
    show: ({ Before, After }) => change(Before && of(Before), After && of(After)),
  };
}

function Fact({ label, children }: { readonly label: string; readonly children: string }): JSX.Element {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function sumOf(all: readonly KeptAnswer[]): KeptAnswer {
  const sum = (of: (kept: KeptAnswer) => number) => all.reduce((total, kept) => total + of(kept), 0);
  return {
    KeptCount: sum(({ KeptCount }) => KeptCount),
    ErrorsLostCount: sum(({ ErrorsLostCount }) => ErrorsLostCount),
    FaultsLostCount: sum(({ FaultsLostCount }) => FaultsLostCount),
  };
}

/** A rule that is not there on one side has no number there. */
function change(before: number | undefined, after: number | undefined): string {
  return `${before === undefined ? '–' : round(before)} → ${after === undefined ? '–' : round(after)}`;
}

function changeOfCost(before: KeptAnswer, after: KeptAnswer, seconds: number): string {
  const usd = ({ KeptCount }: KeptAnswer) => `$${((KeptCount / seconds) * monthSeconds * usdPerTrace).toFixed(2)}`;
  return `${usd(before)} → ${usd(after)}`;
}

function round(value: number): string {
  return formatCount(Number(value.toFixed(value < 10 ? 1 : 0)));
}
