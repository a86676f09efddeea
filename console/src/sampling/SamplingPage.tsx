import type { JSX } from 'react';
import type { SamplingAnswer } from '../api/answers.ts';
import { useSampling } from '../api/queries.ts';
import { formatCount, formatPercent } from '../format/count.ts';
import { useChangeSearch, usePageSearch } from '../search.ts';
import { Failure, Loading } from '../shell/EmptyState.tsx';
import { Page } from '../shell/Page.tsx';
import { type Column, Table } from '../table/Table.tsx';
import { RuleEditor } from './RuleEditor.tsx';
import styles from './SamplingPage.module.css';
import { WhyThisTrace } from './WhyThisTrace.tsx';

type Rule = SamplingAnswer['SamplingRuleRecords'][number]['SamplingRule'];

/** `select` of the address for a rule that is not there yet; no rule can have this name. */
const newRule = '*';

/** The sampling rules in force, what they did lately, and what another would do to the traffic of the range. */
export function SamplingPage(): JSX.Element {
  const { select } = usePageSearch();
  const change = useChangeSearch();
  const { data, error, refetch } = useSampling();
  const choose = (name: string | undefined) => change({ select: name });
  const chosen = data?.SamplingRuleRecords.find(({ SamplingRule }) => SamplingRule.RuleName === select)?.SamplingRule;
  return (
    <Page
      title="Sampling"
      lead="Rules in the order in which clients try them"
      beside={
        <button type="button" data-kind="primary" onClick={() => choose(newRule)}>
          New rule
        </button>
      }
    >
      {error && !data ? <Failure error={error} onRetry={() => void refetch()} /> : undefined}
      {!data && !error ? <Loading what="the sampling rules" /> : undefined}
      {data ? (
        <>
          <Table
            label="Sampling rules"
            columns={columnsOf(data, choose)}
            rows={data.SamplingRuleRecords.map(({ SamplingRule }) => SamplingRule)}
            rowKey={({ RuleName }) => RuleName}
            selected={select}
          />
          {chosen || select === newRule ? (
            <RuleEditor key={select} rule={chosen} rules={data} onDone={() => choose(undefined)} />
          ) : undefined}
          <WhyThisTrace rules={data} />
        </>
      ) : undefined}
    </Page>
  );
}

function columnsOf(
  { SamplingStatisticSummaries: statistics }: SamplingAnswer,
  onChange: (name: string) => void,
): readonly Column<Rule>[] {
  const countOf = (name: string, member: 'RequestCount' | 'SampledCount' | 'BorrowCount') =>
    statistics.filter(({ RuleName }) => RuleName === name).reduce((sum, one) => sum + one[member], 0);
  const counted = (id: string, label: string, member: 'RequestCount' | 'SampledCount' | 'BorrowCount') =>
    ({
      id,
      label,
      number: true,
      key: ({ RuleName }: Rule) => countOf(RuleName, member),
      show: ({ RuleName }: Rule) => formatCount(countOf(RuleName, member)),
    }) as const;
  return [
    {
      id: 'name',
      label: 'Rule',
      show: ({ RuleName }) => (
        <button type="button" data-kind="quiet" className={styles.name} onClick={() => onChange(RuleName)}>
          {RuleName}
        </button>
      ),
    },
    { id: 'priority', label: 'Priority', number: true, show: ({ Priority }) => Priority },
    { id: 'reservoir', label: 'Reservoir', number: true, show: ({ ReservoirSize }) => `${ReservoirSize}/s` },
    { id: 'rate', label: 'Rate', number: true, show: ({ FixedRate }) => formatPercent(FixedRate) },
    { id: 'matches', label: 'Matches', show: (rule) => <code>{spellMatchers(rule)}</code> },
    counted('requests', 'Requests, 5 min', 'RequestCount'),
    counted('sampled', 'Sampled', 'SampledCount'),
    counted('borrowed', 'Borrowed', 'BorrowCount'),
  ];
}

/** What a rule asks for, where it asks for anything. */
function spellMatchers(rule: Rule): string {
  const members = [
    ['service', rule.ServiceName],
    ['type', rule.ServiceType],
    ['host', rule.Host],
    ['method', rule.HTTPMethod],
    ['path', rule.URLPath],
    ['arn', rule.ResourceARN],
    ...Object.entries(rule.Attributes),
  ];
  const asked = members.filter(([, pattern]) => pattern !== '*').map(([name, pattern]) => `${name}=${pattern}`);
  return asked.length === 0 ? 'everything' : asked.join(' ');
}
