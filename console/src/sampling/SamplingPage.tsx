import type { JSX } from 'react';
import type { SamplingAnswer } from '../api/answers.ts';
import { nowSeconds, useSampling } from '../api/queries.ts';
import { countOf as countNoun, formatCount, formatPercent } from '../format/count.ts';
import { formatAge } from '../format/time.ts';
import { useChangeSearch, usePageSearch } from '../search.ts';
import { Failure, Loading } from '../shell/EmptyState.tsx';
import { Page } from '../shell/Page.tsx';
import { type Column, Table } from '../table/Table.tsx';
import { RuleEditor } from './RuleEditor.tsx';
import type { RuleAnswer } from './rule.ts';
import styles from './SamplingPage.module.css';
import { WhyThisTrace } from './WhyThisTrace.tsx';

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
            <RuleEditor key={select} rule={chosen} onDone={() => choose(undefined)} />
          ) : undefined}
          <WhyThisTrace rules={data} />
        </>
      ) : undefined}
    </Page>
  );
}

function columnsOf(
  { SamplingStatisticSummaries: statistics, LastTargets }: SamplingAnswer,
  onChange: (name: string) => void,
): readonly Column<RuleAnswer>[] {
  const countOf = (name: string, member: 'RequestCount' | 'SampledCount' | 'BorrowCount') =>
    statistics.filter(({ RuleName }) => RuleName === name).reduce((sum, one) => sum + one[member], 0);
  const counted = (id: string, label: string, member: 'RequestCount' | 'SampledCount' | 'BorrowCount') =>
    ({
      id,
      label,
      number: true,
      key: ({ RuleName }: RuleAnswer) => countOf(RuleName, member),
      show: ({ RuleName }: RuleAnswer) => formatCount(countOf(RuleName, member)),
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
    {
      id: 'target',
      label: 'Last target given',
      show: ({ RuleName }) => spellTarget(LastTargets.find((target) => target.RuleName === RuleName)),
    },
  ];
}

/** What the last client that reported was told: its share of the reservoir, and the rate. */
function spellTarget(target: SamplingAnswer['LastTargets'][number] | undefined): string {
  if (!target) return 'none yet';
  const { ReservoirQuota, FixedRate, SamplingBoost, ClientCount, GivenAt } = target;
  const rate = SamplingBoost ? `boosted to ${formatPercent(SamplingBoost.BoostRate)}` : formatPercent(FixedRate);
  const age = formatAge(nowSeconds() - GivenAt);
  return `${ReservoirQuota}/s and ${rate}, ${countNoun(ClientCount, 'client')}, ${age}`;
}

/** What a rule asks for, where it asks for anything. */
function spellMatchers(rule: RuleAnswer): string {
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
