import { z } from 'zod';
import { RaybridgeError } from '../errors.ts';
import type { SamplingRuleRecord } from '../model/index.ts';
import { orderRules } from '../sampling/index.ts';
import type { Store } from './store.ts';
import { createTurns } from './turns.ts';

/** The sampling rules in a store: read often, changed one change after another. */
export interface SamplingRuleKeeper {
  /**
   * What another process changed in the last seconds may be missing. While the store cannot be read,
   * the rules last read stay in force.
   * @throws RaybridgeError STORE_UNAVAILABLE, STORE_FAILED when none were ever read.
   */
  read(): Promise<KnownRules>;
  /** The same, but when none were ever read: the default rule. */
  readInForce(): Promise<KnownRules>;
  /**
   * Changes one rule by what `work` makes of all of them as they are now.
   * @throws what `work` throws; RaybridgeError STORE_UNAVAILABLE, STORE_FAILED.
   */
  change(work: (records: readonly SamplingRuleRecord[]) => RuleChange): Promise<SamplingRuleRecord>;
}

export interface KnownRules {
  /** By priority, then name; the default rule last. */
  readonly records: readonly SamplingRuleRecord[];
  /** When a rule was created, changed or deleted last, or a change by another process was noticed; 0n when never. */
  readonly modifiedAtNs: bigint;
}

export interface RuleChange {
  readonly kind: 'write' | 'delete';
  readonly record: SamplingRuleRecord;
}

/** The kind of the state documents. One is `rule:` with its name, one says when a rule was deleted last. */
const stateKind = 'sampling';
const rulePrefix = 'rule:';
/** A deleted rule leaves no time of change behind, so that is kept by itself. */
const deletionKey = 'deleted';

/** For so long, the store is not asked again. Clients ask every ten seconds, each of them. */
const ageMaxNs = 5_000_000_000n;

const nothingKnown: KnownRules = { records: orderRules([]), modifiedAtNs: 0n };

/** `store` gives undefined when none is configured: then there is the default rule and no other. */
export function createSamplingRuleKeeper({
  store,
  nowNs,
}: {
  readonly store: () => Store | undefined;
  readonly nowNs: () => bigint;
}): SamplingRuleKeeper {
  const inTurn = createTurns();
  let known: KnownRules | undefined;
  let checkedAtNs: bigint | undefined;
  /** The documents behind what clients were told last; undefined while they were told nothing. */
  let told: string | undefined;
  let noticedAtNs = 0n;

  const load = async (): Promise<KnownRules> => {
    const documents = (await store()?.readState(stateKind)) ?? new Map<string, string>();
    const { records, deletedAtNs } = parseDocuments(documents);
    const found = printState(documents);
    if (told !== undefined && told !== found) noticedAtNs = nowNs();
    told = found;
    const times = records.map(({ modifiedAtNs }) => modifiedAtNs);
    known = { records, modifiedAtNs: latest([deletedAtNs, noticedAtNs, ...times]) };
    checkedAtNs = nowNs();
    return known;
  };

  const isFresh = (): boolean => {
    // A clock that was set back makes the age negative.
    const ageNs = checkedAtNs === undefined ? -1n : nowNs() - checkedAtNs;
    return ageNs >= 0n && ageNs <= ageMaxNs;
  };

  /** Reads wait for one another, so that many clients at once cost one question to the store. */
  const read = async (): Promise<KnownRules> => {
    if (known && isFresh()) return known;
    return await inTurn(async () => {
      if (known && isFresh()) return known;
      try {
        return await load();
      } catch (error) {
        if (!known) throw error;
        checkedAtNs = nowNs();
        return known;
      }
    });
  };

  return {
    read,
    async readInForce() {
      try {
        return await read();
      } catch (error) {
        if (!(error instanceof RaybridgeError)) throw error;
        // When the store opens and holds other rules, clients have to be told of a change.
        told ??= printState(new Map());
        return nothingKnown;
      }
    },
    change: (work) =>
      inTurn(async () => {
        const writable = store();
        if (!writable) {
          throw new RaybridgeError('INVALID_REQUEST', 'sampling rules are kept in a store, and none is configured');
        }
        const { record, kind } = work((await load()).records);
        // A write that failed may have been done all the same, so what is known is read again after any.
        checkedAtNs = undefined;
        await (kind === 'write' ? writeRule(writable, record) : deleteRule(writable, record, nowNs()));
        // Our own change tells its time itself.
        told = undefined;
        return record;
      }),
  };
}

