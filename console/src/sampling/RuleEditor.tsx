import { useState } from 'react';
import type { FormEvent, JSX } from 'react';
import { samplingKey, useStatus } from '../api/queries.ts';
import { useXrayChange } from '../api/useXrayChange.ts';
import { CopyBlock } from '../copy/CopyBlock.tsx';
import form from '../shell/Form.module.css';
import { FormEnd } from '../shell/FormEnd.tsx';
import { Preview } from './Preview.tsx';
import styles from './SamplingPage.module.css';
import {
  changeableOfDefault,
  fields,
  isDefaultRule,
  newFields,
  ruleCommand,
  toDraft,
  toFields,
  toNewRule,
  toRuleChanges,
} from './rule.ts';
import type { FieldName, RuleAnswer, RuleFields } from './rule.ts';

/** A form at the left, at the right what the rule in it would do; nothing is kept before it is saved. */
export function RuleEditor(props: {
  /** Undefined for a new one. */
  readonly rule: RuleAnswer | undefined;
  readonly onDone: () => void;
}): JSX.Element {
  const { rule, onDone } = props;
  const [values, setValues] = useState<RuleFields>(() => (rule ? toFields(rule) : newFields));
  const { problem, change } = useXrayChange(samplingKey, onDone);
  const [isCommandShown, showCommand] = useState(false);
  const save = (event: FormEvent) => {
    event.preventDefault();
    if (rule) void change('UpdateSamplingRule', { SamplingRuleUpdate: toRuleChanges(values, rule) });
    else void change('CreateSamplingRule', { SamplingRule: toNewRule(values) });
  };
  return (
    <section className={styles.editor} aria-label={rule ? `Rule ${rule.RuleName}` : 'New rule'}>
      <form className={form.form} onSubmit={save}>
        {fields.map((field) => (
          <Field
            key={field.name}
            {...field}
            value={values[field.name]}
            disabled={isFixed(field.name, rule)}
            onChange={(text) => setValues({ ...values, [field.name]: text })}
          />
        ))}
        <FormEnd
          problem={problem}
          submit={rule ? 'Save' : 'Create'}
          onCancel={onDone}
          onDelete={
            rule && !isDefaultRule(rule)
              ? () => void change('DeleteSamplingRule', { RuleName: rule.RuleName })
              : undefined
          }
        >
          <button type="button" aria-expanded={isCommandShown} onClick={() => showCommand(!isCommandShown)}>
            Show the AWS CLI command
          </button>
        </FormEnd>
        {isCommandShown ? <Commands values={values} rule={rule} /> : undefined}
      </form>
      <Preview draft={toDraft(values, rule)} rule={rule?.RuleName} />
    </section>
  );
}

/** The name never changes, and of the default rule little does. */
function isFixed(name: FieldName, rule: RuleAnswer | undefined): boolean {
  if (!rule) return false;
  return name === 'RuleName' || (isDefaultRule(rule) && !changeableOfDefault.includes(name));
}

function Field(
  props: (typeof fields)[number] & {
    readonly value: string;
    readonly disabled: boolean;
    readonly onChange: (text: string) => void;
  },
): JSX.Element {
  const { name, label, kind, value, disabled, onChange } = props;
  if (kind === 'lines') {
    return (
      <label className={form.wide}>
        {label}
        <textarea
          name={name}
          rows={2}
          value={value}
          disabled={disabled}
          onChange={(event) => onChange(event.target.value)}
        />
      </label>
    );
  }
  return (
    <label>
      {label}
      <input
        name={name}
        required={kind !== 'optional'}
        inputMode={kind === 'text' ? undefined : 'decimal'}
        value={value}
        disabled={disabled}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  );
}

function Commands({ values, rule }: { readonly values: RuleFields; readonly rule: RuleAnswer | undefined }) {
  const { data: status } = useStatus();
  const endpoint = status?.environment.AWS_ENDPOINT_URL_XRAY;
  return (
    <div className={form.wide}>
      <h3>On AWS X-Ray</h3>
      <CopyBlock text={ruleCommand(values, { rule, endpoint: undefined })} label="Copy the command for AWS" />
      {endpoint ? (
        <>
          <h3>On this Raybridge</h3>
          <CopyBlock text={ruleCommand(values, { rule, endpoint })} label="Copy the command for this Raybridge" />
        </>
      ) : undefined}
    </div>
  );
}
