import { parseJson } from '../../codec/index.ts';
import { RaybridgeError } from '../../errors.ts';
import { isJsonObject, type JsonObject, type SamplingRuleRecord, toSeconds } from '../../model/index.ts';
import { answerGetSamplingRules } from '../../net/sampling-calls.ts';
import { readRuleName, readSamplingRule, readSamplingRuleChanges } from '../../net/sampling-members.ts';
import type { SamplingService } from '../../pipeline/sampling.ts';
import { toGivenTargetAnswer, toSamplingStatisticsAnswer, type TraceSummaryAnswer } from '../../query/index.ts';
import {
  changeRecord,
  createRecord,
  type Kept,
  previewRules,
  type RuleUse,
  toSeenRequest,
  withDraft,
} from '../../sampling/index.ts';

/** As many summaries are read in a second or two, and tell of an hour of five requests a second. */
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

/** What both sets of rules do with traces, newest first, of a range; when these are not all, of the time down to the last. */
export function toPreviewAnswer({
  summaries,
  isWhole,
  fromNs,
  toNs,
  rules,
}: {
  readonly summaries: readonly TraceSummaryAnswer[];
  readonly isWhole: boolean;
  readonly fromNs: bigint;
  readonly toNs: bigint;
  readonly rules: DraftedRules;
}): object {
  const { services, rules: used } = previewRules(summaries.map(toSeenRequest), rules);
  const oldest = summaries.at(-1)?.StartTime;
  const start = isWhole || oldest === undefined ? toSeconds(fromNs) : oldest;
  return {
    TraceCount: summaries.length,
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
