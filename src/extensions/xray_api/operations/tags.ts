import { RaybridgeError } from '../../../errors.ts';
import type { JsonObject } from '../../../model/index.ts';
import { required, requiredTextMember, tagsMember, textListMember, textMember, wrong } from '../members.ts';
import type { Call, Operation } from '../operation.ts';
import { pageOf } from '../page-of.ts';

/** Tags of groups and sampling rules, by path (API reference 2016-04-12). */
export const tagOperations: readonly (readonly [path: string, Operation])[] = [
  ['/TagResource', { name: 'TagResource', access: 'write', run: tagResource }],
  ['/UntagResource', { name: 'UntagResource', access: 'write', run: untagResource }],
  ['/ListTagsForResource', { name: 'ListTagsForResource', access: 'read', run: listTagsForResource }],
];

/** API reference. */
const arnCharactersMax = 1011;
const tagKeysMax = 200;
const keyLengthPattern = /^.{1,128}$/su;
/** Tags on one page. AWS publishes no number. */
const tagsPerPage = 25;

async function tagResource(request: JsonObject, call: Call): Promise<object> {
  const tags = required('Tags', tagsMember(request));
  await call.tags.add(await knownArn(request, call), tags);
  return {};
}

async function untagResource(request: JsonObject, call: Call): Promise<object> {
  const keys = textListMember(request, 'TagKeys', tagKeysMax);
  for (const [index, key] of keys.entries())
    if (!keyLengthPattern.test(key)) throw wrong(`TagKeys[${index}]`, '1 to 128 characters', key);
  await call.tags.remove(await knownArn(request, call), keys);
  return {};
}

async function listTagsForResource(request: JsonObject, call: Call): Promise<object> {
  const arn = await knownArn(request, call);
  const { page, next } = pageOf({
    entries: [...(await call.tags.list(arn))],
    keyOf: ([key]) => key,
    size: tagsPerPage,
    request: { operation: 'ListTagsForResource', arn },
    nextToken: textMember(request, 'NextToken'),
  });
  return { Tags: page.map(([Key, Value]) => ({ Key, Value })), ...next };
}

/** The ARN of a group or a sampling rule that there is. */
async function knownArn(request: JsonObject, { groups, context }: Call): Promise<string> {
  const arn = requiredTextMember(request, 'ResourceARN', { charactersMax: arnCharactersMax });
  if ((await groups.list()).some((group) => group.arn === arn)) return arn;
  if ((await context.sampling.rules()).some(({ rule }) => rule.ruleArn === arn)) return arn;
  throw new RaybridgeError('NOT_FOUND', 'ResourceARN: there is no group and no sampling rule with this ARN', {
    resource: arn,
  });
}
