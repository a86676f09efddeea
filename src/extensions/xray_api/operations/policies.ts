import { type JsonObject, secondsText } from '../../../model/index.ts';
import type { ResourcePolicy } from '../../../reader/index.ts';
import { flagMember, refuseToken, requiredTextMember, textMember } from '../members.ts';
import type { Call, Operation } from '../operation.ts';

/** Resource policies, by path (API reference 2016-04-12). */
export const policyOperations: readonly (readonly [path: string, Operation])[] = [
  ['/PutResourcePolicy', { name: 'PutResourcePolicy', access: 'write', run: putResourcePolicy }],
  ['/DeleteResourcePolicy', { name: 'DeleteResourcePolicy', access: 'write', run: deleteResourcePolicy }],
  ['/ListResourcePolicies', { name: 'ListResourcePolicies', access: 'read', run: listResourcePolicies }],
];

/** API reference. */
const nameCharactersMax = 128;

async function putResourcePolicy(request: JsonObject, { policies }: Call): Promise<object> {
  const policy = await policies.put({
    name: requiredTextMember(request, 'PolicyName', { charactersMax: nameCharactersMax }),
    // Too large a document has an exception of its own.
    document: requiredTextMember(request, 'PolicyDocument', { charactersMax: Infinity }),
    revisionId: textMember(request, 'PolicyRevisionId'),
    lockoutMeant: flagMember(request, 'BypassPolicyLockoutCheck') ?? false,
  });
  return { ResourcePolicy: toPolicyAnswer(policy) };
}

async function deleteResourcePolicy(request: JsonObject, { policies }: Call): Promise<object> {
  await policies.delete({
    name: requiredTextMember(request, 'PolicyName', { charactersMax: nameCharactersMax }),
    revisionId: textMember(request, 'PolicyRevisionId'),
  });
  return {};
}

/** All on one page, as on AWS: five at most. */
async function listResourcePolicies(request: JsonObject, { policies }: Call): Promise<object> {
  refuseToken(request);
  return { ResourcePolicies: (await policies.list()).map(toPolicyAnswer) };
}

function toPolicyAnswer({ name, document, revisionId, updatedAtNs }: ResourcePolicy): object {
  return {
    PolicyName: name,
    PolicyDocument: document,
    PolicyRevisionId: revisionId,
    LastUpdatedTime: Number(secondsText(updatedAtNs)),
  };
}
