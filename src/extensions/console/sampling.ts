import { parseJson } from '../../codec/index.ts';
import { RaybridgeError } from '../../errors.ts';
import { isJsonObject, type JsonObject, type SamplingRuleRecord, toSeconds } from '../../model/index.ts';
import { answerGetSamplingRules } from '../../net/sampling-calls.ts';
import { readRuleName, readSamplingRule, readSamplingRuleChanges } from '../../net/sampling-members.ts';
import type { SamplingService } from '../../pipeline/sampling.ts';
import { toGivenTargetAnswer, toSamplingStatisticsAnswer, type TraceSummaryAnswer } from '../../query/index.ts';
import type { TraceReader } from '../../reader/index.ts';
import {
  changeRecord,
  createRecord,
  type Kept,
  previewRules,
  type RuleUse,
  type SeenRequest,
  toSeenRequest,
  withDraft,
} from '../../sampling/index.ts';

/** They tell of an hour of five requests a second, and are read in seconds. */
export const previewedMax = 20_000;

export async function samplingAnswer(
  sampling: Pick<SamplingService, 'rules' | 'statistics' | 'lastTargets'>,
): Promise<object> {
  return {
    ...answerGetSamplingRules(await sampling.rules()),
    SamplingStatisticSummaries: sampling.statistics().map(toSamplingStatisticsAnswer),
    LastTargets: sampling.lastTargets().map(toGivenTargetAnswer),
  };
}

/** Rules as they are, and as they would be. */
interface DraftedRules {
  readonly before: readonly SamplingRuleRecord[];
  readonly after: readonly SamplingRuleRecord[];
}

/**
 * The rules with a draft among them, read and checked as CreateSamplingRule and UpdateSamplingRule do.
 * @throws RaybridgeError what these operations would refuse the draft with; BAD_INPUT for what is no JSON.
 */
export function draftedRules(
  draft: { readonly text: string | undefined; readonly changes: string | undefined },
  { records, nowNs }: { readonly records: readonly SamplingRuleRecord[]; readonly nowNs: bigint },
): DraftedRules {
  if (draft.text === undefined) return { before: records, after: records };
  const members = readDraft(draft.text);
  const record =
    draft.changes === undefined
      ? createRecord(readSamplingRule(members), { records, nowNs })
      : changeRecord(readRuleName(new Map([['RuleName', draft.changes]])), {
          changes: readSamplingRuleChanges(members),
          records,
          nowNs,
        });
  return { before: records, after: withDraft(records, record) };
}

function readDraft(text: string): JsonObject {
  const members = parseJson(text);
  if (isJsonObject(members)) return members;
  throw new RaybridgeError('INVALID_REQUEST', 'draft: expected a JSON object, got another JSON value');
}

/** What is asked about, and what was found there, newest first. */
export interface SeenTraffic extends TrafficQuestion {
  readonly requests: readonly SeenRequest[];
  /** False when there were more, older ones. */
  readonly isWhole: boolean;
}

export interface TrafficQuestion {
  readonly fromNs: bigint;
  readonly toNs: bigint;
  readonly filterExpression: string | undefined;
}

/** Of each reader what was read last, so that not every change of a draft reads it all again. */
const lastSeen = new WeakMap<TraceReader, SeenTraffic & { readonly readAtNs: bigint }>();
/** So old may it be, and so far may both ends of a range have moved on. */
const ageNsMax = 30_000_000_000n;

/** What `read` finds, or found lately of the same question. */
export async function seenTraffic(
  reader: TraceReader,
  {
    question,
    nowNs,
    read,
  }: {
    readonly question: TrafficQuestion;
    readonly nowNs: () => bigint;
    readonly read: () => Promise<{ readonly summaries: readonly TraceSummaryAnswer[]; readonly isWhole: boolean }>;
  },
): Promise<SeenTraffic> {
  const readAtNs = nowNs();
  const last = lastSeen.get(reader);
  if (last && isNear(last.readAtNs, readAtNs) && isAlike(last, question)) return last;
  const { summaries, isWhole } = await read();
  const seen = { ...question, requests: summaries.map(toSeenRequest), isWhole, readAtNs };
  lastSeen.set(reader, seen);
  return seen;
}

function isAlike(one: TrafficQuestion, other: TrafficQuestion): boolean {
  if (one.filterExpression !== other.filterExpression) return false;
  return isNear(one.fromNs, other.fromNs) && isNear(one.toNs, other.toNs);
}

/** A clock that was set back is near only when it was set back a little. */
function isNear(one: bigint, other: bigint): boolean {
  return one - other <= ageNsMax && other - one <= ageNsMax;
}

/** What both sets of rules do with the traffic; when it is not whole, it stands for the time down to its oldest. */
export function toPreviewAnswer({ requests, isWhole, fromNs, toNs }: SeenTraffic, rules: DraftedRules): object {
  const { services, rules: used } = previewRules(requests, rules);
  const oldest = requests.at(-1)?.startSeconds;
  const start = isWhole || oldest === undefined ? toSeconds(fromNs) : oldest;
  return {
    TraceCount: requests.length,
    IsWhole: isWhole,
    Seconds: Math.max(1, toSeconds(toNs) - start),
    Services: services.map(({ service, seen, errors, faults, before, after }) => ({
      Name: service,
      SeenCount: seen,
      ErrorCount: errors,
      FaultCount: faults,
      Before: toKeptAnswer(before),
      After: toKeptAnswer(after),
    })),
    Rules: used.map(({ ruleName, before, after }) => ({
      RuleName: ruleName,
      Before: before && toUseAnswer(before),
      After: after && toUseAnswer(after),
    })),
  };
}

function toKeptAnswer({ kept, errorsLost, faultsLost }: Kept): object {
  return { KeptCount: kept, ErrorsLostCount: errorsLost, FaultsLostCount: faultsLost };
}

function toUseAnswer({ matched, kept, reserved }: RuleUse): object {
  return { MatchedCount: matched, KeptCount: kept, ReservoirCount: reserved };
}