async function writeRule(store: Store, record: SamplingRuleRecord): Promise<void> {
  await store.writeState({ kind: stateKind, key: `${rulePrefix}${record.rule.ruleName}`, value: printRecord(record) });
}

/** The time comes first: if all ends between the two writes, clients read the rules once in vain. */
async function deleteRule(store: Store, { rule }: SamplingRuleRecord, nowNs: bigint): Promise<void> {
  await store.writeState({ kind: stateKind, key: deletionKey, value: String(nowNs) });
  await store.writeState({ kind: stateKind, key: `${rulePrefix}${rule.ruleName}`, value: undefined });
}

function parseDocuments(documents: ReadonlyMap<string, string>): {
  readonly records: readonly SamplingRuleRecord[];
  readonly deletedAtNs: bigint;
} {
  const rules = [...documents].filter(([key]) => key.startsWith(rulePrefix));
  const deletedAt = documents.get(deletionKey) ?? '0';
  if (!timePattern.test(deletedAt)) throw unreadable(deletionKey, 'a time');
  return { records: orderRules(rules.map(([key, text]) => parseRecord(text, key))), deletedAtNs: BigInt(deletedAt) };
}

/** Nanoseconds, which JSON's numbers do not hold. */
const timePattern = /^\d{1,20}$/;

const recordSchema = z.object({
  rule: z.object({
    ruleName: z.string(),
    ruleArn: z.string(),
    resourceArn: z.string(),
    priority: z.number(),
    fixedRate: z.number(),
    reservoirSize: z.number(),
    serviceName: z.string(),
    serviceType: z.string(),
    host: z.string(),
    httpMethod: z.string(),
    urlPath: z.string(),
    attributes: z.array(z.tuple([z.string(), z.string()])),
    rateBoost: z.object({ maxRate: z.number(), cooldownWindowMinutes: z.number() }).optional(),
  }),
  createdAtNs: z.string().regex(timePattern),
  modifiedAtNs: z.string().regex(timePattern),
});

function printRecord({ rule, createdAtNs, modifiedAtNs }: SamplingRuleRecord): string {
  const document: z.input<typeof recordSchema> = {
    rule: { ...rule, attributes: [...rule.attributes] },
    createdAtNs: String(createdAtNs),
    modifiedAtNs: String(modifiedAtNs),
  };
  return JSON.stringify(document);
}

function parseRecord(text: string, key: string): SamplingRuleRecord {
  try {
    const { rule, createdAtNs, modifiedAtNs } = recordSchema.parse(JSON.parse(text));
    return {
      rule: { ...rule, attributes: new Map(rule.attributes), rateBoost: rule.rateBoost },
      createdAtNs: BigInt(createdAtNs),
      modifiedAtNs: BigInt(modifiedAtNs),
    };
  } catch (error) {
    throw unreadable(key, 'a sampling rule', error);
  }
}

function unreadable(key: string, wish: string, cause?: unknown): RaybridgeError {
  const message = `the state document ${stateKind}/${key}: expected ${wish} of this version, got another text`;
  return new RaybridgeError('STORE_FAILED', message, { cause });
}

/** Equal for equal documents. */
function printState(documents: ReadonlyMap<string, string>): string {
  return JSON.stringify([...documents].sort(([one], [other]) => (one < other ? -1 : 1)));
}

function latest(times: readonly bigint[]): bigint {
  return times.reduce((latest, time) => (time > latest ? time : latest), 0n);
}
