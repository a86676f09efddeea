import { useState } from 'react';
import type { FormEvent, JSX } from 'react';
import type { GroupAnswer } from '../api/answers.ts';
import { groupsKey, useCounts } from '../api/queries.ts';
import { useXrayChange } from '../api/useXrayChange.ts';
import { spellRange } from '../range/range.ts';
import { useSettled } from '../shell/useSettled.ts';
import { usePageSearch } from '../search.ts';
import styles from '../shell/Form.module.css';
import { FormEnd } from '../shell/FormEnd.tsx';
import { spellCount } from './spellCount.ts';

const settledMs = 250;

/** Makes a group, changes or deletes one; says how many traces the expression picks while it is typed. */
export function GroupEditor({
  group,
  onDone,
}: {
  /** Undefined for a new one. */
  readonly group: GroupAnswer | undefined;
  readonly onDone: () => void;
}): JSX.Element {
  const { problem, change } = useXrayChange(groupsKey, onDone);
  const [filter, setFilter] = useState(group?.FilterExpression ?? '');
  const { InsightsEnabled = false, NotificationsEnabled = false } = group?.InsightsConfiguration ?? {};
  const [areInsightsOn, setInsightsOn] = useState(InsightsEnabled);
  const save = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    void change(group ? 'UpdateGroup' : 'CreateGroup', {
      GroupName: group?.GroupName ?? String(fields.get('name') ?? '').trim(),
      FilterExpression: filter.trim(),
      InsightsConfiguration: { InsightsEnabled: areInsightsOn, NotificationsEnabled: fields.has('notifications') },
    });
  };
  return (
    <form className={styles.form} onSubmit={save} aria-label={group ? `Group ${group.GroupName}` : 'New group'}>
      <label>
        Name
        <input name="name" required maxLength={32} defaultValue={group?.GroupName} disabled={group !== undefined} />
      </label>
      <label className={styles.wide}>
        Filter expression
        <input
          name="filter"
          value={filter}
          placeholder={'service("checkout")'}
          disabled={group?.GroupName === defaultGroup}
          onChange={(event) => setFilter(event.target.value)}
        />
      </label>
      <Matches filter={filter} />
      <label className={styles.check}>
        <input
          type="checkbox"
          name="insights"
          checked={areInsightsOn}
          onChange={(event) => setInsightsOn(event.target.checked)}
        />
        Look for insights
      </label>
      <label className={styles.check}>
        <input
          type="checkbox"
          name="notifications"
          defaultChecked={NotificationsEnabled}
          // A box that is disabled is not sent, which turns them off with the insights.
          disabled={!areInsightsOn}
        />
        Log each change of an insight
      </label>
      <FormEnd
        problem={problem}
        submit={group ? 'Save' : 'Create'}
        onCancel={onDone}
        onDelete={
          group && group.GroupName !== defaultGroup
            ? () => void change('DeleteGroup', { GroupName: group.GroupName })
            : undefined
        }
      />
    </form>
  );
}

/** It exists always and holds every trace. */
const defaultGroup = 'Default';

function Matches({ filter }: { readonly filter: string }): JSX.Element {
  const search = usePageSearch();
  const settled = useSettled(filter.trim(), settledMs);
  const [found] = useCounts([settled], search);
  return (
    <p className={styles.wide} role="status">
      {found?.error
        ? `It would be refused: ${found.error.message}`
        : `It picks ${spellCount(found?.data)} ${found?.data?.count === 1 ? 'trace' : 'traces'} of ${spellRange(search)}.`}
    </p>
  );
}
