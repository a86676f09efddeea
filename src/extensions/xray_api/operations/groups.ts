import type { JsonObject } from '../../../model/index.ts';
import { type GroupWish, toGroupAnswer } from '../../../reader/index.ts';
import { flagMember, groupReference, objectMember, requiredTextMember, tagsMember, textMember } from '../members.ts';
import type { Call, Operation } from '../operation.ts';
import { pageOf } from '../page-of.ts';

/** Groups, by path (API reference 2016-04-12). */
export const groupOperations: readonly (readonly [path: string, Operation])[] = [
  ['/CreateGroup', { name: 'CreateGroup', access: 'write', run: createGroup }],
  ['/GetGroup', { name: 'GetGroup', access: 'read', run: getGroup }],
  ['/Groups', { name: 'GetGroups', access: 'read', run: getGroups }],
  ['/UpdateGroup', { name: 'UpdateGroup', access: 'write', run: updateGroup }],
  ['/DeleteGroup', { name: 'DeleteGroup', access: 'write', run: deleteGroup }],
];

/** API reference. */
const nameCharactersMax = 32;
/** Groups on one page. AWS publishes no number. */
const groupsPerPage = 20;

async function createGroup(request: JsonObject, { groups }: Call): Promise<object> {
  const name = requiredTextMember(request, 'GroupName', { charactersMax: nameCharactersMax });
  const tags = tagsMember(request) ?? new Map<string, string>();
  return { Group: toGroupAnswer(await groups.create({ name, wish: wishOf(request), tags })) };
}

async function getGroup(request: JsonObject, { groups }: Call): Promise<object> {
  return { Group: toGroupAnswer(await groups.get(groupReference(request))) };
}

async function getGroups(request: JsonObject, { groups }: Call): Promise<object> {
  const { page, next } = pageOf({
    entries: await groups.list(),
    keyOf: ({ name }) => name,
    size: groupsPerPage,
    request: { operation: 'GetGroups' },
    nextToken: textMember(request, 'NextToken'),
  });
  return { Groups: page.map(toGroupAnswer), ...next };
}

async function updateGroup(request: JsonObject, { groups }: Call): Promise<object> {
  return { Group: toGroupAnswer(await groups.update(groupReference(request), wishOf(request))) };
}

async function deleteGroup(request: JsonObject, { groups }: Call): Promise<object> {
  await groups.delete(groupReference(request));
  return {};
}

function wishOf(request: JsonObject): GroupWish {
  const insights = objectMember(request, 'InsightsConfiguration') ?? new Map();
  return {
    filterExpression: textMember(request, 'FilterExpression'),
    insightsEnabled: flagMember(insights, 'InsightsEnabled'),
    notificationsEnabled: flagMember(insights, 'NotificationsEnabled'),
  };
}
