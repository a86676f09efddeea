import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { RaybridgeError } from '../errors.ts';
import { xrayArn } from '../model/index.ts';
import type { Store } from '../pipeline/store.ts';
import { type Filter, type Groups, parseFilter } from '../query/index.ts';
import { openState } from './state.ts';
import { checkFirstTags, createTagRegistry, type Tags } from './tags.ts';

/**
 * Groups of traces (X-Ray API reference, Group). A group is a filter expression with a name, asked
 * about a trace when somebody reads; nothing of it is worked out when traces come in. `Default`
 * exists always and holds every trace.
 */
export interface Group {
  readonly name: string;
  readonly arn: string;
  /** Undefined holds every trace. */
  readonly filterExpression: string | undefined;
  readonly insightsEnabled: boolean;
  /** Only where insights are enabled. */
  readonly notificationsEnabled: boolean;
}

/** One of both at least; both must mean the same group. */
export interface GroupReference {
  readonly name: string | undefined;
  readonly arn: string | undefined;
}

/** What a group is to be like; undefined leaves it as it is, in a new group as AWS has it. */
export interface GroupWish {
  /** Empty holds every trace. */
  readonly filterExpression: string | undefined;
  readonly insightsEnabled: boolean | undefined;
  readonly notificationsEnabled: boolean | undefined;
}

/** All throw RaybridgeError INVALID_REQUEST or FILTER_INVALID for what X-Ray refuses, an unknown group among it, and STORE_UNAVAILABLE, STORE_FAILED. */
export interface GroupRegistry {
  /** By name; always holds the default group. */
  list(): Promise<readonly Group[]>;
  get(reference: GroupReference): Promise<Group>;
  create(group: { readonly name: string; readonly wish: GroupWish; readonly tags: Tags }): Promise<Group>;
  update(reference: GroupReference, wish: GroupWish): Promise<Group>;
  /** Its tags go with it. */
  delete(reference: GroupReference): Promise<void>;
  /** What each group holds, by name, for filter expressions that name groups. */
  filters(): Promise<Groups>;
  /** What one group holds; undefined for one that holds every trace, and when none is named. */
  filterOf(reference: GroupReference): Promise<Filter | undefined>;
}

export const defaultGroupName = 'Default';
/** X-Ray's quota, the default group not counted. */
export const groupsMax = 25;

const groupSchema = z.object({
  arn: z.string(),
  filterExpression: z.string().optional(),
  insightsEnabled: z.boolean(),
  notificationsEnabled: z.boolean(),
});

type GroupDocument = z.output<typeof groupSchema>;
type Documents = ReadonlyMap<string, GroupDocument>;

export function createGroupRegistry({
  store,
  nowNs,
}: {
  readonly store: Store;
  readonly nowNs: () => bigint;
}): GroupRegistry {
  const state = openState({ store, nowNs, kind: 'group', schema: groupSchema });
  const tagRegistry = createTagRegistry({ store, nowNs });
  const filtersOf = rememberLast(readFilters);

  return {
    list: async () => listGroups(await state.read()),
    get: async (reference) => findGroup(await state.read(), reference),
    async create({ name, wish, tags }) {
      if (!namePattern.test(name))
        throw invalid(`GroupName: expected 1 to 32 letters, digits and dashes, got ${show(name)}`);
      const group = wishedGroup({ ...newGroup, name, arn: xrayArn(`group/${name}/${randomUUID()}`) }, wish);
      checkFirstTags(tags);
      return await state.change(async (documents, write) => {
        if (name === defaultGroupName || documents.has(name))
          throw invalid(`GroupName: the group ${name} exists already`);
        if (documents.size - (documents.has(defaultGroupName) ? 1 : 0) >= groupsMax) {
          throw invalid(`expected at most ${groupsMax} groups beside the default group; delete one first`);
        }
        // Tags of a group that never came into being are seen by nobody: its ARN is of its own.
        await tagRegistry.replace(group.arn, tags);
        await write(name, toDocument(group));
        return group;
      });
    },
    update: (reference, wish) =>
      state.change(async (documents, write) => {
        const group = wishedGroup(findGroup(documents, reference), wish);
        await write(group.name, toDocument(group));
        return group;
      }),
    delete: (reference) =>
      state.change(async (documents, write) => {
        const { name, arn } = findGroup(documents, reference);
        if (name === defaultGroupName) throw invalid('GroupName: the default group cannot be deleted');
        await write(name, undefined);
        await tagRegistry.replace(arn, new Map());
      }),
    filters: async () => filtersOf(await state.read()),
    async filterOf({ name, arn }) {
      if (name === undefined && arn === undefined) return undefined;
      const { filterExpression } = findGroup(await state.read(), { name, arn });
      return filterExpression === undefined ? undefined : parseFilter(filterExpression);
    },
  };
}

/** The longest name and the characters that the developer guide allows. */
const namePattern = /^[A-Za-z0-9-]{1,32}$/;
/** Clients write the ARN of the default group with the region and the account that they believe in. */
const defaultArnPattern = /^arn:aws[a-z-]{0,20}:xray:[^:]*:[^:]*:group\/Default$/;

