import { useState } from 'react';
import type { FormEvent, JSX } from 'react';
import type { SamplingAnswer, TraceAnswer } from '../api/answers.ts';
import { fetchTrace } from '../api/client.ts';
import { findTraceId } from '../deepLink.ts';
import styles from './SamplingPage.module.css';
import { rulesTried, toRecord, toRule, toSeenRequest } from './rule.ts';

/** Which rules a trace was held against, in order, and which one decided, by the rules as they are now. */
export function WhyThisTrace({ rules }: { readonly rules: SamplingAnswer }): JSX.Element {
  const [tried, setTried] = useState<readonly string[] | undefined>();
  const [problem, setProblem] = useState<string | undefined>();
  const ask = async (text: string) => {
    const id = findTraceId(text);
    setTried(undefined);
    setProblem(id ? undefined : 'That holds no trace id: 1-5759e988-bd862e3fe1be46a994272793, or 32 hex digits.');
    if (!id) return;
    try {
      const records = rules.SamplingRuleRecords.map(({ SamplingRule }) => toRecord(toRule(SamplingRule)));
      const request = requestOf(await fetchTrace(id));
      setTried(rulesTried(request, records).map(({ ruleName }) => ruleName));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    void ask(String(new FormData(event.currentTarget).get('id') ?? ''));
  };
  return (
    <section className={styles.why} aria-label="Why this trace?">
      <h2>Why this trace?</h2>
      <form className={styles.ask} onSubmit={submit}>
        <label>
          Trace id
          <input name="id" placeholder="1-5759e988-bd862e3fe1be46a994272793" />
        </label>
        <button type="submit">Ask</button>
      </form>
      {problem ? (
        <p role="alert" className={styles.problem}>
          {problem}
        </p>
      ) : undefined}
      {tried ? (
        <ol className={styles.tried} aria-live="polite">
          {tried.map((name, place) => (
            <li key={name} data-decides={place === tried.length - 1}>
              {name}
              {place === tried.length - 1 ? ' matched and decided' : ' did not match'}
            </li>
          ))}
        </ol>
      ) : undefined}
    </section>
  );
}

function requestOf({ Summary }: TraceAnswer) {
  const { EntryPoint, Http } = Summary;
  return toSeenRequest({
    Id: Summary.Id,
    StartTime: Summary.StartTime,
    ResponseTime: Summary.Duration,
    HasFault: Summary.HasFault,
    HasError: Summary.HasError,
    HasThrottle: Summary.HasThrottle,
    ...(EntryPoint ? { Service: EntryPoint.Name } : {}),
    ...(EntryPoint?.Type ? { ServiceType: EntryPoint.Type } : {}),
    ...(Http.HttpMethod ? { Method: Http.HttpMethod } : {}),
    ...(Http.HttpURL ? { Url: Http.HttpURL } : {}),
    Users: [],
    Annotations: {},
  }).request;
}
