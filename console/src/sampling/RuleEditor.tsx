import { useMemo, useState } from 'react';
import type { FormEvent, JSX } from 'react';
import type { SamplingAnswer } from '../api/answers.ts';
import { samplingKey, useStatus } from '../api/queries.ts';
import { useXrayChange } from '../api/useXrayChange.ts';
import { CopyButton } from '../copy/CopyButton.tsx';
import { defaultSamplingRule } from '../../../src/sampling/index.ts';
import form from '../shell/Form.module.css';
import { FormEnd } from '../shell/FormEnd.tsx';
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
  const { problem, change } = useXrayChange(samplingKey, onDone);
  const { data: status } = useStatus();
  const isDefault = rule?.RuleName === defaultSamplingRule.ruleName;
  const draft = useMemo(() => toDraft(values, new Map(Object.entries(rule?.Attributes ?? {}))), [values, rule]);
  const save = (event: FormEvent) => {
    event.preventDefault();
    if (rule) void change('UpdateSamplingRule', toUpdateRequest(values, { isDefault }));
    else void change('CreateSamplingRule', toCreateRequest(values));
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
        <FormEnd
          problem={problem}
          submit={rule ? 'Save' : 'Create'}
          onCancel={onDone}
          onDelete={
            rule && !isDefault ? () => void change('DeleteSamplingRule', { RuleName: rule.RuleName }) : undefined
          }
        >
          <CopyButton
            text={createRuleCommand(values, status?.environment.AWS_ENDPOINT_URL_XRAY)}
            label="Copy as AWS CLI"
            shown="Copy as AWS CLI"
          />
        </FormEnd>
      </form>
      <Preview rules={props.rules} draft={draft} />
    </section>
  );
}
