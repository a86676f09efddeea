import { RaybridgeError } from '../../../errors.ts';
import { type JsonObject, secondsText } from '../../../model/index.ts';
import { destinations, type Encryption, encryptionTypes, type IndexingRule } from '../../../reader/index.ts';
import {
  choiceMember,
  numberMember,
  objectMember,
  refuseToken,
  required,
  requiredTextMember,
  textMember,
} from '../members.ts';
import type { Call, Operation } from '../operation.ts';

/**
 * Encryption, destination of segments and indexing rules, by path (API reference 2016-04-12). On
 * AWS a change takes effect after a while; the answer to it says so here too, because clients
 * expect that, and whoever asks afterwards finds it done.
 */
export const accountOperations: readonly (readonly [path: string, Operation])[] = [
  ['/EncryptionConfig', { name: 'GetEncryptionConfig', access: 'read', run: getEncryptionConfig }],
  ['/PutEncryptionConfig', { name: 'PutEncryptionConfig', access: 'write', run: putEncryptionConfig }],
  [
    '/GetTraceSegmentDestination',
    { name: 'GetTraceSegmentDestination', access: 'read', run: getTraceSegmentDestination },
  ],
  [
    '/UpdateTraceSegmentDestination',
    { name: 'UpdateTraceSegmentDestination', access: 'write', run: updateTraceSegmentDestination },
  ],
  ['/GetIndexingRules', { name: 'GetIndexingRules', access: 'read', run: getIndexingRules }],
  ['/UpdateIndexingRule', { name: 'UpdateIndexingRule', access: 'write', run: updateIndexingRule }],
];

async function getEncryptionConfig(_request: JsonObject, { account }: Call): Promise<object> {
  return { EncryptionConfig: toEncryptionAnswer(await account.encryption(), 'ACTIVE') };
}

async function putEncryptionConfig(request: JsonObject, { account }: Call): Promise<object> {
  const encryption = {
    type: required('Type', choiceMember(request, 'Type', encryptionTypes)),
    keyId: textMember(request, 'KeyId'),
  };
  await account.putEncryption(encryption);
  return { EncryptionConfig: toEncryptionAnswer(encryption, 'UPDATING') };
}

function toEncryptionAnswer({ type, keyId }: Encryption, status: 'UPDATING' | 'ACTIVE'): object {
  return { ...(keyId === undefined ? {} : { KeyId: keyId }), Status: status, Type: type };
}

async function getTraceSegmentDestination(_request: JsonObject, { account }: Call): Promise<object> {
  return { Destination: await account.destination(), Status: 'ACTIVE' };
}

async function updateTraceSegmentDestination(request: JsonObject, { account }: Call): Promise<object> {
  const destination = required('Destination', choiceMember(request, 'Destination', destinations));
  const cloudWatchLogs = objectMember(request, 'CloudWatchLogsConfiguration');
  await account.putDestination({
    destination,
    cloudWatchLogs: cloudWatchLogs && { spansKeyArn: textMember(cloudWatchLogs, 'SpansLogGroupKmsKeyId') },
  });
  return { Destination: destination, Status: 'PENDING' };
}

async function getIndexingRules(request: JsonObject, { account }: Call): Promise<object> {
  refuseToken(request);
  return { IndexingRules: (await account.indexingRules()).map(toIndexingAnswer) };
}

/** API reference. */
const ruleNameCharactersMax = 32;

async function updateIndexingRule(request: JsonObject, { account }: Call): Promise<object> {
  const name = requiredTextMember(request, 'Name', { charactersMax: ruleNameCharactersMax });
  const rule = required('Rule', objectMember(request, 'Rule'));
  // A tagged union: exactly one member, and this is the only one there is.
  const probabilistic = objectMember(rule, 'Probabilistic');
  if (!probabilistic || rule.size > 1) {
    throw new RaybridgeError('INVALID_REQUEST', 'Rule: expected exactly one member, Probabilistic');
  }
  const desiredPercentage = required(
    'DesiredSamplingPercentage',
    numberMember(probabilistic, 'DesiredSamplingPercentage'),
  );
  return { IndexingRule: toIndexingAnswer(await account.putIndexingRule({ name, desiredPercentage })) };
}

/** Every trace is found by its summary here, whatever share is desired. */
const actualPercentage = 100;

function toIndexingAnswer({ name, desiredPercentage, modifiedAtNs }: IndexingRule): object {
  return {
    Name: name,
    ModifiedAt: Number(secondsText(modifiedAtNs)),
    Rule: {
      Probabilistic: { DesiredSamplingPercentage: desiredPercentage, ActualSamplingPercentage: actualPercentage },
    },
  };
}
