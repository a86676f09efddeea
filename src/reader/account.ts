import { z } from 'zod';
import { RaybridgeError } from '../errors.ts';
import type { Store } from '../pipeline/store.ts';
import { openState } from './state.ts';

/**
 * What an account has one of on AWS: encryption, the destination of its segments, indexing rules
 * (X-Ray API reference). All are checked and kept; none has an effect here, because the
 * store encrypts nothing with KMS, is the one destination, and indexes every trace.
 */
export interface Account {
  encryption(): Promise<Encryption>;
  /** @throws RaybridgeError INVALID_REQUEST. */
  putEncryption(encryption: Encryption): Promise<void>;
  destination(): Promise<Destination>;
  /** @throws RaybridgeError INVALID_REQUEST. */
  putDestination(wish: DestinationWish): Promise<void>;
  /** By name. */
  indexingRules(): Promise<readonly IndexingRule[]>;
  /** @throws RaybridgeError INVALID_REQUEST, NOT_FOUND. */
  putIndexingRule(rule: { readonly name: string; readonly desiredPercentage: number }): Promise<IndexingRule>;
}

export interface Encryption {
  readonly type: EncryptionType;
  /** Alias, id or ARN of a KMS key; with the type KMS only. */
  readonly keyId: string | undefined;
}

export const encryptionTypes = ['NONE', 'KMS'] as const;
export type EncryptionType = (typeof encryptionTypes)[number];

export const destinations = ['XRay', 'CloudWatchLogs'] as const;
export type Destination = (typeof destinations)[number];

export interface DestinationWish {
  readonly destination: Destination;
  /** With the destination CloudWatchLogs only. */
  readonly cloudWatchLogs: { readonly spansKeyArn: string | undefined } | undefined;
}

export interface IndexingRule {
  readonly name: string;
  readonly desiredPercentage: number;
  /** 0n when it never was. */
  readonly modifiedAtNs: bigint;
}

const encryptionSchema = z.object({ type: z.enum(encryptionTypes), keyId: z.string().optional() });
const destinationSchema = z.object({
  destination: z.enum(destinations),
  /** Whether AWS would have the log group aws/spans by now. */
  spansLogGroup: z.boolean(),
  spansKeyArn: z.string().optional(),
});
const indexingSchema = z.object({ desiredPercentage: z.number(), modifiedAtNs: z.string().regex(/^\d+$/) });

/** The key of the one document of its kind. */
const theOne = 'account';
/** The name of the one indexing rule. */
const indexingRuleName = 'Default';
/** Percent of spans that X-Ray indexes when nobody said otherwise. */
const desiredPercentageDefault = 1;

export function createAccount({ store, nowNs }: { readonly store: Store; readonly nowNs: () => bigint }): Account {
  const encryption = openState({ store, nowNs, kind: 'encryption', schema: encryptionSchema });
  const destination = openState({ store, nowNs, kind: 'trace_segment_destination', schema: destinationSchema });
  const indexing = openState({ store, nowNs, kind: 'indexing_rule', schema: indexingSchema });

  return {
    async encryption() {
      const { type, keyId } = (await encryption.read()).get(theOne) ?? { type: 'NONE' };
      return { type, keyId };
    },
    async putEncryption(wish) {
      checkEncryption(wish);
      await encryption.change((_, write) => write(theOne, wish));
    },
    destination: async () => (await destination.read()).get(theOne)?.destination ?? 'XRay',
    async putDestination(wish) {
      checkDestination(wish);
      await destination.change(async (documents, write) => {
        const known = documents.get(theOne);
        const spansKeyArn = wish.cloudWatchLogs?.spansKeyArn;
        if (spansKeyArn !== undefined && known?.spansLogGroup) {
          throw invalid(`${spansKeyMember}: the log group aws/spans exists already; its key can no longer be chosen`);
        }
        await write(theOne, {
          destination: wish.destination,
          spansLogGroup: known?.spansLogGroup || wish.destination === 'CloudWatchLogs',
          spansKeyArn: spansKeyArn ?? known?.spansKeyArn,
        });
      });
    },
    async indexingRules() {
      const known = (await indexing.read()).get(indexingRuleName);
      return [
        {
          name: indexingRuleName,
          desiredPercentage: known?.desiredPercentage ?? desiredPercentageDefault,
          modifiedAtNs: BigInt(known?.modifiedAtNs ?? 0),
        },
      ];
    },
    async putIndexingRule({ name, desiredPercentage }) {
      if (name !== indexingRuleName) {
        const message = `Name: expected ${indexingRuleName}, the only indexing rule, got another name`;
        throw new RaybridgeError('NOT_FOUND', message, { resource: name });
      }
      if (!(desiredPercentage >= 0 && desiredPercentage <= 100)) {
        throw invalid(`Rule.Probabilistic.DesiredSamplingPercentage: expected 0 to 100, got ${desiredPercentage}`);
      }
      const modifiedAtNs = nowNs();
      await indexing.change((_, write) => write(name, { desiredPercentage, modifiedAtNs: String(modifiedAtNs) }));
      return { name, desiredPercentage, modifiedAtNs };
    },
  };
}

const keyIdCharactersMax = 3000;
const keyArnPattern = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/;
/** An alias, the id of a key, or the ARN of either. */
const keyIdPattern =
  /^(alias\/[\w/-]+|(mrk-)?[0-9A-Fa-f-]{32,37}|arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key\/[\w-]+|alias\/[\w/-]+))$/;

function checkEncryption({ type, keyId }: Encryption): void {
  if (type === 'NONE') {
    if (keyId !== undefined) throw invalid('KeyId: expected none with the type NONE');
    return;
  }
  if (keyId === undefined) throw invalid('KeyId: expected a KMS key with the type KMS, got nothing');
  if (keyId.length > keyIdCharactersMax || !keyIdPattern.test(keyId)) {
    throw invalid('KeyId: expected the alias, id or ARN of a KMS key, got another text');
  }
}

const configurationMember = 'CloudWatchLogsConfiguration';
const spansKeyMember = `${configurationMember}.SpansLogGroupKmsKeyId`;

function checkDestination({ destination, cloudWatchLogs }: DestinationWish): void {
  if (!cloudWatchLogs) return;
  if (destination !== 'CloudWatchLogs') {
    throw invalid(`${configurationMember}: expected it with the destination CloudWatchLogs only`);
  }
  const { spansKeyArn } = cloudWatchLogs;
  if (spansKeyArn !== undefined && !keyArnPattern.test(spansKeyArn)) {
    throw invalid(`${spansKeyMember}: expected the ARN of a KMS key, got another text`);
  }
}

function invalid(message: string): RaybridgeError {
  return new RaybridgeError('INVALID_REQUEST', message);
}
