import { Link } from '@tanstack/react-router';
import type { JSX } from 'react';
import type { GroupAnswer } from '../api/answers.ts';
import { useCounts, useGroups } from '../api/queries.ts';
import { spellRange } from '../range/range.ts';
import { useChangeSearch, usePageSearch } from '../search.ts';
import { EmptyState, Failure, Loading } from '../shell/EmptyState.tsx';
import { Page } from '../shell/Page.tsx';
import { type Column, Table } from '../table/Table.tsx';
import { GroupEditor } from './GroupEditor.tsx';
import { spellCount } from './spellCount.ts';

/** `select` of the address for a group that is not there yet; no group can have this name. */
const newGroup = '*';

/** Named sets of traces, made and changed as by any client of the X-Ray API. */
export function GroupsPage(): JSX.Element {
  const search = usePageSearch();
  const { data, error, refetch } = useGroups();
  const change = useChangeSearch();
  const choose = (name: string | undefined) => change({ select: name });
  const groups = data?.Groups ?? [];
  const edited = groups.find(({ GroupName }) => GroupName === search.select);
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
      show: ({ InsightsConfiguration: { InsightsEnabled, NotificationsEnabled } }) => {
        if (!InsightsEnabled) return 'off';
        return NotificationsEnabled ? 'looked for, and logged' : 'looked for';
      },
    },
    {
      id: 'change',
      label: 'Change',
      show: (group) => (
        <button type="button" aria-label={`Change ${group.GroupName}`} onClick={() => choose(group.GroupName)}>
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
        <button type="button" data-kind="primary" onClick={() => choose(newGroup)}>
          New group
        </button>
      }
    >
      {data && (edited || search.select === newGroup) ? (
        <GroupEditor key={search.select} group={edited} onDone={() => choose(undefined)} />
      ) : undefined}
      {error && !data ? <Failure error={error} onRetry={() => void refetch()} /> : undefined}
      {!data && !error ? <Loading what="the groups" /> : undefined}
      {data && groups.length === 0 && search.select !== newGroup ? (
        <EmptyState title="No group yet">
          <p>
            A group has a name that filter expressions know (<code>group.name = "checkout"</code>), a service graph of
            its own, and insights when they are looked for.
          </p>
        </EmptyState>
      ) : undefined}
      {groups.length > 0 ? (
        <Table
          label="Groups"
          columns={columns}
          rows={groups}
          rowKey={({ GroupName }) => GroupName}
          selected={search.select}
        />
      ) : undefined}
    </Page>
  );
}
