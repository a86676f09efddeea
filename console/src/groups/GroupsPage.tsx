import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { FormEvent, JSX } from 'react';
import type { GroupAnswer } from '../api/answers.ts';
import { groupsKey, useCounts, useGroups } from '../api/queries.ts';
import { useXrayChange } from '../api/useXrayChange.ts';
import { formatCount } from '../format/count.ts';
import { spellRange } from '../range/range.ts';
import { usePageSearch } from '../search.ts';
import { EmptyState, Failure, Loading } from '../shell/EmptyState.tsx';
import { FormEnd } from '../shell/FormEnd.tsx';
import { Page } from '../shell/Page.tsx';
import { type Column, Table } from '../table/Table.tsx';
import styles from '../shell/Form.module.css';

/** Named sets of traces, made and changed as by any client of the X-Ray API. */
export function GroupsPage(): JSX.Element {
  const search = usePageSearch();
  const { data, error, refetch } = useGroups();
  const [edited, setEdited] = useState<GroupAnswer | 'new' | undefined>();
  const groups = data?.Groups ?? [];
  const counts = useCounts(
    groups.map(({ FilterExpression = '' }) => FilterExpression),
    search,
  );
  const countOfGroup = (group: GroupAnswer) => counts[groups.indexOf(group)]?.data;
  const columns: readonly Column<GroupAnswer>[] = [
    {
      id: 'name',
      label: 'Group',
      key: ({ GroupName }) => GroupName,
      show: ({ GroupName, FilterExpression }) => (
        <Link to="/traces" search={{ q: FilterExpression, from: search.from, to: search.to }}>
          {GroupName}
        </Link>
      ),
    },
    {
      id: 'filter',
      label: 'Filter expression',
      show: ({ FilterExpression }) => (FilterExpression ? <code>{FilterExpression}</code> : 'every trace'),
    },
    {
      id: 'count',
      label: `Traces in ${spellRange(search)}`,
      number: true,
      key: (group) => countOfGroup(group)?.count ?? -1,
      show: (group) => spellCount(countOfGroup(group)),
    },
    {
      id: 'insights',
      label: 'Insights',
      show: ({ InsightsConfiguration }) => (InsightsConfiguration.InsightsEnabled ? 'looked for' : 'off'),
    },
    {
      id: 'change',
      label: 'Change',
      show: (group) => (
        <button type="button" aria-label={`Change ${group.GroupName}`} onClick={() => setEdited(group)}>
          Change
        </button>
      ),
    },
  ];
  return (
    <Page
      title="Groups"
      lead="Traces that a filter expression picks, under a name"
      beside={
        <button type="button" data-kind="primary" onClick={() => setEdited('new')}>
          New group
        </button>
      }
    >
      {edited ? (
        <Editor
          key={edited === 'new' ? '' : edited.GroupName}
          group={edited === 'new' ? undefined : edited}
          onDone={() => setEdited(undefined)}
        />
      ) : undefined}
      {error && !data ? <Failure error={error} onRetry={() => void refetch()} /> : undefined}
      {!data && !error ? <Loading what="the groups" /> : undefined}
      {data && groups.length === 0 && !edited ? (
        <EmptyState title="No group yet">
          <p>
            A group has a name that filter expressions know (<code>group.name = "checkout"</code>), a service graph of
            its own, and insights when they are looked for.
          </p>
        </EmptyState>
      ) : undefined}
      {groups.length > 0 ? (
        <Table label="Groups" columns={columns} rows={groups} rowKey={({ GroupARN }) => GroupARN} />
      ) : undefined}
    </Page>
  );
}

function spellCount(found: { readonly count: number; readonly more: boolean } | undefined): string {
  return found ? `${formatCount(found.count)}${found.more ? '+' : ''}` : '…';
}

function Editor({
  group,
  onDone,
}: {
  readonly group: GroupAnswer | undefined;
  readonly onDone: () => void;
}): JSX.Element {
  const { problem, change } = useXrayChange(groupsKey, onDone);
  const save = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const text = (name: string) => String(fields.get(name) ?? '').trim();
    void change(group ? 'UpdateGroup' : 'CreateGroup', {
      GroupName: group?.GroupName ?? text('name'),
      FilterExpression: text('filter'),
      InsightsConfiguration: { InsightsEnabled: fields.has('insights'), NotificationsEnabled: false },
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
        <input name="filter" defaultValue={group?.FilterExpression} placeholder={'service("checkout")'} />
      </label>
      <label className={styles.check}>
        <input type="checkbox" name="insights" defaultChecked={group?.InsightsConfiguration.InsightsEnabled ?? false} />
        Look for insights
      </label>
      <FormEnd
        problem={problem}
        submit={group ? 'Save' : 'Create'}
        onCancel={onDone}
        onDelete={
          group && group.GroupName !== 'Default'
            ? () => void change('DeleteGroup', { GroupName: group.GroupName })
            : undefined
        }
      />
    </form>
  );
}
