import { useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { FormEvent, JSX } from 'react';
import type { SamplingAnswer } from '../api/answers.ts';
import { changeByXray } from '../api/client.ts';
import { samplingKey, useStatus } from '../api/queries.ts';
import { CopyButton } from '../copy/CopyButton.tsx';
import { defaultSamplingRule } from '../../../src/sampling/index.ts';
import form from '../shell/Form.module.css';
import { Preview } from './Preview.tsx';
import styles from './SamplingPage.module.css';
import { createRuleCommand, fields, newFields, toCreateRequest, toDraft, toFields, toUpdateRequest } from './rule.ts';
import type { FieldName, RuleFields } from './rule.ts';

type Rule = SamplingAnswer['SamplingRuleRecords'][number]['SamplingRule'];

/** Of the default rule nothing else can be changed. */
const changeableOfDefault: readonly FieldName[] = ['ReservoirSize', 'FixedRate'];

/** A form at the left, at the right what the rule in it would do; nothing is kept before it is saved. */
export function RuleEditor(props: {
  /** Undefined for a new one. */
  readonly rule: Rule | undefined;
  readonly rules: SamplingAnswer;
  readonly onDone: () => void;
}): JSX.Element {
  const { rule, onDone } = props;
  const [values, setValues] = useState<RuleFields>(() => (rule ? toFields(rule) : newFields));
  const [problem, setProblem] = useState<string | undefined>();
  const queries = useQueryClient();
  const { data: status } = useStatus();
  const isDefault = rule?.RuleName === defaultSamplingRule.ruleName;
  const draft = useMemo(() => toDraft(values, new Map(Object.entries(rule?.Attributes ?? {}))), [values, rule]);
  const send = async (operation: string, request: object) => {
    try {
      await changeByXray(operation, request);
      await queries.invalidateQueries({ queryKey: samplingKey });
      onDone();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  const save = (event: FormEvent) => {
    event.preventDefault();
    if (rule) void send('UpdateSamplingRule', toUpdateRequest(values, { isDefault }));
    else void send('CreateSamplingRule', toCreateRequest(values));
  };
  return (
    <section className={styles.editor} aria-label={rule ? `Rule ${rule.RuleName}` : 'New rule'}>
      <form className={form.form} onSubmit={save}>
        {fields.map(({ name, label, number }) => (
          <label key={name}>
            {label}
            <input
              name={name}
              required
              inputMode={number ? 'decimal' : undefined}
              value={values[name]}
              disabled={
                (rule !== undefined && name === 'RuleName') || (isDefault && !changeableOfDefault.includes(name))
              }
              onChange={(event) => setValues({ ...values, [name]: event.target.value })}
            />
          </label>
        ))}
        {problem ? (
          <p role="alert" className={form.problem}>
            {problem}
          </p>
        ) : undefined}
        <div className={form.actions}>
          <button type="submit" data-kind="primary">
            {rule ? 'Save' : 'Create'}
          </button>
          <button type="button" onClick={onDone}>
            Cancel
          </button>
          {rule && !isDefault ? (
            <button type="button" onClick={() => void send('DeleteSamplingRule', { RuleName: rule.RuleName })}>
              Delete
            </button>
          ) : undefined}
          <CopyButton
            text={createRuleCommand(values, status?.environment.AWS_ENDPOINT_URL_XRAY)}
            label="Copy as AWS CLI"
            shown="Copy as AWS CLI"
          />
        </div>
      </form>
      <Preview rules={props.rules} draft={draft} />
    </section>
  );
}