const newGroup = { filterExpression: undefined, insightsEnabled: false, notificationsEnabled: false } as const;
/** On AWS insights have a price and are off; here nobody has to ask for those about all traces. */
const defaultGroup: Group = {
  ...newGroup,
  name: defaultGroupName,
  arn: xrayArn(`group/${defaultGroupName}`),
  insightsEnabled: true,
};

/** For groups that hold every trace: the language has no word for it. */
const everyTrace = parseFilter('ok OR !ok');

function listGroups(documents: Documents): readonly Group[] {
  const stored = [...documents].map(([name, document]) => toGroup(name, document));
  const all = documents.has(defaultGroupName) ? stored : [defaultGroup, ...stored];
  return all.sort((one, other) => (one.name < other.name ? -1 : 1));
}

function findGroup(documents: Documents, { name, arn }: GroupReference): Group {
  if (name === undefined && arn === undefined) throw invalid('GroupName: expected it or GroupARN, got neither');
  const found = listGroups(documents).find(
    (group) => (name === undefined || group.name === name) && (arn === undefined || isArnOf(group, arn)),
  );
  if (found) return found;
  throw invalid(
    name === undefined
      ? `GroupARN: there is no group ${show(arn ?? '')}`
      : `GroupName: there is no group ${show(name)}${arn === undefined ? '' : ' with this GroupARN'}`,
  );
}

function isArnOf(group: Group, arn: string): boolean {
  return group.arn === arn || (group.name === defaultGroupName && defaultArnPattern.test(arn));
}

/** @throws RaybridgeError INVALID_REQUEST, FILTER_INVALID. */
function wishedGroup(group: Group, wish: GroupWish): Group {
  const filterExpression =
    wish.filterExpression === undefined ? group.filterExpression : wish.filterExpression || undefined;
  if (filterExpression !== undefined) {
    if (group.name === defaultGroupName)
      throw invalid('FilterExpression: the default group holds every trace and takes none');
    if (namesGroup(parseFilter(filterExpression))) {
      throw invalid('FilterExpression: the filter expression of a group cannot name groups in its turn');
    }
  }

  const insightsEnabled = wish.insightsEnabled ?? group.insightsEnabled;
  // Whoever turns insights off without a word about notifications means both.
  const notificationsEnabled = wish.notificationsEnabled ?? (group.notificationsEnabled && insightsEnabled);
  if (notificationsEnabled && !insightsEnabled) {
    throw invalid('InsightsConfiguration: NotificationsEnabled needs InsightsEnabled');
  }
  return { ...group, filterExpression, insightsEnabled, notificationsEnabled };
}

/** Terms about groups stand outside of braces only. */
function namesGroup(filter: Filter): boolean {
  if (filter.kind === 'and' || filter.kind === 'or') return filter.terms.some(namesGroup);
  if (filter.kind === 'not') return namesGroup(filter.term);
  return filter.kind === 'keyword' && (filter.keyword === 'group.name' || filter.keyword === 'group.arn');
}

/** As on AWS, a group whose expression cannot be read, here one that another version wrote, takes no part. */
function readFilters(documents: Documents): Groups {
  return new Map(
    listGroups(documents).flatMap(({ name, filterExpression }): (readonly [string, Filter])[] => {
      if (filterExpression === undefined) return [[name, everyTrace]];
      const filter = readableFilter(filterExpression);
      return filter ? [[name, filter]] : [];
    }),
  );
}

function readableFilter(expression: string): Filter | undefined {
  try {
    return parseFilter(expression);
  } catch (error) {
    if (error instanceof RaybridgeError) return undefined;
    throw error;
  }
}

/** The result for the argument of the call before is not worked out again. */
function rememberLast<Argument extends object, Result>(
  work: (argument: Argument) => Result,
): (argument: Argument) => Result {
  let last: { readonly argument: Argument; readonly result: Result } | undefined;
  return (argument) => {
    if (last?.argument !== argument) last = { argument, result: work(argument) };
    return last.result;
  };
}

function toGroup(name: string, { filterExpression, ...document }: GroupDocument): Group {
  return { ...document, name, filterExpression };
}

function toDocument({ arn, filterExpression, insightsEnabled, notificationsEnabled }: Group): GroupDocument {
  return { arn, filterExpression, insightsEnabled, notificationsEnabled };
}

const shownCharactersMax = 80;

function show(text: string): string {
  return JSON.stringify(text.slice(0, shownCharactersMax));
}

function invalid(message: string): RaybridgeError {
  return new RaybridgeError('INVALID_REQUEST', message);
}

/** Group of the API reference. */
export function toGroupAnswer({ name, arn, filterExpression, insightsEnabled, notificationsEnabled }: Group): object {
  return {
    GroupName: name,
    GroupARN: arn,
    ...(filterExpression === undefined ? {} : { FilterExpression: filterExpression }),
    InsightsConfiguration: { InsightsEnabled: insightsEnabled, NotificationsEnabled: notificationsEnabled },
  };
}
