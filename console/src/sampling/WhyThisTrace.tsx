import { useState } from 'react';
import type { FormEvent, JSX } from 'react';
import { toSeenRequest } from '../../../src/sampling/index.ts';
import type { SamplingAnswer } from '../api/answers.ts';
import { useTrace } from '../api/queries.ts';
import { findTraceId } from '../deepLink.ts';
import { formatPercent } from '../format/count.ts';
import { useChangeSearch, usePageSearch } from '../search.ts';
import { Loading } from '../shell/EmptyState.tsx';
import styles from './SamplingPage.module.css';
import { recordedRule } from './recordedRule.ts';
import { rulesTried, toRecord, type TriedRule } from './rule.ts';

/** Which rules a trace was held against, in order, and which one decided, by the rules as they are now. */
export function WhyThisTrace({ rules }: { readonly rules: SamplingAnswer }): JSX.Element {
  const { trace } = usePageSearch();
  const change = useChangeSearch();
  const [problem, setProblem] = useState<string | undefined>();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const id = findTraceId(String(new FormData(event.currentTarget).get('id') ?? ''));
    setProblem(id ? undefined : 'That holds no trace id: 1-5759e988-bd862e3fe1be46a994272793, or 32 hex digits.');
    change({ trace: id });
  };
  return (
    <section className={styles.why} aria-label="Why this trace?">
      <h2>Why this trace?</h2>
      <form className={styles.ask} onSubmit={submit}>
        <label>
          Trace id
          <input key={trace} name="id" placeholder="1-5759e988-bd862e3fe1be46a994272793" defaultValue={trace} />
        </label>
        <button type="submit">Ask</button>
      </form>
      {problem ? (
        <p role="alert" className={styles.problem}>
          {problem}
        </p>
      ) : undefined}
      {trace ? <RulePath id={trace} rules={rules} /> : undefined}
    </section>
  );
}

function RulePath({ id, rules }: { readonly id: string; readonly rules: SamplingAnswer }): JSX.Element {
  const { data, error } = useTrace(id);
  if (error && !data) {
    return (
      <p role="alert" className={styles.problem}>
        {error.message}
      </p>
    );
  }
  if (!data) return <Loading what="the trace" />;
  const records = rules.SamplingRuleRecords.map(({ SamplingRule }) => toRecord(SamplingRule));
  const tried = rulesTried(toSeenRequest(data.Summary).request, records);
  const recorded = recordedRule(data.Trace);
  return (
    <>
      <ol className={styles.tried} aria-live="polite">
        {tried.map(({ rule, mismatches }) => (
          <li key={rule.ruleName} data-decides={mismatches.length === 0}>
            {rule.ruleName}
            {mismatches.length === 0
              ? ` matched and decided: ${rule.reservoirSize} a second, and ${formatPercent(rule.fixedRate)} of the rest`
              : ` did not match: ${spellMismatches(mismatches)}`}
          </li>
        ))}
      </ol>
      <p className={styles.muted}>
        By the rules as they are now.{' '}
        {recorded === undefined
          ? 'Its segments do not say which rule sampled it.'
          : `Its segments say that it was sampled by ${recorded}.`}
      </p>
    </>
  );
}

function spellMismatches(mismatches: TriedRule['mismatches']): string {
  return mismatches
    .map(({ member, pattern, found }) => `${member} is ${found ?? 'not known'}, not ${pattern}`)
    .join('; ');
}
